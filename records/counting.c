/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts a block's rows for one question.
 *
 * Rows are alike where their codes are, so a block's groups are found by codes, and only each block's groups, not each
 * row's, are looked up in the question's table by what the codes stand for. What is counted for a block is added to the
 * question's groups at its end.
 *
 * Distinct connections: a list has, by the connection's number, the first group that it was seen in. The few that are
 * seen in a second one go into a hash table, with that group. So the count is exact. What it takes is memory: 4 bytes for
 * each connection of each question. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <string.h>

struct group_index {
	uint32_t *slot; /* the group's number and 1 */
	size_t slots;
	size_t room;          /* for groups */
	uint32_t *first_seen; /* of a connection: the group's number and 1 */
	uint64_t *pair;       /* a connection and a further group */
	size_t pairs, pair_slots;
};

/* What a block has for one of its groups. */
struct local {
	uint32_t row; /* one of the group */
	uint32_t group, connections, by_verdict[VERDICTS];
	bool wanted;
	int64_t last;
};

enum { FIRST_SLOTS = 64, LOCAL_SLOTS = 2 * BLOCK_ROWS };

struct counter {
	uint32_t locals;
	struct local local[BLOCK_ROWS];
	uint32_t local_slot[LOCAL_SLOTS]; /* a local and 1 */
	uint16_t row[BLOCK_ROWS];         /* those that count */
	uint8_t wanted[BLOCK_ROWS];       /* whether the row's group is, for who is within */
};

struct counter *counter_new(void)
{
	return malloc(sizeof(struct counter));
}

void counter_free(struct counter *counter)
{
	free(counter);
}

static uint64_t scatter(uint64_t value)
{
	value ^= value >> 31;
	value *= UINT64_C(0x9e3779b97f4a7c15);
	value ^= value >> 29;
	value *= UINT64_C(0xd6e8feb86659fd93);
	return value ^ value >> 32;
}

/* ---- Blocks ---- */

struct counted_block *counted_block_new(void)
{
	struct counted_block *counted = calloc(1, sizeof *counted);
	bool good = counted != NULL && (counted->block = block_new(FIRST_DETAIL)) != NULL &&
	    (counted->connection = malloc(BLOCK_ROWS * sizeof *counted->connection)) != NULL &&
	    (counted->verdict = malloc(BLOCK_ROWS)) != NULL;

	for (size_t i = 0; good && i < 2; i++)
		good = (counted->by_time[i].value = malloc(BLOCK_ROWS * sizeof *counted->by_time[i].value)) != NULL &&
		    (counted->by_time[i].code = malloc(BLOCK_ROWS * sizeof *counted->by_time[i].code)) != NULL;
	if (good)
		return counted;
	counted_block_free(counted);
	return NULL;
}

void counted_block_free(struct counted_block *counted)
{
	if (counted == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		free(counted->by_time[i].value);
		free(counted->by_time[i].code);
	}
	block_free(counted->block);
	free(counted->connection);
	free(counted->verdict);
	free(counted);
}

/* All zones differ from UTC by whole quarters of an hour. */
static void place_in_time(struct counted_block *counted, enum time_form form, struct coded *coded, struct coder *coder)
{
	const int64_t quarter = INT64_C(15) * 60 * 1000;
	const struct block *block = counted->block;
	int64_t last = 0;

	coder_start(coder, coded, block->rows);
	for (uint32_t row = 0; row < block->rows; row++) {
		int64_t now = block->time[row] / quarter;

		coded->code[row] = row > 0 && now == last ? coded->code[row - 1] :
		    coder_code(coder, time_floor(block->time[row], form));
		last = now;
	}
}

void counted_block_fill(struct counted_block *counted, int64_t since, int64_t until, struct connections *connections,
    struct coder *coder)
{
	const struct block *block = counted->block;
	const struct coded *verdict = &block->coded[COLUMN_VERDICT];

	for (uint32_t row = 0; row < block->rows; row++)
		counted->verdict[row] = block->time[row] >= since && block->time[row] < until ?
		    (uint8_t)(1 << (verdict->value[verdict->code[row]] & (VERDICTS - 1))) : 0;
	connections_number(connections, block->connection, counted->connection, block->rows);
	place_in_time(counted, TIME_HOUR, &counted->by_time[0], coder);
	place_in_time(counted, TIME_DAY, &counted->by_time[1], coder);
}

static const struct coded *coded_of(const struct counted_block *counted, enum dimension dimension)
{
	static const enum column columns[DIMENSIONS] = {
		[DIMENSION_VERDICT] = COLUMN_VERDICT, [DIMENSION_SERVICE] = COLUMN_SERVICE,
		[DIMENSION_CLIENT] = COLUMN_CLIENT, [DIMENSION_USER] = COLUMN_USER, [DIMENSION_RULE] = COLUMN_RULE,
		[DIMENSION_DST] = COLUMN_DST, [DIMENSION_NAME] = COLUMN_NAME, [DIMENSION_PORT] = COLUMN_PORT,
		[DIMENSION_SNI] = COLUMN_SNI, [DIMENSION_EVIDENCE] = COLUMN_EVIDENCE, [DIMENSION_STALE] = COLUMN_STALE,
		[DIMENSION_DISAGREES] = COLUMN_DISAGREES,
	};

	if (dimension == DIMENSION_HOUR || dimension == DIMENSION_DAY)
		return &counted->by_time[dimension == DIMENSION_DAY];
	return &counted->block->coded[columns[dimension]];
}

