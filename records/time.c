/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time as text: those of records, and those that people write. */
#include <config.h>

#include "records/records.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* Takes `digits` digits off the text's begin. */
static bool take_number(struct text *text, size_t digits, int *number)
{
	if (text->length < digits)
		return false;
	*number = 0;
	for (size_t i = 0; i < digits; i++) {
		if (text->at[i] < '0' || text->at[i] > '9')
			return false;
		*number = *number * 10 + (text->at[i] - '0');
	}
	text->at += digits;
	text->length -= digits;
	return true;
}

static bool take_byte(struct text *text, char byte)
{
	if (text->length == 0 || text->at[0] != byte)
		return false;
	text->at++;
	text->length--;
	return true;
}

/* "14:30" or "14:30:05" or "14:30:05.123", in milliseconds. A leap second counts as the one before it. */
static bool take_clock(struct text *text, bool seconds_needed, int64_t *milliseconds)
{
	int hour, minute, second = 0, scale = 100;

	*milliseconds = 0;
	if (!take_number(text, 2, &hour) || !take_byte(text, ':') || !take_number(text, 2, &minute))
		return false;
	if (take_byte(text, ':')) {
		if (!take_number(text, 2, &second))
			return false;
		if (take_byte(text, '.')) {
			int digit;

			if (!take_number(text, 1, &digit))
				return false;
			do {
				*milliseconds += digit * scale;
				scale /= 10;
			} while (take_number(text, 1, &digit));
		}
	} else if (seconds_needed) {
		return false;
	}
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*milliseconds += (int64_t)hour * HOUR + (int64_t)minute * MINUTE + (second == 60 ? 59 : second) * SECOND;
	return true;
}

static bool take_zone(struct text *text, int64_t *milliseconds)
{
	int hour, minute, sign = 1;

	*milliseconds = 0;
	if (take_byte(text, 'Z') || take_byte(text, 'z'))
		return true;
	if (take_byte(text, '-'))
		sign = -1;
	else if (!take_byte(text, '+'))
		return false;
	if (!take_number(text, 2, &hour) || !take_byte(text, ':') || !take_number(text, 2, &minute) || hour > 23 ||
	    minute > 59)
		return false;
	*milliseconds = sign * ((int64_t)hour * HOUR + (int64_t)minute * MINUTE);
	return true;
}

bool time_parse(struct text text, int64_t *time)
{
	struct text date = { .at = text.at, .length = 10 };
	int64_t clock, zone;
	int32_t day;

	if (text.at == NULL || text.length < 20 || !date_parse(date, &day))
		return false;
	text.at += 10;
	text.length -= 10;
	if ((!take_byte(&text, 'T') && !take_byte(&text, 't') && !take_byte(&text, ' ')) ||
	    !take_clock(&text, true, &clock) || !take_zone(&text, &zone) || text.length != 0)
		return false;
	*time = (int64_t)day * 24 * HOUR + clock - zone;
	return true;
}

/* ---- As people write it ---- */

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Local midnight of the day that is `days` days after that of `now`. */
static int64_t midnight(int64_t now, int days)
{
	time_t seconds = (time_t)(now / SECOND);
	struct tm when;

	if (localtime_r(&seconds, &when) == NULL)
		return now;
	when.tm_mday += days;
	when.tm_hour = when.tm_min = when.tm_sec = 0;
	when.tm_isdst = -1;
	return (int64_t)mktime(&when) * SECOND;
}

/* "2026-11-01" and "2026-11-01 14:30", in local time. */
static bool parse_local(struct text text, int64_t *time)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct tm when = { .tm_isdst = -1 };
	int64_t clock = 0;
	int year, month, day;

	if (!take_number(&text, 4, &year) || !take_byte(&text, '-') || !take_number(&text, 2, &month) ||
	    !take_byte(&text, '-') || !take_number(&text, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0))
		return false;
	if (text.length > 0 &&
	    ((!take_byte(&text, ' ') && !take_byte(&text, 'T')) || !take_clock(&text, false, &clock)))
		return false;
	if (text.length > 0)
		return false;
	when.tm_year = year - 1900;
	when.tm_mon = month - 1;
	when.tm_mday = day;
	when.tm_hour = (int)(clock / HOUR);
	when.tm_min = (int)(clock % HOUR / MINUTE);
	when.tm_sec = (int)(clock % MINUTE / SECOND);
	*time = (int64_t)mktime(&when) * SECOND + clock % SECOND;
	return true;
}

bool duration_parse(struct text text, int64_t *milliseconds)
{
	static const struct {
		char letter;
		int64_t length;
	} units[] = { { 's', SECOND }, { 'm', MINUTE }, { 'h', HOUR }, { 'd', 24 * HOUR }, { 'w', 7 * 24 * HOUR } };
	int64_t number = 0;

	if (text.at == NULL || text.length < 2 || text.length > 7)
		return false;
	for (size_t i = 0; i + 1 < text.length; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		number = number * 10 + (text.at[i] - '0');
	}
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (units[i].letter == text.at[text.length - 1]) {
			*milliseconds = number * units[i].length;
			return true;
		}
	}
	return false;
}

bool when_parse(struct text text, int64_t now, int64_t *time)
{
	int64_t ago;

	if (text.at == NULL)
		return false;
	if (text_is(text, "now")) {
		*time = now;
		return true;
	}
	if (text_is(text, "today") || text_is(text, "yesterday")) {
		*time = midnight(now, text_is(text, "today") ? 0 : -1);
		return true;
	}
	if (duration_parse(text, &ago)) {
		*time = now - ago;
		return true;
	}
	return time_parse(text, time) || parse_local(text, time);
}

/* ---- As the report shows it ---- */

size_t time_format(int64_t time, enum time_form form, char out[TIME_TEXT_SIZE])
{
	time_t seconds = (time_t)(time / 1000 - (time % 1000 < 0));
	struct tm when;
	size_t length;

	if (localtime_r(&seconds, &when) == NULL)
		memset(&when, 0, sizeof when);
	switch (form) {
	case TIME_DAY:
		length = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%d", &when);
		break;
	case TIME_HOUR:
		length = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%d %H:00 %z", &when);
		break;
	case TIME_MINUTE:
		length = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%d %H:%M", &when);
		break;
	default:
		length = strftime(out, TIME_TEXT_SIZE - 1, "%Y-%m-%dT%H:%M:%S%z", &when);
		/* RFC 3339 wants a colon in the zone. */
		if (length > 2) {
			memmove(out + length - 1, out + length - 2, 3);
			out[length - 2] = ':';
			length++;
		}
		break;
	}
	if (length == 0)
		out[0] = '\0';
	return length;
}

int64_t time_floor(int64_t time, enum time_form form)
{
	time_t seconds = (time_t)(time / 1000 - (time % 1000 < 0));
	struct tm when;

	if (localtime_r(&seconds, &when) == NULL)
		return 0;
	if (form == TIME_HOUR)
		return ((int64_t)seconds - when.tm_min * 60 - when.tm_sec) * 1000;
	return midnight((int64_t)seconds * 1000, 0);
}
