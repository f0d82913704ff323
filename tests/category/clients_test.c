/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exempt clients: alone, towards a service, limited to some services, and those that aren't known. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <string.h>

static struct category *category;

static int load(void **state)
{
	if (folder_setup(state) != 0) {
		return -1;
	}
	put(*state, "goto.service", "service goto\nsource G\naddress 192.0.2.0/24 tcp 443\nname .goto.example\n");
	put(*state, "zoom.service", "service zoom\nsource Z\naddress 198.51.100.0/24\naddress 192.0.2.0/25\n");
	put(*state, "clients",
	    "client 10.20.0.0/16\n"
	    "client 10.20.30.0/24 zoom\n"
	    "client 192.168.7.0/24 goto\n"
	    "client 192.168.7.7 zoom\n"
	    "client 192.168.8.0/24 goto zoom\n"
	    "client 192.168.9.0/24 webex\n"
	    "client 203.0.113.7\n"
	    "client 203.0.113.7 goto\n"
	    "client fd00:1::/32\n"
	    "client 2001:db8::1 goto\n");
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

#define IN(...) ASK(category, INTERCEPTED, __VA_ARGS__)
#define EX(...) ASK(category, EXPLICIT, __VA_ARGS__)

static void client_alone(void **state)
{
	static const char *const bad_facts[] = {NULL, "-", "192.0.2.1", "not an address"};
	(void)state;

	for (size_t i = 0; i < sizeof bad_facts / sizeof bad_facts[0]; i++) {
		assert_string_equal(
		    IN(.client = "10.20.1.1", .dst = bad_facts[i], .arguments = "client"), "bypass - 10.20.0.0/16 client");
		assert_string_equal(
		    EX(.client = "10.20.1.1", .host = bad_facts[i], .arguments = "client"), "bypass - 10.20.0.0/16 client");
	}
	assert_string_equal(IN(.client = "10.21.0.0", .dst = "192.0.2.1", .dport = "443", .arguments = "client"),
	    "normal client-not-exempt");
	assert_string_equal(IN(.client = "10.19.255.255", .arguments = "client"), "normal client-not-exempt");
	assert_string_equal(IN(.client = "fd00:1:2::3", .arguments = "client"), "bypass - fd00:1::/32 client");
	assert_string_equal(IN(.client = "[fd00:1:2::3]", .arguments = "client"), "bypass - fd00:1::/32 client");
	assert_string_equal(IN(.client = "fd00:2::3", .arguments = "client"), "normal client-not-exempt");
	assert_string_equal(IN(.client = "::ffff:10.20.1.1", .arguments = "client"), "bypass - 10.20.0.0/16 client");
	assert_string_equal(IN(.client = "10.20.1.1", .arguments = "client client"), "bypass - 10.20.0.0/16 client");
}

static void source_of_a_client_is_its_file(void **state)
{
	(void)state;
	assert_string_equal(IN(.client = "203.0.113.7", .arguments = "client"), "bypass - 203.0.113.7 client");
	const char *slash = strrchr(source_of_answer(), '/');
	assert_non_null(slash);
	assert_string_equal(slash, "/clients");
}

static void unasked_client_counts_nothing(void **state)
{
	(void)state;
	assert_string_equal(IN(.client = "10.20.1.1", .dst = "203.0.113.1", .dport = "443"), "normal no-entry");
	assert_string_equal(
	    IN(.client = "10.99.1.1", .dst = "192.0.2.1", .dport = "443"), "bypass zoom 192.0.2.0/25 address");
	assert_string_equal(IN(.client = "192.168.9.1", .dst = "192.0.2.200", .dport = "443", .arguments = "goto"),
	    "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.client = "::", .dst = "192.0.2.200", .dport = "443"), "bypass goto 192.0.2.0/24 address");
}

static void unknown_client_is_never_exempt(void **state)
{
	static const char *const unknown[] = {
	    NULL, "", "-", "::", "0.0.0.0", "[::]", "::ffff:0.0.0.0", "0:0:0:0:0:0:0:0", "::ffff:0:0", "::0"};
	(void)state;

	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		assert_string_equal(IN(.client = unknown[i], .dst = "192.0.2.1", .dport = "443", .arguments = "client"),
		    "normal client-unknown");
		assert_string_equal(IN(.client = unknown[i], .dst = "192.0.2.1", .dport = "443", .arguments = "client goto"),
		    "normal client-unknown");
		assert_string_equal(
		    EX(.client = unknown[i], .host = "a.goto.example", .port = "443", .arguments = "goto client"),
		    "normal client-unknown");
	}
}

static void client_towards_a_service_needs_both(void **state)
{
	(void)state;
	assert_string_equal(IN(.client = "10.20.1.1", .dst = "192.0.2.200", .dport = "443", .arguments = "client goto"),
	    "bypass goto 192.0.2.0/24 address");
	assert_string_equal(source_of_answer(), "G");
	assert_string_equal(IN(.client = "10.20.1.1", .dst = "192.0.2.200", .dport = "443", .arguments = "goto client"),
	    "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.client = "10.21.1.1", .dst = "192.0.2.200", .dport = "443", .arguments = "client goto"),
	    "normal client-not-exempt");
	assert_string_equal(
	    IN(.client = "10.20.1.1", .dst = "203.0.113.1", .dport = "443", .arguments = "client goto"), "normal no-entry");
	assert_string_equal(IN(.client = "10.20.1.1", .dst = "192.0.2.200", .dport = "80", .arguments = "client goto"),
	    "normal other-port");
	assert_string_equal(IN(.client = "10.20.1.1", .dst = "198.51.100.1", .dport = "80", .arguments = "client goto"),
	    "normal other-service");
	assert_string_equal(EX(.client = "10.20.1.1", .host = "a.goto.example", .port = "80", .arguments = "client goto"),
	    "bypass goto .goto.example name");
}

static void limited_client_needs_its_service(void **state)
{
	(void)state;
	/* `client` alone: its line says where to */
	assert_string_equal(IN(.client = "192.168.7.1", .dst = "192.0.2.200", .dport = "443", .arguments = "client"),
	    "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.client = "192.168.7.1", .dst = "198.51.100.1", .dport = "443", .arguments = "client"),
	    "normal other-service");
	assert_string_equal(
	    IN(.client = "192.168.7.1", .dst = "203.0.113.1", .dport = "443", .arguments = "client"), "normal no-entry");
	assert_string_equal(IN(.client = "192.168.7.1", .arguments = "client"), "normal no-entry");
	/* with a service: both have to agree */
	assert_string_equal(IN(.client = "192.168.7.1", .dst = "192.0.2.1", .dport = "443", .arguments = "client goto"),
	    "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.client = "192.168.7.1", .dst = "192.0.2.1", .dport = "443", .arguments = "client zoom"),
	    "normal other-service");
	assert_string_equal(IN(.client = "192.168.8.1", .dst = "192.0.2.1", .dport = "443", .arguments = "client"),
	    "bypass zoom 192.0.2.0/25 address");
	assert_string_equal(IN(.client = "192.168.8.1", .dst = "192.0.2.1", .dport = "443", .arguments = "client goto"),
	    "bypass goto 192.0.2.0/24 address");
	/* a service that isn't here */
	assert_string_equal(
	    IN(.client = "192.168.9.1", .dst = "192.0.2.1", .dport = "443", .arguments = "client"), "normal other-service");
	assert_string_equal(IN(.client = "2001:db8::1", .dst = "192.0.2.1", .dport = "443", .arguments = "client"),
	    "bypass goto 192.0.2.0/24 address");
}

static void lines_of_one_client_add_up(void **state)
{
	(void)state;
	/* /32 for zoom within /24 for goto */
	assert_string_equal(IN(.client = "192.168.7.7", .dst = "198.51.100.1", .dport = "443", .arguments = "client"),
	    "bypass zoom 198.51.100.0/24 address");
	assert_string_equal(IN(.client = "192.168.7.7", .dst = "192.0.2.200", .dport = "443", .arguments = "client"),
	    "bypass goto 192.0.2.0/24 address");
	/* a longer line that is limited doesn't take the shorter one's freedom */
	assert_string_equal(IN(.client = "10.20.30.1", .dst = "203.0.113.1", .dport = "443", .arguments = "client"),
	    "bypass - 10.20.0.0/16 client");
	assert_string_equal(IN(.client = "10.20.30.1", .dst = "192.0.2.200", .dport = "443", .arguments = "client goto"),
	    "bypass goto 192.0.2.0/24 address");
	/* both lines of one address */
	assert_string_equal(
	    IN(.client = "203.0.113.7", .dst = "203.0.113.1", .arguments = "client"), "bypass - 203.0.113.7 client");
}

static void claims_of_a_limited_client(void **state)
{
	(void)state;
	assert_string_equal(IN(.client = "192.168.7.1", .dst = "203.0.113.1", .dport = "443", .sni = "a.goto.example",
	                        .arguments = "client"),
	    "normal name-ignored");
	assert_string_equal(ASK(category, .mode = MODE_INTERCEPT, .names = NAMES_TRUST, .client = "192.168.9.1",
	                        .dst = "203.0.113.1", .dport = "443", .sni = "a.goto.example", .arguments = "client"),
	    "normal other-service");
	assert_string_equal(ASK(category, .mode = MODE_INTERCEPT, .names = NAMES_VERIFY, .client = "192.168.7.1",
	                        .dst = "203.0.113.1", .dport = "443", .sni = "a.goto.example", .arguments = "client"),
	    "undecided goto .goto.example");
}

static void clients_without_services(void **state)
{
	void *folder;
	(void)state;

	assert_int_equal(folder_setup(&folder), 0);
	put(folder, "clients", "client 10.0.0.0/8\nclient 11.0.0.0/8 zoom\n");
	struct category *alone = load_good(folder);
	assert_string_equal(
	    ASK(alone, INTERCEPTED, .client = "10.1.1.1", .arguments = "client"), "bypass - 10.0.0.0/8 client");
	assert_string_equal(ASK(alone, INTERCEPTED, .client = "11.1.1.1", .arguments = "client"), "normal nothing-loaded");
	assert_string_equal(
	    ASK(alone, INTERCEPTED, .client = "12.1.1.1", .arguments = "client"), "normal client-not-exempt");
	assert_string_equal(ASK(alone, INTERCEPTED, .client = "10.1.1.1", .dst = "192.0.2.1"), "normal nothing-loaded");
	category_free(alone);
	assert_int_equal(folder_teardown(&folder), 0);
}

/* More limited lines than a question remembers: no more is allowed than they say. */
static void very_many_lines_of_one_client(void **state)
{
	static char text[100 * 64];
	void *folder;
	size_t at = 0;
	(void)state;

	assert_int_equal(folder_setup(&folder), 0);
	for (unsigned i = 0; i < 80; i++) {
		at += (size_t)snprintf(text + at, sizeof text - at, "client 10.0.0.1 s%u\n", i);
	}
	(void)snprintf(text + at, sizeof text - at, "client 10.0.0.0/8\n");
	put(folder, "clients", text);
	put(folder, "s79.service", "service s79\naddress 192.0.2.1\n");
	put(folder, "x.service", "service x\naddress 192.0.2.2\n");
	struct category *many = load_good(folder);
	assert_string_equal(
	    ASK(many, INTERCEPTED, .client = "10.0.0.1", .arguments = "client"), "bypass - 10.0.0.0/8 client");
	text[at] = '\0';
	put(folder, "clients", text);
	category_free(many);
	many = load_good(folder);
	assert_string_equal(ASK(many, INTERCEPTED, .client = "10.0.0.1", .dst = "192.0.2.2", .arguments = "client"),
	    "normal other-service");
	category_free(many);
	assert_int_equal(folder_teardown(&folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_alone),
		cmocka_unit_test(source_of_a_client_is_its_file),
		cmocka_unit_test(unasked_client_counts_nothing),
		cmocka_unit_test(unknown_client_is_never_exempt),
		cmocka_unit_test(client_towards_a_service_needs_both),
		cmocka_unit_test(limited_client_needs_its_service),
		cmocka_unit_test(lines_of_one_client_add_up),
		cmocka_unit_test(claims_of_a_limited_client),
		cmocka_unit_test(clients_without_services),
		cmocka_unit_test(very_many_lines_of_one_client),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
