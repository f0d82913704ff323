/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal appends in order, follows its file, and keeps lines in memory while it can't be written. */
#include <config.h>

#include "tests/records/place.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void lines_are_appended_in_order(void **state)
{
	struct journal *journal = journal_open(path, NULL);
	struct record record = { .time = 0 };
	struct stat status;

	(void)state;
	assert_non_null(journal);
	assert_int_equal(put(journal, "one\n"), JOURNAL_WRITTEN);
	assert_int_equal(put(journal, "two\n"), JOURNAL_WRITTEN);
	assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
	expect_counts(journal, 3, 0, 0);
	assert_int_equal(journal_close(journal), 0);
	expect_content(path,
	    "one\ntwo\n{\"time\":\"1970-01-01T00:00:00.000Z\",\"verdict\":\"normal\",\"decided_by\":\"helper\"}\n");
	/* Who was where is nobody else's business. */
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777 & ~0640u, 0);
}

static void what_is_no_line_is_not_written(void **state)
{
	static char big[RECORD_SIZE + 1];
	struct journal *journal = journal_open(path, &eager);

	(void)state;
	assert_non_null(journal);
	assert_int_equal(journal_write(journal, "", 0), JOURNAL_LOST);
	assert_int_equal(put(journal, "no newline"), JOURNAL_LOST);
	memset(big, 'x', sizeof big);
	big[RECORD_SIZE] = '\n';
	assert_int_equal(journal_write(journal, big, sizeof big), JOURNAL_LOST);
	assert_int_equal(journal_write(journal, big + 1, RECORD_SIZE), JOURNAL_WRITTEN);
	expect_counts(journal, 1, 3, 0);
	assert_int_equal(journal_close(journal), 0);
}

static void a_rotated_file_is_followed(void **state)
{
	struct journal *journal = journal_open(path, &eager);

	(void)state;
	assert_int_equal(put(journal, "old\n"), JOURNAL_WRITTEN);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(put(journal, "new\n"), JOURNAL_WRITTEN);
	expect_content(other, "old\n");
	expect_content(path, "new\n");
	/* Removed. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(put(journal, "newer\n"), JOURNAL_WRITTEN);
	expect_content(path, "newer\n");
	/* Truncated in place, as copytruncate does. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(put(journal, "newest\n"), JOURNAL_WRITTEN);
	expect_content(path, "newest\n");
	/* Rotated while nobody writes: the flush lets go of it. */
	assert_int_equal(unlink(path), 0);
	journal_flush(journal);
	expect_content(path, "");
	assert_int_equal(journal_close(journal), 0);
}

static void it_does_not_look_more_often_than_asked(void **state)
{
	const struct journal_options lazy = { .queue_bytes = 1024, .look_interval = 3600 * 1000 };
	struct journal *journal = journal_open(path, &lazy);

	(void)state;
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(put(journal, "old\n"), JOURNAL_WRITTEN);
	expect_content(other, "old\n");
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(journal_close(journal), 0);
}

/* A folder in the file's place stands for all that keeps it from being opened, and root isn't stopped by permissions.
 * */
static void lines_wait_in_order_until_it_works_again(void **state)
{
	struct journal *journal;
	struct journal_counts counts;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	journal = journal_open(path, &eager);
	assert_non_null(journal);
	assert_int_equal(put(journal, "one\n"), JOURNAL_QUEUED);
	assert_int_equal(put(journal, "two\n"), JOURNAL_QUEUED);
	journal_flush(journal);
	expect_counts(journal, 0, 0, 2);
	journal_count(journal, &counts);
	assert_int_equal(counts.errors, 4); /* the opening, two writes, the flush */
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(put(journal, "three\n"), JOURNAL_WRITTEN);
	expect_counts(journal, 3, 0, 0);
	expect_content(path, "one\ntwo\nthree\n");
	assert_int_equal(journal_close(journal), 0);
}

static void the_flush_writes_what_waits(void **state)
{
	struct journal *journal;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	journal = journal_open(path, &eager);
	assert_int_equal(put(journal, "one\n"), JOURNAL_QUEUED);
	assert_int_equal(rmdir(path), 0);
	journal_flush(journal);
	expect_content(path, "one\n");
	expect_counts(journal, 1, 0, 0);
	assert_int_equal(journal_close(journal), 0);
}

static void the_close_writes_what_waits(void **state)
{
	const struct journal_options patient = { .queue_bytes = 1024, .retry_interval = 3600 * 1000 };
	struct journal *journal;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	journal = journal_open(path, &patient);
	assert_int_equal(put(journal, "one\n"), JOURNAL_QUEUED);
	assert_int_equal(rmdir(path), 0);
	/* It isn't time to try again, but there won't be another time. */
	assert_int_equal(put(journal, "two\n"), JOURNAL_QUEUED);
	assert_int_equal(journal_close(journal), 0);
	expect_content(path, "one\ntwo\n");
	assert_int_equal(unlink(path), 0);
	/* What can't be written even then is told. */
	assert_int_equal(mkdir(path, 0700), 0);
	journal = journal_open(path, &patient);
	assert_int_equal(put(journal, "three\n"), JOURNAL_QUEUED);
	assert_int_equal(journal_close(journal), 1);
	assert_int_equal(journal_close(NULL), 0);
}

