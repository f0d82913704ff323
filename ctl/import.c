/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl import: a vendor's list to a service file. */
#include <config.h>

#include "ctl/ctl.h"
#include "feeds/feeds.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: meetingctl import [OPTION]... FORMAT [FILE]\n"
    "Reads a vendor's list (standard input without a FILE), and writes a service file. What can't be taken is told on stderr\n"
    "as FILE:LINE:COLUMN: reason; then the exit status is 1, and the service file says in its first line that it isn't whole.\n"
    "\n"
    "  cidr       blocks, ranges, netmasks and names as text\n"
    "  m365-json  https://endpoints.office.com/endpoints/worldwide\n"
    "  aws-json   https://ip-ranges.amazonaws.com/ip-ranges.json\n"
    "  pasted     blocks that have run together: taken if they can be read in one way only\n"
    "\n"
    "  --service=NAME     the service (teams for m365-json, chime for aws-json; else as FILE is called, or imported)\n"
    "  --title=TEXT       its title\n"
    "  --source=TEXT      where the list is from (the vendor's address, or FILE)\n"
    "  --date=YYYY-MM-DD  of which day it is, if it doesn't tell\n"
    "  --ports=PORTS      of entries to which the list gives none: `tcp 80,443 udp 3478` (any; none for m365-json)\n"
    "  --area=AREA        of m365-json: the service area (Skype)\n"
    "  --exclude-set=LIST of m365-json: sets to leave out: `16,17,27` of Skype hold names of CDNs and of all of Microsoft\n"
    "  --required-only    of m365-json: without what isn't required\n"
    "  --aws-service=NAME of aws-json (CHIME_MEETINGS)\n"
    "  --whole            write nothing if anything was refused\n"
    "  --json             write an object with the service file and all that there is to tell\n"
    "\n"
    "Example: meetingctl import --service=zoom --ports='tcp 443' cidr ZoomMeetings.txt >zoom.service\n";

struct job {
	struct feed_options options;
	struct ports ports;
	enum feed_format format;
	const char *service, *title, *date;
	bool whole, json;
	struct feed_line line; /* for its sets */
	char name[SERVICE_NAME_SIZE]; /* of service, where none was given */
};

static bool check_line(const char *option, const char *text)
{
	struct refusal why;

	if (text == NULL || feed_line_allowed(text, &why)) {
		return true;
	}
	fprintf(stderr, "meetingctl import: %s: %s\n", option, why.reason);
	return false;
}

