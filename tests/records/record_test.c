/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record of any bytes gives one line of valid JSON in valid UTF-8, within its bounds, and loses nothing quietly. */
#include <config.h>

#include "records/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <iconv.h>

static struct text bytes(const char *at, size_t length)
{
	return (struct text){ .at = at, .length = length };
}

static void expect(const struct record *record, const char *line)
{
	char out[RECORD_SIZE + 1];
	size_t length = record_format(record, out);

	assert_true(length <= RECORD_SIZE);
	out[length] = '\0';
	assert_string_equal(out, line);
}

/* Another reader of UTF-8 than the one that is tested: the C library's. */
static void check_utf8(const char *line, size_t length)
{
	static char wide[4 * RECORD_SIZE + 4];
	iconv_t converter = iconv_open("UTF-32", "UTF-8");
	char *in = (char *)(uintptr_t)line, *out = wide;
	size_t in_left = length, out_left = sizeof wide;

	assert_true(converter != (iconv_t)-1);
	assert_int_equal(iconv(converter, &in, &in_left, &out, &out_left), 0);
	assert_int_equal(in_left, 0);
	iconv_close(converter);
}

/* Reads a string behind its opening quote, strictly; returns what is behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
	for (; at < end && *at != '"'; at++) {
		assert_true((unsigned char)*at >= 0x20);
		if (*at != '\\')
			continue;
		at++;
		assert_true(at < end);
		if (*at == 'u') {
			for (int i = 1; i <= 4; i++)
				assert_non_null(strchr("0123456789abcdef", at[i]));
			at += 4;
		} else {
			assert_true(*at == '"' || *at == '\\');
		}
	}
	assert_true(at < end);
	return at + 1;
}

/* Reads the whole line: {"key":"text" | "key":number | "key":true, ...} and one newline, at the end. */
static void check_line(const char *line, size_t length)
{
	const char *at = line, *end = line + length - 1;

	assert_true(length >= 3 && length <= RECORD_SIZE);
	assert_ptr_equal(memchr(line, '\n', length), end);
	check_utf8(line, length);
	assert_int_equal(*at++, '{');
	for (;;) {
		assert_int_equal(*at++, '"');
		at = skip_string(at, end);
		assert_int_equal(*at++, ':');
		if (*at == '"')
			at = skip_string(at + 1, end);
		else if (strncmp(at, "true", 4) == 0)
			at += 4;
		else
			at += strspn(at, "0123456789");
		if (*at != ',')
			break;
		at++;
	}
	assert_int_equal(*at++, '}');
	assert_ptr_equal(at, end);
}

static void every_field_in_its_order(void **state)
{
	struct record record = {
		.time = INT64_C(1793456789012),
		.proxy = text_of("proxy1"),
		.conn = text_of("192.0.2.7:51000"),
		.client = text_of("192.0.2.7"),
		.user = text_of("alice"),
		.method = text_of("CONNECT"),
		.host = text_of("egw.gotomeeting.com"),
		.port = 65535,
		.dst = text_of("203.0.113.5:443"),
		.sni = text_of("egw.gotomeeting.com"),
		.verdict = RECORD_BYPASS,
		.service = text_of("gotomeeting"),
		.rule = text_of("203.0.113.0/24"),
		.evidence = text_of("address"),
		.source = text_of("https://vendor.example/list 2026-10-01"),
		.stale = true,
		.disagrees = true,
		.decided_by = RECORD_BY_SQUID,
		.would = text_of("zoom"),
		.reason = text_of("no-entry"),
	};

	(void)state;
	expect(&record,
	    "{\"time\":\"2026-10-31T14:26:29.012Z\",\"proxy\":\"proxy1\",\"conn\":\"192.0.2.7:51000\","
	    "\"client\":\"192.0.2.7\",\"user\":\"alice\",\"method\":\"CONNECT\",\"host\":\"egw.gotomeeting.com\","
	    "\"port\":65535,\"dst\":\"203.0.113.5:443\",\"sni\":\"egw.gotomeeting.com\",\"verdict\":\"bypass\","
	    "\"service\":\"gotomeeting\",\"rule\":\"203.0.113.0/24\",\"evidence\":\"address\","
	    "\"source\":\"https://vendor.example/list 2026-10-01\",\"stale\":true,\"disagrees\":true,"
	    "\"decided_by\":\"squid\",\"would\":\"zoom\",\"reason\":\"no-entry\"}\n");
}

static void missing_fields_are_left_out(void **state)
{
	struct record record = { .decided_by = RECORD_BY_ICAP };

	(void)state;
	expect(&record, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"verdict\":\"normal\",\"decided_by\":\"icap\"}\n");
	record.user = text_of("");
	record.verdict = RECORD_SHADOW;
	record.decided_by = RECORD_BY_HELPER;
	expect(&record, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"verdict\":\"shadow\",\"decided_by\":\"helper\"}\n");
	record.verdict = RECORD_DENIED;
	expect(&record, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"verdict\":\"denied\",\"decided_by\":\"helper\"}\n");
}

static void any_time_can_be_written(void **state)
{
	static const struct {
		int64_t time;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 999, "1970-01-01T00:00:00.999Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_C(1709208000001), "2024-02-29T12:00:00.001Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct record record = { .time = cases[i].time };

		snprintf(line, sizeof line, "{\"time\":\"%s\",\"verdict\":\"normal\",\"decided_by\":\"helper\"}\n",
		    cases[i].text);
		expect(&record, line);
	}
}

