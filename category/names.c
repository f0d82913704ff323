/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name table: from a host name to the longest entry that holds it.
 *
 * The name is hashed from its right end, eight bytes at a time; each dot gives the hash of what is behind it. These are
 * looked up as domains, and the whole as the host itself, the longest first, but only those of a length that the list has.
 * What is found is compared with the name, so a collision costs time, never a wrong answer. The seed is drawn anew for
 * each table, so that no list of names can be made to collide on purpose.
 * Weak where a name has very many labels: each may cost one look. */
#include <config.h>

#include "category/internal.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { HOST, DOMAIN, LABELS = 128 };

static uint64_t hash_step(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* Of the rest of a word, its last bytes; kind tells a domain from a host of the same text. */
static uint32_t hash_end(uint64_t hash, uint64_t word, size_t bytes, int kind)
{
	hash = hash_step(hash, bytes == 0 ? 0 : word >> (64 - 8 * bytes));
	return (uint32_t)((hash ^ (kind == DOMAIN ? 0x5bd1e995u : 0)) * 0xd6e8feb86659fd93u >> 32);
}

/* The last eight bytes of a text of length bytes, the very last one uppermost; 0 in front of a shorter one. */
static uint64_t last_word(const char *text, size_t length)
{
	uint64_t word = 0;

	if (length >= 8) {
		memcpy(&word, text + length - 8, 8);
		return le64toh(word);
	}
	for (size_t i = 0; i < length; i++) {
		word = word >> 8 | (uint64_t)(unsigned char)text[i] << 56;
	}
	return word;
}

/* 0x80 in the place of each byte that is a dot. */
static uint64_t dots_of(uint64_t word)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7fu;

	word ^= 0x2e2e2e2e2e2e2e2eu;
	return ~(((word & low) + low) | word | low);
}

static bool length_known(const struct names *names, int kind, size_t length)
{
	return (names->lengths[kind][length / 64 % 4] >> length % 64 & 1) != 0;
}

/* The node of text, which must be the whole rest of the name (below: behind its dot). */
static uint32_t find(const struct names *names, uint32_t hash, const char *text, size_t length, bool below)
{
	for (uint32_t at = hash & names->mask; names->slot[at].node != NODE_NONE; at = (at + 1) & names->mask) {
		if (names->slot[at].hash == hash) {
			const struct node *node = node_at(&names->nodes, names->slot[at].node);
			const char *entry = node_text(node);

			if (node->length == length + below && (entry[0] == '.') == below &&
			    memcmp(entry + below, text, length) == 0) {
				return names->slot[at].node;
			}
		}
	}
	return NODE_NONE;
}

/* The ends of a name that may be entries: their hashes. */
struct ends {
	uint32_t host;
	uint32_t domain[LABELS];
	uint8_t length[LABELS];
	size_t domains; /* the shortest first */
};

static void add_domain(const struct names *names, struct ends *ends, uint64_t hash, uint64_t word, size_t bytes, size_t length)
{
	if (length_known(names, DOMAIN, length) && ends->domains < LABELS) {
		uint32_t end = hash_end(hash, word, bytes, DOMAIN);

		__builtin_prefetch(&names->slot[end & names->mask]); /* of a large list, memory is what takes the time */
		ends->domain[ends->domains] = end;
		ends->length[ends->domains++] = (uint8_t)length;
	}
}

static void hash_ends(const struct names *names, const char *name, size_t length, struct ends *ends)
{
	uint64_t hash = names->seed;
	size_t left = length;

	ends->domains = 0;
	for (;;) {
		uint64_t word = last_word(name, left);

		for (uint64_t dots = dots_of(word); dots != 0;) {
			unsigned bytes = (unsigned)__builtin_clzll(dots) / 8; /* behind the last dot */

			add_domain(names, ends, hash, word, bytes, length - left + bytes);
			dots ^= (uint64_t)0x80 << (56 - 8 * bytes);
		}
		if (left < 8) {
			add_domain(names, ends, hash, word, left, length);
			ends->host = hash_end(hash, word, left, HOST);
			return;
		}
		hash = hash_step(hash, word);
		left -= 8;
	}
}

