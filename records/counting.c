/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts a block's rows for one question.
 *
 * Rows are alike where their codes are, so a block's groups are found by codes, and only each block's groups, not each
 * row's, are looked up in the question's table by what the codes stand for. What is counted for a block is added to the
 * question's groups at its end. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <string.h>

/* The codes of a row, three a word. */
struct codes {
	uint64_t word[2];
};

/* What a block has for one of its groups. */
struct local {
	uint64_t sum[VERDICTS]; /* of each verdict: its records, and FIRST times their first ones of a connection */
	int64_t last;
	uint32_t group;
	bool wanted;
};

#define FIRST (UINT64_C(1) << 32)

enum { FIRST_SLOTS = 64, LOCAL_SLOTS = 2 * BLOCK_ROWS, AHEAD = GROUPS_AT_ONCE, FEW_LOCALS = 4096 };

struct counter {
	uint16_t row[BLOCK_ROWS];         /* those that count, by their verdict */
	uint32_t end[VERDICTS], rows;     /* behind each verdict's, and behind all */
	uint32_t locals, filled;
	const uint16_t *local_of;         /* a row's group; perhaps below */
	uint16_t found[BLOCK_ROWS];
	uint16_t filled_local[BLOCK_ROWS]; /* those that have rows */
	uint8_t wanted[BLOCK_ROWS];       /* a row, for who is within */
	uint8_t bits[BLOCK_ROWS];         /* of a code */
	struct local local[BLOCK_ROWS];
	struct codes codes[BLOCK_ROWS];   /* of each local, if they were found by a table */
	uint32_t local_slot[LOCAL_SLOTS]; /* a local and 1 */
};

struct counter *counter_new(void)
{
	return malloc(sizeof(struct counter));
}

void counter_free(struct counter *counter)
{
	free(counter);
}

/* ---- Rows to a block's groups ---- */

static void select_rows(const struct counted_block *counted, const struct question *question, struct counter *counter)
{
	uint32_t count = 0;

	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		const uint16_t *row = counted->row[verdict];
		uint32_t rows = (question->verdicts & 1u << verdict) != 0 ? counted->rows[verdict] : 0;

		if (question->within == NULL && rows > 0) {
			memcpy(&counter->row[count], row, rows * sizeof *row);
			count += rows;
		}
		for (uint32_t i = 0; question->within != NULL && i < rows; i++) {
			counter->row[count] = row[i];
			count += counter->wanted[row[i]] ^ question->outside;
		}
		counter->end[verdict] = count;
	}
	counter->rows = count;
}

/* What a question looks at in a block. */
struct view {
	const struct coded *coded[QUESTION_DIMENSIONS];
	size_t dimensions;
	bool few; /* a local is its codes, each above the next: no table is needed */
};

static struct view view_of(const struct counted_block *counted, const struct question *question)
{
	struct view view = { .dimensions = question->dimensions };
	uint64_t locals = 1;

	for (size_t i = 0; i < view.dimensions; i++) {
		view.coded[i] = counted_block_coded(counted, question->dimension[i]);
		locals = locals > FEW_LOCALS ? locals : locals * view.coded[i]->count;
	}
	view.few = view.dimensions < 2 || locals <= FEW_LOCALS;
	return view;
}

static struct codes codes_of(const struct view *view, uint32_t row)
{
	struct codes codes = { { 0, 0 } };

	for (size_t i = 0; i < view->dimensions; i++)
		codes.word[i / 3] = codes.word[i / 3] << 16 | view->coded[i]->code[row];
	return codes;
}

static uint32_t hash_codes(const struct codes *codes)
{
	return (uint32_t)(((codes->word[0] * UINT64_C(0x9e3779b97f4a7c15) ^ codes->word[1]) * UINT64_C(0xd6e8feb86659fd93)) >> 40);
}

static uint16_t local_of(struct counter *counter, const struct codes *codes, uint32_t at, uint32_t slots)
{
	while (counter->local_slot[at] != 0) {
		uint32_t local = counter->local_slot[at] - 1;

		if (counter->codes[local].word[0] == codes->word[0] && counter->codes[local].word[1] == codes->word[1])
			return (uint16_t)local;
		at = (at + 1) & (slots - 1);
	}
	counter->codes[counter->locals] = *codes;
	counter->local_slot[at] = ++counter->locals;
	return (uint16_t)(counter->locals - 1);
}

