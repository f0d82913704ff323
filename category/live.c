/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The category in force: folders are watched, the new category is built aside in a thread, and swapped in.
 *
 * inotify tells of changes. A burst is let settle, and a file that is open for writing is waited for, so that half a file
 * is not taken for a whole one. For a folder that isn't there its nearest parent is watched. What inotify can't tell (the
 * target of a link, a parent that is moved, a network folder) is noticed by looking once in a while. */
#include <config.h>

#include "category/internal.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	SETTLE_MS = 100,   /* quiet for so long: a burst is over */
	WRITER_MS = 5000,  /* a writer that does nothing for so long isn't waited for */
	LONGEST_MS = 10000, /* nor is a burst without end */
	LOOK_MS = 10000,
	BUILD_NICE = 5,
	WRITERS = 64,
	HOLDERS = 64
};

/* One category and how many use it. */
struct held {
	struct category *category;
	unsigned users;
};

struct live {
	const char *const *folders;
	size_t folder_count;
	live_tell *tell;
	void *context;
	pthread_t thread;
	pthread_mutex_t mutex;      /* of held and current */
	struct held held[HOLDERS];  /* those in force and those still in use */
	size_t current;
	int notify, wake;           /* inotify and an eventfd; -1: there was none to be had, so looking has to do */
	bool started;
	atomic_bool stop;
	struct {
		int folder;         /* its watch; -1: it isn't there */
		int parent;         /* that of its nearest parent, until it is there; -1: none */
		const char *next;   /* what has to appear in the parent, in the folder's path */
	} *watch;                   /* of each folder */
	int32_t told_day;           /* of the last LIVE_EXPIRED */
};

const struct category *live_take(struct live *live)
{
	const struct category *category;

	(void)pthread_mutex_lock(&live->mutex);
	live->held[live->current].users++;
	category = live->held[live->current].category;
	(void)pthread_mutex_unlock(&live->mutex);
	return category;
}

void live_release(struct live *live, const struct category *category)
{
	struct category *last = NULL;

	(void)pthread_mutex_lock(&live->mutex);
	for (size_t i = 0; i < HOLDERS; i++) {
		if (live->held[i].category == category) {
			live->held[i].users--;
			if (live->held[i].users == 0 && i != live->current) {
				last = live->held[i].category;
				live->held[i].category = NULL;
			}
			break;
		}
	}
	(void)pthread_mutex_unlock(&live->mutex);
	category_free(last);
}

/* Puts a new category in force. Returns false if too many old ones are still in use. */
static bool swap_in(struct live *live, struct category *category)
{
	struct category *old = NULL;
	bool fine = false;

	(void)pthread_mutex_lock(&live->mutex);
	for (size_t i = 0; i < HOLDERS && !fine; i++) {
		if (live->held[i].category == NULL) {
			struct held *before = &live->held[live->current];

			category->serial = before->category->serial + 1;
			live->held[i].category = category;
			live->held[i].users = 0;
			if (before->users == 0) {
				old = before->category;
				before->category = NULL;
			}
			live->current = i;
			fine = true;
		}
	}
	(void)pthread_mutex_unlock(&live->mutex);
	category_free(old);
	return fine;
}

static void tell_expired(struct live *live, const struct category *category)
{
	const struct problems none = {NULL, 0, 0, 0};
	int32_t today = date_today();
	size_t sources = category_sources(category);

	if (live->told_day == today) {
		return;
	}
	for (size_t i = 0; i < sources; i++) {
		struct source_view view;

		category_source(category, i, today, &view);
		if (view.expired) {
			live->told_day = today;
			live->tell(live->context, LIVE_EXPIRED, category, &none);
			return;
		}
	}
}

static void reload(struct live *live)
{
	struct problems problems = {NULL, 0, 0, 0};
	const struct category *previous = live_take(live);
	struct category *category = category_load(live->folders, live->folder_count, previous, &problems);

	live_release(live, previous);
	if (category != NULL) { /* else memory has run out: the old one stays in force */
		if (swap_in(live, category)) {
			const struct category *taken = live_take(live);

			live->tell(live->context, LIVE_LOADED, taken, &problems);
			live_release(live, taken);
		} else {
			category_free(category);
		}
	}
	problems_free(&problems);
	(void)malloc_trim(0); /* what the building and the old one took is much more than what stays */
}

