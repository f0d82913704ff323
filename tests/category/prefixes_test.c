/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prefix tables against a plain walk over the list: random nested prefixes of many services, asked inside, outside
 * and at their edges, for the entries that hold an address and for the decision. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20000, SERVICES = 300 };

struct item {
	struct prefix prefix;
	unsigned service;
	uint32_t line;
	unsigned port; /* 0: any */
};

static struct item items[MOST];
static size_t count;
static char *content[SERVICES];
static size_t length[SERVICES];
static uint32_t lines[SERVICES];
static unsigned services; /* of this list: of a long one more than a line of the table can tell apart */

static struct prefix nested(enum family family)
{
	unsigned bits = family == IPV4 ? 32 : 128;
	struct prefix prefix = chance_prefix(family, family == IPV4 ? 8 : 19, bits);

	if (count > 0 && chance(3) > 0) { /* below or above another one, or the same */
		const struct prefix *other = &items[chance(count)].prefix;
		unsigned common = chance(4) == 0 ? other->length : 1 + (unsigned)chance(bits);

		for (unsigned bit = 0; bit < common && bit < other->length; bit++) {
			uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

			prefix.address.bytes[bit / 8] = (uint8_t)((prefix.address.bytes[bit / 8] & ~mask) |
			    (other->address.bytes[bit / 8] & mask));
		}
		prefix.length = chance(2) == 0 ? other->length : prefix.length;
		prefix.address = first_of(&prefix);
	} else if (chance(2) == 0) { /* all in one slot of the table */
		prefix.address.bytes[0] = family == IPV4 ? 203 : 0x20;
		prefix.address.bytes[1] = 1;
		prefix.length = prefix.length < 19 ? 19 : prefix.length;
		prefix.address = first_of(&prefix);
	}
	return prefix;
}

/* Only the public part of the space may stand in a file. */
static bool is_allowed(const struct prefix *prefix)
{
	unsigned first = prefix->address.bytes[0];

	if (prefix->address.family == IPV6) {
		return first >= 0x20 && first < 0x40;
	}
	return first == 203 || (first > 0 && first < 100 && first != 10);
}

static void add(const struct prefix *prefix)
{
	static const char *const ports[] = {"", " tcp 80", " tcp 443"};
	struct item *item = &items[count++];
	char rule[PREFIX_TEXT_SIZE];

	*item = (struct item){*prefix, (unsigned)chance(services), 0, (unsigned)chance(3)};
	item->line = ++lines[item->service];
	prefix_format(prefix, rule);
	length[item->service] += (size_t)snprintf(
	    content[item->service] + length[item->service], 64, "address %s%s\n", rule, ports[item->port]);
}

/* Makes wanted entries, and loads them. */
static struct category *make(const char *folder, enum family family, size_t wanted)
{
	count = 0;
	services = wanted < 1000 ? 40 : SERVICES;
	for (unsigned i = 0; i < services; i++) {
		free(content[i]);
		content[i] = malloc(64 * (wanted + 2));
		assert_non_null(content[i]);
		length[i] = (size_t)snprintf(content[i], 64, "service s%03u\n", i);
		lines[i] = 1;
	}
	while (count < wanted) {
		struct prefix prefix = nested(family);

		if (is_allowed(&prefix)) {
			add(&prefix);
		}
	}
	for (unsigned i = 0; i < services; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "s%03u.service", i);
		put_bytes(folder, name, content[i], length[i]);
		free(content[i]);
		content[i] = NULL;
	}
	return load_good(folder);
}

static int by_length(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left, *b = *(const struct item *const *)right;

	if (a->prefix.length != b->prefix.length) {
		return a->prefix.length > b->prefix.length ? -1 : 1;
	}
	if (a->service != b->service) {
		return a->service < b->service ? -1 : 1;
	}
	return a->line < b->line ? -1 : a->line > b->line;
}

/* The walk: all that hold the address, the longest first. */
static const struct item *held[MOST];

static size_t walk(const struct address *address)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (prefix_holds(&items[i].prefix, address)) {
			held[found++] = &items[i];
		}
	}
	qsort(held, found, sizeof held[0], by_length);
	return found;
}

struct compare {
	size_t at, found;
};

static bool same_as_held(void *context, const struct entry *entry)
{
	struct compare *compare = context;

	assert_true(compare->at < compare->found);
	const struct item *item = held[compare->at++];
	assert_int_equal(entry->kind, ENTRY_ADDRESS);
	assert_int_equal(entry->prefix.length, item->prefix.length);
	assert_memory_equal(&entry->prefix.address, &item->prefix.address, sizeof item->prefix.address);
	assert_int_equal(entry->line, item->line);
	assert_int_equal(strtoul(entry->service + 1, NULL, 10), item->service);
	return true;
}

/* What the first of held that allows the port decides, as answer_to writes it. */
static void expected_answer(size_t found, unsigned port, char *out, size_t size)
{
	char rule[PREFIX_TEXT_SIZE], also[512] = "";
	const struct item *best = NULL;
	unsigned others = 0, last = SERVICES;
	size_t at = 0;

	for (size_t i = 0; i < found; i++) {
		if (held[i]->port != 0 && held[i]->port != port) {
			continue;
		}
		if (best == NULL) {
			best = held[i];
		} else if (held[i]->prefix.length != best->prefix.length) {
			break;
		} else if (held[i]->service != best->service && held[i]->service != last && others++ < 16) {
			last = held[i]->service;
			at += (size_t)snprintf(also + at, sizeof also - at, "%ss%03u", at == 0 ? "" : ",", last);
		}
	}
	if (best == NULL) {
		(void)snprintf(out, size, "normal %s", found == 0 ? "no-entry" : "other-port");
		return;
	}
	prefix_format(&best->prefix, rule);
	(void)snprintf(out, size, "bypass s%03u %s address%s%s", best->service, rule, at == 0 ? "" : " also ", also);
}

