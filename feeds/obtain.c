/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of a feed: asked for in a way that its server likes, and kept, so that "not changed" is answer enough.
 * Microsoft wants to be asked for the version first, at most once an hour, by a client id that stays the same. */
#include <config.h>

#include "feeds/update.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION_SECONDS = 3600, VERSION_LENGTH = 10 };

static const char *const json_types[] = {"application/json", "text/json", "text/plain", "application/octet-stream",
    "binary/octet-stream", NULL};
static const char *const text_types[] = {"text/plain", "text/csv", "application/octet-stream", "binary/octet-stream", NULL};

void obtained_free(struct obtained *obtained)
{
	free(obtained->list);
	free(obtained->changes);
	free(obtained->url);
	memset(obtained, 0, sizeof *obtained);
}

bool must_wait(const struct source *source, const json_t *record, struct refusal *why)
{
	int64_t until = state_number(record, "not_before");
	char text[TIME_SIZE];

	if (until <= source->now) {
		return false;
	}
	time_text((time_t)until, text);
	(void)refuse(why, 0, "not asked: its server wants to be left alone until %s", text);
	return true;
}

/* Gets one address, and notes if it wants to be left alone. */
static enum fetch_result get(const struct source *source, json_t *record, const struct obtained *obtained, const char *const *types,
    bool kept, struct fetched *fetched, struct refusal *why)
{
	enum fetch_result result = fetch(source->fetcher, obtained->url, types, kept ? state_text(record, "etag") : "",
	    kept ? state_text(record, "modified") : "", fetched, why);

	if (result == FETCH_WAIT) {
		state_set_number(record, "not_before", source->now + fetched->wait);
	} else if (result == FETCH_SAME && !kept) {
		(void)refuse(why, 0, "the server says that it hasn't changed, and wasn't asked that");
		result = FETCH_FAILED;
	}
	return result;
}

static enum fetch_result obtain_simple(const struct source *source, json_t *record, const char *key, bool json,
    struct obtained *obtained, struct refusal *why)
{
	struct fetched fetched;
	char hash[HASH_SIZE], fetched_at[TIME_SIZE];

	obtained->list = state_kept(source->state, record, key, "list", &obtained->length);
	enum fetch_result result = get(source, record, obtained, json ? json_types : text_types, obtained->list != NULL, &fetched,
	    why);
	if (result == FETCH_NEW) {
		hash_text(fetched.bytes, fetched.length, hash);
		if (strcmp(hash, state_text(record, "list")) != 0 || state_text(record, "date")[0] == '\0') {
			char date[11];

			day_text(fetched.day <= source->today ? fetched.day : source->today, date);
			state_set_text(record, "date", date);
		}
		free(obtained->list);
		obtained->list = fetched.bytes;
		obtained->length = fetched.length;
		fetched.bytes = NULL;
		time_text(source->now, fetched_at);
		state_set_text(record, "fetched", fetched_at);
		state_set_text(record, "etag", fetched.etag);
		state_set_text(record, "modified", fetched.modified);
		if (!state_keep(source->state, record, key, "list", obtained->list, obtained->length, why)) {
			result = FETCH_FAILED;
		}
	}
	fetched_free(&fetched);
	(void)snprintf(obtained->date, sizeof obtained->date, "%s", state_text(record, "date"));
	return result == FETCH_SAME ? FETCH_NEW : result;
}

/* ---- Microsoft ---- */

/* The feed's address with another word in place of `endpoints`, with what is to stand behind its path, and the client id. */
static char *microsoft_url(const struct source *source, const struct feed_line *line, const char *word, const char *behind)
{
	const char *const endpoints = "/endpoints/";
	const char *end = line->url.at + line->url.length;
	const char *at = memmem(line->url.at, line->url.length, endpoints, strlen(endpoints));
	const char *fragment = memchr(line->url.at, '#', line->url.length);
	char *url = NULL;

	end = fragment == NULL ? end : fragment;
	const char *query = memchr(line->url.at, '?', (size_t)(end - line->url.at));
	if (at == NULL || at >= (query == NULL ? end : query)) {
		return NULL;
	}
	const char *rest = at + strlen(endpoints);
	const char *path_end = query == NULL ? end : query;
	bool whole = strcmp(word, "endpoints") == 0 && query != NULL; /* the others don't know the same questions */
	if (asprintf(&url, "%.*s/%s/%.*s%s%.*s%cclientrequestid=%s", (int)(at - line->url.at), line->url.at, word,
	        (int)(path_end - rest), rest, behind, whole ? (int)(end - query) : 0, whole ? query : "", whole ? '&' : '?',
	        state_text(source->state->root, "client_id")) < 0) {
		return NULL;
	}
	return url;
}

