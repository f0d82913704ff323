/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections' numbers, from 64 scattered bits to a few: then a list can take the place of a table.
 *
 * An open hash table, at most two thirds full. A slot has the number, and 32 bits of the connection so that it is mostly
 * told apart without looking further; the rest is compared in a list by number. A slot is asked for from memory some rows
 * ahead: with millions of connections each is a miss. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { AHEAD = 24, HUGE_PAGE = 2 * 1024 * 1024 };

struct connections {
	struct zeros slots;
	uint64_t *slot; /* 32 bits of the connection, the number */
	int64_t *connection; /* by number */
	unsigned shift;
	uint32_t mask, count;
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

struct connections *connections_new(uint64_t rows)
{
	struct connections *connections = calloc(1, sizeof *connections);
	unsigned bits = 8;

	if (connections == NULL || rows > UINT32_MAX / 2)
		goto failed;
	while (UINT64_C(1) << bits < rows + rows / 2)
		bits++;
	connections->shift = 64 - bits;
	connections->mask = (UINT32_C(1) << bits) - 1;
	connections->connection = malloc((rows + 1) * sizeof *connections->connection);
	if (connections->connection != NULL && zeros_make(&connections->slots, sizeof *connections->slot << bits)) {
		connections->slot = connections->slots.at;
		return connections;
	}
failed:
	connections_free(connections);
	return NULL;
}

void connections_free(struct connections *connections)
{
	if (connections == NULL)
		return;
	zeros_free(&connections->slots);
	free(connections->connection);
	free(connections);
}

uint32_t connections_count(const struct connections *connections)
{
	return connections->count;
}

static uint32_t number_of(struct connections *connections, int64_t connection)
{
	uint64_t tag = (uint64_t)connection << 32, slot;
	uint32_t at = (uint32_t)((uint64_t)connection >> connections->shift);

	while ((slot = connections->slot[at]) != 0) {
		if (((slot ^ tag) >> 32) == 0 && connections->connection[(uint32_t)slot] == connection)
			return (uint32_t)slot;
		at = (at + 1) & connections->mask;
	}
	connections->connection[++connections->count] = connection;
	connections->slot[at] = tag | connections->count;
	return connections->count;
}

void connections_number(struct connections *connections, const int64_t *connection, uint32_t *number, uint32_t rows)
{
	for (uint32_t row = 0; row < rows; row++) {
		if (row + AHEAD < rows)
			__builtin_prefetch(&connections->slot[(uint64_t)connection[row + AHEAD] >> connections->shift], 1);
		number[row] = connection[row] == 0 ? 0 : number_of(connections, connection[row]);
	}
}
