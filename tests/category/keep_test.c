/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that was good keeps its last good content while it is broken, however often it is loaded, and no longer. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char said[SAID_SIZE];

static void path_in(const char *folder, const char *name, char path[512])
{
	assert_in_range(snprintf(path, 512, "%s/%s", folder, name), 1, 511);
}

/* Loads again over previous, and frees it. */
static struct category *reload(const char *folder, struct category *previous)
{
	char *entries = strdup(entries_of(previous));
	uint64_t version = category_version(previous);
	struct category *category = load_folder(folder, previous, said);

	assert_non_null(entries);
	assert_string_equal(entries_of(previous), entries); /* previous isn't changed */
	assert_true(category_version(previous) == version);
	free(entries);
	category_free(previous);
	return category;
}

static const char *const good_service =
    "service x\ntitle The good one\naddress 192.0.2.9 any\nsource A 2026-01-01\nexpires 2027-01-01\n"
    "ports tcp 80,443 udp 1-9\n"
    "address 192.0.2.0/24\naddress 192.0.2.0/24 tcp 8200\naddress 2001:db8::/32\nname meet.example\n"
    "name .meet.example any\n"
    "source B\naddress 192.0.2.0/24\naddress 198.51.100.0/24 udp 3478\nname meet.example\n";

static const char *const good_clients =
    "client 10.0.0.0/8\nclient 11.0.0.0/8 x zoom\nclient 11.1.0.0/16 x zoom\nclient 12.0.0.0/8 zoom\n"
    "client 12.0.0.0/8 x\n"
    "client 2001:db8:1::/48 x zoom\nclient 2001:db8:2::/48\nclient 13.0.0.0/8\n";

static void all_is_kept_over_many_reloads(void **state)
{
	static const char *const broken[] = {"service x\ntitle Broken\naddress 192.0.2.1/33\n", "bogus\n", "\xff",
	    "service y\nbogus\n", "service x\naddress 203.0.113.0/24\nname other.example tcp 1\nexpires never\n"};
	const char *folder = *state;

	put(folder, "w.service", "service w\naddress 203.0.113.1 tcp 1\nname meet.example\n");
	put(folder, "x.service", good_service);
	put(folder, "zoom.service", "service zoom\naddress 203.0.113.2 tcp 2\n");
	put(folder, "clients", good_clients);
	struct category *category = load_good(folder);
	char *entries = strdup(entries_of(category));
	uint64_t version = category_version(category);
	assert_non_null(entries);
	for (size_t i = 0; i < 3 * sizeof broken / sizeof broken[0]; i++) {
		put(folder, "x.service", broken[i % (sizeof broken / sizeof broken[0])]);
		put(folder, "clients",
		    i % 2 == 0 ? "client 10.0.0.0/8\nclient 1.2.3\n"
		               : "client 14.0.0.0/8 x zoom\nclient 14.1.0.0/16 x zoom\nx");
		category = reload(folder, category);
		assert_string_not_equal(said, "");
		assert_string_equal(entries_of(category), entries);
		assert_true(category_version(category) == version);
		struct category_counts counts;
		category_count(category, &counts);
		assert_int_equal(counts.refused_files, 2);
		assert_int_equal(counts.clients, 7);
		assert_string_equal(
		    ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "443"), "bypass x 192.0.2.0/24 address");
		assert_string_equal(source_of_answer(), "A; B");
		assert_string_equal(ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "81"), "normal other-port");
		assert_string_equal(
		    ASK(category, EXPLICIT, .host = "a.meet.example", .port = "1"), "bypass x .meet.example name");
		assert_string_equal(ASK(category, INTERCEPTED, .today = "2027-01-02", .dst = "2001:db8::1", .dport = "443"),
		    "bypass x 2001:db8::/32 address stale");
		assert_string_equal(
		    ASK(category, INTERCEPTED, .client = "10.1.1.1", .arguments = "client"), "bypass - 10.0.0.0/8 client");
		assert_string_equal(
		    ASK(category, INTERCEPTED, .client = "11.1.1.1", .dst = "203.0.113.2", .dport = "2", .arguments = "client"),
		    "bypass zoom 203.0.113.2 address");
		assert_string_equal(
		    ASK(category, INTERCEPTED, .client = "11.1.1.1", .dst = "203.0.113.1", .dport = "1", .arguments = "client"),
		    "normal other-service");
	}
	free(entries);
	/* well again, with another content */
	put(folder, "x.service", "service x\naddress 192.0.2.7\n");
	put(folder, "clients", "client 15.0.0.0/8\n");
	category = reload(folder, category);
	assert_string_equal(said, "");
	assert_string_equal(entries_of(category),
	    "address 192.0.2.7 x (any) - - - x.service:2\naddress 203.0.113.1 w (tcp 1) - - - w.service:2\n"
	    "address 203.0.113.2 zoom (tcp 2) - - - zoom.service:2\nname meet.example w (any) - - - w.service:3\n"
	    "client 15.0.0.0/8 - (everywhere) - - - clients:1\n");
	assert_string_equal(
	    services_of(category), "w on () 1 1 w.service\nx on () 1 0 x.service\nzoom on () 1 0 zoom.service\n");
	category_free(category);
}

