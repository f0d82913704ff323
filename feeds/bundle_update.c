/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All service files from one place of the administrator's own: a bundle counts only if the trusted key has signed it, it is
 * of the name that is wanted, not older than the one before, and hasn't expired. Then its files are guarded one by one. */
#include <config.h>

#include "feeds/update.h"

#include <stdlib.h>
#include <string.h>

static const char *const types[] = {"text/plain", "application/octet-stream", "binary/octet-stream",
    "application/pgp-signature", NULL};

static bool load_key(const struct updater *updater, const struct feed_line *line, struct signature_key *key, struct refusal *why)
{
	char *path = line->key.at == NULL ? strdup(updater->options->key) : strndup(line->key.at, line->key.length), *text;
	const char *reason = NULL;
	size_t length;
	bool fine;

	if (path == NULL) {
		return refuse(why, 0, "out of memory");
	}
	if (path[0] != '/') {
		fine = signature_key_parse(line->key, key, why);
	} else if ((text = file_read(path, &length, &reason)) == NULL) {
		fine = refuse(why, 0, "the trusted key %.120s: %s", path, reason == NULL ? "out of memory" : reason);
	} else {
		fine = signature_key_parse((struct text){text, length}, key, why);
		free(text);
	}
	free(path);
	return fine;
}

/* Asks for URL.minisig, then for URL.sig. */
static bool fetch_signature(struct updater *updater, const char *url, struct fetched *fetched, struct refusal *why)
{
	static const char *const ends[] = {"minisig", "sig"};
	enum fetch_result result = FETCH_MISSING;

	for (size_t i = 0; i < 2 && result == FETCH_MISSING; i++) {
		char *path = NULL;

		fetched_free(fetched);
		if (asprintf(&path, "%s.%s", url, ends[i]) < 0) {
			return refuse(why, 0, "out of memory");
		}
		result = fetch(updater->fetcher, path, types, "", "", fetched, why);
		free(path);
	}
	if (result == FETCH_MISSING) {
		return refuse(why, 0, "unsigned: there is neither .minisig nor .sig beside it");
	}
	if (result != FETCH_NEW) {
		char reason[sizeof why->reason];

		memcpy(reason, why->reason, sizeof reason);
		return refuse(why, 0, "its signature: %.200s", reason);
	}
	return true;
}

/* Is it the bundle that is wanted, and newer than what was? */
static bool check_header(struct updater *updater, const struct job *job, const struct bundle *bundle, const char *hash,
    struct refusal *why)
{
	const json_t *known = state_at(&updater->state, "bundles", job->service);
	int64_t serial = state_number(known, "serial");
	char day[11];

	day_text(bundle->expires, day);
	if (strcmp(bundle->name, job->service) != 0) {
		return refuse(why, 0, "it is called %s, and %s was wanted", bundle->name, job->service);
	}
	if (bundle->expires < updater->options->today) {
		return refuse(why, 0, "it has expired on %s", day);
	}
	if (bundle->serial < serial) {
		return refuse(why, 0, "it is older than the installed one: serial %lld, after %lld", (long long)bundle->serial,
		    (long long)serial);
	}
	if (bundle->serial == serial && strcmp(hash, state_text(known, "sha256")) != 0) {
		return refuse(why, 0, "it isn't the installed one, and has the same serial, %lld", (long long)serial);
	}
	return true;
}

/* Whether the file may take the place of the old one. Returns false if memory has run out. */
static bool guard_file(struct updater *updater, struct update *update, const struct update_part *part, struct text old)
{
	struct guard guard = {&updater->options->guard, part->base, &update->reasons, NULL, false};
	struct edit edit = {NULL, NULL, NULL, 0, 0, 0};
	struct category_counts counts;
	struct edit_pin *pins = NULL;
	struct holdings holdings;
	struct refusal why;
	size_t count = 0;

	category_count(part->after, &counts);
	bool off = counts.addresses + counts.names == 0, fine = holdings_make(&holdings, part->after);
	/* that a service is switched off is meant; and what can't be taken apart has no pins */
	fine = fine && (off || guard_change(&guard, &part->diff)) &&
	    (old.at == NULL || !edit_open(&edit, old, &why) || edit_pins(&edit, -1, &pins, &count)) &&
	    guard_pins(&guard, &holdings, pins, count);
	free(pins);
	edit_close(&edit);
	holdings_free(&holdings);
	return fine;
}

static bool has_bundle_line(struct text content)
{
	struct edit edit;
	struct refusal why;
	bool found = false;

	if (edit_open(&edit, content, &why)) {
		for (size_t i = 0; i < edit.feeds; i++) {
			found = found || text_is(edit.feed[i].parsed.format, "bundle");
		}
	}
	edit_close(&edit);
	return found;
}

