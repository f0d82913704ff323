/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answers to requests for the report.
 *
 * What takes time is made by one thread of one process at a time, and kept. An answer that isn't old is given again, and
 * says of when it is; the thread that fills the store makes it anew in time (page_renew). Who asks for something else
 * meanwhile waits, but no more than a few threads of a process do, since the others are there for traffic. Time and size
 * are bounded. */
#include <config.h>

#include "icap/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WAITING = 3,           /* threads of a process */
	WAIT_MS = 3000,
	RECENT_MS = 900,       /* the last records are given again as long as that */
	OLD_MS = 10 * 60 * 1000, /* and any answer where another one is being made */
	CHART_SIZE = 2 * 1024 * 1024
};

const struct page_limits page_limits = { .records = 10 * 1000 * 1000, .milliseconds = 10 * 1000 };

static const char html[] = "text/html; charset=utf-8", json[] = "application/json", plain[] = "text/plain; charset=utf-8";

void page_refuse(int status, const char *why, struct answer *answer)
{
	char *made = NULL;

	*answer = (struct answer){ .status = status, .type = plain, .body = "" };
	if (asprintf(&made, "%s\n", why) < 0)
		return;
	answer->body = answer->made = made;
	answer->length = strlen(made);
}

static void give_made(struct answer *answer, int status, const char *type, char *made, size_t length)
{
	*answer = (struct answer){ .status = status, .type = type, .body = made, .made = made, .length = length };
}

/* ---- Files ---- */

static void give_asset(const struct asset *asset, struct answer *answer)
{
	*answer = (struct answer){ .status = 200, .type = asset->type, .may_be_kept = true,
		.body = (const char *)asset->bytes, .length = asset->length };
}

static char *read_chart(const char *path, size_t *length)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char *bytes = NULL;
	ssize_t got = -1;

	*length = 0;
	if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
	    status.st_size <= CHART_SIZE)
		bytes = malloc((size_t)status.st_size);
	while (bytes != NULL && *length < (size_t)status.st_size &&
	    ((got = read(file, bytes + *length, (size_t)status.st_size - *length)) > 0 || (got < 0 && errno == EINTR)))
		*length += got > 0 ? (size_t)got : 0;
	if (file >= 0)
		close(file);
	if (bytes != NULL && *length == 0) {
		free(bytes);
		bytes = NULL;
	}
	return bytes;
}

static void give_chart(const struct page_sources *sources, struct answer *answer)
{
	size_t length;
	char *bytes = read_chart(sources->chart, &length);

	if (bytes == NULL) {
		page_refuse(404, "the library for charts isn't there: apt-get install libjs-chart.js", answer);
		return;
	}
	give_made(answer, 200, "text/javascript; charset=utf-8", bytes, length);
	answer->may_be_kept = true;
}

static void give_metrics(const struct page_sources *sources, bool open_metrics, struct answer *answer)
{
	char *made = NULL;
	size_t length;
	FILE *to = open_memstream(&made, &length);

	if (to != NULL)
		metrics_write(sources, open_metrics, to);
	if (to == NULL || fclose(to) != 0) {
		free(made);
		page_refuse(503, "out of memory", answer);
		return;
	}
	give_made(answer, 200, open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8", made, length);
}

/* ---- What comes from the store ---- */

/* The last records, as rows of a table or as JSON. */
struct last {
	bool as_html;
	size_t count;
	FILE *to;
};

static bool take_last(void *context, const struct record *record)
{
	struct last *last = context;
	char line[RECORD_SIZE];

	if (last->as_html) {
		page_write_last(record, last->to);
	} else {
		size_t length = record_format(record, line);

		fprintf(last->to, "%s%.*s", last->count > 0 ? "," : "", (int)length - 1, line);
	}
	last->count++;
	return !ferror(last->to);
}

static bool write_last(const struct wish *wish, struct store *store, FILE *to, char why[STORE_WHY_SIZE])
{
	const struct recent_options options = { .since = wish->since, .until = wish->until, .limit = wish->limit };
	struct last last = { .as_html = wish->page == PAGE_HTML, .to = to };

	return store_recent(store, &options, take_last, &last, why);
}

static bool write_recent(const struct page_sources *sources, const struct wish *wish, struct store *store, FILE *to,
    char why[STORE_WHY_SIZE])
{
	char made[TIME_TEXT_SIZE];
	bool good;

	(void)time_format(sources->now, TIME_SECOND, made);
	fprintf(to, "{\"made\":\"%s\",\"records\":[", made);
	good = write_last(wish, store, to, why);
	fputs("]}\n", to);
	return good;
}

/* The page has the last decisions in its middle. */
static bool write_html(const struct page_sources *sources, const struct wish *wish, struct store *store,
    const struct report *report, FILE *to, char why[STORE_WHY_SIZE])
{
	char *rows = NULL;
	size_t length;
	FILE *rows_to = open_memstream(&rows, &length);
	bool good = rows_to != NULL && write_last(wish, store, rows_to, why);

	if (rows_to == NULL || fclose(rows_to) != 0) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		good = false;
	}
	if (good)
		page_write_html(sources, wish, report, rows, to);
	free(rows);
	return good;
}

