/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts a block's rows for one question.
 *
 * Rows are alike where their codes are, so a block's groups are found by codes, and only each block's groups, not each
 * row's, are looked up in the question's table by what the codes stand for. What is counted for a block is added to the
 * question's groups at its end.
 *
 * Distinct connections: a list has, by the connection's number, the first group that it was seen in. The few that are
 * seen in a second one go into a hash table, with that group; so do those whose group has too large a number for the
 * list. So the count is exact. What it takes is memory: 2 bytes for each connection of each question. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <string.h>

struct group_index {
	uint64_t *slot; /* 32 bits of the key's hash; the group's number and 1 */
	size_t slots;
	size_t room; /* for groups */
	struct zeros firsts;
	uint16_t *first_seen; /* of a connection: the group's number and 1; 0: none that is small enough */
	uint64_t *pair;       /* a connection and a further group */
	size_t pairs, pair_slots;
};

/* The codes of a row, three a word. */
struct codes {
	uint64_t word[2];
};

/* What a block has for one of its groups. */
struct local {
	uint32_t group, connections, by_verdict[VERDICTS];
	bool wanted;
	int64_t last;
};

enum { WANTED = 1, UNWANTED = 2 };
enum { FIRST_SLOTS = 64, LOCAL_SLOTS = 2 * BLOCK_ROWS, AHEAD = 32 };

struct counter {
	uint32_t rows, locals;
	uint16_t row[BLOCK_ROWS];         /* those that count */
	uint16_t local_of[BLOCK_ROWS];    /* the group of each of these */
	uint8_t within[BLOCK_ROWS];       /* for who is within: WANTED, UNWANTED, or 0 of a row that doesn't count */
	struct local local[BLOCK_ROWS];
	struct codes codes[BLOCK_ROWS];   /* of each local */
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
	    (counted->verdict = malloc(BLOCK_ROWS)) != NULL && (counted->verdict_number = malloc(BLOCK_ROWS)) != NULL;

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
	free(counted->verdict_number);
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
    struct coder *coder, bool by_time)
{
	const struct block *block = counted->block;
	const struct coded *verdict = &block->coded[COLUMN_VERDICT];