static bool is_watched(const struct live *live, int watch)
{
	for (size_t i = 0; i < live->folder_count; i++) {
		if (live->watch[i].folder == watch || live->watch[i].parent == watch) {
			return true;
		}
	}
	return false;
}

static void leave_parent(struct live *live, size_t folder)
{
	int parent = live->watch[folder].parent;

	live->watch[folder].parent = -1;
	if (parent >= 0 && !is_watched(live, parent)) {
		(void)inotify_rm_watch(live->notify, parent);
	}
}

/* Watches the nearest parent that there is. Returns the watch, or -1; `next` is what has to appear in it. */
static int watch_parent(struct live *live, const char *folder, const char **next)
{
	char *path = strdup(folder);
	size_t end = path == NULL ? 0 : strlen(path);
	int watch = -1;

	while (watch < 0 && end > 0) {
		while (end > 0 && path[end - 1] == '/') {
			end--;
		}
		while (end > 0 && path[end - 1] != '/') {
			end--;
		}
		*next = folder + end;
		if (**next == '/' || **next == '\0') {
			break; /* the root itself */
		}
		path[end] = '\0';
		/* It may be one of the folders, too. */
		watch = inotify_add_watch(live->notify, end > 0 ? path : ".",
		    IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD);
	}
	free(path);
	return watch;
}

/* Watches the folders that aren't watched yet, or what they have to appear in. Returns whether a folder was added. */
static bool add_watches(struct live *live)
{
	bool added = false;

	for (size_t i = 0; i < live->folder_count && live->notify >= 0; i++) {
		int parent = -2;

		/* Until it is the same parent as before: what appeared before that was watched told nothing. */
		while (live->watch[i].folder < 0 && live->watch[i].parent != parent) {
			live->watch[i].folder = inotify_add_watch(live->notify, live->folders[i],
			    IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
			        IN_DELETE_SELF | IN_MOVE_SELF);
			if (live->watch[i].folder >= 0) {
				leave_parent(live, i);
				added = true;
				break;
			}
			parent = watch_parent(live, live->folders[i], &live->watch[i].next);
			if (parent != live->watch[i].parent) {
				leave_parent(live, i);
				live->watch[i].parent = parent;
				parent = -2;
			}
		}
	}
	return added;
}

/* The files that somebody is writing, by folder and name. */
struct writers {
	struct {
		int watch;
		char name[NAME_SIZE + 2];
	} list[WRITERS];
	size_t count;
};

static void note_writer(struct writers *writers, const struct inotify_event *event)
{
	size_t at = 0;

	while (at < writers->count &&
	    (writers->list[at].watch != event->wd || strcmp(writers->list[at].name, event->name) != 0)) {
		at++;
	}
	if (event->mask & IN_MODIFY) {
		if (at == writers->count && at < WRITERS && strlen(event->name) < sizeof writers->list[at].name) {
			writers->list[at].watch = event->wd;
			memcpy(writers->list[at].name, event->name, strlen(event->name) + 1);
			writers->count++;
		}
	} else if (at < writers->count && event->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM)) {
		writers->list[at] = writers->list[--writers->count];
	}
}

/* Whether this is of the parent of a folder that isn't there, and the folder, or what it is in, may have appeared. */
static bool has_appeared(struct live *live, const struct inotify_event *event)
{
	bool appeared = false;

	for (size_t i = 0; i < live->folder_count; i++) {
		if (live->watch[i].folder < 0 && live->watch[i].parent == event->wd) {
			size_t length = strcspn(live->watch[i].next, "/");

			if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
				leave_parent(live, i);
				appeared = true;
			} else if (event->len > 0 && strlen(event->name) == length && memcmp(event->name, live->watch[i].next, length) == 0) {
				appeared = true;
			}
		}
	}
	return appeared;
}

