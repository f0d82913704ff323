/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known from one update to the next: when, from where, with which hash; one file of JSON, and a lock beside it.
 * The lists as they were fetched stand in a folder of their own, so that a server's "not changed" is enough. */
#include <config.h>

#include "feeds/update.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static const char state_base[] = "update.json";

void hash_text(const void *bytes, size_t length, char out[HASH_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, bytes, length);
	(void)sodium_bin2hex(out, HASH_SIZE, hash, sizeof hash);
}

void time_text(time_t when, char out[TIME_SIZE])
{
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL || strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
		out[0] = '\0';
	}
}

void day_text(int32_t day, char out[11])
{
	char text[TIME_SIZE];

	time_text((time_t)day * 86400, text);
	(void)snprintf(out, 11, "%.10s", text);
}

json_t *update_state(const char *folder, struct refusal *why)
{
	char *path = path_join(folder, state_base), *text;
	const char *reason = NULL;
	size_t length;
	json_error_t error;
	json_t *root = NULL;

	why->reason[0] = '\0';
	if (path == NULL || ((text = file_read(path, &length, &reason)) == NULL && reason == NULL)) {
		(void)refuse(why, 0, "out of memory");
	} else if (text == NULL) {
		if (access(path, F_OK) != 0 && errno == ENOENT) {
			root = json_object();
		} else {
			(void)refuse(why, 0, "%.150s: %s", path, reason);
		}
	} else {
		root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
		if (!json_is_object(root)) {
			(void)refuse(why, 0, "%.100s:%d: %.80s: mend it, or remove it to begin anew", path, root == NULL ? error.line : 1,
			    root == NULL ? error.text : "not an object");
			json_decref(root);
			root = NULL;
		}
		free(text);
	}
	free(path);
	return root;
}

static bool take_lock(struct state *state, struct refusal *why)
{
	char *path = path_join(state->folder, "update.lock");
	bool fine = path != NULL && (state->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)) >= 0;

	if (!fine) {
		(void)refuse(why, 0, "%.150s: %s", path == NULL ? state->folder : path, strerror(errno));
	} else if (flock(state->lock, LOCK_EX | LOCK_NB) != 0) {
		fine = refuse(why, 0, errno == EWOULDBLOCK ? "another update is under way" : "update.lock can't be locked");
	}
	free(path);
	return fine;
}

bool state_open(struct state *state, const char *folder, bool write, struct refusal *why)
{
	memset(state, 0, sizeof *state);
	state->lock = -1;
	state->folder = folder;
	state->write = write;
	if (sodium_init() < 0) {
		return refuse(why, 0, "libsodium can't be used");
	}
	if (write && !take_lock(state, why)) {
		return false;
	}
	state->root = update_state(folder, why);
	if (state->root == NULL) {
		return false;
	}
	if (state_text(state->root, "client_id")[0] == '\0') {
		unsigned char id[16];
		char text[40], hex[33];

		randombytes_buf(id, sizeof id);
		id[6] = (unsigned char)((id[6] & 0x0f) | 0x40); /* RFC 4122: version 4, made of random numbers */
		id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
		(void)sodium_bin2hex(hex, sizeof hex, id, sizeof id);
		(void)snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
		state_set_text(state->root, "client_id", text);
	}
	return true;
}

bool state_save(struct state *state, struct refusal *why)
{
	char *text = state->write ? json_dumps(state->root, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	bool fine = !state->write ||
	    (text != NULL ? file_put(state->folder, state_base, text, strlen(text), why) : refuse(why, 0, "out of memory"));

	free(text);
	return fine;
}

void state_close(struct state *state)
{
	json_decref(state->root);
	if (state->lock >= 0) {
		close(state->lock);
	}
	memset(state, 0, sizeof *state);
	state->lock = -1;
}

json_t *state_at(struct state *state, const char *section, const char *key)
{
	json_t *map = json_object_get(state->root, section), *object;

	if (!json_is_object(map)) {
		map = json_object();
		(void)json_object_set_new(state->root, section, map);
	}
	object = json_object_get(map, key);
	if (!json_is_object(object)) {
		object = json_object();
		(void)json_object_set_new(map, key, object);
	}
	return object;
}

const char *state_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

int64_t state_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void state_set_text(json_t *object, const char *key, const char *text)
{
	if (text[0] == '\0') {
		(void)json_object_del(object, key);
	} else {
		(void)json_object_set_new(object, key, json_string(text)); /* out of memory shows when it is written */
	}
}

void state_set_number(json_t *object, const char *key, int64_t number)
{
	(void)json_object_set_new(object, key, json_integer(number));
}

/* ---- The lists as they were fetched ---- */

static char *kept_folder(const struct state *state)
{
	return path_join(state->folder, "feeds");
}

bool state_keep(struct state *state, json_t *record, const char *key, const char *what, const char *bytes, size_t length,
    struct refusal *why)
{
	char hash[HASH_SIZE], base[HASH_SIZE + 16], *folder = kept_folder(state);
	bool fine;

	hash_text(key, strlen(key), hash);
	(void)snprintf(base, sizeof base, "%.16s.%s", hash, what);
	fine = folder == NULL ? refuse(why, 0, "out of memory")
	                      : !state->write || (folder_make(folder, why) && file_put(folder, base, bytes, length, why));
	hash_text(bytes, length, hash);
	state_set_text(record, what, hash);
	free(folder);
	return fine;
}

char *state_kept(const struct state *state, const json_t *record, const char *key, const char *what, size_t *length)
{
	char hash[HASH_SIZE], base[HASH_SIZE + 16], *folder = kept_folder(state), *path = NULL, *bytes = NULL;
	const char *why;

	hash_text(key, strlen(key), hash);
	(void)snprintf(base, sizeof base, "%.16s.%s", hash, what);
	path = folder == NULL ? NULL : path_join(folder, base);
	bytes = path == NULL || state_text(record, what)[0] == '\0' ? NULL : file_read(path, length, &why);
	if (bytes != NULL) {
		hash_text(bytes, *length, hash);
		if (strcmp(hash, state_text(record, what)) != 0) { /* not what was fetched */
			free(bytes);
			bytes = NULL;
		}
	}
	free(path);
	free(folder);
	return bytes;
}
