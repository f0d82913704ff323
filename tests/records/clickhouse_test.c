/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ClickHouse without a server: places, rows that are sent, answers, and where local days and hours begin. */
#include <config.h>

#include "records/clickhouse.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

/* ---- Places ---- */

static void a_place_has_parts(void **state)
{
	static const struct {
		const char *text, *url, *shown, *user, *password;
	} cases[] = {
		{ "clickhouse://records.example/meeting", "http://records.example:8123/", "clickhouse://records.example:8123/meeting",
		    NULL, NULL },
		{ "clickhouses://records.example/meeting", "https://records.example:8443/",
		    "clickhouses://records.example:8443/meeting", NULL, NULL },
		{ "clickhouse://anna:s%3a%40c@192.0.2.1:81/a_1", "http://192.0.2.1:81/", "clickhouse://192.0.2.1:81/a_1", "anna",
		    "s:@c" },
		{ "clickhouse://anna@[2001:db8::1]/a", "http://[2001:db8::1]:8123/", "clickhouse://[2001:db8::1]:8123/a", "anna",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct clickhouse_place place;
		char why[STORE_WHY_SIZE];

		assert_true(clickhouse_is_place(cases[i].text));
		assert_true(clickhouse_place_parse(cases[i].text, &place, why));
		assert_string_equal(place.url, cases[i].url);
		assert_string_equal(place.shown, cases[i].shown);
		assert_true((place.user == NULL) == (cases[i].user == NULL));
		assert_true((place.password == NULL) == (cases[i].password == NULL));
		if (place.user != NULL)
			assert_string_equal(place.user, cases[i].user);
		if (place.password != NULL)
			assert_string_equal(place.password, cases[i].password);
		clickhouse_place_free(&place);
	}
}

static void what_is_no_place_is_refused_without_being_shown(void **state)
{
	static const char *const cases[] = { "clickhouse:", "clickhouse://", "clickhouse:///d", "clickhouse://secret@/d",
		"clickhouse://h", "clickhouse://h/", "clickhouse://h/d/", "clickhouse://h/d/e", "clickhouse://h:0/d",
		"clickhouse://h:65536/d", "clickhouse://h:x/d", "clickhouse://h/d?secret", "clickhouse://h/d#secret", "clickhouse://h/d e",
		"clickhouse://h/1d", "clickhouse://h/d%20", "clickhouse://h/\xc3\xa9", "sqlite:/d", "",
		"clickhouse://h/d23456789012345678901234567890123456789012345678901234567890123456" };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct clickhouse_place place;
		char why[STORE_WHY_SIZE] = "";

		if (clickhouse_place_parse(cases[i], &place, why))
			fail_msg("%s was taken", cases[i]);
		assert_non_null(strstr(why, "/DATABASE"));
		assert_null(strstr(why, "secret"));
		clickhouse_place_free(&place);
	}
}

static void positions_are_kept_apart_by_place(void **state)
{
	char why[STORE_WHY_SIZE], *path = clickhouse_positions("clickhouse://u:p@[2001:db8::1]:81/a", "/var", why);

	(void)state;
	assert_string_equal(path, "/var/sent-_2001:db8::1_-81-a.db");
	free(path);
	assert_null(clickhouse_positions("clickhouse://h", "/var", why));
}

/* ---- Rows ---- */

