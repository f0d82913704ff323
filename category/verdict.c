/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verdict says: the entry that decided, its sources, the other services; and the words for all of it. */
#include <config.h>

#include "category/internal.h"

#include <string.h>

static const struct nodes *nodes_of(const struct verdict *verdict)
{
	const struct category *category = verdict->category;

	switch ((enum table)verdict->table) {
	case TABLE_ADDRESS4: return &category->address[0].nodes;
	case TABLE_ADDRESS6: return &category->address[1].nodes;
	case TABLE_CLIENT4: return &category->client[0].nodes;
	case TABLE_CLIENT6: return &category->client[1].nodes;
	case TABLE_NAMES: break;
	}
	return &category->names.nodes;
}

size_t verdict_rule(const struct verdict *verdict, char out[RULE_SIZE])
{
	const struct category *category = verdict->category;
	const struct prefixes *table = NULL;

	out[0] = '\0';
	if (verdict->kind != VERDICT_BYPASS && verdict->kind != VERDICT_UNDECIDED) {
		return 0;
	}
	switch ((enum table)verdict->table) {
	case TABLE_ADDRESS4: table = &category->address[0]; break;
	case TABLE_ADDRESS6: table = &category->address[1]; break;
	case TABLE_CLIENT4: table = &category->client[0]; break;
	case TABLE_CLIENT6: table = &category->client[1]; break;
	case TABLE_NAMES: break;
	}
	if (table != NULL) {
		struct prefix prefix = prefixes_prefix(table, verdict->node);

		return prefix_format(&prefix, out);
	}
	size_t length = category->names.nodes.node[verdict->node].length;
	memcpy(out, category->names.arena + category->names.text[verdict->node], length + 1);
	return length;
}

/* Whether an earlier grant of the node has the same source and service. */
static bool said_before(const struct category *category, const struct nodes *nodes, uint32_t first, uint32_t grant)
{
	const struct block *block = &category->block[nodes->grant[grant].block];

	for (uint32_t i = first; i < grant; i++) {
		const struct block *other = &category->block[nodes->grant[i].block];

		if (other == block || (other->service == block->service && strcmp(other->source, block->source) == 0 &&
		                          (block->source[0] != '\0' || other->file == block->file))) {
			return true;
		}
	}
	return false;
}

size_t verdict_source(const struct verdict *verdict, char *out, size_t size)
{
	const struct category *category = verdict->category;
	const struct nodes *nodes = nodes_of(verdict);
	size_t at = 0;

	if (size == 0) {
		return 0;
	}
	out[0] = '\0';
	if (verdict->kind != VERDICT_BYPASS && verdict->kind != VERDICT_UNDECIDED) {
		return 0;
	}
	uint32_t first = nodes->node[verdict->node].grant;
	for (uint32_t i = first; i < nodes->node[verdict->node + 1].grant; i++) {
		const struct block *block = &category->block[nodes->grant[i].block];
		bool mine = verdict->evidence == EVIDENCE_CLIENT ? category->client_set[nodes->grant[i].ports].count == 0
		                                                 : block->service == verdict->service_index;

		if (mine && !said_before(category, nodes, first, i)) {
			at = append_format(out, size, at, "%s%s", at == 0 ? "" : "; ",
			    block->source[0] == '\0' ? category->file[block->file].path : block->source);
		}
	}
	return at;
}

size_t verdict_also(const struct verdict *verdict, char *out, size_t size)
{
	size_t at = 0;

	if (size == 0) {
		return 0;
	}
	out[0] = '\0';
	for (unsigned i = 0; i < verdict->also_count; i++) {
		at = append_format(out, size, at, "%s%s", i == 0 ? "" : ",", verdict->category->service[verdict->also[i]].name);
	}
	return at;
}

const char *evidence_name(enum evidence evidence)
{
	switch (evidence) {
	case EVIDENCE_NONE: return NULL;
	case EVIDENCE_ADDRESS: return "address";
	case EVIDENCE_NAME: return "name";
	case EVIDENCE_CLIENT: return "client";
	}
	return NULL;
}

const char *miss_name(enum miss why)
{
	switch (why) {
	case MISS_NONE: return NULL;
	case MISS_NO_ENTRY: return "no-entry";
	case MISS_OTHER_PORT: return "other-port";
	case MISS_OTHER_SERVICE: return "other-service";
	case MISS_STALE: return "stale";
	case MISS_NAME_IGNORED: return "name-ignored";
	case MISS_NAME_REFUTED: return "name-refuted";
	case MISS_NAME_UNANSWERED: return "name-unanswered";
	case MISS_NAME_UNASKED: return "name-unasked";
	case MISS_CLIENT_UNKNOWN: return "client-unknown";
	case MISS_CLIENT: return "client-not-exempt";
	case MISS_SERVICE_OFF: return "service-off";
	case MISS_NOTHING_LOADED: return "nothing-loaded";
	}
	return NULL;
}
