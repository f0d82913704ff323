/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the readers share. */
#include <config.h>

#include "tests/feeds/said.h"

#include <stdio.h>
#include <string.h>

static char said[65536];

static void say(const char *what, const struct problems *problems, FILE *to)
{
	for (size_t i = 0; i < problems->count; i++) {
		fprintf(to, "%s %u:%u %s\n", what, problems->list[i].line, problems->list[i].column, problems->list[i].reason);
	}
}

const char *said_of(enum feed_format format, const char *list, size_t length, const struct feed_options *options)
{
	static const struct feed_options usual = {.file = "list", .area = "Skype", .aws_service = "CHIME_MEETINGS"};
	struct feed feed;
	FILE *to = fmemopen(said, sizeof said, "w");
	char text[PREFIX_TEXT_SIZE];
	size_t block = SIZE_MAX;

	assert_non_null(to);
	assert_true(feed_read(format, list, length, options == NULL ? &usual : options, &feed));
	for (size_t i = 0; i < feed.entries; i++) {
		const struct feed_entry *entry = &feed.entry[i];

		if (entry->block != block && format != FEED_CIDR && format != FEED_PASTED) {
			char ports[256];

			block = entry->block;
			ports_format(&feed.block[block].ports, ports, sizeof ports);
			fprintf(to, "[%s %s|%s] ", feed.block[block].source, feed.block[block].date, ports);
		}
		prefix_format(&entry->prefix, text);
		fprintf(to, "%s ", entry->name == NULL ? text : entry->name);
	}
	say("told", &feed.told, to);
	say("refused", &feed.refused, to);
	fputc('\0', to);
	fclose(to);
	feed_free(&feed);
	return said;
}

void assert_list(enum feed_format format, const char *list, const char *wanted)
{
	assert_string_equal(said_of(format, list, strlen(list), NULL), wanted);
}

void assert_list_has(enum feed_format format, const char *list, const char *part)
{
	const char *all = said_of(format, list, strlen(list), NULL);

	if (strstr(all, part) == NULL) {
		fail_msg("%s: no `%s` in `%s`", list, part, all);
	}
}
