/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl diff: what changed between two files, two folders, or what is installed and something new. */
#include <config.h>

#include "ctl/ctl.h"
#include "feeds/feeds.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl diff [--json] OLD NEW\n"
    "       meetingctl diff [--json] [--config=DIR]... NEW\n"
    "Compares two service files or folders, or what is installed with NEW; of that only the services that NEW has, if it is\n"
    "a file. Tells entries added (+), removed (-) and changed (!), and how many addresses are covered before and after.\n"
    "Exit status 0 if nothing differs, 1 if something does, 2 if a file can't be read or the usage is wrong.\n"
    "\n"
    "Example: meetingctl diff /var/lib/squid-meeting/services/zoom.service zoom.service\n";

/* Loads one side; any error in it is trouble. */
static struct category *load_side(const char *const *folders, size_t count)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct category *category = category_load(folders, count, NULL, &problems);

	if (category == NULL) {
		fputs("meetingctl diff: out of memory\n", stderr);
	}
	for (size_t i = 0; i < problems.count; i++) {
		char text[1024];

		problem_format(&problems.list[i], text, sizeof text);
		fprintf(stderr, "%s\n", text);
	}
	if (problems.count > 0) {
		category_free(category);
		category = NULL;
	}
	problems_free(&problems);
	return category;
}

static void print_field(const char *name, bool differs, const char *before, const char *after)
{
	if (differs) {
		printf("      %s: %s -> %s\n", name, before[0] == '\0' ? "none" : before, after[0] == '\0' ? "none" : after);
	}
}

static void print_coverage(const char *what, const struct coverage *coverage)
{
	char before[WIDE_TEXT_SIZE], after[WIDE_TEXT_SIZE], gained[WIDE_TEXT_SIZE], lost[WIDE_TEXT_SIZE];

	wide_format(coverage->before, before);
	wide_format(coverage->after, after);
	wide_format(coverage->gained, gained);
	wide_format(coverage->lost, lost);
	printf("%s: %s before, %s after (%s gained, %s lost)\n", what, before, after, gained, lost);
}

static const char *const kind_names[] = {"address", "name", "client"};

void print_diff(const struct diff *diff, bool brief)
{
	static const char marks[] = "+-!";
	static const enum colour colours[] = {GREEN, RED, BOLD};

	for (size_t i = 0; i < diff->changes; i++) {
		const struct change *change = &diff->change[i];
		const char *ports = change->kind == CHANGE_REMOVED ? change->before_ports : change->after_ports;

		if (brief && change->kind == CHANGE_CHANGED && !change->ports) {
			continue;
		}
		printf("%s%c %s%s%s %s", colour(colours[change->kind]), marks[change->kind], change->service,
		    change->service[0] == '\0' ? "" : " ", kind_names[change->entry], change->rule);
		printf("%s%s%s\n", change->kind == CHANGE_CHANGED || ports[0] == '\0' ? "" : "  ",
		    change->kind == CHANGE_CHANGED ? "" : ports, colour(PLAIN));
		if (change->kind == CHANGE_CHANGED) {
			print_field(change->entry == ENTRY_CLIENT ? "services" : "ports", change->ports, change->before_ports,
			    change->after_ports);
			print_field("source", change->source, change->before_source, change->after_source);
			print_field("expires", change->expires, change->before_expires, change->after_expires);
			if (!change->ports && !change->source && !change->expires) {
				puts("      the same ports, sources and days, but otherwise together");
			}
		}
	}
	printf("%zu added, %zu removed, %zu changed\n", diff->added, diff->removed, diff->changed);
	print_coverage("IPv4 addresses", &diff->ipv4);
	print_coverage("IPv6 addresses", &diff->ipv6);
	print_coverage("names", &diff->names);
}

