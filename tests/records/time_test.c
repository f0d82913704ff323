/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time as records and people write them, and the begin of local days and hours. */
#include <config.h>

#include "records/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const int64_t hour = INT64_C(60) * 60 * 1000;

static int64_t of(const char *text)
{
	int64_t time = -1;

	if (!time_parse(text_of(text), &time))
		fail_msg("not taken: %s", text);
	return time;
}

static void use_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void rfc_3339(void **state)
{
	static const char *const bad[] = { "", "2026-11-01", "2026-11-01T10:00:00", "2026-11-01T10:00Z", "2026-11-01T24:00:00Z",
		"2026-11-01T10:60:00Z", "2026-11-01T10:00:61Z", "2026-11-01T10:00:00.Z", "2026-11-01T10:00:00Z ",
		"2026-02-29T10:00:00Z", "2026-11-01T10:00:00+0100", "2026-11-01T10:00:00+24:00", "x026-11-01T10:00:00Z" };
	int64_t time;

	(void)state;
	assert_int_equal(of("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(of("2026-11-01T10:00:00.123456Z"), INT64_C(1793527200123));
	assert_int_equal(of("2026-11-01T11:30:00.1+01:30"), INT64_C(1793527200100));
	assert_int_equal(of("2026-11-01 09:00:00-01:00"), INT64_C(1793527200000));
	assert_int_equal(of("2026-12-31T23:59:60Z"), of("2026-12-31T23:59:59Z"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (time_parse(text_of(bad[i]), &time))
			fail_msg("taken: %s", bad[i]);
	assert_false(time_parse(text_of(NULL), &time));
}

static void as_people_write_it(void **state)
{
	static const char *const bad[] = { "", "h", "2", "2x", "-2h", "2026-11-31", "2026-11-01 24:00", "2026-11-01 1:00",
		"tomorrow", "12345678h", "2h ", "1969-12-31" };
	int64_t now, time;

	(void)state;
	use_zone("Europe/Berlin");
	now = of("2026-11-23T12:34:56Z");
#define IS(text, wanted)                                          \
	do {                                                      \
		assert_true(when_parse(text_of(text), now, &time)); \
		assert_int_equal(time, wanted);                   \
	} while (0)
	IS("now", now);
	IS("2h", now - 2 * hour);
	IS("90m", now - 3 * hour / 2);
	IS("7d", now - 7 * 24 * hour);
	IS("1w", now - 7 * 24 * hour);
	IS("today", of("2026-11-23T00:00:00+01:00"));
	IS("yesterday", of("2026-11-22T00:00:00+01:00"));
	IS("2026-11-01", of("2026-11-01T00:00:00+01:00"));
	IS("2026-07-01 14:30", of("2026-07-01T14:30:00+02:00"));
	IS("2026-07-01 14:30:15", of("2026-07-01T14:30:15+02:00"));
	IS("2026-07-01T14:30:00Z", of("2026-07-01T14:30:00Z"));
#undef IS
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (when_parse(text_of(bad[i]), now, &time))
			fail_msg("taken: %s", bad[i]);
}

static void the_day_of_a_clock_change(void **state)
{
	int64_t night = of("2026-10-25T00:30:00Z"); /* the first 02:30; the second is an hour later */
	char text[TIME_TEXT_SIZE], again[TIME_TEXT_SIZE];

	(void)state;
	use_zone("Europe/Berlin");
	assert_int_equal(time_floor(night, TIME_DAY), of("2026-10-25T00:00:00+02:00"));
	assert_int_equal(time_floor(night + 22 * hour, TIME_DAY), of("2026-10-25T00:00:00+02:00"));
	assert_int_equal(time_floor(night, TIME_HOUR), of("2026-10-25T02:00:00+02:00"));
	assert_int_equal(time_floor(night + hour, TIME_HOUR), of("2026-10-25T02:00:00+01:00"));
	(void)time_format(time_floor(night, TIME_HOUR), TIME_HOUR, text);
	(void)time_format(time_floor(night + hour, TIME_HOUR), TIME_HOUR, again);
	assert_string_equal(text, "2026-10-25 02:00 +0200");
	assert_string_equal(again, "2026-10-25 02:00 +0100");
	use_zone("Asia/Kolkata");
	assert_int_equal(time_floor(of("2026-11-01T10:15:00Z"), TIME_HOUR), of("2026-11-01T15:00:00+05:30"));
}

static void what_is_written_can_be_read(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns" };
	char text[TIME_TEXT_SIZE];

	(void)state;
	srand(2);
	for (int i = 0; i < 1000; i++) {
		int64_t time = ((int64_t)rand() * 4 + rand() % 4) / 8 * 1000;

		size_t length;

		use_zone(zones[i % 4]);
		length = time_format(time, TIME_SECOND, text);
		assert_int_equal(length, strlen(text));
		assert_int_equal(of(text), time);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3339),
		cmocka_unit_test(as_people_write_it),
		cmocka_unit_test(the_day_of_a_clock_change),
		cmocka_unit_test(what_is_written_can_be_read),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