static bool write_report(const struct page_sources *sources, const struct wish *wish, struct store *store,
    FILE *to, char why[STORE_WHY_SIZE])
{
	const int64_t three_days = INT64_C(3) * 24 * 60 * 60 * 1000;
	bool by_hour = wish->until - wish->since <= three_days;
	struct category *off = sources->category == NULL ? NULL :
	    category_load_off(sources->folders, sources->folder_count, sources->category);
	struct report_options options = { .since = wish->since, .until = wish->until, .now = sources->now, .by = wish->by,
		.also = 1 << REPORT_BY_SERVICE | 1 << REPORT_BY_CLIENT | 1 << (by_hour ? REPORT_BY_HOUR : REPORT_BY_DAY),
		.limit = wish->limit, .category = sources->category, .off = off };
	struct report report;
	bool good = report_make(store, &options, &report, why);

	if (good && wish->page == PAGE_HTML) {
		good = write_html(sources, wish, store, &report, to, why);
	} else if (good && !report_write_json(&report, to)) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		good = false;
	}
	report_free(&report);
	category_free(off);
	return good;
}

static bool is_small(const struct page_sources *sources, const struct wish *wish, struct store *store,
    char why[STORE_WHY_SIZE])
{
	uint64_t records;

	if (!store_count(store, wish->since, wish->until, &records, why))
		return false;
	if (records <= sources->limits->records)
		return true;
	snprintf(why, STORE_WHY_SIZE, "these are %" PRIu64 " records, and a page is made of %" PRIu64 " at most: choose a shorter "
	    "time, or use meetingctl report", records, sources->limits->records);
	return false;
}

/* Writes what is asked for, or says why it can't be had. */
static bool write_wish(const struct page_sources *sources, const struct wish *wish, FILE *to, char why[STORE_WHY_SIZE])
{
	int64_t begun = clock_monotonic(), most = sources->limits->milliseconds;
	struct store *store;
	bool good;

	if (sources->store == NULL) {
		snprintf(why, STORE_WHY_SIZE, "there is no store: c-icap.conf has no meeting.Store");
		return false;
	}
	store = store_open(sources->store, why);
	if (store == NULL)
		return false;
	store_give_up_after(store, most);
	if (sources->shared != NULL)
		store_use_counts(store, shared_counts(sources->shared));
	good = wish->page == PAGE_RECENT ? write_recent(sources, wish, store, to, why) :
	    is_small(sources, wish, store, why) && write_report(sources, wish, store, to, why);
	if (!good && store_is_damaged(store) && sources->shared != NULL)
		shared_suspect(sources->shared);
	else if (!good && clock_monotonic() - begun >= most)
		snprintf(why, STORE_WHY_SIZE, "it takes longer than %" PRId64 " s: choose a shorter time, or use meetingctl report",
		    most / 1000);
	store_close(store);
	return good;
}

static void write_trouble(const struct wish *wish, const char *why, FILE *to)
{
	if (wish->page == PAGE_HTML) {
		page_write_trouble(wish, why, to);
		return;
	}
	fputs("{\"error\":\"", to);
	/* Of a text of ours, and of paths. */
	for (; *why != '\0'; why++)
		fputc(*why == '"' || *why == '\\' || (unsigned char)*why < ' ' || (unsigned char)*why > '~' ? '?' : *why, to);
	fputs("\"}\n", to);
}

