/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random services: what is exported holds an address on a port exactly where some entry does, and no name twice. */
#include <config.h>

#include "feeds/internal.h"
#include "tests/category/fixture.h"

#include <stdlib.h>
#include <string.h>

static void write_random(const char *folder)
{
	static const char *const ports[] = {"", " any", " tcp 443", " tcp 440-445,80", " udp 443", " tcp 443 udp 3478"};
	static const char *const names[] = {"a.example", ".a.example", "b.a.example", ".b.a.example", "c.b.a.example", "d.example"};
	char text[8192];
	size_t at = (size_t)snprintf(text, sizeof text, "service x\nsource S\nports tcp 80\n");

	for (size_t i = chance(30) + 1; i > 0; i--) {
		unsigned host = (unsigned)chance(8), first = (unsigned)chance(256) >> host << host;

		if (chance(2) == 0) {
			at += (size_t)snprintf(text + at, sizeof text - at, "address 8.8.8.%u/%u", first, 32 - host);
		} else if (first == 0) {
			at += (size_t)snprintf(text + at, sizeof text - at, "address 2600::/%u", 128 - host);
		} else {
			at += (size_t)snprintf(text + at, sizeof text - at, "address 2600::%x/%u", first, 128 - host);
		}
		at += (size_t)snprintf(text + at, sizeof text - at, "%s\n", ports[chance(6)]);
	}
	for (size_t i = chance(6); i > 0; i--) {
		at += (size_t)snprintf(text + at, sizeof text - at, "name %s%s\n", names[chance(6)], ports[chance(6)]);
	}
	put(folder, "x.service", text);
}

struct question {
	enum transport transport;
	uint16_t port;
	bool yes, any;
};

static bool ask(void *context, const struct entry *entry)
{
	struct question *question = context;

	question->any = true;
	question->yes = question->yes || ports_allow(entry->ports, question->transport, question->port);
	return true;
}

static bool span_holds(const struct span *spans, size_t count, const struct range *one, const struct question *question)
{
	size_t found = 0;
	bool yes = false;

	for (size_t i = 0; i < count; i++) {
		if (spans[i].range.family == one->family && wide_compare(spans[i].range.first, one->first) <= 0 &&
		    wide_compare(one->first, spans[i].range.last) <= 0) {
			found++;
			yes = ports_allow(&spans[i].ports, question->transport, question->port);
		}
	}
	assert_true(found <= 1);
	return yes;
}

static void compare_addresses(const struct category *category, const struct span *spans, size_t spans_count,
    const struct range *ranges, size_t ranges_count)
{
	static const uint16_t ports[] = {79, 80, 81, 443, 445, 446, 3478};

	for (unsigned host = 0; host < 512; host++) {
		struct prefix prefix = {{host < 256 ? IPV4 : IPV6, {8, 8, 8, (uint8_t)host}}, host < 256 ? 32 : 128};
		bool held = false;

		if (host >= 256) {
			memset(&prefix.address.bytes, 0, 16);
			prefix.address.bytes[0] = 0x26;
			prefix.address.bytes[15] = (uint8_t)host;
		}
		struct range one = range_of(&prefix);
		for (size_t i = 0; i < ranges_count; i++) {
			held = held || (ranges[i].family == one.family && wide_compare(ranges[i].first, one.first) <= 0 &&
			                   wide_compare(one.first, ranges[i].last) <= 0);
		}
		for (size_t p = 0; p < 2 * sizeof ports / sizeof ports[0]; p++) {
			struct question question = {p % 2 == 0 ? TCP : UDP, ports[p / 2], false, false};

			category_entries_of_address(category, &prefix.address, ask, &question);
			assert_int_equal(span_holds(spans, spans_count, &one, &question), question.yes);
			assert_int_equal(held, question.any);
		}
	}
}

static void compare_names(const struct category *category, const struct named *names, size_t count, bool with_ports)
{
	static const char *const asked[] = {"a.example", "b.a.example", "c.b.a.example", "x.c.b.a.example", "xa.example", "d.example",
	    "e.d.example", "example"};

	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct question question = {TCP, 443, false, false};
		bool held = false;

		category_entries_of_name(category, asked[i], ask, &question);
		for (size_t n = 0; n < count; n++) {
			size_t length = strlen(asked[i]), rule = strlen(names[n].rule);
			bool below = names[n].rule[0] == '.';
			bool matches = strcmp(asked[i], names[n].rule + below) == 0 ||
			    (below && length > rule && strcmp(asked[i] + length - rule, names[n].rule) == 0);

			assert_false(!with_ports && held && matches); /* no name under another */
			held = held || (matches && (!with_ports || ports_allow(&names[n].ports, TCP, 443)));
		}
		assert_int_equal(held, with_ports ? question.yes : question.any);
	}
}

static void holds_exactly_what_entries_hold(void **state)
{
	chance_begin();
	for (int round = 0; round < 200; round++) {
		write_random(*state);
		struct category *category = load_good(*state);
		struct export_options options = {.services = NULL};
		struct selection selection = {.category = category, .options = &options};
		struct span *spans;
		struct range *ranges;
		struct named *names;
		size_t span_count, range_count, name_count;

		assert_true(selection_make(&selection));
		assert_true(selection_spans(&selection, &spans, &span_count));
		assert_true(selection_ranges(&selection, &ranges, &range_count));
		compare_addresses(category, spans, span_count, ranges, range_count);
		for (int with_ports = 0; with_ports < 2; with_ports++) {
			assert_true(selection_names(&selection, with_ports == 1, &names, &name_count));
			compare_names(category, names, name_count, with_ports == 1);
			free(names);
		}
		free(spans);
		free(ranges);
		free(selection.entry);
		category_free(category);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(holds_exactly_what_entries_hold, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
