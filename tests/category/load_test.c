/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files of which folders count, and that one bad file takes no other with it. */
#include <config.h>

#include "tests/category/fixture.h"

#include <fcntl.h>
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

static void missing_folder_is_no_problem(void **state)
{
	const char *folder = *state;
	char missing[512];
	struct category_counts counts;

	path_in(folder, "nowhere", missing);
	struct category *category = load_folder(missing, NULL, said);
	assert_string_equal(said, "");
	assert_int_equal(category_services(category), 0);
	category_count(category, &counts);
	assert_int_equal(counts.services + counts.files + counts.addresses + counts.names + counts.clients, 0);
	assert_string_equal(ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "443"), "normal nothing-loaded");
	category_free(category);
	category = load_folders((const char *const[]){NULL}, NULL, said);
	assert_string_equal(said, "");
	category_free(category);
	category_free(NULL);
}

static void broken_file_leaves_the_others(void **state)
{
	const char *folder = *state;
	struct category_counts counts;

	put(folder, "a.service", "service a\naddress 192.0.2.1\n");
	put(folder, "b.service", "service b\naddress 192.0.2.2\nname b.example\naddress 192.0.2.1/33\n");
	put(folder, "c.service", "service c\naddress 192.0.2.3\n");
	put(folder, "clients", "client 10.0.0.0/8 a\nclient 11.0.0.0/8\nclient x\n");
	struct category *category = load_folder(folder, NULL, said);
	assert_string_equal(
	    services_of(category), "a on () 1 0 a.service\nb refused () 0 0 b.service\nc on () 1 0 c.service\n");
	assert_string_equal(entries_of(category),
	    "address 192.0.2.1 a (any) - - - a.service:2\n"
	    "address 192.0.2.3 c (any) - - - c.service:2\n");
	category_count(category, &counts);
	assert_int_equal(counts.services, 3);
	assert_int_equal(counts.files, 4);
	assert_int_equal(counts.refused_files, 2);
	assert_int_equal(counts.addresses, 2);
	assert_int_equal(counts.names, 0);
	assert_int_equal(counts.clients, 0);
	assert_true(counts.bytes > 0);
	assert_string_equal(
	    ASK(category, INTERCEPTED, .dst = "192.0.2.2", .dport = "443", .arguments = "b"), "normal service-off");
	category_free(category);
}

static void later_folder_hides_an_earlier_one(void **state)
{
	const char *folder = *state;
	char one[512], two[512], three[512];
	const char *folders[] = {one, two, three, NULL};

	path_in(folder, "1", one);
	path_in(folder, "2", two);
	path_in(folder, "3", three);
	put(folder, "1/a.service", "service a\naddress 192.0.2.1\n");
	put(folder, "1/b.service", "service b\nthis is hidden, so nobody reads it\n");
	put(folder, "1/c.service", "service c\naddress 192.0.2.3\n");
	put(folder, "1/d.service", "service d\naddress 192.0.2.4\n");
	put(folder, "1/clients", "client 10.1.0.0/16\n");
	put(folder, "2/b.service", "service b\naddress 192.0.2.22\n");
	put(folder, "2/clients", "client 10.2.0.0/16\n");
	put(folder, "3/c.service", "# off\n");
	put(folder, "3/d.service", "service d\naddress 192.0.2.44\nbroken\n");
	struct category *category = load_folders(folders, NULL, said);
	assert_string_equal(
	    said, "d.service:3:1: unknown directive: service, title, source, expires, ports, address, name or feed\n");
	assert_string_equal(services_of(category),
	    "a on () 1 0 a.service\nb on () 1 0 b.service\nc off () 0 0 c.service\nd refused () 0 0 d.service\n");
	assert_string_equal(entries_of(category),
	    "address 192.0.2.1 a (any) - - - a.service:2\n"
	    "address 192.0.2.22 b (any) - - - b.service:2\n"
	    "client 10.2.0.0/16 - (everywhere) - - - clients:1\n");
	category_free(category);
	folders[0] = three;
	folders[2] = one;
	category = load_folders(folders, NULL, said);
	assert_string_equal(services_of(category),
	    "a on () 1 0 a.service\nb refused () 0 0 b.service\nc on () 1 0 c.service\nd on () 1 0 d.service\n");
	category_free(category);
}

static void only_files_of_the_right_name_count(void **state)
{
	static const char *const others[] = {".x.service", ".service", "x.service~", "x.service.bak", "service", "README",
	    "xservice", "x.SERVICE", "clients.bak", "Clients", ".clients", "#x.service#"};
	const char *folder = *state;

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		put(folder, others[i], "not a service file\n");
	}
	put(folder, "sub/x.service", "not looked for\n");
	put(folder, "y.service", "service y\naddress 192.0.2.1\n");
	struct category *category = load_good(folder);
	assert_string_equal(entries_of(category), "address 192.0.2.1 y (any) - - - y.service:2\n");
	category_free(category);
}

