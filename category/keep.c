/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last good content of a file, taken from the category in force. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>

struct keeping {
	struct builder *builder;
	const struct category *previous;
	uint16_t old_file, new_file;
	int *block; /* the new number of each old block; -1: of another file */
};

static bool keep_blocks(struct keeping *keeping)
{
	const struct category *previous = keeping->previous;

	for (uint16_t i = 0; i < previous->blocks; i++) {
		const struct block *old = &previous->block[i];
		int service = UINT16_MAX;

		keeping->block[i] = -1;
		if (old->file != keeping->old_file) {
			continue;
		}
		if (old->service != UINT16_MAX) {
			service = builder_service(keeping->builder, previous->service[old->service].name, keeping->new_file);
		}
		keeping->block[i] = service < 0 ? -1
		    : builder_block(keeping->builder, (uint16_t)service, keeping->new_file, text_of(old->source));
		if (keeping->block[i] < 0) {
			return false;
		}
		struct block *new = &keeping->builder->block[keeping->block[i]];
		new->expiry = old->expiry;
		memcpy(new->date, old->date, sizeof new->date);
		memcpy(new->expires, old->expires, sizeof new->expires);
	}
	return true;
}

/* Returns whether the grant is of the kept file. */
static bool keep_grant(const struct keeping *keeping, const struct grant *old, bool clients, struct grant *new, bool *fine)
{
	int set;

	if (keeping->block[old->block] < 0) {
		return false;
	}
	if (clients) {
		struct client_set copy = keeping->previous->client_set[old->ports];

		copy.names = NULL; /* these stay with previous */
		if (copy.count > 0) {
			copy.service = calloc(copy.count, sizeof *copy.service);
			if (copy.service == NULL) {
				*fine = false;
				return false;
			}
			memcpy(copy.service, keeping->previous->client_set[old->ports].service, copy.count * sizeof *copy.service);
		}
		set = builder_client_set(keeping->builder, &copy);
	} else {
		set = builder_ports(keeping->builder, &keeping->previous->ports[old->ports]);
	}
	*fine = *fine && set >= 0;
	new->line = old->line;
	new->block = (uint16_t)keeping->block[old->block];
	new->ports = (uint16_t)set;
	return set >= 0;
}

static bool keep_prefixes(const struct keeping *keeping, const struct prefixes *from, struct items to[2], bool clients)
{
	bool fine = true;

	for (uint32_t node = NODE_FIRST; fine && node < from->nodes.end; node = node_next(&from->nodes, node)) {
		const struct node *at = node_at(&from->nodes, node);

		for (uint32_t i = 0; i < at->grants; i++) {
			struct grant grant;

			if (keep_grant(keeping, &node_grants(&from->nodes, at)[i], clients, &grant, &fine)) {
				struct prefix prefix = prefixes_prefix(from, node);

				fine = builder_prefix(keeping->builder, to, &prefix, &grant);
			}
		}
	}
	return fine;
}

static bool keep_names(const struct keeping *keeping)
{
	const struct names *from = &keeping->previous->names;
	bool fine = true;

	for (uint32_t node = NODE_FIRST; fine && node < from->nodes.end; node = node_next(&from->nodes, node)) {
		const struct node *at = node_at(&from->nodes, node);
		const char *text = node_text(at);
		bool below = text[0] == '.';

		for (uint32_t i = 0; i < at->grants; i++) {
			struct grant grant;

			if (keep_grant(keeping, &node_grants(&from->nodes, at)[i], false, &grant, &fine)) {
				fine = builder_name(keeping->builder, text + below, below, &grant);
			}
		}
	}
	return fine;
}

bool keep_file(struct builder *builder, const struct category *previous, uint16_t file, bool *kept)
{
	struct keeping keeping = {.builder = builder, .previous = previous, .new_file = file};
	bool fine, found = false;

	*kept = false;
	for (uint16_t i = 0; previous != NULL && i < previous->files && !found; i++) {
		/* A file that had no good content then has hash 0. */
		found = strcmp(previous->file[i].base, builder->file[file].base) == 0 && previous->file[i].hash != 0;
		keeping.old_file = i;
	}
	if (!found) {
		return true;
	}
	keeping.block = calloc(previous->blocks + 1u, sizeof *keeping.block);
	fine = keeping.block != NULL && keep_blocks(&keeping) &&
	    keep_prefixes(&keeping, &previous->address[0], builder->address, false) &&
	    keep_prefixes(&keeping, &previous->address[1], builder->address, false) &&
	    keep_prefixes(&keeping, &previous->client[0], builder->client, true) &&
	    keep_prefixes(&keeping, &previous->client[1], builder->client, true) && keep_names(&keeping);
	free(keeping.block);
	if (fine) {
		builder->file[file].hash = previous->file[keeping.old_file].hash;
		*kept = true;
		for (uint16_t i = 0; i < previous->services; i++) {
			const struct service *old = &previous->service[i];

			if (old->file == keeping.old_file) {
				int service = builder_service(builder, old->name, file);

				if (service >= 0 && builder->service[service].title == NULL && old->title != NULL) {
					builder->service[service].title = strdup(old->title);
				}
			}
		}
	}
	return fine;
}
