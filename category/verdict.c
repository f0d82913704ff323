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
	const struct node *node = node_at(&category->names.nodes, verdict->node);
	memcpy(out, node_text(node), node->length + 1u);
	return node->length;
}

/* Whether one of the first so many grants has the same source and service as the one behind them. */
static bool said_before(const struct category *category, const struct grant *grant, uint32_t count)
{
	const struct block *block = &category->block[grant[count].block];

	for (uint32_t i = 0; i < count; i++) {
		const struct block *other = &category->block[grant[i].block];

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
	const struct node *node = node_at(nodes, verdict->node);
	const struct grant *grant = node_grants(nodes, node);
	for (uint32_t i = 0; i < node->grants; i++) {
		const struct block *block = &category->block[grant[i].block];
		bool mine = verdict->evidence == EVIDENCE_CLIENT ? category->client_set[grant[i].ports].count == 0
		                                                 : block->service == verdict->service_index;

		if (mine && !said_before(category, grant, i)) {
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
