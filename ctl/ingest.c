/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl ingest: from the journals to the store. */
#include <config.h>

#include "ctl/ctl.h"
#include "records/records.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "Usage: meetingctl ingest [--journal=FILE]... [--to=PLACE] [--keep=90d] [--rebuild] [--quiet]\n"
    "Reads what is new in the journals, rotated files beside them included, into the store that reports are made from.\n"
    "Each line is counted exactly once, whatever dies and however many do it at once. To be run from a timer.\n"
    "\n"
    "  --journal=FILE          what srv_meeting and Squid wrote (" LOG_DIR "/decisions.jsonl and denied.jsonl)\n"
    "  --to=PLACE              the store: sqlite:PATH (" STATE_DIR "/decisions.db), or\n"
    "                          clickhouse://[USER@]HOST[:8123]/DATABASE, clickhouses:// for HTTPS; --to may be left out\n"
    "  --keep=90d              forget what is older: a number and s, m, h, d or w\n"
    "  --rebuild               make the store anew from the journals that are still there; to ClickHouse, send them again\n"
    "  --quiet                 tell troubles only\n"
    "\n"
    "Of ClickHouse:\n"
    "  --password-file=FILE    else the password is taken from MEETING_CLICKHOUSE_PASSWORD\n"
    "  --timeout=2m            how long to try again before giving up\n"
    "  --positions=FILE        what keeps how far the journals were sent (" STATE_DIR "/sent-HOST-PORT-DATABASE.db)\n"
    "\n"
    "Example: meetingctl ingest --keep=90d\n"
    "         meetingctl ingest --to=clickhouse://meeting@records.example/meeting --password-file=/etc/squid-meeting/password\n";

enum { JOURNALS = 64, TOLD = 10 };

const char *const default_store = "sqlite:" STATE_DIR "/decisions.db";
const char *const default_journals[DEFAULT_JOURNALS] = {LOG_DIR "/decisions.jsonl", LOG_DIR "/denied.jsonl"};

struct ingest_wish {
	const char *journal[JOURNALS];
	struct clickhouse_options clickhouse; /* its place is the store of any kind */
	const char *password_file;
	struct ingest_options options;
	bool quiet, default_journals;
};

