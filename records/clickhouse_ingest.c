/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the journals to ClickHouse.
 *
 * How far they were sent is kept here, in a small file beside them, and only when the server has stored a batch. Who dies
 * between, or never hears of it, sends the batch again: its rows have the same time and identity, which is what the table
 * is ordered by, so they take the place of the first ones. */
#include <config.h>

#include "records/clickhouse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_WAIT_MS = 100, LONGEST_WAIT_MS = 5000, STEP_MS = 50, TRIES_IN_TIME = 4, SHORTEST_TRY_MS = 500 };

struct sending {
	const struct ingest_options *options;
	struct clickhouse *clickhouse;
	int64_t timeout;
	FILE *rows; /* NULL: none were added */
	char *text;
	size_t length;
};

/* ---- Trying again ---- */

static bool must_stop(const struct sending *sending)
{
	return sending->options->stop != NULL && sending->options->stop(sending->options->context);
}

static void wait_for(const struct sending *sending, int64_t milliseconds)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	for (int64_t until = clock_monotonic() + milliseconds; clock_monotonic() < until && !must_stop(sending);)
		(void)nanosleep(&step, NULL);
}

static bool send_rows(struct sending *sending, char why[STORE_WHY_SIZE])
{
	int64_t give_up = clock_monotonic() + sending->timeout, wait = FIRST_WAIT_MS;
	enum clickhouse_result result;
	char text[STORE_WHY_SIZE + 64];
	bool told = false;

	while ((result = clickhouse_insert(sending->clickhouse, sending->text, sending->length, why)) == CLICKHOUSE_LATER &&
	    !must_stop(sending) && clock_monotonic() + wait < give_up) {
		snprintf(text, sizeof text, "%s; trying again for %" PRId64 " s", why, sending->timeout / 1000);
		if (!told)
			sending->options->tell(sending->options->context, INGEST_WAITS, NULL, 0, text);
		told = true;
		wait_for(sending, wait);
		wait = wait * 2 < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS;
	}
	return result == CLICKHOUSE_DONE;
}

/* ---- The sink ---- */

static void drop_rows(struct sending *sending)
{
	if (sending->rows != NULL)
		fclose(sending->rows);
	free(sending->text);
	sending->rows = NULL;
	sending->text = NULL;
}

static bool add(void *context, const struct record *record, uint64_t identity, char why[STORE_WHY_SIZE])
{
	struct sending *sending = context;

	if (sending->rows == NULL)
		sending->rows = open_memstream(&sending->text, &sending->length);
	if (sending->rows != NULL)
		clickhouse_row(record, identity, sending->rows);
	if (sending->rows != NULL && !ferror(sending->rows))
		return true;
	snprintf(why, STORE_WHY_SIZE, "out of memory");
	return false;
}

static bool send(void *context, char why[STORE_WHY_SIZE])
{
	struct sending *sending = context;
	bool good = true;

	if (sending->rows == NULL)
		return true;
	if (fflush(sending->rows) != 0) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		good = false;
	}
	good = good && send_rows(sending, why);
	drop_rows(sending);
	return good;
}

/* ---- Old records ---- */

struct answered {
	struct answer answer;
	uint64_t number;
};

static bool take_number(void *context, const struct text *fields)
{
	struct answered *answered = context;

	return answer_number(fields[0], &answered->number);
}

static bool take_bytes(void *context, const char *bytes, size_t length)
{
	struct answered *answered = context;

	return answer_take(&answered->answer, bytes, length);
}

