/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for a test of the journal, and looking at what is in its file. */
#include <config.h>

#include "tests/records/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const struct journal_options eager = { .queue_bytes = 64 * 1024 };

char folder[64], path[96], other[96];

int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/journal_test.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/journal", folder);
	snprintf(other, sizeof other, "%s/journal.1", folder);
	return 0;
}

int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	unlink(other);
	return rmdir(folder);
}

void remove_store(const char *place)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	char name[160];

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(name, sizeof name, "%s%s", place + strlen("sqlite:"), suffixes[i]);
		unlink(name);
	}
}

char *content(const char *name)
{
	FILE *file = fopen(name, "re");
	char *text;
	struct stat status;
	size_t length;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	text = malloc((size_t)status.st_size + 1);
	assert_non_null(text);
	length = fread(text, 1, (size_t)status.st_size, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

void expect_content(const char *name, const char *expected)
{
	char *text = content(name);

	assert_string_equal(text, expected);
	free(text);
}

enum journal_result put(struct journal *journal, const char *line)
{
	return journal_write(journal, line, strlen(line));
}

enum journal_result put_record(struct journal *journal, const struct record *record)
{
	char line[RECORD_SIZE];

	return journal_write(journal, line, record_format(record, line));
}

void expect_counts(struct journal *journal, uint64_t written, uint64_t lost, uint64_t waiting)
{
	struct journal_counts counts;

	journal_count(journal, &counts);
	assert_int_equal(counts.written, written);
	assert_int_equal(counts.lost, lost);
	assert_int_equal(counts.waiting, waiting);
}

void expect_good_end(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}
