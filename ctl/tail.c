/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl tail: records as they come, one readable line each. */
#include <config.h>

#include "ctl/ctl.h"
#include "records/records.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "Usage: meetingctl tail [-n NUMBER] [--json] [--no-follow] [--journal=FILE]...\n"
    "Shows the last records of each journal and then those that come, also when the journal is rotated.\n"
    "\n"
    "  -n NUMBER         how many of the last ones to begin with (10)\n"
    "  --json            the lines as they are\n"
    "  --no-follow       end after the last ones\n"
    "  --journal=FILE    what srv_meeting and Squid wrote (" LOG_DIR "/decisions.jsonl and denied.jsonl)\n"
    "\n"
    "Example: meetingctl tail -n 100 | grep denied\n";

enum { JOURNALS = 16, BLOCK = 64 * 1024, LONGEST = 1024 * 1024, LOOK_MS = 1000, MOST_LAST = 100000 };

/* A journal that is followed. */
struct followed {
	const char *path;
	int fd; /* -1: there is no file yet */
	dev_t device;
	ino_t inode;
	off_t offset;
	char *rest; /* of a line that isn't whole yet */
	size_t rest_length, rest_room;
	bool too_long; /* the line goes on, and is passed over */
};

struct tail_wish {
	struct followed journal[JOURNALS];
	size_t journals;
	unsigned long last;
	bool json, follow;
	struct record_line line; /* large */
};

static volatile sig_atomic_t ended;

static void end(int signal_number)
{
	(void)signal_number;
	ended = 1;
}

/* ---- A line ---- */

static void print_word(const char *before, struct text text)
{
	if (text.at != NULL) {
		fputs(before, stdout);
		print_plain(stdout, text);
	}
}

static const char *verdict_colour(enum record_verdict verdict)
{
	switch (verdict) {
	case RECORD_BYPASS: return colour(GREEN);
	case RECORD_DENIED: return colour(RED);
	default: return colour(verdict == RECORD_SHADOW ? BOLD : DIM);
	}
}

static void print_record(const struct record *record)
{
	char when[TIME_TEXT_SIZE];

	(void)time_format(record->time, TIME_SECOND, when);
	printf("%.19s  %s%-6s%s", when, verdict_colour(record->verdict), record_verdict_name(record->verdict), colour(PLAIN));
	print_word("  ", record->client.at == NULL ? text_of("-") : record->client);
	print_word(" (", record->user);
	fputs(record->user.at == NULL ? " -> " : ") -> ", stdout);
	if (record->dst.at != NULL) {
		print_plain(stdout, record->dst);
		print_word(" ", record->sni.at == NULL ? record->host : record->sni);
	} else {
		print_plain(stdout, record->host.at == NULL ? text_of("-") : record->host);
		if (record->port != 0) {
			printf(":%u", (unsigned)record->port);
		}
	}
	print_word("  ", record->service);
	print_word("  would be ", record->would);
	print_word(" by ", record->rule);
	fputs(record->stale ? " (stale)" : "", stdout);
	fputs(record->disagrees ? " (the module disagrees)" : "", stdout);
	print_word("  ", record->reason);
	fputc('\n', stdout);
}

static void print_line(struct tail_wish *wish, const char *text, size_t length)
{
	char why[RECORD_WHY_SIZE];

	/* Blank lines are where the journal was mended. */
	if (strspn(text, " \t\r\n") >= length || !record_parse(text, length, &wish->line, why)) {
		return;
	}
	if (wish->json && !wish->line.passed_over) {
		fwrite(text, 1, length, stdout);
		fputc('\n', stdout);
	} else if (!wish->line.passed_over) {
		print_record(&wish->line.record);
	}
	record_line_free(&wish->line);
}

/* ---- A file ---- */

