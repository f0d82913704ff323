/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last records of the store, with all that was kept of them.
 *
 * Blocks are looked at from the latest backwards, until none can have a record that is newer than those found. Found ones
 * are in a heap, the oldest at its top. */
#include <config.h>

#include "records/blocks.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct found {
	uint64_t order; /* of those of one time, the later one is larger */
	int64_t value[COLUMNS];
	char conn[CONN_SIZE];
};

struct search {
	struct store *store;
	const struct recent_options *options;
	struct {
		enum column column;
		int64_t number;
	} filter[4];
	size_t filters;
	struct found **heap;
	size_t count, room;
	uint64_t order;
};

static bool is_older(const struct found *one, const struct found *other)
{
	int64_t a = one->value[COLUMN_TIME], b = other->value[COLUMN_TIME];

	return a != b ? a < b : one->order < other->order;
}

static int compare_newest_first(const void *one, const void *other)
{
	return is_older(*(struct found *const *)one, *(struct found *const *)other) ? 1 : -1;
}

/* ---- The heap ---- */

static void sink(struct search *search, size_t at)
{
	struct found *found = search->heap[at];

	for (size_t child; (child = 2 * at + 1) < search->count; at = child) {
		if (child + 1 < search->count && is_older(search->heap[child + 1], search->heap[child]))
			child++;
		if (!is_older(search->heap[child], found))
			break;
		search->heap[at] = search->heap[child];
	}
	search->heap[at] = found;
}

static bool is_full(const struct search *search)
{
	return search->count >= search->options->limit;
}

/* Where the next one goes: the oldest one's place once there are enough. */
static struct found *make_room(struct search *search)
{
	if (is_full(search))
		return search->heap[0];
	if (search->count == search->room) {
		size_t room = search->room == 0 ? 64 : search->room * 2;
		struct found **more = reallocarray(search->heap, room, sizeof *more);

		if (more == NULL)
			return NULL;
		search->heap = more;
		search->room = room;
	}
	search->heap[search->count] = malloc(sizeof **search->heap);
	return search->heap[search->count] == NULL ? NULL : search->heap[search->count++];
}

/* A heap is only needed once it is full. */
static void settle(struct search *search, bool was_full)
{
	if (was_full) {
		sink(search, 0);
	} else if (is_full(search)) {
		for (size_t at = search->count / 2; at-- > 0;)
			sink(search, at);
	}
}

/* ---- Blocks ---- */

static bool is_wanted(const struct search *search, const struct block *block, uint32_t row)
{
	const struct recent_options *options = search->options;
	int64_t time = block->time[row];

	if (time < options->since || time >= options->until ||
	    (is_full(search) && time < search->heap[0]->value[COLUMN_TIME]) ||
	    (options->verdicts != 0 && (options->verdicts >> (block_value(block, COLUMN_VERDICT, row) & (VERDICTS - 1)) & 1) == 0))
		return false;
	for (size_t i = 0; i < search->filters; i++)
		if (block_value(block, search->filter[i].column, row) != search->filter[i].number)
			return false;
	return true;
}

static bool any_is_wanted(const struct search *search, const struct block *block)
{
	uint32_t row = 0;

	while (row < block->rows && !is_wanted(search, block, row))
		row++;
	return row < block->rows;
}

static bool out_of_memory(struct store *store)
{
	snprintf(store->trouble, sizeof store->trouble, "out of memory");
	return false;
}

static bool take_rows(struct search *search, const struct block *block)
{
	size_t conn = 0;

	for (uint32_t row = 0; row < block->rows; row++) {
		size_t length = (size_t)block_value(block, COLUMN_CONN_LENGTH, row);

		if (is_wanted(search, block, row)) {
			bool was_full = is_full(search);
			struct found *found = make_room(search);

			if (found == NULL)
				return out_of_memory(search->store);
			found->order = search->order + row;
			for (int column = COLUMN_TIME; column < COLUMNS; column++)
				found->value[column] = block_value(block, (enum column)column, row);
			memcpy(found->conn, block->conn + conn, length);
			settle(search, was_full);
		}
		conn += length;
	}
	return true;
}

static bool take_block(struct search *search, struct sqlite3_stmt *statement, struct block *block)
{
	/* Later blocks have larger numbers. */
	search->order = (uint64_t)sqlite3_column_int64(statement, 0) * BLOCK_ROWS;
	if (!block_read(block, statement, 2, COLUMN_TIME, FIRST_DETAIL))
		return blocks_damaged(search->store);
	if (!any_is_wanted(search, block))
		return true;
	if (!block_read(block, statement, 3, FIRST_DETAIL, COLUMNS))
		return blocks_damaged(search->store);
	return take_rows(search, block);
}

static bool search_blocks(struct search *search)
{
	struct store *store = search->store;
	struct block *block = block_new(COLUMNS);
	struct sqlite3_stmt *statement = NULL;
	bool good = block != NULL || out_of_memory(store);
	int result = SQLITE_DONE;

	good = good && store_prepare(store, "SELECT b.id, b.last_time, b.columns, d.columns FROM blocks b LEFT JOIN details d"
	    " ON d.id = b.id WHERE b.last_time >= ?1 AND b.first_time < ?2 ORDER BY b.last_time DESC", &statement);
	if (good) {
		sqlite3_bind_int64(statement, 1, search->options->since);
		sqlite3_bind_int64(statement, 2, search->options->until);
	}
	while (good && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		if (is_full(search) && sqlite3_column_int64(statement, 1) < search->heap[0]->value[COLUMN_TIME])
			break;
		good = take_block(search, statement, block);
	}
	if (good && result != SQLITE_ROW && result != SQLITE_DONE)
		good = store_failed(store);
	sqlite3_finalize(statement);
	block_free(block);
	return good;
}

