/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question's groups: found by their keys, and what they count once only.
 *
 * Distinct connections: most count where their first row is (counted_block.c). For those that recur, a list has by the
 * connection's number the first group that it was seen in. The few that are seen in a second one go into a hash table,
 * with that group; so do those whose group has too large a number for the list. So the count is exact. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

struct group_index {
	uint64_t *slot; /* 32 bits of the key's hash; the group's number and 1 */
	size_t slots;
	size_t room; /* for groups */
	struct zeros firsts;
	uint16_t *first_seen; /* of a connection: the group's number and 1; 0: none that is small enough */
	uint64_t *pair;       /* a connection and a further group */
	size_t pairs, pair_slots;
	struct zeros known[QUESTION_DIMENSIONS]; /* a value's bits, and KNOWN; or ASKED alone */
	uint64_t values; /* that there is room for */
};

static uint64_t scatter(uint64_t value)
{
	value ^= value >> 31;
	value *= UINT64_C(0x9e3779b97f4a7c15);
	value ^= value >> 29;
	value *= UINT64_C(0xd6e8feb86659fd93);
	return value ^ value >> 32;
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
	wanted = question_wants(question, key);
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

/* The table and the groups are asked for ahead: they are larger than caches. */
bool groups_find(struct question *question, int64_t key[][QUESTION_DIMENSIONS], uint32_t count, const struct turn *turn,
    uint32_t *number)
{
	const struct group_index *index = question->index;
	uint64_t hash[GROUPS_AT_ONCE];

	for (uint32_t i = 0; i < count; i++) {
		hash[i] = hash_key_of(question, key[i]);
		__builtin_prefetch(&index->slot[hash[i] & (index->slots - 1)]);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t group = (uint32_t)index->slot[hash[i] & (index->slots - 1)];

		if (group != 0)
			__builtin_prefetch(&question->groups[group - 1], 1);
	}
	for (uint32_t i = 0; i < count; i++)
		if (!find_group(question, key[i], hash[i], turn, &number[i]))
			return false;
	return true;
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
static bool count_pair(struct group_index *index, uint32_t connection, uint32_t group, uint64_t *count)
{
	if (index->pairs * 4 >= index->pair_slots * 3 && !make_pair_slots(index))
		return false;
	if (put_pair(index->pair, index->pair_slots, (uint64_t)connection << 32 | (group + 1))) {
		index->pairs++;
		++*count;
	}
	return true;
}

bool groups_count_connection(struct question *question, uint32_t group, uint32_t connection)
{
	struct group_index *index = question->index;
	uint64_t *count = &question->groups[group].connections;
	uint16_t *first = &index->first_seen[connection];

	if (*first == 0 && group < UINT16_MAX) {
		*first = (uint16_t)(group + 1);
		++*count;
		return true;
	}
	return *first == group + 1 || count_pair(index, connection, group, count);
}

/* ---- What each dimension wants ---- */

enum { ASKED = 1, KNOWN = 1 << 7 };

/* Where a value's bits are noted: at `other` if there is no room for it. */
static uint8_t *place_of(const struct group_index *index, size_t place, int64_t value, uint8_t *other)
{
	return value >= 0 && (uint64_t)value < index->values ? (uint8_t *)index->known[place].at + value : other;
}

/* In the order of their numbers, which is how texts are found soonest. */
static void ask_bits(const struct question *question, size_t place, int64_t first, int64_t last)
{
	uint8_t *known = question->index->known[place].at;

	for (int64_t value = first; value <= last; value++)
		if (known[value] == ASKED)
			known[value] = (uint8_t)(question->bits(question->context, place, value) | KNOWN);
}

uint8_t groups_bits(const struct question *question, size_t place, const struct coded *coded, const struct turn *turn,
    uint8_t *bits)
{
	int64_t first = INT64_MAX, last = -1;
	uint8_t all = 0, other = 0;

	for (uint32_t i = 0; i < coded->count; i++) {
		int64_t value = coded->value[i];
		uint8_t *known = place_of(question->index, place, value, &other);

		if (bits[i] == 0 || *known != 0 || known == &other)
			continue;
		*known = ASKED;
		first = value < first ? value : first;
		last = value > last ? value : last;
	}
	if (last >= 0) {
		turn->begin(turn->context);
		ask_bits(question, place, first, last);
		turn->end(turn->context);
	}
	for (uint32_t i = 0; i < coded->count; i++) {
		const uint8_t *known = place_of(question->index, place, coded->value[i], &other);

		if (bits[i] == 0)
			continue;
		if (known == &other) {
			turn->begin(turn->context);
			other = (uint8_t)question->bits(question->context, place, coded->value[i]);
			turn->end(turn->context);
		}
		all |= bits[i] = *known & (KNOWN - 1);
	}
	return all;
}

/* ---- Begin and end ---- */

bool question_prepare(struct question *question, uint64_t connections, uint64_t values)
{
	struct group_index *index = question->index = calloc(1, sizeof *question->index);

	question->groups = NULL;
	question->count = 0;
	if (index == NULL)
		return false;
	index->values = values;
	for (size_t i = 0; question->bits != NULL && i < question->dimensions; i++)
		if (!zeros_make(&index->known[i], values))
			return false;
	if (!question->uncounted && !zeros_make(&index->firsts, (connections + 1) * sizeof *index->first_seen))
		return false;
	index->first_seen = index->firsts.at;
	return make_slots(question);
}

bool groups_take(struct question *question, const struct group *groups, size_t count)
{
	struct group_index *index = question->index;

	if (count == 0)
		return true;
	question->groups = malloc(count * sizeof *groups);
	if (question->groups == NULL)
		return false;
	memcpy(question->groups, groups, count * sizeof *groups);
	question->count = index->room = count;
	while (count * 2 > index->slots)
		index->slots *= 2;
	index->slots /= 2;
	return make_slots(question);
}

void question_free(struct question *question)
{
	if (question->index != NULL) {
		for (size_t i = 0; i < QUESTION_DIMENSIONS; i++)
			zeros_free(&question->index->known[i]);
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
