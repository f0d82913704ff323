/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts records and connections by some of their dimensions, for any number of questions in one pass over the rows.
 *
 * A question's groups are in an open hash table by their key, and its connections in another one, as 64 bits made from
 * the connection's number and the group: SQLite's own GROUP BY and count(DISTINCT) would sort the rows for each. Two of
 * ten million connections look alike with a chance of one to three hundred thousand. What it takes is memory: about 20
 * bytes for each connection of each question. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct group_index {
	uint32_t *slot; /* the group's number and 1 */
	size_t slots;
	size_t room; /* for groups */
	uint64_t *connection;
	size_t connections, connection_slots;
};

enum { FIRST_SLOTS = 64 };

static uint64_t scatter(uint64_t value)
{
	value ^= value >> 31;
	value *= UINT64_C(0x9e3779b97f4a7c15);
	value ^= value >> 29;
	value *= UINT64_C(0xd6e8feb86659fd93);
	return value ^ value >> 32;
}

static uint64_t hash_key_of(const struct question *question, const int64_t *key)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < question->dimensions; i++)
		hash = scatter(hash + (uint64_t)key[i]) * 3;
	return hash;
}

/* ---- Groups ---- */

static size_t find_slot(const struct question *question, const int64_t *key)
{
	const struct group_index *index = question->index;
	size_t at = hash_key_of(question, key) & (index->slots - 1);

	while (index->slot[at] != 0 && memcmp(question->groups[index->slot[at] - 1].key, key,
	    question->dimensions * sizeof *key) != 0)
		at = (at + 1) & (index->slots - 1);
	return at;
}

static bool make_slots(struct question *question)
{
	struct group_index *index = question->index;
	size_t slots = index->slots == 0 ? FIRST_SLOTS : index->slots * 2;
	uint32_t *slot = calloc(slots, sizeof *slot);

	if (slot == NULL)
		return false;
	free(index->slot);
	index->slot = slot;
	index->slots = slots;
	for (size_t i = 0; i < question->count; i++)
		slot[find_slot(question, question->groups[i].key)] = (uint32_t)i + 1;
	return true;
}

/* The group of a key, made where there is none yet. */
static struct group *find_group(struct question *question, const int64_t *key)
{
	struct group_index *index = question->index;
	size_t at = find_slot(question, key);
	struct group *group;

	if (index->slot[at] != 0)
		return &question->groups[index->slot[at] - 1];
	if (question->count >= UINT32_MAX - 1)
		return NULL;
	if (question->count == index->room) {
		size_t room = index->room == 0 ? FIRST_SLOTS : index->room * 2;
		struct group *more = reallocarray(question->groups, room, sizeof *more);

		if (more == NULL)
			return NULL;
		question->groups = more;
		index->room = room;
	}
	group = &question->groups[question->count++];
	memset(group, 0, sizeof *group);
	memcpy(group->key, key, question->dimensions * sizeof *key);
	group->wanted = question->wants == NULL || question->wants(question->context, key);
	index->slot[at] = (uint32_t)question->count;
	if (question->count * 2 > index->slots && !make_slots(question))
		return NULL;
	return group;
}

/* ---- Connections ---- */

static bool put_connection(uint64_t *slots, size_t count, uint64_t connection)
{
	size_t at = connection & (count - 1);

	while (slots[at] != 0 && slots[at] != connection)
		at = (at + 1) & (count - 1);
	if (slots[at] == connection)
		return false;
	slots[at] = connection;
	return true;
}

static bool make_connection_slots(struct group_index *index)
{
	size_t count = index->connection_slots == 0 ? FIRST_SLOTS : index->connection_slots * 2;
	uint64_t *slots = calloc(count, sizeof *slots);

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < index->connection_slots; i++)
		if (index->connection[i] != 0)
			(void)put_connection(slots, count, index->connection[i]);
	free(index->connection);
	index->connection = slots;
	index->connection_slots = count;
	return true;
}

static bool count_connection(struct question *question, struct group *group, int64_t connection)
{
	struct group_index *index = question->index;
	uint64_t mixed;

	if (connection == 0) {
		group->connections++;
		return true;
	}
	mixed = scatter((uint64_t)connection ^ scatter((uint64_t)(group - question->groups) + 1)) | 1;
	if (index->connections * 4 >= index->connection_slots * 3 && !make_connection_slots(index))
		return false;
	if (put_connection(index->connection, index->connection_slots, mixed)) {
		index->connections++;
		group->connections++;
	}
	return true;
}

/* ---- Rows ---- */

/* The columns that are asked for, in this order. */
enum column { ID, VERDICT, STALE, DISAGREES, PORT, CONNECTION, CLIENT, USER, HOST, DST, SNI, SERVICE, RULE, EVIDENCE, WOULD };

static const char select_rows[] =
    "SELECT id, verdict, stale, disagrees, port, connection, client, user, host, dst, sni, service, rule, evidence, would"
    " FROM transactions WHERE id >= ?1 AND id < ?2 ORDER BY id";