static bool keep_rest(struct followed *journal, const char *bytes, size_t length)
{
	if (journal->rest_length + length > LONGEST) {
		journal->rest_length = 0;
		journal->too_long = true;
		return true;
	}
	if (journal->rest_length + length > journal->rest_room) {
		char *more = realloc(journal->rest, journal->rest_length + length);

		if (more == NULL) {
			return false;
		}
		journal->rest = more;
		journal->rest_room = journal->rest_length + length;
	}
	memcpy(journal->rest + journal->rest_length, bytes, length);
	journal->rest_length += length;
	return true;
}

/* Prints the whole lines of a block, and keeps the rest. */
static bool take_block(struct tail_wish *wish, struct followed *journal, const char *block, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(block, '\n', length);
		size_t line = newline == NULL ? length : (size_t)(newline - block) + 1;

		if (!journal->too_long && !keep_rest(journal, block, line)) {
			return false;
		}
		if (newline != NULL) {
			if (!journal->too_long) {
				print_line(wish, journal->rest, journal->rest_length - 1);
			}
			journal->too_long = false;
			journal->rest_length = 0;
		}
		block += line;
		length -= line;
	}
	return true;
}

static bool read_on(struct tail_wish *wish, struct followed *journal)
{
	static char block[BLOCK];
	struct stat status;
	ssize_t got;

	if (journal->fd < 0) {
		return true;
	}
	if (fstat(journal->fd, &status) == 0 && status.st_size < journal->offset) {
		journal->offset = 0; /* truncated */
		journal->rest_length = 0;
	}
	while (!ended && (got = pread(journal->fd, block, sizeof block, journal->offset)) > 0) {
		journal->offset += got;
		if (!take_block(wish, journal, block, (size_t)got)) {
			fputs("meetingctl tail: out of memory\n", stderr);
			return false;
		}
	}
	return !ferror(stdout);
}

/* Where the last lines begin. */
static off_t find_last(int fd, unsigned long lines)
{
	static char block[BLOCK];
	struct stat status;
	off_t at;

	if (fstat(fd, &status) != 0) {
		return 0;
	}
	at = status.st_size;
	if (lines == 0) {
		return at;
	}
	for (bool last_byte = true; at > 0;) {
		off_t from = at > BLOCK ? at - BLOCK : 0;
		ssize_t got = pread(fd, block, (size_t)(at - from), from);

		if (got != at - from) {
			return 0;
		}
		while (got-- > 0) {
			/* The newline at the very end is the last line's own. */
			if (block[got] == '\n' && !last_byte && lines-- == 1) {
				return from + got + 1;
			}
			last_byte = false;
		}
		at = from;
	}
	return 0;
}

/* Lets go of a file that has another name now, when all of it was read, and opens the one that has its name. */
static bool follow(struct tail_wish *wish, struct followed *journal)
{
	struct stat status;

	if (!read_on(wish, journal)) {
		return false;
	}
	if (journal->fd >= 0 && stat(journal->path, &status) == 0 && status.st_dev == journal->device &&
	    status.st_ino == journal->inode) {
		return true;
	}
	/* What came between the reading and the look. */
	if (!read_on(wish, journal)) {
		return false;
	}
	int fd = open(journal->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return true;
	}
	if (journal->fd >= 0) {
		close(journal->fd);
	}
	journal->fd = fd;
	journal->offset = 0;
	journal->rest_length = 0;
	if (fstat(fd, &status) == 0) {
		journal->device = status.st_dev;
		journal->inode = status.st_ino;
	}
	return read_on(wish, journal);
}

/* ---- Waiting ---- */

