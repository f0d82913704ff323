/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store in ClickHouse is made of; for the files of this folder only, and for their tests. */
#ifndef SQUID_MEETING_RECORDS_CLICKHOUSE_H
#define SQUID_MEETING_RECORDS_CLICKHOUSE_H

#include "records/internal.h"
#include "records/records.h"

/* ---- The place ---- */

/* clickhouse://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE, or clickhouses:// for HTTPS; the port is 8123, or 8443. */
struct clickhouse_place {
	char *url;      /* of the HTTP interface */
	char *shown;    /* for people: without the user and the password */
	char *host, *database;
	char *user, *password; /* NULL where they aren't given */
	unsigned port;
};

/* Returns false, and why, if the text is no such place. The caller frees it in any case. */
bool clickhouse_place_parse(const char *text, struct clickhouse_place *place, char why[STORE_WHY_SIZE]) MUST_CHECK;
void clickhouse_place_free(struct clickhouse_place *place);

/* ---- The connection ---- */

struct clickhouse;

/* Connects at the first request. Each try takes at most `timeout` milliseconds. NULL, and why, after a failure. */
struct clickhouse *clickhouse_new(const struct clickhouse_options *options, int64_t timeout,
    char why[STORE_WHY_SIZE]) MUST_CHECK;
void clickhouse_free(struct clickhouse *clickhouse);
const struct clickhouse_place *clickhouse_place(const struct clickhouse *clickhouse);

/* Who is asked, now and then, whether a request should be given up; NULL: nobody. */
void clickhouse_stop_by(struct clickhouse *clickhouse, bool (*stop)(void *context), void *context);

enum clickhouse_result {
	CLICKHOUSE_DONE,
	CLICKHOUSE_LATER, /* a trouble that may pass */
	CLICKHOUSE_NEVER  /* one that somebody has to see to */
};

/* Sends rows of JSONEachRow to the table, and has them stored in all shards that they belong to. */
enum clickhouse_result clickhouse_insert(struct clickhouse *clickhouse, const char *rows, size_t length,
    char why[STORE_WHY_SIZE]) MUST_CHECK;

/* Sends a query, and hands what is answered over as it comes, until take returns false. A whole answer of rows ends in
 * what answer_end looks for. */
enum clickhouse_result clickhouse_query(struct clickhouse *clickhouse, const char *sql,
    bool (*take)(void *context, const char *bytes, size_t length), void *context, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* ---- Rows that are sent ---- */

/* Writes a record as one line of JSONEachRow. A NUL in a text becomes a question mark, as in SQLite. */
void clickhouse_row(const struct record *record, uint64_t identity, FILE *to);

/* ---- Answers ---- */

/* Reads TabSeparated with extremes: rows, an empty line, the least and the greatest of each column, and nothing behind.
 * Nothing at all is an answer without rows. */
enum { ANSWER_FIELDS = 16, ANSWER_LINE = 64 * 1024 };

struct answer {
	size_t fields; /* that a row must have */
	bool (*row)(void *context, const struct text *fields); /* returns false to stop */
	void *context;
	uint64_t rows;
	unsigned behind; /* lines behind the last row */
	bool stopped;
	const char *wrong; /* NULL: nothing */
	size_t length;
	char line[ANSWER_LINE];
};

void answer_begin(struct answer *answer, size_t fields, bool (*row)(void *, const struct text *), void *context);
/* False when nothing more is wanted: something is wrong, or the row said so. */
bool answer_take(struct answer *answer, const char *bytes, size_t length) MUST_CHECK;
/* Whether all of it was there; else `wrong` says why. */
bool answer_end(struct answer *answer) MUST_CHECK;

/* A decimal number, strictly. */
bool answer_number(struct text field, uint64_t *number) MUST_CHECK;
bool answer_signed(struct text field, int64_t *number) MUST_CHECK;

/* ---- Queries ---- */

struct query {
	const struct question *question;
	int64_t since, until;
	uint64_t rows; /* how many there are, about */
	int64_t twice_since, twice_until; /* between which records may be there twice */
	const char *offset; /* as clickhouse_offset writes it; for questions with local time */
	struct store *store; /* whose texts these groups have: */
	const struct group **wanted; /* of question->within */
	size_t wanted_count;
};

/* The columns are the question's dimensions, the number of records, of connections, the time of the last record, and
 * the number of records for each of the question's verdicts below the one that is left out, as it is what remains. Where they
 * are few, the server is told of the wanted groups, and leaves the others out. The caller frees it; NULL: out of memory. */
char *query_of_question(const struct query *query) MUST_CHECK;
unsigned query_verdict_left_out(const struct question *question);

/* What there is at the moment, as one row: the times of the first record and of the last, how many rows there are, and how many
 * if those that are there twice count once, the times of the first and the last of the minutes that have such, and the rows of each
 * verdict. The caller frees it; NULL: out of memory. */
char *query_of_moment(int64_t since, int64_t until) MUST_CHECK;

/* ---- Local time ---- */

/* Writes an expression for how many milliseconds local time is ahead of UTC at the column `time`, right for first <= time
 * <= last. Returns false if the clock changes more often than an expression may tell. */
bool clickhouse_offset(int64_t first, int64_t last, FILE *to) MUST_CHECK;

#endif
