/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prefix table: from an address to the most specific prefix that holds it.
 *
 * Nested prefixes cut the address space into ranges that don't overlap, each with one most specific prefix. The first 16
 * bits of an address pick a slot, whose ranges are searched by halves. Where a slot of IPv6 has many, they are cut into steps of equal width first,
 * about as many as ranges, so that few are left to search. A few hundred prefixes touch a few cache lines; and one bit of
 * 8 KiB tells of most other addresses that no prefix is near.
 * Weak where very many IPv6 prefixes stand close together and few far from them: they share a step. */
#include <config.h>

#include "category/internal.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 65536, DEPTH = 130, STEPS_FROM = 9 };

struct key address_key(const struct address *address)
{
	struct key key;

	memcpy(&key, address->bytes, sizeof key);
	key.high = be64toh(key.high);
	key.low = be64toh(key.low);
	if (address->family == IPV4) {
		key.high &= (uint64_t)UINT32_MAX << 32;
		key.low = 0;
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
	node_at(&sweep->to->nodes, node)->parent = sweep->depth > 0 ? sweep->open[sweep->depth - 1].node : NODE_NONE;
	sweep->open[sweep->depth].last = key_last(key, length);
	sweep->open[sweep->depth++].node = node;
	sweep_emit(sweep, key, node);
}

static uint32_t slot_of(struct key key)
{
	return (uint32_t)(key.high >> 48);
}

/* The ranges of one slot: current from its very start, so that no search looks to the left; then count of the sweep, from
 * at on. */
struct run {
	uint32_t slot, at, count, current;
};

/* The next slot that isn't empty; run->slot is SLOTS behind the last one. */
static void next_run(const struct sweep *sweep, struct run *run)
{
	do {
		run->current = run->count > 0 ? sweep->node[run->at + run->count - 1] : run->current;
		run->at += run->count;
		run->count = 0;
		run->slot++;
		while (run->at + run->count < sweep->count && slot_of(sweep->start[run->at + run->count]) == run->slot) {
			run->count++;
		}
		struct key start = {(uint64_t)run->slot << 48, 0};
		if (run->count > 0 && key_compare(sweep->start[run->at], start) == 0) {
			run->current = sweep->node[run->at++];
			run->count--;
		}
	} while (run->slot < SLOTS && run->count == 0 && run->current == NODE_NONE);
}

static const struct run run_begin = {UINT32_MAX, 0, 0, NODE_NONE};

/* Counts what the slots will take, and makes room for it. */
static bool make_room(struct prefixes *to, const struct sweep *sweep)
{
	size_t slots = 0, ranges = 0, steps = 0;
	struct run run = run_begin;
	bool low = false;

	for (next_run(sweep, &run); run.slot < SLOTS; next_run(sweep, &run)) {
		slots++;
		ranges += run.count + 1;
		steps += run.count + 1 >= STEPS_FROM ? run.count + 2 : 0;
	}
	for (uint32_t i = 0; i < sweep->count; i++) {
		low = low || sweep->start[i].low != 0;
	}
	to->busy = calloc(SLOTS / 64, sizeof *to->busy);
	to->slot = calloc(SLOTS, sizeof *to->slot);
	if (to->family == IPV4) {
		to->bytes = (slots + ranges * 3) * sizeof *to->range4;
		to->range4 = malloc(to->bytes);
		return to->busy != NULL && to->slot != NULL && to->range4 != NULL;
	}
	to->slot6 = calloc(slots, sizeof *to->slot6);
	to->range6 = calloc(ranges, sizeof *to->range6);
	to->low = low ? calloc(ranges, sizeof *to->low) : NULL;
	to->step = calloc(steps + 1, sizeof *to->step);
	to->bytes = slots * sizeof *to->slot6 + ranges * (sizeof *to->range6 + (low ? sizeof *to->low : 0)) +
	    steps * sizeof *to->step;
	return to->busy != NULL && to->slot != NULL && to->slot6 != NULL && to->range6 != NULL && to->step != NULL &&
	    (!low || to->low != NULL);
}

/* How much of range4, slot6, range6 and step is in use. */
struct made {
	uint32_t words, slots, ranges, steps;
};

static void put_run4(struct prefixes *to, struct made *made, const struct sweep *sweep, const struct run *run)
{
	uint16_t *start = to->range4 + made->words + 1, *node = start + run->count + 1;

	to->slot[run->slot] = made->words;
	start[-1] = (uint16_t)run->count;
	start[0] = 0;
	memcpy(node, &run->current, sizeof run->current);
	for (uint32_t i = 0; i < run->count; i++) {
		start[i + 1] = (uint16_t)(sweep->start[run->at + i].high >> 32);
		memcpy(node + 2 * (i + 1), &sweep->node[run->at + i], sizeof sweep->node[0]);
	}
	made->words += 1 + 3 * (run->count + 1);
}

static void put_steps(struct prefixes *to, struct made *made, struct slot6 *slot)
{
	const struct range6 *range = to->range6 + slot->at;
	uint64_t span = range[slot->count - 1].high - range[1].high;
	uint32_t *step = to->step + made->steps;

	slot->first = range[1].high;
	slot->step = made->steps;
	while (span >> slot->shift >= slot->count - 1) {
		slot->shift++;
	}
	slot->steps = (uint32_t)(span >> slot->shift) + 1;
	/* step[i] is the last range in front of step i */
	for (uint32_t i = 0, before = 0; i <= slot->steps; i++) {
		while (before + 1 < slot->count && (range[before + 1].high - slot->first) >> slot->shift < i) {
			before++;
		}
		step[i] = before;
	}
	made->steps += slot->steps + 1;
}

static void put_run6(struct prefixes *to, struct made *made, const struct sweep *sweep, const struct run *run)
{
	struct slot6 *slot = &to->slot6[made->slots];
	struct range6 *range = to->range6 + made->ranges;

	to->slot[run->slot] = made->slots++;
	slot->at = made->ranges;
	slot->count = run->count + 1;
	range[0].high = (uint64_t)run->slot << 48;
	range[0].node = run->current;
	for (uint32_t i = 0; i < run->count; i++) {
		range[i + 1].high = sweep->start[run->at + i].high;
		range[i + 1].node = sweep->node[run->at + i];
		if (to->low != NULL) {
			to->low[made->ranges + i + 1] = sweep->start[run->at + i].low;
		}
	}
	if (slot->count >= STEPS_FROM) {
		put_steps(to, made, slot);
	}
	made->ranges += slot->count;
}

/* Makes slots of the ranges. */
static bool fill_slots(struct prefixes *to, const struct sweep *sweep)
{
	struct made made = {0, 0, 0, 0};
	struct run run = run_begin;

	if (!make_room(to, sweep)) {
		return false;
	}
	for (next_run(sweep, &run); run.slot < SLOTS; next_run(sweep, &run)) {
		to->busy[run.slot / 64] |= (uint64_t)1 << run.slot % 64;
		if (to->family == IPV4) {
			put_run4(to, &made, sweep, &run);
		} else {
			put_run6(to, &made, sweep, &run);
		}
	}
	return true;
}

/* Turns sorted items into nodes with their grants, and sweeps over them. */
static bool fill_nodes(struct prefixes *to, const struct prefix_item *items, size_t count, struct sweep *sweep)
{
	uint32_t node = NODE_NONE;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !same_prefix(&items[i - 1], &items[i])) {
			uint32_t key4 = (uint32_t)(items[i].key.high >> 32);

			node = to->family == IPV4 ? nodes_put(&to->nodes, items[i].length, &key4, sizeof key4)
			                          : nodes_put(&to->nodes, items[i].length, &items[i].key, sizeof items[i].key);
			sweep_open(sweep, items[i].key, items[i].length, node);
		}
		nodes_grant(&to->nodes, node, &items[i].grant);
	}
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
	if (count > GRANTS_MOST) {
		return false;
	}
	qsort_r(items, count, sizeof *items, item_compare, (void *)(uintptr_t)rank);
	for (size_t i = 0; i < count; i++) {
		nodes += i == 0 || !same_prefix(&items[i - 1], &items[i]);
	}
	uint32_t key_words = family == IPV4 ? 1 : 4;
	sweep.start = calloc(2 * nodes + 1, sizeof *sweep.start);
	sweep.node = calloc(2 * nodes + 1, sizeof *sweep.node);
	if (nodes_begin(&prefixes->nodes, nodes * (NODE_WORDS + key_words) + count * GRANT_WORDS, key_words) &&
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
	free(prefixes->nodes.word);
	free(prefixes->busy);
	free(prefixes->slot);
	free(prefixes->range4);
	free(prefixes->range6);
	free(prefixes->low);
	free(prefixes->slot6);
	free(prefixes->step);
	memset(prefixes, 0, sizeof *prefixes);
}