static int watch(const struct tail_wish *wish)
{
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	for (size_t i = 0; notify >= 0 && i < wish->journals; i++) {
		const char *path = wish->journal[i].path, *slash = strrchr(path, '/');
		char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

		if (folder != NULL) {
			(void)inotify_add_watch(notify, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
		}
		free(folder);
	}
	return notify;
}

/* Until something changes, somebody stops reading, or it is time to look anyway. */
static void wait_for_news(int notify)
{
	char events[4096];
	struct pollfd fds[] = {{.fd = notify, .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};

	if (poll(fds, 2, LOOK_MS) > 0 && (fds[1].revents & (POLLERR | POLLHUP)) != 0) {
		ended = 1;
	}
	while (notify >= 0 && read(notify, events, sizeof events) > 0) {
	}
}

static bool run(struct tail_wish *wish)
{
	int notify = wish->follow ? watch(wish) : -1;
	bool good = true;

	for (size_t i = 0; i < wish->journals; i++) {
		struct followed *journal = &wish->journal[i];

		good = follow(wish, journal) && good;
	}
	good = good && fflush(stdout) == 0;
	while (good && wish->follow && !ended) {
		wait_for_news(notify);
		for (size_t i = 0; good && i < wish->journals; i++) {
			good = follow(wish, &wish->journal[i]);
		}
		good = fflush(stdout) == 0 && good;
	}
	if (notify >= 0) {
		close(notify);
	}
	return good;
}

/* Opens what is there, at its last lines. */
static bool begin(struct tail_wish *wish)
{
	bool any = false;

	for (size_t i = 0; i < wish->journals; i++) {
		struct followed *journal = &wish->journal[i];
		struct stat status;

		journal->fd = open(journal->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (journal->fd < 0) {
			if (errno != ENOENT || wish->journals != DEFAULT_JOURNALS) {
				fprintf(stderr, "meetingctl tail: %s: %s\n", journal->path, strerror(errno));
			}
			continue;
		}
		any = true;
		if (fstat(journal->fd, &status) == 0) {
			journal->device = status.st_dev;
			journal->inode = status.st_ino;
		}
		journal->offset = find_last(journal->fd, wish->last);
	}
	if (!any && wish->follow) {
		fputs("meetingctl tail: there is no journal yet; waiting for one\n", stderr);
	}
	return any || wish->follow;
}

static int read_options(struct tail_wish *wish, int argc, char **argv)
{
	static const struct option known[] = {{"journal", required_argument, NULL, 'J'}, {"json", no_argument, NULL, 'j'},
		{"no-follow", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	char *rest;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":n:", known, NULL)) != -1) {
		switch (option) {
		case 'J':
			if (wish->journals == JOURNALS) {
				return usage(argv[0], "too many journals: ", optarg);
			}
			wish->journal[wish->journals++].path = optarg;
			break;
		case 'n':
			wish->last = strtoul(optarg, &rest, 10);
			if (optarg[0] < '0' || optarg[0] > '9' || *rest != '\0' || wish->last > MOST_LAST) {
				return usage(argv[0], "-n takes a number up to 100000, not ", optarg);
			}
			break;
		case 'j': wish->json = true; break;
		case 'f': wish->follow = false; break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	if (argv[optind] != NULL) {
		return usage(argv[0], "takes no arguments: ", argv[optind]);
	}
	for (size_t i = 0; wish->journals == 0 && i < DEFAULT_JOURNALS; i++) {
		wish->journal[i].path = default_journals[i];
	}
	wish->journals = wish->journals == 0 ? DEFAULT_JOURNALS : wish->journals;
	return -1;
}

static bool reader_is_gone(void)
{
	struct pollfd fd = {.fd = STDOUT_FILENO, .events = 0};

	return poll(&fd, 1, 0) > 0 && (fd.revents & POLLERR) != 0;
}

int command_tail(int argc, char **argv)
{
	static struct tail_wish wish = {.last = 10, .follow = true};
	struct sigaction action = {.sa_handler = end};
	int status = read_options(&wish, argc, argv);

	if (status >= 0) {
		return status;
	}
	/* No SA_RESTART: a wait is to end. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	bool good = begin(&wish) && run(&wish);
	if (ferror(stdout) && reader_is_gone()) {
		/* Who read has seen enough, and what is left is for nobody. */
		good = freopen("/dev/null", "we", stdout) != NULL;
	}
	for (size_t i = 0; i < wish.journals; i++) {
		if (wish.journal[i].fd >= 0) {
			close(wish.journal[i].fd);
		}
		free(wish.journal[i].rest);
	}
	return good ? EXIT_YES : EXIT_NO;
}
