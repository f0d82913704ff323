/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap's processes share, in memory that the parent maps before it forks.
 *
 * A process may be killed at any time, so the mutexes are robust. Whoever finds that the last owner died throws all the
 * answers away, since one may be half written; the other values are whole by their own. */
#include <config.h>

#include "icap/shared.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { SLOTS = 4 };

struct slot {
	char key[SHARED_KEY_SIZE];
	int64_t made; /* of CLOCK_MONOTONIC, in milliseconds; 0: there is none */
	int status;
	size_t length;
	char answer[SHARED_ANSWER_SIZE];
};

struct shared {
	pthread_mutex_t lock;   /* of all below, held for a copy's time */
	pthread_mutex_t making; /* held while an answer is made */
	struct ingest_state ingest;
	bool suspect;
	uint64_t category_version;
	int64_t category_since;
	struct slot slot[SLOTS];
};

static bool make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;
	bool good;

	if (pthread_mutexattr_init(&attributes) != 0)
		return false;
	good = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
	    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
	    pthread_mutex_init(mutex, &attributes) == 0;
	pthread_mutexattr_destroy(&attributes);
	return good;
}

struct shared *shared_new(void)
{
	/* Pages that nobody writes cost nothing. */
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
	    -1, 0);

	if (shared == MAP_FAILED)
		return NULL;
	if (make_mutex(&shared->lock) && make_mutex(&shared->making))
		return shared;
	shared_free(shared);
	return NULL;
}

void shared_free(struct shared *shared)
{
	if (shared != NULL)
		munmap(shared, sizeof *shared);
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

/* The slot of that key, or else the oldest one. */
static struct slot *find_slot(struct shared *shared, const char *key)
{
	struct slot *oldest = &shared->slot[0];

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &shared->slot[i];

		if (slot->made != 0 && strcmp(slot->key, key) == 0)
			return slot;
		if (slot->made < oldest->made)
			oldest = slot;
	}
	return oldest;
}

char *shared_answer(struct shared *shared, const char *key, int64_t oldest, int *status, size_t *length)
{
	const struct slot *slot;
	char *copy = NULL;

	lock(shared);
	slot = find_slot(shared, key);
	if (slot->made != 0 && strcmp(slot->key, key) == 0 && clock_monotonic() - slot->made <= oldest) {
		*status = slot->status;
		*length = slot->length;
		copy = malloc(slot->length + 1);
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

void shared_keep(struct shared *shared, const char *key, int status, const char *answer, size_t length)
{
	struct slot *slot;

	if (length > SHARED_ANSWER_SIZE || strlen(key) >= SHARED_KEY_SIZE)
		return;
	lock(shared);
	slot = find_slot(shared, key);
	slot->made = 0;
	memcpy(slot->key, key, strlen(key) + 1);
	memcpy(slot->answer, answer, length);
	slot->status = status;
	slot->length = length;
	slot->made = clock_monotonic();
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
