/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl: the administrator's door to the category and the records. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"check", command_check, "read every file, and tell all errors"},
	{"list", command_list, "show the services and where their entries are from"},
	{"explain", command_explain, "say what is decided about a request, and why"},
	{"ingest", command_ingest, "read the journals into the store"},
	{"report", command_report, "tell who was exempt, whose meeting failed and why, and what to clean up"},
	{"tail", command_tail, "show records as they come"},
	{"diff", command_diff, "tell what changed between two files, two folders, or the installed ones and new ones"},
	{"export", command_export, "write the entries for firewalls, Squid and browsers"},
	{"update", command_update, "fetch the lists that service files name, and install what passes every check"},
	{"rollback", command_rollback, "put the last version before an update in force again"},
	{"bundle", command_bundle, "make one text of service files, for all proxies of yours"},
	{"import", command_import, "make a service file of a vendor's list"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *to)
{
	fputs("Usage: meetingctl COMMAND [OPTION]... [ARGUMENT]...\n"
	      "Keeps the category of meeting services that ext_meeting_acl and srv_meeting decide by.\n\n",
	    to);
	for (size_t i = 0; i < COMMANDS; i++) {
		fprintf(to, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	}
	fputs("\nmeetingctl COMMAND --help tells more. Exit status: 0 done, 1 the answer is no, 2 wrong usage.\n", to);
}

bool common_folder(struct common *common, const char *folder)
{
	if (folder[0] == '\0' || common->folders == CTL_FOLDERS) {
		fputs("meetingctl: --config takes a folder, at most 32 times\n", stderr);
		return false;
	}
	common->folder[common->folders++] = folder;
	return true;
}

void common_defaults(struct common *common)
{
	if (common->folders == 0) {
		common->folders = CATEGORY_FOLDERS;
		memcpy(common->folder, category_folders, sizeof category_folders);
	}
}

int common_options(struct common *common, int argc, char **argv, const char *help_text)
{
	static const struct option known[] = {{"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (!common_folder(common, optarg)) {
				return EXIT_USAGE;
			}
			break;
		case 'j': common->json = true; break;
		case 'h': fputs(help_text, stdout); return EXIT_YES;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	return -1;
}

int usage(const char *command, const char *what, const char *value)
{
	fprintf(stderr, "meetingctl %s: %s%s (see meetingctl %s --help)\n", command, what, value, command);
	return EXIT_USAGE;
}

struct category *load(const struct common *common)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct category *category = category_load(common->folder, common->folders, NULL, &problems);

	if (category == NULL) {
		fputs("meetingctl: out of memory\n", stderr);
	}
	for (size_t i = 0; i < problems.count; i++) {
		char text[1024];

		problem_format(&problems.list[i], text, sizeof text);
		fprintf(stderr, "%s\n", text);
	}
	problems_free(&problems);
	return category;
}

void print_json(json_t *json)
{
	(void)json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

void print_plain(FILE *to, struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];
		/* The controls above ASCII are C2 80 to C2 9F in UTF-8. */
		bool steers = c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < text.length && (unsigned char)text.at[i + 1] < 0xa0);

		if (steers && c == 0xc2) {
			i++;
		}
		fputc(steers ? '?' : c, to);
	}
}

const char *colour(enum colour wanted)
{
	static const char *const codes[] = {"\033[0m", "\033[1m", "\033[32m", "\033[31m", "\033[2m"};
	static int on = -1;

	if (on < 0) {
		on = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	}
	return on ? codes[wanted] : "";
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		help(stdout);
		return EXIT_YES;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("meetingctl " PACKAGE_VERSION);
		return EXIT_YES;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			int status = commands[i].run(argc - 1, argv + 1);

			if (fflush(stdout) != 0 || ferror(stdout)) {
				perror("meetingctl: standard output");
				return EXIT_NO;
			}
			return status;
		}
	}
	fprintf(stderr, "meetingctl: there is no command `%s` (see meetingctl --help)\n", argv[1]);
	return EXIT_USAGE;
}
