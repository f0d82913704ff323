/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl check: every file is read; all errors are told, and what is odd. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl check [--json] [--config=DIR]... [FOLDER or FILE]...\n"
    "Reads every *.service file and `clients`, those hidden by a later folder too, and tells all errors as\n"
    "FILE:LINE:COLUMN: reason. Exit status 1 if there is any.\n"
    "\n"
    "Example: meetingctl check /etc/squid-meeting\n";

enum { OLD_DAYS = 14 };

/* What is odd is told, but is no error. */
struct oddities {
	const struct category *category;
	int32_t today;
	json_t *json; /* NULL: as text */
};

static void tell(json_t *list, const char *kind, const char *file, uint32_t line, uint32_t column, const char *reason)
{
	if (list != NULL) {
		json_t *problem = json_pack("{s:s, s:s, s:i, s:i, s:s}", "kind", kind, "file", file, "line", (int)line, "column",
		    (int)column, "reason", reason);

		(void)json_array_append_new(list, problem); /* out of memory shows when it is written */
		return;
	}
	printf("%s:", file);
	if (line > 0) {
		printf("%u:", line);
	}
	if (column > 0) {
		printf("%u:", column);
	}
	printf(" %s%s\n", strcmp(kind, "error") == 0 ? "" : "warning: ", reason);
}

static bool is_service(const struct category *category, const char *name)
{
	for (size_t i = 0; i < category_services(category); i++) {
		struct service_view view;

		category_service(category, i, &view);
		if (strcmp(view.name, name) == 0) {
			return true;
		}
	}
	return false;
}

static bool look_at_entry(void *context, const struct entry *entry)
{
	struct oddities *odd = context;
	char reason[512];

	for (size_t i = 0; entry->services != NULL && entry->services[i] != NULL; i++) {
		if (!is_service(odd->category, entry->services[i])) {
			(void)snprintf(reason, sizeof reason, "the client %s is limited to %s, a service that isn't here", entry->rule,
			    entry->services[i]);
			tell(odd->json, "warning", entry->file, entry->line, 0, reason);
		}
	}
	return true;
}

static void look_at_sources(const struct oddities *odd)
{
	char reason[512];

	for (size_t i = 0; i < category_sources(odd->category); i++) {
		struct source_view view;

		category_source(odd->category, i, odd->today, &view);
		if (view.expired) {
			(void)snprintf(reason, sizeof reason, "the entries from %.400s have expired on %s", view.source, view.expires);
			tell(odd->json, "warning", view.file, 0, 0, reason);
		}
	}
}

/* Lists that updates should fetch, and haven't for long. */
static void look_at_updates(const struct common *common, const struct oddities *odd)
{
	json_t *states = seen_read(common);
	char reason[1024];

	for (size_t i = 0; i < category_services(odd->category); i++) {
		struct service_view view;
		struct seen seen;

		category_service(odd->category, i, &view);
		if (!seen_find(states, view.file, &seen) || (seen.days >= 0 && seen.days < OLD_DAYS)) {
			continue;
		}
		(void)snprintf(reason, sizeof reason, "its list hasn't been fetched since %.10s, %d failures since then; the last: %.700s",
		    seen.checked[0] == '\0' ? "ever" : seen.checked, seen.failures, seen.error[0] == '\0' ? "none" : seen.error);
		tell(odd->json, "warning", view.file, 0, 0, reason);
	}
	json_decref(states);
}

/* Reads each folder by itself, so that no file hides another. Returns the number of errors, or -1 without memory. */
static long check_folders(const struct common *common, json_t *json, struct category_counts *sum)
{
	long errors = 0;

	for (size_t i = 0; i < common->folders; i++) {
		struct problems problems = {NULL, 0, 0, 0};
		struct category_counts counts;
		struct category *category = category_load(&common->folder[i], 1, NULL, &problems);

		if (category == NULL) {
			problems_free(&problems);
			return -1;
		}
		category_count(category, &counts);
		category_free(category);
		sum->files += counts.files;
		for (size_t p = 0; p < problems.count; p++) {
			const struct problem *problem = &problems.list[p];

			tell(json, "error", problem->file, problem->line, problem->column, problem->reason);
		}
		errors += (long)(problems.count + problems.omitted);
		problems_free(&problems);
	}
	return errors;
}

static int check(const struct common *common)
{
	struct category_counts sum = {0};
	struct problems problems = {NULL, 0, 0, 0};
	json_t *json = common->json ? json_array() : NULL;
	struct oddities odd = {.today = date_today(), .json = json};
	long errors = check_folders(common, json, &sum);
	struct category *all = errors < 0 ? NULL : category_load(common->folder, common->folders, NULL, &problems);

	problems_free(&problems);
	if (all == NULL) {
		json_decref(json);
		fputs("meetingctl check: out of memory\n", stderr);
		return EXIT_NO;
	}
	odd.category = all;
	category_entries(all, look_at_entry, &odd);
	look_at_sources(&odd);
	look_at_updates(common, &odd);
	category_free(all);
	if (json != NULL) {
		print_json(json);
	} else if (errors > 0) {
		printf("%s%ld error%s in %zu files%s\n", colour(RED), errors, errors == 1 ? "" : "s", sum.files, colour(PLAIN));
	} else {
		printf("%s%zu files, no error%s\n", colour(GREEN), sum.files, colour(PLAIN));
	}
	return errors > 0 ? EXIT_NO : EXIT_YES;
}

int command_check(int argc, char **argv)
{
	struct common common = {.folders = 0};
	int status = common_options(&common, argc, argv, help);

	if (status >= 0) {
		return status;
	}
	for (; optind < argc; optind++) {
		FILE *file = fopen(argv[optind], "re");

		if (file == NULL) { /* named by the user, so it has to be there */
			perror(argv[optind]);
			return EXIT_NO;
		}
		fclose(file);
		if (!common_folder(&common, argv[optind])) {
			return EXIT_USAGE;
		}
	}
	common_defaults(&common);
	return check(&common);
}