static void same_service_in_two_files(void **state)
{
	const char *folder = *state;

	put(folder, "zoom.service",
	    "service zoom\ntitle Zoom\nsource A\naddress 192.0.2.0/24 tcp 443\nname .zoom.example\n");
	put(folder, "own-zoom.service",
	    "service zoom\ntitle Our own\nsource B\naddress 192.0.2.0/24 tcp 80\naddress 10.0.0.1 private\n");
	struct category *category = load_good(folder);
	assert_string_equal(services_of(category), "zoom on (Our own) 2 1 own-zoom.service\n");
	assert_string_equal(entries_of(category),
	    "address 10.0.0.1 zoom (any) B - - own-zoom.service:5\n"
	    "address 192.0.2.0/24 zoom (tcp 80) B - - own-zoom.service:4\n"
	    "address 192.0.2.0/24 zoom (tcp 443) A - - zoom.service:4\n"
	    "name .zoom.example zoom (any) A - - zoom.service:5\n");
	assert_string_equal(
	    ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "443"), "bypass zoom 192.0.2.0/24 address");
	assert_string_equal(source_of_answer(), "B; A");
	category_free(category);
	/* one of them broken */
	put(folder, "own-zoom.service", "service zoom\naddress 10.0.0.1\n");
	category = load_folder(folder, NULL, said);
	assert_string_equal(services_of(category), "zoom on (Zoom) 1 1 own-zoom.service\n");
	assert_string_equal(
	    ASK(category, INTERCEPTED, .dst = "192.0.2.1", .dport = "443"), "bypass zoom 192.0.2.0/24 address");
	assert_string_equal(source_of_answer(), "A");
	category_free(category);
}

