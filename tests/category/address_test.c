/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text is an address or a block only in the forms that are meant: what libcidr would take besides is refused. */
#include <config.h>

#include "tests/category/fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static struct text text_at(const char *string, size_t length)
{
	return (struct text){string, length};
}

/* ---- Addresses of requests ---- */

static void takes_addresses(void **state)
{
	static const char *const cases[][2] = {
		{"0.0.0.0", "0.0.0.0"},
		{"192.0.2.1", "192.0.2.1"},
		{"255.255.255.255", "255.255.255.255"},
		{"2001:db8::1", "2001:db8::1"},
		{"2001:DB8:0:0::1", "2001:db8::1"},
		{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"::", "::"},
		{"[::]", "::"},
		{"::1", "::1"},
		{"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
		{"fe80::1", "fe80::1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"[::FFFF:192.0.2.1]", "192.0.2.1"},
		{"0:0:0:0:0:ffff:c000:0201", "192.0.2.1"},
		{"::ffff:0.0.0.0", "0.0.0.0"},
		{"::fffe:192.0.2.1", "::fffe:c000:201"},
		{"::192.0.2.1", "::192.0.2.1"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct address address;
		struct refusal why = {"", 0};
		char out[ADDRESS_TEXT_SIZE];

		if (!address_parse(text_of(cases[i][0]), &address, &why)) {
			fail_msg("%s: %s", cases[i][0], why.reason);
		}
		assert_int_equal(address_format(&address, out), strlen(cases[i][1]));
		assert_string_equal(out, cases[i][1]);
	}
}

static void mapped_address_has_no_rests(void **state)
{
	struct address mapped, plain;
	struct refusal why;
	(void)state;

	memset(&mapped, 0xaa, sizeof mapped);
	memset(&plain, 0x55, sizeof plain);
	assert_true(address_parse(text_of("::ffff:192.0.2.1"), &mapped, &why));
	assert_true(address_parse(text_of("192.0.2.1"), &plain, &why));
	assert_int_equal(mapped.family, IPV4);
	assert_memory_equal(mapped.bytes, plain.bytes, sizeof plain.bytes);
}

struct refused {
	const char *text;
	size_t offset;
};

static const struct refused no_address[] = {
	{"", 0},
	{" ", 0},
	{"-", 0},
	{"localhost", 0},
	{"1", 1},
	{"1.2.3", 5},
	{"1.2.3.", 6},
	{"1.2.3.4.5", 7},
	{"1.2.3.4.", 7},
	{".1.2.3.4", 0},
	{"1..2.3", 2},
	{"10.1", 4},
	{"3232235777", 0},
	{"0x7f.0.0.1", 1},
	{"0x7f000001", 1},
	{"010.1.2.3", 0},
	{"10.01.2.3", 3},
	{"10.1.2.00", 7},
	{"1.2.3.0000", 6},
	{"256.1.2.3", 0},
	{"1.2.3.256", 6},
	{"1.2.3.1000", 6},
	{"1.2.3.99999999999999999999", 6},
	{"1.2.3.4 ", 7},
	{" 1.2.3.4", 0},
	{"1.2.3.4\t", 7},
	{"1.2.3.4\r", 7},
	{"1.2.3.4/32", 7},
	{"1.2.3.4/-1", 7},
	{"+1.2.3.4", 0},
	{"1.2.3.-4", 6},
	{"1,2,3,4", 1},
	{"1.2.3.4a", 7},
	{"[1.2.3.4]", 0},
	{"[]", 0},
	{"[", 0},
	{"[::1", 0},
	{"::1]", 3},
	{"[[::1]]", 0},
	{":", 0},
	{":::", 0},
	{"1::2::3", 0},
	{"1:2:3:4:5:6:7", 0},
	{"1:2:3:4:5:6:7:8:9", 0},
	{"1:2:3:4:5:6:7::8:9", 0},
	{"12345::", 0},
	{"::g", 2},
	{"fe80::1%eth0", 7},
	{"::1/128", 3},
	{"::1.2.3", 0},
	{"::1.2.3.256", 0},
	{"::01.2.3.4", 0},
	{"1.2.3.4::", 0},
	{" ::1", 0},
	{"2001:0db8:0000:0000:0000:0000:0000:0001:0000:00", 45},
	{"::ffff:010.0.0.1", 0},
};

static void refuses_what_is_no_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof no_address / sizeof no_address[0]; i++) {
		struct address address;
		struct refusal why = {"", 99};

		if (address_parse(text_of(no_address[i].text), &address, &why)) {
			fail_msg("taken for an address: %s", no_address[i].text);
		}
		assert_string_not_equal(why.reason, "");
		assert_true(why.offset <= strlen(no_address[i].text));
		if (no_address[i].text[0] != '[' && why.offset != no_address[i].offset) {
			fail_msg("%s is wrong at %zu, not at %zu", no_address[i].text, no_address[i].offset, why.offset);
		}
	}
}

static void length_decides_not_a_nul(void **state)
{
	struct address address;
	struct prefix prefix;
	struct refusal why;
	(void)state;

	assert_false(address_parse(text_at("1.2.3.4\0", 8), &address, &why));
	assert_int_equal(why.offset, 7);
	assert_false(address_parse(text_at("1.2.\0.4", 7), &address, &why));
	assert_false(address_parse(text_at("::1\0", 4), &address, &why));
	assert_int_equal(why.offset, 3);
	assert_false(address_parse(text_at("::\0"
	                                   "1",
	                               4),
	    &address, &why));
	assert_false(prefix_parse(text_at("192.0.2.0/24\0", 13), &prefix, &why));
	assert_false(prefix_parse(text_at("192.0.2.0\0/24", 13), &prefix, &why));
	assert_false(prefix_parse(text_at("2001:db8::/3\0"
	                                  "2",
	                              14),
	    &prefix, &why));
	/* What is behind the end isn't looked at. */
	assert_true(address_parse(text_at("1.2.3.45", 7), &address, &why));
	assert_int_equal(address.bytes[3], 4);
	assert_true(prefix_parse(text_at("192.0.2.0/249", 12), &prefix, &why));
	assert_int_equal(prefix.length, 24);
	assert_false(address_parse(text_of(NULL), &address, &why));
	assert_false(prefix_parse(text_of(NULL), &prefix, &why));
}

/* The C library's reader agrees, on texts made of what addresses are made of. */
static void agrees_with_inet_pton(void **state)
{
	static const char alphabet[] = "0011225789.....:";
	(void)state;

	for (int i = 0; i < 200000; i++) {
		char string[20];
		size_t length = chance(sizeof string - 1);
		struct address address;
		struct refusal why;
		uint8_t bytes[16];

		for (size_t c = 0; c < length; c++) {
			string[c] = alphabet[chance(sizeof alphabet - 1)];
		}
		string[length] = '\0';
		if (chance(2) == 0) { /* four groups, so that many are good */
			length = (size_t)snprintf(string, sizeof string, "%u.%u.%u.%u%s", (unsigned)chance(300),
			    (unsigned)chance(300), (unsigned)chance(30), (unsigned)chance(300), chance(9) == 0 ? "." : "");
			if (chance(4) == 0) {
				string[chance(length)] = (char)(chance(2) == 0 ? '0' : 1 + chance(255));
			}
		}
		bool taken = address_parse(text_of(string), &address, &why);
		int family = memchr(string, ':', length) == NULL ? AF_INET : AF_INET6;
		bool expected = inet_pton(family, string, bytes) == 1;
		if (taken != expected) {
			fail_msg("%s: %s", string, taken ? "taken" : "refused");
		}
		if (taken && family == AF_INET) {
			assert_memory_equal(address.bytes, bytes, 4);
		}
	}
}

/* The same of IPv6: groups that are good for the most part, a `::` or a dotted end here and there, and a character amiss. */
static void agrees_with_inet_pton_on_ipv6(void **state)
{
	static const char alphabet[] = "0123456789abcdefABCDEF:::..g%";
	(void)state;

	for (int i = 0; i < 500000; i++) {
		char string[80];
		size_t length = 0, groups = chance(8) == 0 ? chance(10) : 8, gap = chance(2) == 0 ? chance(9) : 99;
		struct address address;
		struct refusal why;
		uint8_t bytes[16];

		groups -= gap < groups ? chance(groups + 1) : 0;
		bool dotted = chance(4) == 0 && groups >= 2;
		groups -= dotted ? 2 : 0;
		for (size_t g = 0; g < groups; g++) {
			length += (size_t)snprintf(string + length, sizeof string - length, "%s%0*x", g == gap ? "::" : g > 0 ? ":" : "",
			    (int)chance(5), (unsigned)chance(chance(30) == 0 ? 0x20000 : chance(2) == 0 ? 0x10 : 0x10000));
		}
		if (dotted) {
			length += (size_t)snprintf(string + length, sizeof string - length, "%s%u.%u.%u.%u", groups > 0 ? ":" : "::",
			    (unsigned)chance(260), (unsigned)chance(256), (unsigned)chance(256), (unsigned)chance(256));
		} else if (gap == groups && gap < 9) {
			length += (size_t)snprintf(string + length, sizeof string - length, "::");
		}
		if (length > 0 && chance(3) == 0) {
			string[chance(length)] = alphabet[chance(sizeof alphabet - 1)];
		}
		string[length] = '\0';
		bool expected = inet_pton(AF_INET6, string, bytes) == 1;
		if (memchr(string, ':', length) != NULL && address_parse(text_of(string), &address, &why) != expected) {
			fail_msg("%s: %s", string, expected ? "refused" : "taken");
		}
		if (expected) {
			assert_memory_equal(address.bytes, bytes + (address.family == IPV4 ? 12 : 0), address.family == IPV4 ? 4 : 16);
		}
	}
}

/* ---- Blocks of files ---- */

static void takes_canonical_blocks(void **state)
{
	static const char *const cases[] = {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24", "192.0.2.1", "192.0.2.1/32",
	    "128.0.0.0/1", "216.115.208.0/20", "66.151.150.160/27", "255.255.255.255", "::/0", "2001:db8::/32",
	    "2001:db8::1", "2001:db8::1/128", "2001:db8:0:1::/64", "8000::/1", "2001:db8:1:2:3:4:5:6", "1:0:3:4:5:6:7:8",
	    "64:ff9b::/96", "::2/127"};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *slash = strchr(cases[i], '/');
		size_t expected = strlen(cases[i]);
		struct prefix prefix;
		struct refusal why = {"", 0};
		char out[PREFIX_TEXT_SIZE];

		if (!prefix_parse(text_of(cases[i]), &prefix, &why)) {
			fail_msg("%s: %s", cases[i], why.reason);
		}
		if (slash != NULL && prefix.length == (prefix.address.family == IPV4 ? 32 : 128)) {
			expected = (size_t)(slash - cases[i]); /* a single host is written without its length */
		}
		assert_int_equal(prefix_format(&prefix, out), expected);
		assert_memory_equal(out, cases[i], expected);
	}
}