static void the_queue_is_bounded_and_losses_are_counted(void **state)
{
	const struct journal_options small = { .queue_bytes = 1000 };
	struct journal *journal;
	char line[101], *text;
	uint64_t kept = 0;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	journal = journal_open(path, &small);
	for (int i = 0; i < 50; i++) {
		memset(line, 'a' + i % 26, sizeof line);
		line[99] = '\n';
		if (journal_write(journal, line, 100) == JOURNAL_QUEUED) {
			assert_int_equal(kept, i); /* the first ones are kept */
			kept++;
		}
	}
	assert_in_range(kept, 7, 9);
	expect_counts(journal, 0, 50 - kept, kept);
	assert_int_equal(rmdir(path), 0);
	journal_flush(journal);
	expect_counts(journal, kept, 50 - kept, 0);
	text = content(path);
	assert_int_equal(strlen(text), kept * 100);
	for (uint64_t i = 0; i < kept; i++)
		assert_int_equal(text[i * 100], 'a' + (int)i);
	free(text);
	/* The room is free again. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	for (uint64_t i = 0; i < kept; i++)
		assert_int_equal(journal_write(journal, line, 100), JOURNAL_QUEUED);
	assert_int_equal(journal_close(journal), kept);
}

static void trouble_is_told_now_and_then(void **state)
{
	const struct journal_options hourly = { .queue_bytes = 1024, .news_interval = 3600 * 1000 };
	struct journal *journal;
	char news[256];
	size_t length;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	journal = journal_open(path, &hourly);
	assert_int_equal(put(journal, "one\n"), JOURNAL_QUEUED);
	length = journal_news(journal, news, sizeof news);
	assert_int_equal(length, strlen(news));
	assert_non_null(strstr(news, path));
	assert_non_null(strstr(news, strerror(EISDIR)));
	assert_non_null(strstr(news, "waiting in memory: 1, lost: 0"));
	assert_int_equal(put(journal, "two\n"), JOURNAL_QUEUED);
	assert_int_equal(journal_news(journal, news, sizeof news), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(put(journal, "three\n"), JOURNAL_WRITTEN);
	assert_int_equal(journal_news(journal, news, 20), 19);
	assert_int_equal(journal_news(journal, news, sizeof news), 0);
	/* A trouble that comes and goes is no reason to tell it more often. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(put(journal, "four\n"), JOURNAL_QUEUED);
	assert_int_equal(journal_news(journal, news, sizeof news), 0);
	assert_int_equal(journal_close(journal), 1);

	journal = journal_open(path, &eager);
	assert_int_not_equal(journal_news(journal, news, sizeof news), 0);
	assert_int_not_equal(journal_news(journal, news, sizeof news), 0);
	assert_int_equal(journal_close(journal), 0);
}

static void a_device_that_is_full_is_no_trouble_for_the_caller(void **state)
{
	struct journal *journal = journal_open("/dev/full", &eager);
	struct journal_counts counts;
	char news[256];

	(void)state;
	for (int i = 0; i < 3000; i++)
		assert_int_not_equal(put(journal, "a line of some length, to fill the queue\n"), JOURNAL_WRITTEN);
	journal_flush(journal);
	journal_count(journal, &counts);
	assert_int_equal(counts.written, 0);
	assert_int_equal(counts.errors, 3001);
	assert_int_equal(counts.lost + counts.waiting, 3000);
	assert_true(counts.lost > 0 && counts.waiting > 500);
	assert_int_not_equal(journal_news(journal, news, sizeof news), 0);
	assert_non_null(strstr(news, strerror(ENOSPC)));
	assert_int_equal(journal_close(journal), counts.waiting);
}

static void a_pipe_that_nobody_reads_holds_nobody_up(void **state)
{
	struct journal *journal;
	char line[RECORD_SIZE];

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	journal = journal_open(path, &eager);
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 24; i++)
		assert_int_not_equal(journal_write(journal, line, sizeof line), JOURNAL_LOST);
	journal_close(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_appended_in_order),
		TEST(what_is_no_line_is_not_written),
		TEST(a_rotated_file_is_followed),
		TEST(it_does_not_look_more_often_than_asked),
		TEST(lines_wait_in_order_until_it_works_again),
		TEST(the_flush_writes_what_waits),
		TEST(the_close_writes_what_waits),
		TEST(the_queue_is_bounded_and_losses_are_counted),
		TEST(trouble_is_told_now_and_then),
		TEST(a_device_that_is_full_is_no_trouble_for_the_caller),
		TEST(a_pipe_that_nobody_reads_holds_nobody_up),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
