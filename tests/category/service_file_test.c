/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a good service file says is what the category holds. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The entries of one good file. */
static void assert_entries(void **state, const char *text, const char *entries)
{
	const char *folder = *state;

	put(folder, "x.service", text);
	struct category *category = load_good(folder);
	assert_string_equal(entries_of(category), entries);
	category_free(category);
}

static void all_directives(void **state)
{
	const char *folder = *state;

	put(folder, "gotomeeting.service",
	    "# all that a file can say\n"
	    "service   gotomeeting\n"
	    "title     GoToMeeting and others\n"
	    "source    https://support.example.com/page#ranges 2026-10-01      # where it is from\n"
	    "expires   2027-04-01\n"
	    "ports     tcp 80,443,8200 udp 1853,8200\n"
	    "address   216.115.208.0/20\n"
	    "address   202.173.24.0/21  tcp 443\n"
	    "address   2001:db8::/32 any\n"
	    "name      egw.gotomeeting.com\n"
	    "name      .GotoMeeting.com\n"
	    "feed      cidr https://example.com/list.txt\n");
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "gotomeeting on (GoToMeeting and others) 3 2 gotomeeting.service\n");
#define SOURCE "https://support.example.com/page#ranges 2026-10-01 2027-04-01 gotomeeting.service"
	assert_string_equal(entries_of(category),
	    "address 202.173.24.0/21 gotomeeting (tcp 443) " SOURCE ":8\n"
	    "address 216.115.208.0/20 gotomeeting (tcp 80,443,8200 udp 1853,8200) " SOURCE ":7\n"
	    "address 2001:db8::/32 gotomeeting (any) " SOURCE ":9\n"
	    "name .gotomeeting.com gotomeeting (tcp 80,443,8200 udp 1853,8200) " SOURCE ":11\n"
	    "name egw.gotomeeting.com gotomeeting (tcp 80,443,8200 udp 1853,8200) " SOURCE ":10\n");
	category_free(category);
}

/* A source without a date, of several words, or that ends in what looks like one but isn't. */
static void sources(void **state)
{
	static const char *const cases[][2] = {
		{"https://x.example/", "https://x.example/ - -"},
		{"https://x.example/ 2026-01-02", "https://x.example/ 2026-01-02 -"},
		{"a page of the vendor", "a page of the vendor - -"},
		{"a page,  read on\t2026-01-02  ", "a page,  read on 2026-01-02 -"},
		{"letter of 2026-01-02 by post", "letter of 2026-01-02 by post - -"},
		{"issue 12-34-5678", "issue 12-34-5678 - -"},
		{"https://x.example/#part # not this", "https://x.example/#part - -"},
		{"\xe5\x9c\xb0\xe5\x9d\x80 2026-01-02", "\xe5\x9c\xb0\xe5\x9d\x80 2026-01-02 -"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512], entries[512];

		(void)snprintf(text, sizeof text, "service x\nsource %s\naddress 192.0.2.1\n", cases[i][0]);
		(void)snprintf(entries, sizeof entries, "address 192.0.2.1 x (any) %s x.service:3\n", cases[i][1]);
		assert_entries(state, text, entries);
	}
}

static void blocks_have_their_own_source_and_expiry(void **state)
{
	assert_entries(state,
	    "service x\naddress 192.0.2.1\nsource A 2026-01-01\nexpires 2026-06-01\naddress 192.0.2.2\nsource B\n"
	    "address 192.0.2.3\n"
	    "expires 2026-07-01\naddress 192.0.2.4\nsource C\naddress 192.0.2.5\n",
	    "address 192.0.2.1 x (any) - - - x.service:2\n"
	    "address 192.0.2.2 x (any) A 2026-01-01 2026-06-01 x.service:5\n"
	    "address 192.0.2.3 x (any) B - 2026-07-01 x.service:7\n"
	    "address 192.0.2.4 x (any) B - 2026-07-01 x.service:9\n"
	    "address 192.0.2.5 x (any) C - - x.service:11\n");
}

static void expiry_before_any_source(void **state)
{
	assert_entries(state, "service x\nexpires 2026-06-01\naddress 192.0.2.1\nsource A\naddress 192.0.2.2\n",
	    "address 192.0.2.1 x (any) - - 2026-06-01 x.service:3\n"
	    "address 192.0.2.2 x (any) A - - x.service:5\n");
}

