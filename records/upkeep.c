/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps the store small and sound: old records are forgotten, and a file that can't be used is moved aside. */
#include <config.h>

#include "records/records.h"

#include "records/blocks.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHECK_ALWAYS_BELOW = 8 * 1024 * 1024 };

/* Texts that no record of this day or a later one used. */
static bool forget_texts(struct store *store, int64_t day)
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, "DELETE FROM texts WHERE day < ?1", &statement) &&
	    sqlite3_bind_int64(statement, 1, day) == SQLITE_OK && (sqlite3_step(statement) == SQLITE_DONE || store_failed(store));

	sqlite3_finalize(statement);
	if (!good || sqlite3_changes(store->db) == 0)
		return good;
	known_texts_forget(store->texts);
	return store_set_number(store, "generation", store->generation + 1);
}

bool store_forget(struct store *store, int64_t oldest, uint64_t *forgotten)
{
	const int64_t a_minute = INT64_C(60) * 1000, a_day = 24 * 60 * a_minute;
	uint64_t before = *forgotten;
	bool more = true;

	while (more) {
		uint64_t now = *forgotten;

		if (!store_begin(store))
			return false;
		if (!blocks_forget(store, oldest, a_minute, &now) ||
		    (now == *forgotten && now > before && !forget_texts(store, (oldest - a_minute) / a_day))) {
			store_rollback(store);
			return false;
		}
		if (!store_commit(store))
			return false;
		more = now > *forgotten;
		*forgotten = now;
	}
	return true;
}

bool store_is_sound(struct store *store, int64_t now, bool often)
{
	const int64_t a_day = INT64_C(24) * 60 * 60 * 1000;
	struct sqlite3_stmt *statement = NULL;
	struct stat status = { .st_size = 0 };
	int64_t checked = 0;
	bool sound = false;

	if (!store_number(store, "SELECT value FROM meta WHERE key = 'checked'", &checked))
		return false;
	if (stat(store->path, &status) == 0 && (often || status.st_size >= CHECK_ALWAYS_BELOW) && now - checked < a_day &&
	    now >= checked)
		return true;
	if (!store_prepare(store, status.st_size < CHECK_ALWAYS_BELOW ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)",
	    &statement))
		return false;
	if (sqlite3_step(statement) == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(statement, 0);

		sound = said != NULL && strcmp(said, "ok") == 0;
		store->damaged = !sound;
		snprintf(store->trouble, sizeof store->trouble, "%s: %.200s", store->path, said != NULL ? said : "?");
	} else {
		store_failed(store);
	}
	sqlite3_finalize(statement);
	sound = sound && blocks_are_sound(store);
	return sound && (now - checked < a_day || store_set_number(store, "checked", now));
}

static void move(const char *from, const char *suffix, const char *to, bool *good)
{
	char old[PATH_ROOM], aside[PATH_ROOM];

	if ((size_t)snprintf(old, sizeof old, "%s%s", from, suffix) >= sizeof old ||
	    (size_t)snprintf(aside, sizeof aside, "%s%s", to, suffix) >= sizeof aside ||
	    (rename(old, aside) != 0 && errno != ENOENT))
		*good = false;
}

bool store_move_aside(struct store *store, int64_t now, char told[STORE_WHY_SIZE])
{
	struct stat status;
	char to[PATH_ROOM], when[32];
	time_t seconds = (time_t)(now / 1000);
	struct tm utc;
	bool good = true;

	told[0] = '\0';
	sqlite3_finalize(store->text_find);
	sqlite3_finalize(store->text_add);
	sqlite3_finalize(store->text_touch);
	sqlite3_finalize(store->block_add);
	sqlite3_finalize(store->details_add);
	store->text_find = store->text_add = store->text_touch = store->block_add = store->details_add = NULL;
	sqlite3_close(store->db);
	store->db = NULL;
	/* Let go of it first: two that want it alone would wait for each other. */
	if (!store_lock(store, LOCK_UN) || !store_lock(store, LOCK_EX)) {
		snprintf(store->trouble, sizeof store->trouble, "%s.lock: %s", store->path, strerror(errno));
		return false;
	}
	if (stat(store->path, &status) != 0 || status.st_dev != store->device || status.st_ino != store->inode)
		return true; /* somebody else has done it */
	if (gmtime_r(&seconds, &utc) == NULL || strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc) == 0)
		when[0] = '\0';
	for (int i = 0; i < 1000; i++) {
		if ((size_t)snprintf(to, sizeof to, "%s.aside-%s%s%.0d", store->path, when, i > 0 ? "-" : "", i) >= sizeof to)
			return false;
		if (access(to, F_OK) != 0)
			break;
	}
	move(store->path, "", to, &good);
	move(store->path, "-wal", to, &good);
	move(store->path, "-shm", to, &good);
	if (!good)
		snprintf(store->trouble, sizeof store->trouble, "%s: can't be renamed: %s", store->path, strerror(errno));
	else
		snprintf(told, STORE_WHY_SIZE, "%.400s", to);
	return good;
}
