/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as the module answers it; knows nothing of c-icap. For the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_PAGE_H
#define SQUID_MEETING_ICAP_PAGE_H

#include "category/category.h"
#include "icap/shared.h"
#include "icap/statistics.h"
#include "icap/transaction.h"
#include "records/records.h"

/* ---- Who may see it ---- */

struct report_clients {
	struct prefix *list;
	size_t count, room;
};

/* Adds an address or a block in its canonical form. Returns false, and why. */
bool report_clients_add(struct report_clients *clients, struct text text, struct refusal *why) MUST_CHECK;
void report_clients_free(struct report_clients *clients);
bool report_clients_hold(const struct report_clients *clients, struct text client);

/* Whether the host is the wanted one, which is in the form of name_parse; none is if that is "". */
bool report_host_is(const char *wanted, struct text host);

/* ---- What is asked for ---- */

enum page { PAGE_HTML, PAGE_REPORT, PAGE_RECENT, PAGE_METRICS, PAGE_STYLE, PAGE_SCRIPT, PAGE_CHART, PAGE_ICON };

enum { WISH_SINCE, WISH_UNTIL, WISH_BY, WISH_LIMIT, WISH_KEYS };
enum { WISH_VALUE_SIZE = 40 };

struct wish {
	enum page page;
	bool open_metrics; /* in place of Prometheus' own text */
	int64_t since, until;
	enum report_by by;
	size_t limit;
	char value[WISH_KEYS][WISH_VALUE_SIZE]; /* as they were given; "" if not */
};

/* Returns 200, or the status to refuse it with, and why. */
int wish_read(const struct target *target, int64_t now, struct wish *wish, struct refusal *why) MUST_CHECK;

/* What was asked for, at another time. False where it means nothing any more. */
bool wish_renew(struct wish *wish, int64_t now) MUST_CHECK;

/* ---- The answer ---- */

/* What a report takes at most. */
struct page_limits {
	uint64_t records;
	int64_t milliseconds;
};
extern const struct page_limits page_limits; /* 10,000,000; 10 s */

/* What a page is made from. */
struct page_sources {
	const char *store;                /* NULL: none */
	const char *const *folders;
	size_t folder_count;
	const char *const *journals;
	size_t journal_count;
	const char *chart;                /* the library's file */
	const struct category *category;  /* may be NULL */
	const struct statistics *statistics;
	struct shared *shared;            /* may be NULL */
	const struct page_limits *limits;
	int64_t now;
};

struct answer {
	int status;
	const char *type;    /* of the content */
	bool may_be_kept;    /* by the browser: it tells nothing about anybody */
	const char *body;
	size_t length;
	char *made;          /* the body's memory, if it has one; the caller frees it */
};

/* Never fails: what goes wrong is an answer, too. */
void page_answer(const struct page_sources *sources, const struct wish *wish, struct answer *answer);

/* Makes one answer anew, if one is due: somebody asked for it lately, and is likely to do so again. Else, now and then, counts
 * the last day, week or month, so that who asks for it doesn't wait. For one thread of all processes. */
void page_renew(const struct page_sources *sources);

/* An answer of one sentence. */
void page_refuse(int status, const char *why, struct answer *answer);

/* ---- Parts of it ---- */

/* last: the rows of the last decisions, as page_write_last has written them. */
void page_write_html(const struct page_sources *sources, const struct wish *wish, const struct report *report,
    const char *last, FILE *to);
void page_write_last(const struct record *record, FILE *to);
void page_write_trouble(const struct wish *wish, const char *why, FILE *to);
void metrics_write(const struct page_sources *sources, bool open_metrics, FILE *to);

/* Files that the build puts into the module. */
struct asset {
	const char *type;
	const unsigned char *bytes;
	size_t length;
};
extern const struct asset asset_style, asset_script, asset_icon;

#endif
