/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An end to what takes too long in a store. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <sqlite3.h>
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
