/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what Squid tells of one transaction to its record; knows nothing of c-icap. For the files of this folder only.
 * */
#ifndef SQUID_MEETING_ICAP_TRANSACTION_H
#define SQUID_MEETING_ICAP_TRANSACTION_H

#include "category/category.h"
#include "records/records.h"

/* What a request line asks for: the method, and where the target says so the host and the port, with the scheme's own port as
 * its default. A user and a password in the target are dropped. host and port are missing for "/path" and "*". path is all
 * that is behind them, with its query. */
struct target {
	struct text method, host, port, path;
};

/* Header values as they came; a missing one has at == NULL. Whatever is in them is the client's, or worse. */
struct transaction_headers {
	/* X-Meeting-Verdict and so on. */
	struct text verdict, service, rule, evidence, source, stale, would, dst, sni, conn, mode;
	/* X-Client-IP, X-Client-Username, X-Authenticated-User. */
	struct text client_ip, client_username, authenticated_user;
	/* The HTTP request's first line, split, and its Host, which counts only where the target has none. */
	struct target target;
	struct text host;
};

/* The host that was asked for, for a record or for the report; missing if there is none. Not for the category: a Host header is
 * anybody's word. */
struct text transaction_host(const struct transaction_headers *headers);

/* One transaction. The record's texts point into the headers and into this structure, so it must not be moved. */
struct transaction {
	struct record record;

	/* What the category is asked with. */
	bool mode_known;
	struct policy policy;
	struct facts facts;

	/* Where texts are kept that aren't in the headers as they are. */
	char service[80], rule[RULE_SIZE + 16], source[SOURCE_SIZE + 80], would[80], sni[280], user[1024];
};

/* Takes a transaction that came at `now`, in milliseconds since 1970, from its headers, and the verdict in them. proxy is
 * this machine's name. Returns whether the category has to be asked as well: most need it not. The headers' memory and
 * proxy must outlive the record. */
bool transaction_read(const struct transaction_headers *headers, struct text proxy, int64_t now,
    struct transaction *transaction) MUST_CHECK;

/* The category decides where the headers have neither a verdict nor an evidence, else it is compared with the helper's
 * bypass. category may be NULL if it couldn't be loaded; it must outlive the record. */
void transaction_ask(const struct category *category, struct transaction *transaction);

/* ---- Parts of it ---- */

/* Without blanks around it; nothing, and "-", is a missing text. */
struct text text_trim(struct text text);

/* 1 to 65535 with no leading zero; else 0. */
uint16_t port_number(struct text text);

/* "192.0.2.1:443", "[2001:db8::1]:443", and "2001:db8::1:443" as Squid's "%>la:%>lp" gives it: the port is behind the
 * last colon. Both are missing if it isn't that. */
void endpoint_split(struct text text, struct text *address, struct text *port);

/* Splits a request line. */
void request_line_split(struct text line, struct target *target);

/* The user's name from both headers, the first one first: plain, or base64 where it can't be anything else, and
 * without the scheme of "scheme://name". buffer holds what had to be decoded. */
struct text user_name(struct text client_username, struct text authenticated_user, char *buffer, size_t size);

#endif