static void compare(const struct category *category, const struct address *address)
{
	static const char *const ports[] = {"8080", "80", "443"};
	struct compare compared = {0, walk(address)};
	unsigned port = (unsigned)chance(3);
	char expected[1024], text[ADDRESS_TEXT_SIZE];

	category_entries_of_address(category, address, same_as_held, &compared);
	assert_int_equal(compared.at, compared.found);
	expected_answer(compared.found, port, expected, sizeof expected);
	address_format(address, text);
	if (address->family == IPV6 && memcmp(address->bytes, (const uint8_t[12]){0}, 10) == 0) {
		return; /* it may be written as IPv4 */
	}
	assert_string_equal(ASK(category, INTERCEPTED, .dst = text, .dport = ports[port]), expected);
}

static void compare_around(const struct category *category, const struct prefix *prefix)
{
	struct address address = first_of(prefix);

	compare(category, &address);
	if (before(&address)) {
		compare(category, &address);
	}
	address = last_of(prefix);
	compare(category, &address);
	if (after(&address)) {
		compare(category, &address);
	}
	address = last_of(prefix); /* somewhere inside */
	for (unsigned bit = prefix->length; bit < (address.family == IPV4 ? 32 : 128); bit++) {
		address.bytes[bit / 8] ^= (uint8_t)(chance(2) << (7 - bit % 8));
	}
	compare(category, &address);
}

static void same_as_a_walk(const char *folder, enum family family)
{
	static const size_t sizes[] = {1, 2, 3, 4, 7, 30, 200, 1000, 5000, MOST};

	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		size_t asked = sizes[s] <= 1000 ? sizes[s] : 400;

		for (int round = 0; round < (sizes[s] < 100 ? 20 : 1); round++) {
			struct category *category = make(folder, family, sizes[s]);

			for (size_t i = 0; i < asked; i++) {
				const struct prefix *prefix = &items[sizes[s] <= 1000 ? i : chance(count)].prefix;

				compare_around(category, prefix);
				struct prefix anywhere = chance_prefix(family, 32, 32);
				compare(category, &anywhere.address);
			}
			category_free(category);
		}
	}
}

static void ipv4_same_as_a_walk(void **state)
{
	same_as_a_walk(*state, IPV4);
}

static void ipv6_same_as_a_walk(void **state)
{
	same_as_a_walk(*state, IPV6);
}

/* One prefix of each length, all within one another, and all edges. */
static void chain_of_all_lengths(void **state)
{
	const char *folder = *state;

	for (int variant = 0; variant < 4; variant++) {
		enum family family = variant < 2 ? IPV4 : IPV6;
		unsigned bits = family == IPV4 ? 32 : 128, first = family == IPV4 ? 8 : 19;
		struct prefix deepest = {{family, {family == IPV4 ? 203 : 0x20, 1}}, bits}, prefix;

		deepest.address = first_of(&deepest);
		if (variant % 2 == 1) {
			prefix = (struct prefix){deepest.address, first};
			deepest.address = last_of(&prefix);
		}
		category_free(make(folder, family, 0));
		content[0] = malloc(64 * 130);
		assert_non_null(content[0]);
		length[0] = (size_t)snprintf(content[0], 64, "service s000\n");
		for (unsigned l = first; l <= bits; l++) {
			char rule[PREFIX_TEXT_SIZE];

			prefix = (struct prefix){deepest.address, l};
			prefix.address = first_of(&prefix);
			items[count++] = (struct item){prefix, 0, l - first + 2, 0};
			prefix_format(&prefix, rule);
			length[0] += (size_t)snprintf(content[0] + length[0], 64, "address %s\n", rule);
		}
		put_bytes(folder, "s000.service", content[0], length[0]);
		free(content[0]);
		content[0] = NULL;
		struct category *category = load_good(folder);
		for (size_t i = 0; i < count; i++) {
			compare_around(category, &items[i].prefix);
		}
		category_free(category);
	}
}

/* As many ranges in the last 16 bits of an address as there can be, below one that holds all. */
static void every_second_address(void **state)
{
	const char *folder = *state;
	size_t size = 32 * 32768 + 64;
	char *text = malloc(size);

	assert_non_null(text);
	size_t at = (size_t)snprintf(text, size, "service s000\naddress 203.1.0.0/16\n");
	for (unsigned i = 0; i < 65536; i += 2) {
		at += (size_t)snprintf(text + at, size - at, "address 203.1.%u.%u\n", i >> 8, i & 255);
	}
	put_bytes(folder, "s000.service", text, at);
	free(text);
	struct category *category = load_good(folder);
	for (unsigned i = 0; i < 65536; i++) {
		char address[32], expected[64];

		(void)snprintf(address, sizeof address, "203.1.%u.%u", i >> 8, i & 255);
		(void)snprintf(expected, sizeof expected, "bypass s000 %s address", i % 2 == 0 ? address : "203.1.0.0/16");
		assert_string_equal(ASK(category, INTERCEPTED, .dst = address, .dport = "443"), expected);
	}
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ipv4_same_as_a_walk, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(ipv6_same_as_a_walk, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(every_second_address, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(chain_of_all_lengths, folder_setup, folder_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