static uint32_t search4(const uint16_t *range, uint16_t wanted)
{
	const uint16_t *start = range + 1;
	uint32_t at = 0, node;

	for (uint32_t count = range[0] + 1u; count > 1;) {
		uint32_t half = count / 2;

		at = start[at + half] <= wanted ? at + half : at;
		count -= half;
	}
	memcpy(&node, start + range[0] + 1 + 2 * at, sizeof node);
	return node;
}

static uint32_t search6(const struct prefixes *prefixes, const struct slot6 *slot, struct key wanted)
{
	uint32_t at = slot->at, count = slot->count;

	if (slot->steps > 0) {
		uint64_t step = (wanted.high - slot->first) >> slot->shift;

		if (wanted.high < slot->first) {
			count = 1;
		} else if (step >= slot->steps) {
			at += count - 1;
			count = 1;
		} else {
			const uint32_t *before = prefixes->step + slot->step + step;

			at += before[0];
			count = before[1] - before[0] + 1;
		}
	}
	while (count > 1) {
		uint32_t half = count / 2;
		uint64_t high = prefixes->range6[at + half].high;
		bool left = high == wanted.high ? prefixes->low != NULL && prefixes->low[at + half] > wanted.low
		                                : high > wanted.high;

		at = left ? at : at + half;
		count -= half;
	}
	return prefixes->range6[at].node;
}

