/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows as bytes, column by column, and back.
 *
 * A block is a sum of its bytes, the number of rows, and the columns. A time is a number; all else has the same values
 * again and again: those are listed, and a row has the place in the list, in as few bytes as it takes. Numbers are kept
 * as what they are above the smallest. All is in the byte order of the machine. Nothing read is believed: the sum tells
 * damage, and whatever the bytes are, no code points behind its list. */
#include <config.h>

#include "records/blocks.h"

#include <stdlib.h>
#include <string.h>

/* ---- Rows ---- */

struct rows *rows_new(void)
{
	struct rows *rows = calloc(1, sizeof *rows);
	bool good = rows != NULL;

	for (size_t i = 0; good && i < COLUMNS; i++)
		good = (rows->value[i] = malloc(BLOCK_ROWS * sizeof *rows->value[i])) != NULL;
	if (good && (rows->conn = malloc((size_t)BLOCK_ROWS * CONN_SIZE)) != NULL)
		return rows;
	rows_free(rows);
	return NULL;
}

void rows_free(struct rows *rows)
{
	for (size_t i = 0; rows != NULL && i < COLUMNS; i++)
		free(rows->value[i]);
	if (rows != NULL)
		free(rows->conn);
	free(rows);
}

void rows_clear(struct rows *rows)
{
	rows->count = 0;
	rows->conn_length = 0;
}

void rows_add(struct rows *rows, const char *conn, size_t conn_length)
{
	if (conn_length > CONN_SIZE)
		conn_length = CONN_SIZE;
	if (conn_length > 0)
		memcpy(rows->conn + rows->conn_length, conn, conn_length);
	rows->value[COLUMN_CONN_LENGTH][rows->count] = (int64_t)conn_length;
	rows->conn_length += conn_length;
	rows->count++;
}

/* ---- Codes ---- */

enum { CODER_SLOTS = 2 * BLOCK_ROWS };

struct coder {
	struct coded *coded;
	uint32_t slots;
	uint32_t slot[CODER_SLOTS]; /* a code and 1 */
};

struct coder *coder_new(void)
{
	return malloc(sizeof(struct coder));
}

void coder_free(struct coder *coder)
{
	free(coder);
}

void coder_start(struct coder *coder, struct coded *coded, uint32_t rows)
{
	coder->coded = coded;
	coded->count = 0;
	coder->slots = 64;
	while (coder->slots < 2 * rows && coder->slots < CODER_SLOTS)
		coder->slots *= 2;
	memset(coder->slot, 0, coder->slots * sizeof *coder->slot);
}