/* Makes the answer, be it that it can't be had. */
static void make(const struct page_sources *sources, const struct wish *wish, struct answer *answer)
{
	const char *type = wish->page == PAGE_HTML ? html : json;
	char why[STORE_WHY_SIZE] = "", *made = NULL;
	size_t length;
	FILE *to = open_memstream(&made, &length);
	bool good = to != NULL && write_wish(sources, wish, to, why);

	if (to != NULL && good && fflush(to) == 0 && length > SHARED_ANSWER_SIZE) {
		snprintf(why, sizeof why, "the answer is too long; ask for fewer rows");
		good = false;
	}
	if (to != NULL && !good) {
		rewind(to);
		write_trouble(wish, why, to);
	}
	if (to == NULL || fclose(to) != 0) {
		free(made);
		page_refuse(503, "out of memory", answer);
		return;
	}
	give_made(answer, good ? 200 : 503, type, made, length);
}

/* ---- One at a time ---- */

static bool give_kept(const struct page_sources *sources, const struct wish *wish, int64_t oldest, struct answer *answer)
{
	int status;
	size_t length;
	char *kept = shared_answer(sources->shared, wish, oldest, &status, &length);

	if (kept != NULL)
		give_made(answer, status, wish->page == PAGE_HTML ? html : json, kept, length);
	return kept != NULL;
}

static void make_and_keep(const struct page_sources *sources, const struct wish *wish, struct answer *answer)
{
	int64_t begun = clock_monotonic();

	make(sources, wish, answer);
	shared_keep(sources->shared, wish, answer->status, answer->body, answer->length, clock_monotonic() - begun);
	/* It took much, and isn't needed again soon. */
	if (wish->page != PAGE_RECENT)
		(void)malloc_trim(0);
}

static void give_kept_or_make(const struct page_sources *sources, const struct wish *wish, struct answer *answer)
{
	static atomic_int waiting;
	bool ours;

	if (give_kept(sources, wish, wish->page == PAGE_RECENT ? RECENT_MS : SHARED_STALE_MS, answer))
		return;
	/* The last records are read from the store's end, in no time. */
	if (wish->page == PAGE_RECENT) {
		make_and_keep(sources, wish, answer);
		return;
	}
	ours = shared_make(sources->shared, 0);
	if (!ours && give_kept(sources, wish, OLD_MS, answer))
		return;
	if (!ours) {
		ours = atomic_fetch_add(&waiting, 1) < WAITING && shared_make(sources->shared, WAIT_MS);
		atomic_fetch_sub(&waiting, 1);
	}
	if (!ours) {
		page_refuse(503, "another report is being made; try again in a few seconds", answer);
		return;
	}
	if (!give_kept(sources, wish, SHARED_STALE_MS, answer))
		make_and_keep(sources, wish, answer);
	shared_made(sources->shared);
}

/* Counts what the page has links to: that is kept, and what is new by then takes no time. An answer isn't kept of it, as it is
 * to be of when somebody comes. */
static void count_ahead(const struct page_sources *sources)
{
	static const char *const since[] = { "24h", "7d", "30d" };
	struct wish wish = { .page = PAGE_REPORT };
	int64_t begun = clock_monotonic(), now;
	struct answer answer;
	size_t which;

	if (!shared_ahead(sources->shared, begun, sizeof since / sizeof since[0], &which))
		return;
	snprintf(wish.value[WISH_SINCE], WISH_VALUE_SIZE, "%s", since[which]);
	if (!wish_renew(&wish, sources->now))
		return;
	make(sources, &wish, &answer);
	free(answer.made);
	(void)malloc_trim(0);
	now = clock_monotonic();
	shared_rest(sources->shared, now + (now - begun) * SHARED_REST_TIMES);
}

void page_renew(const struct page_sources *sources)
{
	struct answer answer;
	struct wish wish;

	/* Beside the one who may make answers: nobody is to wait for a thread of low priority. */
	if (sources->shared == NULL)
		return;
	if (!shared_due(sources->shared, clock_monotonic(), &wish)) {
		count_ahead(sources);
		return;
	}
	if (!wish_renew(&wish, sources->now))
		return;
	make_and_keep(sources, &wish, &answer);
	free(answer.made);
}

void page_answer(const struct page_sources *sources, const struct wish *wish, struct answer *answer)
{
	switch (wish->page) {
	case PAGE_STYLE:
		give_asset(&asset_style, answer);
		break;
	case PAGE_SCRIPT:
		give_asset(&asset_script, answer);
		break;
	case PAGE_ICON:
		give_asset(&asset_icon, answer);
		break;
	case PAGE_CHART:
		give_chart(sources, answer);
		break;
	case PAGE_METRICS:
		give_metrics(sources, wish->open_metrics, answer);
		break;
	default:
		if (sources->shared != NULL)
			give_kept_or_make(sources, wish, answer);
		else
			page_refuse(503, "out of memory", answer);
		break;
	}
}
