/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gets a list over HTTPS by libcurl, whatever the server does: verified, and bounded in size, time and redirects. */
#include <config.h>

#include "feeds/feeds.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REDIRECTS = 5, LOW_SPEED = 100, CONNECT_SECONDS = 30, WAIT_DEFAULT = 3600, WAIT_MOST = 7 * 86400 };

struct fetcher {
	CURL *curl;
	struct fetch_limits limits;
	char error[CURL_ERROR_SIZE];
	const char *url;
	char *bytes;
	size_t length, room;
	bool too_large, out_of_memory;
};

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
	struct fetcher *fetcher = context;
	size_t length = size * count;

	if (length > fetcher->limits.bytes - fetcher->length) {
		fetcher->too_large = true;
		return 0;
	}
	while (fetcher->room - fetcher->length < length) {
		size_t room = fetcher->room == 0 ? 65536 : fetcher->room * 2;
		char *more = realloc(fetcher->bytes, room);

		if (more == NULL) {
			fetcher->out_of_memory = true;
			return 0;
		}
		fetcher->bytes = more;
		fetcher->room = room;
	}
	memcpy(fetcher->bytes + fetcher->length, bytes, length);
	fetcher->length += length;
	return length;
}

static int show(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct fetcher *fetcher = context;

	(void)total, (void)now, (void)up_total, (void)up_now;
	if (fetcher->limits.progress != NULL) {
		fetcher->limits.progress(fetcher->limits.context, fetcher->url, fetcher->length);
	}
	return 0;
}

static const char *not_empty(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

/* Returns false if an option can't be set. */
static bool set_options(struct fetcher *fetcher)
{
	CURL *curl = fetcher->curl;
	const struct fetch_limits *limits = &fetcher->limits;
	const char *cafile = limits->cafile, *capath = NULL;
	long connect = limits->seconds < CONNECT_SECONDS ? limits->seconds : CONNECT_SECONDS;

	if (cafile == NULL) { /* as the program curl does */
		cafile = not_empty(getenv("CURL_CA_BUNDLE"));
		capath = cafile == NULL ? not_empty(getenv("SSL_CERT_DIR")) : NULL;
		cafile = cafile == NULL ? not_empty(getenv("SSL_CERT_FILE")) : cafile;
	}
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_USERAGENT, "meetingctl/" PACKAGE_VERSION " (squid-meeting)") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)limits->bytes) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT, limits->seconds) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, limits->stall) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetcher->error) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetcher) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetcher) == CURLE_OK &&
	    (cafile == NULL || curl_easy_setopt(curl, CURLOPT_CAINFO, cafile) == CURLE_OK) &&
	    (capath == NULL || curl_easy_setopt(curl, CURLOPT_CAPATH, capath) == CURLE_OK);
}

struct fetcher *fetcher_open(const struct fetch_limits *limits)
{
	struct fetcher *fetcher = calloc(1, sizeof *fetcher);

	if (fetcher == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(fetcher);
		return NULL;
	}
	fetcher->limits = *limits;
	fetcher->limits.bytes = limits->bytes == 0 ? FEED_LENGTH : limits->bytes;
	fetcher->limits.seconds = limits->seconds == 0 ? 300 : limits->seconds;
	fetcher->limits.stall = limits->stall == 0 ? 30 : limits->stall;
	fetcher->curl = curl_easy_init();
	if (fetcher->curl == NULL || !set_options(fetcher)) {
		fetcher_close(fetcher);
		return NULL;
	}
	return fetcher;
}

void fetcher_close(struct fetcher *fetcher)
{
	if (fetcher != NULL) {
		curl_easy_cleanup(fetcher->curl);
		curl_global_cleanup();
		free(fetcher->bytes);
		free(fetcher);
	}
}

void fetched_free(struct fetched *fetched)
{
	free(fetched->bytes);
	memset(fetched, 0, sizeof *fetched);
}

/* Adds a header line to the list, unless its value is empty. Returns false if memory has run out. */
static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char line[400];
	struct curl_slist *more;

	if (value[0] == '\0') {
		return true;
	}
	(void)snprintf(line, sizeof line, "%s: %s", name, value);
	more = curl_slist_append(*headers, line);
	*headers = more == NULL ? *headers : more;
	return more != NULL;
}

/* A header's value, if it is plain text and fits; else "". */
static void get_header(struct fetcher *fetcher, const char *name, char *out, size_t size)
{
	struct curl_header *header;

	out[0] = '\0';
	if (curl_easy_header(fetcher->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK || strlen(header->value) >= size) {
		return;
	}
	for (const char *at = header->value; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~') {
			return;
		}
	}
	(void)snprintf(out, size, "%s", header->value);
}

/* Why a transfer has failed. */
static enum fetch_result failed(struct fetcher *fetcher, CURLcode code, struct refusal *why)
{
	if (fetcher->out_of_memory) {
		(void)refuse(why, 0, "out of memory");
	} else if (fetcher->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		(void)refuse(why, 0, "larger than %zu bytes%s", fetcher->limits.bytes, fetcher->too_large ? ", once unpacked" : "");
	} else {
		(void)refuse(why, 0, "not fetched: %.200s", fetcher->error[0] == '\0' ? curl_easy_strerror(code) : fetcher->error);
	}
	return FETCH_FAILED;
}

