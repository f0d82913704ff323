/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a made-up journal of a company's proxy to standard output: history COUNT [SEED [END]].
 *
 * 100,000 records an hour, up to the end of 2026-11-24, or to END in seconds since 1970: 5,000 clients, whose users are known for three of four, go to
 * 30,000 addresses of 10,000 hosts, to some more than to others. Three of ten records continue one of the last thousand
 * connections. The first 320 hosts are those of eight services: 40 each, with their addresses in a /23. One of seven
 * records is exempt, one of fifty a shadow, one of a hundred refused by Squid, a quarter of those at a service. */
#include <config.h>

#include "records/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 5000, HOSTS = 10000, ADDRESSES = 3, RECENT = 1024, SERVICES = 8, SERVICE_HOSTS = 40, MILLISECONDS_EACH = 36 };

static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

/* Small numbers more often. */
static uint64_t draw_low(uint64_t below)
{
	return draw(draw(below) + 1);
}

struct connection {
	unsigned client, client_port, host, address, port, service;
	enum record_verdict verdict;
};

static void draw_connection(struct connection *connection)
{
	uint64_t chance = draw(1000);

	connection->client = (unsigned)draw(CLIENTS);
	connection->client_port = 1024 + (unsigned)draw(64512);
	connection->address = (unsigned)draw(ADDRESSES);
	connection->port = draw(5) == 0 ? 80 : 443;
	connection->service = (unsigned)draw_low(SERVICES);
	connection->verdict = chance < 143 ? RECORD_BYPASS : chance < 163 ? RECORD_SHADOW : chance < 173 ? RECORD_DENIED :
	    RECORD_NORMAL;
	if (connection->verdict == RECORD_NORMAL || (connection->verdict == RECORD_DENIED && draw(4) != 0))
		connection->host = SERVICES * SERVICE_HOSTS + (unsigned)draw_low(HOSTS - SERVICES * SERVICE_HOSTS);
	else
		connection->host = connection->service * SERVICE_HOSTS + (unsigned)draw_low(SERVICE_HOSTS);
}

static bool write_record(const struct connection *connection, int64_t time)
{
	bool member = connection->verdict == RECORD_BYPASS, shadow = connection->verdict == RECORD_SHADOW;
	char client[32], conn[40], user[32], host[64], dst[32], service[32], rule[32], source[96], line[RECORD_SIZE];
	struct record record = { .time = time, .proxy = text_of("proxy1.example.com"), .method = text_of("CONNECT"),
		.port = (uint16_t)connection->port, .verdict = connection->verdict };
	size_t length;

	snprintf(client, sizeof client, "10.%u.%u.%u", connection->client / 2500, connection->client / 250 % 10,
	    1 + connection->client % 250);
	snprintf(conn, sizeof conn, "%s:%u", client, connection->client_port);
	snprintf(user, sizeof user, "user%u@example.com", connection->client);
	snprintf(host, sizeof host, "www.host%u.example.com", connection->host);
	snprintf(dst, sizeof dst, "198.%u.%u.%u:%u", 18 + connection->host / 5000, connection->host % 5000 / 20,
	    connection->host % 20 * 12 + connection->address + 1, connection->port);
	snprintf(service, sizeof service, "service%u", connection->service);
	snprintf(rule, sizeof rule, "198.18.%u.0/23", connection->service * 2);
	snprintf(source, sizeof source, "https://support.%s.example.com/article/firewall-ranges 2026-10-01", service);
	record.client = text_of(client);
	record.conn = text_of(conn);
	record.host = text_of(host);
	record.dst = text_of(dst);
	if (connection->client % 4 != 0)
		record.user = text_of(user);
	if (connection->port == 443)
		record.sni = text_of(host);
	if (member || shadow) {
		*(member ? &record.service : &record.would) = text_of(service);
		record.rule = text_of(rule);
		record.evidence = text_of(connection->address == 0 ? "name" : "address");
		record.source = text_of(source);
	} else {
		record.reason = text_of(connection->verdict == RECORD_DENIED ? "http-407" : "no-entry");
	}
	record.decided_by = connection->verdict == RECORD_DENIED ? RECORD_BY_SQUID : RECORD_BY_HELPER;
	length = record_format(&record, line);
	return fwrite(line, 1, length, stdout) == length;
}

int main(int argc, char **argv)
{
	const int64_t end = argc > 3 ? strtoll(argv[3], NULL, 10) * 1000 : INT64_C(1795564800000);
	static struct connection recent[RECENT];
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;

	if (argc < 2 || argc > 4 || count == 0) {
		fprintf(stderr, "Usage: history COUNT [SEED [END]]\n");
		return 2;
	}
	state = UINT64_C(0x9e3779b97f4a7c15) + (argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
	for (size_t i = 0; i < RECENT; i++)
		draw_connection(&recent[i]);
	for (uint64_t i = 0; i < count; i++) {
		struct connection *connection = &recent[draw(RECENT)];

		if (draw(10) >= 3)
			draw_connection(connection);
		if (!write_record(connection, end - (int64_t)(count - i) * MILLISECONDS_EACH + (int64_t)draw(500)))
			return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
