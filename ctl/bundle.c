/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl bundle: service files in one text, to be signed and put where all proxies fetch it. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Usage: meetingctl bundle --name=NAME --expires=YYYY-MM-DD [--serial=NUMBER] FOLDER or FILE...\n"
    "Writes a bundle of the service files given (of a folder, all), for `feed bundle`: sign it by minisign or signify, and put\n"
    "it and its signature (.minisig or .sig) on a web server. The files `clients` stay where they are.\n"
    "\n"
    "  --name=NAME      the service that the file with the `feed bundle` line names\n"
    "  --expires=DATE   the last day on which it is taken\n"
    "  --serial=NUMBER  greater than that of the bundle before (the time: 20261125031500)\n"
    "\n"
    "Example: meetingctl bundle --name=fleet --expires=2027-01-31 services/ >lists && minisign -Sm lists\n";

struct making {
	struct bundle bundle;
	bool bad;
};

static void tell(struct making *making, const char *path, const char *reason)
{
	fprintf(stderr, "%s: %s\n", path, reason);
	making->bad = true;
}

/* Adds the file, if it has no errors. The bundle's texts are freed by free_files. */
static void add_file(struct making *making, const char *path)
{
	struct bundle *bundle = &making->bundle;
	struct problems problems = {NULL, 0, 0, 0};
	const char *slash = strrchr(path, '/'), *reason = "out of memory";
	struct text base = text_of(slash == NULL ? path : slash + 1);
	size_t length = 0;

	if (text_is(base, "clients")) {
		return;
	}
	if (!bundle_file_name(base)) {
		tell(making, path, "a bundle's files are called NAME.service, NAME being as a service's");
		return;
	}
	char *text = file_read(path, &length, &reason);
	struct category *category = text == NULL ? NULL : category_read(path, text, length, &problems);
	for (size_t i = 0; i < problems.count; i++) {
		char line[1024];

		problem_format(&problems.list[i], line, sizeof line);
		fprintf(stderr, "%s\n", line);
		making->bad = true;
	}
	char *copy = strndup(base.at, base.length);
	if (category == NULL || copy == NULL || !grow(&bundle->file, &bundle->room, bundle->files, sizeof *bundle->file)) {
		tell(making, path, reason == NULL || text != NULL ? "out of memory" : reason);
		free(copy);
		free(text);
	} else {
		bundle->file[bundle->files++] = (struct bundle_file){text_of(copy), {text, length}};
	}
	category_free(category);
	problems_free(&problems);
}

static void free_files(struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->files; i++) {
		free((char *)bundle->file[i].base.at);
		free((char *)bundle->file[i].content.at);
	}
	bundle_free(bundle);
}

static void add_all(struct making *making, char **given, int count)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct paths paths;

	if (!category_paths((const char *const *)given, (size_t)count, &paths, &problems)) {
		tell(making, given[0], "out of memory");
	}
	for (size_t i = 0; i < problems.count; i++) {
		tell(making, problems.list[i].file, problems.list[i].reason);
	}
	for (size_t i = 0; i < paths.count; i++) {
		add_file(making, paths.path[i]);
	}
	problems_free(&problems);
	paths_free(&paths);
}

/* Returns -1, or the exit status to end with. */
static int read_options(struct bundle *bundle, int argc, char **argv)
{
	static const struct option known[] = {{"name", required_argument, NULL, 'n'}, {"expires", required_argument, NULL, 'e'},
		{"serial", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct refusal why;
	bool expires = false;
	char now[32];
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 'n':
			if (!service_name_parse(text_of(optarg), bundle->name, &why)) {
				return usage(argv[0], "--name: ", why.reason);
			}
			break;
		case 'e':
			if (!date_parse(text_of(optarg), &bundle->expires)) {
				return usage(argv[0], "--expires: a day is written 2027-04-01, not ", optarg);
			}
			expires = true;
			break;
		case 's':
			if (!bundle_serial_parse(text_of(optarg), &bundle->serial)) {
				return usage(argv[0], "--serial: a number of 1 to 18 digits, not ", optarg);
			}
			break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	if (bundle->name[0] == '\0' || !expires || optind == argc) {
		return usage(argv[0], "--name, --expires and at least one file or folder are wanted", "");
	}
	time_t seconds = time(NULL);
	struct tm parts;
	if (bundle->serial == 0 && (gmtime_r(&seconds, &parts) == NULL ||
	        strftime(now, sizeof now, "%Y%m%d%H%M%S", &parts) == 0 || !bundle_serial_parse(text_of(now), &bundle->serial))) {
		return usage(argv[0], "the time isn't known: say a --serial", "");
	}
	return -1;
}

int command_bundle(int argc, char **argv)
{
	struct making making = {.bad = false};
	int status = read_options(&making.bundle, argc, argv);
	size_t length;

	if (status >= 0) {
		return status;
	}
	add_all(&making, argv + optind, argc - optind);
	status = EXIT_NO;
	if (!making.bad && making.bundle.files == 0) {
		fputs("meetingctl bundle: there is no service file\n", stderr);
	} else if (!making.bad) {
		char *text = bundle_write(&making.bundle, &length);

		if (text != NULL && fwrite(text, 1, length, stdout) == length) {
			status = EXIT_YES;
		}
		free(text);
	}
	free_files(&making.bundle);
	return status;
}
