/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least of a web server: one small answer to every request, on a free loopback port that it prints; ends with its input. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, DESCRIPTORS = 65536 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
static unsigned char seen[DESCRIPTORS]; /* of each connection: how much of an empty line has come */

/* Answers each request that ends in the bytes. Returns false if the connection has ended. */
static int serve(int client)
{
	char buffer[65536];
	ssize_t got = recv(client, buffer, sizeof buffer, MSG_DONTWAIT);

	if (got <= 0) {
		return got < 0 && errno == EAGAIN;
	}
	for (ssize_t i = 0; i < got; i++) {
		seen[client] = buffer[i] == "\r\n\r\n"[seen[client]] ? seen[client] + 1 : buffer[i] == '\r';
		if (seen[client] == 4) {
			seen[client] = 0;
			if (send(client, answer, sizeof answer - 1, MSG_NOSIGNAL) != (ssize_t)sizeof answer - 1) {
				return 0;
			}
		}
	}
	return 1;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		perror("epoll");
		_exit(1);
	}
}

int main(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;

	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
		perror("origin");
		return 1;
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	watch(epoll, listener);
	watch(epoll, STDIN_FILENO);
	for (;;) {
		struct epoll_event event[EVENTS];
		int count = epoll_wait(epoll, event, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			int fd = event[i].data.fd;

			if (fd == STDIN_FILENO) {
				return 0;
			}
			if (fd != listener) {
				if (!serve(fd)) {
					close(fd);
				}
				continue;
			}
			int client = accept(listener, NULL, NULL);
			if (client >= 0 && client < DESCRIPTORS) {
				(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
				seen[client] = 0;
				watch(epoll, client);
			} else if (client >= 0) {
				close(client);
			}
		}
	}
}