/* Reads what inotify has to say. Returns whether any of it may matter. */
static bool read_events(struct live *live, struct writers *writers)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool matters = false, appeared = false;
	ssize_t got = read(live->notify, buffer, sizeof buffer);

	for (char *at = buffer; got > 0 && at < buffer + got;) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
		bool gone = event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF);

		appeared = has_appeared(live, event) || appeared;
		matters = matters || event->mask & IN_Q_OVERFLOW;
		for (size_t i = 0; i < live->folder_count; i++) {
			if (live->watch[i].folder != event->wd) {
				continue;
			}
			if (gone) {
				(void)inotify_rm_watch(live->notify, event->wd);
				live->watch[i].folder = -1;
				matters = true;
			} else if (event->len > 0 && is_category_file(event->name)) {
				note_writer(writers, event);
				matters = true;
			} else if (event->len == 0) {
				matters = true; /* a file that stands for a folder */
			}
		}
		at += sizeof *event + event->len;
	}
	return (appeared && add_watches(live)) || matters;
}

/* Waits until the changes are over. */
static void settle(struct live *live, struct writers *writers)
{
	int64_t start = clock_monotonic(), last = start;

	while (!live->stop) {
		int64_t now = clock_monotonic(), quiet = writers->count > 0 ? WRITER_MS : SETTLE_MS;
		int64_t left = last + quiet - now < start + LONGEST_MS - now ? last + quiet - now : start + LONGEST_MS - now;
		struct pollfd ready = {live->notify, POLLIN, 0};

		if (left <= 0) {
			break;
		}
		if (poll(&ready, 1, (int)left) > 0 && read_events(live, writers)) {
			last = clock_monotonic();
		}
	}
	writers->count = 0;
}

static void *watch(void *argument)
{
	struct live *live = argument;
	struct writers *writers = calloc(1, sizeof *writers);
	uint64_t signature = live->held[live->current].category->signature;
	/* What has changed between the first loading and the first watch is found by looking. */
	bool changed = folders_signature(live->folders, live->folder_count) != signature;

	/* On Linux this is the thread's own: whoever answers goes first, and building takes what is left. */
	(void)setpriority(PRIO_PROCESS, 0, BUILD_NICE);
	while (writers != NULL && !live->stop) {
		if (changed) {
			settle(live, writers);
			(void)add_watches(live);
			reload(live);
			changed = false;
		}
		const struct category *category = live_take(live);
		signature = category->signature;
		tell_expired(live, category);
		live_release(live, category);

		struct pollfd ready[2] = {{live->notify, POLLIN, 0}, {live->wake, POLLIN, 0}};
		uint64_t wakes;
		if (poll(ready, 2, LOOK_MS) > 0) {
			if (ready[0].revents != 0) {
				changed = read_events(live, writers);
			}
			if (ready[1].revents != 0 && read(live->wake, &wakes, sizeof wakes) > 0) {
				changed = true;
			}
		} else {
			changed = add_watches(live) || folders_signature(live->folders, live->folder_count) != signature;
		}
	}
	free(writers);
	return NULL;
}

static void close_all(struct live *live)
{
	for (size_t i = 0; i < HOLDERS; i++) {
		category_free(live->held[i].category);
	}
	if (live->notify >= 0) {
		close(live->notify);
	}
	if (live->wake >= 0) {
		close(live->wake);
	}
	free(live->watch);
	(void)pthread_mutex_destroy(&live->mutex);
	free(live);
}

struct live *live_open(struct category *category, const char *const *folders, size_t count, live_tell *tell, void *context)
{
	struct live *live = calloc(1, sizeof *live);
	sigset_t all, before;

	if (live == NULL) {
		category_free(category);
		return NULL;
	}
	live->folders = folders;
	live->folder_count = count;
	live->tell = tell;
	live->context = context;
	live->held[0].category = category;
	live->told_day = INT32_MIN;
	(void)pthread_mutex_init(&live->mutex, NULL);
	live->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	live->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	live->watch = malloc((count + 1) * sizeof *live->watch);
	if (live->watch == NULL) {
		close_all(live);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		live->watch[i].folder = live->watch[i].parent = -1;
	}
	(void)add_watches(live);
	/* Signals are for the program's own threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	live->started = pthread_create(&live->thread, NULL, watch, live) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return live;
}

void live_reload(struct live *live)
{
	uint64_t one = 1;
	int saved = errno;

	if (write(live->wake, &one, sizeof one) < 0) {
		errno = saved; /* it is full of wakes already */
	}
	errno = saved;
}

void live_close(struct live *live)
{
	if (live == NULL) {
		return;
	}
	live->stop = true;
	live_reload(live);
	if (live->started) {
		(void)pthread_join(live->thread, NULL);
	}
	close_all(live);
}
