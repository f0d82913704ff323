/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a report small and short: how many records it would be about, and an end to what takes too long. */
#include <config.h>

#include "records/records.h"

#include "records/blocks.h"

#include <sqlite3.h>
#include <stdio.h>

bool store_is_late(const struct store *store)
{
	return store->give_up_at != 0 && clock_monotonic() >= store->give_up_at;
}

static int is_late(void *context)
{
	return store_is_late(context);
}

void store_give_up_after(struct store *store, int64_t milliseconds)
{
	enum { STEPS = 1000 };

	store->give_up_at = clock_monotonic() + milliseconds;
	if (store->db != NULL)
		sqlite3_progress_handler(store->db, STEPS, is_late, store);
}

bool store_count(struct store *store, int64_t since, int64_t until, uint64_t *records, char why[STORE_WHY_SIZE])
{
	bool good = blocks_rows(store, since, until, records);

	if (!good)
		snprintf(why, STORE_WHY_SIZE, "%s", store->trouble);
	return good;
}
