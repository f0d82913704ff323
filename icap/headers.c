/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the module needs of a request's headers, ICAP's and those of the HTTP request in it. */
#include <config.h>

#include "icap/headers.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Squid sends them in the order of its configuration, which is this one: what is next here mostly comes next. */
void headers_collect(ci_request_t *request, struct transaction_headers *headers)
{
#define NAME(name, field) { name, sizeof name - 1, offsetof(struct transaction_headers, field) }
	static const struct {
		const char *name;
		size_t length, field;
	} names[] = {
		NAME("X-Client-IP", client_ip),
		NAME("X-Client-Username", client_username),
		NAME("X-Authenticated-User", authenticated_user),
		NAME("X-Meeting-Verdict", verdict),
		NAME("X-Meeting-Service", service),
		NAME("X-Meeting-Rule", rule),
		NAME("X-Meeting-Evidence", evidence),
		NAME("X-Meeting-Source", source),
		NAME("X-Meeting-Stale", stale),
		NAME("X-Meeting-Would", would),
		NAME("X-Meeting-Conn", conn),
		NAME("X-Meeting-Dst", dst),
		NAME("X-Meeting-Sni", sni),
		NAME("X-Meeting-Mode", mode),
	};
#undef NAME
	enum { NAMES = sizeof names / sizeof names[0] };
	const ci_headers_list_t *list = request->request_header;
	size_t next = 0;

	memset(headers, 0, sizeof *headers);
	for (int i = 1; list != NULL && i < list->used; i++) {
		const char *line = list->headers[i], *colon;
		size_t length;

		if ((line[0] != 'X' && line[0] != 'x') || line[1] != '-' || (colon = strchr(line, ':')) == NULL)
			continue;
		length = (size_t)(colon - line);
		for (size_t tried = 0; tried < NAMES; tried++, next++) {
			struct text *value;

			if (next >= NAMES)
				next = 0;
			if (names[next].length != length || strncasecmp(line, names[next].name, length) != 0)
				continue;
			value = (struct text *)(void *)((char *)headers + names[next++].field);
			if (value->at == NULL)
				*value = text_of(colon + 1);
			break;
		}
	}
	request_line_split(text_of(ci_http_request(request)), &headers->target);
	if (headers->target.host.at == NULL)
		headers->host = text_of(ci_http_request_get_header(request, "Host"));
}
