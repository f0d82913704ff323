/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as a row of JSONEachRow. */
#include <config.h>

#include "records/clickhouse.h"

#include <inttypes.h>
#include <stdio.h>

/* The texts of a record that was read are UTF-8 already. */
static void put_text(const char *key, struct text text, FILE *to)
{
	size_t from = 0;

	if (text.at == NULL || text.length == 0)
		return;
	fprintf(to, ",\"%s\":\"", key);
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		fwrite(text.at + from, 1, i - from, to);
		if (c == '\0')
			fputc('?', to);
		else
			fprintf(to, "\\u%04x", (unsigned)c);
		from = i + 1;
	}
	fwrite(text.at + from, 1, text.length - from, to);
	fputc('"', to);
}

void clickhouse_row(const struct record *record, uint64_t identity, FILE *to)
{
	fprintf(to, "{\"id\":%" PRIu64 ",\"time\":%" PRId64 ",\"connection\":%" PRIu64 ",\"port\":%u,\"stale\":%d,"
	    "\"disagrees\":%d,\"verdict\":\"%s\",\"decided_by\":\"%s\"", identity, record->time,
	    (uint64_t)connection_number(record), (unsigned)record->port, (int)record->stale, (int)record->disagrees,
	    record_verdict_name(record->verdict), record_decider_name(record->decided_by));
	put_text("proxy", record->proxy, to);
	put_text("conn", record->conn, to);
	put_text("client", record->client, to);
	put_text("user", record->user, to);
	put_text("method", record->method, to);
	put_text("host", record->host, to);
	put_text("dst", record->dst, to);
	put_text("sni", record->sni, to);
	put_text("service", record->service, to);
	put_text("rule", record->rule, to);
	put_text("evidence", record->evidence, to);
	put_text("source", record->source, to);
	put_text("would", record->would, to);
	put_text("reason", record->reason, to);
	fputs("}\n", to);
}
