/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gathers what the files give, before the tables are made of it. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>

bool grow(void *list, size_t *room, size_t count, size_t size)
{
	void *old, *new;

	if (count < *room) {
		return true;
	}
	size_t more = *room == 0 ? 16 : *room * 2;
	memcpy(&old, list, sizeof old); /* list is the address of a pointer of any type */
	new = reallocarray(old, more, size);
	if (new == NULL) {
		return false;
	}
	memcpy(list, &new, sizeof new);
	*room = more;
	return true;
}

/* Room for one more element with a 16-bit number. */
static bool grow_numbered(struct builder *builder, void *list, size_t *room, size_t count, size_t size)
{
	if (count >= UINT16_MAX) {
		return false;
	}
	if (!grow(list, room, count, size)) {
		builder->out_of_memory = true;
		return false;
	}
	return true;
}

static char *copy_text(struct builder *builder, struct text text)
{
	char *copy = strndup(text.at == NULL ? "" : text.at, text.length);

	builder->out_of_memory = builder->out_of_memory || copy == NULL;
	return copy;
}

int builder_file(struct builder *builder, const char *path)
{
	if (!grow_numbered(builder, &builder->file, &builder->file_room, builder->files, sizeof *builder->file)) {
		return -1;
	}
	struct file *file = &builder->file[builder->files];
	memset(file, 0, sizeof *file);
	file->path = copy_text(builder, text_of(path));
	if (file->path == NULL) {
		return -1;
	}
	const char *slash = strrchr(file->path, '/');
	file->base = slash == NULL ? file->path : slash + 1;
	return (int)builder->files++;
}

int builder_service(struct builder *builder, const char *name, uint16_t file)
{
	for (size_t i = 0; i < builder->services; i++) {
		if (strcmp(builder->service[i].name, name) == 0) {
			return (int)i;
		}
	}
	if (!grow_numbered(builder, &builder->service, &builder->service_room, builder->services, sizeof *builder->service)) {
		return -1;
	}
	struct service *service = &builder->service[builder->services];
	memset(service, 0, sizeof *service);
	memcpy(service->name, name, strlen(name) + 1);
	service->file = file;
	service->state = SERVICE_OFF;
	return (int)builder->services++;
}

int builder_block(struct builder *builder, uint16_t service, uint16_t file, struct text source)
{
	if (!grow_numbered(builder, &builder->block, &builder->block_room, builder->blocks, sizeof *builder->block)) {
		return -1;
	}
	struct block *block = &builder->block[builder->blocks];
	memset(block, 0, sizeof *block);
	block->service = service;
	block->file = file;
	block->expiry = INT32_MAX;
	block->source = copy_text(builder, source);
	if (block->source == NULL) {
		return -1;
	}
	return (int)builder->blocks++;
}

static bool same_ports(const struct ports *a, const struct ports *b)
{
	if (a->any || b->any) {
		return a->any == b->any;
	}
	return a->count[TCP] == b->count[TCP] && a->count[UDP] == b->count[UDP] &&
	    memcmp(a->range[TCP], b->range[TCP], a->count[TCP] * sizeof a->range[TCP][0]) == 0 &&
	    memcmp(a->range[UDP], b->range[UDP], a->count[UDP] * sizeof a->range[UDP][0]) == 0;
}

int builder_ports(struct builder *builder, const struct ports *ports)
{
	for (size_t i = builder->port_sets; i > 0; i--) {
		if (same_ports(&builder->ports[i - 1], ports)) {
			return (int)(i - 1);
		}
	}
	if (!grow_numbered(builder, &builder->ports, &builder->port_room, builder->port_sets, sizeof *builder->ports)) {
		return -1;
	}
	builder->ports[builder->port_sets] = *ports;
	return (int)builder->port_sets++;
}

static void client_set_free(struct client_set *set)
{
	free(set->service);
	free(set->names);
}

int builder_client_set(struct builder *builder, const struct client_set *set)
{
	struct client_set new = *set;

	for (size_t i = builder->client_sets; i > 0; i--) {
		struct client_set *old = &builder->client_set[i - 1];

		if (old->count == new.count &&
		    (new.count == 0 || memcmp(old->service, new.service, new.count * sizeof *new.service) == 0)) {
			client_set_free(&new);
			return (int)(i - 1);
		}
	}
	if (!grow_numbered(builder, &builder->client_set, &builder->client_room, builder->client_sets,
	        sizeof *builder->client_set)) {
		client_set_free(&new);
		return -1;
	}
	if (new.count > 0) {
		new.names = calloc(new.count + 1u, sizeof *new.names);
		if (new.names == NULL) {
			builder->out_of_memory = true;
			client_set_free(&new);
			return -1;
		}
		for (unsigned i = 0; i < new.count; i++) {
			new.names[i] = new.service[i];
		}
	}
	builder->client_set[builder->client_sets] = new;
	return (int)builder->client_sets++;
}

bool builder_prefix(struct builder *builder, struct items items[2], const struct prefix *prefix, const struct grant *grant)
{
	struct items *to = &items[prefix->address.family == IPV4 ? 0 : 1];

	if (!grow(&to->list, &to->room, to->count, sizeof *to->list)) {
		builder->out_of_memory = true;
		return false;
	}
	to->list[to->count].key = address_key(&prefix->address);
	to->list[to->count].length = (uint8_t)prefix->length;
	to->list[to->count++].grant = *grant;
	return true;
}

bool builder_name(struct builder *builder, const char *name, bool below, const struct grant *grant)
{
	size_t length = strlen(name), needed = builder->arena_length + length + 2;

	if (needed > builder->arena_room) {
		size_t room = needed * 2 + 4096;
		char *arena = realloc(builder->arena, room);

		if (arena == NULL) {
			builder->out_of_memory = true;
			return false;
		}
		builder->arena = arena;
		builder->arena_room = room;
	}
	if (needed >= UINT32_MAX || !grow(&builder->name, &builder->name_room, builder->names, sizeof *builder->name)) {
		builder->out_of_memory = true;
		return false;
	}
	builder->name[builder->names].text = (uint32_t)builder->arena_length;
	builder->name[builder->names++].grant = *grant;
	if (below) {
		builder->arena[builder->arena_length++] = '.';
	}
	memcpy(builder->arena + builder->arena_length, name, length + 1);
	builder->arena_length += length + 1;
	return true;
}

void builder_free(struct builder *builder)
{
	for (size_t i = 0; i < builder->services; i++) {
		free(builder->service[i].title);
	}
	for (size_t i = 0; i < builder->blocks; i++) {
		free(builder->block[i].source);
	}
	for (size_t i = 0; i < builder->files; i++) {
		free(builder->file[i].path);
	}
	for (size_t i = 0; i < builder->client_sets; i++) {
		client_set_free(&builder->client_set[i]);
	}
	free(builder->service);
	free(builder->block);
	free(builder->file);
	free(builder->ports);
	free(builder->client_set);
	for (int i = 0; i < 2; i++) {
		free(builder->address[i].list);
		free(builder->client[i].list);
	}
	free(builder->name);
	free(builder->arena);
	memset(builder, 0, sizeof *builder);
}
