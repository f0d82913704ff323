/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl update: the lists that service files name are fetched, guarded, shown and installed. */
#include <config.h>

#include "ctl/ctl.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: meetingctl update [OPTION]... [SERVICE]...\n"
    "       meetingctl update rollback SERVICE...\n"
    "Fetches the lists named by the `feed` lines of service files, over HTTPS; refuses a list that isn't whole and wholly\n"
    "understood, or that changes too much; shows what changes, asks on a terminal, and installs. Exit status 1 if anything was\n"
    "refused, couldn't be fetched, or wasn't wanted; what was in force then stays in force.\n"
    "\n"
    "  --dry-run             show everything, change nothing\n"
    "  --yes                 don't ask\n"
    "  --max-growth=PERCENT  more addresses (of a family) or names than that added are refused (50; any: never)\n"
    "  --max-shrink=PERCENT  the same of those that are lost (25)\n"
    "  --allow-withdrawn     entries that squid-meeting ships may be missing, now and later\n"
    "  --again               take what was rolled back, too\n"
    "  --config=DIR          a folder with service files, in place of the usual ones; may be given several times\n"
    "  --state=DIR           where to install (services/ in it) and to keep the state (" STATE_DIR ")\n"
    "  --cafile=FILE         the certificates to believe\n"
    "  --timeout=SECONDS     for each list (300)\n"
    "  --stall=SECONDS       at less than 100 bytes a second (30)\n"
    "  --max-bytes=NUMBER    of a list, once unpacked (67108864)\n"
    "  --today=YYYY-MM-DD    the day that announced changes and expiry go by\n"
    "  --json                write an object for each service\n"
    "\n"
    "Example: meetingctl update --dry-run zoom\n";

struct job {
	struct common common;
	struct update_options options;
	bool yes;
	json_t *said; /* NULL: as text */
};

static bool read_number(const char *text, uint32_t most, uint32_t *number)
{
	return number_parse(text_of(text), most, number) && *number > 0;
}

static bool read_percent(const char *text, uint32_t *percent)
{
	if (strcmp(text, "any") == 0) {
		*percent = GUARD_ANY;
		return true;
	}
	return number_parse(text_of(text), 1000000, percent);
}

/* Reads the options that take a number or a day; false: it can't be read. */
static bool read_value(struct update_options *options, int option)
{
	uint32_t number;

	if (option == 'g' || option == 'k') {
		return read_percent(optarg, option == 'g' ? &options->guard.growth : &options->guard.shrink);
	}
	if (option == 'T') {
		return date_parse(text_of(optarg), &options->today);
	}
	if (!read_number(optarg, option == 'b' ? FEED_LENGTH : 86400, &number)) {
		return false;
	}
	switch (option) {
	case 't': options->fetch.seconds = (long)number; break;
	case 'S': options->fetch.stall = (long)number; break;
	default: options->fetch.bytes = number;
	}
	return true;
}

/* Returns -1, or the exit status to end with. */
static int read_options(struct job *job, int argc, char **argv)
{
	static const struct option known[] = {{"config", required_argument, NULL, 'c'}, {"state", required_argument, NULL, 's'},
		{"dry-run", no_argument, NULL, 'd'}, {"yes", no_argument, NULL, 'y'}, {"max-growth", required_argument, NULL, 'g'},
		{"max-shrink", required_argument, NULL, 'k'}, {"allow-withdrawn", no_argument, NULL, 'w'},
		{"again", no_argument, NULL, 'a'}, {"cafile", required_argument, NULL, 'C'}, {"timeout", required_argument, NULL, 't'},
		{"stall", required_argument, NULL, 'S'}, {"max-bytes", required_argument, NULL, 'b'},
		{"today", required_argument, NULL, 'T'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct update_options *options = &job->options;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (!common_folder(&job->common, optarg)) {
				return EXIT_USAGE;
			}
			break;
		case 's': options->state = optarg; break;
		case 'd': options->dry_run = true; break;
		case 'y': job->yes = true; break;
		case 'w': options->guard.allow_withdrawn = true; break;
		case 'a': options->again = true; break;
		case 'C': options->fetch.cafile = optarg; break;
		case 'j': job->said = job->said == NULL ? json_array() : job->said; break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		case '?':
		case ':': return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		default:
			if (!read_value(options, option)) {
				return usage(argv[0], "a number, a percentage or a day is wanted, not ", optarg);
			}
		}
	}
	return -1;
}

