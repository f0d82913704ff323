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

/* Numbers of 64 bits, as they come, to 1, 2, 3, ... */
struct connections;

/* For as many rows as that in all, which are less than 2^32. */
struct connections *connections_new(uint64_t rows) MUST_CHECK;
void connections_free(struct connections *connections);

/* The next rows' connections; 0 stays 0. */
void connections_number(struct connections *connections, const int64_t *connection, uint32_t *number, uint32_t rows);

/* How many numbers there are. */
uint32_t connections_count(const struct connections *connections);

/* ---- A block, made ready ---- */

struct counted_block {
	struct block *block;
	uint32_t *connection; /* of each row: its number */
	uint8_t *verdict;     /* of each row: a bit; none where it isn't within the time */
	uint8_t *verdict_number;
	struct coded by_time[2]; /* the hour and the day */
};

struct counted_block *counted_block_new(void) MUST_CHECK;
void counted_block_free(struct counted_block *counted);

/* After `block` was decoded: the rest, with the hour and the day where by_time. */
void counted_block_fill(struct counted_block *counted, int64_t since, int64_t until, struct connections *connections,
    struct coder *coder, bool by_time);

/* ---- Questions ---- */

/* What a thread needs to count. */
struct counter;
struct counter *counter_new(void) MUST_CHECK;
void counter_free(struct counter *counter);

/* What all who count share: `wants` is called between these two. */
struct turn {
	void (*begin)(void *context);
	void (*end)(void *context);
	void *context;
};

/* For a question that is within no other one, before anything is counted. All its connections will be less than
 * `connections`. False when memory has run out. */
bool question_prepare(struct question *question, uint64_t connections) MUST_CHECK;

/* Counts a block for a question, and for those of questions[count] that are within it. False when memory has run out. */
bool question_count(struct question *question, struct question *questions, size_t count,
    const struct counted_block *counted, struct counter *counter, const struct turn *turn) MUST_CHECK;

#endif