static bool read_version(const struct fetched *fetched, char version[VERSION_LENGTH + 1], struct refusal *why)
{
	json_error_t error;
	json_t *root = json_loadb(fetched->bytes, fetched->length, JSON_REJECT_DUPLICATES, &error);
	const char *latest = state_text(root, "latest");
	bool fine = strlen(latest) == VERSION_LENGTH && strspn(latest, "0123456789") == VERSION_LENGTH;

	if (fine) {
		memcpy(version, latest, VERSION_LENGTH + 1);
	} else {
		(void)refuse(why, 0, "not Microsoft's answer about the version: \"latest\" has ten digits");
	}
	json_decref(root);
	return fine;
}

/* The latest version: asked for, unless that was done within the last hour. */
static enum fetch_result ask_version(const struct source *source, json_t *record, struct obtained *obtained, char *version,
    struct refusal *why)
{
	int64_t asked = state_number(record, "asked");
	struct fetched fetched;
	char known[VERSION_LENGTH + 1];

	(void)snprintf(known, sizeof known, "%s", state_text(record, "latest"));
	if (known[0] != '\0' && asked <= source->now && source->now - asked < VERSION_SECONDS) {
		memcpy(version, known, sizeof known);
		return FETCH_NEW;
	}
	enum fetch_result result = get(source, record, obtained, json_types, false, &fetched, why);
	if (result == FETCH_NEW && !read_version(&fetched, version, why)) {
		result = FETCH_FAILED;
	}
	if (result == FETCH_NEW) {
		state_set_text(record, "latest", version);
		state_set_number(record, "asked", source->now);
	}
	fetched_free(&fetched);
	return result;
}

/* Gets and keeps the changes or the endpoints. */
static enum fetch_result get_part(const struct source *source, json_t *record, const char *key, const struct feed_line *line,
    bool changes, struct obtained *obtained, struct refusal *why)
{
	char **bytes = changes ? &obtained->changes : &obtained->list;
	size_t *length = changes ? &obtained->changes_length : &obtained->length;
	struct fetched fetched;

	free(obtained->url);
	obtained->url = changes ? microsoft_url(source, line, "changes", "/0000000000") : microsoft_url(source, line, "endpoints", "");
	if (obtained->url == NULL) {
		(void)refuse(why, 0, "out of memory");
		return FETCH_FAILED;
	}
	enum fetch_result result = get(source, record, obtained, json_types, false, &fetched, why);
	free(*bytes);
	*bytes = fetched.bytes;
	*length = fetched.length;
	if (result == FETCH_NEW && !state_keep(source->state, record, key, changes ? "changes" : "list", *bytes, *length, why)) {
		result = FETCH_FAILED;
	}
	return result;
}

static enum fetch_result obtain_microsoft(const struct source *source, json_t *record, const char *key,
    const struct feed_line *line, struct obtained *obtained, struct refusal *why)
{
	char version[VERSION_LENGTH + 1] = "", date[11], fetched_at[TIME_SIZE];
	int32_t day;
	enum fetch_result result = ask_version(source, record, obtained, version, why);

	if (result != FETCH_NEW) {
		return result;
	}
	obtained->list = state_kept(source->state, record, key, "list", &obtained->length);
	obtained->changes = state_kept(source->state, record, key, "changes", &obtained->changes_length);
	if (obtained->list == NULL || obtained->changes == NULL || strcmp(version, state_text(record, "version")) != 0) {
		state_set_text(record, "version", "");
		for (int changes = 0; changes < 2; changes++) { /* in this order: nothing may be in the list and not yet announced */
			result = get_part(source, record, key, line, changes == 1, obtained, why);
			if (result != FETCH_NEW) {
				return result;
			}
		}
		time_text(source->now, fetched_at);
		state_set_text(record, "fetched", fetched_at);
		state_set_text(record, "version", version);
	}
	(void)snprintf(date, sizeof date, "%.4s-%.2s-%.2s", version, version + 4, version + 6);
	if (date_parse(text_of(date), &day)) {
		memcpy(obtained->date, date, sizeof date);
	}
	return result;
}

enum fetch_result obtain(const struct source *source, json_t *record, const char *key, const struct feed_line *line,
    struct obtained *obtained, struct refusal *why)
{
	char *version_url = text_is(line->format, "m365-json") ? microsoft_url(source, line, "version", "") : NULL;
	enum fetch_result result;

	memset(obtained, 0, sizeof *obtained);
	obtained->url = version_url != NULL ? version_url : strndup(line->url.at, line->url.length);
	if (obtained->url == NULL) {
		(void)refuse(why, 0, "out of memory");
		return FETCH_FAILED;
	}
	if (must_wait(source, record, why)) {
		return FETCH_WAIT;
	}
	result = version_url != NULL ? obtain_microsoft(source, record, key, line, obtained, why)
	                             : obtain_simple(source, record, key, !text_is(line->format, "cidr"), obtained, why);
	return result;
}