/* On a terminal, how far it is; overwritten by what follows. */
static void show_progress(void *context, const char *url, size_t bytes)
{
	bool *shown = context;

	fprintf(stderr, "\r\033[K%.60s: %zu KiB", url, bytes / 1024);
	*shown = true;
}

static void end_progress(bool *shown)
{
	if (*shown) {
		fputs("\r\033[K", stderr);
		*shown = false;
	}
}

static void print_problems(const struct problems *problems, const char *service, const char *mark)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		char line[1024];
		size_t length = problem_format(problem, line, sizeof line);

		fprintf(stderr, "%s: %s", service, mark);
		print_plain(stderr, (struct text){line, length});
		fputc('\n', stderr);
	}
	if (problems->omitted > 0) {
		fprintf(stderr, "%s: %sand %zu more\n", service, mark, problems->omitted);
	}
}

static json_t *problems_json(const struct problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		char line[1024];

		problem_format(&problems->list[i], line, sizeof line);
		(void)json_array_append_new(list, json_string(line));
	}
	return list;
}

static void tell_text(const char *service, const struct update *update)
{
	print_problems(&update->notes, service, "note: ");
	if (update->status != UPDATE_SAME) {
		print_problems(&update->told, service, "note: ");
	}
	for (size_t i = 0; i < update->pendings; i++) {
		const struct announced *announced = &update->pending[i];

		printf("%s: announced: %s is %s on %s\n", service, announced->rule, announced->add ? "added" : "removed",
		    announced->date);
	}
	for (size_t i = 0; i < update->parts && update->status != UPDATE_SAME; i++) {
		printf("%s%s%s:\n", colour(BOLD), update->part[i].base, colour(PLAIN));
		print_diff(&update->part[i].diff, true);
	}
	print_problems(&update->reasons, service, "");
}

static void tell_json(struct job *job, const char *service, const char *file, const struct update *update, const char *done)
{
	json_t *parts = json_array(), *pending = json_array();

	for (size_t i = 0; i < update->parts; i++) {
		(void)json_array_append_new(parts, json_pack("{s:s, s:o}", "file", update->part[i].base, "diff",
		    diff_json(&update->part[i].diff)));
	}
	for (size_t i = 0; i < update->pendings; i++) {
		const struct announced *announced = &update->pending[i];

		(void)json_array_append_new(pending, json_pack("{s:s, s:s, s:s}", "day", announced->date, "change",
		    announced->add ? "add" : "remove", "rule", announced->rule));
	}
	(void)json_array_append_new(job->said, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "service", service, "file", file,
	    "status", update_status_name(update->status), "done", done, "reasons", problems_json(&update->reasons), "notes",
	    problems_json(&update->notes), "pending", pending, "files", parts));
}

