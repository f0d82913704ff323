/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of ports are read strictly, and kept as ranges that neither touch nor overlap. */
#include <config.h>

#include "category/internal.h"
#include "tests/category/fixture.h"

#include <stdio.h>
#include <string.h>

static void takes_lists(void **state)
{
	static const char *const cases[][2] = {
		{"443", "tcp 443"},
		{"80,443,8200", "tcp 80,443,8200"},
		{"8200,443,80", "tcp 80,443,8200"},
		{"1", "tcp 1"},
		{"65535", "tcp 65535"},
		{"1-65535", "tcp 1-65535"},
		{"80,80,80", "tcp 80"},
		{"80-80", "tcp 80"},
		{"80,81", "tcp 80-81"},
		{"81,80", "tcp 80-81"},
		{"80-90,85-95", "tcp 80-95"},
		{"80-90,91-95", "tcp 80-95"},
		{"80-90,92-95", "tcp 80-90,92-95"},
		{"80-90,92-95,91", "tcp 80-95"},
		{"10-20,30-40,50-60,15-55", "tcp 10-60"},
		{"30-40,10-20,25", "tcp 10-20,25,30-40"},
		{"65534,65535", "tcp 65534-65535"},
		{"65535,1", "tcp 1,65535"},
		{"5-6,1-10", "tcp 1-10"},
		{"1-10,5-6", "tcp 1-10"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ports ports = {.any = false};
		struct refusal why = {"", 0};
		char out[256];

		if (!ports_add_list(&ports, TCP, text_of(cases[i][0]), &why)) {
			fail_msg("%s: %s", cases[i][0], why.reason);
		}
		assert_int_equal(ports_format(&ports, out, sizeof out), strlen(cases[i][1]));
		assert_string_equal(out, cases[i][1]);
	}
}

static void refuses_other_lists(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} cases[] = {
		{"", 0},
		{",", 0},
		{"80,", 3},
		{",80", 0},
		{"80,,443", 3},
		{"0", 0},
		{"80,0", 3},
		{"0-80", 0},
		{"65536", 0},
		{"80,65536", 3},
		{"1-65536", 0},
		{"080", 0},
		{"80-090", 0},
		{"443-80", 0},
		{"80-", 0},
		{"-80", 0},
		{"80-90-100", 0},
		{"80--90", 0},
		{"http", 0},
		{"80 443", 0},
		{"+80", 0},
		{"80.443", 0},
		{"80;443", 0},
		{"0x50", 0},
		{"8 0", 0},
		{"99999999999999999999", 0},
		{"4294967376", 0},
		{"*", 0},
		{"any", 0},
		{"80\t", 0},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ports ports = {.any = false};
		struct refusal why = {"", 99};

		if (ports_add_list(&ports, TCP, text_of(cases[i].text), &why)) {
			fail_msg("taken for ports: %s", cases[i].text);
		}
		if (why.offset != cases[i].offset) {
			fail_msg("%s is wrong at %zu, not at %zu", cases[i].text, cases[i].offset, why.offset);
		}
	}
}

static void has_room_for_32_ranges(void **state)
{
	struct ports ports = {.any = false};
	char list[512];
	struct refusal why;
	size_t at = 0;
	(void)state;

	for (unsigned i = 1; i <= PORT_RANGES; i++) {
		at += (size_t)snprintf(list + at, sizeof list - at, "%s%u", i == 1 ? "" : ",", i * 10);
	}
	assert_true(ports_add_list(&ports, UDP, text_of(list), &why));
	assert_int_equal(ports.count[UDP], PORT_RANGES);
	assert_true(ports_add_list(&ports, UDP, text_of("11,15-20,325"), &why) == false);
	assert_int_equal(why.offset, 9);
	assert_non_null(strstr(why.reason, "32"));
	assert_true(ports_add_list(&ports, UDP, text_of("1-65535"), &why));
	assert_int_equal(ports.count[UDP], 1);
	assert_int_equal(ports.count[TCP], 0);
}

