/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which blocks may stand in a file: wide ones and private ones only on purpose, special ones never. */
#include <config.h>

#include "category/internal.h"
#include "tests/category/fixture.h"

#include <string.h>

enum { PLAIN = 1, WIDE = 2, PRIVATE = 4, BOTH = 8, NEVER = 0 };

/* What a block needs: allowed as it is; or with one word; or with both; or not at all. */
static void each_block_needs_its_words(void **state)
{
	static const struct {
		const char *block;
		int needs;
	} cases[] = {
		{"192.0.2.0/24", PLAIN},
		{"8.0.0.0/8", PLAIN},
		{"8.0.0.0/7", WIDE},
		{"64.0.0.0/3", WIDE},
		{"96.0.0.0/4", BOTH},
		{"16.0.0.0/4", WIDE},
		{"2001:db8::/32", PLAIN},
		{"2600::/19", PLAIN},
		{"2600::/18", WIDE},
		{"2000::/3", WIDE},
		{"2600::/12", WIDE},
		{"0.0.0.0/0", NEVER},
		{"::/0", NEVER},
		{"0.0.0.0/1", NEVER},
		{"128.0.0.0/1", NEVER},
		{"::/1", NEVER},
		{"8000::/1", NEVER},
	    /* loopback, link-local, multicast, and the rest that can't be a server */
		{"127.0.0.1", NEVER},
		{"127.0.0.0/8", NEVER},
		{"127.255.255.255", NEVER},
		{"126.0.0.0/7", NEVER},
		{"::1", NEVER},
		{"169.254.0.0/16", NEVER},
		{"169.254.1.1", NEVER},
		{"169.252.0.0/14", NEVER},
		{"fe80::/10", NEVER},
		{"fe80::1", NEVER},
		{"febf:ffff::", NEVER},
		{"224.0.0.0/4", NEVER},
		{"224.0.0.1", NEVER},
		{"239.255.255.255", NEVER},
		{"ff00::/8", NEVER},
		{"ff02::1", NEVER},
		{"0.0.0.0", NEVER},
		{"0.0.0.0/8", NEVER},
		{"0.1.2.3", NEVER},
		{"240.0.0.0/4", NEVER},
		{"255.255.255.255", NEVER},
		{"::", NEVER},
		{"::2", NEVER},
		{"::192.0.0.0", NEVER},
		{"::/96", NEVER},
		{"::/64", NEVER},
	    /* next to those */
		{"126.255.255.255", PLAIN},
		{"128.0.0.0", PLAIN},
		{"169.253.255.255", PLAIN},
		{"169.255.0.0/16", PLAIN},
		{"223.255.255.255", PLAIN},
		{"1.0.0.0/8", PLAIN},
		{"::1:0:0:0", PLAIN},
	    /* private space */
		{"10.0.0.0/8", PRIVATE},
		{"10.1.2.3", PRIVATE},
		{"10.255.255.255", PRIVATE},
		{"172.16.0.0/12", PRIVATE},
		{"172.31.255.255", PRIVATE},
		{"192.168.0.0/16", PRIVATE},
		{"192.168.7.0/24", PRIVATE},
		{"100.64.0.0/10", PRIVATE},
		{"100.127.255.255", PRIVATE},
		{"fc00::/7", BOTH},
		{"fd00:1::/32", PRIVATE},
		{"fd00::/8", BOTH},
		{"fec0::/10", BOTH},
		{"10.0.0.0/7", BOTH},
		{"172.0.0.0/8", PRIVATE},
		{"192.0.0.0/8", PRIVATE},
		{"100.0.0.0/8", PRIVATE},
		{"9.255.255.255", PLAIN},
		{"11.0.0.0/8", PLAIN},
		{"172.15.0.0/16", PLAIN},
		{"172.32.0.0/16", PLAIN},
		{"192.167.0.0/16", PLAIN},
		{"192.169.0.0/16", PLAIN},
		{"100.63.0.0/16", PLAIN},
		{"100.128.0.0/9", PLAIN},
	    /* all of IPv4 behind a NAT64 prefix */
		{"64:ff9b::/96", WIDE},
		{"64:ff9b::/103", WIDE},
		{"64:ff9b::/104", PLAIN},
		{"64:ff9b::/64", WIDE},
		{"64:ff9b::/32", WIDE},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct prefix prefix;
		struct refusal why = {"", 0};
		int needs = cases[i].needs;

		if (!prefix_parse(text_of(cases[i].block), &prefix, &why)) {
			fail_msg("%s: %s", cases[i].block, why.reason);
		}
		for (int words = 0; words < 4; words++) {
			bool wide = (words & 1) != 0, private = (words & 2) != 0;
			bool expected = needs == PLAIN || (needs == WIDE && wide) || (needs == PRIVATE && private) ||
			    (needs == BOTH && wide && private);

			why.reason[0] = '\0';
			if (prefix_allowed(&prefix, wide, private, &why) != expected) {
				fail_msg("%s%s%s is %s: %s", cases[i].block, wide ? " wide" : "", private ? " private" : "",
				    expected ? "refused" : "allowed", why.reason);
			}
			assert_int_equal(expected, why.reason[0] == '\0');
		}
	}
}

static void says_which_word_is_missing(void **state)
{
	struct refusal why;
	struct prefix prefix;
	(void)state;

	assert_true(prefix_parse(text_of("8.0.0.0/7"), &prefix, &why));
	assert_false(prefix_allowed(&prefix, false, false, &why));
	assert_non_null(strstr(why.reason, "`wide`"));
	assert_non_null(strstr(why.reason, "/8"));
	assert_true(prefix_parse(text_of("2600::/18"), &prefix, &why));
	assert_false(prefix_allowed(&prefix, false, false, &why));
	assert_non_null(strstr(why.reason, "/19"));
	assert_true(prefix_parse(text_of("10.0.0.1"), &prefix, &why));
	assert_false(prefix_allowed(&prefix, false, false, &why));
	assert_non_null(strstr(why.reason, "`private`"));
	assert_non_null(strstr(why.reason, "10.0.0.0/8"));
	assert_true(prefix_parse(text_of("127.0.0.1"), &prefix, &why));
	assert_false(prefix_allowed(&prefix, true, true, &why));
	assert_non_null(strstr(why.reason, "loopback"));
	assert_true(prefix_parse(text_of("0.0.0.0/0"), &prefix, &why));
	assert_false(prefix_allowed(&prefix, true, true, &why));
	assert_non_null(strstr(why.reason, "/0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_block_needs_its_words),
		cmocka_unit_test(says_which_word_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
