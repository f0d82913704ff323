/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who waits for a silent DNS is given up in time even if nothing else wakes the helper, and answered once. */
#include <config.h>

#include "helper/helper.h"
#include "tests/category/fixture.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASKERS = 64, TIMEOUT_MS = 30000, SILENT_MS = TIMEOUT_MS / 10 /* c-ares itself wakes after a seventh */ };

static void count_answer(void *context, void *ticket, enum confirmation confirmation)
{
	(void)context;
	assert_int_equal(confirmation, CONFIRM_FAILED);
	++*(int *)ticket;
}

static void wakes_when_dns_has_been_silent(void **state)
{
	struct sockaddr_in silent = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct address dst = {.family = IPV4, .bytes = {203, 0, 113, 5}};
	socklen_t size = sizeof silent;
	int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), answers[ASKERS] = {0}, timeout;
	struct pollfd fds[RESOLVER_FDS];
	char name[64], why[256];

	(void)state;
	assert_true(server >= 0);
	assert_int_equal(bind(server, (struct sockaddr *)&silent, size), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&silent, &size), 0);
	(void)snprintf(name, sizeof name, "127.0.0.1:%u", ntohs(silent.sin_port));
	struct resolver *resolver = resolver_open(name, TIMEOUT_MS, count_answer, NULL, why);
	assert_non_null(resolver);
	for (int i = 0; i < ASKERS; i++) {
		(void)snprintf(name, sizeof name, "n%d.example", i);
		assert_int_equal(resolver_ask(resolver, name, &dst, &answers[i]), CONFIRM_UNASKED);
	}
	assert_int_equal(resolver_wait(resolver, fds, &timeout), 1);
	assert_in_range(timeout, 0, SILENT_MS);
	resolver_close(resolver);
	for (int i = 0; i < ASKERS; i++) {
		assert_int_equal(answers[i], 1);
	}
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(wakes_when_dns_has_been_silent)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
