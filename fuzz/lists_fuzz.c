/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a vendor's list, in the format that the first byte chooses: what is taken is allowed in a service file, which
 * loads, and holds just that; all places exist. */
#include <config.h>

#include "feeds/feeds.h"
#include "fuzz/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MOST = 8192 };

static const char *const files[] = {"x.service", NULL};
static char *folder;

static void remove_folder(void)
{
	scratch_free(folder, files);
}

static void check_problems(const struct problems *problems, const char *bytes, size_t size)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < size; i++) {
		lines += bytes[i] == '\n';
	}
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		MUST(problem->line <= lines);
		MUST(problem->line == 0 || (problem->column >= 1 && problem->column <= size + 1));
		MUST(problem->reason[0] != '\0');
		for (const char *at = problem->reason; *at != '\0'; at++) {
			MUST((unsigned char)*at >= ' ');
		}
	}
}

static void check_entry(const struct feed *feed, const struct feed_entry *entry)
{
	char text[PREFIX_TEXT_SIZE], name[NAME_SIZE];
	struct prefix again;
	struct refusal why;

	MUST(entry->block < feed->blocks && entry->line > 0 && entry->column > 0);
	if (entry->name != NULL) {
		bool below = entry->name[0] == '.';

		MUST(name_parse(text_of(entry->name + below), name, &why) && strcmp(name, entry->name + below) == 0);
		return;
	}
	prefix_format(&entry->prefix, text);
	MUST(prefix_parse(text_of(text), &again, &why) && memcmp(&again, &entry->prefix, sizeof again) == 0);
	MUST(prefix_allowed(&again, false, false, &why));
}

static bool count_entry(void *context, const struct entry *entry)
{
	(void)entry;
	++*(size_t *)context;
	return true;
}

static void check_file(const struct feed *feed)
{
	char *text = feed_service_file(feed, "x", "A title", "2026-11-23");
	struct problems problems = {NULL, 0, 0, 0};
	size_t count = 0;

	MUST(text != NULL);
	scratch_put(folder, "x.service", text, strlen(text));
	struct category *category = category_load((const char *const *)&folder, 1, NULL, &problems);
	MUST(category != NULL && problems.count == 0);
	category_entries(category, count_entry, &count);
	MUST(count == feed->entries);
	category_free(category);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ports some = {.any = false, .count = {1, 0}, .range = {{{443, 443}}, {{0, 0}}}};
	struct feed_options options = {.file = "list", .area = "Skype", .aws_service = "CHIME_MEETINGS"};
	struct feed feed;
	struct ports ports;
	struct refusal why;

	if (size == 0 || size > INPUT_MOST) {
		return 0;
	}
	if (folder == NULL) {
		folder = scratch_folder();
		(void)atexit(remove_folder);
	}
	const char *bytes = (const char *)data + 1;
	options.ports = (data[0] & 4) != 0 ? &some : NULL;
	options.required_only = (data[0] & 8) != 0;
	MUST(feed_read((enum feed_format)(data[0] & 3), bytes, size - 1, &options, &feed));
	MUST(feed.entries > 0 || feed.refused.count > 0);
	check_problems(&feed.refused, bytes, size - 1);
	check_problems(&feed.told, bytes, size - 1);
	for (size_t i = 0; i < feed.entries; i++) {
		check_entry(&feed, &feed.entry[i]);
	}
	check_file(&feed);
	feed_free(&feed);
	if (!feed_ports_parse((struct text){bytes, size - 1}, &ports, &why)) {
		MUST(why.reason[0] != '\0');
	}
	return 0;
}
