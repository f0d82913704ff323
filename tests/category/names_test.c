/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name table against a plain walk over the list: random hosts and domains of many services, asked for themselves,
 * for what is above, below and beside them; for the entries that hold a name, and for the decision. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 20000, SERVICES = 26, NAME_ROOM = 96 };

struct item {
	char name[NAME_ROOM]; /* without the dot in front */
	bool below;
	unsigned service;
	uint32_t line;
	unsigned port; /* 0: any */
};

static struct item items[MOST];
static size_t count;

/* Labels of few letters, so that many names share an end; kinds: how many labels there are. */
static void chance_name(char name[NAME_ROOM], unsigned kinds, unsigned labels)
{
	size_t at = 0;

	for (unsigned i = 0; i < labels; i++) {
		unsigned label = (unsigned)chance(kinds);

		at += (size_t)snprintf(
		    name + at, NAME_ROOM - at, "%s%c%s", i == 0 ? "" : ".", (char)('a' + label % 26), label < 26 ? "" : "-x");
		if (label >= 52) {
			at += (size_t)snprintf(name + at, NAME_ROOM - at, "%u", label);
		}
	}
}

static struct category *make(const char *folder, size_t wanted, unsigned kinds)
{
	static const char *const ports[] = {"", " tcp 80", " tcp 443"};
	static char *content[SERVICES];
	static size_t length[SERVICES];
	static uint32_t lines[SERVICES];

	for (unsigned i = 0; i < SERVICES; i++) {
		content[i] = malloc((NAME_ROOM + 32) * (wanted + 1));
		assert_non_null(content[i]);
		length[i] = (size_t)snprintf(content[i], 64, "service %c\n", 'a' + (char)i);
		lines[i] = 1;
	}
	for (count = 0; count < wanted; count++) {
		struct item *item = &items[count];

		chance_name(item->name, kinds, 1 + (unsigned)chance(6));
		item->below = chance(2) == 0;
		item->service = (unsigned)chance(SERVICES);
		item->line = ++lines[item->service];
		item->port = (unsigned)chance(3);
		length[item->service] += (size_t)snprintf(content[item->service] + length[item->service], NAME_ROOM + 32,
		    "name %s%s%s wide\n", item->below ? "." : "", item->name, ports[item->port]);
	}
	for (unsigned i = 0; i < SERVICES; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "%c.service", 'a' + (char)i);
		put_bytes(folder, name, content[i], length[i]);
		free(content[i]);
	}
	return load_good(folder);
}

static bool item_holds(const struct item *item, const char *name)
{
	size_t length = strlen(name), tail = strlen(item->name);

	if (!item->below) {
		return strcmp(item->name, name) == 0;
	}
	return length >= tail && strcmp(name + length - tail, item->name) == 0 &&
	    (length == tail || name[length - tail - 1] == '.');
}

/* The host first, then the longest domain. */
static int by_length(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left, *b = *(const struct item *const *)right;
	size_t a_length = strlen(a->name), b_length = strlen(b->name);

	if (a->below != b->below) {
		return a->below ? 1 : -1;
	}
	if (a_length != b_length) {
		return a_length > b_length ? -1 : 1;
	}
	if (a->service != b->service) {
		return a->service < b->service ? -1 : 1;
	}
	return a->line < b->line ? -1 : a->line > b->line;
}

static const struct item *held[MOST];

