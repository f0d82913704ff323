/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl export: the category for others, firewalls and browsers. */
#include <config.h>

#include "ctl/ctl.h"
#include "feeds/feeds.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl export [OPTION]... FORMAT [SERVICE]...\n"
    "Writes the entries of all services, or those named, for others; never an address more than they hold. Nothing is written,\n"
    "and the exit status is 1, if a service isn't there or a file has an error.\n"
    "\n"
    "  nft              sets of nftables, for nft -f: with ports\n"
    "  ipset            for ipset restore, again and again: with ports\n"
    "  squid-dst        for `acl NAME dst \"FILE\"`: addresses, whatever their ports\n"
    "  squid-dstdomain  for `acl NAME dstdomain \"FILE\"`: names, whatever their ports\n"
    "  pac              a proxy auto-configuration: names, and addresses where a URL has one, on their TCP ports\n"
    "  edl              one a line, for firewalls: addresses, whatever their ports\n"
    "  json             all entries with their sources\n"
    "\n"
    "  --config=DIR     a folder, in place of the usual ones; may be given several times\n"
    "  --table=NAME     of nft: the table of the family inet (squid_meeting)\n"
    "  --proxy=TEXT     of pac: what all else gets (PROXY proxy:3128)\n"
    "  --names          of edl: the names in place of the addresses\n"
    "\n"
    "Example: meetingctl export nft gotomeeting zoom | nft -f -\n";

static bool is_table_name(const char *name)
{
	return name[0] != '\0' && strlen(name) < 64 && strchr("0123456789-", name[0]) == NULL &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

/* Returns -1, or the exit status to end with. */
static int read_options(struct common *common, struct export_options *options, int argc, char **argv)
{
	static const struct option known[] = {{"config", required_argument, NULL, 'c'}, {"table", required_argument, NULL, 't'},
		{"proxy", required_argument, NULL, 'p'}, {"names", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct refusal why;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (!common_folder(common, optarg)) {
				return EXIT_USAGE;
			}
			break;
		case 't':
			if (!is_table_name(optarg)) {
				return usage(argv[0], "--table: a name has letters, digits and underscores, not ", optarg);
			}
			options->table = optarg;
			break;
		case 'p':
			if (!feed_line_allowed(optarg, &why)) {
				return usage(argv[0], "--proxy: ", why.reason);
			}
			options->proxy = optarg;
			break;
		case 'n': options->names = true; break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	return -1;
}

/* Loads the folders; any error is told, and then there is nothing to export. */
static struct category *load_whole(const struct common *common)
{
	struct category *category = load(common);
	struct category_counts counts;

	if (category != NULL) {
		category_count(category, &counts);
		if (counts.refused_files > 0) {
			fputs("meetingctl export: nothing is written, since a file has errors\n", stderr);
			category_free(category);
			return NULL;
		}
	}
	return category;
}

static bool all_known(const struct category *category, char **chosen)
{
	for (; *chosen != NULL; chosen++) {
		bool known = false;

		for (size_t i = 0; i < category_services(category) && !known; i++) {
			struct service_view view;

			category_service(category, i, &view);
			known = strcmp(view.name, *chosen) == 0;
		}
		if (!known) {
			fprintf(stderr, "meetingctl export: there is no service `%s`\n", *chosen);
			return false;
		}
	}
	return true;
}

int command_export(int argc, char **argv)
{
	struct common common = {.folders = 0};
	struct export_options options = {.table = "squid_meeting", .proxy = "PROXY proxy:3128"};
	int status = read_options(&common, &options, argc, argv);
	enum export_format format;
	struct refusal why;
	char *text = NULL;

	if (status >= 0) {
		return status;
	}
	if (optind == argc) {
		return usage(argv[0], "a format is missing", "");
	}
	if (!export_format_parse(argv[optind], &format)) {
		return usage(argv[0], "the formats are nft, ipset, squid-dst, squid-dstdomain, pac, edl and json, not ", argv[optind]);
	}
	common_defaults(&common);
	struct category *category = load_whole(&common);
	if (category == NULL) {
		return EXIT_NO;
	}
	status = EXIT_NO;
	if (all_known(category, argv + optind + 1)) {
		options.services = optind + 1 < argc ? (const char *const *)(argv + optind + 1) : NULL;
		text = export_make(category, format, &options, &why);
		if (text == NULL) {
			fprintf(stderr, "meetingctl export: %s\n", why.reason[0] == '\0' ? "out of memory" : why.reason);
		} else {
			fputs(text, stdout);
			status = EXIT_YES;
		}
	}
	free(text);
	category_free(category);
	return status;
}