static void ports_default_and_own(void **state)
{
	assert_entries(state,
	    "service x\naddress 192.0.2.1\nports tcp 443\naddress 192.0.2.2\naddress 192.0.2.3 udp 3478\n"
	    "address 192.0.2.4 any\naddress 192.0.2.5 udp 1-9 tcp 80 udp 10\naddress 192.0.2.6\nports udp 8801-8810,3478\n"
	    "source B\naddress 192.0.2.7\nports any\naddress 192.0.2.8\nname a.example tcp 8443\nname b.example\n",
	    "address 192.0.2.1 x (any) - - - x.service:2\n"
	    "address 192.0.2.2 x (tcp 443) - - - x.service:4\n"
	    "address 192.0.2.3 x (udp 3478) - - - x.service:5\n"
	    "address 192.0.2.4 x (any) - - - x.service:6\n"
	    "address 192.0.2.5 x (tcp 80 udp 1-10) - - - x.service:7\n"
	    "address 192.0.2.6 x (tcp 443) - - - x.service:8\n"
	    "address 192.0.2.7 x (udp 3478,8801-8810) B - - x.service:11\n"
	    "address 192.0.2.8 x (any) B - - x.service:13\n"
	    "name a.example x (tcp 8443) B - - x.service:14\n"
	    "name b.example x (any) B - - x.service:15\n");
}

static void wide_and_private(void **state)
{
	assert_entries(state,
	    "service x\naddress 8.0.0.0/7 wide\naddress 10.1.0.0/16 private\naddress 10.0.0.0/7 wide private\n"
	    "address fc00::/7 tcp 443 private wide\nname .example wide\naddress 192.0.2.1 wide private\n",
	    "address 8.0.0.0/7 x (any) - - - x.service:2\n"
	    "address 10.0.0.0/7 x (any) - - - x.service:4\n"
	    "address 10.1.0.0/16 x (any) - - - x.service:3\n"
	    "address 192.0.2.1 x (any) - - - x.service:7\n"
	    "address fc00::/7 x (tcp 443) - - - x.service:5\n"
	    "name .example x (any) - - - x.service:6\n");
}

static void comments_and_blanks(void **state)
{
	assert_entries(state,
	    "# one\n  # an indented one\n\t#\n#\n\n \t \n  service \t x\t# behind a blank\n"
	    "source a#b #c\n\taddress\t192.0.2.1\t\ttcp\t80 \t# tcp 443\naddress 192.0.2.2 #\naddress 192.0.2.3 #tcp 80\n",
	    "address 192.0.2.1 x (tcp 80) a#b - - x.service:9\n"
	    "address 192.0.2.2 x (any) a#b - - x.service:10\n"
	    "address 192.0.2.3 x (any) a#b - - x.service:11\n");
}

static void ends_of_lines(void **state)
{
	static const char *const entries = "address 192.0.2.1 x (tcp 443) A 2026-01-01 2026-06-01 x.service:5\n"
	                                   "name a.example x (tcp 443) A 2026-01-01 2026-06-01 x.service:6\n";
	static const char *const lines[] = {"service x", "source A 2026-01-01", "expires 2026-06-01", "ports tcp 443",
	    "address 192.0.2.1", "name a.example"};
	static const char *const ends[] = {"\n", "\r\n"};

	for (int variant = 0; variant < 8; variant++) {
		char text[512];
		size_t at = (size_t)snprintf(text, sizeof text, "%s", (variant & 2) != 0 ? "\xef\xbb\xbf" : "");

		for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
			bool last = i == sizeof lines / sizeof lines[0] - 1;

			at += (size_t)snprintf(
			    text + at, sizeof text - at, "%s%s", lines[i], last && (variant & 4) != 0 ? "" : ends[variant & 1]);
		}
		assert_entries(state, text, entries);
	}
	/* a carriage return and then the end of the file */
	assert_entries(state,
	    "service x\r\nsource A 2026-01-01\r\nexpires 2026-06-01\r\nports tcp 443\r\naddress 192.0.2.1\r\n"
	    "name a.example\r",
	    entries);
}

static void lines_may_have_4096_bytes(void **state)
{
	static const char start[] = "service x\n";
	static char text[sizeof start + 4096 + 32];

	memcpy(text, start, sizeof start - 1);
	memset(text + sizeof start - 1, '#', 4096);
	memcpy(text + sizeof start - 1 + 4096, "\r\naddress 192.0.2.1\n", sizeof "\r\naddress 192.0.2.1\n");
	assert_entries(state, text, "address 192.0.2.1 x (any) - - - x.service:3\n");
}

