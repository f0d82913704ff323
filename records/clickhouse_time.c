/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local time as an expression of SQL.
 *
 * What a zone does is asked of the C library here, not of the server: so days and hours begin where the report's other
 * stores have them begin, whatever zones the server knows. Of two changes of the clock within six hours one may be missed;
 * no zone has such. */
#include <config.h>

#include "records/clickhouse.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { CHANGES = 2000, STEP = 6 * 60 * 60 };

/* How many seconds local time is ahead. */
static int64_t ahead(int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm when;

	return localtime_r(&at, &when) == NULL ? 0 : (int64_t)when.tm_gmtoff;
}

static int64_t seconds_of(int64_t time)
{
	return time / 1000 - (time % 1000 < 0);
}

bool clickhouse_offset(int64_t first, int64_t last, FILE *to)
{
	int64_t from = seconds_of(first), end = seconds_of(last), offset = ahead(from);
	unsigned changes = 0;

	fprintf(to, "(%" PRId64, offset * 1000);
	while (from < end) {
		int64_t before = from, behind = from + STEP < end ? from + STEP : end, new = ahead(behind);

		from = behind;
		if (new == offset)
			continue;
		while (behind - before > 1) {
			int64_t middle = before + (behind - before) / 2;

			if (ahead(middle) == offset)
				before = middle;
			else
				behind = middle;
		}
		if (++changes > CHANGES)
			return false;
		fprintf(to, " + (time >= %" PRId64 ") * (%" PRId64 ")", behind * 1000, (new - offset) * 1000);
		offset = new;
	}
	fputc(')', to);
	return true;
}
