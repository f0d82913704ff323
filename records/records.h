/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record of one transaction as a line of JSON, and the journal that keeps such lines. */
#ifndef SQUID_MEETING_RECORDS_H
#define SQUID_MEETING_RECORDS_H

#include "category/category.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- The record ------------------------------------------------------------------------------------------------- */

enum record_verdict { RECORD_NORMAL, RECORD_BYPASS, RECORD_SHADOW, RECORD_DENIED };
enum record_decider { RECORD_BY_HELPER, RECORD_BY_ICAP, RECORD_BY_SQUID };

/* One verdict applied to one transaction. The texts may hold any bytes at all; empty ones are missing. Their memory
 * is the caller's. */
struct record {
	int64_t time; /* milliseconds since 1970-01-01 00:00 UTC */
	struct text proxy, conn, client, user, method, host;
	uint16_t port; /* 0: missing */
	struct text dst, sni;
	enum record_verdict verdict;
	struct text service, rule, evidence, source;
	bool stale;
	bool disagrees; /* the helper said bypass, and the module's own folders don't hold it */
	enum record_decider decided_by;
	struct text would;  /* of RECORD_SHADOW: the service that it would have been */
	struct text reason; /* why it is no member */
};

/* The most bytes that a line takes, the newline included. Not more than PIPE_BUF, so a line is whole in a pipe too.
 * */
enum { RECORD_SIZE = 4096 };

/* Writes the record as one line: a JSON object in valid UTF-8, then a newline, no NUL. Missing fields are left out.
 * Bytes that aren't UTF-8 become U+FFFD, control characters are escaped, and a text too long for its field ends in
 * U+2026. Returns the length, which is at least 2. Never fails. */
size_t record_format(const struct record *record, char out[RECORD_SIZE]);

/* The names that a record uses. */
const char *record_verdict_name(enum record_verdict verdict);
const char *record_decider_name(enum record_decider decider);

/* ---- A line read back ------------------------------------------------------------------------------------------- */

enum { RECORD_WHY_SIZE = 256, RECORD_DECODED_SIZE = 4096 };

/* A record with the memory that its texts point into. */
struct record_line {
	struct record record;
	bool passed_over; /* a line of Squid's that is about no refusal: not to be counted */
	void *json;
	size_t decoded_length;
	char decoded[RECORD_DECODED_SIZE];
};

/* Reads a line, without its newline; the texts may point into it. Keys that aren't known are passed over; known ones have to
 * be of their type, and `time`, `verdict` and `decided_by` have to be there. Returns false, and why, for all else: then
 * nothing has to be freed. */
bool record_parse(const char *text, size_t length, struct record_line *line, char why[RECORD_WHY_SIZE]) MUST_CHECK;
void record_line_free(struct record_line *line);

/* ---- Time ------------------------------------------------------------------------------------------------------- */

/* All times are milliseconds since 1970-01-01 00:00 UTC. */

/* RFC 3339, with T or a blank in the middle. */
bool time_parse(struct text text, int64_t *time) MUST_CHECK;

/* "90d": a number and s, m, h, d or w; in milliseconds. */
bool duration_parse(struct text text, int64_t *milliseconds) MUST_CHECK;

/* As people write it: a duration ("2h" ago), now, today, yesterday (their begin), 2026-11-01, 2026-11-01 14:30 (both in
 * local time), RFC 3339. */
bool when_parse(struct text text, int64_t now, int64_t *time) MUST_CHECK;

/* "2026-11-01", "2026-11-01 14:00 +0100", "2026-11-01 14:30", "2026-11-01T14:30:05+01:00", in local time; returns the
 * length. */
enum time_form { TIME_DAY, TIME_HOUR, TIME_MINUTE, TIME_SECOND };
enum { TIME_TEXT_SIZE = 64 };
size_t time_format(int64_t time, enum time_form form, char out[TIME_TEXT_SIZE]);

/* When the local day or hour of that time began. */
int64_t time_floor(int64_t time, enum time_form form);

/* ---- The journal ------------------------------------------------------------------------------------------------ */

