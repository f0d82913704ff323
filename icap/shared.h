/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap's processes share: the last answers, who makes one, and how the background ingest fares. For the files of
 * this folder only. */
#ifndef SQUID_MEETING_ICAP_SHARED_H
#define SQUID_MEETING_ICAP_SHARED_H

#include "category/category.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kept_counts;
struct shared;
struct wish;

/* Made before c-icap forks. NULL when memory has run out. */
struct shared *shared_new(void) MUST_CHECK;
void shared_free(struct shared *shared);

/* ---- Answers: each is made once, by one process at a time, whoever asks for it at that moment ---- */

enum { SHARED_ANSWER_SIZE = 2 * 1024 * 1024 };

/* A copy of the answer to that wish that is at most so many milliseconds old, or two seconds if it isn't a good one, and
 * its status. The caller frees it. NULL: there is none, or memory has run out. */
char *shared_answer(struct shared *shared, const struct wish *wish, int64_t oldest, int *status, size_t *length) MUST_CHECK;

/* Whether the caller may make an answer now: waits for others up to that many milliseconds. Then shared_made ends it. */
bool shared_make(struct shared *shared, int64_t milliseconds) MUST_CHECK;
void shared_made(struct shared *shared);

/* Keeps a copy of what took so many milliseconds to make, if it isn't too long. */
void shared_keep(struct shared *shared, const struct wish *wish, int status, const char *answer, size_t length, int64_t took);

/* Finds what is to be made anew at that time of CLOCK_MONOTONIC, before somebody asks for it: what was asked for in the
 * last minutes, and is older than two seconds; or on the last day, and will be older than SHARED_STALE_MS soon. After each
 * one there are none for fifty times what it took, so all take 2 % of a processor; what would be too old even so is left
 * to who asks. False if there is none. */
enum { SHARED_STALE_MS = 30 * 1000 };
bool shared_due(struct shared *shared, int64_t now, struct wish *wish) MUST_CHECK;

/* Whether one of so many is to be counted ahead at that time, and which: each in turn, then none for ten minutes, or until
 * another category is in force. */
bool shared_ahead(struct shared *shared, int64_t now, size_t count, size_t *which) MUST_CHECK;

/* Until then nothing is made anew or counted ahead: after what took some time, for SHARED_REST_TIMES as long. */
enum { SHARED_REST_TIMES = 50 };
void shared_rest(struct shared *shared, int64_t until);

/* What was counted for reports; it lives as long as shared. NULL: nothing is kept. */
struct kept_counts *shared_counts(struct shared *shared);

/* ---- The background ingest ---- */

struct ingest_state {
	int64_t last;             /* when all was read; milliseconds since 1970, 0: not yet */
	int64_t bytes;            /* how much of the journals was read by then */
	uint64_t records, malformed, failures;
};

void shared_set_ingest(struct shared *shared, const struct ingest_state *state);
struct ingest_state shared_ingest(struct shared *shared);

/* Somebody found the store damaged: the next ingest is to look. shared_is_suspect tells it once. */
void shared_suspect(struct shared *shared);
bool shared_is_suspect(struct shared *shared);

/* Notes that a category of that version is in force, and since when the last one was that any process noted. All in
 * milliseconds since 1970. */
void shared_note_category(struct shared *shared, uint64_t version, int64_t now);
int64_t shared_category_since(struct shared *shared);

#endif
