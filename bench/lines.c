/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a helper as Squid does: over a loopback TCP socket without delay, with so many questions outstanding.
 * Usage: lines OUTSTANDING SECONDS FORM PROGRAM [ARGUMENT...]
 * FORM is what a question looks like: meeting, userip (no channel) or url. Prints lines a second, and the program's CPU time
 * for each line in ns. With OUTSTANDING 0 nothing is waited for. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 8192, LINE_SIZE = 160, UNLIMITED = 1 << 30 };

static char text[LINES * LINE_SIZE];
static size_t place[LINES + 1]; /* of each line; the last one's end */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Every second destination is one of the list's; its channel is odd. */
static void make_lines(const char *form)
{
	size_t at = 0;

	for (unsigned i = 0; i < LINES; i++) {
		unsigned random = i * 2654435761u;
		char *to = text + at;

		place[i] = at;
		if (strcmp(form, "userip") == 0) {
			at += (size_t)snprintf(to, LINE_SIZE, "10.1.%u.%u user%u\n", random >> 8 & 255, random & 255, random >> 16 & 15);
		} else if (strcmp(form, "url") == 0) {
			at += (size_t)snprintf(to, LINE_SIZE, "%u http://host%u.example.com/path/%u 10.1.2.3/- - GET\n", i,
			    random >> 24, random & 65535);
		} else if (random >> 20 & 1) {
			at += (size_t)snprintf(to, LINE_SIZE, "%u 10.1.%u.%u 216.115.%u.%u 443 216.115.%u.%u egw.gotomeeting.com\n",
			    2 * i + 1, random >> 8 & 255, random & 255, 208 + (random >> 16 & 15), random >> 12 & 255,
			    208 + (random >> 16 & 15), random >> 12 & 255);
		} else {
			at += (size_t)snprintf(to, LINE_SIZE, "%u 10.1.%u.%u 198.51.%u.%u 443 198.51.%u.%u www.example.com\n", 2 * i,
			    random >> 8 & 255, random & 255, random >> 16 & 255, random >> 12 & 255, random >> 16 & 255,
			    random >> 12 & 255);
		}
	}
	place[LINES] = at;
}

/* Both ends of a TCP connection over loopback. */
static void connect_loopback(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || ends[0] < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
	    connect(ends[0], (struct sockaddr *)&address, size) != 0 || (ends[1] = accept(listener, NULL, NULL)) < 0) {
		fail("loopback");
	}
	for (int i = 0; i < 2; i++) {
		(void)setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	(void)close(listener);
}

static pid_t start(int end, int other, char **command)
{
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)close(other);
		(void)dup2(end, STDIN_FILENO);
		(void)dup2(end, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)close(end);
		(void)execvp(command[0], command);
		_exit(127);
	}
	(void)close(end);
	return child;
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t newlines(const char *from, size_t length)
{
	size_t count = 0;

	for (const char *end = from + length; (from = memchr(from, '\n', (size_t)(end - from))) != NULL; from++) {
		count++;
	}
	return count;
}

/* The next lines, as many as are allowed, in one write. Returns how many were written whole; the rest of one is in *partial. */
static size_t send_some(int to, size_t *line, size_t *partial, size_t allowed)
{
	size_t last = allowed > LINES - *line ? LINES : *line + allowed, before = *line;
	size_t from = place[*line] + *partial;
	ssize_t wrote = send(to, text + from, place[last] - from, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (wrote < 0 && errno != EAGAIN) {
		fail("send");
	}
	for (from += wrote > 0 ? (size_t)wrote : 0; *line < last && place[*line + 1] <= from;) {
		++*line;
	}
	*partial = from - place[*line];
	size_t sent = *line - before;
	if (*line == LINES) {
		*line = 0;
		*partial = 0;
	}
	return sent;
}

/* Asks for so long, or until enough lines are answered. Returns how many were. */
static size_t ask(int to, size_t outstanding, double seconds, size_t enough)
{
	static char replies[1 << 18];
	size_t line = 0, partial = 0, sent = 0, answered = 0;
	double end = now() + seconds;
	bool more = true;

	while (more || answered < sent || partial > 0) {
		bool may_send = (more && sent - answered < outstanding) || partial > 0;
		struct pollfd ready = {to, (short)(POLLIN | (may_send ? POLLOUT : 0)), 0};

		if (may_send) {
			sent += send_some(to, &line, &partial, more ? outstanding - (sent - answered) : 1);
		}
		if (outstanding == UNLIMITED && poll(&ready, 1, -1) < 0) {
			fail("poll");
		}
		if (outstanding != UNLIMITED || ready.revents & POLLIN) {
			ssize_t got = recv(to, replies, sizeof replies, outstanding == UNLIMITED ? MSG_DONTWAIT : 0);

			if (got == 0 || (got < 0 && errno != EAGAIN)) {
				fprintf(stderr, "lines: the helper has ended\n");
				exit(1);
			}
			answered += newlines(replies, got < 0 ? 0 : (size_t)got);
		}
		more = more && answered < enough && now() < end;
	}
	return answered;
}

int main(int argc, char **argv)
{
	struct rusage used;
	int ends[2], status;

	if (argc < 5) {
		fputs("Usage: lines OUTSTANDING SECONDS FORM PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	size_t outstanding = strtoul(argv[1], NULL, 10);
	double seconds = strtod(argv[2], NULL);
	make_lines(argv[3]);
	connect_loopback(ends);
	pid_t child = start(ends[1], ends[0], argv + 4);
	outstanding = outstanding == 0 ? UNLIMITED : outstanding;
	(void)ask(ends[0], 1, 10, 1); /* it is up */
	double begin = now();
	size_t answered = ask(ends[0], outstanding, seconds, SIZE_MAX);
	double took = now() - begin;
	(void)shutdown(ends[0], SHUT_WR);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fputs("lines: the helper has failed\n", stderr);
		return 1;
	}
	(void)getrusage(RUSAGE_CHILDREN, &used);
	double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	printf("%.0f\t%.0f\n", (double)answered / took, cpu * 1e9 / (double)answered);
	return 0;
}
