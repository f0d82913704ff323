/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What blocks came to is kept for later reports of the same questions: only what is new is counted then.
 *
 * Kept are the groups of whole blocks that don't change any more, in memory that processes share. A block is known again by
 * its number, its times, its rows, its length and its connections' sum; another category, another store or another question
 * is another set.
 * A process may be killed at any time, so the mutex is robust: then all is forgotten, since a set may be half written. */
#include <config.h>

#include "records/counting.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SETS = 4, SET_SIZE = KEPT_COUNTS_SIZE / SETS - 512, QUESTIONS = ASK_COUNT + REPORT_BYS };

struct kept_block {
	int64_t id, first_time, last_time, length;
	uint64_t sum;
	uint32_t rows;
};

struct kept_set {
	struct kept_key key;
	uint64_t used; /* the greater the later; 0: nothing is kept */
	uint64_t rows;
	uint32_t blocks, count[QUESTIONS]; /* in data: the blocks, and the questions' groups */
	_Alignas(8) char data[SET_SIZE];
};

struct kept_counts {
	pthread_mutex_t lock;
	uint64_t uses;
	struct kept_set set[SETS];
};

_Static_assert(sizeof(struct kept_counts) <= KEPT_COUNTS_SIZE, "it is what is told");

struct kept_counts *kept_counts_new(void)
{
	/* Pages that nobody writes cost nothing. */
	struct kept_counts *kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
	    -1, 0);

	if (kept == MAP_FAILED)
		return NULL;
	if (robust_mutex_init(&kept->lock))
		return kept;
	kept_counts_free(kept);
	return NULL;
}

void kept_counts_free(struct kept_counts *kept)
{
	if (kept != NULL)
		munmap(kept, sizeof *kept);
}

static void lock(struct kept_counts *kept)
{
	if (pthread_mutex_lock(&kept->lock) != EOWNERDEAD)
		return;
	for (size_t i = 0; i < SETS; i++)
		kept->set[i].used = 0;
	pthread_mutex_consistent(&kept->lock);
}

static bool is_of(const struct kept_set *set, const struct kept_key *key)
{
	return set->used != 0 && set->key.questions == key->questions && set->key.about == key->about &&
	    set->key.device == key->device && set->key.inode == key->inode;
}

static bool is_the_same(const struct kept_block *block, const struct listed_block *listed)
{
	return block->id == listed->id && block->first_time == listed->first_time && block->last_time == listed->last_time &&
	    block->length == listed->length && block->rows == listed->rows && block->sum == listed->sum;
}

/* Whether all its blocks are among those that are closed; marks them where `mark`. Both are in the order of their numbers. */
static bool is_within(const struct kept_set *set, const struct block_list *list, bool mark)
{
	const struct kept_block *block = (const void *)set->data;
	uint32_t found = 0;

	for (size_t i = 0; i < list->count && found < set->blocks; i++) {
		struct listed_block *listed = &list->block[i];

		if (!listed->closed || !is_the_same(&block[found], listed))
			continue;
		found++;
		listed->before = listed->before || mark;
	}
	return found == set->blocks;
}

static struct kept_set *find_largest(struct kept_counts *kept, const struct kept_key *key, const struct block_list *list)
{
	struct kept_set *largest = NULL;

	for (size_t i = 0; i < SETS; i++) {
		struct kept_set *set = &kept->set[i];

		if (is_of(set, key) && (largest == NULL || set->rows > largest->rows) && is_within(set, list, false))
			largest = set;
	}
	return largest;
}

bool kept_counts_take(struct kept_counts *kept, const struct kept_key *key, struct block_list *list,
    struct question *questions, size_t count)
{
	enum { TIMES = 4 }; /* what is new takes more time than what was counted */
	struct kept_set *set;
	const struct group *groups;
	uint64_t rows = 0;
	bool good = true;

	for (size_t i = 0; i < list->count; i++)
		rows += list->block[i].rows;
	lock(kept);
	set = find_largest(kept, key, list);
	if (set != NULL && (rows - set->rows) * TIMES <= set->rows) {
		set->used = ++kept->uses;
		(void)is_within(set, list, true);
		groups = (const void *)(set->data + set->blocks * sizeof(struct kept_block));
		for (size_t i = 0; good && i < count; i++) {
			good = groups_take(&questions[i], groups, set->count[i]);
			groups += set->count[i];
		}
	}
	pthread_mutex_unlock(&kept->lock);
	return good;
}

void kept_counts_put(struct kept_counts *kept, const struct kept_key *key, const struct block_list *list,
    const struct question *questions, size_t count)
{
	struct kept_set *set, *oldest = &kept->set[0];
	struct kept_block *block;
	struct group *groups;
	size_t length = 0;

	for (size_t i = 0; i < list->count; i++)
		length += list->block[i].closed ? sizeof *block : 0;
	for (size_t i = 0; i < count; i++)
		length += questions[i].count * sizeof *groups;
	if (length > SET_SIZE || count > QUESTIONS)
		return;
	lock(kept);
	/* In place of one that it holds, or else of the one that wasn't used for longest. */
	set = find_largest(kept, key, list);
	for (size_t i = 0; set == NULL && i < SETS; i++)
		oldest = kept->set[i].used < oldest->used ? &kept->set[i] : oldest;
	set = set != NULL ? set : oldest;
	set->used = 0;
	set->key = *key;
	set->rows = 0;
	set->blocks = 0;
	block = (void *)set->data;
	for (size_t i = 0; i < list->count; i++) {
		const struct listed_block *listed = &list->block[i];

		if (!listed->closed)
			continue;
		block[set->blocks++] = (struct kept_block){ listed->id, listed->first_time, listed->last_time, listed->length,
			listed->sum, listed->rows };
		set->rows += listed->rows;
	}
	groups = (void *)&block[set->blocks];
	for (size_t i = 0; i < count; i++) {
		set->count[i] = (uint32_t)questions[i].count;
		if (questions[i].count > 0)
			memcpy(groups, questions[i].groups, questions[i].count * sizeof *groups);
		groups += questions[i].count;
	}
	set->used = ++kept->uses;
	pthread_mutex_unlock(&kept->lock);
}
