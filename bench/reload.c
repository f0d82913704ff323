/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slowest answers while a large list is replaced again and again.
 * Usage: reload HELPER FOLDER NEW SECONDS PERIOD OUTSTANDING
 * Asks the helper as Squid does, so many questions at a time, and waits for all of their answers, for so long. Every PERIOD
 * seconds (0: never) FOLDER's list is replaced by a link to one of the two files NEW.0 and NEW.1, in turns.
 * Prints: answers a second; of the round trips p50, p99, p99.9 and the slowest in us; how many lists were in force. */
#include "bench/took.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 1 << 20 };

static char text[BATCH], replies[4 * BATCH];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int start(char *helper, const char *folder)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), mine = socket(AF_INET, SOCK_STREAM, 0), on = 1, other;
	char config[4096];

	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
	    connect(mine, (struct sockaddr *)&address, size) != 0 || (other = accept(listener, NULL, NULL)) < 0) {
		fail("loopback");
	}
	(void)setsockopt(mine, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)snprintf(config, sizeof config, "--config=%s", folder);
	if (fork() == 0) {
		(void)close(mine);
		(void)close(listener);
		(void)dup2(other, STDIN_FILENO);
		(void)dup2(other, STDOUT_FILENO);
		(void)close(other);
		(void)execl(helper, helper, config, "--names=ignore", (char *)NULL);
		_exit(127);
	}
	(void)close(other);
	(void)close(listener);
	return mine;
}

/* Sends the batch, and waits for all of its answers. Returns the last one's. */
static const char *round_trip(int to, size_t length, size_t lines)
{
	size_t answered = 0, got = 0, sent = 0, looked = 0, last = 0;

	while (answered < lines) {
		if (sent < length) {
			ssize_t wrote = send(to, text + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

			if (wrote < 0 && errno != EAGAIN) {
				fail("send");
			}
			sent += wrote < 0 ? 0 : (size_t)wrote;
		}
		ssize_t came = recv(to, replies + got, sizeof replies - got - 1, sent < length ? MSG_DONTWAIT : 0);

		if (came == 0 || (came < 0 && errno != EAGAIN)) {
			fail("the helper has ended");
		}
		got += came < 0 ? 0 : (size_t)came;
		for (; looked < got; looked++) {
			if (replies[looked] == '\n') {
				last = ++answered < lines ? looked + 1 : last;
			}
		}
	}
	replies[got] = '\0';
	return replies + last;
}

/* From another process, so that nothing of it is in the figures. */
static pid_t replace_lists(const char *folder, const char *new, double period, double seconds)
{
	pid_t child = fork();

	if (child != 0) {
		return child;
	}
	for (int turn = 1; turn * period < seconds; turn++) {
		struct timespec wait = {(time_t)period, (long)((period - (double)(time_t)period) * 1e9)};
		char from[4096], to[4096], link[4096];

		(void)nanosleep(&wait, NULL);
		(void)snprintf(from, sizeof from, "%s.%d", new, turn % 2);
		(void)snprintf(link, sizeof link, "%s/.next", folder);
		(void)snprintf(to, sizeof to, "%s/large.service", folder);
		(void)unlink(link);
		if (symlink(from, link) != 0 || rename(link, to) != 0) {
			fail(to);
		}
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fputs("Usage: reload HELPER FOLDER NEW SECONDS PERIOD OUTSTANDING\n", stderr);
		return 2;
	}
	double seconds = strtod(argv[4], NULL), period = strtod(argv[5], NULL);
	size_t lines = strtoul(argv[6], NULL, 10), length = 0;
	unsigned random = 1, lists = 0;
	char source[64] = "";
	uint64_t trips = 0;
	int to = start(argv[1], argv[2]);

	/* The last of each batch is about an address of all lists, and its answer tells which is in force. */
	for (size_t i = 0; i < lines && length + 128 < sizeof text; i++) {
		random = random * 1664525u + 1013904223u;
		length += (size_t)snprintf(text + length, 128, i + 1 < lines ? "%zu 10.1.2.3 %u.%u.%u.%u 443 - -\n"
		                                                             : "%zu 10.1.2.3 11.0.0.1 443 - -\n",
		    i, 11 + (random >> 31), random >> 23 & 255, random >> 15 & 255, random >> 7 & 255);
	}
	(void)round_trip(to, length, lines);
	pid_t child = period > 0 ? replace_lists(argv[2], argv[3], period, seconds) : -1;
	int64_t begin = now_us(), end = begin + (int64_t)(seconds * 1e6), now = begin;
	while (now < end) {
		int64_t sent = now;
		const char *answer = strstr(round_trip(to, length, lines), " source_=");

		now = now_us();
		took_note(now - sent);
		trips++;
		if (answer == NULL) {
			fputs("reload: an address of the list wasn't a member\n", stderr);
			return 1;
		}
		if (strncmp(source, answer, sizeof source - 1) != 0) {
			(void)snprintf(source, sizeof source, "%s", answer);
			lists++;
		}
	}
	if (child > 0) {
		(void)waitpid(child, NULL, 0);
	}
	printf("%.0f\t%u\t%u\t%u\t%u\t%u\n", (double)(trips * lines) * 1e6 / (double)(now - begin), took_percentile(trips, 0.5),
	    took_percentile(trips, 0.99), took_percentile(trips, 0.999), took_percentile(trips, 1), lists);
	(void)shutdown(to, SHUT_WR);
	while (wait(NULL) > 0) {
	}
	return 0;
}
