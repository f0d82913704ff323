/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each mistake in a service file is told with its place, all of a file's at once, and the file is refused whole. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* text is one line behind `service x`; its mistake is at the column, and the reason has these words. */
struct mistake {
	const char *text;
	unsigned column;
	const char *words;
};

static void assert_mistakes(
    const char *folder, const char *name, const char *first, const struct mistake *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		static char said[SAID_SIZE];
		char text[8192], place[64];

		(void)snprintf(text, sizeof text, "%s%s\n", first, list[i].text);
		(void)snprintf(place, sizeof place, "%s:%d:%u: ", name, first[0] == '\0' ? 1 : 2, list[i].column);
		put(folder, name, text);
		struct category *category = load_folder(folder, NULL, said);
		const char *newline = strchr(said, '\n');
		if (strncmp(said, place, strlen(place)) != 0 || strstr(said, list[i].words) == NULL || newline == NULL ||
		    newline[1] != '\0') {
			fail_msg("`%s`: not at %s with `%s`, but:\n%s", list[i].text, place, list[i].words, said);
		}
		assert_string_equal(entries_of(category), "");
		category_free(category);
	}
	drop(folder, name);
}

static void each_mistake_has_its_place(void **state)
{
	static const struct mistake list[] = {
		{"adress 192.0.2.1", 1, "unknown directive"},
		{"  Address 192.0.2.1", 3, "unknown directive"},
		{"\xef\xbb\xbf"
	     "address 192.0.2.1",
	        1, "unknown directive"},
		{"service y", 1, "one service"},
		{"service x", 1, "one service"},
		{"client 10.0.0.0/8", 1, "`clients`"},
		{"title", 6, "title is missing"},
		{"title  # none", 8, "title is missing"},
		{"source", 7, "missing"},
		{"source 2026-10-01", 8, "no source"},
		{"source https://x.example 2026-13-01", 26, "no such day"},
		{"source https://x.example 2026-02-29", 26, "no such day"},
		{"expires", 8, "2027-04-01"},
		{"expires tomorrow", 9, "2027-04-01"},
		{"expires 2027-4-1", 9, "2027-04-01"},
		{"expires 2027-02-29", 9, "2027-04-01"},
		{"expires 2027-04-01 12:00", 20, "more words"},
		{"ports", 6, "tcp"},
		{"ports 443", 7, "tcp"},
		{"ports tcp", 10, "ports are numbers"},
		{"ports tcp 80, 443", 14, "ports are numbers"},
		{"ports tcp 80,443 8200", 18, "tcp"},
		{"ports tcp 0", 11, "ports are numbers"},
		{"ports tcp 80,65536", 14, "ports are numbers"},
		{"ports tcp 90-80", 11, "lower to the higher"},
		{"ports sctp 80", 7, "tcp"},
		{"ports TCP 80", 7, "tcp"},
		{"ports any tcp 80", 11, "tcp"},
		{"ports tcp 80 wide", 14, "tcp"},
		{"address", 8, "empty address"},
		{"address 192.0.2.0/33", 19, "0 to 32"},
		{"address 192.0.2.0/-1", 19, "0 to 32"},
		{"address 192.0.2.0/024", 19, "0 to 32"},
		{"address 2001:db8::/129", 20, "0 to 128"},
		{"address 10/8", 11, "four numbers"},
		{"address 010.1.2.3", 9, "octal"},
		{"address 10.1", 13, "four numbers"},
		{"address 1..2.3", 11, "four numbers"},
		{"address 1:2:3:4:5:6:7:8:9", 9, "not an IPv6 address"},
		{"address 192.0.2.1/24", 9, "192.0.2.0/24"},
		{"address 2001:DB8::/32", 9, "2001:db8::/32"},
		{"address ::ffff:192.0.2.1", 9, "IPv4-mapped"},
		{"address meet.example.com", 9, "four numbers"},
		{"address 192.0.2.1 443", 19, "behind an entry"},
		{"address 192.0.2.1 tcp 443 443", 27, "behind an entry"},
		{"address 192.0.2.1 tcp", 22, "ports are numbers"},
		{"address 192.0.2.1 wide tcp 80", 24, "behind an entry"},
		{"address 192.0.2.1 wide wide", 24, "behind an entry"},
		{"address 192.0.2.1 private private", 27, "behind an entry"},
		{"address 192.0.2.1 tcp 80 any", 26, "behind an entry"},
		{"address 192.0.2.1, 192.0.2.2", 18, "text behind"},
		{"address 8.0.0.0/7", 9, "`wide`"},
		{"address 8.0.0.0/7 private", 9, "`wide`"},
		{"address 2600::/18", 9, "/19"},
		{"address 10.0.0.0/8", 9, "`private`"},
		{"address 10.0.0.0/8 wide", 9, "`private`"},
		{"address 100.64.0.1", 9, "`private`"},
		{"address fd00::1", 9, "`private`"},
		{"address 0.0.0.0/0 wide private", 9, "/0"},
		{"address ::/0 wide private", 9, "/0"},
		{"address 127.0.0.1 wide private", 9, "loopback"},
		{"address ::1 wide private", 9, "loopback"},
		{"address 169.254.1.1 private", 9, "link-local"},
		{"address fe80::1 private", 9, "link-local"},
		{"address 224.0.0.0/4 wide private", 9, "multicast"},
		{"address ff02::1 private", 9, "multicast"},
		{"address 128.0.0.0/1 wide private", 9, "link-local"},
		{"name", 5, "empty name"},
		{"name .", 7, "empty name"},
		{"name ..", 7, "without the dot"},
		{"name *.example.com", 6, "wildcards"},
		{"name a_b.example", 7, "letters"},
		{"name example.com.", 17, "without the dot"},
		{"name .example.com.", 18, "without the dot"},
		{"name a..example", 8, "empty label"},
		{"name ..example", 7, "empty label"},
		{"name https://a.example/", 11, "no scheme"},
		{"name 192.0.2.1", 6, "can't be a number"},
		{"name m\xc3\xbcnchen.de", 7, "ASCII"},
		{"name a.example b.example", 16, "behind an entry"},
		{"name a.example private", 6, "`private`"},
		{"name .com", 6, "top-level"},
		{"feed", 5, "a feed is"},
		{"feed xml https://x.example/", 6, "a feed is"},
		{"feed cidr", 10, "https://"},
		{"feed cidr http://x.example/", 11, "https://"},
		{"feed cidr https://", 11, "https://"},
		{"feed cidr https://x.example/ now", 30, "behind a feed's address"},
		{"feed cidr https://x.example/\"a", 29, "not a character"},
		{"feed cidr https:///a", 19, "a host"},
		{"feed cidr https://user:word@x.example/", 19, "without a user"},
		{"feed cidr https://x.example/ expires=0", 38, "days"},
		{"feed cidr https://x.example/ expires=3651", 38, "days"},
		{"feed cidr https://x.example/ area=Skype", 30, "behind a feed's address"},
		{"feed m365-json https://x.example/ exclude-set=", 35, "behind a feed's address"},
		{"feed m365-json https://x.example/ exclude-set=16,", 50, "16,17,27"},
		{"feed m365-json https://x.example/ exclude-set=16,a", 50, "16,17,27"},
		{"feed aws-json https://x.example/ required", 34, "behind a feed's address"},
		{"feed bundle https://x.example/ partial", 32, "behind a bundle's address"},
		{"address 192.0.2.1 pin pin", 23, "behind an entry"},
		{"title a\x01", 8, "control"},
		{"title a\x1b[31m", 8, "control"},
		{"# \x7f", 3, "control"},
		{"title \xff", 7, "UTF-8"},
		{"title \xc3(", 7, "UTF-8"},
		{"title \xc0\x80", 7, "UTF-8"},
		{"title \xed\xa0\x80", 7, "UTF-8"},
		{"title \xf4\x90\x80\x80", 7, "UTF-8"},
		{"title \xe2\x82", 7, "UTF-8"},
		{"# \xe9t\xe9", 3, "UTF-8"},
	};

	assert_mistakes(*state, "x.service", "service x\n", list, sizeof list / sizeof list[0]);
}

