/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How near a destination that wasn't exempt is to the category: on another port, by name only, switched off. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <stdio.h>
#include <string.h>

bool dst_parse(struct text dst, struct address *address, uint16_t *port)
{
	struct refusal why;
	uint32_t number = 0;
	size_t colon;

	if (dst.at == NULL)
		return false;
	for (colon = dst.length; colon > 0 && dst.at[colon - 1] != ':';)
		colon--;
	if (colon == 0 || dst.length - colon == 0 || dst.length - colon > 5)
		return false;
	for (size_t i = colon; i < dst.length; i++) {
		if (dst.at[i] < '0' || dst.at[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(dst.at[i] - '0');
	}
	*port = (uint16_t)number;
	dst.length = colon - 1;
	return number <= UINT16_MAX && address_parse(dst, address, &why);
}

/* The entries that hold a destination, the nearest one first. */
struct search {
	struct nearness *nearness;
	uint16_t port;
	bool held, found;
};

static bool consider(void *context, const struct entry *entry)
{
	struct search *search = context;
	bool allows = ports_allow(entry->ports, TCP, search->port);

	if (search->found && !allows)
		return true;
	search->found = true;
	search->held = allows;
	search->nearness->service = entry->service;
	snprintf(search->nearness->rule, sizeof search->nearness->rule, "%s", entry->rule);
	(void)ports_format(entry->ports, search->nearness->ports, sizeof search->nearness->ports);
	return !allows;
}

static enum near near_by_address(const struct category *category, const struct address *address, uint16_t port,
    struct nearness *nearness)
{
	struct search search = { .nearness = nearness, .port = port };

	category_entries_of_address(category, address, consider, &search);
	return search.held ? NEAR_HELD : search.found ? NEAR_OTHER_PORT : NEAR_NOT;
}

static enum near near_by_name(const struct category *category, struct text text, uint16_t port, struct nearness *nearness)
{
	struct search search = { .nearness = nearness, .port = port };
	struct refusal why;
	char name[NAME_SIZE];

	if (text.at == NULL || text.length == 0 || !name_parse(text, name, &why))
		return NEAR_NOT;
	category_entries_of_name(category, name, consider, &search);
	return search.held ? NEAR_HELD : search.found ? NEAR_OTHER_PORT : NEAR_NOT;
}

/* Where the client's destination is known a name is a claim; else it is where Squid would have connected to. */
static enum near look(const struct category *category, const struct went_to *to, struct nearness *nearness)
{
	struct address address;
	struct refusal why;
	uint16_t port = to->port;
	enum near near;

	if (dst_parse(to->dst, &address, &port)) {
		near = near_by_address(category, &address, port, nearness);
		if (near == NEAR_NOT && near_by_name(category, to->name, port, nearness) != NEAR_NOT)
			near = NEAR_NAME_ONLY;
		return near;
	}
	if (to->name.at != NULL && to->name.length > 0 && address_parse(to->name, &address, &why))
		return near_by_address(category, &address, port, nearness);
	return near_by_name(category, to->name, port, nearness);
}

void near_find(const struct category *category, const struct category *off, const struct went_to *to,
    struct nearness *nearness)
{
	memset(nearness, 0, sizeof *nearness);
	nearness->service = "";
	nearness->near = look(category, to, nearness);
	/* A service that is on comes first, unless it has the name alone. */
	if (off != NULL && (nearness->near == NEAR_NOT || nearness->near == NEAR_NAME_ONLY)) {
		struct nearness other = { .service = "" };
		enum near near = look(off, to, &other);

		if (near == NEAR_HELD || (near != NEAR_NOT && nearness->near == NEAR_NOT)) {
			*nearness = other;
			nearness->near = NEAR_OFF;
		}
	}
}

/* Whether an entry holds it at all doesn't depend on the port. What a name is worth depends on whether there is an
 * address: else the name may be one. */
enum { BY_NAME_BESIDE = 1, BY_NAME_ALONE = 2, BY_ADDRESS = 4 };

unsigned near_bits_of_dst(const struct category *category, const struct category *off, struct text dst)
{
	struct nearness nearness;
	struct address address;
	uint16_t port;

	if (!dst_parse(dst, &address, &port))
		return BY_NAME_ALONE;
	return BY_NAME_BESIDE | (near_by_address(category, &address, port, &nearness) != NEAR_NOT ||
	    (off != NULL && near_by_address(off, &address, port, &nearness) != NEAR_NOT) ? BY_ADDRESS : 0);
}

unsigned near_bits_of_name(const struct category *category, const struct category *off, struct text name)
{
	const struct category *const both[] = { category, off };
	const struct went_to alone = { .name = name };
	struct nearness nearness;
	unsigned bits = BY_ADDRESS;

	for (size_t i = 0; i < 2; i++) {
		if (both[i] != NULL && near_by_name(both[i], name, 0, &nearness) != NEAR_NOT)
			bits |= BY_NAME_BESIDE;
		if (both[i] != NULL && look(both[i], &alone, &nearness) != NEAR_NOT)
			bits |= BY_NAME_ALONE;
	}
	return bits;
}