/* By a table of codes, which is asked for some rows ahead. */
static void find_by_table(const struct view *view, struct counter *counter)
{
	uint32_t slots = FIRST_SLOTS;

	while (slots < 2 * counter->rows)
		slots *= 2;
	memset(counter->local_slot, 0, slots * sizeof *counter->local_slot);
	for (uint32_t i = 0; i < counter->rows; i += AHEAD) {
		uint32_t end = i + AHEAD < counter->rows ? i + AHEAD : counter->rows, at[AHEAD];
		struct codes codes[AHEAD];

		for (uint32_t j = i; j < end; j++) {
			codes[j - i] = codes_of(view, counter->row[j]);
			at[j - i] = hash_codes(&codes[j - i]) & (slots - 1);
			__builtin_prefetch(&counter->local_slot[at[j - i]], 1);
		}
		for (uint32_t j = i; j < end; j++)
			counter->found[counter->row[j]] = local_of(counter, &codes[j - i], at[j - i], slots);
	}
}

static void find_by_codes(const struct view *view, struct counter *counter)
{
	counter->locals = 1;
	memset(counter->found, 0, sizeof counter->found);
	for (size_t i = 0; i < view->dimensions; i++) {
		counter->locals *= view->coded[i]->count;
		for (uint32_t j = 0; j < counter->rows; j++) {
			uint16_t *found = &counter->found[counter->row[j]];

			*found = (uint16_t)(*found * view->coded[i]->count + view->coded[i]->code[counter->row[j]]);
		}
	}
}

static void find_locals(const struct view *view, struct counter *counter)
{
	counter->locals = 0;
	counter->local_of = counter->found;
	if (view->dimensions == 1) {
		counter->locals = view->coded[0]->count;
		counter->local_of = view->coded[0]->code;
	} else if (view->few) {
		find_by_codes(view, counter);
	} else {
		find_by_table(view, counter);
	}
}

static void count_rows(const struct counted_block *counted, struct counter *counter)
{
	const int64_t *time = counted->block->time;
	const uint16_t *local_of = counter->local_of;
	uint32_t i = 0;

	for (uint32_t local = 0; local < counter->locals; local++)
		counter->local[local] = (struct local){ .last = INT64_MIN };
	for (unsigned verdict = 0; verdict < VERDICTS; verdict++) {
		for (; i < counter->end[verdict]; i++) {
			uint32_t row = counter->row[i];
			struct local *local = &counter->local[local_of[row]];

			local->sum[verdict] += 1 + FIRST * counted->is_first[row];
			local->last = time[row] > local->last ? time[row] : local->last;
		}
	}
	counter->filled = 0;
	for (i = 0; i < counter->locals; i++) {
		const uint64_t *sum = counter->local[i].sum;

		counter->filled_local[counter->filled] = (uint16_t)i;
		counter->filled += (sum[0] | sum[1] | sum[2] | sum[3]) != 0;
	}
}

/* ---- A block's groups to the question's ---- */

static void key_of(const struct view *view, const struct counter *counter, uint32_t local, int64_t *key)
{
	for (size_t i = view->dimensions; i-- > 0;) {
		const struct coded *coded = view->coded[i];
		size_t last = i < 3 && view->dimensions > 3 ? 3 : view->dimensions;

		if (view->few) {
			key[i] = coded->value[local % coded->count];
			local /= coded->count;
		} else {
			key[i] = coded->value[counter->codes[local].word[i / 3] >> 16 * (last - 1 - i) & UINT16_MAX];
		}
	}
}

static bool find_groups(struct question *question, const struct view *view, struct counter *counter,
    const struct turn *turn)
{
	for (uint32_t i = 0; i < counter->filled; i += AHEAD) {
		uint32_t count = i + AHEAD < counter->filled ? AHEAD : counter->filled - i, number[AHEAD];
		int64_t key[AHEAD][QUESTION_DIMENSIONS];

		for (uint32_t j = 0; j < count; j++)
			key_of(view, counter, counter->filled_local[i + j], key[j]);
		if (!groups_find(question, key, count, turn, number))
			return false;
		for (uint32_t j = 0; j < count; j++) {
			struct local *local = &counter->local[counter->filled_local[i + j]];

			local->group = number[j];
			local->wanted = question->groups[number[j]].wanted;
		}
	}
	return true;
}