/* As texts, since a number of JSON is often read as one of 53 bits. */
static json_t *coverage_json(const struct coverage *coverage)
{
	char before[WIDE_TEXT_SIZE], after[WIDE_TEXT_SIZE], gained[WIDE_TEXT_SIZE], lost[WIDE_TEXT_SIZE];

	wide_format(coverage->before, before);
	wide_format(coverage->after, after);
	wide_format(coverage->gained, gained);
	wide_format(coverage->lost, lost);
	return json_pack("{s:s, s:s, s:s, s:s}", "before", before, "after", after, "gained", gained, "lost", lost);
}

json_t *diff_json(const struct diff *diff)
{
	static const char *const changes[] = {"added", "removed", "changed"};
	json_t *list = json_array();

	for (size_t i = 0; i < diff->changes; i++) {
		const struct change *change = &diff->change[i];
		json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "change", changes[change->kind], "service", change->service,
		    "kind", kind_names[change->entry], "rule", change->rule);

		if (change->kind != CHANGE_ADDED) {
			(void)json_object_set_new(object, "before", json_pack("{s:s, s:s, s:s}", "ports", change->before_ports,
			    "source", change->before_source, "expires", change->before_expires));
		}
		if (change->kind != CHANGE_REMOVED) {
			(void)json_object_set_new(object, "after", json_pack("{s:s, s:s, s:s}", "ports", change->after_ports,
			    "source", change->after_source, "expires", change->after_expires));
		}
		(void)json_array_append_new(list, object);
	}
	return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "added", (json_int_t)diff->added, "removed",
	    (json_int_t)diff->removed, "changed", (json_int_t)diff->changed, "ipv4", coverage_json(&diff->ipv4), "ipv6",
	    coverage_json(&diff->ipv6), "names", coverage_json(&diff->names), "entries", list);
}

/* The names of the services, ended by NULL; the caller frees the list. */
static const char **services_of(const struct category *category)
{
	size_t count = category_services(category);
	const char **list = calloc(count + 1, sizeof *list);

	for (size_t i = 0; list != NULL && i < count; i++) {
		struct service_view view;

		category_service(category, i, &view);
		list[i] = view.name;
	}
	return list;
}

static bool is_folder(const char *path)
{
	size_t length = strlen(path);

	return !(length > 8 && strcmp(path + length - 8, ".service") == 0);
}

static int compare(const struct category *before, const struct category *after, const char *const *services, bool json)
{
	struct diff diff;
	int status = EXIT_USAGE;

	if (diff_make(before, after, services, &diff)) {
		if (json) {
			print_json(diff_json(&diff));
		} else {
			print_diff(&diff, false);
		}
		status = diff.changes > 0 ? EXIT_NO : EXIT_YES;
	} else {
		fputs("meetingctl diff: out of memory\n", stderr);
	}
	diff_free(&diff);
	return status;
}

int command_diff(int argc, char **argv)
{
	struct common common = {.folders = 0};
	int status = common_options(&common, argc, argv, help);
	const char **services = NULL;

	if (status >= 0) {
		return status;
	}
	int given = argc - optind;
	if (given < 1 || given > 2 || (given == 2 && common.folders > 0)) {
		return usage(argv[0], "OLD and NEW are wanted, or NEW alone, with the folders of OLD by --config", "");
	}
	for (int i = optind; i < argc; i++) {
		FILE *file = fopen(argv[i], "re"); /* named by the user, so it has to be there */

		if (file == NULL) {
			perror(argv[i]);
			return EXIT_USAGE;
		}
		fclose(file);
	}
	if (given == 2) {
		common.folder[common.folders++] = argv[optind];
	}
	common_defaults(&common);
	const char *new = argv[argc - 1];
	struct category *before = load_side(common.folder, common.folders), *after = load_side(&new, 1);
	status = EXIT_USAGE;
	if (before != NULL && after != NULL) {
		if (given == 1 && !is_folder(new)) {
			services = services_of(after);
		}
		status = compare(before, after, services, common.json);
	}
	free(services);
	category_free(before);
	category_free(after);
	return status;
}
