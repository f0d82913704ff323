/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a report small and short: how many records it would be about, and an end to what takes too long. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool store_is_late(const struct store *store)
{
	return store->give_up_at != 0 && monotonic() >= store->give_up_at;
}

static int is_late(void *context)
{
	return store_is_late(context);
}

void store_give_up_after(struct store *store, int64_t milliseconds)
{
	enum { STEPS = 1000 };

	store->give_up_at = monotonic() + milliseconds;
	if (store->db != NULL)
		sqlite3_progress_handler(store->db, STEPS, is_late, store);
}

bool store_count(struct store *store, int64_t since, int64_t until, uint64_t *records, char why[STORE_WHY_SIZE])
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, "SELECT total(rows) FROM blocks WHERE last_time >= ?1 AND first_time < ?2", &statement) &&
	    sqlite3_bind_int64(statement, 1, since) == SQLITE_OK && sqlite3_bind_int64(statement, 2, until) == SQLITE_OK &&
	    (sqlite3_step(statement) == SQLITE_ROW || store_failed(store));

	*records = good ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	if (!good)
		snprintf(why, STORE_WHY_SIZE, "%s", store->trouble);
	return good;
}
