/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ClickHouse's HTTP interface.
 *
 * An answer counts only if it is ClickHouse's own: something else that says 200 to whatever it is sent must not be taken
 * for a server that has stored it. Errors come with their number, by which those that pass are told from those that don't. */
#include <config.h>

#include "records/clickhouse.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 10 * 1000, ERROR_SIZE = 512 };

struct clickhouse {
	struct clickhouse_place place;
	CURL *curl;
	struct curl_slist *headers;
	int64_t timeout;
	bool (*stop)(void *context);
	void *stop_context;

	/* Of the request at hand. */
	bool (*take)(void *context, const char *bytes, size_t length); /* NULL: there is nothing to be answered */
	void *context;
	bool is_clickhouse, is_framed, refused;
	char error[ERROR_SIZE]; /* what was answered instead */
	size_t error_length;
};

/* ---- Replies ---- */

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct clickhouse *clickhouse = context;
	static const char own[] = "X-ClickHouse-", length[] = "Content-Length:", coding[] = "Transfer-Encoding: chunked";
	const struct text line = { .at = bytes, .length = size * count };

	if (line.length >= sizeof own && strncasecmp(line.at, own, sizeof own - 1) == 0)
		clickhouse->is_clickhouse = true;
	if ((line.length >= sizeof length && strncasecmp(line.at, length, sizeof length - 1) == 0) ||
	    (line.length >= sizeof coding && strncasecmp(line.at, coding, sizeof coding - 1) == 0))
		clickhouse->is_framed = true;
	return line.length;
}