static void state_and_title_are_kept(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", good_service);
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "x on (The good one) 4 2 x.service\n");
	for (int i = 0; i < 3; i++) {
		put(folder, "x.service", "service x\ntitle A broken one\nbogus\n");
		category = reload(folder, category);
		assert_string_equal(services_of(category), "x kept (The good one) 4 2 x.service\n");
	}
	category_free(category);
}

static void broken_from_the_start_has_nothing_to_keep(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", "service x\nbogus\n");
	struct category *category = load_folder(folder, NULL, said);
	for (int i = 0; i < 3; i++) {
		category = reload(folder, category);
		assert_string_equal(services_of(category), "x refused () 0 0 x.service\n");
	}
	put(folder, "x.service", good_service);
	category = reload(folder, category);
	assert_string_equal(services_of(category), "x on (The good one) 4 2 x.service\n");
	put(folder, "x.service", "bogus\n");
	category = reload(folder, category);
	assert_string_equal(services_of(category), "x kept (The good one) 4 2 x.service\n");
	category_free(category);
}

static void removed_file_is_not_kept(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", good_service);
	put(folder, "clients", good_clients);
	struct category *category = load_good(folder);
	put(folder, "x.service", "bogus");
	category = reload(folder, category);
	drop(folder, "x.service");
	drop(folder, "clients");
	category = reload(folder, category);
	assert_string_equal(said, "");
	assert_string_equal(entries_of(category), "");
	assert_string_equal(services_of(category), "");
	category_free(category);
}

static void emptied_file_is_not_broken(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", good_service);
	put(folder, "clients", good_clients);
	struct category *category = load_good(folder);
	put(folder, "x.service", "");
	put(folder, "clients", "");
	category = reload(folder, category);
	assert_string_equal(said, "");
	assert_string_equal(entries_of(category), "");
	assert_string_equal(services_of(category), "x off () 0 0 x.service\n");
	/* and a service that is off stays off while its file is broken */
	put(folder, "x.service", "service x\naddress 192.0.2.1\nbogus\n");
	category = reload(folder, category);
	assert_string_equal(entries_of(category), "");
	assert_string_equal(
	    ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "443", .arguments = "x"), "normal nothing-loaded");
	category_free(category);
}