static void what_is_no_regular_file(void **state)
{
	const char *folder = *state;
	char path[512];

	path_in(folder, "fifo.service", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	put(folder, "folder.service/x.service", "service x\n");
	path_in(folder, "clients", path);
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(folder, "dangling.service", path);
	assert_int_equal(symlink("nowhere", path), 0);
	path_in(folder, "loop.service", path);
	assert_int_equal(symlink("loop.service", path), 0);
	path_in(folder, "null.service", path);
	assert_int_equal(symlink("/dev/null", path), 0);
	put(folder, "good", "service good\naddress 192.0.2.1\n");
	path_in(folder, "good.service", path);
	assert_int_equal(symlink("good", path), 0);
	struct category *category = load_folder(folder, NULL, said);
	assert_string_equal(said,
	    "clients: not a regular file\n"
	    "dangling.service: No such file or directory\n"
	    "fifo.service: not a regular file\n"
	    "folder.service: not a regular file\n"
	    "loop.service: Too many levels of symbolic links\n"
	    "null.service: not a regular file\n");
	assert_string_equal(services_of(category),
	    "dangling refused () 0 0 dangling.service\nfifo refused () 0 0 fifo.service\n"
	    "folder refused () 0 0 folder.service\n"
	    "good on () 1 0 good.service\nloop refused () 0 0 loop.service\nnull refused () 0 0 null.service\n");
	category_free(category);
}

static void what_may_not_be_read(void **state)
{
	const char *folder = *state;
	uid_t self = geteuid();
	char path[512], sub[512];

	put(folder, "secret.service", "service secret\naddress 192.0.2.1\n");
	put(folder, "sub/x.service", "service x\naddress 192.0.2.2\n");
	put(folder, "open.service", "service open\naddress 192.0.2.3\n");
	path_in(folder, "secret.service", path);
	path_in(folder, "sub", sub);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(sub, 0), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	if (self == 0) {
		assert_int_equal(seteuid(65534), 0); /* root may read all */
	}
	struct category *category = load_folders((const char *const[]){folder, sub, NULL}, NULL, said);
	if (self == 0) {
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(chmod(sub, 0700), 0);
	assert_string_equal(said, "sub: Permission denied\nsecret.service: Permission denied\n");
	assert_string_equal(services_of(category), "open on () 1 0 open.service\nsecret refused () 0 0 secret.service\n");
	category_free(category);
}

static void single_files_stand_for_folders(void **state)
{
	const char *folder = *state;
	char service[512], clients[512], other[512];
	const char *folders[] = {service, clients, other, NULL};

	put(folder, "x.service", "service x\naddress 192.0.2.1\n");
	put(folder, "y.service", "service y\naddress 192.0.2.2\n");
	put(folder, "clients", "client 10.0.0.0/8\n");
	put(folder, "notes", "service z\n");
	path_in(folder, "x.service", service);
	path_in(folder, "clients", clients);
	path_in(folder, "notes", other);
	struct category *category = load_folders(folders, NULL, said);
	assert_string_equal(said, "notes: named neither *.service nor clients\n");
	assert_string_equal(entries_of(category),
	    "address 192.0.2.1 x (any) - - - x.service:2\n"
	    "client 10.0.0.0/8 - (everywhere) - - - clients:1\n");
	category_free(category);
	/* by a name without a slash, it is of the present folder */
	int here = open(".", O_RDONLY | O_DIRECTORY);
	assert_true(here >= 0);
	assert_int_equal(chdir(folder), 0);
	category = load_folder("y.service", NULL, said);
	assert_int_equal(fchdir(here), 0);
	close(here);
	assert_string_equal(said, "");
	assert_string_equal(entries_of(category), "address 192.0.2.2 y (any) - - - y.service:2\n");
	category_free(category);
}

static void folder_names_have_an_end(void **state)
{
	static char name[5000];
	const char *folder = *state;

	memset(name, 'a', sizeof name - 1);
	put(folder, "x.service", "service x\naddress 192.0.2.1\n");
	struct category *category = load_folders((const char *const[]){name, folder, folder, NULL}, NULL, said);
	assert_non_null(strstr(said, "too long"));
	assert_string_equal(entries_of(category), "address 192.0.2.1 x (any) - - - x.service:2\n");
	category_free(category);
}

static uint64_t version_of(const char *folder)
{
	struct category *category = load_folder(folder, NULL, said);
	uint64_t version = category_version(category);

	category_free(category);
	return version;
}

static void version_is_that_of_the_content(void **state)
{
	const char *folder = *state;
	char one[512], two[512];

	path_in(folder, "1", one);
	path_in(folder, "2", two);
	put(folder, "1/a.service", "service a\naddress 192.0.2.1\n");
	put(folder, "1/b.service", "service b\naddress 192.0.2.2\n");
	put(folder, "2/b.service", "service b\naddress 192.0.2.2\n");
	put(folder, "2/a.service", "service a\naddress 192.0.2.1\n");
	assert_true(version_of(one) == version_of(one));
	assert_true(version_of(one) == version_of(two));
	put(folder, "2/a.service", "service a\naddress 192.0.2.3\n");
	uint64_t other = version_of(two);
	assert_true(version_of(one) != other);
	put(folder, "2/a.service", "service a\naddress 192.0.2.3/33\n");
	assert_true(version_of(two) != other);
	assert_true(version_of(two) != version_of(one));
	drop(folder, "2/a.service");
	assert_true(version_of(two) != version_of(one));
	put(folder, "2/c.service", "service a\naddress 192.0.2.1\n");
	assert_true(version_of(two) != version_of(one)); /* another name */
}

static bool stop_at_second(void *context, const struct entry *entry)
{
	(void)entry;
	return ++*(int *)context < 2;
}

static void visiting_stops_where_it_is_told(void **state)
{
	const char *folder = *state;
	struct address address;
	struct refusal why;
	int count = 0;

	put(folder, "x.service",
	    "service x\naddress 192.0.2.0/24\naddress 192.0.2.1\naddress 192.0.0.0/16\naddress 2001:db8::1\n"
	    "name a.b.example\nname .b.example\nname .example wide\n");
	put(folder, "clients", "client 10.0.0.0/8\nclient 10.1.0.0/16\nclient 10.1.1.0/24\n");
	struct category *category = load_good(folder);
	category_entries(category, stop_at_second, &count);
	assert_int_equal(count, 2);
	assert_true(address_parse(text_of("192.0.2.1"), &address, &why));
	count = 0;
	category_entries_of_address(category, &address, stop_at_second, &count);
	assert_int_equal(count, 2);
	count = 0;
	category_entries_of_name(category, "a.b.example", stop_at_second, &count);
	assert_int_equal(count, 2);
	assert_true(address_parse(text_of("10.1.1.1"), &address, &why));
	count = 0;
	category_entries_of_client(category, &address, stop_at_second, &count);
	assert_int_equal(count, 2);
	category_free(category);
}

static void many_files(void **state)
{
	const char *folder = *state;
	struct category_counts counts;
	size_t at = 0;

	for (unsigned i = 0; i < 500; i++) {
		char name[32], text[128];

		(void)snprintf(name, sizeof name, "s%03u.service", 499 - i);
		(void)snprintf(
		    text, sizeof text, "service s%03u\naddress 192.0.%u.%u%s\n", i, i / 256, i % 256, i % 5 == 4 ? "/0" : "");
		put(folder, name, text);
	}
	struct category *category = load_folder(folder, NULL, said);
	category_count(category, &counts);
	assert_int_equal(counts.files, 500);
	assert_int_equal(counts.services, 500);
	assert_int_equal(counts.refused_files, 100);
	assert_int_equal(counts.addresses, 400);
	for (size_t i = 0; i < 500; i++) { /* in the order of the alphabet, not of the files */
		struct service_view view;
		char name[32];

		category_service(category, i, &view);
		(void)snprintf(name, sizeof name, "s%03zu", i);
		assert_string_equal(view.name, name);
		at += view.state == SERVICE_REFUSED;
	}
	assert_int_equal(at, 100);
	category_free(category);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(missing_folder_is_no_problem, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(broken_file_leaves_the_others, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(later_folder_hides_an_earlier_one, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(only_files_of_the_right_name_count, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(same_service_in_two_files, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_regular_file, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(what_may_not_be_read, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(single_files_stand_for_folders, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(folder_names_have_an_end, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(version_is_that_of_the_content, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(visiting_stops_where_it_is_told, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(many_files, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
