/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Microsoft's announced changes: what is to be added or removed from a day on, and isn't yet. */
#include <config.h>

#include "feeds/update.h"

#include <stdlib.h>
#include <string.h>

static const char *const both[] = {"add", "remove"};

/* "20261201" or "2026-12-01". */
static bool read_day(const json_t *value, struct announced *announced)
{
	const char *text = json_string_value(value);
	size_t length = text == NULL ? 0 : strlen(text);

	if (length == 8) {
		(void)snprintf(announced->date, sizeof announced->date, "%.4s-%.2s-%s", text, text + 4, text + 6);
	} else if (length == 10) {
		memcpy(announced->date, text, 11);
	} else {
		return false;
	}
	return date_parse(text_of(announced->date), &announced->day);
}

/* The block of the set; feed->blocks: there is none. */
static size_t block_of(const struct feed *feed, int64_t set)
{
	size_t block = 0;

	while (block < feed->blocks && feed->block[block].set != set) {
		block++;
	}
	return block;
}

static bool same_entry(const struct feed_entry *entry, size_t block, const struct announced *announced)
{
	char text[PREFIX_TEXT_SIZE];

	if (entry->name == NULL) {
		prefix_format(&entry->prefix, text);
	}
	return entry->block == block && strcmp(entry->name == NULL ? text : entry->name, announced->rule) == 0;
}

static bool is_rule(void *context, const struct entry *entry)
{
	struct announced *announced = context;

	announced->known = announced->known || strcmp(entry->rule, announced->rule) == 0;
	return !announced->known;
}

/* Takes an addition out of the feed that is still to come, or puts a removal back in that is. Those stand in pending. */
static bool hold_back(struct reading *reading, const struct category *before, struct announced *announced)
{
	struct feed *feed = reading->feed;
	size_t block = block_of(feed, announced->set), at = 0;

	while (at < feed->entries && !same_entry(&feed->entry[at], block, announced)) {
		at++;
	}
	announced->known = false;
	category_entries(before, is_rule, announced);
	if (announced->add == announced->known || announced->add == (at == feed->entries)) {
		return false;
	}
	if (announced->add) {
		free(feed->entry[at].name);
		memmove(&feed->entry[at], &feed->entry[at + 1], (feed->entries - at - 1) * sizeof *feed->entry);
		feed->entries--;
	} else {
		if (announced->name) {
			reading_name(reading, reading->bytes, announced->rule);
		} else {
			reading_prefix(reading, reading->bytes, &announced->prefix);
		}
		if (!reading->out_of_memory && feed->entries > at) {
			feed->entry[feed->entries - 1].block = block;
		}
	}
	return true;
}

struct changes {
	struct reading reading;
	const struct category *before;
	struct announced **pending;
	size_t *count, room;
};

static void read_entry(struct changes *changes, const char *at, const json_t *value, struct announced announced)
{
	struct reading *reading = &changes->reading;
	struct text word = {json_string_value(value), json_string_length(value)};
	struct refusal why;
	bool changed;

	if (!json_is_string(value)) {
		tell_refused(reading, at, "ips and urls hold texts");
		return;
	}
	announced.name = !looks_like_address(word);
	if (!(announced.name ? word_name(word, announced.rule, &changed, &why)
	                     : word_prefix(word, &announced.prefix, &changed, &why))) {
		tell_refused(reading, at, "an announced change: %s", why.reason);
		return;
	}
	if (!announced.name) {
		prefix_format(&announced.prefix, announced.rule);
	}
	if (!hold_back(reading, changes->before, &announced)) {
		return;
	}
	if (!grow(changes->pending, &changes->room, *changes->count, sizeof **changes->pending)) {
		reading->out_of_memory = true;
		return;
	}
	(*changes->pending)[(*changes->count)++] = announced;
}

static void read_record(struct changes *changes, const char *at, const json_t *record, int32_t today)
{
	static const char *const lists[] = {"ips", "urls"};
	const json_t *set = json_object_get(record, "endpointSetId");
	struct announced announced = {.set = json_integer_value(set)};

	if (!json_is_object(record) || !json_is_integer(set)) {
		tell_refused(&changes->reading, at, "a change says by endpointSetId which set it is of");
		return;
	}
	if (block_of(changes->reading.feed, announced.set) == changes->reading.feed->blocks) {
		return;
	}
	for (int remove = 0; remove < 2; remove++) {
		const json_t *change = json_object_get(record, both[remove]), *date = json_object_get(change, "effectiveDate");

		announced.add = !remove;
		if (date == NULL) {
			date = json_object_get(record, "effectiveDate");
		}
		if (change == NULL || date == NULL) {
			continue; /* at once */
		}
		if (!read_day(date, &announced)) {
			tell_refused(&changes->reading, at, "effectiveDate is a day: 20261201");
			continue;
		}
		for (size_t list = 0; announced.day > today && list < 2; list++) {
			const json_t *entries = json_object_get(change, lists[list]);

			for (size_t i = 0; i < json_array_size(entries) && !changes->reading.out_of_memory; i++) {
				read_entry(changes, at, json_array_get(entries, i), announced);
			}
		}
	}
}

bool announced_apply(const char *bytes, size_t length, const char *file, const struct category *before, int32_t today,
    struct feed *feed, struct announced **pending, size_t *count)
{
	struct feed_options options = {.file = file};
	struct changes changes = {.reading = {.options = &options, .feed = feed, .bytes = bytes, .end = bytes + length,
	    .place = bytes, .line_start = bytes, .line = 1}, .before = before, .pending = pending, .count = count};
	json_t *root = json_read(&changes.reading);
	const char *element = place_first(&changes.reading, place_root(&changes.reading));

	*pending = NULL;
	*count = 0;
	if (root != NULL && !json_is_array(root)) {
		tell_refused(&changes.reading, place_root(&changes.reading), "Microsoft's changes are a list");
	}
	for (size_t i = 0; i < json_array_size(root) && !changes.reading.out_of_memory; i++) {
		read_record(&changes, element == NULL ? bytes : element, json_array_get(root, i), today);
		element = place_next(&changes.reading, element);
	}
	json_decref(root);
	return !changes.reading.out_of_memory;
}