static void first_line_names_the_service(void **state)
{
	static const struct mistake list[] = {
		{"address 192.0.2.1", 1, "first line"},
		{"\t title X", 3, "first line"},
		{"service", 8, "1 to 63"},
		{"service # x", 9, "1 to 63"},
		{"service Zoom", 9, "lower-case"},
		{"service zo.om", 11, "lower-case"},
		{"service zo\xc3\xb6m", 11, "lower-case"},
		{"service -zoom", 9, "lower-case"},
		{"service client", 9, "meaning of its own"},
		{"service clients", 9, "meaning of its own"},
		{"service wide", 9, "meaning of its own"},
		{"service private", 9, "meaning of its own"},
		{"service any", 9, "meaning of its own"},
		{"service tcp", 9, "meaning of its own"},
		{"service udp", 9, "meaning of its own"},
		{"service zoom webex", 14, "more words"},
	};

	assert_mistakes(*state, "x.service", "", list, sizeof list / sizeof list[0]);
	assert_said(*state, "x.service", "Service x\n",
	    "x.service:1:1: the first line of a service file is `service NAME`\n"
	    "x.service:1:1: unknown directive: service, title, source, expires, ports, address, name or feed\n");
}

static void clients_are_strict_too(void **state)
{
	static const struct mistake list[] = {
		{"10.0.0.0/8", 1, "`client PREFIX"},
		{"service zoom", 1, "`client PREFIX"},
		{"address 192.0.2.1", 1, "`client PREFIX"},
		{"client", 7, "empty address"},
		{"client 10.0.0.1/8", 8, "10.0.0.0/8"},
		{"client 10/8", 10, "four numbers"},
		{"client 10.0.0.0/8,10.1.0.0/16", 17, "0 to 32"},
		{"client any", 8, "four numbers"},
		{"client 0.0.0.0/0", 8, "/0"},
		{"client ::/0", 8, "/0"},
		{"client 0.0.0.0/0 wide", 8, "/0"},
		{"client 8.0.0.0/7", 8, "`wide`"},
		{"client 8.0.0.0/7 wide wide", 23, "meaning of its own"},
		{"client fd00::/8 zoom", 8, "`wide`"},
		{"client 127.0.0.1", 8, "loopback"},
		{"client ::1", 8, "loopback"},
		{"client fe80::1", 8, "link-local"},
		{"client 192.0.2.1 Zoom", 18, "lower-case"},
		{"client 192.0.2.1 zoom, webex", 22, "lower-case"},
		{"client 192.0.2.1 private", 18, "meaning of its own"},
		{"client 192.0.2.1 client", 18, "meaning of its own"},
		{"client 192.0.2.1 zoom tcp 443", 23, "meaning of its own"},
		{"client host.example", 8, "four numbers"},
	};

	assert_mistakes(*state, "clients", "", list, sizeof list / sizeof list[0]);
	assert_mistakes(*state, "clients", "client 10.0.0.0/8\n", list, sizeof list / sizeof list[0]);
}