static void transports_are_apart(void **state)
{
	struct ports ports = {.any = false};
	struct refusal why;
	char out[64];
	(void)state;

	assert_true(ports_add_list(&ports, TCP, text_of("443"), &why));
	assert_true(ports_add_list(&ports, UDP, text_of("1853,8200"), &why));
	assert_true(ports_allow(&ports, TCP, 443));
	assert_false(ports_allow(&ports, UDP, 443));
	assert_true(ports_allow(&ports, UDP, 8200));
	assert_false(ports_allow(&ports, TCP, 8200));
	assert_int_equal(ports_format(&ports, out, sizeof out), strlen("tcp 443 udp 1853,8200"));
	assert_string_equal(out, "tcp 443 udp 1853,8200");
}

static void unknown_port_only_where_any_is_allowed(void **state)
{
	struct ports all = {.any = false}, any = {.any = true}, none = {.any = false};
	struct refusal why;
	char out[16];
	(void)state;

	assert_true(ports_add_list(&all, TCP, text_of("1-65535"), &why));
	assert_false(ports_allow(&all, TCP, 0));
	assert_true(ports_allow(&all, TCP, 1));
	assert_true(ports_allow(&all, TCP, 65535));
	assert_true(ports_allow(&any, TCP, 0));
	assert_true(ports_allow(&any, UDP, 65535));
	assert_false(ports_allow(&none, TCP, 443));
	assert_int_equal(ports_format(&any, out, sizeof out), 3);
	assert_string_equal(out, "any");
	assert_int_equal(ports_format(&none, out, sizeof out), 0);
	assert_string_equal(out, "");
}

static void format_is_cut_at_its_size(void **state)
{
	struct ports ports = {.any = false};
	struct refusal why;
	(void)state;

	assert_true(ports_add_list(&ports, TCP, text_of("80,443,8801-8802"), &why));
	for (size_t size = 0; size < 25; size++) {
		char out[32];

		memset(out, 'x', sizeof out);
		size_t length = ports_format(&ports, out, size);
		assert_true(size == 0 ? length == 0 : length < size);
		assert_int_equal(out[size], 'x');
		if (size > 0) {
			assert_int_equal(out[length], '\0');
			assert_memory_equal(out, "tcp 80,443,8801-8802", length);
		}
	}
}

/* Random lists against a plain table of all ports. */
static void allows_what_was_added(void **state)
{
	static bool allowed[65536];
	(void)state;

	for (int round = 0; round < 50; round++) {
		struct ports ports = {.any = false};
		unsigned top = round % 2 == 0 ? 65535 : 100;

		memset(allowed, 0, sizeof allowed);
		for (int i = 0; i < 40; i++) {
			unsigned first = 1 + (unsigned)chance(top), last = first + (unsigned)chance(top / 16);
			struct refusal why;
			char item[16];

			last = last > top ? top : last;
			(void)snprintf(item, sizeof item, "%u-%u", first, last);
			if (!ports_add_list(&ports, TCP, text_of(item), &why)) {
				assert_int_equal(ports.count[TCP], PORT_RANGES);
				continue;
			}
			memset(allowed + first, true, last - first + 1);
		}
		for (unsigned port = 1; port <= 65535; port++) {
			assert_int_equal(ports_allow(&ports, TCP, (uint16_t)port), allowed[port]);
		}
		for (unsigned i = 1; i < ports.count[TCP]; i++) {
			assert_true(ports.range[TCP][i - 1].last + 1 < ports.range[TCP][i].first);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_lists),
		cmocka_unit_test(refuses_other_lists),
		cmocka_unit_test(has_room_for_32_ranges),
		cmocka_unit_test(transports_are_apart),
		cmocka_unit_test(unknown_port_only_where_any_is_allowed),
		cmocka_unit_test(format_is_cut_at_its_size),
		cmocka_unit_test(allows_what_was_added),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