struct row {
	int64_t dimension[DIMENSIONS];
	int64_t time, connection;
	int64_t quarter, hour, day; /* the begin of the hour and the day are kept for a quarter of an hour */
};

/* All zones differ from UTC by whole quarters of an hour. */
static void place_in_time(struct row *row)
{
	const int64_t quarter = INT64_C(15) * 60 * 1000;
	int64_t now = row->time / quarter;

	if (now != row->quarter) {
		row->quarter = now;
		row->hour = time_floor(row->time, TIME_HOUR);
		row->day = time_floor(row->time, TIME_DAY);
	}
	row->dimension[DIMENSION_HOUR] = row->hour;
	row->dimension[DIMENSION_DAY] = row->day;
}

static void read_row(struct sqlite3_stmt *statement, struct row *row)
{
#define COLUMN(column) sqlite3_column_int64(statement, (int)(column))
	int64_t host = COLUMN(HOST), service = COLUMN(SERVICE);
	int64_t *dimension = row->dimension;

	row->time = time_of_row(COLUMN(ID));
	row->connection = COLUMN(CONNECTION);
	dimension[DIMENSION_VERDICT] = COLUMN(VERDICT) & (VERDICTS - 1);
	dimension[DIMENSION_SERVICE] = service != 0 ? service : COLUMN(WOULD);
	dimension[DIMENSION_CLIENT] = COLUMN(CLIENT);
	dimension[DIMENSION_USER] = COLUMN(USER);
	dimension[DIMENSION_RULE] = COLUMN(RULE);
	dimension[DIMENSION_DST] = COLUMN(DST);
	dimension[DIMENSION_SNI] = COLUMN(SNI);
	dimension[DIMENSION_NAME] =
	    dimension[DIMENSION_DST] != 0 && dimension[DIMENSION_SNI] != 0 ? dimension[DIMENSION_SNI] : host;
	dimension[DIMENSION_PORT] = COLUMN(PORT);
	dimension[DIMENSION_EVIDENCE] = COLUMN(EVIDENCE);
	dimension[DIMENSION_STALE] = COLUMN(STALE);
	dimension[DIMENSION_DISAGREES] = COLUMN(DISAGREES);
	place_in_time(row);
#undef COLUMN
}

static bool count_row(struct question *question, const struct row *row)
{
	int64_t verdict = row->dimension[DIMENSION_VERDICT], key[QUESTION_DIMENSIONS];
	struct group *group;

	question->current = NULL;
	if ((question->verdicts & 1u << verdict) == 0 ||
	    (question->within != NULL && (question->within->current == NULL || !question->within->current->wanted)))
		return true;
	for (size_t i = 0; i < question->dimensions; i++)
		key[i] = row->dimension[question->dimension[i]];
	question->current = group = find_group(question, key);
	if (group == NULL)
		return false;
	group->records++;
	group->by_verdict[verdict]++;
	if (group->records == 1 || row->time > group->last)
		group->last = row->time;
	return !group->wanted || count_connection(question, group, row->connection);
}

static bool prepare(struct question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		questions[i].groups = NULL;
		questions[i].count = 0;
		questions[i].index = calloc(1, sizeof *questions[i].index);
	}
	for (size_t i = 0; i < count; i++)
		if (questions[i].index == NULL || !make_slots(&questions[i]))
			return false;
	return true;
}

static bool sqlite_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	struct sqlite3_stmt *statement = NULL;
	struct row row = { .quarter = INT64_MIN };
	bool memory = prepare(questions, count);
	int result = SQLITE_DONE;

	if (memory) {
		if (!store_prepare(store, select_rows, &statement))
			return false;
		sqlite3_bind_int64(statement, 1, row_of_time(since));
		sqlite3_bind_int64(statement, 2, row_of_time(until));
		while (memory && (result = sqlite3_step(statement)) == SQLITE_ROW) {
			read_row(statement, &row);
			for (size_t i = 0; memory && i < count; i++)
				memory = count_row(&questions[i], &row);
		}
		sqlite3_finalize(statement);
	}
	if (!memory) {
		snprintf(store->trouble, sizeof store->trouble, "out of memory");
		return false;
	}
	return result == SQLITE_DONE || store_failed(store);
}

void question_free(struct question *question)
{
	if (question->index != NULL) {
		free(question->index->slot);
		free(question->index->connection);
	}
	free(question->index);
	free(question->groups);
	question->index = NULL;
	question->groups = NULL;
	question->count = 0;
}

static struct text sqlite_text(struct store *store, int64_t number)
{
	struct text text = { .at = "", .length = 0 };

	sqlite3_reset(store->text_get);
	if (number == 0)
		return text;
	sqlite3_bind_int64(store->text_get, 1, number);
	if (sqlite3_step(store->text_get) == SQLITE_ROW) {
		const char *at = (const char *)sqlite3_column_text(store->text_get, 0);

		if (at != NULL) {
			text.at = at;
			text.length = (size_t)sqlite3_column_bytes(store->text_get, 0);
		}
	}
	return text;
}

const struct store_kind sqlite_kind = { .ask = sqlite_ask, .text = sqlite_text, .close = sqlite_close };
