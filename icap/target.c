/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a request goes to: endpoints as Squid writes them, and the target of a request line. */
#include <config.h>

#include "icap/transaction.h"

#include <string.h>
#include <strings.h>

static const struct text missing;

static struct text part(struct text text, size_t from, size_t to)
{
	return (struct text){ .at = text.at + from, .length = to - from };
}

/* c-icap's length of an empty value counts the NUL behind it. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

struct text text_trim(struct text text)
{
	size_t from = 0, to = text.length;

	if (text.at == NULL)
		return missing;
	while (to > from && is_blank(text.at[to - 1]))
		to--;
	while (from < to && is_blank(text.at[from]))
		from++;
	if (from == to || (to - from == 1 && text.at[from] == '-'))
		return missing;
	return part(text, from, to);
}

uint16_t port_number(struct text text)
{
	uint32_t number = 0;

	if (text.at == NULL || text.length == 0 || text.length > 5 || text.at[0] == '0')
		return 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return 0;
		number = number * 10 + (uint32_t)(text.at[i] - '0');
	}
	return number <= UINT16_MAX ? (uint16_t)number : 0;
}

/* The last of the bytes in the text, or the text's length. */
static size_t find_last(struct text text, char byte)
{
	const char *found = text.length > 0 ? memrchr(text.at, byte, text.length) : NULL;

	return found != NULL ? (size_t)(found - text.at) : text.length;
}

/* The first of any of the bytes in the text, or the text's length. */
static size_t find_any(struct text text, const char *bytes)
{
	for (; *bytes != '\0'; bytes++) {
		const char *found = text.length > 0 ? memchr(text.at, *bytes, text.length) : NULL;

		if (found != NULL)
			text.length = (size_t)(found - text.at);
	}
	return text.length;
}

void endpoint_split(struct text text, struct text *address, struct text *port)
{
	size_t colon = find_last(text, ':'), from = 0, to = colon;

	*address = *port = missing;
	if (colon == text.length)
		return;
	if (to > 1 && text.at[0] == '[' && text.at[to - 1] == ']') {
		from = 1;
		to--;
	}
	*address = text_trim(part(text, from, to));
	*port = part(text, colon + 1, text.length);
	if (address->at == NULL || port_number(*port) == 0)
		*address = *port = missing;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static void authority_split(struct text text, struct target *target)
{
	size_t end = text.length, colon = find_last(text, ':');

	if (text.length > 0 && text.at[0] == '[') {
		end = find_any(text, "]");
		if (end == text.length)
			return;
		target->host = text_trim(part(text, 1, end));
		if (end + 1 < text.length && text.at[end + 1] == ':')
			target->port = part(text, end + 2, text.length);
	} else if (colon < text.length && find_any(text, ":") == colon) {
		target->host = text_trim(part(text, 0, colon));
		target->port = part(text, colon + 1, text.length);
	} else {
		/* Several colons and no brackets: an IPv6 address, and no way to tell a port from it. */
		target->host = text_trim(text);
	}
	if (target->port.at != NULL && port_number(target->port) == 0)
		target->port = missing;
}

static bool is_scheme(struct text scheme, const char *name)
{
	return scheme.length == strlen(name) && strncasecmp(scheme.at, name, scheme.length) == 0;
}

void request_line_split(struct text line, struct target *target)
{
	struct text rest, scheme = missing;
	size_t blank, scheme_end;

	memset(target, 0, sizeof *target);
	if (line.at == NULL)
		return;
	blank = find_any(line, " \t");
	target->method = text_trim(part(line, 0, blank));
	rest = text_trim(part(line, blank, line.length));
	rest.length = rest.at == NULL ? 0 : find_any(rest, " \t");
	target->path = rest;
	if (rest.length == 0 || rest.at[0] == '/' || rest.at[0] == '*')
		return;
	scheme_end = find_any(rest, ":");
	if (rest.length - scheme_end >= 3 && memcmp(rest.at + scheme_end, "://", 3) == 0 &&
	    find_any(part(rest, 0, scheme_end), "/?#@[") == scheme_end) {
		scheme = part(rest, 0, scheme_end);
		rest = part(rest, scheme_end + 3, rest.length);
	}
	target->path = part(rest, find_any(rest, "/?#"), rest.length);
	rest.length -= target->path.length;
	if (find_last(rest, '@') < rest.length)
		rest = part(rest, find_last(rest, '@') + 1, rest.length);
	authority_split(rest, target);
	if (target->host.at == NULL || target->port.at != NULL)
		return;
	if (is_scheme(scheme, "http"))
		target->port = text_of("80");
	else if (is_scheme(scheme, "https"))
		target->port = text_of("443");
	else if (is_scheme(scheme, "ftp"))
		target->port = text_of("21");
}