static bool is_type(const char *type, const char *const *types)
{
	size_t length = type == NULL ? 0 : strcspn(type, "; \t");

	for (; *types != NULL && length > 0; types++) {
		if (strlen(*types) == length && strncasecmp(type, *types, length) == 0) {
			return true;
		}
	}
	return length == 0;
}

/* What the answer's status, which isn't a redirect, comes to. */
static enum fetch_result judge(struct fetcher *fetcher, long status, const char *const *types, struct fetched *fetched,
    struct refusal *why)
{
	const char *type = NULL;
	curl_off_t wait = 0;

	(void)curl_easy_getinfo(fetcher->curl, CURLINFO_CONTENT_TYPE, &type);
	(void)curl_easy_getinfo(fetcher->curl, CURLINFO_RETRY_AFTER, &wait);
	if (status == 304) {
		return FETCH_SAME;
	}
	if (status == 429 || (status == 503 && wait > 0)) {
		fetched->wait = wait <= 0 ? WAIT_DEFAULT : wait > WAIT_MOST ? WAIT_MOST : wait;
		(void)refuse(why, 0, "the server answers %ld: not to be asked again for %lld seconds", status,
		    (long long)fetched->wait);
		return FETCH_WAIT;
	}
	if (status != 200) {
		(void)refuse(why, 0, "the server answers %ld", status);
		return status == 404 || status == 410 ? FETCH_MISSING : FETCH_FAILED;
	}
	if (!is_type(type, types)) {
		(void)refuse(why, 0, "the server calls it %.100s, and %s was wanted", type, types[0]);
		return FETCH_FAILED;
	}
	if (fetcher->bytes == NULL && (fetcher->bytes = calloc(1, 1)) == NULL) {
		(void)refuse(why, 0, "out of memory");
		return FETCH_FAILED;
	}
	get_header(fetcher, "ETag", fetched->etag, sizeof fetched->etag);
	get_header(fetcher, "Last-Modified", fetched->modified, sizeof fetched->modified);
	time_t modified = curl_getdate(fetched->modified, NULL);
	fetched->day = modified <= 0 || modified / 86400 >= INT32_MAX ? INT32_MAX : (int32_t)(modified / 86400);
	fetched->bytes = fetcher->bytes;
	fetched->length = fetcher->length;
	fetcher->bytes = NULL;
	return FETCH_NEW;
}

/* Follows a redirect; copies the new address into url. */
static bool follow(struct fetcher *fetcher, unsigned turn, char **url, struct refusal *why)
{
	const char *to = NULL;
	char *copy;

	(void)curl_easy_getinfo(fetcher->curl, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL) {
		return refuse(why, 0, "redirected, but not told where to");
	}
	if (strncasecmp(to, "https://", strlen("https://")) != 0) {
		return refuse(why, 0, "redirected to %.150s, which isn't https://", to);
	}
	if (turn == REDIRECTS) {
		return refuse(why, 0, "redirected more than %d times, at last to %.150s", REDIRECTS, to);
	}
	copy = strdup(to);
	if (copy == NULL) {
		return refuse(why, 0, "out of memory");
	}
	free(*url);
	*url = copy;
	return true;
}

enum fetch_result fetch(struct fetcher *fetcher, const char *url, const char *const *types, const char *etag,
    const char *modified, struct fetched *fetched, struct refusal *why)
{
	struct curl_slist *headers = NULL;
	char *at = strdup(url);
	bool fine = at != NULL && add_header(&headers, "If-None-Match", etag) &&
	    add_header(&headers, "If-Modified-Since", modified);
	enum fetch_result result = FETCH_FAILED;

	memset(fetched, 0, sizeof *fetched);
	fetcher->url = url;
	if (!fine) {
		(void)refuse(why, 0, "out of memory");
	}
	for (unsigned turn = 0; fine; turn++) {
		long status = 0;

		free(fetcher->bytes);
		fetcher->bytes = NULL;
		fetcher->length = fetcher->room = 0;
		fetcher->too_large = false;
		fetcher->error[0] = '\0';
		(void)curl_easy_setopt(fetcher->curl, CURLOPT_HTTPHEADER, headers);
		CURLcode code = curl_easy_setopt(fetcher->curl, CURLOPT_URL, at);
		code = code == CURLE_OK ? curl_easy_perform(fetcher->curl) : code;
		if (code != CURLE_OK) {
			result = failed(fetcher, code, why);
			break;
		}
		(void)curl_easy_getinfo(fetcher->curl, CURLINFO_RESPONSE_CODE, &status);
		if (status / 100 != 3 || status == 304) {
			result = judge(fetcher, status, types, fetched, why);
			break;
		}
		fine = follow(fetcher, turn, &at, why);
	}
	(void)curl_easy_setopt(fetcher->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	free(at);
	return result;
}
