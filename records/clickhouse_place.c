/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a ClickHouse server is, as people write it. */
#include <config.h>

#include "records/clickhouse.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct scheme {
	const char *name, *over;
	unsigned port;
} schemes[] = { { "clickhouse", "http", 8123 }, { "clickhouses", "https", 8443 } };

static const struct scheme *find_scheme(const char *text)
{
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t length = strlen(schemes[i].name);

		if (strncmp(text, schemes[i].name, length) == 0 && text[length] == ':')
			return &schemes[i];
	}
	return NULL;
}

bool clickhouse_is_place(const char *text)
{
	return find_scheme(text) != NULL;
}

/* A part of the URL, or NULL where there is none. */
static char *part(CURLU *url, CURLUPart which, unsigned flags)
{
	char *got = NULL, *kept = NULL;

	if (curl_url_get(url, which, &got, flags) == CURLUE_OK && got != NULL) {
		kept = strdup(got);
		curl_free(got);
	}
	return kept;
}

/* "/DATABASE": a name that needs no quotes. */
static bool take_database(const char *path, struct clickhouse_place *place)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", digits[] = "0123456789";
	size_t length = path == NULL || path[0] != '/' ? 0 : strlen(path + 1);

	if (length == 0 || length > 64 || strchr(digits, path[1]) != NULL)
		return false;
	for (size_t i = 1; i <= length; i++)
		if (strchr(letters, path[i]) == NULL && strchr(digits, path[i]) == NULL)
			return false;
	place->database = strdup(path + 1);
	return place->database != NULL;
}

static bool take_parts(CURLU *url, const struct scheme *scheme, struct clickhouse_place *place)
{
	char *path = part(url, CURLUPART_PATH, 0), *port = part(url, CURLUPART_PORT, 0);
	char *query = part(url, CURLUPART_QUERY, 0), *fragment = part(url, CURLUPART_FRAGMENT, 0);
	bool good;

	place->host = part(url, CURLUPART_HOST, 0);
	place->user = part(url, CURLUPART_USER, CURLU_URLDECODE);
	place->password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
	place->port = port == NULL ? scheme->port : (unsigned)strtoul(port, NULL, 10);
	good = place->host != NULL && place->host[0] != '\0' && query == NULL && fragment == NULL && place->port > 0 &&
	    take_database(path, place);
	free(path);
	free(port);
	free(query);
	free(fragment);
	return good;
}

bool clickhouse_place_parse(const char *text, struct clickhouse_place *place, char why[STORE_WHY_SIZE])
{
	const struct scheme *scheme = find_scheme(text);
	CURLU *url = curl_url();
	bool good;

	memset(place, 0, sizeof *place);
	good = url != NULL && scheme != NULL && strncmp(strchr(text, ':'), "://", 3) == 0 &&
	    curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK && take_parts(url, scheme, place);
	curl_url_cleanup(url);
	/* The text isn't shown: it may have a password. */
	if (!good) {
		snprintf(why, STORE_WHY_SIZE, "a store in ClickHouse is given as clickhouse://[USER@]HOST[:PORT]/DATABASE, "
		    "or clickhouses:// for HTTPS; the database's name is of letters, digits and _");
		return false;
	}
	if (asprintf(&place->url, "%s://%s:%u/", scheme->over, place->host, place->port) < 0)
		place->url = NULL;
	if (asprintf(&place->shown, "%s://%s:%u/%s", scheme->name, place->host, place->port, place->database) < 0)
		place->shown = NULL;
	if (place->url != NULL && place->shown != NULL)
		return true;
	snprintf(why, STORE_WHY_SIZE, "out of memory");
	return false;
}

void clickhouse_place_free(struct clickhouse_place *place)
{
	free(place->url);
	free(place->shown);
	free(place->host);
	free(place->database);
	free(place->user);
	free(place->password);
	memset(place, 0, sizeof *place);
}