/* Reads the options. Returns -1, or the exit status to end with. */
static int read_options(struct job *job, int argc, char **argv)
{
	static const struct option known[] = {{"service", required_argument, NULL, 's'}, {"title", required_argument, NULL, 't'},
		{"source", required_argument, NULL, 'o'}, {"date", required_argument, NULL, 'd'},
		{"ports", required_argument, NULL, 'p'}, {"area", required_argument, NULL, 'a'},
		{"aws-service", required_argument, NULL, 'w'}, {"exclude-set", required_argument, NULL, 'x'},
		{"required-only", no_argument, NULL, 'r'},
		{"whole", no_argument, NULL, 'W'}, {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct refusal why;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 's': job->service = optarg; break;
		case 't': job->title = optarg; break;
		case 'o': job->options.source = optarg; break;
		case 'd': job->date = optarg; break;
		case 'a': job->options.area = optarg; break;
		case 'w': job->options.aws_service = optarg; break;
		case 'x':
			if (!feed_sets_parse(text_of(optarg), &job->line, &why)) {
				return usage(argv[0], "--exclude-set: ", why.reason);
			}
			job->options.exclude = job->line.exclude;
			job->options.excludes = job->line.excludes;
			break;
		case 'r': job->options.required_only = true; break;
		case 'W': job->whole = true; break;
		case 'j': job->json = true; break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		case 'p':
			if (!feed_ports_parse(text_of(optarg), &job->ports, &why)) {
				fprintf(stderr, "meetingctl import: --ports: %s\n", why.reason);
				return EXIT_USAGE;
			}
			job->options.ports = &job->ports;
			break;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	return -1;
}

/* "lists/ZoomMeetings.txt" is zoommeetings. */
static void name_by_file(struct job *job, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
	size_t length = strcspn(base, ".");
	char name[SERVICE_NAME_SIZE];
	struct refusal why;

	if (length < sizeof name) {
		for (size_t i = 0; i < length; i++) {
			name[i] = base[i] >= 'A' && base[i] <= 'Z' ? (char)(base[i] + 'a' - 'A') : base[i];
		}
	}
	if (length >= sizeof name || !service_name_parse((struct text){name, length}, job->name, &why)) {
		(void)snprintf(job->name, sizeof job->name, "imported");
	}
	job->service = job->name;
	fprintf(stderr, "meetingctl import: note: the service is called %s here (--service=NAME)\n", job->service);
}

/* Are the values such that a service file can hold them? Returns -1, or EXIT_USAGE. */
static int check_options(struct job *job, int argc, char **argv)
{
	char name[SERVICE_NAME_SIZE];
	struct refusal why;
	int32_t day;

	if (argc - optind < 1 || argc - optind > 2) {
		return usage(argv[0], "a format and at most one file are wanted", "");
	}
	if (!feed_format_parse(argv[optind], &job->format)) {
		return usage(argv[0], "the formats are cidr, m365-json, aws-json and pasted, not ", argv[optind]);
	}
	if (job->service == NULL && job->format == FEED_M365_JSON && job->options.area == NULL) {
		job->service = "teams";
	}
	if (job->service == NULL && job->format == FEED_AWS_JSON && job->options.aws_service == NULL) {
		job->service = "chime";
	}
	if (job->service == NULL) {
		name_by_file(job, argc - optind == 2 ? argv[optind + 1] : "");
	}
	job->options.area = job->options.area == NULL ? "Skype" : job->options.area;
	job->options.aws_service = job->options.aws_service == NULL ? "CHIME_MEETINGS" : job->options.aws_service;
	if (!service_name_parse(text_of(job->service), name, &why)) {
		return usage(argv[0], "--service: ", why.reason);
	}
	if (job->date != NULL && !date_parse(text_of(job->date), &day)) {
		return usage(argv[0], "--date: a day is written 2027-04-01, not ", job->date);
	}
	job->options.file = argc - optind == 2 ? argv[optind + 1] : "standard input";
	if (!check_line("--area", job->options.area) || !check_line("--aws-service", job->options.aws_service) ||
	    !check_line("--title", job->title) || !check_line("--source", job->options.source) ||
	    (job->options.source == NULL && !check_line("the file's name, without --source", job->options.file))) {
		return EXIT_USAGE;
	}
	return -1;
}

/* Reads the whole file, a byte more than a reader takes at most. NULL, and told, if it can't be read. */
static char *read_all(const char *path, size_t *length)
{
	FILE *file = path == NULL ? stdin : fopen(path, "re");
	size_t room = 65536, got = 1;
	char *bytes = file == NULL ? NULL : malloc(room);

	*length = 0;
	while (bytes != NULL && got > 0 && *length <= FEED_LENGTH) {
		if (*length == room) {
			char *more = realloc(bytes, room * 2);

			if (more == NULL) {
				break;
			}
			bytes = more;
			room *= 2;
		}
		got = fread(bytes + *length, 1, room - *length, file);
		*length += got;
	}
	if (bytes == NULL || ferror(file) || (got > 0 && *length <= FEED_LENGTH)) {
		fprintf(stderr, "meetingctl import: %s: %s\n", path == NULL ? "standard input" : path, strerror(errno));
		free(bytes);
		bytes = NULL;
	}
	if (file != NULL && path != NULL) {
		fclose(file);
	}
	return bytes;
}

static void print_problems(const struct problems *problems, const char *mark)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		fprintf(stderr, "%s:", problem->file);
		if (problem->line > 0) {
			fprintf(stderr, "%u:%u:", problem->line, problem->column);
		}
		fprintf(stderr, " %s%s\n", mark, problem->reason);
	}
	if (problems->omitted > 0) {
		fprintf(stderr, "%sand %zu more\n", mark, problems->omitted);
	}
}

static json_t *problems_json(const struct problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		(void)json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s}", "file", problem->file, "line",
		    (int)problem->line, "column", (int)problem->column, "reason", problem->reason));
	}
	return list;
}

/* Returns the exit status. */
static int write_feed(const struct job *job, const struct feed *feed)
{
	size_t refused = feed->refused.count + feed->refused.omitted;
	bool written = feed->entries > 0 && (refused == 0 || !job->whole);
	char *text = feed_service_file(feed, job->service, job->title, job->date);

	if (text == NULL) {
		fputs("meetingctl import: out of memory\n", stderr);
		return EXIT_NO;
	}
	if (job->json) {
		json_t *said = json_pack("{s:s, s:I, s:I, s:o, s:o, s:s?}", "service", job->service, "entries",
		    (json_int_t)feed->entries, "refused_count", (json_int_t)refused, "refused", problems_json(&feed->refused), "told",
		    problems_json(&feed->told), "file", written ? text : NULL);

		print_json(said);
	} else {
		print_problems(&feed->told, "note: ");
		print_problems(&feed->refused, "");
		if (refused > 0) {
			fprintf(stderr, "meetingctl import: %zu of the list refused, %zu taken; %s\n", refused, feed->entries,
			    written ? "the service file isn't whole" : "nothing is written");
		}
		if (written) {
			if (refused > 0) {
				printf("# Not whole: %zu of the list were refused.\n", refused);
			}
			fputs(text, stdout);
		}
	}
	free(text);
	return refused > 0 ? EXIT_NO : EXIT_YES;
}

int command_import(int argc, char **argv)
{
	struct job job = {.options = {.file = NULL}};
	struct feed feed;
	size_t length;
	int status = read_options(&job, argc, argv);

	if (status < 0) {
		status = check_options(&job, argc, argv);
	}
	if (status >= 0) {
		return status;
	}
	char *bytes = read_all(argc - optind == 2 ? argv[optind + 1] : NULL, &length);
	if (bytes == NULL) {
		return EXIT_NO;
	}
	if (feed_read(job.format, bytes, length, &job.options, &feed)) {
		status = write_feed(&job, &feed);
	} else {
		fputs("meetingctl import: out of memory\n", stderr);
		status = EXIT_NO;
	}
	feed_free(&feed);
	free(bytes);
	return status;
}
