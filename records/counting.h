/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting the rows of blocks for questions. For the files of this folder only. */
#ifndef SQUID_MEETING_COUNTING_H
#define SQUID_MEETING_COUNTING_H

#include "records/blocks.h"

/* What all questions are about. */
struct scope {
	int64_t since, until;
	unsigned dimensions; /* a bit for each that one of them has */
};

/* ---- Memory ---- */

/* Zeros that take memory only where they are touched, in large pages where the system has them. */
struct zeros {
	void *at; /* NULL: none */
	size_t size;
};

bool zeros_make(struct zeros *zeros, size_t size) MUST_CHECK;
void zeros_free(struct zeros *zeros);

/* ---- Connections ---- */

/* Those that recur in several blocks, and numbers for them: 1, 2, 3, ... */
struct connections;

/* For as many rows as that in all, which are less than 2^31. */
struct connections *connections_new(uint64_t rows) MUST_CHECK;
void connections_free(struct connections *connections);

/* Notes those of a block. All blocks' come before the first connections_look. */
void connections_note(struct connections *connections, const struct coded *coded);

/* By their code: the number of each one that is in several blocks, or may be, and 0 for the others. False when memory has
 * run out, as below. */
bool connections_look(struct connections *connections, const struct coded *coded, uint32_t *number) MUST_CHECK;

/* The number of this one. */
bool connections_number(struct connections *connections, int64_t connection, uint32_t *number) MUST_CHECK;

/* Where some blocks were counted before, the others' are added before those are compared with them: then each is known by
 * its number, and recurs if it is in such a block, too. */
bool connections_add(struct connections *connections, const struct coded *coded) MUST_CHECK;

/* Whether a block that was counted before has any that was added. */
bool connections_share(struct connections *connections, const struct coded *coded);

/* ---- Blocks that were counted before ---- */

struct listed_block {
	int64_t id, first_time, last_time, length; /* of its columns' bytes */
	uint64_t sum; /* of its connections' bytes, as they begin with it */
	uint32_t rows;
	bool closed; /* all of it counts, and it doesn't change any more */
	bool before; /* it was counted before */
	bool shared; /* it was, and has connections that are in others */
};

/* In the order of their numbers. */
struct block_list {
	struct listed_block *block;
	size_t count;
};

/* All that may hold records of that time. The caller frees list->block, also after a failure. */
bool blocks_list(struct store *store, const struct scope *scope, struct block_list *list) MUST_CHECK;

/* Reads the sums of closed ones. False where that can't be: who reads the blocks themselves is told why. */
bool blocks_sum(struct store *store, struct block_list *list) MUST_CHECK;

/* What kept groups are about. */
struct kept_key {
	uint64_t questions, about;
	dev_t device;
	ino_t inode;
};

/* Begins the questions with what some of the closed blocks came to, and marks those; with none where there aren't any, or
 * too few. False when memory has run out. */
bool kept_counts_take(struct kept_counts *kept, const struct kept_key *key, struct block_list *list,
    struct question *questions, size_t count) MUST_CHECK;

/* Keeps what the closed blocks came to, all of them and no others, if it isn't too much. */
void kept_counts_put(struct kept_counts *kept, const struct kept_key *key, const struct block_list *list,
    const struct question *questions, size_t count);

/* ---- A block, made ready ---- */

/* A row whose connection has to be looked up: another row of the same may be in another group. */
struct recurring {
	uint16_t row;
	uint32_t connection; /* its number */
};

struct counted_block {
	struct block *block;
	struct listed_block *from;
	bool before; /* it was counted before: what the groups have of its connections is noted, and nothing is counted */
	uint8_t *verdict;        /* of each row: a bit; none where it isn't within the time */
	uint16_t *row[VERDICTS]; /* those within the time, by their verdict */
	uint32_t rows[VERDICTS];
	uint8_t *is_first;       /* of each row: 1 if it is the first of a connection that doesn't recur, else 0 */
	struct recurring *recurring;
	uint32_t recurring_count;
	struct coded by_time[2]; /* the hour and the day */
	uint32_t *number, *first_row; /* by the connection's code */
};

struct counted_block *counted_block_new(void) MUST_CHECK;
void counted_block_free(struct counted_block *counted);

/* After `block` was decoded: the rest. False when memory has run out. */
bool counted_block_fill(struct counted_block *counted, const struct scope *scope, struct connections *connections,
    struct coder *coder) MUST_CHECK;

const struct coded *counted_block_coded(const struct counted_block *counted, enum dimension dimension);

/* ---- Questions ---- */

/* What a thread needs to count. */
struct counter;
struct counter *counter_new(void) MUST_CHECK;
void counter_free(struct counter *counter);

/* What all who count share: `wants` and `bits` are called between these two. */
struct turn {
	void (*begin)(void *context);
	void (*end)(void *context);
	void *context;
};

/* Before anything is counted. All connections' numbers will be less than `connections`, and most values of a coded
 * dimension less than `values`. False when memory has run out, as below. */
bool question_prepare(struct question *question, uint64_t connections, uint64_t values) MUST_CHECK;

/* The numbers of these keys' groups, not more than GROUPS_AT_ONCE, which are made where there are none yet. */
enum { GROUPS_AT_ONCE = 32 };
bool groups_find(struct question *question, int64_t key[][QUESTION_DIMENSIONS], uint32_t count, const struct turn *turn,
    uint32_t *number) MUST_CHECK;

/* Counts a connection that recurs, if this group hasn't it yet. */
bool groups_count_connection(struct question *question, uint32_t group, uint32_t connection) MUST_CHECK;

/* Begins with these groups, which were counted before. */
bool groups_take(struct question *question, const struct group *groups, size_t count) MUST_CHECK;

/* The question's `bits` of those values, in their order, whose place in `bits` isn't 0, each of which is asked for once; and
 * whatever one of them has. */
uint8_t groups_bits(const struct question *question, size_t place, const struct coded *coded, const struct turn *turn,
    uint8_t *bits);

/* Counts a block for a question, and for those of questions[count] that are within it. False when memory has run out. */
bool question_count(struct question *question, struct question *questions, size_t count,
    const struct counted_block *counted, struct counter *counter, const struct turn *turn) MUST_CHECK;

#endif
