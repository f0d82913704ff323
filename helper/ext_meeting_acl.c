/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ext_meeting_acl: Squid's external_acl helper that knows the meeting services. */
#include <config.h>

#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COMPLAINTS = 10, COMPLAINT_SECONDS = 10, PROBLEMS_SHOWN = 20 };

void complain(const char *complaint)
{
	static struct timespec since;
	static unsigned said;
	static uint64_t unsaid;
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec - since.tv_sec >= COMPLAINT_SECONDS) {
		if (unsaid > 0) {
			fprintf(stderr, "ext_meeting_acl: %" PRIu64 " more complaints were left out\n", unsaid);
		}
		since = now;
		said = 0;
		unsaid = 0;
	}
	if (said == COMPLAINTS) {
		unsaid++;
		return;
	}
	said++;
	flockfile(stderr); /* the thread that watches the folders writes there, too */
	fputs("ext_meeting_acl: ", stderr);
	for (; *complaint != '\0'; complaint++) { /* it may quote what a client sent */
		fputc((unsigned char)*complaint < 0x20 || (unsigned char)*complaint > 0x7e ? '?' : *complaint, stderr);
	}
	fputc('\n', stderr);
	funlockfile(stderr);
}

static void tell_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count && i < PROBLEMS_SHOWN; i++) {
		char text[1024];

		problem_format(&problems->list[i], text, sizeof text);
		fprintf(stderr, "ext_meeting_acl: %s\n", text);
	}
	if (problems->count > PROBLEMS_SHOWN) {
		fprintf(stderr, "ext_meeting_acl: and %zu more; `meetingctl check` tells all\n",
		    problems->count - PROBLEMS_SHOWN + problems->omitted);
	}
}

static void tell_counts(const char *what, const struct category *category)
{
	struct category_counts counts;

	category_count(category, &counts);
	fprintf(stderr, "ext_meeting_acl %s: %zu services with %zu address ranges and %zu names, %zu client ranges", what,
	    counts.services, counts.addresses, counts.names, counts.clients);
	if (counts.refused_files > 0) {
		fprintf(stderr, ", %zu FILES REFUSED", counts.refused_files);
	}
}

/* What the thread that watches the folders has to tell; live_tell. */
static void tell_live(void *context, enum live_event event, const struct category *category, const struct problems *problems)
{
	(void)context;
	flockfile(stderr);
	if (event == LIVE_LOADED) {
		tell_problems(problems);
		tell_counts("reloaded", category);
		fputc('\n', stderr);
	}
	for (size_t i = 0; event == LIVE_EXPIRED && i < category_sources(category); i++) {
		struct source_view source;

		category_source(category, i, date_today(), &source);
		if (source.expired) {
			fprintf(stderr, "ext_meeting_acl: %s: the entries from %s have expired on %s\n", source.service, source.source,
			    source.expires);
		}
	}
	funlockfile(stderr);
}

static void tell_start(const struct options *options, const struct category *category)
{
	static const char *const names[] = {"verify", "trust", "ignore"};

	flockfile(stderr);
	tell_counts(PACKAGE_VERSION, category);
	fprintf(stderr, "; mode %s, names %s%s; from", options->policy.mode == MODE_INTERCEPT ? "intercept" : "explicit",
	    names[options->policy.names], options->shadow ? ", shadow" : "");
	for (size_t i = 0; i < options->folders; i++) {
		fprintf(stderr, " %s", options->folder[i]);
	}
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* A wrong option is told at once to a person. To Squid, a helper that ends is one that takes Squid down with it, so there
 * every question is answered ERR, with what is wrong, until Squid is reconfigured. */
static int tell_usage(const struct options *options)
{
	fprintf(stderr, "ext_meeting_acl: %s (see --help)\n", options->wrong);
	return isatty(STDIN_FILENO) ? 2 : 0;
}

/* A standard stream that is closed would give its number to the next file that is opened, and get its output. Where there
 * is no /dev/null, as in a chroot, they are open anyway: Squid opens them. */
static void open_standard_streams(void)
{
	int number;

	do {
		number = open("/dev/null", O_RDWR);
	} while (number >= 0 && number <= STDERR_FILENO);
	if (number >= 0) {
		close(number);
	}
}

static struct live *reload_by_signal;

static void on_hangup(int number)
{
	(void)number;
	live_reload(reload_by_signal);
}

int main(int argc, char **argv)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct sigaction hangup = {.sa_handler = on_hangup};
	struct options options;
	struct category *category;

	open_standard_streams();
	options_read(&options, argc, argv);
	if (options.help || options.version) {
		if (options.help) {
			options_help(stdout);
		} else {
			puts("ext_meeting_acl " PACKAGE_VERSION);
		}
		return fflush(stdout) == 0 ? 0 : 1;
	}
	if (options.wrong[0] != '\0' && tell_usage(&options) != 0) {
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stderr, NULL, _IOLBF, 0); /* whole lines into cache.log */
	category = category_load(options.folder, options.folders, NULL, &problems);
	if (category == NULL) {
		fputs("ext_meeting_acl: out of memory\n", stderr);
		return 1;
	}
	tell_problems(&problems);
	problems_free(&problems);
	flockfile(stderr); /* the first line is ours, and the folders are watched when it is read */
	reload_by_signal = live_open(category, options.folder, options.folders, tell_live, NULL);
	if (reload_by_signal == NULL) {
		fputs("ext_meeting_acl: out of memory\n", stderr);
		return 1;
	}
	(void)sigaction(SIGHUP, &hangup, NULL);
	if (options.wrong[0] == '\0') {
		const struct category *loaded = live_take(reload_by_signal);

		tell_start(&options, loaded);
		live_release(reload_by_signal, loaded);
	}
	funlockfile(stderr);
	int error = stream_serve(&options, reload_by_signal, STDIN_FILENO, STDOUT_FILENO);
	(void)signal(SIGHUP, SIG_IGN);
	live_close(reload_by_signal);
	if (error != 0 && error != EPIPE && error != ECONNRESET) { /* those two: Squid has ended */
		fprintf(stderr, "ext_meeting_acl: %s\n", strerror(error));
		return 1;
	}
	return options.wrong[0] != '\0' ? 2 : 0;
}
