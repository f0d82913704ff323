/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a name that an intercepted client claims (its SNI) counts: nothing, everything, or what DNS says. */
#include <config.h>

#include "tests/category/fixture.h"

#include <string.h>

static struct category *category;

static int load(void **state)
{
	if (folder_setup(state) != 0) {
		return -1;
	}
	put(*state, "x.service",
	    "service x\nsource X\naddress 192.0.2.0/24 tcp 443\nname .x.example tcp 443\nname any.x.example\n");
	put(*state, "y.service", "service y\nexpires 2026-01-01\nname .y.example\nname any.x.example\n");
	const char *folders[] = {*state};
	struct problems problems = {NULL, 0, 0, 0};
	category = category_load(folders, 1, NULL, &problems);
	return category == NULL || problems.count > 0 ? -1 : 0;
}

static int unload(void **state)
{
	category_free(category);
	return folder_teardown(state);
}

static void each_policy_with_each_confirmation(void **state)
{
	static const struct {
		const char *dst, *sni;
		enum name_policy names;
		enum confirmation confirmed;
		const char *answer;
	} cases[] = {
		{"198.51.100.1", "a.x.example", NAMES_IGNORE, CONFIRM_UNASKED, "normal name-ignored"},
		{"198.51.100.1", "a.x.example", NAMES_IGNORE, CONFIRM_YES, "normal name-ignored"},
		{"198.51.100.1", "a.x.example", NAMES_IGNORE, CONFIRM_NO, "normal name-ignored"},
		{"198.51.100.1", "a.x.example", NAMES_TRUST, CONFIRM_UNASKED, "bypass x .x.example name"},
		{"198.51.100.1", "a.x.example", NAMES_TRUST, CONFIRM_NO, "bypass x .x.example name"},
		{"198.51.100.1", "a.x.example", NAMES_TRUST, CONFIRM_FAILED, "bypass x .x.example name"},
		{"198.51.100.1", "a.x.example", NAMES_VERIFY, CONFIRM_UNASKED, "undecided x .x.example"},
		{"198.51.100.1", "a.x.example", NAMES_VERIFY, CONFIRM_YES, "bypass x .x.example name"},
		{"198.51.100.1", "a.x.example", NAMES_VERIFY, CONFIRM_NO, "normal name-refuted"},
		{"198.51.100.1", "a.x.example", NAMES_VERIFY, CONFIRM_FAILED, "normal name-unanswered"},
	    /* nothing to compare the name's addresses with */
		{NULL, "a.x.example", NAMES_IGNORE, CONFIRM_UNASKED, "normal name-ignored"},
		{NULL, "a.x.example", NAMES_TRUST, CONFIRM_UNASKED, "bypass x .x.example name"},
		{NULL, "a.x.example", NAMES_VERIFY, CONFIRM_UNASKED, "normal name-unanswered"},
		{NULL, "a.x.example", NAMES_VERIFY, CONFIRM_YES, "normal name-unanswered"},
	    /* the address decides first, and then no name is asked about */
		{"192.0.2.1", "a.x.example", NAMES_IGNORE, CONFIRM_UNASKED, "bypass x 192.0.2.0/24 address"},
		{"192.0.2.1", "a.x.example", NAMES_TRUST, CONFIRM_UNASKED, "bypass x 192.0.2.0/24 address"},
		{"192.0.2.1", "a.x.example", NAMES_VERIFY, CONFIRM_UNASKED, "bypass x 192.0.2.0/24 address"},
		{"192.0.2.1", "a.x.example", NAMES_VERIFY, CONFIRM_NO, "bypass x 192.0.2.0/24 address"},
		{"192.0.2.1", "other.example", NAMES_TRUST, CONFIRM_UNASKED, "bypass x 192.0.2.0/24 address"},
	    /* a name that is no entry isn't asked about */
		{"198.51.100.1", "other.example", NAMES_VERIFY, CONFIRM_UNASKED, "normal no-entry"},
		{"198.51.100.1", "other.example", NAMES_VERIFY, CONFIRM_YES, "normal no-entry"},
		{"198.51.100.1", "other.example", NAMES_TRUST, CONFIRM_UNASKED, "normal no-entry"},
		{"198.51.100.1", "-", NAMES_TRUST, CONFIRM_UNASKED, "normal no-entry"},
		{"198.51.100.1", NULL, NAMES_VERIFY, CONFIRM_YES, "normal no-entry"},
	    /* what is no name claims nothing, and is no reason to complain */
		{"198.51.100.1", "a_b.x.example", NAMES_TRUST, CONFIRM_YES, "normal no-entry"},
		{"198.51.100.1", "\xff\xfe", NAMES_TRUST, CONFIRM_YES, "normal no-entry"},
		{"198.51.100.1", "192.0.2.1", NAMES_TRUST, CONFIRM_YES, "normal no-entry"},
		{"198.51.100.1", "..x.example", NAMES_VERIFY, CONFIRM_YES, "normal no-entry"},
		{"192.0.2.1", "a_b.x.example", NAMES_TRUST, CONFIRM_YES, "bypass x 192.0.2.0/24 address"},
	    /* two services, one of them expired */
		{"198.51.100.1", "any.x.example", NAMES_TRUST, CONFIRM_UNASKED, "bypass x any.x.example name also y"},
		{"198.51.100.1", "a.y.example", NAMES_TRUST, CONFIRM_UNASKED, "bypass y .y.example name stale"},
		{"198.51.100.1", "A.X.Example.", NAMES_TRUST, CONFIRM_UNASKED, "bypass x .x.example name"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *answer = ASK(category, .mode = MODE_INTERCEPT, .names = cases[i].names, .dst = cases[i].dst,
		    .dport = "443", .sni = cases[i].sni, .confirmed = cases[i].confirmed);

		if (strcmp(answer, cases[i].answer) != 0) {
			fail_msg("case %zu: %s, not %s", i, answer, cases[i].answer);
		}
	}
}

static void claims_need_their_port_too(void **state)
{
	(void)state;
	for (int names = NAMES_VERIFY; names <= NAMES_IGNORE; names++) {
		struct asked asked = {.mode = MODE_INTERCEPT,
		    .names = (enum name_policy)names,
		    .dst = "198.51.100.1",
		    .dport = "80",
		    .sni = "a.x.example",
		    .confirmed = CONFIRM_YES};

		assert_string_equal(answer_to(category, &asked), "normal other-port");
		asked.dport = NULL;
		assert_string_equal(answer_to(category, &asked), "normal other-port");
	}
	assert_string_equal(ASK(category, .mode = MODE_INTERCEPT, .names = NAMES_TRUST, .dst = "192.0.2.1", .dport = "80",
	                        .sni = "any.x.example"),
	    "bypass x any.x.example name also y");
}

static void claims_and_arguments(void **state)
{
	struct asked asked = {
	    .mode = MODE_INTERCEPT, .names = NAMES_TRUST, .dst = "198.51.100.1", .dport = "443", .sni = "any.x.example"};
	(void)state;

	asked.arguments = "y";
	assert_string_equal(answer_to(category, &asked), "bypass y any.x.example name stale");
	asked.arguments = "x";
	assert_string_equal(answer_to(category, &asked), "bypass x any.x.example name");
	asked.names = NAMES_VERIFY;
	assert_string_equal(answer_to(category, &asked), "undecided x any.x.example");
	asked.refuse_stale = true;
	asked.arguments = "y";
	assert_string_equal(answer_to(category, &asked), "normal stale");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_policy_with_each_confirmation),
		cmocka_unit_test(claims_need_their_port_too),
		cmocka_unit_test(claims_and_arguments),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
