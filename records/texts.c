/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that occur again and again are kept once, under a number.
 *
 * Numbers that were asked for lately are remembered by a keyed hash of 64 bits. A text carries the last day on which a record
 * used it, so that who forgets old records knows which texts go with them. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 12, MOST = 1 << 20 };

struct known_texts {
	struct numbers numbers;
};

struct known_texts *known_texts_new(void)
{
	struct known_texts *texts = calloc(1, sizeof *texts);

	if (texts != NULL && !numbers_begin(&texts->numbers, FIRST_ROOM)) {
		known_texts_free(texts);
		return NULL;
	}
	return texts;
}

void known_texts_free(struct known_texts *texts)
{
	if (texts != NULL)
		numbers_free(&texts->numbers);
	free(texts);
}

void known_texts_forget(struct known_texts *texts)
{
	memset(texts->numbers.list, 0, texts->numbers.room * sizeof *texts->numbers.list);
	texts->numbers.count = 0;
}

static bool bind_text(struct sqlite3_stmt *statement, struct text text)
{
	return sqlite3_bind_text(statement, 1, text.at, (int)text.length, SQLITE_STATIC) == SQLITE_OK;
}

/* Looks it up in the store, or adds it there. */
static bool fetch(struct store *store, struct text text, int32_t day, struct numbered *known)
{
	int result;

	known->number = 0;
	if (!bind_text(store->text_find, text))
		return store_failed(store);
	result = sqlite3_step(store->text_find);
	if (result == SQLITE_ROW) {
		known->number = sqlite3_column_int64(store->text_find, 0);
		known->day = sqlite3_column_int(store->text_find, 1);
	}
	sqlite3_reset(store->text_find);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return store_failed(store);
	if (known->number != 0)
		return true;
	if (!bind_text(store->text_add, text) || sqlite3_bind_int(store->text_add, 2, day) != SQLITE_OK)
		return store_failed(store);
	result = sqlite3_step(store->text_add);
	sqlite3_reset(store->text_add);
	if (result != SQLITE_DONE)
		return store_failed(store);
	known->number = sqlite3_last_insert_rowid(store->db);
	known->day = day;
	return true;
}

static bool touch(struct store *store, struct numbered *known, int32_t day)
{
	int result;

	sqlite3_bind_int(store->text_touch, 1, day);
	sqlite3_bind_int64(store->text_touch, 2, known->number);
	result = sqlite3_step(store->text_touch);
	sqlite3_reset(store->text_touch);
	if (result != SQLITE_DONE)
		return store_failed(store);
	known->day = day;
	return true;
}

/* SQLite's own functions stop at a NUL, and so would whoever prints it. */
static struct text without_nul(struct text text, char room[RECORD_SIZE])
{
	if (memchr(text.at, '\0', text.length) == NULL)
		return text;
	if (text.length > RECORD_SIZE)
		text.length = RECORD_SIZE;
	for (size_t i = 0; i < text.length; i++)
		room[i] = text.at[i] == '\0' ? '?' : text.at[i];
	text.at = room;
	return text;
}

bool text_number(struct store *store, struct text text, int32_t day, int64_t *number)
{
	struct numbers *numbers = &store->texts->numbers;
	struct numbered *known;
	char room[RECORD_SIZE];
	uint64_t hash;

	*number = 0;
	if (text.at == NULL || text.length == 0)
		return true;
	text = without_nul(text, room);
	hash = numbers_hash(numbers, text);
	known = numbers_find(numbers, hash);
	if (known->hash == 0) {
		struct numbered fetched = { .hash = hash };

		if (!fetch(store, text, day, &fetched))
			return false;
		/* It is emptied where it would become too large or there is no memory. */
		if (numbers->count * 2 >= numbers->room && (numbers->room > MOST || !numbers_grow(numbers)))
			known_texts_forget(store->texts);
		known = numbers_find(numbers, hash);
		*known = fetched;
		numbers->count++;
	}
	if (known->day < day && !touch(store, known, day))
		return false;
	*number = known->number;
	return true;
}