/* ---- Groups ---- */

static uint64_t hash_key_of(const struct question *question, const int64_t *key)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < question->dimensions; i++)
		hash = scatter(hash + (uint64_t)key[i]) * 3;
	return hash;
}

static size_t find_slot(const struct question *question, const int64_t *key)
{
	const struct group_index *index = question->index;
	size_t at = hash_key_of(question, key) & (index->slots - 1);

	while (index->slot[at] != 0 && memcmp(question->groups[index->slot[at] - 1].key, key,
	    question->dimensions * sizeof *key) != 0)
		at = (at + 1) & (index->slots - 1);
	return at;
}

static bool make_slots(struct question *question)
{
	struct group_index *index = question->index;
	size_t slots = index->slots == 0 ? FIRST_SLOTS : index->slots * 2;
	uint32_t *slot = calloc(slots, sizeof *slot);

	if (slot == NULL)
		return false;
	free(index->slot);
	index->slot = slot;
	index->slots = slots;
	for (size_t i = 0; i < question->count; i++)
		slot[find_slot(question, question->groups[i].key)] = (uint32_t)i + 1;
	return true;
}

static bool is_wanted(const struct question *question, const int64_t *key, const struct turn *turn)
{
	bool wanted;

	if (question->wants == NULL)
		return true;
	turn->begin(turn->context);
	wanted = question->wants(question->context, key);
	turn->end(turn->context);
	return wanted;
}

/* The number of a key's group, made where there is none yet. */
static bool find_group(struct question *question, const int64_t *key, const struct turn *turn, uint32_t *number)
{
	struct group_index *index = question->index;
	size_t at = find_slot(question, key);
	struct group *group;

	*number = index->slot[at] - 1;
	if (index->slot[at] != 0)
		return true;
	if (question->count >= UINT32_MAX - 1)
		return false;
	if (question->count == index->room) {
		size_t room = index->room == 0 ? FIRST_SLOTS : index->room * 2;
		struct group *more = reallocarray(question->groups, room, sizeof *more);

		if (more == NULL)
			return false;
		question->groups = more;
		index->room = room;
	}
	*number = (uint32_t)question->count;
	group = &question->groups[question->count++];
	memset(group, 0, sizeof *group);
	memcpy(group->key, key, question->dimensions * sizeof *key);
	group->wanted = is_wanted(question, key, turn);
	index->slot[at] = (uint32_t)question->count;
	return question->count * 2 <= index->slots || make_slots(question);
}

/* ---- Connections ---- */

static bool put_pair(uint64_t *slots, size_t count, uint64_t pair)
{
	size_t at = scatter(pair) & (count - 1);

	while (slots[at] != 0 && slots[at] != pair)
		at = (at + 1) & (count - 1);
	if (slots[at] == pair)
		return false;
	slots[at] = pair;
	return true;
}

static bool make_pair_slots(struct group_index *index)
{
	size_t count = index->pair_slots == 0 ? FIRST_SLOTS : index->pair_slots * 2;
	uint64_t *slots = calloc(count, sizeof *slots);

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < index->pair_slots; i++)
		if (index->pair[i] != 0)
			(void)put_pair(slots, count, index->pair[i]);
	free(index->pair);
	index->pair = slots;
	index->pair_slots = count;
	return true;
}

/* A connection that was in another group first. */
static bool count_again(struct group_index *index, uint32_t connection, struct local *local)
{
	if (index->pairs * 4 >= index->pair_slots * 3 && !make_pair_slots(index))
		return false;
	if (put_pair(index->pair, index->pair_slots, (uint64_t)connection << 32 | (local->group + 1))) {
		index->pairs++;
		local->connections++;
	}
	return true;
}

/* ---- Rows ---- */

static uint32_t select_rows(const struct counted_block *counted, unsigned verdicts, const uint8_t *wanted, uint16_t *row)
{
	uint32_t count = 0, rows = counted->block->rows;

	for (uint32_t i = 0; i < rows; i++) {
		row[count] = (uint16_t)i;
		count += (counted->verdict[i] & verdicts) != 0 && (wanted == NULL || wanted[i] != 0);
	}
	return count;
}

/* A block, as one question sees it. */
struct view {
	const struct counted_block *counted;
	const uint16_t *code[QUESTION_DIMENSIONS];
	const struct coded *coded[QUESTION_DIMENSIONS];
	size_t dimensions;
	uint32_t slots;
};