	for (uint32_t row = 0; row < block->rows; row++) {
		counted->verdict_number[row] = (uint8_t)verdict->value[verdict->code[row]] & (VERDICTS - 1);
		counted->verdict[row] = (uint8_t)((block->time[row] >= since && block->time[row] < until) <<
		    counted->verdict_number[row]);
	}
	connections_number(connections, block->connection, counted->connection, block->rows);
	if (by_time) {
		place_in_time(counted, TIME_HOUR, &counted->by_time[0], coder);
		place_in_time(counted, TIME_DAY, &counted->by_time[1], coder);
	}
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

#define TAG (~(uint64_t)UINT32_MAX)

static uint64_t hash_key_of(const struct question *question, const int64_t *key)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < question->dimensions; i++) {
		hash = (hash ^ (uint64_t)key[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}

static bool is_alike(const struct question *question, const int64_t *one, const int64_t *other)
{
	size_t i = 0;

	while (i < question->dimensions && one[i] == other[i])
		i++;
	return i == question->dimensions;
}

/* The key's slot, or the free one where it belongs. */
static uint64_t *find_slot(const struct question *question, const int64_t *key, uint64_t hash)
{
	const struct group_index *index = question->index;
	size_t at = hash & (index->slots - 1);

	while (index->slot[at] != 0 && ((index->slot[at] ^ hash) >> 32 != 0 ||
	    !is_alike(question, question->groups[(uint32_t)index->slot[at] - 1].key, key)))
		at = (at + 1) & (index->slots - 1);
	return &index->slot[at];
}

static bool make_slots(struct question *question)
{
	struct group_index *index = question->index;
	size_t slots = index->slots == 0 ? FIRST_SLOTS : index->slots * 2;
	uint64_t *slot = calloc(slots, sizeof *slot);

	if (slot == NULL)
		return false;
	free(index->slot);
	index->slot = slot;
	index->slots = slots;
	for (size_t i = 0; i < question->count; i++) {
		uint64_t hash = hash_key_of(question, question->groups[i].key);

		*find_slot(question, question->groups[i].key, hash) = (hash & TAG) | (i + 1);
	}
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
static bool find_group(struct question *question, const int64_t *key, uint64_t hash, const struct turn *turn,
    uint32_t *number)
{
	struct group_index *index = question->index;
	uint64_t *slot = find_slot(question, key, hash);
	struct group *group;

	*number = (uint32_t)*slot - 1;
	if (*slot != 0)
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
	*slot = (hash & TAG) | question->count;
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

/* A connection that was in another group first, or whose group is none for the list. */
static bool count_pair(struct group_index *index, uint32_t connection, struct local *local)
{
	if (index->pairs * 4 >= index->pair_slots * 3 && !make_pair_slots(index))
		return false;
	if (put_pair(index->pair, index->pair_slots, (uint64_t)connection << 32 | (local->group + 1))) {
		index->pairs++;
		local->connections++;
	}
	return true;
}

static inline bool count_connection(struct group_index *index, uint32_t connection, struct local *local)
{
	uint16_t *first = &index->first_seen[connection];

	if (connection == 0) {
		local->connections++;
		return true;
	}
	if (*first == 0 && local->group < UINT16_MAX) {
		*first = (uint16_t)(local->group + 1);
		local->connections++;
		return true;
	}
	return *first == local->group + 1 || count_pair(index, connection, local);
}

/* ---- Rows to a block's groups ---- */

static void select_rows(const struct counted_block *counted, const struct question *question, struct counter *counter)
{
	unsigned verdicts = question->verdicts, within = question->outside ? UNWANTED : WANTED;
	uint32_t count = 0, rows = counted->block->rows;

	/* Without a branch: what comes next can't be foretold. */
	for (uint32_t i = 0; question->within == NULL && i < rows; i++) {
		counter->row[count] = (uint16_t)i;
		count += (counted->verdict[i] & verdicts) != 0;
	}
	for (uint32_t i = 0; question->within != NULL && i < rows; i++) {
		counter->row[count] = (uint16_t)i;
		count += (unsigned)((counted->verdict[i] & verdicts) != 0) & ((counter->within[i] & within) != 0);
	}
	counter->rows = count;
}

/* What a question looks at in a block. */
struct view {
	const struct coded *coded[QUESTION_DIMENSIONS];
	size_t dimensions;
};

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
static void group_rows(const struct view *view, struct counter *counter)
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
			counter->local_of[j] = local_of(counter, &codes[j - i], at[j - i], slots);
	}
}

/* A single code is a small table's place. */
static void group_rows_by_code(const struct view *view, struct counter *counter)
{
	const uint16_t *code = view->coded[0]->code;

	memset(counter->local_slot, 0, view->coded[0]->count * sizeof *counter->local_slot);
	for (uint32_t i = 0; i < counter->rows; i++) {
		uint16_t at = code[counter->row[i]];

		if (counter->local_slot[at] == 0) {
			counter->codes[counter->locals] = (struct codes){ { at, 0 } };
			counter->local_slot[at] = ++counter->locals;
		}
		counter->local_of[i] = (uint16_t)(counter->local_slot[at] - 1);
	}
}

static void find_locals(const struct view *view, struct counter *counter)
{
	counter->locals = 0;
	if (view->dimensions > 1) {
		group_rows(view, counter);
	} else if (view->dimensions == 1) {
		group_rows_by_code(view, counter);
	} else {
		counter->locals = counter->rows > 0;
		memset(counter->local_of, 0, counter->rows * sizeof *counter->local_of);
	}
	memset(counter->local, 0, counter->locals * sizeof *counter->local);
}

/* ---- A block's groups to the question's ---- */

static void key_of(const struct view *view, const struct codes *codes, int64_t *key)
{
	for (size_t i = 0; i < view->dimensions; i++) {
		size_t last = i < 3 && view->dimensions > 3 ? 3 : view->dimensions;

		key[i] = view->coded[i]->value[codes->word[i / 3] >> 16 * (last - 1 - i) & UINT16_MAX];
	}
}

/* The table and the groups are asked for some ahead as well: they are larger than caches. */
static bool find_groups(struct question *question, const struct view *view, struct counter *counter,
    const struct turn *turn)
{
	const struct group_index *index = question->index;

	for (uint32_t i = 0; i < counter->locals; i += AHEAD) {
		uint32_t end = i + AHEAD < counter->locals ? i + AHEAD : counter->locals;
		int64_t key[AHEAD][QUESTION_DIMENSIONS];
		uint64_t hash[AHEAD];

		for (uint32_t j = i; j < end; j++) {
			key_of(view, &counter->codes[j], key[j - i]);
			hash[j - i] = hash_key_of(question, key[j - i]);
			__builtin_prefetch(&index->slot[hash[j - i] & (index->slots - 1)]);
		}
		for (uint32_t j = i; j < end; j++) {
			uint32_t group = (uint32_t)index->slot[hash[j - i] & (index->slots - 1)];

			if (group != 0)
				__builtin_prefetch(&question->groups[group - 1], 1);
		}
		for (uint32_t j = i; j < end; j++) {
			struct local *local = &counter->local[j];

			if (!find_group(question, key[j - i], hash[j - i], turn, &local->group))
				return false;
			local->wanted = question->groups[local->group].wanted;
			local->last = INT64_MIN;
		}
	}
	return true;
}

static void add_locals(struct question *question, const struct counter *counter)
{
	for (uint32_t i = 0; i < counter->locals; i++) {
		const struct local *local = &counter->local[i];
		struct group *group = &question->groups[local->group];

		if (i + AHEAD < counter->locals)
			__builtin_prefetch(&question->groups[counter->local[i + AHEAD].group], 1);
		if (group->records == 0 || local->last > group->last)
			group->last = local->last;
		for (size_t verdict = 0; verdict < VERDICTS; verdict++) {
			group->records += local->by_verdict[verdict];
			group->by_verdict[verdict] += local->by_verdict[verdict];
		}
		group->connections += local->connections;
	}
}

/* ---- Counting ---- */

static bool count_rows(struct question *question, const struct counted_block *counted, struct counter *counter,
    const struct turn *turn)
{
	const int64_t *time = counted->block->time;
	bool counts = !question->uncounted;
	struct group_index *index = question->index;
	struct view view = { .dimensions = question->dimensions };

	for (size_t i = 0; i < view.dimensions; i++)
		view.coded[i] = coded_of(counted, question->dimension[i]);
	select_rows(counted, question, counter);
	find_locals(&view, counter);
	if (!find_groups(question, &view, counter, turn))
		return false;
	for (uint32_t i = 0; i < counter->rows; i++) {
		uint32_t row = counter->row[i];
		struct local *local = &counter->local[counter->local_of[i]];

		local->by_verdict[counted->verdict_number[row]]++;
		local->last = time[row] > local->last ? time[row] : local->last;
		if (question->within == NULL)
			counter->within[row] = local->wanted ? WANTED : UNWANTED;
		if (counts && local->wanted && !count_connection(index, counted->connection[row], local))
			return false;
	}
	add_locals(question, counter);
	return true;
}

bool question_count(struct question *question, struct question *questions, size_t count,
    const struct counted_block *counted, struct counter *counter, const struct turn *turn)
{
	bool good;

	memset(counter->within, 0, counted->block->rows);
	good = count_rows(question, counted, counter, turn);
	for (size_t i = 0; good && i < count; i++)
		if (questions[i].within == question)
			good = count_rows(&questions[i], counted, counter, turn);
	return good;
}

bool question_prepare(struct question *question, uint64_t connections)
{
	question->groups = NULL;
	question->count = 0;
	question->index = calloc(1, sizeof *question->index);
	if (question->index == NULL)
		return false;
	if (!question->uncounted && !zeros_make(&question->index->firsts, (connections + 1) * sizeof *question->index->first_seen))
		return false;
	question->index->first_seen = question->index->firsts.at;
	return make_slots(question);
}

void question_free(struct question *question)
{
	if (question->index != NULL) {
		free(question->index->slot);
		zeros_free(&question->index->firsts);
		free(question->index->pair);
	}
	free(question->index);
	free(question->groups);
	question->index = NULL;
	question->groups = NULL;
	question->count = 0;
}
