/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl list: the services, where their entries are from, how old they are, when they expire. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl list [--json] [--config=DIR]... [SERVICE]...\n"
    "Shows each service with its sources: how many addresses and names each gave, how old it is, when it expires.\n"
    "With a SERVICE, all its entries as well.\n"
    "\n"
    "Example: meetingctl list gotomeeting\n";

/* One source of one service. */
struct origin {
	const char *service, *source, *date, *expires, *file;
	size_t addresses, names;
};

struct listing {
	struct origin *origin;
	size_t count, room;
	size_t clients;
	bool out_of_memory;
};

static bool gather(void *context, const struct entry *entry)
{
	struct listing *listing = context;
	struct origin *origin = NULL;

	if (entry->kind == ENTRY_CLIENT) {
		listing->clients++;
		return true;
	}
	for (size_t i = 0; i < listing->count && origin == NULL; i++) {
		struct origin *candidate = &listing->origin[i];

		/* The texts of one block are the same memory. */
		if (candidate->source == entry->source && candidate->date == entry->date && candidate->service == entry->service) {
			origin = candidate;
		}
	}
	if (origin == NULL) {
		if (listing->count == listing->room) {
			size_t room = listing->room * 2 + 16;
			struct origin *more = reallocarray(listing->origin, room, sizeof *more);

			if (more == NULL) {
				listing->out_of_memory = true;
				return false;
			}
			listing->origin = more;
			listing->room = room;
		}
		origin = &listing->origin[listing->count++];
		*origin = (struct origin){entry->service, entry->source, entry->date, entry->expires, entry->file, 0, 0};
	}
	*(entry->kind == ENTRY_NAME ? &origin->names : &origin->addresses) += 1;
	return true;
}

static const char *state_name(enum service_state state)
{
	static const char *const names[] = {"on", "off", "refused", "kept"};

	return names[state];
}

static bool is_stale(const char *expires)
{
	int32_t day;

	return date_parse(text_of(expires), &day) && date_today() > day;
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

static void print_origin(const struct origin *origin)
{
	int32_t day;

	printf("    %zu addresses, %zu names, from %s\n      ", origin->addresses, origin->names, origin->source);
	if (date_parse(text_of(origin->date), &day)) {
		printf("of %s (%d days old)", origin->date, date_today() - day);
	} else {
		fputs("undated", stdout);
	}
	if (is_stale(origin->expires)) {
		printf(", %sEXPIRED on %s%s", colour(RED), origin->expires, colour(PLAIN));
	} else if (origin->expires[0] != '\0') {
		printf(", expires on %s", origin->expires);
	}
	printf("; %s\n", origin->file);
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

static void print_text(const struct category *category, const struct listing *listing, char **chosen)
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
		for (size_t o = 0; o < listing->count; o++) {
			if (strcmp(listing->origin[o].service, view.name) == 0) {
				print_origin(&listing->origin[o]);
			}
		}
		if (chosen[0] != NULL) {
			struct detail detail = {view.name, NULL};

			category_entries(category, print_entry, &detail);
		}
	}
	if (chosen[0] == NULL) {
		printf("%zu exempt client range%s\n", listing->clients, listing->clients == 1 ? "" : "s");
	}
}

static void print_json(const struct category *category, const struct listing *listing, char **chosen)
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
		for (size_t o = 0; o < listing->count; o++) {
			const struct origin *origin = &listing->origin[o];

			if (strcmp(origin->service, view.name) == 0) {
				(void)json_array_append_new(sources, json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:I}", "source",
				    origin->source, "date", origin->date, "expires", origin->expires, "stale",
				    (int)is_stale(origin->expires), "file", origin->file, "addresses", (json_int_t)origin->addresses,
				    "names", (json_int_t)origin->names));
			}
		}
		json_t *service = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "service", view.name, "title", view.title, "state",
		    state_name(view.state), "addresses", (json_int_t)view.addresses, "names", (json_int_t)view.names, "sources",
		    sources);
		if (entries != NULL) {
			struct detail detail = {view.name, entries};

			category_entries(category, print_entry, &detail);
			(void)json_object_set_new(service, "entries", entries);
		}
		(void)json_array_append_new(services, service);
	}
	(void)json_dumpf(services, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(services);
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
	struct listing listing = {.count = 0};
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
	category_entries(category, gather, &listing);
	if (listing.out_of_memory) {
		fputs("meetingctl list: out of memory\n", stderr);
	} else if (all_known(category, argv + optind)) {
		(common.json ? print_json : print_text)(category, &listing, argv + optind);
		status = EXIT_YES;
	}
	free(listing.origin);
	category_free(category);
	return status;
}
