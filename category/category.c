/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a category: its services, its entries, and those that hold an address, a name or a client. */
#include <config.h>

#include "category/lines.h"

#include <stdlib.h>
#include <string.h>

void category_free(struct category *category)
{
	if (category == NULL) {
		return;
	}
	struct builder lists = {
		.service = category->service, .services = category->services,
		.block = category->block, .blocks = category->blocks,
		.file = category->file, .files = category->files,
		.ports = category->ports, .port_sets = category->port_sets,
		.client_set = category->client_set, .client_sets = category->client_sets,
	};
	builder_free(&lists);
	for (int i = 0; i < 2; i++) {
		prefixes_free(&category->address[i]);
		prefixes_free(&category->client[i]);
	}
	names_free(&category->names);
	free(category);
}

void category_count(const struct category *category, struct category_counts *counts)
{
	memset(counts, 0, sizeof *counts);
	counts->services = category->services;
	counts->files = category->files;
	counts->refused_files = category->refused_files;
	counts->names = category->names.nodes.count;
	counts->bytes = sizeof *category + names_bytes(&category->names) + category->port_sets * sizeof *category->ports +
	    category->blocks * sizeof *category->block;
	for (int i = 0; i < 2; i++) {
		counts->addresses += category->address[i].nodes.count;
		counts->clients += category->client[i].nodes.count;
		counts->bytes += prefixes_bytes(&category->address[i]) + prefixes_bytes(&category->client[i]);
	}
}

uint64_t category_serial(const struct category *category)
{
	return category->serial;
}

size_t category_services(const struct category *category)
{
	return category->services;
}

void category_service(const struct category *category, size_t index, struct service_view *view)
{
	const struct service *service = &category->service[index];

	view->name = service->name;
	view->title = service->title == NULL ? "" : service->title;
	view->file = category->file[service->file].path;
	view->state = service->state;
	view->addresses = service->addresses;
	view->names = service->names;
}

size_t category_sources(const struct category *category)
{
	size_t count = 0;

	for (uint16_t i = 0; i < category->blocks; i++) {
		count += category->block[i].service != UINT16_MAX; /* that is `clients` */
	}
	return count;
}

void category_source(const struct category *category, size_t index, int32_t today, struct source_view *view)
{
	const struct block *block = category->block;

	while (block->service == UINT16_MAX || index-- > 0) {
		block++;
	}
	view->service = category->service[block->service].name;
	view->file = category->file[block->file].path;
	view->source = block->source[0] == '\0' ? view->file : block->source;
	view->date = block->date;
	view->expires = block->expires;
	view->addresses = block->addresses;
	view->names = block->names;
	view->expired = today > block->expiry;
}

/* Shows the grants of one node. Returns false if visit wants no more. */
static bool visit_node(const struct category *category, const struct nodes *nodes, uint32_t node, struct entry *entry,
    entry_visit *visit, void *context)
{
	const struct node *at = node_at(nodes, node);

	for (uint32_t i = 0; i < at->grants; i++) {
		const struct grant *grant = &node_grants(nodes, at)[i];
		const struct block *block = &category->block[grant->block];

		entry->file = category->file[block->file].path;
		entry->line = grant->line;
		entry->source = block->source[0] == '\0' ? entry->file : block->source;
		entry->date = block->date;
		entry->expires = block->expires;
		if (entry->kind == ENTRY_CLIENT) {
			entry->service = NULL;
			entry->services = category->client_set[grant->ports].names;
			entry->ports = NULL;
		} else {
			entry->service = category->service[block->service].name;
			entry->services = NULL;
			entry->ports = &category->ports[grant->ports];
		}
		if (!visit(context, entry)) {
			return false;
		}
	}
	return true;
}

static bool visit_prefix(const struct category *category, const struct prefixes *prefixes, enum entry_kind kind,
    uint32_t node, entry_visit *visit, void *context)
{
	struct entry entry = {.kind = kind, .prefix = prefixes_prefix(prefixes, node)};

	prefix_format(&entry.prefix, entry.rule);
	return visit_node(category, &prefixes->nodes, node, &entry, visit, context);
}

static bool visit_name(const struct category *category, uint32_t node, entry_visit *visit, void *context)
{
	const struct names *names = &category->names;
	const struct node *at = node_at(&names->nodes, node);
	struct entry entry = {.kind = ENTRY_NAME};

	memcpy(entry.rule, node_text(at), at->length + 1u);
	return visit_node(category, &names->nodes, node, &entry, visit, context);
}

static bool visit_prefixes(const struct category *category, const struct prefixes prefixes[2], enum entry_kind kind,
    entry_visit *visit, void *context)
{
	for (int i = 0; i < 2; i++) {
		const struct nodes *nodes = &prefixes[i].nodes;

		for (uint32_t node = NODE_FIRST; node < nodes->end; node = node_next(nodes, node)) {
			if (!visit_prefix(category, &prefixes[i], kind, node, visit, context)) {
				return false;
			}
		}
	}
	return true;
}

void category_entries(const struct category *category, entry_visit *visit, void *context)
{
	if (!visit_prefixes(category, category->address, ENTRY_ADDRESS, visit, context)) {
		return;
	}
	const struct nodes *nodes = &category->names.nodes;
	for (uint32_t node = NODE_FIRST; node < nodes->end; node = node_next(nodes, node)) {
		if (!visit_name(category, node, visit, context)) {
			return;
		}
	}
	(void)visit_prefixes(category, category->client, ENTRY_CLIENT, visit, context);
}

static void visit_chain(const struct category *category, const struct prefixes prefixes[2], enum entry_kind kind,
    const struct address *address, entry_visit *visit, void *context)
{
	const struct prefixes *table = &prefixes[address->family == IPV4 ? 0 : 1];

	for (uint32_t node = lines_lookup(table, address).node; node != NODE_NONE; node = node_at(&table->nodes, node)->parent) {
		if (!visit_prefix(category, table, kind, node, visit, context)) {
			return;
		}
	}
}

void category_entries_of_address(const struct category *category, const struct address *address, entry_visit *visit,
    void *context)
{
	visit_chain(category, category->address, ENTRY_ADDRESS, address, visit, context);
}

void category_entries_of_client(const struct category *category, const struct address *client, entry_visit *visit,
    void *context)
{
	visit_chain(category, category->client, ENTRY_CLIENT, client, visit, context);
}

void category_entries_of_name(const struct category *category, const char *name, entry_visit *visit, void *context)
{
	const struct names *names = &category->names;

	for (uint32_t node = names_lookup(names, name, strlen(name)); node != NODE_NONE;
	     node = node_at(&names->nodes, node)->parent) {
		if (!visit_name(category, node, visit, context)) {
			return;
		}
	}
}
