/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal: lines go to the file, or wait in memory until it can be written again, and always in order. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
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

struct journal {
	pthread_mutex_t lock;
	struct journal_options options;
	struct appended_file file;
	struct waiting *first, *last;
	size_t waiting_bytes; /* with what the list itself takes */
	struct journal_counts counts;
	int64_t next_look, next_try; /* milliseconds of the monotonic clock */
	int trouble;   /* what errno said; 0 while the file can be written */
	bool unopened; /* the trouble is with opening it */
	int64_t next_news;
	bool told; /* that there is trouble */
};

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

/* Makes sure that the file is open, and the one that the path names. In trouble it is looked at with each try: a new
 * file may be the way out. */
static bool ready(struct journal *journal, int64_t now)
{
	int error;

	if (journal->trouble != 0 && now < journal->next_try)
		return false;
	if (journal->trouble == 0 && journal->file.fd >= 0 && now < journal->next_look)
		return true;
	journal->next_look = now + journal->options.look_interval;
	error = file_follow(&journal->file);
	/* A file that can be opened, but not written, is still in trouble. */
	if (error != 0 || journal->unopened)
		return settle(journal, error, true, now);
	return true;
}

static bool append(struct journal *journal, const char *line, size_t length, int64_t now)
{
	if (!settle(journal, file_append(&journal->file, line, length), false, now))
		return false;
	journal->counts.written++;
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

/* Writes what waits. Returns whether nothing waits any more. */
static bool catch_up(struct journal *journal, int64_t now)
{
	while (journal->first != NULL) {
		if (!append(journal, journal->first->line, journal->first->length, now))
			return false;
		drop_first(journal);
	}
	return true;
}

/* It is held for the time of a write, some microseconds: less than it takes to sleep and be woken. */
static bool make_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t kind;
	bool good = pthread_mutexattr_init(&kind) == 0;

	if (!good)
		return false;
	good = pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP) == 0 && pthread_mutex_init(lock, &kind) == 0;
	pthread_mutexattr_destroy(&kind);
	return good;
}

struct journal *journal_open(const char *path, const struct journal_options *options)
{
	struct journal *journal = calloc(1, sizeof *journal);

	if (journal == NULL)
		return NULL;
	journal->options = options != NULL ? *options : journal_defaults;
	journal->file.fd = -1;
	journal->file.path = strdup(path);
	if (journal->file.path == NULL || !make_lock(&journal->lock)) {
		free(journal->file.path);
		free(journal);
		return NULL;
	}
	(void)ready(journal, clock_monotonic());
	return journal;
}

enum journal_result journal_write(struct journal *journal, const char *line, size_t length)
{
	enum journal_result result;
	int64_t now = clock_monotonic();

	pthread_mutex_lock(&journal->lock);
	if (length == 0 || length > RECORD_SIZE || line[length - 1] != '\n') {
		journal->counts.lost++;
		result = JOURNAL_LOST;
	} else if (ready(journal, now) && catch_up(journal, now) && append(journal, line, length, now)) {
		result = JOURNAL_WRITTEN;
	} else {
		result = keep(journal, line, length);
	}
	pthread_mutex_unlock(&journal->lock);
	return result;
}

enum journal_result record_write(struct journal *journal, const struct record *record)
{
	char line[RECORD_SIZE];

	return journal_write(journal, line, record_format(record, line));
}

void journal_flush(struct journal *journal)
{
	int64_t now = clock_monotonic();

	pthread_mutex_lock(&journal->lock);
	if (ready(journal, now))
		(void)catch_up(journal, now);
	pthread_mutex_unlock(&journal->lock);
}

void journal_count(struct journal *journal, struct journal_counts *counts)
{
	pthread_mutex_lock(&journal->lock);
	*counts = journal->counts;
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
		    ", lost: %" PRIu64, journal->file.path, strerror_r(journal->trouble, reason, sizeof reason),
		    journal->counts.waiting, journal->counts.lost);
	} else if (journal->trouble == 0 && journal->told) {
		journal->told = false;
		length = snprintf(out, size, "%s is written again; records lost so far: %" PRIu64, journal->file.path,
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
	if (journal->first != NULL && ready(journal, now))
		(void)catch_up(journal, now);
	lost = journal->counts.waiting;
	while (journal->first != NULL)
		drop_first(journal);
	file_close(&journal->file);
	pthread_mutex_destroy(&journal->lock);
	free(journal->file.path);
	free(journal);
	return lost;
}