static void expect_user(const char *user, size_t length, const char *escaped)
{
	struct record record = { .user = bytes(user, length) };
	char line[RECORD_SIZE];

	snprintf(line, sizeof line, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"user\":\"%s\",\"verdict\":\"normal\","
	    "\"decided_by\":\"helper\"}\n", escaped);
	expect(&record, line);
}

static void what_json_cannot_hold_is_escaped(void **state)
{
	(void)state;
	expect_user("a\"b\\c/d", 7, "a\\\"b\\\\c/d");
	expect_user("a\r\nb\tc\0d\x1b[0m\x7f", 13, "a\\u000d\\u000ab\\u0009c\\u0000d\\u001b[0m\\u007f");
	expect_user("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", 8, "\\u0080\\u009b\\u009f\xc2\xa0");
}

/* Plain bytes are looked at eight at once. */
static void each_byte_of_a_text_is_looked_at(void **state)
{
	static const struct {
		char byte;
		const char *escaped;
	} cases[] = { { '\x1f', "\\u001f" }, { '"', "\\\"" }, { '\\', "\\\\" }, { '\x7f', "\\u007f" }, { '\x80', "\xef\xbf\xbd" } };
	char text[24], escaped[48];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t length = 1; length <= sizeof text; length++)
			for (size_t at = 0; at < length; at++) {
				memset(text, 'a', length);
				text[at] = cases[i].byte;
				snprintf(escaped, sizeof escaped, "%.*s%s%.*s", (int)at, text, cases[i].escaped,
				    (int)(length - at - 1), text + at + 1);
				expect_user(text, length, escaped);
			}
}

static void what_is_no_utf8_is_replaced(void **state)
{
	static const struct {
		const char *bytes, *expected;
	} cases[] = {
		{ "b\xc3\xb6" "b", "b\xc3\xb6" "b" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xef\xbf\xbf\xf4\x8f\xbf\xbf", "\xef\xbf\xbf\xf4\x8f\xbf\xbf" },
		{ "b\xf6" "b", "b\xef\xbf\xbd" "b" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },                 /* overlong NUL */
		{ "\xc1\xbf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
		{ "\xf0\x8f\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd" },               /* cut off at the end */
		{ "\xe2\"", "\xef\xbf\xbd\\\"" },                           /* must not swallow the quote */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_user(cases[i].bytes, strlen(cases[i].bytes), cases[i].expected);
}

/* The user's field takes 256 bytes of the line. */
static void a_long_text_is_cut_and_it_shows(void **state)
{
	enum { LIMIT = 256 };
	char user[LIMIT + 2], expected[LIMIT + 1];

	(void)state;
	memset(user, 'x', sizeof user);
	memset(expected, 'x', sizeof expected);
	expected[LIMIT] = '\0';
	expect_user(user, LIMIT, expected);
	memcpy(expected + LIMIT - 3, "\xe2\x80\xa6", 3);
	expect_user(user, LIMIT + 1, expected);
	/* An escape is cut as a whole: six bytes, of which only four are left. */
	user[LIMIT - 7] = '\n';
	memcpy(expected + LIMIT - 7, "\xe2\x80\xa6", 4);
	expect_user(user, LIMIT + 1, expected);
	/* So is a character. */
	user[LIMIT - 7] = 'x';
	memcpy(user + LIMIT - 4, "\xe2\x82\xac", 3);
	memcpy(expected + LIMIT - 7, "xxx\xe2\x80\xa6", 7);
	expect_user(user, LIMIT + 1, expected);
}

static void fill(struct record *record, struct text text)
{
	record->proxy = record->conn = record->client = record->user = record->method = record->host = text;
	record->dst = record->sni = record->service = record->rule = record->evidence = record->source = text;
	record->would = record->reason = text;
	record->port = 65535;
	record->stale = record->disagrees = true;
}

static void the_line_is_bounded_whatever_comes(void **state)
{
	enum { HUGE_LENGTH = 1024 * 1024 };
	static const char *const units[] = { "\x01", "\"", "\\", "\xff", "x", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\xc2\x80" };
	char *huge = malloc(HUGE_LENGTH), line[RECORD_SIZE];
	struct record record = { .time = INT64_MIN };

	(void)state;
	assert_non_null(huge);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t length = strlen(units[i]);

		for (size_t at = 0; at < HUGE_LENGTH; at++)
			huge[at] = units[i][at % length];
		fill(&record, bytes(huge, HUGE_LENGTH));
		check_line(line, record_format(&record, line));
	}
	free(huge);
}

static void random_bytes_give_valid_lines(void **state)
{
	static const unsigned char special[] =
	    "\"\\\n\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5";
	struct record record = { .time = 1 };
	char text[400], line[RECORD_SIZE];

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)rand() % sizeof text;

		/* Mostly bytes that mean something to UTF-8 or to JSON. */
		for (size_t i = 0; i < length; i++) {
			bool any = rand() % 4 == 0;

			text[i] = (char)(any ? (unsigned char)rand() : special[(size_t)rand() % (sizeof special - 1)]);
		}
		fill(&record, bytes(text, length));
		check_line(line, record_format(&record, line));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_in_its_order),
		cmocka_unit_test(missing_fields_are_left_out),
		cmocka_unit_test(any_time_can_be_written),
		cmocka_unit_test(what_json_cannot_hold_is_escaped),
		cmocka_unit_test(each_byte_of_a_text_is_looked_at),
		cmocka_unit_test(what_is_no_utf8_is_replaced),
		cmocka_unit_test(a_long_text_is_cut_and_it_shows),
		cmocka_unit_test(the_line_is_bounded_whatever_comes),
		cmocka_unit_test(random_bytes_give_valid_lines),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
