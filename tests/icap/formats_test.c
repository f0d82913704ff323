/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether c-icap's access log can ask for attributes: what isn't understood counts as yes. */
#include <config.h>

#include "icap/formats.h"

#include "tests/category/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *path_of(const char *folder, const char *name)
{
	static char path[512];

	assert_in_range(snprintf(path, sizeof path, "%s/%s", folder, name), 1, sizeof path - 1);
	return path;
}

/* Of a c-icap.conf with this text. */
static void expect_of(const char *folder, const char *text, bool expected)
{
	put(folder, "c-icap.conf", text);
	if (formats_have_attributes(path_of(folder, "c-icap.conf")) != expected)
		fail_msg("%s: it is told that %s", text, expected ? "there is no attribute" : "there is one");
}

static void a_format_has_attributes(void **state)
{
	static const struct {
		const char *text;
		bool has;
	} cases[] = {
		{ "", false },
		{ "Port 127.0.0.1:1344\nAccessLog /var/log/c-icap/access.log\n", false },
		{ "LogFormat meeting \"%tl %{meeting:verdict}Sa\"\nPort 1344\n", true },
		{ "Port 1344\n\t LogFormat meeting \"%tl %-20{meeting:verdict}Sa\"", true },
		{ "LogFormat sizes \"%tl %{Host}>ih %Sl\"\n", false },
		{ "# LogFormat meeting \"%{meeting:verdict}Sa\"\n", false },
		{ "  \t# LogFormat meeting \"%{meeting:verdict}Sa\"\n", false },
		{ "Logger file_logger\n", false },
		{ "Logger  sys_logger \n", false },
		{ "Logger another\n", true },
		{ "logger \"file_logger\"\n", true },
		{ "LoggerOf another\n", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_of(*state, cases[i].text, cases[i].has);
}

static void included_files_count(void **state)
{
	static const char with[] = "LogFormat meeting \"%{meeting:verdict}Sa\"\n", without[] = "Port 1344\n";
	char text[600];

	snprintf(text, sizeof text, "Port 1\ninclude\t %s \nPort 2\n", path_of(*state, "more.conf"));
	put(*state, "more.conf", with);
	expect_of(*state, text, true);
	put(*state, "more.conf", without);
	expect_of(*state, text, false);
	/* The last line counts without its end, too. */
	snprintf(text, sizeof text, "Include %s", path_of(*state, "more.conf"));
	put_bytes(*state, "more.conf", with, strlen(with) - 1);
	expect_of(*state, text, true);
	drop(*state, "more.conf");
	expect_of(*state, text, true);
}

static void what_cannot_be_told_counts(void **state)
{
	char text[600];

	assert_true(formats_have_attributes(NULL));
	assert_true(formats_have_attributes(path_of(*state, "missing.conf")));
	assert_true(formats_have_attributes(*state));
	assert_int_equal(mkfifo(path_of(*state, "pipe"), 0600), 0);
	assert_true(formats_have_attributes(path_of(*state, "pipe")));
	expect_of(*state, "Include relative.conf\n", true);
	expect_of(*state, "Include \"/dev/null\"\n", true);
	expect_of(*state, "Include\n", true);
	/* Itself: c-icap refuses that. */
	snprintf(text, sizeof text, "Include %s\n", path_of(*state, "c-icap.conf"));
	expect_of(*state, text, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_format_has_attributes, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(included_files_count, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_told_counts, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
