/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal: lines go to the file, or wait in memory until it can be written again, and always in order. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct journal_options journal_defaults = {
	.queue_bytes = 1024 * 1024,
	.look_interval = 1000,
	.retry_interval = 1000,
	.news_interval = 60 * 1000,
};

/* A line that waits. */
struct waiting {
	struct waiting *next;
	size_t length;
	char line[];
};

/* Threads that write at the same time write through descriptors of their own, so that none waits for another outside the
 * kernel. */
enum { LANES = 8 };

struct lane {
	_Alignas(64) pthread_mutex_t lock; /* of all in it */
	struct appended_file file;
	int64_t next_look; /* milliseconds of the monotonic clock, as all times here */
	uint64_t written;
};

struct journal {
	struct lane lane[LANES];
	struct journal_options options;
	char *path;
	atomic_bool troubled; /* lines wait, or the file can't be written: then only the first lane is used, in order */
	struct line_ends ends; /* apart from what is only read while all goes well */
	pthread_mutex_t lock; /* of all that follows; taken before a lane's */
	struct waiting *first, *last;
	size_t waiting_bytes; /* with what the list itself takes */
	struct journal_counts counts; /* without what the lanes count */
	int64_t next_try;
	int trouble;   /* what errno said; 0 while the file can be written */
	bool unopened; /* the trouble is with opening it */
	int64_t next_news;
	bool told; /* that there is trouble */
};

/* ---- Lanes ---- */

/* The lane of this processor, or the next one that is open and not in use; locked. */
static struct lane *take_lane(struct journal *journal)
{
	unsigned first = (unsigned)sched_getcpu();

	for (unsigned i = 0; i < LANES; i++) {
		struct lane *lane = &journal->lane[(first + i) % LANES];

		if (pthread_mutex_trylock(&lane->lock) != 0)
			continue;
		if (lane->file.fd >= 0)
			return lane;
		pthread_mutex_unlock(&lane->lock);
	}
	pthread_mutex_lock(&journal->lane[0].lock);
	return &journal->lane[0];
}

/* Makes sure that the lane's file is open, and the one that the path names. */
static int look(const struct journal *journal, struct lane *lane, int64_t now)
{
	if (lane->file.fd >= 0 && now < lane->next_look)
		return 0;
	lane->next_look = now + journal->options.look_interval;
	return file_follow(&lane->file);
}

static int append(struct lane *lane, const char *line, size_t length)
{
	int error = file_append(&lane->file, line, length);

	lane->written += error == 0;
	return error;
}

/* What is written while nothing is wrong. error is 0 if the lane's file couldn't be opened: another one may be. */
static bool write_at_once(struct journal *journal, const char *line, size_t length, int64_t now, int *error)
{
	struct lane *lane = take_lane(journal);
	bool open = look(journal, lane, now) == 0;

	*error = open ? append(lane, line, length) : 0;
	pthread_mutex_unlock(&lane->lock);
	return open && *error == 0;
}

/* ---- Trouble ---- */

/* Notes how a try to open or to write went. */
static bool settle(struct journal *journal, int error, bool opening, int64_t now)
{
	if (error != 0) {
		journal->counts.errors++;
		journal->next_try = now + journal->options.retry_interval;
	}
	journal->trouble = error;
	journal->unopened = error != 0 && opening;
	return error == 0;
}

/* Whether it is time to write again, and the first lane's file, whose lock is held, is open. In trouble it is looked at
 * with each try: a new file may be the way out. */
static bool ready(struct journal *journal, int64_t now)
{
	struct lane *lane = &journal->lane[0];
	int error;

	if (journal->trouble != 0) {
		if (now < journal->next_try)
			return false;
		lane->next_look = now;
	}
	error = look(journal, lane, now);
	/* A file that can be opened, but not written, is still in trouble. */
	if (error != 0 || journal->unopened)
		return settle(journal, error, true, now);
	return true;
}

static enum journal_result keep(struct journal *journal, const char *line, size_t length)
{
	struct waiting *waiting = NULL;
	size_t size = sizeof *waiting + length;

	if (size <= journal->options.queue_bytes && journal->waiting_bytes <= journal->options.queue_bytes - size)
		waiting = malloc(size);
	if (waiting == NULL) {
		journal->counts.lost++;
		return JOURNAL_LOST;
	}
	waiting->next = NULL;
	waiting->length = length;
	memcpy(waiting->line, line, length);
	if (journal->last != NULL)
		journal->last->next = waiting;
	else
		journal->first = waiting;
	journal->last = waiting;
	journal->waiting_bytes += size;
	journal->counts.waiting++;
	return JOURNAL_QUEUED;
}

static void drop_first(struct journal *journal)
{
	struct waiting *first = journal->first;

	journal->first = first->next;
	if (journal->first == NULL)
		journal->last = NULL;
	journal->waiting_bytes -= sizeof *first + first->length;
	journal->counts.waiting--;
	free(first);
}

/* Writes what waits, through the first lane. Returns whether nothing waits any more. */
static bool catch_up(struct journal *journal, int64_t now)
{
	while (journal->first != NULL) {
		if (!settle(journal, append(&journal->lane[0], journal->first->line, journal->first->length), false, now))
			return false;
		drop_first(journal);
	}
	return true;
}

