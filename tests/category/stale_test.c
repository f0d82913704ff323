/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries past their expiry: still members and marked so, or none, as the policy says. */
#include <config.h>

#include "tests/category/fixture.h"

static struct category *category;

static int load(void **state)
{
	if (folder_setup(state) != 0) {
		return -1;
	}
	put(*state, "a.service",
	    "service a\nsource A\nexpires 2026-06-30\naddress 192.0.2.0/24\nname .a.example\n"
	    "source B\nexpires 2027-06-30\naddress 192.0.0.0/16\naddress 192.0.2.0/25\nname a.a.example\n"
	    "source C\naddress 198.51.100.0/24\naddress 192.0.2.128/25 tcp 8443\n");
	put(*state, "b.service",
	    "service b\nsource D\nexpires 2026-06-30\naddress 192.0.2.0/25\naddress 198.51.100.7\n"
	    "source E\naddress 192.0.2.0/24 tcp 80\n");
	put(*state, "c.service",
	    "service c\nsource F\nexpires 2026-06-30\naddress 203.0.113.0/24 tcp 443\n"
	    "source G\naddress 203.0.113.0/24 tcp 80\n");
	put(*state, "d.service",
	    "service d\nsource H\nexpires 2026-06-30\naddress 198.18.0.1\nsource I\naddress 198.18.0.1\naddress 198.18.0.2\n"
	    "source J\nexpires 2026-06-30\naddress 198.18.0.2\n");
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

#define ON(day, ...) ASK(category, INTERCEPTED, .today = (day), __VA_ARGS__)
#define REFUSING(day, ...) ON(day, .refuse_stale = true, __VA_ARGS__)

static void stale_is_after_the_day(void **state)
{
	(void)state;
	assert_string_equal(ON("2026-06-29", .dst = "192.0.2.200", .dport = "443"), "bypass a 192.0.2.0/24 address");
	assert_string_equal(ON("2026-06-30", .dst = "192.0.2.200", .dport = "443"), "bypass a 192.0.2.0/24 address");
	assert_string_equal(ON("2026-07-01", .dst = "192.0.2.200", .dport = "443"), "bypass a 192.0.2.0/24 address stale");
	assert_string_equal(REFUSING("2026-06-30", .dst = "192.0.2.200", .dport = "443"), "bypass a 192.0.2.0/24 address");
	assert_string_equal(REFUSING("2027-07-01", .dst = "192.0.2.200", .dport = "443"), "normal stale");
	assert_string_equal(ON("9999-12-31", .dst = "198.51.100.1", .dport = "443"), "bypass a 198.51.100.0/24 address");
	assert_string_equal(
	    REFUSING("9999-12-31", .dst = "198.51.100.1", .dport = "443"), "bypass a 198.51.100.0/24 address");
}

static void refusing_falls_back_to_a_shorter_one(void **state)
{
	(void)state;
	assert_string_equal(REFUSING("2026-07-01", .dst = "192.0.2.200", .dport = "443"), "bypass a 192.0.0.0/16 address");
	assert_string_equal(
	    REFUSING("2026-07-01", .dst = "192.0.2.200", .dport = "8443"), "bypass a 192.0.2.128/25 address");
	assert_string_equal(
	    REFUSING("2026-07-01", .dst = "198.51.100.7", .dport = "443"), "bypass a 198.51.100.0/24 address");
	assert_string_equal(ON("2026-07-01", .dst = "198.51.100.7", .dport = "443"), "bypass b 198.51.100.7 address stale");
	assert_string_equal(
	    REFUSING("2026-07-01", .dst = "198.51.100.7", .dport = "443", .arguments = "b"), "normal stale");
}

static void refusing_leaves_the_other_service_of_a_tie(void **state)
{
	(void)state;
	assert_string_equal(ON("2026-07-01", .dst = "192.0.2.1", .dport = "443"), "bypass a 192.0.2.0/25 address also b");
	assert_string_equal(REFUSING("2026-07-01", .dst = "192.0.2.1", .dport = "443"), "bypass a 192.0.2.0/25 address");
	assert_string_equal(REFUSING("2026-07-01", .dst = "192.0.2.200", .dport = "80"), "bypass b 192.0.2.0/24 address");
	assert_string_equal(
	    ON("2026-07-01", .dst = "192.0.2.200", .dport = "80"), "bypass a 192.0.2.0/24 address stale also b");
}

/* An entry given twice is stale only if all that allow the port are. */
static void one_fresh_source_is_enough(void **state)
{
	(void)state;
	assert_string_equal(ON("2026-07-01", .dst = "203.0.113.1", .dport = "80"), "bypass c 203.0.113.0/24 address");
	assert_string_equal(
	    ON("2026-07-01", .dst = "203.0.113.1", .dport = "443"), "bypass c 203.0.113.0/24 address stale");
	assert_string_equal(REFUSING("2026-07-01", .dst = "203.0.113.1", .dport = "443"), "normal stale");
	assert_string_equal(ON("2026-06-30", .dst = "203.0.113.1", .dport = "443"), "bypass c 203.0.113.0/24 address");
	/* in whatever order */
	assert_string_equal(ON("2026-07-01", .dst = "198.18.0.1", .dport = "443"), "bypass d 198.18.0.1 address");
	assert_string_equal(ON("2026-07-01", .dst = "198.18.0.2", .dport = "443"), "bypass d 198.18.0.2 address");
	assert_string_equal(REFUSING("2026-07-01", .dst = "198.18.0.2", .dport = "443"), "bypass d 198.18.0.2 address");
}

static void names_expire_too(void **state)
{
	(void)state;
	assert_string_equal(ASK(category, EXPLICIT, .today = "2026-07-01", .host = "x.a.example", .port = "443"),
	    "bypass a .a.example name stale");
	assert_string_equal(ASK(category, EXPLICIT, .today = "2026-07-01", .host = "a.a.example", .port = "443"),
	    "bypass a a.a.example name");
	assert_string_equal(
	    ASK(category, EXPLICIT, .today = "2026-07-01", .refuse_stale = true, .host = "x.a.example", .port = "443"),
	    "normal stale");
	assert_string_equal(
	    ASK(category, EXPLICIT, .today = "2027-07-01", .refuse_stale = true, .host = "a.a.example", .port = "443"),
	    "normal stale");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_is_after_the_day),
		cmocka_unit_test(refusing_falls_back_to_a_shorter_one),
		cmocka_unit_test(refusing_leaves_the_other_service_of_a_tie),
		cmocka_unit_test(one_fresh_source_is_enough),
		cmocka_unit_test(names_expire_too),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