static void a_row_is_json_whatever_is_in_it(void **state)
{
	static const char bytes[] = "\"\\/\b\t\n\r\x01\x1f\x7f\0\xc3\xbc\xf0\x9f\x98\x80'";
	const struct text text = { .at = bytes, .length = sizeof bytes - 1 };
	const struct record record = { .time = -5, .conn = text, .client = text_of("c"), .user = text, .host = text, .dst = text,
		.port = 65535, .verdict = RECORD_DENIED, .stale = true, .disagrees = true, .decided_by = RECORD_BY_SQUID,
		.reason = text };
	char *row = NULL;
	size_t length;
	FILE *to = open_memstream(&row, &length);
	json_t *json;

	(void)state;
	assert_non_null(to);
	clickhouse_row(&record, UINT64_MAX, to);
	assert_int_equal(fclose(to), 0);
	assert_ptr_equal(strchr(row, '\n'), row + length - 1);
	assert_non_null(strstr(row, "{\"id\":18446744073709551615,\"time\":-5,\"connection\":"));
	/* jansson knows no number that large. */
	for (char *at = row; *at != '\0'; at++)
		if (strncmp(at, "\"connection\":", 13) == 0 || strncmp(at, "\"id\":", 5) == 0)
			for (at = strchr(at, ':') + 1; *at >= '0' && *at <= '9'; at++)
				*at = '1';
	json = json_loads(row, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), "denied");
	assert_string_equal(json_string_value(json_object_get(json, "decided_by")), "squid");
	assert_string_equal(json_string_value(json_object_get(json, "user")),
	    "\"\\/\b\t\n\r\x01\x1f\x7f?\xc3\xbc\xf0\x9f\x98\x80'");
	assert_null(json_object_get(json, "sni"));
	json_decref(json);
	free(row);
}

/* ---- Answers ---- */

static char seen[256];

static bool note_row(void *context, const struct text *fields)
{
	const struct answer *answer = context;
	size_t length = strlen(seen);

	for (size_t i = 0; i < answer->fields; i++)
		length += (size_t)snprintf(seen + length, sizeof seen - length, "[%.*s]", (int)fields[i].length, fields[i].at);
	return strstr(seen, "stop") == NULL;
}

static bool read_answer(const char *text, size_t part)
{
	static struct answer answer;
	size_t length = strlen(text);
	bool more = true;

	seen[0] = '\0';
	answer_begin(&answer, 2, note_row, &answer);
	for (size_t at = 0; more && at < length; at += part)
		more = answer_take(&answer, text + at, part < length - at ? part : length - at);
	return answer_end(&answer);
}

static void an_answer_is_read_in_whatever_pieces_it_comes(void **state)
{
	static const struct {
		const char *text, *seen;
		bool whole;
	} cases[] = {
		{ "", "", true },
		{ "a\tb\n\n\t\n\t\n", "[a][b]", true },
		{ "a\\tb\t\\\\\\n\\'\nc\t\n\na\tb\nc\td\n", "[a\tb][\\\n'][c][]", true },
		{ "a\tb\n", "[a][b]", false },
		{ "a\tb\n\n", "[a][b]", false },
		{ "a\tb\n\n\t\n", "[a][b]", false },
		{ "a\tb\n\n\t\n\t", "[a][b]", false },
		{ "a\tb\n\n\t\n\t\n\t\n", "[a][b]", false },
		{ "\n\t\n\t\n", "", false },
		{ "a\n", "", false },
		{ "a\tb\tc\n", "", false },
		{ "a\t\\x\n", "", false },
		{ "a\t\\", "", false },
		{ "a\t\\\n\n\t\n\t\n", "", false },
		{ "a\t\xff\n", "", false },
		{ "stop\t\na\tb\n\n\t\n\t\n", "[stop][]", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (size_t part = 1; part < 8; part++) {
			if (read_answer(cases[i].text, part) != cases[i].whole)
				fail_msg("case %zu by %zu bytes", i, part);
			assert_string_equal(seen, cases[i].seen);
		}
	}
}

static void numbers_are_taken_strictly(void **state)
{
	static const char *const wrong[] = { "", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "0x1", "18446744073709551616",
		"99999999999999999999999", "nan" };
	uint64_t number;
	int64_t with_sign;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(answer_number(text_of(wrong[i]), &number));
		assert_false(answer_signed(text_of(wrong[i]), &with_sign));
	}
	assert_true(answer_number(text_of("18446744073709551615"), &number));
	assert_true(number == UINT64_MAX);
	assert_false(answer_signed(text_of("9223372036854775808"), &with_sign));
	assert_true(answer_signed(text_of("-9223372036854775807"), &with_sign));
	assert_true(with_sign == -INT64_MAX);
	assert_true(answer_signed(text_of("0"), &with_sign));
}

