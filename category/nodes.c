/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes and their grants, put one behind the other into one piece of memory. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>

bool nodes_begin(struct nodes *nodes, size_t words, uint32_t key_words)
{
	memset(nodes, 0, sizeof *nodes);
	nodes->key_words = key_words;
	nodes->end = NODE_FIRST;
	nodes->word = words > UINT32_MAX - NODE_FIRST ? NULL : pages_new((NODE_FIRST + words) * sizeof *nodes->word);
	return nodes->word != NULL;
}

uint32_t nodes_put(struct nodes *nodes, size_t length, const void *key, size_t key_size)
{
	uint32_t number = nodes->end;
	struct node *node = node_at(nodes, number);

	node->parent = NODE_NONE;
	node->length = length & 0xff;
	node->grants = 0;
	memcpy(node->key, key, key_size);
	nodes->end = node_next(nodes, number);
	nodes->count++;
	return number;
}

void nodes_grant(struct nodes *nodes, uint32_t number, const struct grant *grant)
{
	struct node *node = node_at(nodes, number);

	node_grants(nodes, node)[node->grants] = *grant;
	node->grants = (node->grants + 1) & GRANTS_MOST;
	nodes->end += GRANT_WORDS;
}

size_t nodes_bytes(const struct nodes *nodes)
{
	return nodes->end * sizeof *nodes->word;
}

int grant_compare(const struct grant *a, const struct grant *b, const uint16_t *rank)
{
	int order = (int)rank[a->block] - (int)rank[b->block];

	if (order == 0) {
		order = (int)a->block - (int)b->block;
	}
	return order != 0 ? order : a->line == b->line ? 0 : a->line < b->line ? -1 : 1;
}
