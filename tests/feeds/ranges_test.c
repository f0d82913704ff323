/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random sets of blocks: united and cut into blocks again they hold the same addresses, and are counted exactly. */
#include <config.h>

#include "feeds/feeds.h"
#include "tests/category/fixture.h"

#include <string.h>

enum { BLOCKS = 40, SPACE = 1024 };

static void writes_numbers(void **state)
{
	static const struct {
		struct wide number;
		const char *text;
	} cases[] = {{{0, 0}, "0"}, {{0, 10}, "10"}, {{0, UINT64_MAX}, "18446744073709551615"}, {{1, 0}, "18446744073709551616"},
	    {{(uint64_t)1 << 32, 0}, "79228162514264337593543950336"},
	    {{UINT64_MAX, UINT64_MAX}, "340282366920938463463374607431768211455"}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[WIDE_TEXT_SIZE];

		assert_int_equal(wide_format(cases[i].number, text), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

/* Marks the last ten bits of the addresses in a block. */
static void mark(bool held[SPACE], const struct prefix *prefix)
{
	unsigned bits = family_bits(prefix->address.family), last = bits / 8 - 1;
	unsigned first = (unsigned)(prefix->address.bytes[last - 1] & 3) << 8 | prefix->address.bytes[last];

	assert_true(bits - prefix->length <= 10);
	for (unsigned i = first; i < first + (1u << (bits - prefix->length)); i++) {
		assert_true(i < SPACE);
		held[i] = true;
	}
}

static struct prefix random_prefix(enum family family)
{
	struct prefix prefix = {{family, {0}}, 0};
	unsigned bits = family_bits(family), host = (unsigned)chance(family == IPV4 ? 7 : 9), last = bits / 8 - 1;
	unsigned first = (unsigned)chance(SPACE) >> host << host;

	prefix.address.bytes[0] = 0x26;
	prefix.address.bytes[last - 1] = (uint8_t)(first >> 8);
	prefix.address.bytes[last] = (uint8_t)first;
	prefix.length = bits - host;
	return prefix;
}

static void holds_the_same(void **state)
{
	(void)state;

	chance_begin();
	for (int round = 0; round < 3000; round++) {
		enum family family = chance(2) == 0 ? IPV4 : IPV6;
		bool before[SPACE] = {false}, after[SPACE] = {false};
		struct range ranges[BLOCKS];
		size_t count = (size_t)chance(BLOCKS) + 1, blocks = 0, held = 0;
		struct prefix prefix, last = {{IPV4, {0}}, 0};

		for (size_t i = 0; i < count; i++) {
			prefix = random_prefix(family);
			mark(before, &prefix);
			ranges[i] = range_of(&prefix);
		}
		size_t united = ranges_unite(ranges, count);
		struct wide sum = ranges_count(ranges, united, family);
		assert_true(united >= 1 && united <= count);
		for (size_t i = 0; i < united; i++) {
			while (range_cut(&ranges[i], &prefix)) {
				mark(after, &prefix);
				assert_memory_not_equal(&prefix, &last, sizeof prefix);
				last = prefix;
				blocks++;
			}
		}
		assert_memory_equal(before, after, sizeof before);
		for (size_t i = 0; i < SPACE; i++) {
			held += before[i];
		}
		assert_true(sum.high == 0 && sum.low == held);
		assert_true(blocks <= count); /* never more blocks than were given */
	}
}

static void reaches_the_ends(void **state)
{
	static const char *const cases[] = {"255.255.255.255", "128.0.0.0/1", "8000::/1", "::", "0.0.0.0"};
	struct refusal why;
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct prefix prefix, cut;

		assert_true(prefix_parse(text_of(cases[i]), &prefix, &why));
		struct range range = range_of(&prefix);
		assert_true(range_cut(&range, &cut));
		assert_memory_equal(&prefix, &cut, sizeof cut);
		assert_false(range_cut(&range, &cut));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_numbers),
	    cmocka_unit_test(holds_the_same),
	    cmocka_unit_test(reaches_the_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
