/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap's processes share, in memory that the parent maps before it forks.
 *
 * A process may be killed at any time, so the mutexes are robust. Whoever finds that the last owner died throws all the
 * answers away, since one may be half written; the other values are whole by their own. */
#include <config.h>

#include "icap/page.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { SLOTS = 8, FRESH_MS = 2000, SOON_MS = 5000, LATELY_MS = 5 * 60 * 1000, A_DAY_MS = 24 * 60 * 60 * 1000,
	AHEAD_MS = 10 * 60 * 1000 };

struct slot {
	struct wish wish;
	int64_t made, asked; /* of CLOCK_MONOTONIC, in milliseconds; made is 0 where there is none */
	int64_t took;
	int status;
	size_t length;
	char answer[SHARED_ANSWER_SIZE];
};

struct shared {
	struct kept_counts *counts;
	pthread_mutex_t lock;   /* of all below, held for a copy's time */
	pthread_mutex_t making; /* held while an answer is made */
	struct ingest_state ingest;
	bool suspect;
	uint64_t category_version;
	int64_t category_since;
	int64_t rests_until; /* before the next one is made anew, or counted ahead */
	int64_t ahead_from;  /* when the next round is counted ahead */
	size_t ahead;        /* of this round */
	struct slot slot[SLOTS];
};

struct shared *shared_new(void)
{
	/* Pages that nobody writes cost nothing. */
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
	    -1, 0);

	if (shared == MAP_FAILED)
		return NULL;
	shared->counts = kept_counts_new();
	if (robust_mutex_init(&shared->lock) && robust_mutex_init(&shared->making))
		return shared;
	shared_free(shared);
	return NULL;
}

void shared_free(struct shared *shared)
{
	if (shared == NULL)
		return;
	kept_counts_free(shared->counts);
	munmap(shared, sizeof *shared);
}

struct kept_counts *shared_counts(struct shared *shared)
{
	return shared->counts;
}

static void lock(struct shared *shared)
{
	if (pthread_mutex_lock(&shared->lock) != EOWNERDEAD)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		shared->slot[i].made = 0;
	pthread_mutex_consistent(&shared->lock);
}

static void unlock(struct shared *shared)
{
	pthread_mutex_unlock(&shared->lock);
}

/* ---- Answers ---- */

static bool is_of(const struct slot *slot, const struct wish *wish)
{
	bool same = slot->made != 0 && slot->wish.page == wish->page;

	for (size_t i = 0; i < WISH_KEYS; i++)
		same = same && strcmp(slot->wish.value[i], wish->value[i]) == 0;
	return same;
}

/* The slot of that wish, or else the oldest one. */
static struct slot *find_slot(struct shared *shared, const struct wish *wish)
{
	struct slot *oldest = &shared->slot[0];

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &shared->slot[i];

		if (is_of(slot, wish))
			return slot;
		if (slot->made < oldest->made)
			oldest = slot;
	}
	return oldest;
}

char *shared_answer(struct shared *shared, const struct wish *wish, int64_t oldest, int *status, size_t *length)
{
	int64_t now = clock_monotonic();
	struct slot *slot;
	char *copy = NULL;

	lock(shared);
	slot = find_slot(shared, wish);
	if (is_of(slot, wish)) {
		slot->asked = now;
		if (slot->status != 200 && oldest > FRESH_MS)
			oldest = FRESH_MS;
		*status = slot->status;
		*length = slot->length;
		copy = now - slot->made <= oldest ? malloc(slot->length + 1) : NULL;
		if (copy != NULL)
			memcpy(copy, slot->answer, slot->length);
	}
	unlock(shared);
	return copy;
}

bool shared_make(struct shared *shared, int64_t milliseconds)
{
	struct timespec until;
	int result;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(milliseconds / 1000);
	result = pthread_mutex_clocklock(&shared->making, CLOCK_MONOTONIC, &until);
	if (result == EOWNERDEAD)
		result = pthread_mutex_consistent(&shared->making);
	return result == 0;
}

void shared_made(struct shared *shared)
{
	pthread_mutex_unlock(&shared->making);
}

void shared_keep(struct shared *shared, const struct wish *wish, int status, const char *answer, size_t length, int64_t took)
{
	struct slot *slot;

	if (length > SHARED_ANSWER_SIZE)
		return;
	lock(shared);
	slot = find_slot(shared, wish);
	if (!is_of(slot, wish))
		slot->asked = clock_monotonic();
	slot->made = 0;
	slot->wish = *wish;
	memcpy(slot->answer, answer, length);
	slot->status = status;
	slot->length = length;
	slot->took = took;
	slot->made = clock_monotonic();
	unlock(shared);
}

static bool is_due(const struct slot *slot, int64_t now)
{
	int64_t unasked = now - slot->asked, age = now - slot->made;

	return slot->made != 0 && slot->status == 200 && slot->wish.page != PAGE_RECENT &&
	    slot->took * SHARED_REST_TIMES < SHARED_STALE_MS && unasked < A_DAY_MS &&
	    age > (unasked < LATELY_MS ? FRESH_MS : SHARED_STALE_MS - SOON_MS);
}

bool shared_due(struct shared *shared, int64_t now, struct wish *wish)
{
	const struct slot *due = NULL;

	lock(shared);
	for (size_t i = 0; i < SLOTS && now >= shared->rests_until; i++)
		if (is_due(&shared->slot[i], now) && (due == NULL || shared->slot[i].made < due->made))
			due = &shared->slot[i];
	if (due != NULL) {
		*wish = due->wish;
		shared->rests_until = now + due->took * SHARED_REST_TIMES;
	}
	unlock(shared);
	return due != NULL;
}

bool shared_ahead(struct shared *shared, int64_t now, size_t count, size_t *which)
{
	bool ready;

	lock(shared);
	ready = now >= shared->rests_until && now >= shared->ahead_from;
	if (ready) {
		*which = shared->ahead++;
		if (shared->ahead >= count) {
			shared->ahead = 0;
			shared->ahead_from = now + AHEAD_MS;
		}
	}
	unlock(shared);
	return ready;
}

void shared_rest(struct shared *shared, int64_t until)
{
	lock(shared);
	shared->rests_until = until;
	unlock(shared);
}

/* ---- The background ingest ---- */

void shared_set_ingest(struct shared *shared, const struct ingest_state *state)
{
	lock(shared);
	shared->ingest = *state;
	unlock(shared);
}

struct ingest_state shared_ingest(struct shared *shared)
{
	struct ingest_state state;

	lock(shared);
	state = shared->ingest;
	unlock(shared);
	return state;
}

void shared_suspect(struct shared *shared)
{
	lock(shared);
	shared->suspect = true;
	unlock(shared);
}

bool shared_is_suspect(struct shared *shared)
{
	bool suspect;

	lock(shared);
	suspect = shared->suspect;
	shared->suspect = false;
	unlock(shared);
	return suspect;
}

void shared_note_category(struct shared *shared, uint64_t version, int64_t now)
{
	lock(shared);
	if (shared->category_version != version || shared->category_since == 0) {
		shared->category_version = version;
		shared->category_since = now;
		shared->ahead = 0;
		shared->ahead_from = 0;
		/* The answers are about another one. */
		for (size_t i = 0; i < SLOTS; i++)
			shared->slot[i].made = 0;
	}
	unlock(shared);
}

int64_t shared_category_since(struct shared *shared)
{
	int64_t since;

	lock(shared);
	since = shared->category_since;
	unlock(shared);
	return since;
}