static const struct refused no_block[] = {
	/* libcidr takes these, and means something else */
	{"1.2.3.4/-1", 8},
	{"10/8", 2},
	{"010.1.2.3", 0},
	{"10.1", 4},
	{"1..2.3", 2},
	{"1:2:3:4:5:6:7:8:9", 0},
	{"192.0.2.1/24", 0},
	{"2001:db8::1/32", 0},
	{"10.0.0.0/08", 9},
	{"10.0.0.0/8 ", 9},
	{"10.0.0.0/+8", 9},
	{"10.0.0.0/255.0.0.0", 9},
	{"10.0.0.0/0.255.255.255", 9},
	{"10.0.0.0/0xff000000", 9},
	{"10.", 3},
	{"10", 2},
	{"4.3.2.1.in-addr.arpa", 7},
	{"1.0.0.0.ip6.arpa", 7},
	{"0x0a000000/8", 1},
	{"167772160/8", 0},
	/* an end of the text that is something else */
	{"", 0},
	{"/", 0},
	{"/8", 0},
	{"10.0.0.0/", 9},
	{"10.0.0.0//8", 9},
	{"10.0.0.0/8/8", 9},
	{"10.0.0.0/a", 9},
	{"10.0.0.0/33", 9},
	{"10.0.0.0/99999999999999999999", 9},
	{"10.0.0.0/4294967304", 9},
	{"10.0.0.0/ 8", 9},
	{"10.0.0.0 /8", 8},
	{"2001:db8::/129", 11},
	{"2001:db8::/032", 11},
	{"2001:db8::/-1", 11},
	/* not canonical */
	{"2001:DB8::/32", 0},
	{"2001:0db8::/32", 0},
	{"2001:db8:0::/32", 0},
	{"2001:db8:0:0:0:0:0:0/32", 0},
	{"2001:db8:0:0:1::1", 0},
	{"1::3:4:5:6:7:8", 0},
	{"[2001:db8::1]", 0},
	{"64:ff9b::1.2.3.4", 0},
	{"2001:db8::%1/32", 10},
	{"0::/0", 0},
	{"::0", 0},
	/* IPv4 in IPv6 */
	{"::ffff:192.0.2.1", 0},
	{"::ffff:192.0.2.0/120", 0},
	{"::ffff:0:0/96", 0},
	{"::ffff:c000:201", 0},
	/* host bits */
	{"0.0.0.1/0", 0},
	{"::1/0", 0},
	{"255.255.255.255/31", 0},
	{"192.0.2.128/24", 0},
	{"128.0.0.0/0", 0},
	{"2001:db8::1/127", 0},
};

