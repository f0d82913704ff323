/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether c-icap's access log can ask for attributes: what isn't understood counts as yes. */
#include <config.h>

#include "icap/formats.h"

#include "tests/records/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void write_file(const char *name, const char *text, size_t length)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void expect_of(const char *text, bool expected)
{
	write_file(path, text, strlen(text));
	if (formats_have_attributes(path) != expected)
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

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_of(cases[i].text, cases[i].has);
}

static void included_files_count(void **state)
{
	static const char with[] = "LogFormat meeting \"%{meeting:verdict}Sa\"\n", without[] = "Port 1344\n";
	char text[256];

	(void)state;
	snprintf(text, sizeof text, "Port 1\ninclude\t %s \nPort 2\n", other);
	write_file(other, with, strlen(with));
	expect_of(text, true);
	write_file(other, without, strlen(without));
	expect_of(text, false);
	/* The last line counts without its end, too. */
	snprintf(text, sizeof text, "Include %s", other);
	write_file(other, with, strlen(with) - 1);
	expect_of(text, true);
	remove(other);
	expect_of(text, true);
}

static void what_cannot_be_told_counts(void **state)
{
	char text[256];

	(void)state;
	assert_true(formats_have_attributes(NULL));
	assert_true(formats_have_attributes(path)); /* not there */
	assert_true(formats_have_attributes(folder));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(formats_have_attributes(path));
	remove(path);
	expect_of("Include relative.conf\n", true);
	expect_of("Include \"/dev/null\"\n", true);
	expect_of("Include\n", true);
	snprintf(text, sizeof text, "Include %s\n", path); /* itself: c-icap refuses that */
	expect_of(text, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_format_has_attributes),
		TEST(included_files_count),
		TEST(what_cannot_be_told_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
