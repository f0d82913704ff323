/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting the rows of blocks for questions. For the files of this folder only. */
#ifndef SQUID_MEETING_COUNTING_H
#define SQUID_MEETING_COUNTING_H

#include "records/blocks.h"

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

/* ---- A block, made ready ---- */

/* What all questions are about. */
struct scope {
	int64_t since, until;
	unsigned dimensions; /* a bit for each that one of them has */
};

/* A row whose connection has to be looked up: another row of the same may be in another group. */
struct recurring {
	uint16_t row;
	uint32_t connection; /* its number */
};

struct counted_block {
	struct block *block;
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

/* The question's `bits` of all values, in their order, each of which is asked for once; and whatever one of them has. */
uint8_t groups_bits(const struct question *question, size_t place, const struct coded *coded, const struct turn *turn,
    uint8_t *bits);

/* Counts a block for a question, and for those of questions[count] that are within it. False when memory has run out. */
bool question_count(struct question *question, struct question *questions, size_t count,
    const struct counted_block *counted, struct counter *counter, const struct turn *turn) MUST_CHECK;

#endif
