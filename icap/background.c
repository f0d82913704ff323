/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journals are read into the store by a thread of one of c-icap's processes.
 *
 * Each process has the thread, and one of them has the lock beside the store; when it ends, the kernel gives the lock to
 * the next one that asks. No request ever waits for it: it has a lower priority, and shares no lock with them but for the
 * time of copying a few numbers. */
#include <config.h>

#include "icap/background.h"

#include "records/records.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	INTERVAL_MS = 1000,
	FORGET_MS = 10 * 60 * 1000,
	NEWS_MS = 60 * 1000, /* between two sentences about troubles */
	STOP_SECONDS = 2,
	NICE = 10
};

struct background {
	struct background_options options;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	atomic_bool ended;
	int lock; /* -1: not ours */
	struct ingest_state state;
	int64_t size; /* of the journals, when all of them was read */
	int64_t forgot_at, told_at;
	uint64_t not_told;
	char trouble[STORE_WHY_SIZE + 512];
};

/* ---- News ---- */

/* The first one, and then one a minute, with how many there were in between. */
static void tell(struct background *background, const char *text)
{
	int64_t now = clock_monotonic();
	char more[sizeof background->trouble + 64];

	if (background->told_at != 0 && now - background->told_at < NEWS_MS) {
		background->not_told++;
		return;
	}
	snprintf(more, sizeof more, "%s", text);
	if (background->not_told > 0)
		snprintf(more, sizeof more, "%s (and %llu more since the last such line)", text,
		    (unsigned long long)background->not_told);
	background->not_told = 0;
	background->told_at = now;
	background->options.tell(more);
}

static void tell_news(void *context, enum ingest_news news, const char *file, int64_t offset, const char *text)
{
	struct background *background = context;
	char sentence[sizeof background->trouble];

	/* Before the first record, and where Squid keeps no file of refusals. */
	if (news == INGEST_UNREADABLE && access(file, F_OK) != 0 && errno == ENOENT)
		return;
	if (news == INGEST_MALFORMED)
		snprintf(sentence, sizeof sentence, "%s, at byte %lld: not a record: %s", file, (long long)offset, text);
	else
		snprintf(sentence, sizeof sentence, "%s%s%s", file != NULL ? file : "", file != NULL ? ": " : "", text);
	tell(background, sentence);
}

/* ---- The work ---- */

static bool must_stop(void *context)
{
	struct background *background = context;

	return atomic_load(&background->ended);
}

/* Whether the lock is still that of all: somebody may have removed its file. */
static bool is_locked(struct background *background, const char *path)
{
	struct stat ours, theirs;

	if (background->lock < 0)
		return false;
	if (fstat(background->lock, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	    ours.st_ino == theirs.st_ino)
		return true;
	close(background->lock);
	background->lock = -1;
	return false;
}

/* Whether this process is the one that does it. */
static bool is_ours(struct background *background)
{
	char path[4096];
	mode_t mask;

	if ((size_t)snprintf(path, sizeof path, "%s.ingest", strchr(background->options.store, ':') + 1) >= sizeof path)
		return false;
	if (is_locked(background, path))
		return true;
	mask = umask(027);
	background->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	umask(mask);
	if (background->lock < 0) {
		snprintf(background->trouble, sizeof background->trouble, "%.2000s: %s; no store is filled", path, strerror(errno));
		tell(background, background->trouble);
		return false;
	}
	if (flock(background->lock, LOCK_EX | LOCK_NB) == 0) {
		/* What another process has counted goes on. */
		if (background->options.shared != NULL)
			background->state = shared_ingest(background->options.shared);
		return true;
	}
	close(background->lock);
	background->lock = -1;
	return false;
}

static void run(struct background *background, bool suspect)
{
	const struct background_options *options = &background->options;
	struct ingest_options ingest_options = { .journals = options->journals, .journal_count = options->journal_count,
		.keep = options->keep, .now = clock_now(), .often = !suspect, .tell = tell_news,
		.stop = must_stop, .context = background };
	struct ingest_counts counts;
	char why[STORE_WHY_SIZE];
	bool good;

	good = ingest(options->store, &ingest_options, &counts, why);
	background->state.records += counts.records;
	background->state.malformed += counts.malformed;
	background->state.failures += !good;
	if (good) {
		background->state.last = clock_now();
		background->state.bytes = background->size = counts.bytes;
		background->forgot_at = clock_monotonic();
	} else {
		snprintf(background->trouble, sizeof background->trouble, "%s; the journal goes on, and is read later", why);
		tell(background, background->trouble);
	}
	if (options->shared != NULL)
		shared_set_ingest(options->shared, &background->state);
}

static void look(struct background *background)
{
	const struct background_options *options = &background->options;
	bool suspect;

	if (!is_ours(background))
		return;
	suspect = options->shared != NULL && shared_is_suspect(options->shared);
	if (suspect || background->forgot_at == 0 || clock_monotonic() - background->forgot_at > FORGET_MS ||
	    journals_size(options->journals, options->journal_count) != background->size ||
	    access(strchr(options->store, ':') + 1, F_OK) != 0)
		run(background, suspect);
	options->rest();
}

static void *work(void *context)
{
	struct background *background = context;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	pthread_mutex_lock(&background->mutex);
	while (!atomic_load(&background->ended)) {
		struct timespec next;

		pthread_mutex_unlock(&background->mutex);
		look(background);
		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec += INTERVAL_MS / 1000;
		pthread_mutex_lock(&background->mutex);
		if (!atomic_load(&background->ended))
			pthread_cond_clockwait(&background->wake, &background->mutex, CLOCK_MONOTONIC, &next);
	}
	pthread_mutex_unlock(&background->mutex);
	return NULL;
}

/* ---- Start and end ---- */

struct background *background_start(const struct background_options *options)
{
	struct background *background = calloc(1, sizeof *background);
	sigset_t all, before;
	bool started;

	if (background == NULL)
		return NULL;
	background->options = *options;
	background->lock = -1;
	background->size = -1;
	pthread_mutex_init(&background->mutex, NULL);
	pthread_cond_init(&background->wake, NULL);
	/* Signals are for c-icap's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	started = pthread_create(&background->thread, NULL, work, background) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		return background;
	free(background);
	return NULL;
}

void background_stop(struct background *background)
{
	struct timespec until;

	if (background == NULL)
		return;
	pthread_mutex_lock(&background->mutex);
	atomic_store(&background->ended, true);
	pthread_cond_signal(&background->wake);
	pthread_mutex_unlock(&background->mutex);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STOP_SECONDS;
	/* What it was doing is done again later. The thread may still use its memory then. */
	if (pthread_clockjoin_np(background->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return;
	if (background->lock >= 0)
		close(background->lock);
	free(background);
}
