/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line is read back as the record that was written; what isn't a record is refused with a reason. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct record_line line;
static char why[RECORD_WHY_SIZE];

static bool parse(const char *text)
{
	return record_parse(text, strlen(text), &line, why);
}

#define GOOD "\"time\":\"2026-11-01T10:00:00.123Z\",\"verdict\":\"bypass\",\"decided_by\":\"helper\""

static void what_was_written_is_read(void **state)
{
	const struct record record = { .time = INT64_C(1793527200123), .proxy = text_of("p"), .conn = text_of("192.0.2.1:5"),
		.client = text_of("192.0.2.1"), .user = text_of("\"\\\n\t\x7f m\xc3\xbcller"), .method = text_of("CONNECT"),
		.host = text_of("h"), .port = 65535, .dst = text_of("192.0.2.2:443"), .sni = text_of("s"),
		.verdict = RECORD_SHADOW, .service = text_of("x"), .rule = text_of("r"), .evidence = text_of("address"),
		.source = text_of("u"), .stale = true, .disagrees = true, .decided_by = RECORD_BY_ICAP, .would = text_of("w"),
		.reason = text_of("q") };
	char text[RECORD_SIZE], again[RECORD_SIZE];
	size_t length = record_format(&record, text);

	(void)state;
	assert_true(record_parse(text, length - 1, &line, why));
	assert_int_equal(line.record.time, record.time);
	assert_false(line.passed_over);
	assert_int_equal(record_format(&line.record, again), length);
	assert_memory_equal(text, again, length);
	record_line_free(&line);
}

static void any_bytes_are_read_back(void **state)
{
	char user[64], text[RECORD_SIZE];

	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct record record = { .user = { .at = user, .length = 1 + (size_t)rand() % sizeof user } };

		for (size_t i = 0; i < sizeof user; i++)
			user[i] = (char)rand();
		assert_true(record_parse(text, record_format(&record, text) - 1, &line, why));
		record_line_free(&line);
	}
}

static void any_time_is_read_back(void **state)
{
	const int64_t last = INT64_C(253402300799999); /* what is before 1970 is refused */
	char text[RECORD_SIZE];

	(void)state;
	srand(2);
	for (int round = 0; round < 20000; round++) {
		uint64_t random = (uint64_t)rand() << 31 ^ (uint64_t)rand();
		struct record record = { .time = (int64_t)(random % (uint64_t)(last + 1)) };

		assert_true(record_parse(text, record_format(&record, text) - 1, &line, why));
		assert_int_equal(line.record.time, record.time);
		record_line_free(&line);
	}
}

static void what_is_not_known_is_passed_over(void **state)
{
	(void)state;
	assert_true(parse("{" GOOD ",\"later\":{\"a\":[1,null]},\"port\":0,\"user\":\"\"}"));
	assert_int_equal(line.record.time, INT64_C(1793527200123));
	assert_int_equal(line.record.verdict, RECORD_BYPASS);
	assert_null(line.record.user.at);
	record_line_free(&line);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "[]", "1", "{}", "{" GOOD, "{" GOOD "} x", "{" GOOD "}{" GOOD "}",
		"{" GOOD "," GOOD "}", "{" GOOD ",\"user\":1}", "{" GOOD ",\"port\":\"80\"}", "{" GOOD ",\"port\":65536}",
		"{" GOOD ",\"port\":-1}", "{" GOOD ",\"stale\":1}", "{" GOOD ",\"disagrees\":\"yes\"}", "{" GOOD ",\"user\":\"\xff\"}", "{" GOOD ",\"user\":null}",
		"{\"verdict\":\"bypass\",\"decided_by\":\"helper\"}",
		"{\"time\":\"yesterday\",\"verdict\":\"bypass\",\"decided_by\":\"helper\"}",
		"{\"time\":1,\"verdict\":\"bypass\",\"decided_by\":\"helper\"}",
		"{\"time\":\"2026-11-01T10:00:00Z\",\"verdict\":\"maybe\",\"decided_by\":\"helper\"}",
		"{\"time\":\"2026-11-01T10:00:00Z\",\"verdict\":\"bypass\",\"decided_by\":\"me\"}",
		"{\"time\":\"2026-11-01T10:00:00Z\",\"verdict\":\"bypass\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why[0] = '\0';
		if (parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
		assert_int_not_equal(why[0], '\0');
	}
}

