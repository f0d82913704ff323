/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prefix table: nested prefixes cut the address space into ranges that don't overlap, each with one most specific
 * prefix. lines.c finds them. */
#include <config.h>

#include "category/internal.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 130 };

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

struct sweep {
	struct prefixes *to;
	struct ranges found;
	struct { struct key last; uint32_t node; } open[DEPTH]; /* the prefixes that hold the present address */
	int depth;
};

/* From start on, node is the most specific; replaces a range that would be empty, and joins equal neighbours. */
static void sweep_emit(struct ranges *found, struct key start, uint32_t node)
{
	if (found->count > 0 && key_compare(found->start[found->count - 1], start) == 0) {
		found->count--;
	}
	if ((found->count > 0 ? found->node[found->count - 1] : NODE_NONE) == node) {
		return;
	}
	found->start[found->count] = start;
	found->node[found->count++] = node;
}

/* Closes the open prefixes that end before key, or all of them. */
static void sweep_close(struct sweep *sweep, const struct key *key)
{
	while (sweep->depth > 0 && (key == NULL || key_compare(sweep->open[sweep->depth - 1].last, *key) < 0)) {
		struct key next = sweep->open[--sweep->depth].last;

		if (key_next(&next, sweep->to->family)) {
			sweep_emit(&sweep->found, next, sweep->depth > 0 ? sweep->open[sweep->depth - 1].node : NODE_NONE);
		}
	}
}

static void sweep_open(struct sweep *sweep, struct key key, unsigned length, uint32_t node)
{
	sweep_close(sweep, &key);
	node_at(&sweep->to->nodes, node)->parent = sweep->depth > 0 ? sweep->open[sweep->depth - 1].node : NODE_NONE;
	sweep->open[sweep->depth].last = key_last(key, length);
	sweep->open[sweep->depth++].node = node;
	sweep_emit(&sweep->found, key, node);
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
	return lines_build(to, &sweep->found);
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
	sweep.found.start = calloc(2 * nodes + 1, sizeof *sweep.found.start);
	sweep.found.node = calloc(2 * nodes + 1, sizeof *sweep.found.node);
	if (nodes_begin(&prefixes->nodes, nodes * (NODE_WORDS + key_words) + count * GRANT_WORDS, key_words) &&
	    sweep.found.start != NULL && sweep.found.node != NULL) {
		fine = fill_nodes(prefixes, items, count, &sweep);
	}
	free(sweep.found.start);
	free(sweep.found.node);
	if (!fine) {
		prefixes_free(prefixes);
	}
	return fine;
}

void prefixes_free(struct prefixes *prefixes)
{
	free(prefixes->nodes.word);
	lines_free(prefixes);
	memset(prefixes, 0, sizeof *prefixes);
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
