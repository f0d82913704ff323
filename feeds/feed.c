/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all readers of lists share: entries, blocks, what was refused and told, and the places of it. */
#include <config.h>

#include "feeds/internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	void (*read)(struct reading *reading);
	const char *source; /* NULL: the file */
} formats[FEED_FORMATS] = {
	{"cidr", read_cidr, NULL},
	{"m365-json", read_m365, "https://endpoints.office.com/endpoints/worldwide"},
	{"aws-json", read_aws, "https://ip-ranges.amazonaws.com/ip-ranges.json"},
	{"pasted", read_pasted, NULL},
};

const char *feed_format_name(enum feed_format format)
{
	return formats[format].name;
}

bool feed_format_parse(const char *name, enum feed_format *format)
{
	for (size_t i = 0; i < FEED_FORMATS; i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*format = (enum feed_format)i;
			return true;
		}
	}
	return false;
}

bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *shown(struct text text, char out[SHOWN_SIZE])
{
	size_t length = text.length < SHOWN_SIZE - 4 ? text.length : SHOWN_SIZE - 4;

	for (size_t i = 0; i < length; i++) {
		out[i] = text.at[i] >= ' ' && text.at[i] <= '~' ? text.at[i] : '?';
	}
	memcpy(out + length, length < text.length ? "..." : "", length < text.length ? 4 : 1);
	return out;
}

/* Goes from the last place to this one, whichever way that is, and counts lines on the way. */
static uint32_t find_place(struct reading *reading, const char *at)
{
	bool back = at < reading->place;

	for (const char *i = reading->place; !back && i < at; i++) {
		if (*i == '\n') {
			reading->line++;
			reading->line_start = i + 1;
		}
	}
	if (at < reading->line_start) {
		for (const char *i = at; i < reading->line_start; i++) {
			reading->line -= *i == '\n';
		}
		for (reading->line_start = at; reading->line_start > reading->bytes && reading->line_start[-1] != '\n';) {
			reading->line_start--;
		}
	}
	reading->place = at;
	return (uint32_t)(at - reading->line_start) + 1;
}

FORMAT_LIKE(4, 0)
static void tell(struct reading *reading, struct problems *problems, const char *at, const char *format,
    va_list arguments)
{
	char reason[512];
	uint32_t column = at == NULL ? 0 : find_place(reading, at);

	if (vsnprintf(reason, sizeof reason, format, arguments) < 0) {
		reason[0] = '\0';
	}
	if (!problem_add(problems, reading->options->file, at == NULL ? 0 : reading->line, column, reason)) {
		reading->out_of_memory = true;
	}
}

void tell_refused(struct reading *reading, const char *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(reading, &reading->feed->refused, at, format, arguments);
	va_end(arguments);
}

void tell_changed(struct reading *reading, const char *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(reading, &reading->feed->told, at, format, arguments);
	va_end(arguments);
}

void reading_block(struct reading *reading, const char *source, const char *detail, const char *date,
    const struct ports *ports)
{
	struct feed *feed = reading->feed;
	struct feed_block block = {NULL, "", {.any = true}, -1};
	size_t size = strlen(source) + (detail == NULL ? 0 : strlen(detail)) + 4;

	block.source = malloc(size);
	if (block.source == NULL || !grow(&feed->block, &feed->block_room, feed->blocks, sizeof *feed->block)) {
		free(block.source);
		reading->out_of_memory = true;
		return;
	}
	(void)snprintf(block.source, size, detail == NULL ? "%s" : "%s (%s)", source, detail == NULL ? "" : detail);
	(void)snprintf(block.date, sizeof block.date, "%s", date);
	block.ports = *ports;
	feed->block[feed->blocks++] = block;
}

static struct feed_entry *add_entry(struct reading *reading, const char *at)
{
	struct feed *feed = reading->feed;

	if (feed->entries == FEED_ENTRIES) {
		if (!reading->full) {
			tell_refused(reading, at, "more than %d entries: the rest is left out", FEED_ENTRIES);
		}
		reading->full = true;
		return NULL;
	}
	if (reading->out_of_memory ||
	    !grow(&feed->entry, &feed->entry_room, feed->entries, sizeof *feed->entry)) {
		reading->out_of_memory = true;
		return NULL;
	}
	struct feed_entry *entry = &feed->entry[feed->entries];
	memset(entry, 0, sizeof *entry);
	entry->column = find_place(reading, at);
	entry->line = reading->line;
	entry->block = feed->blocks - 1;
	return entry;
}

