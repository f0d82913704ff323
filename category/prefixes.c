/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prefix table: from an address to the most specific prefix that holds it.
 *
 * Nested prefixes cut the address space into ranges that don't overlap, each with one most specific prefix. The first 16
 * bits of an address pick a slot; a slot with no boundary inside names its prefix at once, the others are searched by
 * halves among the starts of their ranges (16 bits each for IPv4). A few hundred prefixes touch a few cache lines.
 * Weak where very many prefixes share their first 16 bits, as all of a large IPv6 list may. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 65536, DEPTH = 130 };

struct key address_key(const struct address *address)
{
	struct key key = {0, 0};

	for (int i = 0; i < (address->family == IPV4 ? 4 : 8); i++) {
		key.high |= (uint64_t)address->bytes[i] << (56 - 8 * i);
	}
	for (int i = 8; address->family == IPV6 && i < 16; i++) {
		key.low |= (uint64_t)address->bytes[i] << (120 - 8 * i);
	}
	return key;
}

static int key_compare(struct key a, struct key b)
{
	if (a.high != b.high) {
		return a.high < b.high ? -1 : 1;
	}
	return a.low == b.low ? 0 : a.low < b.low ? -1 : 1;
}

/* The last address of a prefix. */
static struct key key_last(struct key key, unsigned length)
{
	if (length < 64) {
		key.high |= UINT64_MAX >> length;
		key.low = UINT64_MAX;
	} else if (length < 128) {
		key.low |= UINT64_MAX >> (length - 64);
	}
	return key;
}

/* The next address; for IPv4 keys the lower 96 bits count as one address. Returns false behind the last one. */
static bool key_next(struct key *key, enum family family)
{
	if (family == IPV4) {
		key->high = (key->high | UINT32_MAX) + 1;
		key->low = 0;
		return key->high != 0;
	}
	key->low++;
	if (key->low == 0) {
		key->high++;
	}
	return key->high != 0 || key->low != 0;
}

int grant_compare(const struct grant *a, const struct grant *b, const uint16_t *rank)
{
	int order = (int)rank[a->block] - (int)rank[b->block];

	if (order == 0) {
		order = (int)a->block - (int)b->block;
	}
	return order != 0 ? order : a->line == b->line ? 0 : a->line < b->line ? -1 : 1;
}

static int item_compare(const void *left, const void *right, void *rank)
{
	const struct prefix_item *a = left, *b = right;
	int order = key_compare(a->key, b->key);

	if (order == 0) {
		order = (int)a->length - (int)b->length;
	}
	return order != 0 ? order : grant_compare(&a->grant, &b->grant, rank);
}

static bool same_prefix(const struct prefix_item *a, const struct prefix_item *b)
{
	return a->length == b->length && key_compare(a->key, b->key) == 0;
}

/* Ranges as they are found, in rising order. */
struct sweep {
	struct prefixes *to;
	struct key *start;
	uint32_t *node;
	uint32_t count;
	struct { struct key last; uint32_t node; } open[DEPTH]; /* the prefixes that hold the present address */
	int depth;
};

/* From start on, node is the most specific; replaces a range that would be empty, and joins equal neighbours. */
static void sweep_emit(struct sweep *sweep, struct key start, uint32_t node)
{
	if (sweep->count > 0 && key_compare(sweep->start[sweep->count - 1], start) == 0) {
		sweep->count--;
	}
	if ((sweep->count > 0 ? sweep->node[sweep->count - 1] : NODE_NONE) == node) {
		return;
	}
	sweep->start[sweep->count] = start;
	sweep->node[sweep->count++] = node;
}

/* Closes the open prefixes that end before key, or all of them. */
static void sweep_close(struct sweep *sweep, const struct key *key)
{
	while (sweep->depth > 0 && (key == NULL || key_compare(sweep->open[sweep->depth - 1].last, *key) < 0)) {
		struct key next = sweep->open[--sweep->depth].last;

		if (key_next(&next, sweep->to->family)) {
			sweep_emit(sweep, next, sweep->depth > 0 ? sweep->open[sweep->depth - 1].node : NODE_NONE);
		}
	}
}

