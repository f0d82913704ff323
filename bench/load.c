/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends requests through a proxy on loopback, one after the other on each of so many connections, each of an address of its
 * own, to destinations in turn, and prints: requests, requests a second, and the latency's p50 and p99 in us.
 * Usage: load PORT CONNECTIONS SECONDS DESTINATIONS */
#include "bench/took.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64 };

struct connection {
	int fd;
	unsigned next; /* destination */
	int64_t sent;
	size_t length;
	char answer[4096];
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Every second destination is one of the list's. */
static void ask(struct connection *connection, unsigned destinations)
{
	unsigned to = connection->next++ % destinations;
	char text[256];
	int length = snprintf(text, sizeof text, "GET http://%s.%u.%u/ HTTP/1.1\r\nHost: %s.%u.%u\r\n\r\n",
	    to & 1 ? "216.115" : "198.51", 208 + (to >> 9 & 7), to >> 1 & 255, to & 1 ? "216.115" : "198.51",
	    208 + (to >> 9 & 7), to >> 1 & 255);

	connection->sent = now_us();
	connection->length = 0;
	if (send(connection->fd, text, (size_t)length, MSG_NOSIGNAL) != length) {
		fail("load: send");
	}
}

/* Whether the whole answer is there. It must be the origin's. */
static bool is_whole(struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->answer + connection->length,
	    sizeof connection->answer - connection->length - 1, MSG_DONTWAIT);

	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		fail("load: the proxy has closed");
	}
	connection->length += got < 0 ? 0 : (size_t)got;
	connection->answer[connection->length] = '\0';
	if (connection->length >= 12 && strncmp(connection->answer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "load: %.60s\n", connection->answer);
		exit(1);
	}
	return connection->length >= 16 && strcmp(connection->answer + connection->length - 6, "hello\n") == 0;
}

static void open_connection(struct connection *connection, unsigned number, unsigned port)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f010001u + number)}};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons((uint16_t)port)};
	int on = 1;

	connection->fd = socket(AF_INET, SOCK_STREAM, 0);
	connection->next = number;
	if (connection->fd < 0 || bind(connection->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    connect(connection->fd, (struct sockaddr *)&to, sizeof to) != 0) {
		fail("load: connect");
	}
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Asks on each connection until then, at least once. Returns how many were answered. */
static uint64_t ask_all(int epoll, struct connection *connection, unsigned connections, int64_t end, unsigned destinations)
{
	unsigned waiting = connections;
	uint64_t answered = 0;

	for (unsigned i = 0; i < connections; i++) {
		ask(&connection[i], destinations);
	}
	while (waiting > 0) {
		struct epoll_event event[EVENTS];
		int count = epoll_wait(epoll, event, EVENTS, 20000);

		if (count <= 0) {
			fprintf(stderr, "load: %u requests got no answer in 20 s\n", waiting);
			exit(1);
		}
		for (int i = 0; i < count; i++) {
			struct connection *one = event[i].data.ptr;

			if (!is_whole(one)) {
				continue;
			}
			int64_t now = now_us();
			took_note(now - one->sent);
			answered++;
			if (now < end) {
				ask(one, destinations);
			} else {
				waiting--;
			}
		}
	}
	return answered;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fputs("Usage: load PORT CONNECTIONS SECONDS DESTINATIONS\n", stderr);
		return 2;
	}
	unsigned port = (unsigned)strtoul(argv[1], NULL, 10), connections = (unsigned)strtoul(argv[2], NULL, 10);
	unsigned destinations = (unsigned)strtoul(argv[4], NULL, 10);
	double seconds = strtod(argv[3], NULL);
	struct connection *connection = calloc(connections, sizeof *connection);
	int epoll = epoll_create1(0);

	if (connection == NULL || epoll < 0) {
		fail("load");
	}
	for (unsigned i = 0; i < connections; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connection[i]};

		open_connection(&connection[i], i, port);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection[i].fd, &event) != 0) {
			fail("epoll");
		}
	}
	(void)ask_all(epoll, connection, connections, 0, destinations); /* all are accepted, before time is taken */
	memset(took, 0, sizeof took);
	int64_t begin = now_us();
	uint64_t answered = ask_all(epoll, connection, connections, begin + (int64_t)(seconds * 1e6), destinations);
	printf("%llu\t%.0f\t%u\t%u\n", (unsigned long long)answered, (double)answered * 1e6 / (double)(now_us() - begin),
	    took_percentile(answered, 0.5), took_percentile(answered, 0.99));
	return 0;
}