/* Runs what answers one number, or nothing. The query is this function's to free; NULL: there was no memory for it. */
static bool run(struct sending *sending, char *sql, uint64_t *number, char why[STORE_WHY_SIZE])
{
	struct answered *answered = calloc(1, sizeof *answered);
	bool good = false;

	snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (answered != NULL && sql != NULL) {
		answer_begin(&answered->answer, 1, take_number, answered);
		good = clickhouse_query(sending->clickhouse, sql, take_bytes, answered, why) == CLICKHOUSE_DONE;
		if (good && !answer_end(&answered->answer)) {
			snprintf(why, STORE_WHY_SIZE, "%s: the answer can't be used", clickhouse_place(sending->clickhouse)->shown);
			good = false;
		}
		*number = answered->number;
	}
	free(answered);
	free(sql);
	return good;
}

static char *format(const char *form, ...) FORMAT_LIKE(1, 2);

static char *format(const char *form, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, form);
	if (vasprintf(&text, form, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}

/* The server deletes in its own time, and rewrites what is left of a part: so whole days are deleted, and nothing while
 * that goes on. Of a sharded table this server's part alone can be deleted from here. */
static bool forget(void *context, int64_t oldest, uint64_t *forgotten, char why[STORE_WHY_SIZE])
{
	const int64_t a_day = INT64_C(24) * 60 * 60 * 1000, before = oldest / a_day * a_day;
	struct sending *sending = context;
	const char *database = clickhouse_place(sending->clickhouse)->database, *table;
	uint64_t count = 0, deleting = 0, nothing;

	if (!run(sending, format("SELECT count() FROM system.tables WHERE database = '%s' AND name = 'records_local'"
	    " FORMAT TabSeparated", database), &count, why))
		return false;
	table = count > 0 ? "records_local" : "records";
	if (!run(sending, format("SELECT count() FROM %s WHERE time < %" PRId64 " FORMAT TabSeparated", table, before), &count,
	    why) || !run(sending, format("SELECT count() FROM system.mutations WHERE database = '%s' AND table = '%s' AND"
	    " NOT is_done FORMAT TabSeparated", database, table), &deleting, why))
		return false;
	if (count == 0 || deleting > 0)
		return true;
	*forgotten = count;
	return run(sending, format("ALTER TABLE %s DELETE WHERE time < %" PRId64, table, before), &nothing, why);
}

/* ---- The whole ---- */

bool clickhouse_ingest(const struct clickhouse_options *clickhouse, const struct ingest_options *options,
    struct ingest_counts *counts, char why[STORE_WHY_SIZE])
{
	struct sending sending = { .options = options, .timeout = clickhouse->timeout };
	const struct ingest_sink sink = { .add = add, .send = send, .forget = forget, .context = &sending };
	struct ingest_options with_sink = *options;
	int64_t a_try = clickhouse->timeout / TRIES_IN_TIME;
	char *place;
	bool good;

	memset(counts, 0, sizeof *counts);
	sending.clickhouse = clickhouse_new(clickhouse, a_try < SHORTEST_TRY_MS ? SHORTEST_TRY_MS : a_try, why);
	if (sending.clickhouse == NULL)
		return false;
	clickhouse_stop_by(sending.clickhouse, options->stop, options->context);
	with_sink.sink = &sink;
	place = format("sqlite:%s", clickhouse->positions);
	snprintf(why, STORE_WHY_SIZE, "out of memory");
	good = place != NULL && ingest(place, &with_sink, counts, why);
	free(place);
	drop_rows(&sending);
	clickhouse_free(sending.clickhouse);
	return good;
}

char *clickhouse_positions(const char *place, const char *folder, char why[STORE_WHY_SIZE])
{
	struct clickhouse_place parsed;
	char *path = NULL;

	if (clickhouse_place_parse(place, &parsed, why)) {
		/* Of an IPv6 address. */
		for (char *at = parsed.host; *at != '\0'; at++)
			if (strchr("[]/%", *at) != NULL)
				*at = '_';
		path = format("%s/sent-%s-%u-%s.db", folder, parsed.host, parsed.port, parsed.database);
		if (path == NULL)
			snprintf(why, STORE_WHY_SIZE, "out of memory");
	}
	clickhouse_place_free(&parsed);
	return path;
}