#define SQUID "\"time\":\"2026-11-01T10:00:00Z\",\"verdict\":\"denied\",\"decided_by\":\"squid\""

static void what_squid_wrote_is_undone(void **state)
{
	(void)state;
	assert_true(parse("{" SQUID ",\"user\":\"a%22%0A%25%C3%BC\",\"host\":\"-\",\"sni\":\"%zz%4\",\"squid\":\"TCP_DENIED/407\"}"));
	assert_true(text_is(line.record.user, "a\"\n%\xc3\xbc"));
	assert_null(line.record.host.at);
	assert_true(text_is(line.record.sni, "%zz%4"));
	record_line_free(&line);
	/* Not UTF-8. */
	assert_true(parse("{" SQUID ",\"user\":\"%FF%C3\"}"));
	assert_true(text_is(line.record.user, "??"));
	record_line_free(&line);
	/* The helper's texts are as they are. */
	assert_true(parse("{" GOOD ",\"user\":\"%41\",\"host\":\"-\"}"));
	assert_true(text_is(line.record.user, "%41"));
	assert_true(text_is(line.record.host, "-"));
	record_line_free(&line);
}

static void what_squid_did_not_refuse_is_passed_over(void **state)
{
	static const struct {
		const char *text;
		bool passed_over;
	} cases[] = { { "{" SQUID ",\"squid\":\"TCP_DENIED/407\"}", false }, { "{" SQUID ",\"squid\":\"TCP_DENIED_ABORTED/403\"}", false },
		{ "{" SQUID ",\"squid\":\"NONE_NONE/407\"}", false }, { "{" SQUID "}", false },
		{ "{" SQUID ",\"squid\":\"NONE_NONE/000\"}", true }, { "{" SQUID ",\"squid\":\"TCP_MISS/403\"}", true } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_true(parse(cases[i].text));
		assert_int_equal(line.passed_over, cases[i].passed_over);
		record_line_free(&line);
	}
}

static void the_hash_is_the_one_that_is_published(void **state)
{
	/* The example in the paper on SipHash. */
	const struct hash_key key = { { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) } };
	unsigned char bytes[15];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	assert_true(hash_bytes(&key, bytes, sizeof bytes) == UINT64_C(0xa129ca6149be45e5));
}

static void numbers_stay_with_their_texts(void **state)
{
	struct numbers numbers;
	char name[32];

	(void)state;
	assert_true(numbers_begin(&numbers, 4));
	for (int64_t i = 1; i <= 5000; i++) {
		uint64_t hash;

		snprintf(name, sizeof name, "%d", (int)i);
		hash = numbers_hash(&numbers, text_of(name));
		assert_true(numbers_find(&numbers, hash)->hash == 0);
		assert_true(numbers.count * 2 < numbers.room || numbers_grow(&numbers));
		*numbers_find(&numbers, hash) = (struct numbered){ .hash = hash, .number = i };
		numbers.count++;
	}
	for (int64_t i = 1; i <= 5000; i++) {
		snprintf(name, sizeof name, "%d", (int)i);
		assert_int_equal(numbers_find(&numbers, numbers_hash(&numbers, text_of(name)))->number, i);
	}
	numbers_free(&numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(any_bytes_are_read_back),
		cmocka_unit_test(any_time_is_read_back),
		cmocka_unit_test(what_is_not_known_is_passed_over),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(what_squid_wrote_is_undone),
		cmocka_unit_test(what_squid_did_not_refuse_is_passed_over),
		cmocka_unit_test(the_hash_is_the_one_that_is_published),
		cmocka_unit_test(numbers_stay_with_their_texts),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
