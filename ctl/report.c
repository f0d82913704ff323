/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl report: what the store and the category say about a time. */
#include <config.h>

#include "ctl/ctl.h"
#include "records/records.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char help[] =
    "Usage: meetingctl report [OPTION]...\n"
    "Tells who was exempt and who wasn't, whose meeting probably failed and why, and what to clean up.\n"
    "\n"
    "  --since=WHEN, --until=WHEN   7d (ago), today, yesterday, now, 2026-11-01, \"2026-11-01 14:30\" (local time), RFC 3339;\n"
    "                               without it, the last seven days\n"
    "  --by=WHAT                    service, client, user, rule, hour or day (service)\n"
    "  --format=FORM                text, json, csv (one section) or html (text)\n"
    "  --section=NAME               of csv: totals, table, failures, unused, expired, candidates or abuse (table)\n"
    "  --limit=NUMBER               rows of each section; 0 for all (20; of csv, all)\n"
    "  --from=PLACE                 the store: sqlite:PATH (" STATE_DIR "/decisions.db), or\n"
    "                               clickhouse://[USER@]HOST[:8123]/DATABASE, clickhouses:// for HTTPS\n"
    "  --password-file=FILE         of ClickHouse; else the password is taken from MEETING_CLICKHOUSE_PASSWORD\n"
    "  --timeout=10m                how long ClickHouse may take for a question: a number and s, m, h, d or w\n"
    "  --config=DIR                 folders of the category, as elsewhere\n"
    "\n"
    "Example: meetingctl report --since yesterday --until today --by client\n";

enum form { FORM_TEXT, FORM_JSON, FORM_CSV, FORM_HTML };

struct report_wish {
	struct common common;
	struct report_options options;
	struct clickhouse_options clickhouse; /* its place is the store of any kind */
	const char *password_file;
	enum form form;
	enum report_section_number section;
	bool limited;
};

static bool find_name(const char *const *names, size_t count, const char *name, size_t *index)
{
	for (*index = 0; *index < count; (*index)++) {
		if (strcmp(names[*index], name) == 0) {
			return true;
		}
	}
	return false;
}

/* Returns what is wrong with the value, or NULL. */
static const char *take_value(struct report_wish *wish, int option, const char *value)
{
	static const char *const forms[] = {"text", "json", "csv", "html"};
	size_t index;
	char *end;

	switch (option) {
	case 's':
	case 'u':
		return when_parse(text_of(value), wish->options.now, option == 's' ? &wish->options.since : &wish->options.until) ?
		    NULL : "isn't a time that is understood: ";
	case 'b':
		if (!find_name(report_by_names, REPORT_BYS, value, &index)) {
			return "--by takes service, client, user, rule, hour or day, not ";
		}
		wish->options.by = (enum report_by)index;
		return NULL;
	case 'f':
		if (!find_name(forms, sizeof forms / sizeof forms[0], value, &index)) {
			return "--format takes text, json, csv or html, not ";
		}
		wish->form = (enum form)index;
		return NULL;
	case 'S':
		wish->section = report_section_find(value);
		return wish->section == REPORT_SECTIONS ? "there is no section " : NULL;
	case 't':
		return duration_parse(text_of(value), &wish->clickhouse.timeout) && wish->clickhouse.timeout > 0 ? NULL :
		    "--timeout takes a number and s, m, h, d or w, not ";
	default:
		wish->options.limit = strtoul(value, &end, 10);
		wish->limited = true;
		return value[0] >= '0' && value[0] <= '9' && *end == '\0' && end - value < 10 ? NULL : "--limit takes a number, not ";
	}
}

