/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last records of the store, with all that was kept of them. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <limits.h>
#include <sqlite3.h>
#include <string.h>

#define TEXT(column) "(SELECT text FROM texts WHERE id = t." column ")"
#define IS(column, text) "(" text " IS NULL OR t." column " = (SELECT id FROM texts WHERE text = " text "))"

static const char select_last[] =
    "SELECT t.id, t.verdict, t.decided_by, t.stale, t.disagrees, t.port, t.conn, " TEXT("proxy") ", " TEXT("client") ", "
    TEXT("user") ", " TEXT("method") ", " TEXT("host") ", " TEXT("dst") ", " TEXT("sni") ", " TEXT("service") ", "
    TEXT("rule") ", " TEXT("evidence") ", " TEXT("source") ", " TEXT("would") ", " TEXT("reason")
    " FROM transactions t WHERE t.id >= ?1 AND t.id < ?2 AND ?3 >> t.verdict & 1 AND"
    " (" IS("service", "?5") " OR t.service = 0 AND " IS("would", "?5") ") AND " IS("client", "?6") " AND "
    IS("user", "?7") " AND " IS("rule", "?8") " ORDER BY t.id DESC LIMIT ?4";

static struct text column_text(struct sqlite3_stmt *statement, int column)
{
	const char *at = (const char *)sqlite3_column_text(statement, column);

	return (struct text){ .at = at, .length = at == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, column) };
}

static void read_record(struct sqlite3_stmt *statement, struct record *record)
{
	struct text *texts[] = { &record->conn, &record->proxy, &record->client, &record->user, &record->method,
		&record->host, &record->dst, &record->sni, &record->service, &record->rule, &record->evidence,
		&record->source, &record->would, &record->reason };
	enum { FIRST = 6 };

	memset(record, 0, sizeof *record);
	record->time = time_of_row(sqlite3_column_int64(statement, 0));
	record->verdict = (enum record_verdict)(sqlite3_column_int(statement, 1) & (VERDICTS - 1));
	record->decided_by = (enum record_decider)sqlite3_column_int(statement, 2);
	record->stale = sqlite3_column_int(statement, 3) != 0;
	record->disagrees = sqlite3_column_int(statement, 4) != 0;
	record->port = (uint16_t)sqlite3_column_int(statement, 5);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = column_text(statement, FIRST + (int)i);
}

bool store_recent(struct store *store, const struct recent_options *options,
    bool (*take)(void *context, const struct record *record), void *context, char why[STORE_WHY_SIZE])
{
	const struct text texts[] = { options->service, options->client, options->user, options->rule };
	enum { FIRST_TEXT = 5 };
	struct sqlite3_stmt *statement = NULL;
	struct record record;
	int result = SQLITE_ERROR;
	bool more = true;

	if (store_prepare(store, select_last, &statement)) {
		sqlite3_bind_int64(statement, 1, row_of_time(options->since));
		sqlite3_bind_int64(statement, 2, row_of_time(options->until));
		sqlite3_bind_int64(statement, 3, options->verdicts != 0 ? options->verdicts : (1 << VERDICTS) - 1);
		sqlite3_bind_int64(statement, 4, options->limit < INT_MAX ? (int)options->limit : INT_MAX);
		for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
			sqlite3_bind_text(statement, FIRST_TEXT + (int)i, texts[i].at, (int)texts[i].length, SQLITE_STATIC);
		while (more && (result = sqlite3_step(statement)) == SQLITE_ROW) {
			read_record(statement, &record);
			more = take(context, &record);
		}
		if (more && result != SQLITE_DONE)
			store_failed(store);
	}
	sqlite3_finalize(statement);
	snprintf(why, STORE_WHY_SIZE, "%s", store->trouble);
	return !more || result == SQLITE_DONE;
}