static bool count_recurring(struct question *question, const struct counted_block *counted, const struct counter *counter)
{
	for (uint32_t i = 0; i < counted->recurring_count; i++) {
		const struct recurring *recurring = &counted->recurring[i];
		uint32_t row = recurring->row;
		const struct local *local = &counter->local[counter->local_of[row]];

		if ((counted->verdict[row] & question->verdicts) != 0 &&
		    (question->within == NULL || (counter->wanted[row] ^ question->outside) != 0) && local->wanted) {
			uint64_t before = question->groups[local->group].connections;

			if (!groups_count_connection(question, local->group, recurring->connection))
				return false;
			if (counted->before)
				question->groups[local->group].connections = before;
		}
	}
	return true;
}

static void add_locals(struct question *question, const struct counter *counter)
{
	for (uint32_t i = 0; i < counter->filled; i++) {
		const struct local *local = &counter->local[counter->filled_local[i]];
		struct group *group = &question->groups[local->group];

		if (i + AHEAD < counter->filled)
			__builtin_prefetch(&question->groups[counter->local[counter->filled_local[i + AHEAD]].group], 1);
		if (group->records == 0 || local->last > group->last)
			group->last = local->last;
		for (size_t verdict = 0; verdict < VERDICTS; verdict++) {
			uint32_t records = (uint32_t)local->sum[verdict];

			group->by_verdict[verdict] += records;
			group->records += records;
			group->connections += local->wanted ? local->sum[verdict] / FIRST : 0;
		}
	}
}

/* ---- What is wanted by each dimension ---- */

/* False where no row is wanted. */
static bool judge_rows(const struct question *question, const struct counted_block *counted, struct counter *counter,
    const struct turn *turn)
{
	struct view view = view_of(counted, question);

	select_rows(counted, question, counter);
	for (size_t i = 0; i < view.dimensions; i++) {
		const uint16_t *code = view.coded[i]->code;
		uint8_t *bits = counter->bits;

		memset(bits, 0, view.coded[i]->count);
		for (uint32_t j = 0; j < counter->rows; j++)
			bits[code[counter->row[j]]] = 1;
		if (groups_bits(question, i, view.coded[i], turn, bits) == 0) {
			memset(counter->wanted, 0, sizeof counter->wanted);
			return false;
		}
		for (uint32_t j = 0; j < counter->rows; j++) {
			uint8_t *wanted = &counter->wanted[counter->row[j]];

			*wanted = (uint8_t)(bits[code[counter->row[j]]] & (i == 0 ? UINT8_MAX : *wanted));
		}
	}
	for (uint32_t j = 0; j < counter->rows; j++)
		counter->wanted[counter->row[j]] = counter->wanted[counter->row[j]] != 0;
	return true;
}

/* ---- Counting ---- */

static bool count_groups(struct question *question, const struct counted_block *counted, struct counter *counter,
    const struct turn *turn)
{
	struct view view = view_of(counted, question);

	select_rows(counted, question, counter);
	find_locals(&view, counter);
	count_rows(counted, counter);
	if (!find_groups(question, &view, counter, turn) ||
	    (!question->uncounted && !count_recurring(question, counted, counter)))
		return false;
	if (!counted->before)
		add_locals(question, counter);
	return true;
}

bool question_count(struct question *question, struct question *questions, size_t count,
    const struct counted_block *counted, struct counter *counter, const struct turn *turn)
{
	bool judged = question->bits != NULL, any = true, good = true;

	if (judged)
		any = judge_rows(question, counted, counter, turn);
	else
		good = count_groups(question, counted, counter, turn);
	for (size_t i = 0; good && i < count; i++) {
		if (questions[i].within != question || (!any && !questions[i].outside))
			continue;
		for (uint32_t j = 0; !judged && j < counter->rows; j++)
			counter->wanted[counter->row[j]] = counter->local[counter->local_of[counter->row[j]]].wanted;
		judged = true;
		good = count_groups(&questions[i], counted, counter, turn);
	}
	return good;
}