/* Writes what waits, and then the line, which may be NULL. The journal's lock is held. Returns whether all is written. */
static bool write_in_order(struct journal *journal, const char *line, size_t length, int64_t now)
{
	struct lane *lane = &journal->lane[0];
	bool good;

	pthread_mutex_lock(&lane->lock);
	good = ready(journal, now) && catch_up(journal, now) &&
	    (line == NULL || settle(journal, append(lane, line, length), false, now));
	pthread_mutex_unlock(&lane->lock);
	atomic_store(&journal->troubled, journal->trouble != 0 || !good);
	return good;
}

/* ---- For all ---- */

struct journal *journal_open(const char *path, const struct journal_options *options)
{
	struct journal *journal = aligned_alloc(_Alignof(struct journal), sizeof *journal);

	if (journal == NULL)
		return NULL;
	memset(journal, 0, sizeof *journal);
	journal->path = strdup(path);
	if (journal->path == NULL) {
		free(journal);
		return NULL;
	}
	journal->options = options != NULL ? *options : journal_defaults;
	(void)pthread_mutex_init(&journal->lock, NULL);
	for (size_t i = 0; i < LANES; i++) {
		(void)pthread_mutex_init(&journal->lane[i].lock, NULL);
		journal->lane[i].file = (struct appended_file){ .path = journal->path, .fd = -1, .ends = &journal->ends };
	}
	journal_flush(journal);
	return journal;
}

/* When something has gone wrong; error is what has just been tried. */
static enum journal_result write_in_trouble(struct journal *journal, const char *line, size_t length, int64_t now, int error)
{
	enum journal_result result = JOURNAL_WRITTEN;

	pthread_mutex_lock(&journal->lock);
	if (error != 0) {
		(void)settle(journal, error, false, now);
		atomic_store(&journal->troubled, true);
		result = keep(journal, line, length);
	} else if (!write_in_order(journal, line, length, now)) {
		result = keep(journal, line, length);
	}
	pthread_mutex_unlock(&journal->lock);
	return result;
}

enum journal_result journal_write(struct journal *journal, const char *line, size_t length)
{
	int64_t now = clock_monotonic();
	int error = 0;

	if (length == 0 || length > RECORD_SIZE || line[length - 1] != '\n') {
		pthread_mutex_lock(&journal->lock);
		journal->counts.lost++;
		pthread_mutex_unlock(&journal->lock);
		return JOURNAL_LOST;
	}
	if (!atomic_load(&journal->troubled) && write_at_once(journal, line, length, now, &error))
		return JOURNAL_WRITTEN;
	return write_in_trouble(journal, line, length, now, error);
}

void journal_flush(struct journal *journal)
{
	int64_t now = clock_monotonic();

	pthread_mutex_lock(&journal->lock);
	(void)write_in_order(journal, NULL, 0, now);
	pthread_mutex_unlock(&journal->lock);
	/* In trouble too: no lane keeps a file that was rotated away. One that can't be opened now is one less. */
	for (size_t i = 1; i < LANES; i++) {
		pthread_mutex_lock(&journal->lane[i].lock);
		(void)look(journal, &journal->lane[i], now);
		pthread_mutex_unlock(&journal->lane[i].lock);
	}
}

void journal_count(struct journal *journal, struct journal_counts *counts)
{
	pthread_mutex_lock(&journal->lock);
	*counts = journal->counts;
	for (size_t i = 0; i < LANES; i++) {
		pthread_mutex_lock(&journal->lane[i].lock);
		counts->written += journal->lane[i].written;
		pthread_mutex_unlock(&journal->lane[i].lock);
	}
	pthread_mutex_unlock(&journal->lock);
}

size_t journal_news(struct journal *journal, char *out, size_t size)
{
	int64_t now = clock_monotonic();
	char reason[128];
	int length = 0;

	pthread_mutex_lock(&journal->lock);
	if (journal->trouble != 0 && now >= journal->next_news) {
		journal->next_news = now + journal->options.news_interval;
		journal->told = true;
		length = snprintf(out, size, "%s can't be written: %s; records waiting in memory: %" PRIu64
		    ", lost: %" PRIu64, journal->path, strerror_r(journal->trouble, reason, sizeof reason),
		    journal->counts.waiting, journal->counts.lost);
	} else if (journal->trouble == 0 && journal->told) {
		journal->told = false;
		length = snprintf(out, size, "%s is written again; records lost so far: %" PRIu64, journal->path,
		    journal->counts.lost);
	}
	pthread_mutex_unlock(&journal->lock);
	if (length <= 0 || size == 0)
		return 0;
	return (size_t)length < size ? (size_t)length : size - 1;
}

uint64_t journal_close(struct journal *journal)
{
	int64_t now = clock_monotonic();
	uint64_t lost;

	if (journal == NULL)
		return 0;
	journal->next_try = now;
	if (journal->first != NULL)
		(void)write_in_order(journal, NULL, 0, now);
	lost = journal->counts.waiting;
	while (journal->first != NULL)
		drop_first(journal);
	for (size_t i = 0; i < LANES; i++) {
		file_close(&journal->lane[i].file);
		pthread_mutex_destroy(&journal->lane[i].lock);
	}
	pthread_mutex_destroy(&journal->lock);
	free(journal->path);
	free(journal);
	return lost;
}