static void sweep_open(struct sweep *sweep, struct key key, unsigned length, uint32_t node)
{
	sweep_close(sweep, &key);
	sweep->to->nodes.node[node].parent = sweep->depth > 0 ? sweep->open[sweep->depth - 1].node : NODE_NONE;
	sweep->open[sweep->depth].last = key_last(key, length);
	sweep->open[sweep->depth++].node = node;
	sweep_emit(sweep, key, node);
}

static uint32_t slot_of(struct key key)
{
	return (uint32_t)(key.high >> 48);
}

static void range_put(struct prefixes *to, uint32_t at, struct key start, uint32_t node)
{
	if (to->family == IPV4) {
		to->range_start4[at] = (uint16_t)(start.high >> 32);
	} else {
		to->range_start[at] = start;
	}
	to->range_node[at] = node;
}

/* Makes slots of the ranges. Each searched slot gets a range from its very start, so no search looks to the left. */
static bool fill_slots(struct prefixes *to, const struct sweep *sweep)
{
	uint32_t at = 0, made = 0, room = 0, current = NODE_NONE, previous = SLOTS;

	for (uint32_t i = 0; i < sweep->count; i++) {
		room += slot_of(sweep->start[i]) == previous ? 1 : 2;
		previous = slot_of(sweep->start[i]);
	}
	to->slot = calloc(SLOTS, sizeof *to->slot);
	to->range_node = calloc(room + 1, sizeof *to->range_node);
	if (to->family == IPV4) {
		to->range_start4 = calloc(room + 1, sizeof *to->range_start4);
	} else {
		to->range_start = calloc(room + 1, sizeof *to->range_start);
	}
	if (to->slot == NULL || to->range_node == NULL || (to->range_start4 == NULL && to->range_start == NULL)) {
		return false;
	}
	for (uint32_t s = 0; s < SLOTS; s++) {
		struct key start = {(uint64_t)s << 48, 0};
		uint32_t end = at;

		while (end < sweep->count && slot_of(sweep->start[end]) == s) {
			end++;
		}
		if (end > at && key_compare(sweep->start[at], start) == 0) {
			current = sweep->node[at++];
		}
		if (end == at) {
			to->slot[s].at = current;
			continue;
		}
		to->slot[s].at = made;
		to->slot[s].count = end - at + 1;
		range_put(to, made++, start, current);
		for (; at < end; at++) {
			range_put(to, made++, sweep->start[at], sweep->node[at]);
		}
		current = sweep->node[end - 1];
	}
	to->ranges = made;
	return true;
}

/* Turns sorted items into nodes with their grants, and sweeps over them. */
static bool fill_nodes(struct prefixes *to, const struct prefix_item *items, size_t count, struct sweep *sweep)
{
	uint32_t node = 0;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !same_prefix(&items[i - 1], &items[i])) {
			node++;
			to->nodes.node[node].grant = (uint32_t)i;
			to->nodes.node[node].length = items[i].length;
			if (to->family == IPV4) {
				to->key4[node] = (uint32_t)(items[i].key.high >> 32);
			} else {
				to->key[node] = items[i].key;
			}
			sweep_open(sweep, items[i].key, items[i].length, node);
		}
		to->nodes.grant[i] = items[i].grant;
	}
	to->nodes.node[node + 1].grant = (uint32_t)count;
	to->nodes.count = node;
	to->nodes.grants = (uint32_t)count;
	sweep_close(sweep, NULL);
	return fill_slots(to, sweep);
}