static void what_cannot_be_read_is_kept(void **state)
{
	const char *folder = *state;
	char path[512];

	put(folder, "x.service", good_service);
	struct category *category = load_good(folder);
	char *entries = strdup(entries_of(category));
	assert_non_null(entries);
	path_in(folder, "x.service", path);
	drop(folder, "x.service");
	assert_int_equal(mkfifo(path, 0600), 0);
	category = reload(folder, category);
	assert_string_equal(said, "x.service: not a regular file\n");
	assert_string_equal(entries_of(category), entries);
	drop(folder, "x.service");
	assert_int_equal(symlink("nowhere", path), 0);
	category = reload(folder, category);
	assert_string_equal(said, "x.service: No such file or directory\n");
	assert_string_equal(entries_of(category), entries);
	assert_string_equal(services_of(category), "x kept (The good one) 4 2 x.service\n");
	drop(folder, "x.service");
	assert_int_equal(mkdir(path, 0700), 0);
	category = reload(folder, category);
	assert_string_equal(entries_of(category), entries);
	free(entries);
	category_free(category);
}

static void folder_that_cannot_be_read_is_kept(void **state)
{
	const char *folder = *state;
	char sub[512], away[512];

	put(folder, "sub/x.service", good_service);
	put(folder, "sub/clients", good_clients);
	path_in(folder, "sub", sub);
	path_in(folder, "away", away);
	struct category *category = load_good(sub);
	char *entries = strdup(entries_of(category));
	assert_non_null(entries);
	assert_int_equal(rename(sub, away), 0);
	assert_int_equal(symlink("sub", sub), 0); /* a loop: the folder is there, and can't be read */
	for (int i = 0; i < 2; i++) {
		category = reload(sub, category);
		assert_non_null(strstr(said, "sub: Too many levels of symbolic links\n"));
		assert_string_equal(entries_of(category), entries);
	}
	assert_int_equal(unlink(sub), 0);
	assert_int_equal(rename(away, sub), 0);
	category = reload(sub, category);
	assert_string_equal(said, "");
	assert_string_equal(entries_of(category), entries);
	free(entries);
	category_free(category);
}

static void another_name_in_the_broken_file(void **state)
{
	const char *folder = *state;

	put(folder, "x.service", "service x\naddress 192.0.2.1\n");
	struct category *category = load_good(folder);
	put(folder, "x.service", "service y\naddress 192.0.2.2\nbogus\n");
	category = reload(folder, category);
	assert_string_equal(entries_of(category), "address 192.0.2.1 x (any) - - - x.service:2\n");
	assert_string_equal(
	    ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "443", .arguments = "x"), "bypass x 192.0.2.1 address");
	category_free(category);
}

static void one_of_two_files_of_a_service(void **state)
{
	const char *folder = *state;

	put(folder, "1.service", "service x\nsource A\naddress 192.0.2.1\naddress 192.0.2.0/24 tcp 80\n");
	put(folder, "2.service", "service x\nsource B\naddress 192.0.2.2\naddress 192.0.2.0/24 tcp 443\n");
	struct category *category = load_good(folder);
	char *entries = strdup(entries_of(category));
	assert_non_null(entries);
	for (int i = 1; i <= 2; i++) {
		put(folder, i == 1 ? "1.service" : "2.service", "service x\nbogus\n");
		for (int again = 0; again < 2; again++) {
			category = reload(folder, category);
			assert_string_equal(entries_of(category), entries);
			assert_int_equal(category_services(category), 1);
		}
	}
	put(folder, "1.service", "service x\nsource C\naddress 192.0.2.3\n");
	category = reload(folder, category);
	assert_string_equal(entries_of(category),
	    "address 192.0.2.0/24 x (tcp 443) B - - 2.service:4\naddress 192.0.2.2 x (any) B - - 2.service:3\n"
	    "address 192.0.2.3 x (any) C - - 1.service:3\n");
	free(entries);
	category_free(category);
}