static void all_mistakes_at_once(void **state)
{
	const char *folder = *state;

	put(folder, "zoom.service",
	    "service zoom\naddress 192.0.2.1\naddress 192.0.2.2/33\n\n# fine\nname a_b.example\r\nexpires x\n"
	    "address 192.0.2.3\nbogus\nports tcp x");
	put(folder, "clients", "client 10.0.0.0/8\nclient x\nclient 10.1.1.1/8 zoom\n");
	static char said[SAID_SIZE];
	struct category *category = load_folder(folder, NULL, said);
	assert_string_equal(said,
	    "clients:2:8: an IPv4 address has four numbers of 0 to 255, with dots between\n"
	    "clients:3:8: bits are set behind the prefix length: write 10.0.0.0/8 for the block, or the address alone\n"
	    "zoom.service:3:19: the prefix length is a number of 0 to 32, without leading zeros\n"
	    "zoom.service:6:7: a name has letters, digits, hyphens and dots only\n"
	    "zoom.service:7:9: a day is written 2027-04-01\n"
	    "zoom.service:9:1: unknown directive: service, title, source, expires, ports, address, name or feed\n"
	    "zoom.service:10:11: ports are numbers of 1 to 65535 or ranges, with commas and no blanks: 80,443,8801-8802\n");
	assert_string_equal(entries_of(category), "");
	assert_string_equal(services_of(category), "zoom refused () 0 0 zoom.service\n");
	category_free(category);
}

/* Also where the first line is one of the mistakes. */
static void all_mistakes_behind_a_wrong_first_line(void **state)
{
	static const char *const rest = "title\naddress 192.0.2.2/33\nexpires x\nname a_b.example\nclient 10.0.0.1\n"
	                                "source\nfeed\nports\n";
	static const char *const firsts[][2] = {
		{"service Zoom",
	        "x.service:1:9: the name of a service has lower-case letters, digits, hyphens and underscores\n"},
		{"address 192.0.2.1", "x.service:1:1: the first line of a service file is `service NAME`\n"},
	};

	for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
		char text[1024], said[2048];

		(void)snprintf(text, sizeof text, "%s\n%s", firsts[i][0], rest);
		(void)snprintf(said, sizeof said,
		    "%s"
		    "x.service:2:6: a title is missing\n"
		    "x.service:3:19: the prefix length is a number of 0 to 32, without leading zeros\n"
		    "x.service:4:9: a day is written 2027-04-01\n"
		    "x.service:5:7: a name has letters, digits, hyphens and dots only\n"
		    "x.service:6:1: clients are listed in the file `clients`\n"
		    "x.service:7:7: where the entries below are from is missing\n"
		    "x.service:8:5: a feed is `cidr`, `m365-json`, `aws-json` or `bundle`, and an address to fetch it from\n"
		    "x.service:9:6: ports are written `tcp 80,443 udp 3478`, or `any`\n",
		    firsts[i][1]);
		assert_said(*state, "x.service", text, said);
	}
}