static void same_entry_twice_keeps_both_sources(void **state)
{
	const char *folder = *state;

	put(folder, "x.service",
	    "service x\nsource A\nexpires 2026-06-01\nports tcp 443\naddress 192.0.2.0/24\nname a.example\n"
	    "source B\nports tcp 80\naddress 192.0.2.0/24\naddress 192.0.2.0/24 udp 3478\nname A.EXAMPLE\n");
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "x on () 1 1 x.service\n");
	assert_string_equal(entries_of(category),
	    "address 192.0.2.0/24 x (tcp 443) A - 2026-06-01 x.service:5\n"
	    "address 192.0.2.0/24 x (tcp 80) B - - x.service:9\n"
	    "address 192.0.2.0/24 x (udp 3478) B - - x.service:10\n"
	    "name a.example x (tcp 443) A - 2026-06-01 x.service:6\n"
	    "name a.example x (tcp 80) B - - x.service:11\n");
	/* The ports are united, and each source is told once. */
	assert_string_equal(ASK(category, INTERCEPTED, .dst = "192.0.2.9", .dport = "80"), "bypass x 192.0.2.0/24 address");
	assert_string_equal(source_of_answer(), "A; B");
	assert_string_equal(ASK(category, INTERCEPTED, .today = "2026-06-01", .dst = "192.0.2.9", .dport = "443"),
	    "bypass x 192.0.2.0/24 address");
	assert_string_equal(source_of_answer(), "A; B");
	assert_string_equal(ASK(category, EXPLICIT, .host = "a.example", .port = "80"), "bypass x a.example name");
	assert_string_equal(source_of_answer(), "A; B");
	assert_string_equal(ASK(category, INTERCEPTED, .dst = "192.0.2.9", .dport = "8080"), "normal other-port");
	assert_string_equal(ASK(category, INTERCEPTED, .dst = "192.0.2.9", .dport = "3478"), "normal other-port");
	category_free(category);
}

/* A host with the length of its family is the same entry as without one. */
static void host_with_its_length(void **state)
{
	const char *folder = *state;

	put(folder, "x.service",
	    "service x\naddress 192.0.2.1 tcp 80\naddress 192.0.2.1/32 tcp 443\naddress 2001:db8::1/128\n"
	    "address 2001:db8::1\n");
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "x on () 2 0 x.service\n");
	category_free(category);
}

static void empty_file_switches_off(void **state)
{
	static const char *const empty[] = {"", "\n", "# nothing\n", " \t\r\n\r\n", "\xef\xbb\xbf", "#"};
	const char *folder = *state;

	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
		put(folder, "zoom.service", empty[i]);
		struct category *category = load_good(folder);
		assert_string_equal(services_of(category), "zoom off () 0 0 zoom.service\n");
		assert_string_equal(entries_of(category), "");
		category_free(category);
	}
}

static void service_without_entries(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", "service x\ntitle Nothing yet\n");
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "x on (Nothing yet) 0 0 x.service\n");
	category_free(category);
}

static void feeds(void **state)
{
	assert_entries(state,
	    "service x\nfeed cidr https://x.example/a\nsource A\nfeed m365-json https://x.example/b?c=d#e # f\n"
	    "address 192.0.2.1\n"
	    "feed aws-json https://x.example/\nfeed aws-json https://x.example/ service=A partial expires=3650\n"
	    "feed m365-json https://x.example/ area=Skype required exclude-set=16,17,27\n"
	    "feed bundle https://x.example/ key=/etc/x.pub\naddress 192.0.2.1 tcp 443 pin # x\n",
	    "address 192.0.2.1 x (any) A - - x.service:5\naddress 192.0.2.1 x (tcp 443) A - - x.service:10\n");
}

static void clients(void **state)
{
	const char *folder = *state;

	put(folder, "clients",
	    "\xef\xbb\xbf# who is exempt\r\nclient 10.20.0.0/16\r\n\tclient 192.168.7.0/24 gotomeeting zoom # two\r\n"
	    "client 203.0.113.7 zoom\r\nclient 203.0.113.7 gotomeeting\r\nclient fd00::/8 wide\r\n"
	    "client 8.0.0.0/7 wide zoom\r\n"
	    "client 2001:db8::1 zoom\r\nclient 16.0.0.0/7 zoom wide");
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "");
	assert_string_equal(entries_of(category),
	    "client 8.0.0.0/7 - (zoom) - - - clients:7\n"
	    "client 10.20.0.0/16 - (everywhere) - - - clients:2\n"
	    "client 16.0.0.0/7 - (zoom) - - - clients:9\n"
	    "client 192.168.7.0/24 - (gotomeeting zoom) - - - clients:3\n"
	    "client 203.0.113.7 - (zoom) - - - clients:4\n"
	    "client 203.0.113.7 - (gotomeeting) - - - clients:5\n"
	    "client 2001:db8::1 - (zoom) - - - clients:8\n"
	    "client fd00::/8 - (everywhere) - - - clients:6\n");
	category_free(category);
	put(folder, "clients", "");
	category = load_good(folder);
	assert_string_equal(entries_of(category), "");
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_directives, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(sources, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(blocks_have_their_own_source_and_expiry, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(expiry_before_any_source, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(ports_default_and_own, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(wide_and_private, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(comments_and_blanks, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(ends_of_lines, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(lines_may_have_4096_bytes, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(same_entry_twice_keeps_both_sources, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(host_with_its_length, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(empty_file_switches_off, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(service_without_entries, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(feeds, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(clients, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
