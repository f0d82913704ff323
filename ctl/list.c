/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl list: the services, where their entries are from, how old they are, when they expire. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl list [--json] [--config=DIR]... [SERVICE]...\n"
    "Shows each service with its sources: how many addresses and names each gave, how old it is, when it expires.\n"
    "With a SERVICE, all its entries as well.\n"
    "\n"
    "Example: meetingctl list gotomeeting\n";

static const char *state_name(enum service_state state)
{
	static const char *const names[] = {"on", "off", "refused", "kept"};

	return names[state];
}

static bool is_chosen(const char *service, char **chosen)
{
	for (size_t i = 0; chosen[i] != NULL; i++) {
		if (strcmp(chosen[i], service) == 0) {
			return true;
		}
	}
	return chosen[0] == NULL;
}

static void print_source(const struct source_view *source)
{
	int32_t day;

	printf("    %zu addresses, %zu names, from %s\n      ", source->addresses, source->names, source->source);
	if (date_parse(text_of(source->date), &day)) {
		printf("of %s (%d days old)", source->date, date_today() - day);
	} else {
		fputs("undated", stdout);
	}
	if (source->expired) {
		printf(", %sEXPIRED on %s%s", colour(RED), source->expires, colour(PLAIN));
	} else if (source->expires[0] != '\0') {
		printf(", expires on %s", source->expires);
	}
	printf("; %s\n", source->file);
}

struct detail {
	const char *service;
	json_t *json; /* NULL: as text */
};

static bool print_entry(void *context, const struct entry *entry)
{
	const struct detail *detail = context;
	char ports[512];

	if (entry->service == NULL || strcmp(entry->service, detail->service) != 0) {
		return true;
	}
	ports_format(entry->ports, ports, sizeof ports);
	if (detail->json != NULL) {
		(void)json_array_append_new(detail->json, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}",
		    "kind", entry->kind == ENTRY_NAME ? "name" : "address", "rule", entry->rule, "ports", ports,
		    "source", entry->source, "file", entry->file, "line", (int)entry->line));
	} else {
		printf("    %-7s  %-32s  %-28s  %s%s:%u%s\n", entry->kind == ENTRY_NAME ? "name" : "address", entry->rule, ports,
		    colour(DIM), entry->file, entry->line, colour(PLAIN));
	}
	return true;
}

/* When its list was last fetched, and what is to come. */
static void print_seen(const json_t *states, const char *file)
{
	const json_t *pending, *one;
	struct seen seen;
	size_t i;

	if (!seen_find(states, file, &seen)) {
		return;
	}
	if (seen.days >= 0) {
		printf("    list fetched %d day%s ago", seen.days, seen.days == 1 ? "" : "s");
	} else {
		fputs("    list never fetched", stdout);
	}
	if (seen.failures > 0) {
		printf("; %s%d failure%s since, the last: ", colour(RED), seen.failures, seen.failures == 1 ? "" : "s");
		print_plain(stdout, text_of(seen.error));
		fputs(colour(PLAIN), stdout);
	}
	putchar('\n');
	pending = json_object_get(seen.json, "pending");
	json_array_foreach(pending, i, one) {
		const char *change = json_string_value(json_object_get(one, "change")), *rule = json_string_value(json_object_get(one, "rule"));
		const char *day = json_string_value(json_object_get(one, "day"));

		if (change != NULL && rule != NULL && day != NULL) {
			printf("    announced for %s: %s %s\n", day, change, rule);
		}
	}
}

static void print_text(const struct category *category, const json_t *states, char **chosen)
{
	for (size_t i = 0; i < category_services(category); i++) {
		struct service_view view;

		category_service(category, i, &view);
		if (!is_chosen(view.name, chosen)) {
			continue;
		}
		printf("%s%s%s  %s%s%s\n", colour(BOLD), view.name, colour(PLAIN), view.title,
		    view.state == SERVICE_ON ? "" : view.title[0] == '\0' ? "" : "; ",
		    view.state == SERVICE_ON ? "" : state_name(view.state));
		print_seen(states, view.file);
		for (size_t n = 0; n < category_sources(category); n++) {
			struct source_view source;

			category_source(category, n, date_today(), &source);
			if (strcmp(source.service, view.name) == 0) {
				print_source(&source);
			}
		}
		if (chosen[0] != NULL) {
			struct detail detail = {view.name, NULL};

			category_entries(category, print_entry, &detail);
		}
	}
	if (chosen[0] == NULL) {
		struct category_counts counts;

		category_count(category, &counts);
		printf("%zu exempt client range%s\n", counts.clients, counts.clients == 1 ? "" : "s");
	}
}

static void print_services(const struct category *category, const json_t *states, char **chosen)
{
	json_t *services = json_array();

	for (size_t i = 0; i < category_services(category); i++) {
		struct service_view view;
		json_t *sources = json_array(), *entries = chosen[0] == NULL ? NULL : json_array();

		category_service(category, i, &view);
		if (!is_chosen(view.name, chosen)) {
			json_decref(sources);
			json_decref(entries);
			continue;
		}
		for (size_t n = 0; n < category_sources(category); n++) {
			struct source_view source;

			category_source(category, n, date_today(), &source);
			if (strcmp(source.service, view.name) == 0) {
				(void)json_array_append_new(sources, json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:I}", "source",
				    source.source, "date", source.date, "expires", source.expires, "stale", (int)source.expired, "file",
				    source.file, "addresses", (json_int_t)source.addresses, "names", (json_int_t)source.names));
			}
		}
		json_t *service = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "service", view.name, "title", view.title, "state",
		    state_name(view.state), "addresses", (json_int_t)view.addresses, "names", (json_int_t)view.names, "sources",
		    sources);
		struct seen seen;
		if (seen_find(states, view.file, &seen)) {
			(void)json_object_set(service, "update", seen.json);
		}
		if (entries != NULL) {
			struct detail detail = {view.name, entries};

			category_entries(category, print_entry, &detail);
			(void)json_object_set_new(service, "entries", entries);
		}
		(void)json_array_append_new(services, service);
	}
	print_json(services);
}

static bool all_known(const struct category *category, char **chosen)
{
	for (size_t i = 0; chosen[i] != NULL; i++) {
		bool known = false;

		for (size_t s = 0; s < category_services(category) && !known; s++) {
			struct service_view view;

			category_service(category, s, &view);
			known = strcmp(view.name, chosen[i]) == 0;
		}
		if (!known) {
			fprintf(stderr, "meetingctl list: there is no service `%s`\n", chosen[i]);
			return false;
		}
	}
	return true;
}

int command_list(int argc, char **argv)
{
	struct common common = {.folders = 0};
	int status = common_options(&common, argc, argv, help);

	if (status >= 0) {
		return status;
	}
	status = EXIT_NO;
	common_defaults(&common);
	struct category *category = load(&common);
	if (category == NULL) {
		return EXIT_NO;
	}
	if (all_known(category, argv + optind)) {
		json_t *states = seen_read(&common);

		(common.json ? print_services : print_text)(category, states, argv + optind);
		json_decref(states);
		status = EXIT_YES;
	}
	category_free(category);
	return status;
}
