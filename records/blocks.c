/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of rows in the database.
 *
 * Each batch of ingest becomes a block. So that many small batches don't become many small blocks, a new block takes in
 * those before it that are less than twice its size, as long as it stays small: then there are never more than some
 * twenty small ones, and a record is rewritten not more often than that. */
#include <config.h>

#include "records/blocks.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

bool blocks_damaged(struct store *store)
{
	store->damaged = true;
	snprintf(store->trouble, sizeof store->trouble, "%s: a block of records is damaged (meetingctl ingest --rebuild mends it)",
	    store->path);
	return false;
}

bool block_read(struct block *block, struct sqlite3_stmt *statement, int at, enum column first, enum column end)
{
	const char *bytes = sqlite3_column_blob(statement, at);

	return bytes != NULL && block_decode(block, first, end, bytes, (size_t)sqlite3_column_bytes(statement, at));
}

bool blocks_tell_memory(struct store *store)
{
	snprintf(store->trouble, sizeof store->trouble, "out of memory");
	return false;
}

/* ---- Writing ---- */

/* These columns as what the statement is given at `at`. */
static bool bind_columns(struct store *store, struct sqlite3_stmt *statement, int at, enum column first, enum column end)
{
	struct bytes bytes = { .at = NULL };

	rows_encode(store->rows, first, end, &bytes);
	if (bytes.failed) {
		free(bytes.at);
		return blocks_tell_memory(store);
	}
	return sqlite3_bind_blob64(statement, at, bytes.at, bytes.length, free) == SQLITE_OK || store_failed(store);
}

static bool run(struct store *store, struct sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return result == SQLITE_DONE || store_failed(store);
}

/* Those that are collected become a block as they are. */
static bool write_rows(struct store *store)
{
	const struct rows *rows = store->rows;
	const int64_t *time = rows->value[COLUMN_TIME];
	int64_t first = rows->count > 0 ? time[0] : 0, last = first;
	bool good = true;

	for (uint32_t i = 0; i < rows->count; i++) {
		first = time[i] < first ? time[i] : first;
		last = time[i] > last ? time[i] : last;
	}
	if (rows->count > 0) {
		sqlite3_bind_int64(store->block_add, 1, first);
		sqlite3_bind_int64(store->block_add, 2, last);
		sqlite3_bind_int64(store->block_add, 3, rows->count);
		good = bind_columns(store, store->block_add, 4, COLUMN_CONNECTION, COLUMN_TIME) &&
		    bind_columns(store, store->block_add, 5, COLUMN_TIME, FIRST_DETAIL) && run(store, store->block_add);
	}
	if (good && rows->count > 0) {
		sqlite3_bind_int64(store->details_add, 1, sqlite3_last_insert_rowid(store->db));
		good = bind_columns(store, store->details_add, 2, FIRST_DETAIL, COLUMNS) && run(store, store->details_add);
	}
	rows_clear(store->rows);
	return good;
}

static void append(struct rows *rows, const struct block *block, int64_t oldest)
{
	size_t conn = 0;

	for (uint32_t row = 0; row < block->rows; row++) {
		size_t length = (size_t)block_value(block, COLUMN_CONN_LENGTH, row);

		if (block->time[row] >= oldest) {
			for (int column = 0; column < COLUMNS; column++)
				rows->value[column][rows->count] = block_value(block, (enum column)column, row);
			rows_add(rows, block->conn + conn, length);
		}
		conn += length;
	}
}

static bool run_for(struct store *store, const char *sql, int64_t number, int *changed)
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, sql, &statement) && sqlite3_bind_int64(statement, 1, number) == SQLITE_OK &&
	    (sqlite3_step(statement) == SQLITE_DONE || store_failed(store));

	*changed = good ? sqlite3_changes(store->db) : 0;
	sqlite3_finalize(statement);
	return good;
}

/* Adds a block's rows that aren't older to those that are collected. What was read is gone with the statement. */
static bool add_rows(struct store *store, int64_t id, int64_t oldest, struct block *block)
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, "SELECT b.connections, b.columns, d.columns FROM blocks b"
	    " JOIN details d ON d.id = b.id WHERE b.id = ?1", &statement);

	if (good) {
		int result;

		sqlite3_bind_int64(statement, 1, id);
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW && result != SQLITE_DONE)
			good = store_failed(store);
		else if (result == SQLITE_DONE || !block_read(block, statement, 0, COLUMN_CONNECTION, COLUMN_TIME) ||
		    !block_read(block, statement, 1, COLUMN_TIME, FIRST_DETAIL) ||
		    !block_read(block, statement, 2, FIRST_DETAIL, COLUMNS) || store->rows->count + block->rows > BLOCK_ROWS)
			good = blocks_damaged(store);
		else
			append(store->rows, block, oldest);
	}
	sqlite3_finalize(statement);
	return good;
}