/* An append-only file of lines. Any number of threads may write to one journal, and any number of processes to one
 * file, each through a journal of its own that it opened itself: a journal must not be carried over a fork. */
struct journal;

struct journal_options {
	size_t queue_bytes;     /* the most memory for lines that can't be written now */
	unsigned look_interval; /* milliseconds between looks at whether the file was rotated away */
	unsigned retry_interval; /* milliseconds between tries while it can't be written */
	unsigned news_interval; /* milliseconds between two journal_news about the same trouble */
};

/* 1 MiB, one second, one second, one minute. */
extern const struct journal_options journal_defaults;

/* Opens the file, which is made (mode 0640) where it isn't there. A file that can't be opened is no failure here:
 * lines wait in memory, journal_news tells it, and it is tried again. options may be NULL for the defaults; both
 * texts are copied. Returns NULL only when memory has run out. The caller closes it. */
struct journal *journal_open(const char *path, const struct journal_options *options) MUST_CHECK;

enum journal_result {
	JOURNAL_WRITTEN, /* the line is in the file */
	JOURNAL_QUEUED,  /* it waits in memory, behind those that came before it */
	JOURNAL_LOST     /* there is no room for it */
};

/* Appends a line of 1 to RECORD_SIZE bytes that ends in a newline, with one write(2); one of another length is lost.
 * */
enum journal_result journal_write(struct journal *journal, const char *line, size_t length) MUST_CHECK;

/* Writes what waits in memory, if the file can be written now, and lets go of a file that was rotated away. To be
 * called about once a second: neither may wait for the next line to come. */
void journal_flush(struct journal *journal);

/* All counted since journal_open, but waiting, which is now. */
struct journal_counts {
	uint64_t written; /* lines */
	uint64_t errors;  /* tries to open or to write that failed */
	uint64_t lost;    /* lines */
	uint64_t waiting; /* lines in memory */
};
void journal_count(struct journal *journal, struct journal_counts *counts);

/* What somebody should be told now, as one sentence without a newline: a trouble when it begins and once in a
 * news_interval while it lasts, and its end. Cut at size. Returns the length, 0 if there is nothing to tell. */
size_t journal_news(struct journal *journal, char *out, size_t size);

/* Tries once more to write what waits, whatever the interval, and frees the journal. Returns how many lines were lost
 * that way. */
uint64_t journal_close(struct journal *journal);

/* ---- The store -------------------------------------------------------------------------------------------------- */

/* A database of records, filled from journals; one thread at a time. Any number of processes may have it open. */
struct store;

enum { STORE_WHY_SIZE = 2048 };

/* What there is for reports. "sqlite:PATH". Returns NULL, and why, if it isn't there or can't be read. */
struct store *store_open(const char *place, char why[STORE_WHY_SIZE]) MUST_CHECK;
void store_close(struct store *store);

