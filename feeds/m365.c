/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format `m365-json`: the endpoints of Microsoft 365, one block for each set of the service area. */
#include <config.h>

#include "feeds/internal.h"

#include <string.h>

/* One record with its place. */
struct set {
	const json_t *json;
	const char *at;
};

static const char *place_or_record(const struct reading *reading, const struct set *set, const char *key)
{
	const char *at = place_member(reading, set->at, key);

	return at == NULL ? set->at : at;
}

/* Reads tcpPorts and udpPorts; false, and told, if they can't be read or there are none. */
static bool read_ports(struct reading *reading, const struct set *set, struct ports *ports)
{
	static const char *const keys[] = {"tcpPorts", "udpPorts"};
	bool any = false;

	memset(ports, 0, sizeof *ports);
	for (int transport = TCP; transport <= UDP; transport++) {
		const json_t *list = json_object_get(set->json, keys[transport]);
		struct refusal why;

		if (list == NULL || (json_is_string(list) && json_string_length(list) == 0)) {
			continue;
		}
		if (!json_is_string(list)) {
			tell_refused(reading, place_or_record(reading, set, keys[transport]), "%s is a text: the set isn't taken",
			    keys[transport]);
			return false;
		}
		struct text text = {json_string_value(list), json_string_length(list)};
		if (!port_list_parse(text, (enum transport)transport, ports, &why)) {
			tell_refused(reading, place_or_record(reading, set, keys[transport]), "%s: %s; the set isn't taken",
			    keys[transport], why.reason);
			return false;
		}
		any = true;
	}
	if (!any && reading->options->ports == NULL) {
		tell_refused(reading, set->at, "a set without ports: say by --ports which its entries get");
		return false;
	}
	if (!any) {
		*ports = *reading->options->ports;
	}
	return true;
}

static void read_list(struct reading *reading, const struct set *set, const char *key)
{
	const json_t *list = json_object_get(set->json, key);
	const char *at = place_member(reading, set->at, key), *element = place_first(reading, at);

	if (list != NULL && !json_is_array(list)) {
		tell_refused(reading, place_or_record(reading, set, key), "%s is a list", key);
		return;
	}
	for (size_t i = 0; list != NULL && i < json_array_size(list) && !reading->full; i++) {
		const json_t *value = json_array_get(list, i);
		const char *place = element == NULL ? set->at : element;
		struct text word = {json_string_value(value), json_string_length(value)};

		if (json_is_string(value)) {
			/* the character of the text stands behind its quote */
			reading_word(reading, element == NULL ? place : place + 1, word);
		} else {
			tell_refused(reading, place, "%s holds texts", key);
		}
		element = place_next(reading, element);
	}
}

static bool is_excluded(const struct feed_options *options, const json_t *id)
{
	for (size_t i = 0; json_is_integer(id) && i < options->excludes; i++) {
		if (json_integer_value(id) == options->exclude[i]) {
			return true;
		}
	}
	return false;
}

/* Is the set of the service area, and wanted? What can't be known is refused. */
static bool is_wanted(struct reading *reading, const struct set *set)
{
	const json_t *area = json_object_get(set->json, "serviceArea");
	const json_t *required = json_object_get(set->json, "required");

	if (!json_is_object(set->json)) {
		tell_refused(reading, set->at, "a set is an object");
		return false;
	}
	if (!json_is_string(area)) {
		tell_refused(reading, set->at, "a set without serviceArea: whose it is isn't known");
		return false;
	}
	if (strcmp(json_string_value(area), reading->options->area) != 0) {
		return false;
	}
	if (is_excluded(reading->options, json_object_get(set->json, "id"))) {
		tell_changed(reading, set->at, "left out: set %lld",
		    (long long)json_integer_value(json_object_get(set->json, "id")));
		return false;
	}
	if (reading->options->required_only && !json_is_boolean(required)) {
		tell_refused(reading, set->at, "a set that doesn't say whether it is required");
		return false;
	}
	return !reading->options->required_only || json_is_true(required);
}

static void read_set(struct reading *reading, const struct set *set)
{
	const json_t *id = json_object_get(set->json, "id");
	char detail[128], area[SHOWN_SIZE];
	struct ports ports;

	if (!is_wanted(reading, set) || !read_ports(reading, set, &ports)) {
		return;
	}
	(void)shown(text_of(reading->options->area), area);
	if (json_is_integer(id)) {
		(void)snprintf(detail, sizeof detail, "service area %s, set %lld", area, (long long)json_integer_value(id));
	} else {
		(void)snprintf(detail, sizeof detail, "service area %s", area);
	}
	reading_block(reading, reading->options->source, detail, "", &ports);
	if (!reading->out_of_memory) {
		reading->feed->block[reading->feed->blocks - 1].set = json_is_integer(id) ? json_integer_value(id) : -1;
		read_list(reading, set, "urls");
		read_list(reading, set, "ips");
	}
}

void read_m365(struct reading *reading)
{
	json_t *root = json_read(reading);
	const char *element = place_first(reading, place_root(reading));
	char area[SHOWN_SIZE];

	if (root != NULL && !json_is_array(root)) {
		tell_refused(reading, place_root(reading), "the endpoints of Microsoft 365 are a list of sets");
	}
	for (size_t i = 0; json_is_array(root) && i < json_array_size(root) && !reading->full && !reading->out_of_memory; i++) {
		struct set set = {json_array_get(root, i), element == NULL ? place_root(reading) : element};

		read_set(reading, &set);
		element = place_next(reading, element);
	}
	if (json_is_array(root) && reading->feed->blocks == 0 && reading->feed->refused.count == 0) {
		tell_refused(reading, NULL, "no set of the service area %s", shown(text_of(reading->options->area), area));
	}
	json_decref(root);
}