/* Adds the file to the update, if anything changes by it. Returns false if memory has run out. */
static bool take_file(struct updater *updater, const struct job *job, struct update *update, const char *base,
    const struct bundle_file *file)
{
	size_t length = 0;
	char *old = updater_in_force(updater, base, &length), hash[HASH_SIZE];
	bool fine = true;

	hash_text(file->content.at, file->content.length, hash);
	if (strcmp(base, job->base) == 0 || has_bundle_line(file->content)) {
		fine = update_tell(update, base, "a bundle doesn't hold a file with a bundle's line, nor the one that names it");
	} else if (old != NULL && length == file->content.length && memcmp(old, file->content.at, length) == 0) {
		/* nothing to do */
	} else if (!updater->options->again && strcmp(hash, state_text(state_at(&updater->state, "files", base), "held")) == 0) {
		fine = problem_add(&update->notes, base, 0, 0, "left out: it was rolled back, and hasn't changed since");
	} else {
		char *copy = strndup(file->content.at, file->content.length);

		size_t parts = update->parts;

		fine = copy != NULL && update_add(update, base, copy, file->content.length, old, length);
		if (fine && update->parts > parts) {
			struct update_part *part = &update->part[parts];

			char *hides = updater_hides(updater, base);

			memcpy(part->basis, hash, sizeof hash);
			fine = guard_file(updater, update, part, (struct text){old, length}) &&
			    (hides == NULL || problem_add(&update->notes, hides, 0, 0, "hides the one of the bundle"));
			free(hides);
		}
	}
	free(old);
	return fine;
}

/* Files of the bundle before that this one doesn't hold. Returns false if memory has run out. */
static bool drop_files(struct updater *updater, const struct job *job, struct update *update, const struct bundle *bundle)
{
	const json_t *files = json_object_get(state_at(&updater->state, "bundles", job->service), "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *base = json_string_value(json_array_get(files, i));
		bool held = base == NULL;
		size_t length = 0;

		for (size_t f = 0; f < bundle->files; f++) {
			held = held || text_is(bundle->file[f].base, base);
		}
		if (held) {
			continue;
		}
		char *old = updater_in_force(updater, base, &length);
		bool fine = update_add(update, base, NULL, 0, old, length) &&
		    problem_add(&update->notes, base, 0, 0, "no longer in the bundle: removed, so that the shipped one counts, if any");
		free(old);
		if (!fine) {
			return false;
		}
	}
	return true;
}

static bool take_bundle(struct updater *updater, const struct job *job, struct update *update,
    const struct bundle *bundle)
{
	json_t *files = json_array();
	bool fine = files != NULL;

	for (size_t i = 0; fine && i < bundle->files; i++) {
		char base[SERVICE_NAME_SIZE + 16];

		(void)snprintf(base, sizeof base, "%.*s", (int)bundle->file[i].base.length, bundle->file[i].base.at);
		fine = take_file(updater, job, update, base, &bundle->file[i]) && json_array_append_new(files, json_string(base)) == 0;
	}
	fine = fine && drop_files(updater, job, update, bundle);
	update->serial = bundle->serial;
	update->files = files;
	update->status = update->reasons.count > 0 ? UPDATE_REFUSED : update->parts > 0 ? UPDATE_NEW : UPDATE_SAME;
	return fine;
}

bool bundle_make_update(struct updater *updater, struct job *job, struct update *update)
{
	const struct feed_line *line = &job->edit.feed[0].parsed;
	char *url = strndup(line->url.at, line->url.length);
	json_t *record = url == NULL ? NULL : state_at(&updater->state, "lists", url);
	struct source source = {&updater->state, updater->fetcher, updater->options->today, updater->now};
	struct obtained obtained = {.list = NULL};
	struct fetched signature = {.bytes = NULL};
	struct bundle bundle = {.files = 0};
	struct signature_key key;
	struct refusal why;
	bool fine = url != NULL;

	update->status = UPDATE_FAILED;
	if (!fine) {
		return false;
	}
	if (job->edit.feeds > 1) {
		fine = update_tell(update, job->path, "a bundle's line stands in a file of its own");
	} else if (!load_key(updater, line, &key, &why)) {
		fine = update_tell(update, job->path, why.reason);
	} else if (obtain(&source, record, url, line, &obtained, &why) != FETCH_NEW ||
	    !fetch_signature(updater, url, &signature, &why)) {
		fine = update_tell(update, url, why.reason);
	} else {
		struct text text = {obtained.list, obtained.length};

		update->status = UPDATE_REFUSED;
		hash_text(text.at, text.length, update->hash);
		if (!signature_verify(&key, text, (struct text){signature.bytes, signature.length}, &why) ||
		    !bundle_parse(text, &bundle, &why) || !check_header(updater, job, &bundle, update->hash, &why)) {
			fine = update_tell(update, url, why.reason);
			state_set_text(record, "etag", ""); /* whatever it was, it is fetched anew next time */
			state_set_text(record, "modified", "");
		} else {
			fine = take_bundle(updater, job, update, &bundle);
		}
	}
	if (fine && update->status == UPDATE_SAME) {
		bundle_note(updater, job, update);
	}
	bundle_free(&bundle);
	fetched_free(&signature);
	obtained_free(&obtained);
	free(url);
	return fine;
}

void bundle_note(struct updater *updater, const struct job *job, const struct update *update)
{
	json_t *known = state_at(&updater->state, "bundles", job->service);

	state_set_number(known, "serial", update->serial);
	state_set_text(known, "sha256", update->hash);
	(void)json_object_set(known, "files", update->files);
}