/* How many records there are, or a few thousand more. False, and why, after a failure. */
bool store_count(struct store *store, int64_t since, int64_t until, uint64_t *records, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* From now on what takes longer than that fails. */
void store_give_up_after(struct store *store, int64_t milliseconds);

/* What was counted for reports, for those that ask the same again, of a time that holds most of it: only what is new is
 * counted then. Processes that are forked later share it. It takes KEPT_COUNTS_SIZE bytes at most, for all of them
 * together. NULL when memory has run out. */
enum { KEPT_COUNTS_SIZE = 64 * 1024 * 1024 };
struct kept_counts;
struct kept_counts *kept_counts_new(void) MUST_CHECK;
void kept_counts_free(struct kept_counts *kept);

/* Reports of this store use it, and add to it; NULL: they don't. */
void store_use_counts(struct store *store, struct kept_counts *kept);

/* A mutex in memory that processes share. The next one that takes it after its owner was killed gets EOWNERDEAD, and has to
 * mend what it guards, and to call pthread_mutex_consistent. */
bool robust_mutex_init(pthread_mutex_t *mutex) MUST_CHECK;

/* Whether the last failure was because the file is damaged. */
bool store_is_damaged(const struct store *store);

/* Which of the last records are wanted. */
struct recent_options {
	int64_t since, until; /* since <= time < until */
	size_t limit;
	unsigned verdicts; /* a bit for each, as 1 << RECORD_BYPASS; 0: all */
	/* Only records with these texts; those that are missing here ask for none. The service of a shadow is the one that
	 * it would have been. */
	struct text service, client, user, rule;
};

/* Hands the last records over, the newest first, until `take` returns false. The texts are good until it returns. A
 * conn or dst is as it was written, but for bytes that were NUL. Returns false, and why, after a failure. */
bool store_recent(struct store *store, const struct recent_options *options,
    bool (*take)(void *context, const struct record *record), void *context, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* ---- From the journal to the store ------------------------------------------------------------------------------ */

struct ingest_counts {
	uint64_t records;   /* new rows */
	uint64_t malformed; /* lines that are no record */
	uint64_t expired;   /* records that were too old to be kept */
	uint64_t forgotten; /* rows that had become too old */
	uint64_t files;     /* that were read */
	int64_t bytes, all_bytes; /* how far it is in the files, of how much there is in them */
	bool rebuilt;
};

/* What somebody should be told on the way: a sentence. file is NULL where it is about the store. */
enum ingest_news { INGEST_MALFORMED, INGEST_MOVED_ASIDE, INGEST_UNREADABLE, INGEST_WAITS };

struct ingest_sink;

struct ingest_options {
	const char *const *journals;
	size_t journal_count;
	int64_t keep; /* milliseconds; 0: for ever */
	int64_t now;
	bool rebuild; /* begin with an empty store; the old one is moved aside */
	const struct ingest_sink *sink; /* where records go that the store doesn't keep; NULL: it keeps them */
	bool often;   /* it runs every few seconds: look once a day whether the store is sound, be it ever so small */
	void (*tell)(void *context, enum ingest_news news, const char *file, int64_t offset, const char *text);
	void (*progress)(void *context, const struct ingest_counts *counts); /* may be NULL */
	bool (*stop)(void *context);                                         /* may be NULL */
	void *context;
};

/* Reads what is new in the journals, rotated files included, into the store at `place`, which is made where it isn't
 * there. Each line is counted exactly once, whatever dies and however many do it at once. A damaged store is moved
 * aside and made anew. Returns false, and why, if not all could be done; what was counted stays. */
bool ingest(const char *place, const struct ingest_options *options, struct ingest_counts *counts,
    char why[STORE_WHY_SIZE]) MUST_CHECK;

/* The size of the journals and of the rotated files beside them, of which `bytes` above is a part. */
int64_t journals_size(const char *const *journals, size_t count);

/* ---- ClickHouse: in a library of its own (libclickhouse), as it needs libcurl ---------------------------------------- */

struct clickhouse_options {
	const char *place;     /* clickhouse://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE; clickhouses:// for HTTPS */
	const char *password;  /* instead of the place's; NULL: none given */
	const char *cafile;    /* the authorities that a server's certificate may be of; NULL: the system's */
	int64_t timeout;       /* milliseconds: how long a question may take, or how long a batch is tried again */
	const char *positions; /* of ingest: the file that keeps how far the journals were sent */
};

bool clickhouse_is_place(const char *text) MUST_CHECK;

/* A store for reports. Connects at the first question. Returns NULL, and why, if the place isn't one. */
struct store *clickhouse_open(const struct clickhouse_options *options, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* As ingest, to ClickHouse: a batch is sent until the server has stored it, or the timeout is over. Whatever dies, and
 * whatever is sent twice, each line counts once in reports. */
bool clickhouse_ingest(const struct clickhouse_options *clickhouse, const struct ingest_options *options,
    struct ingest_counts *counts, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* The file that keeps how far the journals were sent, in the folder. NULL, and why, if the place isn't one. The caller
 * frees it. */
char *clickhouse_positions(const char *place, const char *folder, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* ---- The report ------------------------------------------------------------------------------------------------- */

enum report_by { REPORT_BY_SERVICE, REPORT_BY_CLIENT, REPORT_BY_USER, REPORT_BY_RULE, REPORT_BY_HOUR, REPORT_BY_DAY };
enum { REPORT_BYS = 6, REPORT_COLUMNS = 8, REPORT_VERDICTS = 4 };
extern const char *const report_by_names[REPORT_BYS];

struct report_options {
	int64_t since, until, now; /* since <= time < until */
	enum report_by by;
	unsigned also;                   /* further tables: a bit for each, as 1 << REPORT_BY_HOUR */
	size_t limit;                    /* rows of a section; 0: all */
	const struct category *category; /* the one in force; NULL: what needs it is left out */
	const struct category *off;      /* the services that are switched off, as they would be; NULL: none */
};

/* A category of the services that are switched off by an empty file, as they would be without it. NULL: there are none,
 * or memory has run out. The caller frees it. */
struct category *category_load_off(const char *const *folders, size_t count, const struct category *category)
    MUST_CHECK;

/* One line of a section. The texts live as long as the report, and are never NULL. */
struct report_row {
	const char *text[REPORT_COLUMNS];
	uint64_t records, connections, by_verdict[REPORT_VERDICTS]; /* the latter in the order of enum record_verdict */
	int64_t last;
};

/* What figures mean something in a section's rows. */
enum { REPORT_COUNTS = 1, REPORT_VERDICT_COUNTS = 2, REPORT_LAST = 4 };

enum report_show {
	FOR_SCRIPTS, /* in JSON and CSV only */
	FOR_ALL,
	ON_ITS_OWN /* a sentence: as text it has a line of its own */
};

struct report_column {
	const char *name;
	enum report_show show;
};

struct report_section {
	const char *name;  /* for scripts */
	const char *title; /* for people */
	char note[256];    /* what is in it, by which rule */
	struct report_column column[REPORT_COLUMNS];
	size_t columns;
	unsigned figures;
	struct report_row *rows;
	size_t count, room;
	uint64_t omitted; /* rows beyond the limit */
};

enum report_section_number {
	REPORT_TOTALS,     /* a row for each verdict, and one for all */
	REPORT_TABLE,      /* what was asked for by `by` */
	REPORT_FAILURES,   /* normal or denied, and near the category, then other refusals: whose, where to, why */
	REPORT_UNUSED,     /* entries that matched nothing */
	REPORT_EXPIRED,    /* sources past their expiry */
	REPORT_CANDIDATES, /* exempt by name, at addresses that no range of the service holds */
	REPORT_ABUSE,      /* signs of it */
	REPORT_SECTIONS,
	REPORT_ALSO = REPORT_SECTIONS /* and enum report_by: further tables, without a title where they weren't asked for */
};

struct report_memory;

/* A connection is a distinct pair of conn and dst; a record without conn is one of its own. */
struct report {
	int64_t since, until, made;
	enum report_by by;
	struct report_section section[REPORT_ALSO + REPORT_BYS];
	struct report_memory *memory;
};

/* Returns false, and why, after a failure of the store or of memory. The caller frees the report in any case. */
bool report_make(struct store *store, const struct report_options *options, struct report *report,
    char why[STORE_WHY_SIZE]) MUST_CHECK;
void report_free(struct report *report);

/* The section with that name, or REPORT_SECTIONS. */
enum report_section_number report_section_find(const char *name);

/* Each writes the report to a stream, which may be one of open_memstream: whether that worked is ferror's to tell.
 * Texts come from clients: each form is escaped in its own way. */
struct report_look {
	unsigned width;               /* columns of the terminal */
	const char *bold, *dim, *plain; /* what switches these on and off; "" for none */
};
void report_write_text(const struct report *report, const struct report_look *look, FILE *to);
void report_write_html(const struct report *report, FILE *to); /* a page of its own: no script, nothing from elsewhere */
void html_write_text(const char *text, FILE *to);              /* escaped, in an element or in a quoted attribute */
void html_write_table(const struct report_section *section, bool bars, FILE *to);
void report_write_csv(const struct report *report, enum report_section_number section, FILE *to); /* RFC 4180 */
bool report_write_json(const struct report *report, FILE *to) MUST_CHECK; /* false when memory has run out */

#endif
