/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap's processes share: the last answers, who makes one, and how the background ingest fares. For the files of
 * this folder only. */
#ifndef SQUID_MEETING_ICAP_SHARED_H
#define SQUID_MEETING_ICAP_SHARED_H

#include "category/category.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared;

/* Made before c-icap forks. NULL when memory has run out. */
struct shared *shared_new(void) MUST_CHECK;
void shared_free(struct shared *shared);

/* ---- Answers: each is made once, by one process at a time, whoever asks for it at that moment ---- */

enum { SHARED_KEY_SIZE = 192, SHARED_ANSWER_SIZE = 2 * 1024 * 1024 };

/* A copy of the answer to that key that is at most so many milliseconds old, and its status. The caller frees it. NULL:
 * there is none, or memory has run out. */
char *shared_answer(struct shared *shared, const char *key, int64_t oldest, int *status, size_t *length) MUST_CHECK;

/* Whether the caller may make an answer now: waits for others up to that many milliseconds. Then shared_made ends it. */
bool shared_make(struct shared *shared, int64_t milliseconds) MUST_CHECK;
void shared_made(struct shared *shared);

/* Keeps a copy, if it isn't too long. */
void shared_keep(struct shared *shared, const char *key, int status, const char *answer, size_t length);

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
