/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name table: from a host name to the longest entry that holds it.
 *
 * A hash is rolled over the name from its right end. At every label the hash so far is looked up as a domain, and at the
 * left end as the host itself; what is found is compared with the name, so a collision costs time, never a wrong answer.
 * The seed is drawn anew for each table, so that no list of names can be made to collide on purpose.
 * Weak where a name has very many labels: each costs one look. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t hash_step(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 0x9e3779b97f4a7c15u;
}

/* below tells a domain from a host of the same text. */
static uint32_t hash_end(uint64_t hash, bool below)
{
	hash ^= below ? 0x5bd1e995u : 0;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	return (uint32_t)(hash >> 32);
}

/* The node of text, which must be the whole rest of the name (below: behind its dot). */
static uint32_t find(const struct names *names, uint32_t hash, const char *text, size_t length, bool below)
{
	for (uint32_t at = hash & names->mask; names->slot[at].node != NODE_NONE; at = (at + 1) & names->mask) {
		uint32_t node = names->slot[at].node;

		if (names->slot[at].hash == hash && names->nodes.node[node].length == length + below) {
			const char *entry = names->arena + names->text[node];

			if ((entry[0] == '.') == below && memcmp(entry + below, text, length) == 0) {
				return node;
			}
		}
	}
	return NODE_NONE;
}

/* skip_host leaves out the host's own entry, and skip_domain also its domain's: what is left is what holds that entry. */
static uint32_t longest(const struct names *names, const char *name, size_t length, bool skip_host, bool skip_domain)
{
	uint64_t hash = names->seed;
	uint32_t best = NODE_NONE;

	if (names->slot == NULL) {
		return NODE_NONE;
	}
	for (size_t i = length; i > 0; i--) {
		hash = hash_step(hash, name[i - 1]);
		if (i > 1 && name[i - 2] != '.') {
			continue;
		}
		if (i == 1 && skip_domain) {
			break;
		}
		uint32_t node = find(names, hash_end(hash, true), name + i - 1, length - i + 1, true);
		best = node != NODE_NONE ? node : best;
	}
	if (length > 0 && !skip_host) {
		uint32_t node = find(names, hash_end(hash, false), name, length, false);

		best = node != NODE_NONE ? node : best;
	}
	return best;
}

uint32_t names_lookup(const struct names *names, const char *name, size_t length)
{
	return longest(names, name, length, false, false);
}

struct order {
	const char *arena;
	const uint16_t *rank;
};

static int item_compare(const void *left, const void *right, void *context)
{
	const struct order *order = context;
	const struct name_item *a = left, *b = right;
	int difference = strcmp(order->arena + a->text, order->arena + b->text);

	return difference != 0 ? difference : grant_compare(&a->grant, &b->grant, order->rank);
}

static bool same_name(const struct name_item *a, const struct name_item *b, const char *arena)
{
	return strcmp(arena + a->text, arena + b->text) == 0;
}

static void insert(struct names *names, uint32_t node)
{
	const char *text = names->arena + names->text[node];
	size_t length = names->nodes.node[node].length;
	uint64_t hash = names->seed;
	bool below = text[0] == '.';

	for (size_t i = length; i > (below ? 1 : 0); i--) {
		hash = hash_step(hash, text[i - 1]);
	}
	uint32_t end = hash_end(hash, below), at = end & names->mask;
	while (names->slot[at].node != NODE_NONE) {
		at = (at + 1) & names->mask;
	}
	names->slot[at].hash = end;
	names->slot[at].node = node;
}

static void fill(struct names *names, const struct name_item *items, size_t count)
{
	uint32_t node = 0;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !same_name(&items[i - 1], &items[i], names->arena)) {
			node++;
			names->text[node] = items[i].text;
			names->nodes.node[node].grant = (uint32_t)i;
			names->nodes.node[node].length = (uint16_t)strlen(names->arena + items[i].text);
			insert(names, node);
		}
		names->nodes.grant[i] = items[i].grant;
	}
	names->nodes.node[node + 1].grant = (uint32_t)count;
	names->nodes.count = node;
	names->nodes.grants = (uint32_t)count;
	for (node = 1; node <= names->nodes.count; node++) {
		const char *text = names->arena + names->text[node];
		bool below = text[0] == '.';

		names->nodes.node[node].parent = longest(names, text + below, names->nodes.node[node].length - below, true, below);
	}
}

bool names_build(struct names *names, char *arena, size_t arena_length, struct name_item *items, size_t count,
    const uint16_t *rank)
{
	struct order order = {arena, rank};
	size_t nodes = 0, slots = 16;

	memset(names, 0, sizeof *names);
	names->arena = arena;
	if (count == 0) {
		return true;
	}
	if (count >= UINT32_MAX / 4 || arena_length >= UINT32_MAX) {
		names_free(names);
		return false;
	}
	if (getrandom(&names->seed, sizeof names->seed, GRND_NONBLOCK) != (ssize_t)sizeof names->seed) {
		names->seed = (uint64_t)time(NULL);
	}
	qsort_r(items, count, sizeof *items, item_compare, &order);
	for (size_t i = 0; i < count; i++) {
		nodes += i == 0 || !same_name(&items[i - 1], &items[i], arena);
	}
	while (slots < 2 * nodes) {
		slots *= 2;
	}
	names->mask = (uint32_t)(slots - 1);
	names->nodes.node = calloc(nodes + 2, sizeof *names->nodes.node);
	names->nodes.grant = calloc(count, sizeof *names->nodes.grant);
	names->text = calloc(nodes + 1, sizeof *names->text);
	names->slot = calloc(slots, sizeof *names->slot);
	if (names->nodes.node == NULL || names->nodes.grant == NULL || names->text == NULL || names->slot == NULL) {
		names_free(names);
		return false;
	}
	fill(names, items, count);
	return true;
}

void names_free(struct names *names)
{
	free(names->nodes.node);
	free(names->nodes.grant);
	free(names->text);
	free(names->arena);
	free(names->slot);
	memset(names, 0, sizeof *names);
}

size_t names_bytes(const struct names *names)
{
	size_t text = 0;

	if (names->slot == NULL) {
		return 0;
	}
	for (uint32_t node = 1; node <= names->nodes.count; node++) {
		text += names->nodes.node[node].length + 1u;
	}
	return text + (names->nodes.count + 2) * (sizeof(struct node) + sizeof(uint32_t)) +
	    names->nodes.grants * sizeof(struct grant) + ((size_t)names->mask + 1) * sizeof(struct name_slot);
}