uint16_t coder_code(struct coder *coder, int64_t value)
{
	struct coded *coded = coder->coded;
	uint32_t at = (uint32_t)((uint64_t)value * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (coder->slots - 1);

	while (coder->slot[at] != 0 && coded->value[coder->slot[at] - 1] != value)
		at = (at + 1) & (coder->slots - 1);
	if (coder->slot[at] == 0) {
		coded->value[coded->count++] = value;
		coder->slot[at] = coded->count;
	}
	return (uint16_t)(coder->slot[at] - 1);
}

/* ---- Writing ---- */

static void put(struct bytes *out, const void *bytes, size_t length)
{
	if (out->length + length > out->room) {
		size_t room = out->room * 2 + length;
		char *more = out->failed ? NULL : realloc(out->at, room);

		if (more == NULL) {
			out->failed = true;
			return;
		}
		out->at = more;
		out->room = room;
	}
	if (length > 0)
		memcpy(out->at + out->length, bytes, length);
	out->length += length;
}

static unsigned width_of(uint64_t most)
{
	return most == 0 ? 0 : most <= UINT8_MAX ? 1 : most <= UINT16_MAX ? 2 : most <= UINT32_MAX ? 4 : 8;
}

static void put_numbers(struct bytes *out, const int64_t *value, uint32_t count)
{
	int64_t least = count > 0 ? value[0] : 0, most = least;
	unsigned char width;

	for (uint32_t i = 0; i < count; i++) {
		least = value[i] < least ? value[i] : least;
		most = value[i] > most ? value[i] : most;
	}
	width = (unsigned char)width_of((uint64_t)most - (uint64_t)least);
	put(out, &width, sizeof width);
	put(out, &least, sizeof least);
	for (uint32_t i = 0; width > 0 && i < count; i++) {
		uint64_t above = (uint64_t)value[i] - (uint64_t)least;
		uint32_t four = (uint32_t)above;
		uint16_t two = (uint16_t)above;
		uint8_t one = (uint8_t)above;

		put(out, width == 8 ? (void *)&above : width == 4 ? (void *)&four : width == 2 ? (void *)&two : (void *)&one, width);
	}
}

static void put_coded(struct bytes *out, const struct coded *coded, uint32_t rows)
{
	unsigned width = width_of(coded->count - 1);

	put(out, &coded->count, sizeof coded->count);
	put_numbers(out, coded->value, coded->count);
	if (width == 2)
		put(out, coded->code, rows * sizeof *coded->code);
	for (uint32_t i = 0; width == 1 && i < rows; i++) {
		uint8_t code = (uint8_t)coded->code[i];

		put(out, &code, sizeof code);
	}
}

/* Tells damage, not malice: sums of words, and sums of those sums, four of each side by side. */
enum { SUMS = 4 };

static void sum_words(uint64_t sum[2 * SUMS], const uint64_t word[SUMS])
{
	for (size_t i = 0; i < SUMS; i++) {
		sum[i] += word[i];
		sum[SUMS + i] += sum[i];
	}
}

static uint64_t sum_of(const char *bytes, size_t length)
{
	uint64_t sum[2 * SUMS] = { length }, word[SUMS];

	for (; length >= sizeof word; length -= sizeof word, bytes += sizeof word) {
		memcpy(word, bytes, sizeof word);
		sum_words(sum, word);
	}
	memset(word, 0, sizeof word);
	memcpy(word, bytes, length);
	sum_words(sum, word);
	for (size_t i = 1; i < 2 * SUMS; i++)
		sum[0] = (sum[0] ^ sum[0] >> 32 ^ sum[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return sum[0];
}

void rows_encode(const struct rows *rows, enum column first, enum column end, struct bytes *out)
{
	struct coder *coder = coder_new();
	struct coded coded = { .value = malloc(BLOCK_ROWS * sizeof *coded.value),
		.code = malloc(BLOCK_ROWS * sizeof *coded.code) };
	size_t start = out->length;
	uint64_t sum = 0;

	out->failed = out->failed || coder == NULL || coded.value == NULL || coded.code == NULL;
	put(out, &sum, sizeof sum);
	put(out, &rows->count, sizeof rows->count);
	for (int column = (int)first; !out->failed && column < (int)end; column++) {
		const int64_t *value = rows->value[column];

		if (column == COLUMN_TIME) {
			put_numbers(out, value, rows->count);
			continue;
		}
		coder_start(coder, &coded, rows->count);
		for (uint32_t i = 0; i < rows->count; i++)
			coded.code[i] = i > 0 && value[i] == value[i - 1] ? coded.code[i - 1] : coder_code(coder, value[i]);
		put_coded(out, &coded, rows->count);
	}
	if (end == COLUMNS)
		put(out, rows->conn, rows->conn_length);
	if (!out->failed) {
		sum = sum_of(out->at + start + sizeof sum, out->length - start - sizeof sum);
		memcpy(out->at + start, &sum, sizeof sum);
	}
	free(coded.value);
	free(coded.code);
	coder_free(coder);
}

/* ---- Reading ---- */

struct reader {
	const char *at;
	size_t left;
};

static bool take(struct reader *reader, void *to, size_t length)
{
	if (reader->left < length)
		return false;
	memcpy(to, reader->at, length);
	reader->at += length;
	reader->left -= length;
	return true;
}

static bool take_numbers(struct reader *reader, int64_t *value, uint32_t count)
{
	unsigned char width;
	int64_t least;
	const char *at;

	if (!take(reader, &width, sizeof width) || !take(reader, &least, sizeof least) ||
	    (width != 0 && width != 1 && width != 2 && width != 4 && width != 8) || reader->left < (size_t)count * width)
		return false;
	at = reader->at;
	reader->at += (size_t)count * width;
	reader->left -= (size_t)count * width;
#define WIDEN(type) \
	for (uint32_t i = 0; i < count; i++) { \
		type above; \
 \
		memcpy(&above, at + i * sizeof above, sizeof above); \
		value[i] = (int64_t)((uint64_t)least + above); \
	}
	if (width == 8) {
		WIDEN(uint64_t)
	} else if (width == 4) {
		WIDEN(uint32_t)
	} else if (width == 2) {
		WIDEN(uint16_t)
	} else if (width == 1) {
		WIDEN(uint8_t)
	} else {
		for (uint32_t i = 0; i < count; i++)
			value[i] = least;
	}
#undef WIDEN
	return true;
}

/* Parts of a fixed length are what compilers make vectors of. */
enum { PART = 64 };

static void widen_codes(uint16_t *code, const char *bytes, uint32_t rows)
{
	const unsigned char *byte = (const unsigned char *)bytes;
	uint32_t row = 0;

	for (; rows - row >= PART; row += PART)
		for (uint32_t i = 0; i < PART; i++)
			code[row + i] = byte[row + i];
	for (; row < rows; row++)
		code[row] = byte[row];
}

static bool are_below(const uint16_t *code, uint32_t rows, uint32_t count)
{
	uint16_t most[PART] = { 0 };
	uint32_t row = 0;

	for (; rows - row >= PART; row += PART)
		for (uint32_t i = 0; i < PART; i++)
			most[i] = code[row + i] > most[i] ? code[row + i] : most[i];
	for (; row < rows; row++)
		most[0] = code[row] > most[0] ? code[row] : most[0];
	for (uint32_t i = 1; i < PART; i++)
		most[0] = most[i] > most[0] ? most[i] : most[0];
	return most[0] < count;
}

static bool take_coded(struct reader *reader, struct coded *coded, uint32_t rows)
{
	unsigned width;

	if (!take(reader, &coded->count, sizeof coded->count) || coded->count == 0 || coded->count > BLOCK_ROWS ||
	    !take_numbers(reader, coded->value, coded->count))
		return false;
	width = width_of(coded->count - 1);
	if (reader->left < rows * width)
		return false;
	if (width == 2)
		memcpy(coded->code, reader->at, rows * sizeof *coded->code);
	else if (width == 1)
		widen_codes(coded->code, reader->at, rows);
	else
		memset(coded->code, 0, rows * sizeof *coded->code);
	reader->at += rows * width;
	reader->left -= rows * width;
	return are_below(coded->code, rows, coded->count);
}

bool block_decode(struct block *block, enum column first, enum column end, const char *bytes, size_t length)
{
	struct reader reader = { .at = bytes, .left = length };
	uint64_t sum;
	bool good;

	good = take(&reader, &sum, sizeof sum) && sum == sum_of(reader.at, reader.left) &&
	    take(&reader, &block->rows, sizeof block->rows) && block->rows > 0 && block->rows <= BLOCK_ROWS;
	for (int column = (int)first; good && column < (int)end; column++) {
		if (column == COLUMN_TIME)
			good = take_numbers(&reader, block->time, block->rows);
		else
			good = take_coded(&reader, &block->coded[column], block->rows);
	}
	block->conn = reader.at;
	block->conn_length = reader.left;
	if (good && end == COLUMNS) {
		int64_t left = (int64_t)reader.left;

		for (uint32_t row = 0; good && row < block->rows; row++) {
			int64_t conn = block_value(block, COLUMN_CONN_LENGTH, row);

			good = conn >= 0 && conn <= CONN_SIZE && conn <= left;
			left -= conn;
		}
		return good && left == 0;
	}
	return good && reader.left == 0;
}

struct block *block_new(enum column end)
{
	struct block *block = calloc(1, sizeof *block);
	bool good = block != NULL && (block->time = malloc(BLOCK_ROWS * sizeof *block->time)) != NULL;

	for (int i = 0; good && i < (int)end; i++) {
		block->coded[i].value = malloc(BLOCK_ROWS * sizeof *block->coded[i].value);
		block->coded[i].code = malloc(BLOCK_ROWS * sizeof *block->coded[i].code);
		good = block->coded[i].value != NULL && block->coded[i].code != NULL;
	}
	if (good)
		return block;
	block_free(block);
	return NULL;
}

void block_free(struct block *block)
{
	if (block == NULL)
		return;
	for (size_t i = 0; i < COLUMNS; i++) {
		free(block->coded[i].value);
		free(block->coded[i].code);
	}
	free(block->time);
	free(block);
}

int64_t block_value(const struct block *block, enum column column, uint32_t row)
{
	const struct coded *coded = &block->coded[column];

	return column == COLUMN_TIME ? block->time[row] : coded->value[coded->code[row]];
}