static size_t walk(const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (item_holds(&items[i], name)) {
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
	assert_int_equal(entry->kind, ENTRY_NAME);
	assert_int_equal(entry->rule[0] == '.', item->below);
	assert_string_equal(entry->rule + item->below, item->name);
	assert_int_equal(entry->line, item->line);
	assert_int_equal(entry->service[0] - 'a', item->service);
	return true;
}

static void expected_answer(size_t found, unsigned port, char *out, size_t size)
{
	const struct item *best = NULL;
	unsigned others = 0, last = SERVICES;
	char also[64] = "";
	size_t at = 0;

	for (size_t i = 0; i < found; i++) {
		if (held[i]->port != 0 && held[i]->port != port) {
			continue;
		}
		if (best == NULL) {
			best = held[i];
		} else if (held[i]->below != best->below || strcmp(held[i]->name, best->name) != 0) {
			break;
		} else if (held[i]->service != best->service && held[i]->service != last && others++ < 16) {
			last = held[i]->service;
			at += (size_t)snprintf(also + at, sizeof also - at, "%s%c", at == 0 ? "" : ",", (char)('a' + last));
		}
	}
	if (best == NULL) {
		(void)snprintf(out, size, "normal %s", found == 0 ? "no-entry" : "other-port");
		return;
	}
	(void)snprintf(out, size, "bypass %c %s%s name%s%s", (char)('a' + best->service), best->below ? "." : "",
	    best->name, at == 0 ? "" : " also ", also);
}

static void compare(const struct category *category, const char *name)
{
	static const char *const ports[] = {"8080", "80", "443"};
	struct compare compared = {0, walk(name)};
	unsigned port = (unsigned)chance(3);
	char expected[256];

	category_entries_of_name(category, name, same_as_held, &compared);
	assert_int_equal(compared.at, compared.found);
	expected_answer(compared.found, port, expected, sizeof expected);
	assert_string_equal(ASK(category, EXPLICIT, .host = name, .port = ports[port]), expected);
}

/* The name, below it, above it, and what only looks like it. */
static void compare_around(const struct category *category, const char *name)
{
	char other[NAME_ROOM + 8];

	compare(category, name);
	(void)snprintf(other, sizeof other, "z.%s", name);
	compare(category, other);
	(void)snprintf(other, sizeof other, "a.b.%s", name);
	compare(category, other);
	(void)snprintf(other, sizeof other, "x%s", name);
	compare(category, other);
	(void)snprintf(other, sizeof other, "%s.a", name);
	compare(category, other);
	(void)snprintf(other, sizeof other, "%sa", name);
	compare(category, other);
	if (strchr(name, '.') != NULL) {
		compare(category, strchr(name, '.') + 1);
	}
}

static void same_as_a_walk(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 5, 12, 60, 300, 1000, 5000, MOST};
	static const unsigned kinds[] = {2, 4, 30, 1000};

	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		bool large = sizes[s] > 300;

		for (int round = 0; round < (large ? 2 : 12); round++) {
			unsigned of = kinds[large ? 2 + round % 2 : round % 4];
			struct category *category = make(*state, sizes[s], of);
			size_t asked = large ? 60 : sizes[s];

			for (size_t i = 0; i < asked; i++) {
				char name[NAME_ROOM];

				compare_around(category, items[large ? chance(count) : i].name);
				chance_name(name, of, 1 + (unsigned)chance(7));
				compare(category, name);
			}
			category_free(category);
		}
	}
}

static void whole_labels_only(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", "service x\nname .goto.example\nname meet.example\nname .com.example\n");
	struct category *category = load_good(folder);
	assert_string_equal(ASK(category, EXPLICIT, .host = "goto.example", .port = "1"), "bypass x .goto.example name");
	assert_string_equal(
	    ASK(category, EXPLICIT, .host = "a.b.goto.example", .port = "1"), "bypass x .goto.example name");
	assert_string_equal(ASK(category, EXPLICIT, .host = "A.Goto.Example.", .port = "1"), "bypass x .goto.example name");
	assert_string_equal(ASK(category, EXPLICIT, .host = "evilgoto.example", .port = "1"), "normal no-entry");
	assert_string_equal(ASK(category, EXPLICIT, .host = "evil-goto.example", .port = "1"), "normal no-entry");
	assert_string_equal(ASK(category, EXPLICIT, .host = "goto.example.evil", .port = "1"), "normal no-entry");
	assert_string_equal(ASK(category, EXPLICIT, .host = "meet.example", .port = "1"), "bypass x meet.example name");
	assert_string_equal(ASK(category, EXPLICIT, .host = "a.meet.example", .port = "1"), "normal no-entry");
	assert_string_equal(ASK(category, EXPLICIT, .host = "example", .port = "1"), "normal no-entry");
	category_free(category);
}

/* A host and the domain of the same name: the host decides, whatever the domain has besides. */
static void host_before_its_domain(void **state)
{
	const char *folder = *state;

	put(folder, "a.service", "service a\nname .meet.example\n");
	put(folder, "b.service", "service b\nname meet.example\n");
	struct category *category = load_good(folder);
	assert_string_equal(ASK(category, EXPLICIT, .host = "meet.example", .port = "1"), "bypass b meet.example name");
	assert_string_equal(
	    ASK(category, EXPLICIT, .host = "meet.example", .port = "1", .arguments = "a"), "bypass a .meet.example name");
	category_free(category);
}

/* The longest name of all, and the one with the most labels. */
static void longest_names(void **state)
{
	char text[600], name[254];
	const char *folder = *state;

	for (size_t i = 0; i < sizeof name - 1; i++) {
		name[i] = i % 2 == 0 ? 'a' : '.';
	}
	name[sizeof name - 1] = '\0';
	(void)snprintf(text, sizeof text, "service x\nname .%s\nname .a.a\n", name);
	put(folder, "x.service", text);
	struct category *category = load_good(folder);
	const char *answer = ASK(category, EXPLICIT, .host = name, .port = "1");
	(void)snprintf(text, sizeof text, "bypass x .%s name", name);
	assert_string_equal(answer, text);
	assert_string_equal(ASK(category, EXPLICIT, .host = name + 2, .port = "1"), "bypass x .a.a name");
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_as_a_walk, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(whole_labels_only, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(host_before_its_domain, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(longest_names, folder_setup, folder_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
