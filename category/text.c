/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of text, the reasons why they are refused, and dates. */
#include <config.h>

#include "category/quick.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct text text_of(const char *string)
{
	struct text text = {string, string == NULL ? 0 : strlen(string)};

	return text;
}

bool text_is(struct text text, const char *string)
{
	size_t length = strlen(string);

	return text.at != NULL && text.length == length && memcmp(text.at, string, length) == 0;
}

size_t append_format(char *out, size_t size, size_t at, const char *format, ...)
{
	va_list arguments;
	int wrote;

	if (at + 1 >= size) {
		return at;
	}
	va_start(arguments, format);
	wrote = vsnprintf(out + at, size - at, format, arguments);
	va_end(arguments);
	if (wrote < 0) {
		return at;
	}
	return (size_t)wrote < size - at ? at + (size_t)wrote : size - 1;
}

bool refuse(struct refusal *why, size_t offset, const char *format, ...)
{
	va_list arguments;

	why->offset = offset;
	va_start(arguments, format);
	if (vsnprintf(why->reason, sizeof why->reason, format, arguments) < 0) {
		why->reason[0] = '\0';
	}
	va_end(arguments);
	return false;
}

bool number_parse(struct text text, uint32_t most, uint32_t *number)
{
	return number_read(text, most, number);
}

/* Days since 1970-01-01 of a day of the Gregorian calendar; years are counted from March so that a leap day is the last. */
static int32_t day_number(int year, int month, int day)
{
	int from_march = (month + 9) % 12;
	int y = month <= 2 ? year - 1 : year;

	return y * 365 + y / 4 - y / 100 + y / 400 + (from_march * 306 + 5) / 10 + day - 1 - 719468;
}

bool date_parse(struct text text, int32_t *day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int part[3] = {0, 0, 0};

	if (text.length != 10 || text.at[4] != '-' || text.at[7] != '-') {
		return false;
	}
	for (size_t i = 0; i < 10; i++) {
		if (i == 4 || i == 7) {
			continue;
		}
		if (text.at[i] < '0' || text.at[i] > '9') {
			return false;
		}
		int *number = &part[i < 4 ? 0 : i < 7 ? 1 : 2];
		*number = *number * 10 + (text.at[i] - '0');
	}
	bool leap = part[0] % 4 == 0 && (part[0] % 100 != 0 || part[0] % 400 == 0);
	if (part[0] < 1970 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
	    part[2] > days[part[1] - 1] + (leap && part[1] == 2 ? 1 : 0)) {
		return false;
	}
	*day = day_number(part[0], part[1], part[2]);
	return true;
}

int32_t date_today(void)
{
	return (int32_t)(time(NULL) / 86400);
}

static int64_t clock_read(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}