/* ---- What is asked for ---- */

/* False, too, where no record has the text: then *none. */
static bool add_filter(struct search *search, enum column column, struct text text, bool *none)
{
	struct sqlite3_stmt *statement = NULL;
	int result = SQLITE_ERROR;

	if (text.at == NULL)
		return true;
	if (store_prepare(search->store, "SELECT id FROM texts WHERE text = ?1", &statement)) {
		sqlite3_bind_text(statement, 1, text.at, (int)text.length, SQLITE_STATIC);
		result = sqlite3_step(statement);
		search->filter[search->filters].column = column;
		search->filter[search->filters++].number = sqlite3_column_int64(statement, 0);
		if (result != SQLITE_ROW && result != SQLITE_DONE)
			store_failed(search->store);
	}
	sqlite3_finalize(statement);
	*none = result == SQLITE_DONE;
	return result == SQLITE_ROW;
}

static bool add_filters(struct search *search, bool *none)
{
	const struct recent_options *options = search->options;

	return add_filter(search, COLUMN_SERVICE, options->service, none) &&
	    add_filter(search, COLUMN_CLIENT, options->client, none) && add_filter(search, COLUMN_USER, options->user, none) &&
	    add_filter(search, COLUMN_RULE, options->rule, none);
}

/* ---- Records ---- */

/* Copies a text behind those that are there already. */
static bool put_text(struct bytes *bytes, struct text text)
{
	if (bytes->length + text.length > bytes->room) {
		size_t room = bytes->room * 2 + text.length;
		char *more = realloc(bytes->at, room);

		if (more == NULL)
			return false;
		bytes->at = more;
		bytes->room = room;
	}
	if (text.length > 0)
		memcpy(bytes->at + bytes->length, text.at, text.length);
	bytes->length += text.length;
	return true;
}

static bool make_record(struct store *store, const struct found *found, struct bytes *bytes, struct record *record)
{
	const struct {
		enum column column;
		struct text *text;
	} texts[] = { { COLUMN_CLIENT, &record->client }, { COLUMN_USER, &record->user }, { COLUMN_RULE, &record->rule },
		{ COLUMN_DST, &record->dst }, { COLUMN_SNI, &record->sni }, { COLUMN_EVIDENCE, &record->evidence },
		{ COLUMN_PROXY, &record->proxy }, { COLUMN_METHOD, &record->method }, { COLUMN_HOST, &record->host },
		{ COLUMN_OWN_SERVICE, &record->service }, { COLUMN_SOURCE, &record->source }, { COLUMN_WOULD, &record->would },
		{ COLUMN_REASON, &record->reason } };
	enum { TEXTS = sizeof texts / sizeof texts[0] };
	size_t start[TEXTS + 2];

	memset(record, 0, sizeof *record);
	bytes->length = 0;
	/* They may move while they grow: first all of them, then where they are. */
	for (size_t i = 0; i < TEXTS; i++) {
		start[i] = bytes->length;
		if (!put_text(bytes, sqlite_text(store, found->value[texts[i].column])))
			return out_of_memory(store);
	}
	start[TEXTS] = bytes->length;
	if ((found->value[COLUMN_CONN_CUT] != 0 && !put_text(bytes, sqlite_text(store, found->value[COLUMN_CLIENT]))) ||
	    !put_text(bytes, (struct text){ .at = found->conn, .length = (size_t)found->value[COLUMN_CONN_LENGTH] }))
		return out_of_memory(store);
	start[TEXTS + 1] = bytes->length;
	for (size_t i = 0; i <= TEXTS; i++) {
		struct text text = { .at = bytes->at + start[i], .length = start[i + 1] - start[i] };

		*(i < TEXTS ? texts[i].text : &record->conn) = text.length > 0 ? text : text_of(NULL);
	}
	record->time = found->value[COLUMN_TIME];
	record->verdict = (enum record_verdict)(found->value[COLUMN_VERDICT] & (VERDICTS - 1));
	record->decided_by = (enum record_decider)found->value[COLUMN_DECIDER];
	record->stale = found->value[COLUMN_STALE] != 0;
	record->disagrees = found->value[COLUMN_DISAGREES] != 0;
	record->port = (uint16_t)found->value[COLUMN_PORT];
	return true;
}

static bool hand_over(struct search *search, bool (*take)(void *context, const struct record *record), void *context)
{
	struct bytes bytes = { .at = NULL };
	struct record record;
	bool good = true, more = true;

	if (search->count > 1)
		qsort(search->heap, search->count, sizeof *search->heap, compare_newest_first);
	for (size_t i = 0; good && more && i < search->count; i++) {
		good = make_record(search->store, search->heap[i], &bytes, &record);
		more = good && take(context, &record);
	}
	free(bytes.at);
	return good;
}

bool sqlite_recent(struct store *store, const struct recent_options *options,
    bool (*take)(void *context, const struct record *record), void *context)
{
	struct search search = { .store = store, .options = options };
	bool none = options->limit == 0, good;

	good = none || (add_filters(&search, &none) && search_blocks(&search) && hand_over(&search, take, context));
	for (size_t i = 0; i < search.count; i++)
		free(search.heap[i]);
	free(search.heap);
	return good || none;
}