uint32_t prefixes_lookup(const struct prefixes *prefixes, const struct address *address)
{
	uint32_t slot = (uint32_t)address->bytes[0] << 8 | address->bytes[1];

	if (prefixes->slot == NULL || (prefixes->busy[slot / 64] >> slot % 64 & 1) == 0) {
		return NODE_NONE;
	}
	return prefixes->family == IPV4
	    ? search4(prefixes->range4 + prefixes->slot[slot], (uint16_t)(address->bytes[2] << 8 | address->bytes[3]))
	    : search6(prefixes, &prefixes->slot6[prefixes->slot[slot]], address_key(address));
}

struct prefix prefixes_prefix(const struct prefixes *prefixes, uint32_t number)
{
	const struct node *node = node_at(&prefixes->nodes, number);
	struct prefix prefix = {{prefixes->family, {0}}, node->length};
	struct key key;

	if (prefixes->family == IPV4) {
		uint32_t key4 = htobe32(node->key[0]);

		memcpy(prefix.address.bytes, &key4, sizeof key4);
	} else {
		memcpy(&key, node->key, sizeof key);
		key.high = htobe64(key.high);
		key.low = htobe64(key.low);
		memcpy(prefix.address.bytes, &key, sizeof key);
	}
	return prefix;
}

size_t prefixes_bytes(const struct prefixes *prefixes)
{
	if (prefixes->slot == NULL) {
		return 0;
	}
	return nodes_bytes(&prefixes->nodes) + SLOTS / 8 + SLOTS * sizeof *prefixes->slot + prefixes->bytes;
}
