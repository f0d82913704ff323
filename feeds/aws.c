/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format `aws-json`: the blocks of one service in Amazon's ip-ranges.json. */
#include <config.h>

#include "feeds/internal.h"

#include <string.h>

/* The day of createDate, "2026-11-20-18-13-07". False, and told, if it is there and isn't that. */
static bool read_date(struct reading *reading, const json_t *root, char date[11])
{
	const json_t *created = json_object_get(root, "createDate");
	const char *text = json_string_value(created);
	int32_t day;

	date[0] = '\0';
	if (created == NULL) {
		return true;
	}
	if (text == NULL || strlen(text) != 19 || text[10] != '-' || !date_parse((struct text){text, 10}, &day)) {
		tell_refused(reading, place_member(reading, place_root(reading), "createDate"),
		    "createDate is a day and a time: 2026-11-20-18-13-07");
		return false;
	}
	memcpy(date, text, 10);
	date[10] = '\0';
	return true;
}

static void read_prefixes(struct reading *reading, const json_t *root, const char *list_key, const char *key)
{
	const json_t *list = json_object_get(root, list_key);
	const char *at = place_member(reading, place_root(reading), list_key), *element = place_first(reading, at);

	if (list != NULL && !json_is_array(list)) {
		tell_refused(reading, at, "%s is a list", list_key);
		return;
	}
	for (size_t i = 0; list != NULL && i < json_array_size(list) && !reading->full && !reading->out_of_memory; i++) {
		const json_t *record = json_array_get(list, i);
		const json_t *service = json_object_get(record, "service"), *prefix = json_object_get(record, key);
		const char *place = element == NULL ? place_root(reading) : element;

		if (!json_is_string(service)) {
			tell_refused(reading, place, "a record without a service: whose it is isn't known");
		} else if (strcmp(json_string_value(service), reading->options->aws_service) == 0) {
			const char *value = place_member(reading, element, key);
			struct text word = {json_string_value(prefix), json_string_length(prefix)};

			if (!json_is_string(prefix)) {
				tell_refused(reading, place, "a record without %s", key);
			} else if (!looks_like_address(word)) {
				tell_refused(reading, value == NULL ? place : value, "not a block of addresses");
			} else {
				reading_word(reading, value == NULL ? place : value + 1, word);
			}
		}
		element = place_next(reading, element);
	}
}

void read_aws(struct reading *reading)
{
	static const struct ports any = {.any = true};
	json_t *root = json_read(reading);
	const struct feed_options *options = reading->options;
	char date[11], service[SHOWN_SIZE];

	if (root != NULL && (!json_is_object(root) || (json_object_get(root, "prefixes") == NULL &&
	                                                  json_object_get(root, "ipv6_prefixes") == NULL))) {
		tell_refused(reading, place_root(reading), "Amazon's ranges are an object with prefixes and ipv6_prefixes");
	} else if (root != NULL && read_date(reading, root, date)) {
		(void)shown(text_of(options->aws_service), service);
		reading_block(reading, options->source, service, date, options->ports == NULL ? &any : options->ports);
		if (!reading->out_of_memory) {
			read_prefixes(reading, root, "prefixes", "ip_prefix");
			read_prefixes(reading, root, "ipv6_prefixes", "ipv6_prefix");
		}
		if (reading->feed->entries == 0 && reading->feed->refused.count == 0) {
			tell_refused(reading, NULL, "no block of the service %s", service);
		}
	}
	json_decref(root);
}