static bool ask(const char *service)
{
	char answer[16];

	printf("%s: install this? [y/N] ", service);
	fflush(stdout);
	return fgets(answer, sizeof answer, stdin) != NULL && (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}

/* What is to be done with it, in one word for scripts; NULL: it is to be installed. */
static const char *decide_update(const struct job *job, const char *service, const struct update *update)
{
	bool renewed = update->status == UPDATE_RENEWED;

	if (update->status == UPDATE_REFUSED || update->status == UPDATE_FAILED || update->status == UPDATE_HELD ||
	    update->status == UPDATE_SAME) {
		return "nothing";
	}
	if (job->options.dry_run) {
		return "dry-run";
	}
	if (renewed || job->yes) {
		return NULL;
	}
	if (job->said == NULL && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		return ask(service) ? NULL : "declined";
	}
	return "unasked";
}

static const char *explain(const struct update *update, const char *done)
{
	if (strcmp(done, "installed") == 0) {
		return update->status == UPDATE_RENEWED ? "the same entries, confirmed" : "installed; `meetingctl rollback` undoes it";
	}
	if (strcmp(done, "dry-run") == 0) {
		return "would be installed";
	}
	if (strcmp(done, "declined") == 0) {
		return "not installed";
	}
	if (strcmp(done, "unasked") == 0) {
		return "not installed: there is no terminal to ask on (--yes installs without asking)";
	}
	switch (update->status) {
	case UPDATE_SAME: return "nothing has changed";
	case UPDATE_HELD: return "left alone: this was rolled back, and hasn't changed since (--again takes it)";
	case UPDATE_FAILED: return "not fetched; what was in force stays";
	default: return "refused; what was in force stays";
	}
}

/* Returns whether all went well. */
static bool update_one(struct job *job, struct updater *updater, size_t index)
{
	const char *service = updater_service(updater, index), *file = updater_file(updater, index), *done = "nothing";
	struct update update;
	struct refusal why;
	bool fine = update_make(updater, index, &update, &why);

	if (job->options.fetch.context != NULL) {
		end_progress(job->options.fetch.context);
	}
	if (fine) {
		if (job->said == NULL) {
			tell_text(service, &update);
		}
		done = decide_update(job, service, &update);
		if (done == NULL) {
			fine = update_install(updater, index, &update, &why);
			done = fine ? "installed" : "failed";
		}
	}
	if (!fine) {
		fprintf(stderr, "%s: not installed: %s\n", service, why.reason);
	}
	if (job->said != NULL) {
		tell_json(job, service, file, &update, done);
	} else if (fine) {
		printf("%s: %s\n", service, explain(&update, done));
	}
	fine = fine && update.status != UPDATE_REFUSED && update.status != UPDATE_FAILED && strcmp(done, "declined") != 0 &&
	    strcmp(done, "unasked") != 0;
	update_free(&update);
	return fine;
}

static bool is_wanted(const char *service, char **wanted, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(service, wanted[i]) == 0) {
			return true;
		}
	}
	return count == 0;
}

/* Tells which of the services wanted have no feed. */
static bool all_known(struct updater *updater, char **wanted, int count)
{
	bool all = true;

	for (int i = 0; i < count; i++) {
		bool known = false;

		for (size_t j = 0; j < updater_count(updater); j++) {
			known = known || strcmp(updater_service(updater, j), wanted[i]) == 0;
		}
		if (!known) {
			fprintf(stderr, "%s: no service file with a feed line is about it\n", wanted[i]);
			all = false;
		}
	}
	return all;
}

static int update_all(struct job *job, char **wanted, int count)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct refusal why;
	struct updater *updater = updater_open(&job->options, &problems, &why);
	bool fine = problems.count == 0;

	print_problems(&problems, "update", "");
	problems_free(&problems);
	if (updater == NULL) {
		fprintf(stderr, "meetingctl update: %s\n", why.reason);
		return EXIT_NO;
	}
	fine = all_known(updater, wanted, count) && fine;
	for (size_t i = 0; i < updater_count(updater); i++) {
		const char *service = updater_service(updater, i);

		if (!is_wanted(service, wanted, count)) {
			continue;
		}
		if (updater_bundled(updater, i)) {
			fprintf(stderr, "%s: note: comes with a bundle, and isn't fetched by itself\n", service);
		} else {
			fine = update_one(job, updater, i) && fine;
		}
		fflush(stdout);
	}
	if (updater_count(updater) == 0) {
		fputs("meetingctl update: no service file has a feed line\n", stderr);
	}
	updater_close(updater);
	return fine ? EXIT_YES : EXIT_NO;
}

int command_update(int argc, char **argv)
{
	struct job job = {.options = {.state = STATE_DIR, .key = CONFIG_DIR "/bundle.pub", .today = date_today(),
	    .guard = {.growth = 50, .shrink = 25}}};
	bool shown = false;

	if (argc > 1 && strcmp(argv[1], "rollback") == 0) {
		return command_rollback(argc - 1, argv + 1);
	}
	int status = read_options(&job, argc, argv);
	if (status < 0) {
		common_defaults(&job.common);
		job.options.folders = job.common.folder;
		job.options.folder_count = job.common.folders;
		if (isatty(STDERR_FILENO)) {
			job.options.fetch.progress = show_progress;
			job.options.fetch.context = &shown;
		}
		status = update_all(&job, argv + optind, argc - optind);
	}
	if (job.said != NULL) {
		print_json(job.said);
	}
	return status;
}