static void refuses_all_other_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof no_block / sizeof no_block[0]; i++) {
		struct prefix prefix;
		struct refusal why = {"", 99};

		if (prefix_parse(text_of(no_block[i].text), &prefix, &why)) {
			fail_msg("taken for a block: %s", no_block[i].text);
		}
		assert_string_not_equal(why.reason, "");
		if (why.offset != no_block[i].offset) {
			fail_msg("%s is wrong at %zu, not at %zu", no_block[i].text, no_block[i].offset, why.offset);
		}
	}
}

static void says_what_to_write_instead(void **state)
{
	static const char *const cases[][2] = {
		{"192.0.2.77/24", "write 192.0.2.0/24 for the block"},
		{"2001:DB8::/32", "write 2001:db8::/32"},
		{"2001:db8:0:0::1/128", "write 2001:db8::1/128"},
		{"2001:db8::ffff/112", "write 2001:db8::/112 for the block"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct prefix prefix;
		struct refusal why;

		assert_false(prefix_parse(text_of(cases[i][0]), &prefix, &why));
		if (strstr(why.reason, cases[i][1]) == NULL) {
			fail_msg("%s: %s", cases[i][0], why.reason);
		}
	}
}

static void any_prefix_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		enum family family = chance(2) == 0 ? IPV4 : IPV6;
		struct prefix prefix = chance_prefix(family, 0, family == IPV4 ? 32 : 128), again;
		struct refusal why = {"", 0};
		char out[PREFIX_TEXT_SIZE];

		if (family == IPV6 && chance(2) == 0) { /* runs of zeros, where the canonical form is hard */
			for (int byte = 0; byte < 16; byte += 2) {
				if (chance(2) == 0) {
					prefix.address.bytes[byte] = prefix.address.bytes[byte + 1] = 0;
				}
			}
		}
		size_t length = prefix_format(&prefix, out);
		assert_true(length < sizeof out && out[length] == '\0');
		memset(&again, 0xff, sizeof again);
		bool mapped = strncmp(out, "::ffff:", 7) == 0 && strchr(out, '.') != NULL;
		if (!prefix_parse(text_at(out, length), &again, &why)) {
			assert_true(mapped);
			continue;
		}
		assert_int_equal(again.length, prefix.length);
		assert_int_equal(again.address.family, family);
		assert_memory_equal(again.address.bytes, prefix.address.bytes, 16);
	}
}

