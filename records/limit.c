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

static int is_late(void *context)
{
	const struct store *store = context;

	return monotonic() >= store->give_up_at;
}

void store_give_up_after(struct store *store, int64_t milliseconds)
{
	enum { STEPS = 1000 };

	store->give_up_at = monotonic() + milliseconds;
	if (store->db != NULL)
		sqlite3_progress_handler(store->db, STEPS, is_late, store);
}
