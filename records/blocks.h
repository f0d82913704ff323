/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the store keeps rows: column by column, in blocks. For the files of this folder only. */
#ifndef SQUID_MEETING_BLOCKS_H
#define SQUID_MEETING_BLOCKS_H

#include "records/records.h"

#include "records/internal.h"

/* Codes are of 16 bits. Small blocks are taken in by others. */
enum { BLOCK_ROWS = 65536, SMALL_ROWS = 16384, CONN_SIZE = 256 };

/* What a row has. Texts by their number. */
enum column {
	COLUMN_CONNECTION, /* connection_number */
	/* What else reports ask for. */
	COLUMN_TIME, /* the only one that isn't coded */
	COLUMN_VERDICT,
	COLUMN_STALE,
	COLUMN_DISAGREES,
	COLUMN_PORT,
	COLUMN_CLIENT,
	COLUMN_USER,
	COLUMN_SERVICE, /* of a shadow: the one that it would have been */
	COLUMN_RULE,
	COLUMN_DST,
	COLUMN_NAME, /* as DIMENSION_NAME */
	COLUMN_SNI,
	COLUMN_EVIDENCE,
	/* What only who looks at single records needs: the details. */
	COLUMN_DECIDER,
	COLUMN_PROXY,
	COLUMN_METHOD,
	COLUMN_HOST,
	COLUMN_OWN_SERVICE,
	COLUMN_SOURCE,
	COLUMN_WOULD,
	COLUMN_REASON,
	COLUMN_CONN_CUT, /* conn begins with the client, and that part was left out */
	COLUMN_CONN_LENGTH,
	COLUMNS,
	FIRST_DETAIL = COLUMN_DECIDER
};

/* ---- Rows that are collected ---- */

struct rows {
	uint32_t count;
	int64_t *value[COLUMNS]; /* BLOCK_ROWS of each */
	char *conn;              /* one behind the other */
	size_t conn_length;
};

struct rows *rows_new(void) MUST_CHECK;
void rows_free(struct rows *rows);
void rows_clear(struct rows *rows);

/* The next row is to be filled into value[...][count]; this adds it. There must be room for it. */
void rows_add(struct rows *rows, const char *conn, size_t conn_length);

/* ---- As bytes ---- */

struct bytes {
	char *at;
	size_t length, room;
	bool failed; /* memory has run out */
};

/* Puts the columns first <= column < end behind what is there. */
void rows_encode(const struct rows *rows, enum column first, enum column end, struct bytes *out);

/* A column whose values recur: row's value is value[code[row]]. */
struct coded {
	uint32_t count;
	int64_t *value;
	uint16_t *code;
};

/* A block read back. All arrays have room for BLOCK_ROWS. */
struct block {
	uint32_t rows;
	int64_t *time;
	struct coded coded[COLUMNS];
	const char *conn; /* points into the details' bytes */
	size_t conn_length;
};

/* For columns up to end. */
struct block *block_new(enum column end) MUST_CHECK;
void block_free(struct block *block);

/* Reads what rows_encode made of these columns. False if it isn't that. */
bool block_decode(struct block *block, enum column first, enum column end, const char *bytes, size_t length) MUST_CHECK;

int64_t block_value(const struct block *block, enum column column, uint32_t row);

/* Gives each value a code, in the order of their coming; not more than BLOCK_ROWS values. */
struct coder;
struct coder *coder_new(void) MUST_CHECK;
void coder_free(struct coder *coder);
void coder_start(struct coder *coder, struct coded *coded, uint32_t rows);
uint16_t coder_code(struct coder *coder, int64_t value);

/* ---- In the store ---- */

/* Writes the rows that are collected as a block, with small ones that came before. */
bool blocks_flush(struct store *store) MUST_CHECK;

/* Forgets one block that is older than `oldest`, or what of a block is; of the latter, rows stay until the oldest one is
 * `late` milliseconds too old. Adds the rows to what was forgotten; adds none where nothing is left to forget. */
bool blocks_forget(struct store *store, int64_t oldest, int64_t late, uint64_t *forgotten) MUST_CHECK;

/* Whether all blocks are as they were written. */
bool blocks_are_sound(struct store *store) MUST_CHECK;

/* Decodes what is in a column of a query's row. */
bool block_read(struct block *block, struct sqlite3_stmt *statement, int at, enum column first, enum column end) MUST_CHECK;

/* How many rows the blocks have that may hold records of since <= time < until. */
bool blocks_rows(struct store *store, int64_t since, int64_t until, uint64_t *rows) MUST_CHECK;

/* Note that a block is damaged, or that memory has run out, and return false. */
bool blocks_damaged(struct store *store);
bool blocks_tell_memory(struct store *store);

#endif