bool prefixes_build(struct prefixes *prefixes, enum family family, struct prefix_item *items, size_t count,
    const uint16_t *rank)
{
	struct sweep sweep = {.to = prefixes};
	size_t nodes = 0;
	bool fine = false;

	memset(prefixes, 0, sizeof *prefixes);
	prefixes->family = family;
	if (count == 0) {
		return true;
	}
	if (count >= UINT32_MAX / 4) {
		return false;
	}
	qsort_r(items, count, sizeof *items, item_compare, (void *)(uintptr_t)rank);
	for (size_t i = 0; i < count; i++) {
		nodes += i == 0 || !same_prefix(&items[i - 1], &items[i]);
	}
	prefixes->nodes.node = calloc(nodes + 2, sizeof *prefixes->nodes.node);
	prefixes->nodes.grant = calloc(count, sizeof *prefixes->nodes.grant);
	if (family == IPV4) {
		prefixes->key4 = calloc(nodes + 1, sizeof *prefixes->key4);
	} else {
		prefixes->key = calloc(nodes + 1, sizeof *prefixes->key);
	}
	sweep.start = calloc(2 * nodes + 1, sizeof *sweep.start);
	sweep.node = calloc(2 * nodes + 1, sizeof *sweep.node);
	if (prefixes->nodes.node != NULL && prefixes->nodes.grant != NULL && (prefixes->key4 != NULL || prefixes->key != NULL) &&
	    sweep.start != NULL && sweep.node != NULL) {
		fine = fill_nodes(prefixes, items, count, &sweep);
	}
	free(sweep.start);
	free(sweep.node);
	if (!fine) {
		prefixes_free(prefixes);
	}
	return fine;
}

void prefixes_free(struct prefixes *prefixes)
{
	free(prefixes->nodes.node);
	free(prefixes->nodes.grant);
	free(prefixes->key);
	free(prefixes->key4);
	free(prefixes->slot);
	free(prefixes->range_node);
	free(prefixes->range_start4);
	free(prefixes->range_start);
	memset(prefixes, 0, sizeof *prefixes);
}

uint32_t prefixes_lookup(const struct prefixes *prefixes, const struct address *address)
{
	if (prefixes->slot == NULL) {
		return NODE_NONE;
	}
	const struct slot slot = prefixes->slot[address->bytes[0] << 8 | address->bytes[1]];
	if (slot.count == 0) {
		return slot.at;
	}
	uint32_t at = slot.at;
	if (prefixes->family == IPV4) {
		uint16_t wanted = (uint16_t)(address->bytes[2] << 8 | address->bytes[3]);

		for (uint32_t count = slot.count; count > 1;) {
			uint32_t half = count / 2;

			at = prefixes->range_start4[at + half] <= wanted ? at + half : at;
			count -= half;
		}
	} else {
		struct key wanted = address_key(address);

		for (uint32_t count = slot.count; count > 1;) {
			uint32_t half = count / 2;

			at = key_compare(prefixes->range_start[at + half], wanted) <= 0 ? at + half : at;
			count -= half;
		}
	}
	return prefixes->range_node[at];
}

struct prefix prefixes_prefix(const struct prefixes *prefixes, uint32_t node)
{
	struct prefix prefix = {{prefixes->family, {0}}, prefixes->nodes.node[node].length};
	struct key key = {0, 0};

	if (prefixes->family == IPV4) {
		key.high = (uint64_t)prefixes->key4[node] << 32;
	} else {
		key = prefixes->key[node];
	}
	for (int i = 0; i < (prefixes->family == IPV4 ? 4 : 8); i++) {
		prefix.address.bytes[i] = (uint8_t)(key.high >> (56 - 8 * i));
	}
	for (int i = 8; prefixes->family == IPV6 && i < 16; i++) {
		prefix.address.bytes[i] = (uint8_t)(key.low >> (120 - 8 * i));
	}
	return prefix;
}

size_t prefixes_bytes(const struct prefixes *prefixes)
{
	bool four = prefixes->family == IPV4;

	if (prefixes->slot == NULL) {
		return 0;
	}
	return (prefixes->nodes.count + 2) * (sizeof(struct node) + (four ? sizeof(uint32_t) : sizeof(struct key))) +
	    prefixes->nodes.grants * sizeof(struct grant) + SLOTS * sizeof(struct slot) +
	    prefixes->ranges * (sizeof(uint32_t) + (four ? sizeof(uint16_t) : sizeof(struct key)));
}