/* What is told on the way. */
struct teller {
	uint64_t malformed;
	bool shows_progress, shown, default_journals;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static bool must_stop(void *context)
{
	(void)context;
	return interrupted != 0;
}

static void clear_progress(struct teller *teller)
{
	if (teller->shown)
		fputs("\r\033[K", stderr);
	teller->shown = false;
}

static void tell(void *context, enum ingest_news news, const char *file, int64_t offset, const char *text)
{
	struct teller *teller = context;

	if (news == INGEST_MALFORMED && teller->malformed++ >= TOLD)
		return;
	/* Who has no file of refusals has nothing to mend. */
	if (news == INGEST_UNREADABLE && teller->default_journals && strcmp(file, default_journals[1]) == 0 &&
	    access(file, F_OK) != 0)
		return;
	clear_progress(teller);
	fputs("meetingctl ingest: ", stderr);
	if (news == INGEST_MALFORMED) {
		fprintf(stderr, "%s, at byte %" PRId64 ": not a record: ", file, offset);
	} else if (file != NULL) {
		fprintf(stderr, "%s: ", file);
	}
	print_plain(stderr, text_of(text));
	fputc('\n', stderr);
}

static void show_progress(void *context, const struct ingest_counts *counts)
{
	static const char full[] = "##############################";
	struct teller *teller = context;
	int part;

	if (!teller->shows_progress || counts->all_bytes <= 0)
		return;
	part = (int)(counts->bytes >= counts->all_bytes ? 100 : counts->bytes * 100 / counts->all_bytes);
	fprintf(stderr, "\r[%-30.*s] %3d %%  %" PRIu64 " records", part * 30 / 100, full, part, counts->records);
	teller->shown = true;
}

static int read_options(struct ingest_wish *wish, int argc, char **argv)
{
	static const struct option known[] = {{"journal", required_argument, NULL, 'j'}, {"to", required_argument, NULL, 't'},
		{"keep", required_argument, NULL, 'k'}, {"rebuild", no_argument, NULL, 'r'}, {"quiet", no_argument, NULL, 'q'},
		{"password-file", required_argument, NULL, 'p'}, {"timeout", required_argument, NULL, 'T'},
		{"positions", required_argument, NULL, 'P'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		switch (option) {
		case 'j':
			if (wish->options.journal_count == JOURNALS) {
				return usage(argv[0], "too many journals: ", optarg);
			}
			wish->journal[wish->options.journal_count++] = optarg;
			break;
		case 't': wish->clickhouse.place = optarg; break;
		case 'p': wish->password_file = optarg; break;
		case 'P': wish->clickhouse.positions = optarg; break;
		case 'T':
			if (!duration_parse(text_of(optarg), &wish->clickhouse.timeout) || wish->clickhouse.timeout == 0) {
				return usage(argv[0], "--timeout takes a number and s, m, h, d or w, not ", optarg);
			}
			break;
		case 'k':
			if (!duration_parse(text_of(optarg), &wish->options.keep) || wish->options.keep == 0) {
				return usage(argv[0], "--keep takes a number and s, m, h, d or w, not ", optarg);
			}
			break;
		case 'r': wish->options.rebuild = true; break;
		case 'q': wish->quiet = true; break;
		case 'h': fputs(help, stdout); return EXIT_YES;
		default: return usage(argv[0], option == ':' ? "a value is missing: " : "unknown option ", argv[optind - 1]);
		}
	}
	if (argv[optind] != NULL && (strncmp(argv[optind], "sqlite:", 7) == 0 || clickhouse_is_place(argv[optind]))) {
		wish->clickhouse.place = argv[optind++];
	}
	if (argv[optind] != NULL) {
		return usage(argv[0], "takes one place at most, sqlite:PATH or clickhouse://HOST/DATABASE: ", argv[optind]);
	}
	if (wish->options.journal_count == 0) {
		memcpy(wish->journal, default_journals, sizeof default_journals);
		wish->options.journal_count = DEFAULT_JOURNALS;
		wish->default_journals = true;
	}
	return -1;
}

static void print_counts(const struct ingest_counts *counts)
{
	printf("%" PRIu64 " new records from %" PRIu64 " files", counts->records, counts->files);
	if (counts->malformed > 0) {
		printf("; lines that are no record: %" PRIu64, counts->malformed);
	}
	if (counts->expired > 0) {
		printf("; too old to be kept: %" PRIu64, counts->expired);
	}
	if (counts->forgotten > 0) {
		printf("; forgotten: %" PRIu64, counts->forgotten);
	}
	putchar('\n');
}

static bool ingest_to_clickhouse(struct ingest_wish *wish, struct ingest_counts *counts, char why[STORE_WHY_SIZE])
{
	struct clickhouse_options clickhouse = wish->clickhouse;
	char *positions = NULL;
	bool good = true;

	if (clickhouse.positions == NULL) {
		positions = clickhouse_positions(clickhouse.place, STATE_DIR, why);
		clickhouse.positions = positions;
		good = positions != NULL;
	}
	good = good && clickhouse_ingest(&clickhouse, &wish->options, counts, why);
	free(positions);
	return good;
}

int command_ingest(int argc, char **argv)
{
	struct ingest_wish wish = {.clickhouse = {.place = default_store, .timeout = INT64_C(2) * 60 * 1000}};
	char password[CTL_PASSWORD_SIZE];
	struct teller teller = {.malformed = 0};
	struct ingest_counts counts;
	char why[STORE_WHY_SIZE];
	int status = read_options(&wish, argc, argv);

	if (status >= 0) {
		return status;
	}
	teller.shows_progress = !wish.quiet && isatty(STDERR_FILENO);
	teller.default_journals = wish.default_journals;
	wish.options.journals = wish.journal;
	wish.clickhouse.cafile = getenv("CURL_CA_BUNDLE");
	wish.options.now = clock_now();
	wish.options.tell = tell;
	wish.options.progress = show_progress;
	wish.options.stop = must_stop;
	wish.options.context = &teller;
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	bool to_clickhouse = clickhouse_is_place(wish.clickhouse.place);
	if (to_clickhouse && !clickhouse_password(argv[0], wish.password_file, password, &wish.clickhouse.password)) {
		return EXIT_NO;
	}
	bool good = to_clickhouse ? ingest_to_clickhouse(&wish, &counts, why) :
	    ingest(wish.clickhouse.place, &wish.options, &counts, why);
	clear_progress(&teller);
	if (teller.malformed > TOLD) {
		fprintf(stderr, "meetingctl ingest: and %" PRIu64 " more lines that are no record\n", teller.malformed - TOLD);
	}
	if (!good) {
		fprintf(stderr, "meetingctl ingest: %s\n", why);
		return EXIT_NO;
	}
	if (!wish.quiet) {
		print_counts(&counts);
	}
	if (interrupted) {
		fputs("meetingctl ingest: interrupted; the rest is for next time\n", stderr);
		return EXIT_NO;
	}
	return EXIT_YES;
}
