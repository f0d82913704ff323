/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was read, written as a service file. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>
#include <string.h>

bool feed_line_allowed(const char *text, struct refusal *why)
{
	size_t length = strlen(text);
	int32_t day;

	if (length == 0 || length > SOURCE_SIZE - 128) {
		return refuse(why, 0, "it has 1 to %d bytes", SOURCE_SIZE - 128);
	}
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
			return refuse(why, i, "a control character");
		}
		if (text[i] == '#' && (i == 0 || is_blank(text[i - 1]))) {
			return refuse(why, i, "a # there would begin a comment");
		}
	}
	if (is_blank(text[0]) || is_blank(text[length - 1])) {
		return refuse(why, 0, "a blank at its start or end");
	}
	json_t *string = json_string(text);
	if (string == NULL) {
		return refuse(why, 0, "not UTF-8");
	}
	json_decref(string);
	if (length >= 10 && text[length - 6] == '-' && text[length - 3] == '-' && (length == 10 || is_blank(text[length - 11])) &&
	    (length == 10 || !date_parse(text_of(text + length - 10), &day))) {
		return refuse(why, length - 10, "a day alone, or one that doesn't exist");
	}
	return true;
}

static void write_block(const struct feed *feed, size_t number, size_t *at, const char *date, FILE *to)
{
	const struct feed_block *block = &feed->block[number];
	char text[RULE_SIZE], ports[1024];

	if (*at == feed->entries || feed->entry[*at].block != number) {
		return; /* nothing of it was taken */
	}
	if (block->date[0] != '\0') {
		date = block->date;
	}
	fprintf(to, "\nsource    %s%s%s\n", block->source, date == NULL ? "" : " ", date == NULL ? "" : date);
	ports_format(&block->ports, ports, sizeof ports);
	fprintf(to, "ports     %s\n", ports);
	for (; *at < feed->entries && feed->entry[*at].block == number; ++*at) {
		const struct feed_entry *entry = &feed->entry[*at];

		if (entry->name == NULL) {
			prefix_format(&entry->prefix, text);
		}
		fprintf(to, entry->name == NULL ? "address   %s\n" : "name      %s\n", entry->name == NULL ? text : entry->name);
	}
}

char *feed_service_file(const struct feed *feed, const char *service, const char *title, const char *date)
{
	char *text = NULL;
	size_t length, at = 0;
	FILE *to = open_memstream(&text, &length);

	if (to == NULL) {
		return NULL;
	}
	fprintf(to, "service   %s\n", service);
	if (title != NULL) {
		fprintf(to, "title     %s\n", title);
	}
	for (size_t i = 0; i < feed->blocks; i++) {
		write_block(feed, i, &at, date, to);
	}
	bool bad = ferror(to) != 0;
	if (fclose(to) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}
