/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Days are written one way only, and counted as the C library counts them. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void counts_days(void **state)
{
	(void)state;
	for (int32_t day = 0; day < 800000; day += 1 + (int32_t)chance(3)) { /* to the year 4160 */
		time_t seconds = (time_t)day * 86400;
		struct tm tm;
		char text[48];
		int32_t again = -1;

		assert_non_null(gmtime_r(&seconds, &tm));
		(void)snprintf(text, sizeof text, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		assert_true(date_parse(text_of(text), &again));
		assert_int_equal(again, day);
	}
}

static void takes_real_days_only(void **state)
{
	static const char *const good[] = {"1970-01-01", "2000-02-29", "2024-02-29", "2026-12-31", "9999-12-31"};
	static const char *const bad[] = {"", "2026", "2026-1-1", "2026-01-1", "26-01-01", "2026/01/01", "01-01-2026",
	    "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-02-29", "2100-02-29", "2026-04-31", "2026-02-30",
	    "1969-12-31", "0000-01-01", "2026-01-01 ", " 2026-01-01", "2026-01-01T00:00", "2026-0a-01", "-026-01-01",
	    "2026-01--1", "+026-01-01", "20260101", "2026.01.01", "tomorrow", "2026-01-0\xb2"};
	int32_t day;
	(void)state;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(date_parse(text_of(good[i]), &day));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (date_parse(text_of(bad[i]), &day)) {
			fail_msg("taken for a day: %s", bad[i]);
		}
	}
	assert_false(date_parse(text_of(NULL), &day));
	assert_false(date_parse((struct text){"2026-01-0\0", 10}, &day));
	assert_true(date_parse((struct text){"2026-01-019", 10}, &day));
}

static void today_is_a_day_in_utc(void **state)
{
	int32_t before_it = (int32_t)(time(NULL) / 86400), today = date_today(), behind_it = (int32_t)(time(NULL) / 86400);
	(void)state;

	assert_true(before_it <= today && today <= behind_it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_days),
		cmocka_unit_test(takes_real_days_only),
		cmocka_unit_test(today_is_a_day_in_utc),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