/* The content that was in force is kept, even if it was that of another folder. */
static void broken_file_in_a_later_folder(void **state)
{
	const char *folder = *state;
	char one[512], two[512];
	const char *folders[] = {one, two, NULL};

	path_in(folder, "1", one);
	path_in(folder, "2", two);
	put(folder, "1/x.service", "service x\naddress 192.0.2.1\n");
	put(folder, "2/y.service", "service y\n");
	struct category *first = load_folders(folders, NULL, said);
	put(folder, "2/x.service", "service x\naddress 192.0.2.2\nbogus\n");
	struct category *second = load_folders(folders, first, said);
	assert_string_equal(entries_of(second), "address 192.0.2.1 x (any) - - - x.service:2\n");
	category_free(first);
	category_free(second);
}

static void chance_line(char *text, size_t size, size_t *at)
{
	static const char *const ports[] = {"", " tcp 443", " tcp 80,443 udp 1-5", " any"};
	char rule[PREFIX_TEXT_SIZE];
	struct prefix prefix = {{IPV4, {203, 0, 113, (uint8_t)chance(256)}}, 32};

	if (chance(2) == 0) {
		prefix = (struct prefix){{IPV6, {0x20, 0x01, 0x0d, 0xb8, (uint8_t)chance(8)}}, 40};
	}
	prefix_format(&prefix, rule);
	switch (chance(5)) {
	case 0:
	case 1: *at += (size_t)snprintf(text + *at, size - *at, "address %s%s\n", rule, ports[chance(4)]); break;
	case 2:
		*at += (size_t)snprintf(text + *at, size - *at, "name %sn%u.example%s\n", chance(2) == 0 ? "." : "",
		    (unsigned)chance(9), ports[chance(4)]);
		break;
	case 3:
		*at += (size_t)snprintf(
		    text + *at, size - *at, "source S%u 2026-01-0%u\n", (unsigned)chance(3), 1 + (unsigned)chance(9));
		break;
	default: *at += (size_t)snprintf(text + *at, size - *at, "ports%s\n", ports[1 + chance(3)]); break;
	}
}

/* Random files of three services and of clients: broken in any pattern, all stays as it was. */
static void any_content_is_kept(void **state)
{
	static const char *const names[] = {"a.service", "b.service", "c.service", "clients"};
	static char content[4][4096];
	const char *folder = *state;
	struct category *category = NULL;

	for (int round = 0; round < 60; round++) {
		for (int file = 0; file < 4; file++) {
			size_t at = file == 3
			    ? 0
			    : (size_t)snprintf(content[file], sizeof content[file], "service %c\n", 'a' + file % 2);

			content[3][0] = '\0';
			for (uint64_t lines = chance(20); lines > 0; lines--) {
				if (file < 3) {
					chance_line(content[file], sizeof content[file], &at);
				} else {
					at += (size_t)snprintf(content[3] + at, sizeof content[3] - at, "client 10.%u.0.0/16%s%s\n",
					    (unsigned)chance(5), chance(2) == 0 ? " a" : "", chance(2) == 0 ? " b" : "");
				}
			}
			put(folder, names[file], content[file]);
		}
		category_free(category);
		category = load_good(folder);
		char *entries = strdup(entries_of(category));
		assert_non_null(entries);
		for (int again = 0; again < 4; again++) {
			for (int file = 0; file < 4; file++) {
				static char broken[sizeof content + 8];

				(void)snprintf(broken, sizeof broken, "%s%s", content[file], chance(2) == 0 ? "bogus\n" : "");
				put(folder, names[file], broken);
			}
			category = reload(folder, category);
			assert_string_equal(entries_of(category), entries);
		}
		free(entries);
	}
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_is_kept_over_many_reloads, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(state_and_title_are_kept, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(broken_from_the_start_has_nothing_to_keep, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(removed_file_is_not_kept, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(emptied_file_is_not_broken, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_kept, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(folder_that_cannot_be_read_is_kept, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(another_name_in_the_broken_file, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(one_of_two_files_of_a_service, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(broken_file_in_a_later_folder, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(any_content_is_kept, folder_setup, folder_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
