/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts ext_meeting_acl on a loopback TCP socket or two pipes, and talks to it. */
#include <config.h>

#include "tests/helper/asker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 30000 /* milliseconds */, OPTIONS = 16 };

void asker_category(const char *folder)
{
	put(folder, "meet.service",
	    "service meet\nsource https://meet.example/list of \"all\" 2026-01-01\nports tcp 80,443,8200\n"
	    "address 192.0.2.0/24\n"
	    "address 2001:db8::/32\nname .meet.example\nname egw.meet.example any\n");
	put(folder, "other.service",
	    "service other\nsource O\naddress 203.0.113.0/24 tcp 443\naddress 192.0.2.128/25 tcp 443\n"
	    "name .shared.example\n");
	put(folder, "tie.service", "service tie\nsource T\naddress 203.0.113.0/24\n");
	put(folder, "old.service",
	    "service old\nsource L 2019-01-01\nexpires 2020-01-01\naddress 198.51.100.0/24\nname .old.example\n"
	    "address 198.18.7.0/24 tcp 80\nsource F\naddress 198.18.7.0/24 tcp 443\n");
	put(folder, "off.service", "");
	put(folder, "clients", "client 10.0.0.0/8\nclient 11.0.0.0/8 other\nclient fd00:1::/32\n");
}

/* ---- Starting ---- */

/* Two ends of one loopback TCP connection, without delay. */
static void socket_pair(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(ends[0] >= 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&address, sizeof address), 0);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(ends[1] >= 0);
	close(listener);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	}
}

static void become_helper(int in, int out, int err, const char *config, const char *const *options)
{
	const char *folder = getenv("top_builddir");
	const char *arguments[OPTIONS + 3] = {"ext_meeting_acl", config};
	char path[1024];
	size_t count = 2;

	for (; options != NULL && *options != NULL && count < OPTIONS + 2; options++) {
		arguments[count++] = *options;
	}
	(void)snprintf(path, sizeof path, "%s/helper/ext_meeting_acl", folder == NULL ? "." : folder);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0) {
		execv(path, (char *const *)(uintptr_t)arguments);
		perror(path);
	}
	_exit(127);
}

void asker_start(struct asker *asker, const char *folder, enum channel channel, const char *const *options)
{
	int in[2], out[2], err;
	char path[512], config[512];

	memset(asker, 0, sizeof *asker);
	assert_in_range(snprintf(asker->folder, sizeof asker->folder, "%s", folder), 1, sizeof asker->folder - 1);
	(void)snprintf(path, sizeof path, "%s/stderr", folder);
	(void)snprintf(config, sizeof config, "--config=%s", folder);
	err = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	assert_true(err >= 0);
	if (channel != OVER_PIPES) {
		if (channel == OVER_SOCKET) {
			socket_pair(in);
		} else {
			assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, in), 0);
		}
		asker->to = asker->from = in[0];
		out[0] = out[1] = in[1];
	} else {
		assert_int_equal(pipe2(in, O_CLOEXEC), 0);
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		asker->to = in[1];
		asker->from = out[0];
		in[1] = in[0];
	}
	asker->pid = fork();
	assert_true(asker->pid >= 0);
	if (asker->pid == 0) {
		become_helper(in[1], out[1], err, config, options);
	}
	close(err);
	close(in[1]);
	if (channel == OVER_PIPES) {
		close(out[1]);
	}
	assert_true(fcntl(asker->to, F_SETFL, O_NONBLOCK) == 0 && fcntl(asker->from, F_SETFL, O_NONBLOCK) == 0);
}

/* ---- Talking ---- */

static void wait_for(int fd, short what, const char *whom)
{
	struct pollfd ready = {fd, what, 0};
	int count = poll(&ready, 1, PATIENCE);

	if (count == 0) {
		fail_msg("%s: nothing for half a minute", whom);
	}
	assert_true(count == 1 || errno == EINTR);
}

void asker_give(struct asker *asker, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t wrote = asker->to == asker->from ? send(asker->to, at, length, MSG_NOSIGNAL)
		                                         : write(asker->to, at, length);

		if (wrote > 0) {
			at += wrote;
			length -= (size_t)wrote;
		} else {
			assert_int_equal(errno, EAGAIN);
			wait_for(asker->to, POLLOUT, "the helper doesn't read");
		}
	}
}

void asker_say(struct asker *asker, const char *text)
{
	asker_give(asker, text, strlen(text));
}

/* Reads some; returns false at the end. */
static bool listen_once(struct asker *asker, size_t most)
{
	if (asker->heard_room - asker->heard_length < most + 1) {
		asker->heard_room = asker->heard_room * 2 + most + 1;
		asker->heard = realloc(asker->heard, asker->heard_room);
		assert_non_null(asker->heard);
	}
	for (;;) {
		ssize_t got = read(asker->from, asker->heard + asker->heard_length, most);

		if (got >= 0) {
			asker->heard_length += (size_t)got;
			return got > 0;
		}
		if (errno == ECONNRESET) { /* it has ended with questions unread */
			return false;
		}
		assert_int_equal(errno, EAGAIN);
		wait_for(asker->from, POLLIN, "the helper doesn't answer");
	}
}

const char *asker_hear_slowly(struct asker *asker, size_t most)
{
	static char line[16384];
	const char *newline;

	while (asker->heard_length == 0 || (newline = memchr(asker->heard, '\n', asker->heard_length)) == NULL) {
		if (!listen_once(asker, most)) {
			assert_int_equal(asker->heard_length, 0); /* the last line has an end, too */
			return NULL;
		}
	}
	size_t length = (size_t)(newline - asker->heard);
	assert_true(length < sizeof line);
	memcpy(line, asker->heard, length);
	line[length] = '\0';
	assert_int_equal(strlen(line), length); /* no NUL */
	asker->heard_length -= length + 1;
	memmove(asker->heard, newline + 1, asker->heard_length);
	return line;
}

const char *asker_hear(struct asker *asker)
{
	return asker_hear_slowly(asker, 65536);
}

void asker_expect(struct asker *asker, const char *line, const char *expected)
{
	asker_say(asker, line);
	asker_say(asker, "\n");
	const char *reply = asker_hear(asker);
	if (reply == NULL || strcmp(reply, expected) != 0) {
		fail_msg("to `%s`:\n  %s\nnot\n  %s", line, reply == NULL ? "nothing" : reply, expected);
	}
}

void asker_end(struct asker *asker, int expected)
{
	int status;

	if (asker->to == asker->from) {
		/* One that was told of the end before may have closed its side by now. */
		assert_true(shutdown(asker->to, SHUT_WR) == 0 || errno == ENOTCONN);
	} else {
		close(asker->to);
	}
	const char *more = asker_hear(asker);
	if (more != NULL) {
		fail_msg("one line too many: %s", more);
	}
	close(asker->from);
	assert_int_equal(waitpid(asker->pid, &status, 0), asker->pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected) {
		fail_msg("ended with wait status %#x, not %d", (unsigned)status, expected);
	}
	free(asker->heard);
	asker->heard = NULL;
}

char *asker_stderr(const struct asker *asker)
{
	char path[512];
	size_t length = 0, room = 1 << 20;
	char *text = malloc(room);
	FILE *file;

	assert_non_null(text);
	(void)snprintf(path, sizeof path, "%s/stderr", asker->folder);
	file = fopen(path, "re");
	assert_non_null(file);
	length = fread(text, 1, room - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}
