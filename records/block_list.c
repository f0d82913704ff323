/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which blocks a report is about, and which of those are the same whenever they are looked at. */
#include <config.h>

#include "records/counting.h"

#include <sqlite3.h>
#include <stdlib.h>

static bool add(struct block_list *list, size_t *room, const struct listed_block *block)
{
	if (list->count == *room) {
		size_t more = *room == 0 ? 64 : *room * 2;
		struct listed_block *blocks = reallocarray(list->block, more, sizeof *blocks);

		if (blocks == NULL)
			return false;
		list->block = blocks;
		*room = more;
	}
	list->block[list->count++] = *block;
	return true;
}

/* A block that is more than two thirds of a small one isn't taken in by a larger one (blocks.c), and nor is one before it. */
static void find_closed(struct block_list *list, const struct scope *scope)
{
	bool closed = false;

	for (size_t i = list->count; i-- > 0;) {
		struct listed_block *block = &list->block[i];

		closed = closed || block->rows > SMALL_ROWS / 3 * 2;
		block->closed = closed && block->first_time >= scope->since && block->last_time < scope->until;
	}
}

bool blocks_list(struct store *store, const struct scope *scope, struct block_list *list)
{
	struct sqlite3_stmt *statement = NULL;
	size_t room = 0;
	int result = SQLITE_ERROR;
	bool good = store_prepare(store, "SELECT id, first_time, last_time, rows, length(columns) FROM blocks"
	    " WHERE last_time >= ?1 AND first_time < ?2 ORDER BY id", &statement);

	if (good) {
		sqlite3_bind_int64(statement, 1, scope->since);
		sqlite3_bind_int64(statement, 2, scope->until);
	}
	while (good && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		const struct listed_block block = { .id = sqlite3_column_int64(statement, 0),
			.first_time = sqlite3_column_int64(statement, 1), .last_time = sqlite3_column_int64(statement, 2),
			.rows = (uint32_t)sqlite3_column_int64(statement, 3), .length = sqlite3_column_int64(statement, 4) };

		if (block.rows == 0 || block.rows > BLOCK_ROWS)
			good = blocks_damaged(store);
		else if (!add(list, &room, &block))
			good = blocks_tell_memory(store);
	}
	if (good && result != SQLITE_DONE)
		good = store_failed(store);
	sqlite3_finalize(statement);
	find_closed(list, scope);
	return good;
}

bool blocks_sum(struct store *store, struct block_list *list)
{
	sqlite3_blob *blob = NULL;
	bool good = true;

	for (size_t i = 0; good && i < list->count; i++) {
		struct listed_block *block = &list->block[i];

		if (block->closed)
			good = (blob != NULL ? sqlite3_blob_reopen(blob, block->id) :
			    sqlite3_blob_open(store->db, "main", "blocks", "connections", block->id, 0, &blob)) == SQLITE_OK &&
			    sqlite3_blob_read(blob, &block->sum, sizeof block->sum, 0) == SQLITE_OK;
	}
	sqlite3_blob_close(blob);
	return good;
}