/* Adds them, and removes the block. */
static bool take_in(struct store *store, int64_t id, int64_t oldest)
{
	struct block *block = block_new(COLUMNS);
	bool good = block != NULL ? add_rows(store, id, oldest, block) : blocks_tell_memory(store);
	int changed;

	block_free(block);
	return good && run_for(store, "DELETE FROM blocks WHERE id = ?1", id, &changed) &&
	    run_for(store, "DELETE FROM details WHERE id = ?1", id, &changed);
}

/* Finds one block: two numbers of it. false in *found where there is none. */
static bool find_block(struct store *store, const char *sql, int64_t first, int64_t second, bool *found, int64_t *id,
    int64_t *rows)
{
	struct sqlite3_stmt *statement = NULL;
	int result = SQLITE_ERROR;

	if (store_prepare(store, sql, &statement)) {
		if (sqlite3_bind_parameter_count(statement) == 2) {
			sqlite3_bind_int64(statement, 1, first);
			sqlite3_bind_int64(statement, 2, second);
		}
		result = sqlite3_step(statement);
		if (result == SQLITE_ROW) {
			*id = sqlite3_column_int64(statement, 0);
			*rows = sqlite3_column_int64(statement, 1);
		}
	}
	sqlite3_finalize(statement);
	*found = result == SQLITE_ROW;
	return result == SQLITE_ROW || result == SQLITE_DONE || store_failed(store);
}

bool blocks_flush(struct store *store)
{
	int64_t id, rows;
	bool found = true;

	while (found && store->rows->count > 0 && store->rows->count < SMALL_ROWS) {
		if (!find_block(store, "SELECT id, rows FROM blocks ORDER BY id DESC LIMIT 1", 0, 0, &found, &id, &rows))
			return false;
		found = found && rows < 2 * (int64_t)store->rows->count && rows + store->rows->count <= SMALL_ROWS;
		if (found && !take_in(store, id, INT64_MIN))
			return false;
	}
	return write_rows(store);
}

bool blocks_forget(struct store *store, int64_t oldest, int64_t late, uint64_t *forgotten)
{
	int64_t id, rows, border = oldest > INT64_MIN + late ? oldest - late : INT64_MIN;
	bool found;
	int changed;

	if (!find_block(store, "SELECT id, rows FROM blocks WHERE last_time < ?1 AND ?2 = 0 LIMIT 1", oldest, 0, &found, &id, &rows))
		return false;
	if (found) {
		*forgotten += (uint64_t)rows;
		return run_for(store, "DELETE FROM details WHERE id = ?1", id, &changed) &&
		    run_for(store, "DELETE FROM blocks WHERE id = ?1", id, &changed);
	}
	if (!find_block(store, "SELECT id, rows FROM blocks WHERE last_time >= ?1 AND first_time < ?2 LIMIT 1", oldest, border,
	    &found, &id, &rows))
		return false;
	if (!found)
		return true;
	if (!take_in(store, id, oldest))
		return false;
	*forgotten += (uint64_t)rows - store->rows->count;
	return write_rows(store);
}

bool blocks_rows(struct store *store, int64_t since, int64_t until, uint64_t *rows)
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, "SELECT total(rows) FROM blocks WHERE last_time >= ?1 AND first_time < ?2", &statement) &&
	    sqlite3_bind_int64(statement, 1, since) == SQLITE_OK && sqlite3_bind_int64(statement, 2, until) == SQLITE_OK &&
	    (sqlite3_step(statement) == SQLITE_ROW || store_failed(store));

	*rows = good ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return good;
}

/* ---- Soundness ---- */

bool blocks_are_sound(struct store *store)
{
	static const enum column parts[] = { COLUMN_CONNECTION, COLUMN_TIME, FIRST_DETAIL, COLUMNS };
	struct block *block = block_new(COLUMNS);
	struct sqlite3_stmt *statement = NULL;
	bool good = block != NULL || blocks_tell_memory(store);
	int result = SQLITE_DONE;

	good = good && store_prepare(store, "SELECT b.rows, b.connections, b.columns, d.columns FROM blocks b"
	    " LEFT JOIN details d ON d.id = b.id", &statement);
	while (good && (result = sqlite3_step(statement)) == SQLITE_ROW)
		for (size_t i = 0; good && i < sizeof parts / sizeof parts[0] - 1; i++)
			good = (block_read(block, statement, (int)i + 1, parts[i], parts[i + 1]) &&
			    block->rows == sqlite3_column_int64(statement, 0)) || blocks_damaged(store);
	if (good && result != SQLITE_DONE)
		good = store_failed(store);
	sqlite3_finalize(statement);
	block_free(block);
	return good;
}