static long status_of(struct clickhouse *clickhouse)
{
	long status = 0;

	curl_easy_getinfo(clickhouse->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool is_answer(struct clickhouse *clickhouse)
{
	return status_of(clickhouse) == 200 && clickhouse->is_clickhouse && clickhouse->is_framed;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct clickhouse *clickhouse = context;
	size_t length = size * count;

	if (clickhouse->take != NULL && is_answer(clickhouse)) {
		clickhouse->refused = !clickhouse->take(clickhouse->context, bytes, length);
		return clickhouse->refused ? 0 : length;
	}
	/* It may go to a terminal. What is behind that much of it isn't waited for. */
	for (size_t i = 0; i < length && clickhouse->error_length < ERROR_SIZE - 1; i++) {
		unsigned char c = (unsigned char)bytes[i];

		clickhouse->error[clickhouse->error_length++] = (char)(c < 0x20 || c >= 0x7f ? ' ' : c);
	}
	return clickhouse->error_length < ERROR_SIZE - 1 ? length : 0;
}

static int look_whether_to_stop(void *context, curl_off_t all_down, curl_off_t down, curl_off_t all_up, curl_off_t up)
{
	struct clickhouse *clickhouse = context;

	(void)all_down, (void)down, (void)all_up, (void)up;
	return clickhouse->stop != NULL && clickhouse->stop(clickhouse->stop_context);
}

/* ---- Errors ---- */

/* "Code: 60, e.displayText() = DB::Exception: ..."; 0 if it isn't one. */
static unsigned error_code(const char *text)
{
	return strncmp(text, "Code: ", 6) == 0 ? (unsigned)strtoul(text + 6, NULL, 10) : 0;
}

static const char *error_text(const char *text)
{
	static const char mark[] = "DB::Exception: ";
	const char *found = strstr(text, mark);

	return found == NULL ? text : found + sizeof mark - 1;
}

/* What somebody has to see to, by the server's numbers; NULL for what may pass. */
static const char *remedy_of(unsigned code)
{
	static const char make[] = "make it by " CLICKHOUSE_DIR "/single.sql or sharded.sql";
	static const char compare[] = "compare its table with " CLICKHOUSE_DIR "/single.sql";
	static const char user[] = "give the user in the place, and the password by --password-file";
	static const struct {
		unsigned code;
		const char *remedy;
	} known[] = { { 81, make }, { 60, make }, { 16, compare }, { 26, compare }, { 27, compare }, { 36, compare },
		{ 47, compare }, { 49, compare }, { 53, compare }, { 72, compare }, { 117, compare }, { 192, user }, { 193, user },
		{ 516, user }, { 164, "a user for reports needs readonly=2, and one for ingest must be allowed to write" },
		{ 497, "grant the user SELECT for reports, INSERT for ingest, and ALTER DELETE for --keep" },
		{ 291, "allow the user to use this database" } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].code == code)
			return known[i].remedy;
	return NULL;
}

static bool may_pass(long status, unsigned code)
{
	return code != 0 ? remedy_of(code) == NULL : status >= 500 || status == 408 || status == 429;
}

static enum clickhouse_result tell_unreached(struct clickhouse *clickhouse, CURLcode code, const char *detail,
    char why[STORE_WHY_SIZE])
{
	const char *shown = clickhouse->place.shown;

	if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(why, STORE_WHY_SIZE, "%s: no answer within %" PRId64 " s; is the server overloaded, or is --timeout too "
		    "short?", shown, (clickhouse->timeout + 999) / 1000);
	else if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
		snprintf(why, STORE_WHY_SIZE, "%s: can't be reached: %s; does the server run, and listen for HTTP there?", shown,
		    detail);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		snprintf(why, STORE_WHY_SIZE, "%s: its certificate isn't believed: %s; CURL_CA_BUNDLE may name the file of its "
		    "authority", shown, detail);
	else
		snprintf(why, STORE_WHY_SIZE, "%s: the connection broke: %s", shown, detail);
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_OUT_OF_MEMORY ? CLICKHOUSE_NEVER : CLICKHOUSE_LATER;
}

static enum clickhouse_result tell_error(struct clickhouse *clickhouse, char why[STORE_WHY_SIZE])
{
	long status = status_of(clickhouse);
	unsigned code = error_code(clickhouse->error);
	const char *remedy = remedy_of(code), *shown = clickhouse->place.shown;

	if (code != 0)
		snprintf(why, STORE_WHY_SIZE, "%s: %s%s%s", shown, error_text(clickhouse->error), remedy != NULL ? "; " : "",
		    remedy != NULL ? remedy : "");
	else if (status == 401 || status == 403)
		snprintf(why, STORE_WHY_SIZE, "%s: the user isn't let in (HTTP %ld); %s", shown, status, remedy_of(193));
	else
		snprintf(why, STORE_WHY_SIZE, "%s: that isn't how ClickHouse answers (HTTP %ld%s%.100s); is it the port of its "
		    "HTTP interface?", shown, status, clickhouse->error_length > 0 ? ": " : "", clickhouse->error);
	return may_pass(status, code) ? CLICKHOUSE_LATER : CLICKHOUSE_NEVER;
}

/* ---- Requests ---- */

/* Adds NAME=VALUE to the URL; the value is escaped. */
static bool make_url(struct clickhouse *clickhouse, const char *query, const char *settings, char **url)
{
	char *escaped = curl_easy_escape(clickhouse->curl, query, 0);

	if (escaped == NULL || asprintf(url, "%s?database=%s&%s%s%s", clickhouse->place.url, clickhouse->place.database, settings,
	    query[0] != '\0' ? "&query=" : "", escaped) < 0)
		*url = NULL;
	curl_free(escaped);
	return *url != NULL;
}

static enum clickhouse_result request(struct clickhouse *clickhouse, const char *query, const char *settings,
    const char *body, size_t length, char why[STORE_WHY_SIZE])
{
	char detail[CURL_ERROR_SIZE] = "", *url;
	CURLcode code;

	snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (!make_url(clickhouse, query, settings, &url))
		return CLICKHOUSE_NEVER;
	clickhouse->is_clickhouse = clickhouse->is_framed = clickhouse->refused = false;
	memset(clickhouse->error, 0, sizeof clickhouse->error);
	clickhouse->error_length = 0;
	curl_easy_setopt(clickhouse->curl, CURLOPT_URL, url);
	curl_easy_setopt(clickhouse->curl, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(clickhouse->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(clickhouse->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	curl_easy_setopt(clickhouse->curl, CURLOPT_TIMEOUT_MS, (long)clickhouse->timeout);
	code = curl_easy_perform(clickhouse->curl);
	curl_easy_setopt(clickhouse->curl, CURLOPT_ERRORBUFFER, NULL);
	free(url);
	if (clickhouse->refused) {
		snprintf(why, STORE_WHY_SIZE, "%s: its answer isn't taken", clickhouse->place.shown);
		return CLICKHOUSE_NEVER;
	}
	if (code != CURLE_OK && clickhouse->error_length == 0)
		return tell_unreached(clickhouse, code, detail[0] != '\0' ? detail : curl_easy_strerror(code), why);
	if (!is_answer(clickhouse) || clickhouse->error_length > 0)
		return tell_error(clickhouse, why);
	return CLICKHOUSE_DONE;
}

enum clickhouse_result clickhouse_insert(struct clickhouse *clickhouse, const char *rows, size_t length,
    char why[STORE_WHY_SIZE])
{
	clickhouse->take = NULL;
	/* Without it a Distributed table would say yes to what it only means to send on. */
	return request(clickhouse, "INSERT INTO records FORMAT JSONEachRow", "insert_distributed_sync=1", rows, length, why);
}

enum clickhouse_result clickhouse_query(struct clickhouse *clickhouse, const char *sql,
    bool (*take)(void *context, const char *bytes, size_t length), void *context, char why[STORE_WHY_SIZE])
{
	clickhouse->take = take;
	clickhouse->context = context;
	/* The first one lets an error come as an error, and not in the middle of an answer. */
	return request(clickhouse, "", "wait_end_of_query=1&extremes=1", sql, strlen(sql), why);
}

/* ---- The connection ---- */

static bool set_up(struct clickhouse *clickhouse, const char *password, const char *cafile)
{
	const struct clickhouse_place *place = &clickhouse->place;
	CURL *curl = clickhouse->curl;

	/* Large bodies would wait for a leave that this server doesn't give. */
	clickhouse->headers = curl_slist_append(NULL, "Expect:");
	if (clickhouse->headers == NULL)
		return false;
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, clickhouse->headers);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "squid-meeting/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_whether_to_stop);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, clickhouse);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, clickhouse);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, clickhouse);
	if (cafile != NULL && curl_easy_setopt(curl, CURLOPT_CAINFO, cafile) != CURLE_OK)
		return false;
	if (password == NULL)
		password = place->password;
	return (place->user == NULL && password == NULL) ||
	    (curl_easy_setopt(curl, CURLOPT_USERNAME, place->user != NULL ? place->user : "default") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PASSWORD, password != NULL ? password : "") == CURLE_OK);
}

struct clickhouse *clickhouse_new(const struct clickhouse_options *options, int64_t timeout, char why[STORE_WHY_SIZE])
{
	struct clickhouse *clickhouse = calloc(1, sizeof *clickhouse);

	snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (clickhouse == NULL)
		return NULL;
	clickhouse->timeout = timeout;
	if (clickhouse_place_parse(options->place, &clickhouse->place, why)) {
		clickhouse->curl = curl_easy_init();
		if (clickhouse->curl != NULL && set_up(clickhouse, options->password, options->cafile))
			return clickhouse;
		snprintf(why, STORE_WHY_SIZE, "out of memory");
	}
	clickhouse_free(clickhouse);
	return NULL;
}

void clickhouse_free(struct clickhouse *clickhouse)
{
	if (clickhouse == NULL)
		return;
	curl_easy_cleanup(clickhouse->curl);
	curl_slist_free_all(clickhouse->headers);
	clickhouse_place_free(&clickhouse->place);
	free(clickhouse);
}

void clickhouse_stop_by(struct clickhouse *clickhouse, bool (*stop)(void *context), void *context)
{
	clickhouse->stop = stop;
	clickhouse->stop_context = context;
}

const struct clickhouse_place *clickhouse_place(const struct clickhouse *clickhouse)
{
	return &clickhouse->place;
}
