/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New files are put in force, each in one step, and what they replace is kept: the last five of each, by their time.
 * The order is such that a machine may stop anywhere: first the old content gets its second name, then the new one takes its
 * place, then the state tells of it. */
#include <config.h>

#include "feeds/update.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HISTORY = 5, STAMP_SIZE = 48 };

/* "20261125T031500.123456789Z" */
static void make_stamp(char out[STAMP_SIZE])
{
	struct timespec now;
	struct tm parts;
	char seconds[24];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts) == NULL || strftime(seconds, sizeof seconds, "%Y%m%dT%H%M%S", &parts) == 0) {
		seconds[0] = '\0';
	}
	(void)snprintf(out, STAMP_SIZE, "%s.%09ldZ", seconds, now.tv_nsec);
}

static int is_stamp(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

/* STATE/history/BASE, which is made if wanted. NULL, and why. */
static char *history_folder(const char *state, const char *base, bool make, struct refusal *why)
{
	char *all = path_join(state, "history"), *folder = all == NULL ? NULL : path_join(all, base);
	bool fine = folder == NULL ? refuse(why, 0, "out of memory") : !make || (folder_make(all, why) && folder_make(folder, why));

	free(all);
	if (!fine) {
		free(folder);
		folder = NULL;
	}
	return folder;
}

static bool same_content(const char *path, const char *text, size_t length)
{
	const char *why;
	size_t other_length;
	char *other = file_read(path, &other_length, &why);
	bool same = other != NULL && other_length == length && memcmp(other, text, length) == 0;

	free(other);
	return same;
}

/* All but the last five go. */
static void prune(const char *folder)
{
	struct dirent **list;
	int count = scandir(folder, &list, is_stamp, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = i < count - HISTORY ? path_join(folder, list[i]->d_name) : NULL;

		if (path != NULL) {
			(void)unlink(path);
			free(path);
		}
		free(list[i]);
	}
	if (count >= 0) {
		free(list);
	}
}

/* The newest of the history that isn't the text. NULL: none; the caller frees it. */
static char *newest_other(const char *folder, const char *text, size_t length)
{
	struct dirent **list;
	int count = scandir(folder, &list, is_stamp, alphasort);
	char *found = NULL;

	for (int i = count; i-- > 0;) {
		char *path = path_join(folder, list[i]->d_name);

		if (found == NULL && path != NULL && !same_content(path, text, length)) {
			found = path;
			path = NULL;
		}
		free(path);
		free(list[i]);
	}
	if (count >= 0) {
		free(list);
	}
	return found;
}

/* Keeps the content that is in force now, be it installed or from another folder. */
static bool keep(const char *state, const char *base, const char *text, size_t length, struct refusal *why)
{
	char *folder = history_folder(state, base, true, why), stamp[STAMP_SIZE];
	bool fine = folder != NULL;

	if (fine) {
		make_stamp(stamp);
		fine = file_put(folder, stamp, text, length, why);
	}
	if (fine) {
		prune(folder);
	}
	free(folder);
	return fine;
}

char *updater_in_force(const struct updater *updater, const char *base, size_t *length)
{
	char *text = NULL;
	bool reached = false; /* what comes behind the target isn't replaced */

	for (size_t i = updater->folders; i-- > 0 && text == NULL;) {
		reached = reached || updater->folder[i] == updater->target;
		char *path = reached ? path_join(updater->folder[i], base) : NULL;
		const char *why;

		text = path == NULL ? NULL : file_read(path, length, &why);
		free(path);
	}
	return text;
}

char *updater_hides(const struct updater *updater, const char *base)
{
	for (size_t i = updater->folders; i-- > 0 && updater->folder[i] != updater->target;) {
		char *path = path_join(updater->folder[i], base);

		if (path != NULL && access(path, F_OK) == 0) {
			return path;
		}
		free(path);
	}
	return NULL;
}

static bool install_part(struct updater *updater, const struct update_part *part, bool renewed, struct refusal *why)
{
	size_t length = 0;
	char *old = updater_in_force(updater, part->base, &length);
	bool fine = old == NULL || renewed || keep(updater->options->state, part->base, old, length, why);

	free(old);
	if (!fine) {
		return false;
	}
	if (part->text != NULL) {
		return file_put(updater->target, part->base, part->text, part->length, why);
	}
	char *path = path_join(updater->target, part->base);
	fine = path != NULL && (unlink(path) == 0 || errno == ENOENT);
	if (!fine) {
		(void)refuse(why, 0, "%.150s: %s", path == NULL ? part->base : path, strerror(errno));
	}
	free(path);
	return fine && folder_sync(updater->target, why);
}

static void note_part(struct updater *updater, const struct job *job, const struct update *update,
    const struct update_part *part)
{
	json_t *known = state_at(&updater->state, "files", part->base), *from = json_array();
	char now[TIME_SIZE], hash[HASH_SIZE];

	time_text(time(NULL), now);
	for (size_t i = 0; i < job->edit.feeds; i++) {
		const struct text *url = &job->edit.feed[i].parsed.url;

		(void)json_array_append_new(from, json_stringn(url->at, url->length));
	}
	if (part->text == NULL) {
		(void)json_object_del(json_object_get(updater->state.root, "files"), part->base);
		json_decref(from);
		return;
	}
	hash_text(part->text, part->length, hash);
	state_set_text(known, "installed", now);
	state_set_text(known, "sha256", hash);
	state_set_text(known, "basis", part->basis);
	state_set_text(known, "held", "");
	if (!job->bundle && job->shipped != NULL && strcmp(job->path, job->shipped) == 0) { /* it was made of this */
		hash_shipped(job, hash);
		state_set_text(known, "shipped", hash);
	}
	(void)json_object_set_new(known, "from", from);
	if (update->withdrawn != NULL) {
		(void)json_object_set(known, "withdrawn", update->withdrawn);
	}
}

bool update_install(struct updater *updater, size_t index, const struct update *update, struct refusal *why)
{
	const struct job *job = &updater->job[index];

	if (!folder_make(updater->target, why)) {
		return false;
	}
	for (size_t i = 0; i < update->parts; i++) {
		const struct update_part *part = &update->part[i];

		if (!install_part(updater, part, update->status == UPDATE_RENEWED, why)) {
			return false;
		}
		note_part(updater, job, update, part);
	}
	if (job->bundle) {
		bundle_note(updater, job, update);
	}
	return state_save(&updater->state, why);
}

/* Renames the newest of the history into place. */
static bool put_back(const char *folder, const char *base, const char *newest, char when[32], struct refusal *why)
{
	char *path = path_join(folder, base);
	const char *stamp = strrchr(newest, '/') + 1;
	bool fine = path != NULL && rename(newest, path) == 0;

	if (!fine) {
		(void)refuse(why, 0, "%.150s: %s", path == NULL ? base : path, strerror(errno));
	} else {
		(void)snprintf(when, 32, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s UTC", stamp, stamp + 4, stamp + 6, stamp + 9, stamp + 11,
		    stamp + 13);
	}
	free(path);
	return fine && folder_sync(folder, why);
}

static bool roll_back(struct state *state, const char *base, char when[32], struct refusal *why)
{
	char *target = path_join(state->folder, "services"), *path = target == NULL ? NULL : path_join(target, base);
	char *history = history_folder(state->folder, base, false, why), *newest = NULL;
	size_t length = 0;
	const char *reason = "out of memory";
	char *text = path == NULL || history == NULL ? NULL : file_read(path, &length, &reason);
	bool fine = text != NULL || refuse(why, 0, "%.150s: %s", path == NULL ? base : path, reason == NULL ? "out of memory" : reason);

	if (fine) {
		newest = newest_other(history, text, length);
		fine = newest != NULL || refuse(why, 0, "no older version of %.64s is kept", base);
	}
	if (fine) {
		json_t *known = state_at(state, "files", base);
		char basis[HASH_SIZE];

		(void)snprintf(basis, sizeof basis, "%s", state_text(known, "basis"));
		state_set_text(known, "held", basis);
		fine = state_save(state, why) && put_back(target, base, newest, when, why);
	}
	free(text);
	free(newest);
	free(history);
	free(path);
	free(target);
	return fine;
}

bool update_rollback(const char *folder, const char *service, char when[32], struct refusal *why)
{
	char base[SERVICE_NAME_SIZE + 16], name[SERVICE_NAME_SIZE];
	struct state state;

	if (!service_name_parse(text_of(service), name, why)) {
		return false;
	}
	(void)snprintf(base, sizeof base, "%s.service", name);
	bool fine = state_open(&state, folder, true, why) && roll_back(&state, base, when, why);
	state_close(&state);
	return fine;
}