static bool make_local(struct question *question, const struct view *view, struct counter *counter, uint32_t row,
    const struct turn *turn)
{
	struct local *local = &counter->local[counter->locals++];
	int64_t key[QUESTION_DIMENSIONS];

	memset(local, 0, sizeof *local);
	local->row = row;
	local->last = view->counted->block->time[row];
	for (size_t i = 0; i < view->dimensions; i++)
		key[i] = view->coded[i]->value[view->code[i][row]];
	if (!find_group(question, key, turn, &local->group))
		return false;
	local->wanted = question->groups[local->group].wanted;
	return true;
}

/* The slot of a row's group. A single code is its own slot. */
static uint32_t local_slot(const struct view *view, const struct counter *counter, uint32_t row)
{
	uint64_t hash = 0;
	uint32_t at;

	if (view->dimensions <= 1)
		return view->dimensions == 0 ? 0 : view->code[0][row];
	for (size_t i = 0; i < view->dimensions; i++)
		hash = (hash ^ view->code[i][row]) * UINT64_C(0x9e3779b97f4a7c15);
	for (at = (uint32_t)(hash >> 40) & (view->slots - 1); counter->local_slot[at] != 0; at = (at + 1) & (view->slots - 1)) {
		uint32_t other = counter->local[counter->local_slot[at] - 1].row;
		size_t i = 0;

		while (i < view->dimensions && view->code[i][row] == view->code[i][other])
			i++;
		if (i == view->dimensions)
			break;
	}
	return at;
}

static void see_block(struct view *view, const struct question *question, const struct counted_block *counted,
    struct counter *counter, uint32_t rows)
{
	view->counted = counted;
	view->dimensions = question->dimensions;
	for (size_t i = 0; i < view->dimensions; i++) {
		view->coded[i] = coded_of(counted, question->dimension[i]);
		view->code[i] = view->coded[i]->code;
	}
	view->slots = view->dimensions == 1 ? view->coded[0]->count : 1;
	while (view->dimensions > 1 && view->slots < 2 * rows)
		view->slots *= 2;
	counter->locals = 0;
	memset(counter->local_slot, 0, view->slots * sizeof *counter->local_slot);
}

static void add_locals(struct question *question, const struct counter *counter)
{
	for (uint32_t i = 0; i < counter->locals; i++) {
		const struct local *local = &counter->local[i];
		struct group *group = &question->groups[local->group];

		if (group->records == 0 || local->last > group->last)
			group->last = local->last;
		for (size_t verdict = 0; verdict < VERDICTS; verdict++) {
			group->records += local->by_verdict[verdict];
			group->by_verdict[verdict] += local->by_verdict[verdict];
		}
		group->connections += local->connections;
	}
}

static bool count_rows(struct question *question, const struct counted_block *counted, struct counter *counter,
    const uint8_t *within, uint8_t *wanted, const struct turn *turn)
{
	const struct coded *verdict = &counted->block->coded[COLUMN_VERDICT];
	uint32_t rows = select_rows(counted, question->verdicts, within, counter->row);
	struct group_index *index = question->index;
	struct view view;

	see_block(&view, question, counted, counter, rows);
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t row = counter->row[i], at = local_slot(&view, counter, row), connection = counted->connection[row];
		struct local *local;

		if (counter->local_slot[at] == 0) {
			if (!make_local(question, &view, counter, row, turn))
				return false;
			counter->local_slot[at] = counter->locals;
		}
		local = &counter->local[counter->local_slot[at] - 1];
		local->by_verdict[verdict->value[verdict->code[row]] & (VERDICTS - 1)]++;
		if (counted->block->time[row] > local->last)
			local->last = counted->block->time[row];
		if (wanted != NULL)
			wanted[row] = local->wanted;
		if (!local->wanted)
			continue;
		if (connection == 0) {
			local->connections++;
		} else if (index->first_seen[connection] == 0) {
			index->first_seen[connection] = local->group + 1;
			local->connections++;
		} else if (index->first_seen[connection] != local->group + 1 && !count_again(index, connection, local)) {
			return false;
		}
	}
	add_locals(question, counter);
	return true;
}

bool question_count(struct question *question, struct question *questions, size_t count,
    const struct counted_block *counted, struct counter *counter, const struct turn *turn)
{
	bool good;

	memset(counter->wanted, 0, counted->block->rows);
	good = count_rows(question, counted, counter, NULL, counter->wanted, turn);
	for (size_t i = 0; good && i < count; i++)
		if (questions[i].within == question)
			good = count_rows(&questions[i], counted, counter, counter->wanted, NULL, turn);
	return good;
}

bool question_prepare(struct question *question, uint64_t connections)
{
	question->groups = NULL;
	question->count = 0;
	question->index = calloc(1, sizeof *question->index);
	if (question->index == NULL)
		return false;
	question->index->first_seen = calloc(connections + 1, sizeof *question->index->first_seen);
	return question->index->first_seen != NULL && make_slots(question);
}

void question_free(struct question *question)
{
	if (question->index != NULL) {
		free(question->index->slot);
		free(question->index->first_seen);
		free(question->index->pair);
	}
	free(question->index);
	free(question->groups);
	question->index = NULL;
	question->groups = NULL;
	question->count = 0;
}
