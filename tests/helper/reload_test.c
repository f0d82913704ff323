/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The category changes under load: every question is answered once, and each answer is true of one category as a whole,
 * which is the one before or the one behind, never one further back, and never something in between.
 * Runs for MEETING_RELOAD_SECONDS (60). */
#include <config.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { BATCH = 200 };

static char folder[256], file[300], aside[300];
/* A version whose saving was held up for so long that the file may have been taken for removed; 0: none. */
static unsigned held_up;

static double seconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Version n: its number is its source, and its parity says which of two prefixes holds the address asked about. */
static size_t content(unsigned version, char *out, size_t size)
{
	int length = snprintf(out, size,
	    "service meet\nsource v%u\nports tcp 443\naddress 192.0.2.0/%s\nname .v%u.example\naddress 198.51.100.0/24\n", version,
	    version % 2 == 0 ? "24" : "25", version);

	assert_true(length > 0 && (size_t)length < size);
	return (size_t)length;
}

static void write_at(const char *path, int flags, const char *text, size_t length)
{
	int to = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(to >= 0);
	assert_int_equal(write(to, text, length / 2), length / 2); /* a reader in between must not see half of it */
	assert_int_equal(write(to, text + length / 2, length - length / 2), length - length / 2);
	close(to);
}

/* The ways in which editors and scripts save. */
static void save(unsigned version)
{
	char text[512];
	size_t length = content(version, text, sizeof text);
	double start = seconds();

	switch (version % 4) {
	case 0:
		write_at(aside, O_CREAT | O_TRUNC, text, length);
		assert_int_equal(rename(aside, file), 0);
		break;
	case 1: write_at(file, O_CREAT | O_TRUNC, text, length); break;
	case 2:
		assert_int_equal(unlink(file), 0);
		write_at(file, O_CREAT | O_EXCL, text, length);
		break;
	default: /* a backup is left, as some editors do, and the file written anew */
		(void)unlink(aside);
		assert_int_equal(rename(file, aside), 0);
		write_at(file, O_CREAT | O_EXCL, text, length);
		break;
	}
	if (seconds() - start > 0.05) { /* the helper waits for 0.1 s without a change */
		held_up = version;
	}
}

/* Both ends of a loopback connection without delay, as Squid makes it. */
static void connect_pair(int pair[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(pair[0], (struct sockaddr *)&address, size), 0);
	pair[1] = accept(listener, NULL, NULL);
	assert_true(pair[1] >= 0);
	close(listener);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	}
}

static pid_t start_helper(int end)
{
	const char *top = getenv("top_builddir");
	char program[512], option[300];
	pid_t child;

	(void)snprintf(program, sizeof program, "%s/helper/ext_meeting_acl", top == NULL ? "." : top);
	(void)snprintf(option, sizeof option, "--config=%s", folder);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		(void)dup2(end, STDIN_FILENO);
		(void)dup2(end, STDOUT_FILENO);
		(void)dup2(nowhere, STDERR_FILENO);
		(void)execl(program, program, option, (char *)NULL);
		_exit(127);
	}
	return child;
}

/* Sends a batch of questions. The last 128 addresses of the /24 are outside the /25. */
static void ask(int to, unsigned channel)
{
	static char text[BATCH * 64];
	size_t length = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		length += (size_t)snprintf(text + length, sizeof text - length, "%u 10.0.0.1 192.0.2.%u 443 - -\n", channel + i,
		    (channel + i) % 2 == 0 ? 1u : 200u);
	}
	assert_int_equal(send(to, text, length, MSG_NOSIGNAL), length);
}

/* Checks one answer; *version is the newest that was seen, and none may be newer than newest. */
static void check_answer(const char *line, unsigned channel, unsigned *version, unsigned newest)
{
	unsigned number, source;
	char verdict[8], expected[64];

	assert_int_equal(sscanf(line, "%u %7s", &number, verdict), 2);
	assert_int_equal(number, channel);
	if (strcmp(verdict, "ERR") == 0) {
		if (held_up != 0 && strstr(line, "reason_=nothing-loaded") != NULL) {
			return;
		}
		/* Only an odd version doesn't hold the outer address. */
		assert_int_equal(number % 2, 1);
		assert_non_null(strstr(line, "reason_=no-entry"));
		return;
	}
	const char *at = strstr(line, "source_=v");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "source_=v%u", &source), 1);
	assert_true(source >= *version && source <= newest);
	*version = source;
	if (source >= held_up) {
		held_up = 0;
	}
	(void)snprintf(expected, sizeof expected, " rule_=192.0.2.0/%s ", source % 2 == 0 ? "24" : "25");
	assert_non_null(strstr(line, expected));
	if (source % 2 == 1) {
		assert_int_equal(number % 2, 0);
	}
}

static void a_category_changes_under_load(void **state)
{
	const char *limit_text = getenv("MEETING_RELOAD_SECONDS");
	double limit = limit_text == NULL ? 60 : strtod(limit_text, NULL), start = seconds(), saved = start;
	unsigned channel = 0, written = 0, seen = 0, changes = 0;
	char buffer[65536];
	size_t length = 0;
	int pair[2], status;

	(void)state;
	save(written);
	connect_pair(pair);
	pid_t helper = start_helper(pair[1]);
	close(pair[1]);
	while (seconds() - start < limit) {
		unsigned answered = 0, before = seen;

		ask(pair[0], channel);
		while (answered < BATCH) {
			ssize_t got = read(pair[0], buffer + length, sizeof buffer - length);

			assert_true(got > 0);
			length += (size_t)got;
			char *line = buffer, *end;
			while ((end = memchr(line, '\n', (size_t)(buffer + length - line))) != NULL) {
				*end = '\0';
				check_answer(line, channel + answered++, &seen, written);
				line = end + 1;
			}
			length = (size_t)(buffer + length - line);
			memmove(buffer, line, length);
		}
		assert_int_equal(length, 0); /* nothing behind the last answer */
		channel += BATCH;
		changes += seen != before;
		/* The next change comes once the last is seen, or now and then into the middle of it. */
		if (seen == written || seconds() - saved > 0.35) {
			save(++written);
			saved = seconds();
		}
	}
	close(pair[0]);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	print_message("# %u questions, all answered; %u versions written, %u seen\n", channel, written, changes);
	assert_true(changes > (unsigned)limit);
}

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/meeting-reload-XXXXXX");
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	(void)snprintf(file, sizeof file, "%s/meet.service", folder);
	(void)snprintf(aside, sizeof aside, "%s/.meet.service.new", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(file);
	(void)unlink(aside);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_category_changes_under_load, make_folder, remove_folder)};

	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
