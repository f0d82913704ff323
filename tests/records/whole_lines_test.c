/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every line of the journal stays whole: with many writers at once, on a full disk, beside a writer that was killed. */
#include <config.h>

#include "tests/records/place.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROCESSES = 4, THREADS = 4, LINES = 1500 };

struct writer {
	struct journal *journal;
	int process, thread, failures;
	atomic_int *acknowledged; /* lines; may be NULL */
};

/* Lines of every length, filled with what tells whose they are. */
static void *write_lines(void *context)
{
	struct writer *writer = context;
	char line[RECORD_SIZE];

	for (int i = 0; i < LINES; i++) {
		int head = snprintf(line, sizeof line, "%d %d %d ", writer->process, writer->thread, i);
		int length = 20 + (i * 37 + writer->thread * 11) % (i % 50 == 0 ? RECORD_SIZE - 21 : 700);

		memset(line + head, 'a' + writer->thread, (size_t)(length - head));
		line[length] = '\n';
		if (journal_write(writer->journal, line, (size_t)length + 1) != JOURNAL_WRITTEN)
			writer->failures++;
		else if (writer->acknowledged != NULL)
			atomic_store(writer->acknowledged, i + 1);
	}
	return NULL;
}

static int write_from_threads(int process, atomic_int *acknowledged)
{
	struct journal *journal = journal_open(path, NULL);
	struct writer writer[THREADS];
	pthread_t thread[THREADS];
	int failures = 0;

	if (journal == NULL)
		return 1;
	for (int i = 0; i < THREADS; i++) {
		writer[i] = (struct writer){ .journal = journal, .process = process, .thread = i,
			.acknowledged = acknowledged != NULL ? &acknowledged[i] : NULL };
		if (pthread_create(&thread[i], NULL, write_lines, &writer[i]) != 0)
			return 1;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		failures += writer[i].failures;
	}
	return failures + (int)journal_close(journal);
}

/* Whether the line is one of the writers' and whole. */
static bool is_whole(const char *line, const char *end, int *process, int *thread, int *number)
{
	int head = 0, length;

	if (sscanf(line, "%d %d %d %n", process, thread, number, &head) != 3 || *process < 0 || *process >= PROCESSES ||
	    *thread < 0 || *thread >= THREADS)
		return false;
	length = 20 + (*number * 37 + *thread * 11) % (*number % 50 == 0 ? RECORD_SIZE - 21 : 700);
	if (end - line != length)
		return false;
	for (int i = head; i < length; i++)
		if (line[i] != 'a' + *thread)
			return false;
	return true;
}

/* One writer's lines are in its order, so none is missing and none is double. Returns their number. */
static int count_lines(const char *name, int next[PROCESSES][THREADS])
{
	char *text = content(name), *line, *end;
	int lines = 0;

	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
		int process, thread, number;

		assert_true(is_whole(line, end, &process, &thread, &number));
		assert_int_equal(number, next[process][thread]++);
	}
	assert_int_equal(*line, '\0');
	free(text);
	return lines;
}

static void many_writers_keep_every_line_whole(void **state)
{
	int next[PROCESSES][THREADS] = { { 0 } };
	pid_t child[PROCESSES];

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0)
			_exit(write_from_threads(i, NULL) == 0 ? 0 : 1);
	}
	for (int i = 0; i < PROCESSES; i++)
		expect_good_end(child[i]);
	assert_int_equal(count_lines(path, next), PROCESSES * THREADS * LINES);
}

/* All but the last process are killed on the way. What they said was written is there, once, and the line that each thread
 * was at may be. Of a line that was cut nobody is told; the one behind it is whole. */
static void writers_that_are_killed_lose_no_line(void **state)
{
	atomic_int(*acknowledged)[THREADS] = mmap(NULL, PROCESSES * sizeof *acknowledged, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int next[PROCESSES][THREADS] = { { 0 } };
	pid_t child[PROCESSES];
	char *text, *line, *end;

	(void)state;
	assert_true(acknowledged != MAP_FAILED);
	for (int i = 0; i < PROCESSES; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0)
			_exit(write_from_threads(i, acknowledged[i]) == 0 ? 0 : 1);
	}
	for (int i = 0; i < PROCESSES - 1; i++) {
		while (atomic_load(&acknowledged[i][0]) < LINES * (i + 1) / PROCESSES)
			sched_yield();
		assert_int_equal(kill(child[i], SIGKILL), 0);
		assert_int_equal(waitpid(child[i], NULL, 0), child[i]);
	}
	expect_good_end(child[PROCESSES - 1]);
	text = content(path);
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		int process, thread, number;

		if (is_whole(line, end, &process, &thread, &number))
			assert_int_equal(number, next[process][thread]++);
	}
	assert_int_equal(*line, '\0');
	for (int i = 0; i < PROCESSES; i++)
		for (int k = 0; k < THREADS; k++)
			assert_in_range(next[i][k], acknowledged[i][k], acknowledged[i][k] + 1);
	free(text);
	assert_int_equal(munmap(acknowledged, PROCESSES * sizeof *acknowledged), 0);
}