static void bytes_that_are_no_text(void **state)
{
	static const char nul[] = "service x\naddress 192.0.2.1\0\naddress 192.0.2.2\n\0\n";
	static const char zeros[300] = {0};
	const char *folder = *state;
	static char said[SAID_SIZE];

	put_bytes(folder, "x.service", nul, sizeof nul - 1);
	put_bytes(folder, "y.service", zeros, sizeof zeros);
	put_bytes(folder, "z.service", "\xff\xfes\0e\0r\0", 8);
	struct category *category = load_folder(folder, NULL, said);
	assert_string_equal(said,
	    "x.service:2:18: a control character\nx.service:4:1: a control character\n"
	    "y.service:1:1: a control character\nz.service:1:1: not UTF-8\n");
	assert_string_equal(entries_of(category), "");
	category_free(category);
}

static void carriage_return_only_at_the_end(void **state)
{
	assert_said(*state, "x.service", "service x\r\r\n", "x.service:1:10: a control character\n");
	assert_said(*state, "x.service", "service x\rtitle X\n", "x.service:1:10: a control character\n");
	assert_said(*state, "x.service", "\rservice x\n", "x.service:1:1: a control character\n");
}

static void overlong_lines(void **state)
{
	static char text[8192];
	static const char expected[] =
	    "x.service:2:4097: a line has at most 4,096 bytes\n"
	    "x.service:3:1: unknown directive: service, title, source, expires, ports, address, name or "
	    "feed\n";

	memset(text, ' ', sizeof text - 1);
	memcpy(text, "service x\n", 10);
	memcpy(text + 10 + 4097, "\nbogus\n", 8);
	assert_said(*state, "x.service", text, expected);
	/* a source has room for 1,023 bytes */
	memset(text, 'a', sizeof text - 1);
	memcpy(text, "service x\nsource ", 17);
	memcpy(text + 17 + 1023, "\n", 2);
	assert_said(*state, "x.service", text, "");
	text[17 + 1023] = 'a';
	memcpy(text + 17 + 1024, "\n", 2);
	assert_said(*state, "x.service", text, "x.service:2:8: too long for a source\n");
	/* a date behind it doesn't count */
	memcpy(text + 17 + 1023, " 2026-01-01\n", 13);
	assert_said(*state, "x.service", text, "");
}

static void a_block_expires_once(void **state)
{
	assert_said(*state, "x.service",
	    "service x\nexpires 2027-01-01\nexpires 2027-01-01\nsource A\nexpires 2027-01-01\naddress 192.0.2.1\n"
	    "expires 2028-01-01\n",
	    "x.service:3:1: a block expires once\nx.service:7:1: a block expires once\n");
}

static void empty_file_has_to_name_a_service(void **state)
{
	static const char reason[] = "an empty file switches off the service that it is named after, but this names none";
	char said[256];

	(void)snprintf(said, sizeof said, "Zoom US.service: %s\n", reason);
	assert_said(*state, "Zoom US.service", "", said);
	(void)snprintf(said, sizeof said, "client.service: %s\n", reason);
	assert_said(*state, "client.service", "# off\n", said);
}

static void no_more_than_10000_are_kept(void **state)
{
	const char *folder = *state;
	struct problems problems = {NULL, 0, 0, 0};
	size_t length = 10 + 10050 * 2;
	char *text = malloc(length);

	assert_non_null(text);
	memcpy(text, "service x\n", 10);
	for (size_t i = 10; i < length; i += 2) {
		memcpy(text + i, "x\n", 2);
	}
	put_bytes(folder, "x.service", text, length);
	free(text);
	struct category *category = category_load(&folder, 1, NULL, &problems);
	assert_non_null(category);
	assert_int_equal(problems.count, 10000);
	assert_int_equal(problems.omitted, 50);
	assert_int_equal(problems.list[9999].line, 10001);
	problems_free(&problems);
	assert_int_equal(problems.count, 0);
	assert_null(problems.list);
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_mistake_has_its_place, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(first_line_names_the_service, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(clients_are_strict_too, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(all_mistakes_at_once, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(all_mistakes_behind_a_wrong_first_line, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(carriage_return_only_at_the_end, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(overlong_lines, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(a_block_expires_once, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(empty_file_has_to_name_a_service, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(no_more_than_10000_are_kept, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
