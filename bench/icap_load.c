/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks an ICAP service on loopback as Squid does: REQMOD, kept alive, `Preview: 0` and `Allow: 204`, one request at a time on
 * each connection. icap_load PORT SERVICE CONNECTIONS SECONDS prints the requests of all that time, requests a second, and the
 * 50th and 99th percentile of their times in microseconds, with blanks between. An answer that isn't 204 ends it. */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, KINDS = 64, REQUEST_SIZE = 4096, ANSWER_SIZE = 8192, SAMPLES = 1 << 22, WARM_UP_MS = 500 };

static struct connection {
	int fd;
	int64_t begun; /* nanoseconds */
	size_t length;
	char answer[ANSWER_SIZE];
} connections[CONNECTIONS];

static char request[KINDS][REQUEST_SIZE];
static size_t request_length[KINDS];
static uint32_t sample[SAMPLES];
static size_t samples;
static uint64_t answered; /* also while it warms up */
static unsigned next_kind;

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool tell(const char *what)
{
	fprintf(stderr, "icap_load: %s%s%s\n", what, errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
	return false;
}

static void make_requests(const char *service, unsigned port)
{
	for (unsigned i = 0; i < KINDS; i++) {
		char http[1024];
		int length = snprintf(http, sizeof http, "CONNECT www.host%u.example.com:443 HTTP/1.1\r\n"
		    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nHost: www.host%u.example.com:443\r\n"
		    "Proxy-Connection: keep-alive\r\n\r\n", i, i);
		bool bypass = i % 8 == 0;

		request_length[i] = (size_t)snprintf(request[i], REQUEST_SIZE,
		    "REQMOD icap://127.0.0.1:%u/%s ICAP/1.0\r\nHost: 127.0.0.1:%u\r\nDate: Wed, 25 Nov 2026 05:00:00 GMT\r\n"
		    "Encapsulated: req-hdr=0, null-body=%d\r\nPreview: 0\r\nAllow: 204, trailers\r\n"
		    "X-Client-IP: 192.0.2.%u\r\nX-Client-Username: user%u@example.com\r\nX-Meeting-Verdict: %s\r\n"
		    "X-Meeting-Service: %s\r\nX-Meeting-Rule: %s\r\nX-Meeting-Evidence: %s\r\nX-Meeting-Source: %s\r\n"
		    "X-Meeting-Stale: -\r\nX-Meeting-Would: -\r\nX-Meeting-Reason: %s\r\nX-Meeting-Conn: 192.0.2.%u:%u\r\n"
		    "X-Meeting-Dst: 203.0.113.%u:443\r\nX-Meeting-Sni: www.host%u.example.com\r\nX-Meeting-Mode: intercept\r\n\r\n%s",
		    port, service, port, length, i, i, bypass ? "bypass" : "normal", bypass ? "gotomeeting" : "-",
		    bypass ? "203.0.113.0/24" : "-", bypass ? "address" : "-",
		    bypass ? "https://support.goto.com/meeting/help/firewall 2026-10-01" : "-", bypass ? "-" : "no-entry", i,
		    40000 + i, i, i, http);
	}
}

static bool ask(struct connection *connection)
{
	unsigned kind = next_kind++ % KINDS;

	connection->length = 0;
	connection->begun = now();
	return write(connection->fd, request[kind], request_length[kind]) == (ssize_t)request_length[kind] || tell("write");
}

static bool open_connection(struct connection *connection, unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
		return tell("connect");
	return setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 || tell("TCP_NODELAY");
}

/* Reads what came; at an answer's end, the next request. */
static bool serve(struct connection *connection, bool counts)
{
	ssize_t got = read(connection->fd, connection->answer + connection->length, ANSWER_SIZE - connection->length);

	if (got <= 0)
		return tell("the connection was closed");
	connection->length += (size_t)got;
	if (connection->length < 4 || memcmp(connection->answer + connection->length - 4, "\r\n\r\n", 4) != 0)
		return connection->length < ANSWER_SIZE || tell("the answer is too long");
	if (memcmp(connection->answer, "ICAP/1.0 204", 12) != 0) {
		errno = 0;
		return tell("an answer that isn't 204");
	}
	answered++;
	if (counts && samples < SAMPLES)
		sample[samples++] = (uint32_t)((now() - connection->begun) / 100);
	return ask(connection);
}

static int compare(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return a < b ? -1 : a > b;
}

static bool run(int queue, int64_t seconds)
{
	int64_t begin = now() + INT64_C(1000000) * WARM_UP_MS, end = begin + seconds * 1000000000, at;
	struct epoll_event events[64];

	while ((at = now()) < end) {
		int count = epoll_wait(queue, events, 64, 1000);

		for (int i = 0; i < count; i++)
			if (!serve(events[i].data.ptr, at >= begin))
				return false;
	}
	return samples > 0;
}

int main(int argc, char **argv)
{
	unsigned port = argc == 5 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	unsigned count = argc == 5 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	int64_t seconds = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
	int queue = epoll_create1(EPOLL_CLOEXEC);

	if (port == 0 || port > UINT16_MAX || count == 0 || count > CONNECTIONS || seconds <= 0 || queue < 0) {
		fprintf(stderr, "Usage: icap_load PORT SERVICE CONNECTIONS SECONDS   (at most %d connections)\n", CONNECTIONS);
		return 2;
	}
	make_requests(argv[2], port);
	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

		if (!open_connection(&connections[i], port) || epoll_ctl(queue, EPOLL_CTL_ADD, connections[i].fd, &event) != 0 ||
		    !ask(&connections[i]))
			return 1;
	}
	if (!run(queue, seconds))
		return 1;
	qsort(sample, samples, sizeof *sample, compare);
	printf("%llu %.0f %.1f %.1f\n", (unsigned long long)answered, (double)samples / (double)seconds,
	    sample[samples / 2] / 10.0, sample[samples - samples / 100 - 1] / 10.0);
	return 0;
}
