/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request to the report's host asks for: its path, and the few keys of its query. All else is refused. */
#include <config.h>

#include "icap/page.h"

#include <stdio.h>
#include <string.h>

#define A_DAY (INT64_C(24) * 60 * 60 * 1000)

enum { LONGEST_DAYS = 400, MOST_ROWS = 200, DEFAULT_ROWS = 20 };

static const struct {
	const char *path;
	enum page page;
} paths[] = { { "/", PAGE_HTML }, { "/report.json", PAGE_REPORT }, { "/recent.json", PAGE_RECENT },
	{ "/metrics", PAGE_METRICS }, { "/page.css", PAGE_STYLE }, { "/page.js", PAGE_SCRIPT }, { "/chart.js", PAGE_CHART },
	{ "/icon.svg", PAGE_ICON } };

static const char *const keys[WISH_KEYS] = { "since", "until", "by", "limit" };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As a form's values are encoded. */
static bool take_value(struct text text, char value[WISH_VALUE_SIZE], struct refusal *why)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i] == '+' ? ' ' : text.at[i];

		if (c == '%') {
			int high = text.length - i > 2 ? hex_digit(text.at[i + 1]) : -1;
			int low = text.length - i > 2 ? hex_digit(text.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return refuse(why, i, "a %% without two digits behind it");
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c < ' ' || c > '~' || length == WISH_VALUE_SIZE - 1)
			return refuse(why, i, "not a value that is understood");
		value[length++] = c;
	}
	value[length] = '\0';
	return true;
}

static struct text cut(struct text *rest, char at)
{
	const char *end = memchr(rest->at, at, rest->length);
	struct text part = *rest;

	part.length = end == NULL ? rest->length : (size_t)(end - rest->at);
	rest->at += part.length + (end != NULL);
	rest->length -= part.length + (end != NULL);
	return part;
}

static bool take_pair(struct wish *wish, struct text pair, unsigned *given, struct refusal *why)
{
	struct text value = pair, key = cut(&value, '=');

	for (size_t i = 0; i < WISH_KEYS; i++) {
		if (!text_is(key, keys[i]))
			continue;
		if ((*given & 1u << i) != 0)
			return refuse(why, 0, "%s is given twice", keys[i]);
		*given |= 1u << i;
		return take_value(value, wish->value[i], why);
	}
	return refuse(why, 0, "the query takes since, until, by and limit");
}

static bool take_query(struct wish *wish, struct text query, struct refusal *why)
{
	unsigned given = 0;

	while (query.length > 0) {
		struct text pair = cut(&query, '&');

		if (pair.length > 0 && !take_pair(wish, pair, &given, why))
			return false;
	}
	return true;
}

static bool understand(struct wish *wish, int64_t now, struct refusal *why)
{
	const char *since = wish->value[WISH_SINCE], *until = wish->value[WISH_UNTIL], *by = wish->value[WISH_BY];
	uint32_t limit = DEFAULT_ROWS;
	size_t i = 0;

	wish->until = now + 1;
	wish->since = now - A_DAY;
	if (until[0] != '\0' && !when_parse(text_of(until), now, &wish->until))
		return refuse(why, 0, "until isn't a time that is understood: %s", until);
	if (since[0] != '\0' && !when_parse(text_of(since), now, &wish->since))
		return refuse(why, 0, "since isn't a time that is understood: %s", since);
	if (wish->since >= wish->until)
		return refuse(why, 0, "since is not before until");
	if (wish->until - wish->since > LONGEST_DAYS * A_DAY)
		return refuse(why, 0, "more than %d days; meetingctl report takes any time", (int)LONGEST_DAYS);
	while (by[0] != '\0' && i < REPORT_BYS && strcmp(by, report_by_names[i]) != 0)
		i++;
	if (i == REPORT_BYS)
		return refuse(why, 0, "by is service, client, user, rule, hour or day, not %s", by);
	/* The page has the services anyway. */
	wish->by = by[0] != '\0' ? (enum report_by)i : wish->page == PAGE_HTML ? REPORT_BY_USER : REPORT_BY_SERVICE;
	if (wish->value[WISH_LIMIT][0] != '\0' &&
	    (!number_parse(text_of(wish->value[WISH_LIMIT]), MOST_ROWS, &limit) || limit == 0))
		return refuse(why, 0, "limit is 1 to %d", (int)MOST_ROWS);
	wish->limit = limit;
	return true;
}

int wish_read(const struct target *target, int64_t now, struct wish *wish, struct refusal *why)
{
	struct text query = target->path, path = cut(&query, '?');
	size_t i = 0;

	memset(wish, 0, sizeof *wish);
	if (path.length == 0)
		path = text_of("/");
	while (i < sizeof paths / sizeof paths[0] && !text_is(path, paths[i].path))
		i++;
	if (!text_is(target->method, "GET") && !text_is(target->method, "HEAD")) {
		(void)refuse(why, 0, "only GET and HEAD");
		return 405;
	}
	if (i == sizeof paths / sizeof paths[0]) {
		(void)refuse(why, 0, "there is no such page");
		return 404;
	}
	wish->page = paths[i].page;
	return take_query(wish, query, why) && understand(wish, now, why) ? 200 : 400;
}

bool wish_renew(struct wish *wish, int64_t now)
{
	struct refusal why;

	return understand(wish, now, &why);
}