/* skip_host leaves out the host's own entry, and skip_domain also its domain's: what is left is what holds that entry. */
static uint32_t longest(const struct names *names, const char *name, size_t length, bool skip_host, bool skip_domain)
{
	uint32_t node = NODE_NONE;
	struct ends ends;

	if (names->slot == NULL || length == 0 || length >= NAME_SIZE) {
		return NODE_NONE;
	}
	hash_ends(names, name, length, &ends);
	if (!skip_host && length_known(names, HOST, length)) {
		node = find(names, ends.host, name, length, false);
	}
	for (size_t i = ends.domains; i > 0 && node == NODE_NONE; i--) {
		size_t end = ends.length[i - 1];

		if (end < length || !skip_domain) {
			node = find(names, ends.domain[i - 1], name + length - end, end, true);
		}
	}
	return node;
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

static void insert(struct names *names, uint32_t number)
{
	const struct node *node = node_at(&names->nodes, number);
	const char *text = node_text(node);
	int kind = text[0] == '.' ? DOMAIN : HOST;
	size_t length = node->length - (kind == DOMAIN ? 1u : 0u);
	uint64_t hash = names->seed;
	size_t left = length;

	text += kind == DOMAIN;
	for (; left >= 8; left -= 8) {
		hash = hash_step(hash, last_word(text, left));
	}
	uint32_t end = hash_end(hash, last_word(text, left), left, kind), at = end & names->mask;
	while (names->slot[at].node != NODE_NONE) {
		at = (at + 1) & names->mask;
	}
	names->slot[at].hash = end;
	names->slot[at].node = number;
	names->lengths[kind][length / 64 % 4] |= (uint64_t)1 << length % 64;
}

static void fill(struct names *names, const char *arena, const struct name_item *items, size_t count)
{
	struct nodes *nodes = &names->nodes;
	uint32_t number = NODE_NONE;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !same_name(&items[i - 1], &items[i], arena)) {
			const char *text = arena + items[i].text;
			size_t length = strlen(text);

			number = nodes_put(nodes, length, text, length + 1);
			insert(names, number);
		}
		nodes_grant(nodes, number, &items[i].grant);
	}
	for (number = NODE_FIRST; number < nodes->end; number = node_next(nodes, number)) {
		struct node *node = node_at(nodes, number);
		const char *text = node_text(node);
		bool below = text[0] == '.';

		node->parent = longest(names, text + below, node->length - below, true, below);
	}
}

bool names_build(struct names *names, const char *arena, struct name_item *items, size_t count, const uint16_t *rank)
{
	struct order order = {arena, rank};
	size_t words = count * GRANT_WORDS, nodes = 0, slots = 16;

	memset(names, 0, sizeof *names);
	if (count == 0) {
		return true;
	}
	if (count > GRANTS_MOST) {
		return false;
	}
	if (getrandom(&names->seed, sizeof names->seed, GRND_NONBLOCK) != (ssize_t)sizeof names->seed) {
		names->seed = (uint64_t)time(NULL);
	}
	qsort_r(items, count, sizeof *items, item_compare, &order);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !same_name(&items[i - 1], &items[i], arena)) {
			nodes++;
			words += NODE_WORDS + (strlen(arena + items[i].text) + 4) / 4;
		}
	}
	while (slots < 2 * nodes) {
		slots *= 2;
	}
	names->mask = (uint32_t)(slots - 1);
	names->slot = pages_new(slots * sizeof *names->slot);
	if (!nodes_begin(&names->nodes, words, 0) || names->slot == NULL) {
		names_free(names);
		return false;
	}
	memset(names->slot, 0, slots * sizeof *names->slot); /* NODE_NONE */
	fill(names, arena, items, count);
	return true;
}

void names_free(struct names *names)
{
	free(names->nodes.word);
	free(names->slot);
	memset(names, 0, sizeof *names);
}

size_t names_bytes(const struct names *names)
{
	return names->slot == NULL ? 0
	    : nodes_bytes(&names->nodes) + ((size_t)names->mask + 1) * sizeof(struct name_slot);
}
