/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into c-icap-stretch, so that c-icap's own tool asks as fast as it can. By itself it pauses for half a second after each
 * request and a second before each thread, and sends a request in two parts, of which the kernel holds the second one back for
 * 40 ms. */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int usleep(useconds_t microseconds)
{
	(void)microseconds;
	return 0;
}

/* Between threads, and between looks whether enough was asked. */
unsigned sleep(unsigned seconds)
{
	const struct timespec a_moment = { .tv_nsec = 1000000 };

	(void)seconds;
	(void)nanosleep(&a_moment, NULL);
	return 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	int (*real)(int, const struct sockaddr *, socklen_t) =
	    (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return real(fd, address, length);
}
