/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which connections recur, and numbers for those.
 *
 * Most are in one block only, and need not be remembered. So all blocks' connections are noted first, in a table of two
 * bits a place, by their own bits, which are a hash's: one that was there, one that came again. Some are taken to recur
 * that only share a place: they cost a little time. With eight places for each row it is one of eight at most.
 *
 * Those that recur are numbered in an open hash table, at most two thirds full: then a list can take its place. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { AHEAD = 24, HUGE_PAGE = 2 * 1024 * 1024, FIRST_BITS = 10 };

struct connections {
	struct zeros noted;
	uint64_t *places; /* 32 of them: in the upper half those that came again */
	unsigned shift;
	uint16_t list[BLOCK_ROWS];

	uint64_t *slot; /* 32 bits of the connection; a number */
	int64_t *connection; /* by number */
	unsigned bits; /* of the number of slots */
	uint32_t count;
};

bool zeros_make(struct zeros *zeros, size_t size)
{
	zeros->size = size;
	zeros->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (zeros->at == MAP_FAILED) {
		zeros->at = NULL;
		return false;
	}
	if (size >= HUGE_PAGE)
		(void)madvise(zeros->at, size, MADV_HUGEPAGE);
	return true;
}

void zeros_free(struct zeros *zeros)
{
	if (zeros->at != NULL)
		munmap(zeros->at, zeros->size);
	zeros->at = NULL;
}

/* ---- Which recur ---- */

struct connections *connections_new(uint64_t rows)
{
	struct connections *connections = calloc(1, sizeof *connections);
	unsigned bits = 6;

	if (connections == NULL || rows > UINT32_MAX / 2)
		goto failed;
	while (UINT64_C(4) << bits < rows)
		bits++;
	connections->shift = 64 - bits;
	if (!zeros_make(&connections->noted, sizeof *connections->places << bits))
		goto failed;
	connections->places = connections->noted.at;
	return connections;
failed:
	connections_free(connections);
	return NULL;
}

void connections_free(struct connections *connections)
{
	if (connections == NULL)
		return;
	zeros_free(&connections->noted);
	free(connections->slot);
	free(connections->connection);
	free(connections);
}

/* The lowest bit is always set. */
static unsigned place_of(int64_t connection)
{
	return (unsigned)(connection >> 1) & 31;
}

void connections_note(struct connections *connections, const struct coded *coded)
{
	const int64_t *connection = coded->value;
	uint32_t count = coded->count;
	uint64_t *places = connections->places;
	unsigned shift = connections->shift;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t *at = &places[(uint64_t)connection[i] >> shift], bit = UINT64_C(1) << place_of(connection[i]);

		if (i + AHEAD < count)
			__builtin_prefetch(&places[(uint64_t)connection[i + AHEAD] >> shift], 1);
		*at |= bit | (*at & bit) << 32;
	}
}

/* ---- Numbers ---- */

static uint64_t *find_slot(const struct connections *connections, int64_t connection)
{
	uint32_t at = (uint32_t)((uint64_t)connection >> (64 - connections->bits));
	uint64_t slot, tag = (uint64_t)connection << 32;

	while ((slot = connections->slot[at]) != 0 && ((slot ^ tag) >> 32 != 0 ||
	    connections->connection[(uint32_t)slot] != connection))
		at = (at + 1) & ((UINT32_C(1) << connections->bits) - 1);
	return &connections->slot[at];
}

static bool make_slots(struct connections *connections)
{
	unsigned bits = connections->bits == 0 ? FIRST_BITS : connections->bits + 1;
	int64_t *more = bits > 31 ? NULL : realloc(connections->connection, sizeof *more << bits);
	uint64_t *slot = more == NULL ? NULL : calloc(UINT32_C(1) << bits, sizeof *slot);

	if (more != NULL)
		connections->connection = more;
	if (slot == NULL)
		return false;
	free(connections->slot);
	connections->slot = slot;
	connections->bits = bits;
	for (uint32_t number = 1; number <= connections->count; number++)
		*find_slot(connections, connections->connection[number]) =
		    (uint64_t)connections->connection[number] << 32 | number;
	return true;
}

bool connections_number(struct connections *connections, int64_t connection, uint32_t *number)
{
	uint64_t *slot;

	if ((connections->bits == 0 || connections->count > (UINT32_C(1) << connections->bits) / 3 * 2) &&
	    !make_slots(connections))
		return false;
	slot = find_slot(connections, connection);
	if (*slot == 0) {
		connections->connection[++connections->count] = connection;
		*slot = (uint64_t)connection << 32 | connections->count;
	}
	*number = (uint32_t)*slot;
	return true;
}

/* What recurs is found first, so that its slots can be asked for ahead, too. */
bool connections_look(struct connections *connections, const struct coded *coded, uint32_t *number)
{
	const int64_t *connection = coded->value;
	uint32_t count = coded->count;
	const uint64_t *places = connections->places;
	uint16_t *list = connections->list;
	unsigned shift = connections->shift;
	uint32_t recurring = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i + AHEAD < count)
			__builtin_prefetch(&places[(uint64_t)connection[i + AHEAD] >> shift]);
		number[i] = 0;
		list[recurring] = (uint16_t)i;
		recurring += (uint32_t)(places[(uint64_t)connection[i] >> shift] >> place_of(connection[i]) >> 32 & 1);
	}
	for (uint32_t i = 0; i < recurring; i++) {
		if (i + AHEAD < recurring && connections->bits > 0)
			__builtin_prefetch(&connections->slot[(uint64_t)connection[list[i + AHEAD]] >> (64 - connections->bits)], 1);
		if (!connections_number(connections, connection[list[i]], &number[list[i]]))
			return false;
	}
	return true;
}

/* ---- Beside what was counted before ---- */

bool connections_add(struct connections *connections, const struct coded *coded)
{
	uint32_t number;

	connections_note(connections, coded);
	for (uint32_t i = 0; i < coded->count; i++)
		if (coded->value[i] != 0 && !connections_number(connections, coded->value[i], &number))
			return false;
	return true;
}

bool connections_share(struct connections *connections, const struct coded *coded)
{
	const int64_t *connection = coded->value;
	uint64_t *places = connections->places;
	bool any = false;

	for (uint32_t i = 0; connections->bits > 0 && i < coded->count; i++) {
		uint64_t *at = &places[(uint64_t)connection[i] >> connections->shift];
		uint64_t bit = UINT64_C(1) << place_of(connection[i]);

		if (i + AHEAD < coded->count)
			__builtin_prefetch(&places[(uint64_t)connection[i + AHEAD] >> connections->shift]);
		if ((*at & bit) == 0 || *find_slot(connections, connection[i]) == 0)
			continue;
		*at |= bit << 32;
		any = true;
	}
	return any;
}