static int read_options(struct report_wish *wish, int argc, char **argv)
{
	static const struct option known[] = {{"since", required_argument, NULL, 's'}, {"until", required_argument, NULL, 'u'},
		{"by", required_argument, NULL, 'b'}, {"format", required_argument, NULL, 'f'},
		{"section", required_argument, NULL, 'S'}, {"limit", required_argument, NULL, 'l'},
		{"from", required_argument, NULL, 'F'}, {"password-file", required_argument, NULL, 'p'},
		{"timeout", required_argument, NULL, 't'}, {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		const char *wrong;

		switch (option) {
		case 'F': wish->clickhouse.place = optarg; break;
		case 'p': wish->password_file = optarg; break;
		case 'c':
			if (!common_folder(&wish->common, optarg)) {
				return EXIT_USAGE;
			}
			break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		case ':': return usage(argv[0], "a value is missing: ", argv[optind - 1]);
		case '?': return usage(argv[0], "unknown option ", argv[optind - 1]);
		default:
			wrong = take_value(wish, option, optarg);
			if (wrong != NULL) {
				return usage(argv[0], wrong, optarg);
			}
			break;
		}
	}
	if (argv[optind] != NULL) {
		return usage(argv[0], "takes no arguments: ", argv[optind]);
	}
	if (wish->options.since >= wish->options.until) {
		return usage(argv[0], "--since is not before --until", "");
	}
	common_defaults(&wish->common);
	if (!wish->limited) {
		wish->options.limit = wish->form == FORM_CSV ? 0 : 20;
	}
	return -1;
}

/* ---- The report ---- */

static unsigned terminal_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		return size.ws_col < 40 ? 40 : size.ws_col;
	}
	if (columns != NULL && strtoul(columns, NULL, 10) >= 40 && strtoul(columns, NULL, 10) <= 1000) {
		return (unsigned)strtoul(columns, NULL, 10);
	}
	return 100;
}

static bool write_report(const struct report_wish *wish, const struct report *report)
{
	struct report_look look = {terminal_width(), colour(BOLD), colour(DIM), colour(PLAIN)};

	switch (wish->form) {
	case FORM_JSON: return report_write_json(report, stdout);
	case FORM_CSV: report_write_csv(report, wish->section, stdout); break;
	case FORM_HTML: report_write_html(report, stdout); break;
	default: report_write_text(report, &look, stdout); break;
	}
	return true;
}

static bool make_report(struct report_wish *wish, struct store *store)
{
	struct category *category = load(&wish->common), *off = NULL;
	char why[STORE_WHY_SIZE];
	struct report report;
	bool good;

	if (category == NULL) {
		return false;
	}
	off = category_load_off(wish->common.folder, wish->common.folders, category);
	wish->options.category = category;
	wish->options.off = off;
	good = report_make(store, &wish->options, &report, why);
	if (good && !write_report(wish, &report)) {
		snprintf(why, sizeof why, "out of memory");
		good = false;
	}
	if (!good) {
		fprintf(stderr, "meetingctl report: %s%s\n", why, store_is_damaged(store) ? " (meetingctl ingest mends it)" : "");
	}
	report_free(&report);
	category_free(off);
	category_free(category);
	return good;
}

static struct store *open_store(struct report_wish *wish)
{
	char password[CTL_PASSWORD_SIZE], why[STORE_WHY_SIZE];
	struct store *store = NULL;

	if (!clickhouse_is_place(wish->clickhouse.place)) {
		store = store_open(wish->clickhouse.place, why);
	} else if (!clickhouse_password("report", wish->password_file, password, &wish->clickhouse.password)) {
		return NULL;
	} else {
		store = clickhouse_open(&wish->clickhouse, why);
	}
	if (store == NULL) {
		fprintf(stderr, "meetingctl report: %s\n", why);
	}
	return store;
}

int command_report(int argc, char **argv)
{
	const int64_t minute = INT64_C(60) * 1000, week = 7 * 24 * 60 * minute;
	struct report_wish wish = {.clickhouse = {.place = default_store, .timeout = 10 * minute}, .section = REPORT_TABLE};

	wish.clickhouse.cafile = getenv("CURL_CA_BUNDLE");
	wish.options.now = clock_now();
	wish.options.until = wish.options.now + 1;
	wish.options.since = wish.options.now - week;
	int status = read_options(&wish, argc, argv);
	if (status >= 0) {
		return status;
	}
	struct store *store = open_store(&wish);
	if (store == NULL) {
		return EXIT_NO;
	}
	status = make_report(&wish, store) ? EXIT_YES : EXIT_NO;
	store_close(store);
	return status;
}