/* ---- Queries ---- */

static void expect_query(const struct query *query, const char *part)
{
	char *sql = query_of_question(query);

	assert_non_null(sql);
	if (strstr(sql, part) == NULL)
		fail_msg("%s isn't in %s", part, sql);
	free(sql);
}

/* What one shard sends of a group may not have 2^24 connections. */
static void lists_are_short_enough_for_a_shard_to_send(void **state)
{
	const struct question all = { .verdicts = 15 }, fine = { .dimension = { DIMENSION_CLIENT, DIMENSION_USER, DIMENSION_DST,
		DIMENSION_NAME, DIMENSION_PORT }, .dimensions = 5, .verdicts = 1 };
	struct query query = { .question = &all, .until = 1, .rows = 1000 };

	(void)state;
	expect_query(&query, " GROUP BY if(connection = 0, id, connection) % 127)");
	query.rows = UINT64_C(5000000000);
	expect_query(&query, " GROUP BY if(connection = 0, id, connection) % 313)");
	query.question = &fine;
	query.rows = 16000000;
	expect_query(&query, " GROUP BY k, if(connection = 0, id, connection) % 3) GROUP BY k ");
	query.rows = 1000;
	expect_query(&query, " GROUP BY k) FORMAT ");
}

/* ---- Local time ---- */

/* Works out what clickhouse_offset writes: "(A + (time >= T) * (D) + ...)". */
static int64_t work_out(const char *expression, int64_t time)
{
	char *at;
	int64_t offset = strtoll(expression + 1, &at, 10);

	while (strncmp(at, " + (time >= ", 12) == 0) {
		int64_t from = strtoll(at + 12, &at, 10);

		assert_memory_equal(at, ") * (", 5);
		offset += (time >= from) * strtoll(at + 5, &at, 10);
		assert_int_equal(*at++, ')');
	}
	assert_string_equal(at, ")");
	return offset;
}

static void hours_and_days_are_told_apart_as_time_floor_does(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
		"Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo" };
	const int64_t hour = 60 * 60 * 1000, day = 24 * hour, step = 7 * 60 * 1000 + 13;
	/* From 2009 to 2013: Apia left out a day. */
	const int64_t first = INT64_C(1230768000123), last = INT64_C(1388534400000);

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		int64_t before_hour = 0, before_day = 0, hour_key = -1, day_key = -1;
		char *expression = NULL;
		size_t length;
		FILE *to = open_memstream(&expression, &length);

		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		assert_non_null(to);
		assert_true(clickhouse_offset(first, last, to));
		assert_int_equal(fclose(to), 0);
		for (int64_t time = first; time <= last; time += step) {
			int64_t local = time + work_out(expression, time), new_hour = time - local % hour, new_day = local / day;

			if ((new_hour == hour_key) != (time_floor(time, TIME_HOUR) == before_hour) ||
			    (new_day == day_key) != (time_floor(time, TIME_DAY) == before_day))
				fail_msg("%s at %" PRId64, zones[i], time);
			hour_key = new_hour;
			day_key = new_day;
			before_hour = time_floor(time, TIME_HOUR);
			before_day = time_floor(time, TIME_DAY);
		}
		free(expression);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_place_has_parts),
		cmocka_unit_test(what_is_no_place_is_refused_without_being_shown),
		cmocka_unit_test(positions_are_kept_apart_by_place), cmocka_unit_test(a_row_is_json_whatever_is_in_it),
		cmocka_unit_test(an_answer_is_read_in_whatever_pieces_it_comes), cmocka_unit_test(numbers_are_taken_strictly),
		cmocka_unit_test(lists_are_short_enough_for_a_shard_to_send),
		cmocka_unit_test(hours_and_days_are_told_apart_as_time_floor_does) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