/* A text with any one byte changed is refused, or is another canonical text. */
static void no_other_text_means_a_block(void **state)
{
	static const char bytes[] = "0123456789abcdefABCDEF:./%-+ []x";
	(void)state;

	for (int i = 0; i < 100000; i++) {
		enum family family = chance(2) == 0 ? IPV4 : IPV6;
		struct prefix prefix = chance_prefix(family, 1, family == IPV4 ? 32 : 64);
		char text[PREFIX_TEXT_SIZE + 1], out[PREFIX_TEXT_SIZE];
		size_t length = prefix_format(&prefix, text), at = chance(length);
		struct refusal why;
		char byte = bytes[chance(sizeof bytes - 1)];

		switch (chance(3)) {
		case 0: text[at] = byte; break;
		case 1:
			memmove(text + at, text + at + 1, length - at);
			length--;
			break;
		default:
			memmove(text + at + 1, text + at, length - at + 1);
			text[at] = byte;
			length++;
			break;
		}
		if (!prefix_parse(text_at(text, length), &prefix, &why)) {
			assert_true(why.offset <= length);
			continue;
		}
		size_t canonical = prefix_format(&prefix, out);
		const char *slash = memchr(text, '/', length);
		assert_true(canonical == length || slash == text + canonical);
		assert_memory_equal(out, text, canonical);
	}
}

/* ---- Which addresses a block holds ---- */

static void holds_by_bits(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		enum family family = chance(2) == 0 ? IPV4 : IPV6;
		unsigned bits = family == IPV4 ? 32 : 128;
		struct prefix prefix = chance_prefix(family, 0, bits);
		struct address address = first_of(&prefix);
		unsigned flipped = (unsigned)chance(bits);

		assert_true(prefix_holds(&prefix, &address));
		address = last_of(&prefix);
		assert_true(prefix_holds(&prefix, &address));
		address.bytes[flipped / 8] ^= (uint8_t)(0x80 >> (flipped % 8));
		assert_int_equal(prefix_holds(&prefix, &address), flipped >= prefix.length);
		address = last_of(&prefix);
		if (after(&address)) {
			assert_false(prefix_holds(&prefix, &address));
		}
		address = first_of(&prefix);
		if (before(&address)) {
			assert_false(prefix_holds(&prefix, &address));
		}
		address.family = family == IPV4 ? IPV6 : IPV4;
		assert_false(prefix_holds(&prefix, &address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_addresses),
		cmocka_unit_test(mapped_address_has_no_rests),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(length_decides_not_a_nul),
		cmocka_unit_test(agrees_with_inet_pton),
		cmocka_unit_test(agrees_with_inet_pton_on_ipv6),
		cmocka_unit_test(takes_canonical_blocks),
		cmocka_unit_test(refuses_all_other_blocks),
		cmocka_unit_test(says_what_to_write_instead),
		cmocka_unit_test(any_prefix_comes_back),
		cmocka_unit_test(no_other_text_means_a_block),
		cmocka_unit_test(holds_by_bits),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