/* The file is rotated away under the threads, and can't be made anew for a while. */
static void threads_that_meet_with_trouble_lose_no_line(void **state)
{
	const struct journal_options patient = { .queue_bytes = THREADS * LINES * RECORD_SIZE };
	struct journal *journal = journal_open(path, &patient);
	struct journal_counts counts = { .waiting = 0 };
	int next[PROCESSES][THREADS] = { { 0 } };
	struct writer writer[THREADS];
	pthread_t thread[THREADS];
	int lines;

	(void)state;
	assert_non_null(journal);
	for (int i = 0; i < THREADS; i++) {
		writer[i] = (struct writer){ .journal = journal, .thread = i };
		assert_int_equal(pthread_create(&thread[i], NULL, write_lines, &writer[i]), 0);
	}
	while (counts.written < THREADS * LINES / 4)
		journal_count(journal, &counts);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE), 0);
	/* On a busy machine they may be through before that. */
	while (counts.waiting < 100 && counts.written + counts.waiting < THREADS * LINES)
		journal_count(journal, &counts);
	assert_int_equal(rmdir(path), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	journal_flush(journal);
	expect_counts(journal, THREADS * LINES, 0, 0);
	assert_int_equal(journal_close(journal), 0);
	lines = count_lines(other, next);
	assert_int_equal(lines + count_lines(path, next), THREADS * LINES);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(2);
	limit.rlim_cur = bytes;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(3);
}

static bool holds(const char *name, const char *expected)
{
	char *text = content(name);
	bool same = strcmp(text, expected) == 0;

	free(text);
	return same;
}

/* Run in a process of its own, since the limit is the process's. An assert of cmocka's would go on with the next test
 * there, so it tells by its exit status. */
static void write_against_a_limit(void)
{
	struct journal *journal = journal_open(path, &eager), *another = journal_open(path, &eager);

	signal(SIGXFSZ, SIG_IGN);
	limit_files(20);
	if (put(journal, "0123456789\n") != JOURNAL_WRITTEN)
		_exit(4);
	/* Nine of its eleven bytes are taken, and blanked out at once. */
	if (put(journal, "abcdefghij\n") != JOURNAL_QUEUED || !holds(path, "0123456789\n\n       \n"))
		_exit(5);
	if (put(journal, "ABCDEFGHIJ\n") != JOURNAL_QUEUED)
		_exit(6);
	limit_files(RLIM_INFINITY);
	/* A writer that has seen no trouble is the first to append. */
	if (put(another, "another\n") != JOURNAL_WRITTEN)
		_exit(7);
	if (put(journal, "last\n") != JOURNAL_WRITTEN)
		_exit(8);
	if (journal_close(journal) != 0 || journal_close(another) != 0)
		_exit(9);
	_exit(0);
}

static void a_line_that_was_taken_in_part_harms_no_other(void **state)
{
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		write_against_a_limit();
	expect_good_end(child);
	expect_content(path, "0123456789\n\n       \nanother\nabcdefghij\nABCDEFGHIJ\nlast\n");
}

static void a_writer_killed_in_a_line_harms_no_other(void **state)
{
	struct journal *journal = journal_open(path, &eager);
	FILE *file;

	(void)state;
	assert_int_equal(put(journal, "whole\n"), JOURNAL_WRITTEN);
	file = fopen(path, "ae");
	assert_non_null(file);
	fputs("{\"time\":\"20", file);
	fclose(file);
	assert_int_equal(put(journal, "next\n"), JOURNAL_WRITTEN);
	assert_int_equal(put(journal, "last\n"), JOURNAL_WRITTEN);
	expect_counts(journal, 3, 0, 0);
	assert_int_equal(journal_close(journal), 0);
	expect_content(path, "whole\n{\"time\":\"20\n   \nnext\nlast\n");
}

static bool fill_up(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char block[512] = "";
	ssize_t written;

	do
		written = write(fd, block, sizeof block);
	while (written > 0);
	close(fd);
	return written < 0;
}

/* Whether the file holds these lines, and blank ones at most beside them. */
static bool holds_lines(const char *name, const char *expected)
{
	char *text = content(name), *out = text, *line, *next;
	bool same;

	for (line = text; (next = strchr(line, '\n')) != NULL; line = next + 1) {
		size_t length = (size_t)(next + 1 - line);

		if (strspn(line, " \n") < length) {
			memmove(out, line, length);
			out += length;
		}
	}
	same = *line == '\0';
	*out = '\0';
	same = same && strcmp(text, expected) == 0;
	free(text);
	return same;
}

/* A file system of five pages, mounted for this process only. */
static void write_to_a_full_disk(void)
{
	struct journal *journal;
	char line[300], expected[30 * 300 + 1] = "", ballast[128];
	int queued = 0;

	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=20k") != 0)
		_exit(77);
	journal = journal_open(path, &eager);
	snprintf(ballast, sizeof ballast, "%s/ballast", folder);
	for (int i = 0; i < 30; i++) {
		/* The disk fills up behind the first lines, and is freed before the last ones. */
		if (i == 10 && !fill_up(ballast))
			_exit(2);
		if (i == 27 && unlink(ballast) != 0)
			_exit(3);
		snprintf(line, sizeof line, "line %d %0270d\n", i, i);
		memcpy(expected + strlen(expected), line, strlen(line) + 1);
		if (put(journal, line) == JOURNAL_QUEUED)
			queued++;
	}
	if (journal_close(journal) != 0)
		_exit(4);
	if (queued == 0 || queued > 17)
		_exit(5);
	_exit(holds_lines(path, expected) ? 0 : 6);
}

static void a_full_disk_is_caught_up_with(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		write_to_a_full_disk();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77 && getenv("MEETING_NO_SKIP") == NULL)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_writers_keep_every_line_whole),
		TEST(writers_that_are_killed_lose_no_line),
		TEST(threads_that_meet_with_trouble_lose_no_line),
		TEST(a_line_that_was_taken_in_part_harms_no_other),
		TEST(a_writer_killed_in_a_line_harms_no_other),
		TEST(a_full_disk_is_caught_up_with),
	};

	return cmocka_run_group_tests_name("whole lines", tests, NULL, NULL);
}