void reading_prefix(struct reading *reading, const char *at, const struct prefix *prefix)
{
	struct feed_entry *entry = add_entry(reading, at);

	if (entry != NULL) {
		entry->prefix = *prefix;
		reading->feed->entries++;
	}
}

void reading_name(struct reading *reading, const char *at, const char *name)
{
	struct feed_entry *entry = add_entry(reading, at);

	if (entry == NULL) {
		return;
	}
	entry->name = strdup(name);
	if (entry->name == NULL) {
		reading->out_of_memory = true;
		return;
	}
	reading->feed->entries++;
}

/* By block and content, then by place: so that the first of several comes first. */
static int entry_compare(const void *left, const void *right)
{
	const struct feed_entry *a = *(struct feed_entry *const *)left, *b = *(struct feed_entry *const *)right;
	int order = 0;

	if (a->block != b->block) {
		return a->block < b->block ? -1 : 1;
	}
	if ((a->name == NULL) != (b->name == NULL)) {
		return a->name == NULL ? -1 : 1;
	}
	if (a->name != NULL) {
		order = strcmp(a->name, b->name);
	} else if ((order = (int)a->prefix.address.family - (int)b->prefix.address.family) == 0 &&
	    (order = memcmp(a->prefix.address.bytes, b->prefix.address.bytes, 16)) == 0) {
		order = (int)a->prefix.length - (int)b->prefix.length;
	}
	return order != 0 ? order : a < b ? -1 : a > b;
}

static bool same_entry(const struct feed_entry *a, const struct feed_entry *b)
{
	return a->block == b->block && (a->name == NULL) == (b->name == NULL) &&
	    (a->name != NULL ? strcmp(a->name, b->name) == 0 : memcmp(&a->prefix, &b->prefix, sizeof a->prefix) == 0);
}

/* Takes out what a block holds twice, and tells it. */
static void drop_doubles(struct reading *reading)
{
	struct feed *feed = reading->feed;
	struct feed_entry **order = reallocarray(NULL, feed->entries + 1, sizeof *order);
	bool *twice = calloc(feed->entries + 1, sizeof *twice);
	size_t kept = 0, first = 0;

	reading->out_of_memory = reading->out_of_memory || order == NULL || twice == NULL;
	for (size_t i = 0; !reading->out_of_memory && i < feed->entries; i++) {
		order[i] = &feed->entry[i];
	}
	if (!reading->out_of_memory && feed->entries > 0) {
		qsort(order, feed->entries, sizeof *order, entry_compare);
		for (size_t i = 1; i < feed->entries; i++) {
			if (same_entry(order[first], order[i])) {
				twice[order[i] - feed->entry] = true;
			} else {
				first = i;
			}
		}
		for (size_t i = 0; i < feed->entries; i++) {
			if (twice[i]) {
				reading->out_of_memory = !problem_add(&feed->told, reading->options->file, feed->entry[i].line,
				    feed->entry[i].column, "given twice: written once") || reading->out_of_memory;
				free(feed->entry[i].name);
			} else {
				feed->entry[kept++] = feed->entry[i];
			}
		}
		feed->entries = kept;
	}
	free(order);
	free(twice);
}

bool feed_read(enum feed_format format, const char *bytes, size_t length, const struct feed_options *options,
    struct feed *feed)
{
	struct feed_options own = *options;
	struct reading reading = {.options = &own, .feed = feed, .bytes = bytes, .end = bytes + length, .place = bytes,
	    .line_start = bytes, .line = 1};

	memset(feed, 0, sizeof *feed);
	if (own.source == NULL) {
		own.source = formats[format].source == NULL ? own.file : formats[format].source;
	}
	if (length > FEED_LENGTH) {
		tell_refused(&reading, NULL, "larger than %d MiB", FEED_LENGTH >> 20);
		return !reading.out_of_memory;
	}
	formats[format].read(&reading);
	drop_doubles(&reading);
	if (feed->entries == 0 && feed->refused.count == 0) {
		tell_refused(&reading, NULL, "there is no entry in it");
	}
	return !reading.out_of_memory;
}

void feed_free(struct feed *feed)
{
	for (size_t i = 0; i < feed->entries; i++) {
		free(feed->entry[i].name);
	}
	for (size_t i = 0; i < feed->blocks; i++) {
		free(feed->block[i].source);
	}
	free(feed->entry);
	free(feed->block);
	problems_free(&feed->refused);
	problems_free(&feed->told);
	memset(feed, 0, sizeof *feed);
}
