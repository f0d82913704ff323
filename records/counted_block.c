/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block, made ready to be counted: what is the same for all questions is found out once.
 *
 * A connection is counted once in each group. Where all its rows are in this block, and alike in whatever a question may
 * ask for, they are in the same groups: so the first one counts, and the others don't. All else recurs: its rows are
 * listed, and each question looks them up. */
#include <config.h>

#include "records/counting.h"

#include <stdlib.h>
#include <string.h>

struct counted_block *counted_block_new(void)
{
	struct counted_block *counted = calloc(1, sizeof *counted);
	bool good = counted != NULL && (counted->block = block_new(FIRST_DETAIL)) != NULL &&
	    (counted->verdict = malloc(BLOCK_ROWS)) != NULL && (counted->is_first = malloc(BLOCK_ROWS)) != NULL &&
	    (counted->recurring = malloc(BLOCK_ROWS * sizeof *counted->recurring)) != NULL &&
	    (counted->number = malloc(BLOCK_ROWS * sizeof *counted->number)) != NULL &&
	    (counted->first_row = malloc(BLOCK_ROWS * sizeof *counted->first_row)) != NULL;

	for (size_t i = 0; good && i < VERDICTS; i++)
		good = (counted->row[i] = malloc(BLOCK_ROWS * sizeof *counted->row[i])) != NULL;
	for (size_t i = 0; good && i < 2; i++)
		good = (counted->by_time[i].value = malloc(BLOCK_ROWS * sizeof *counted->by_time[i].value)) != NULL &&
		    (counted->by_time[i].code = malloc(BLOCK_ROWS * sizeof *counted->by_time[i].code)) != NULL;
	if (good)
		return counted;
	counted_block_free(counted);
	return NULL;
}

void counted_block_free(struct counted_block *counted)
{
	if (counted == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		free(counted->by_time[i].value);
		free(counted->by_time[i].code);
	}
	for (size_t i = 0; i < VERDICTS; i++)
		free(counted->row[i]);
	block_free(counted->block);
	free(counted->verdict);
	free(counted->is_first);
	free(counted->recurring);
	free(counted->number);
	free(counted->first_row);
	free(counted);
}

const struct coded *counted_block_coded(const struct counted_block *counted, enum dimension dimension)
{
	static const enum column columns[DIMENSIONS] = {
		[DIMENSION_VERDICT] = COLUMN_VERDICT, [DIMENSION_SERVICE] = COLUMN_SERVICE,
		[DIMENSION_CLIENT] = COLUMN_CLIENT, [DIMENSION_USER] = COLUMN_USER, [DIMENSION_RULE] = COLUMN_RULE,
		[DIMENSION_DST] = COLUMN_DST, [DIMENSION_NAME] = COLUMN_NAME, [DIMENSION_PORT] = COLUMN_PORT,
		[DIMENSION_SNI] = COLUMN_SNI, [DIMENSION_EVIDENCE] = COLUMN_EVIDENCE, [DIMENSION_STALE] = COLUMN_STALE,
		[DIMENSION_DISAGREES] = COLUMN_DISAGREES,
	};

	if (dimension == DIMENSION_HOUR || dimension == DIMENSION_DAY)
		return &counted->by_time[dimension == DIMENSION_DAY];
	return &counted->block->coded[columns[dimension]];
}

/* All zones differ from UTC by whole quarters of an hour. */
static void place_in_time(struct counted_block *counted, enum time_form form, struct coded *coded, struct coder *coder)
{
	const int64_t quarter = INT64_C(15) * 60 * 1000;
	const struct block *block = counted->block;
	int64_t last = 0;

	coder_start(coder, coded, block->rows);
	for (uint32_t row = 0; row < block->rows; row++) {
		int64_t now = block->time[row] / quarter;

		coded->code[row] = row > 0 && now == last ? coded->code[row - 1] :
		    coder_code(coder, time_floor(block->time[row], form));
		last = now;
	}
}

/* ---- Connections ---- */

/* What is compared: the dimensions that somebody asks for, if they have several values. */
struct likeness {
	const struct coded *coded[DIMENSIONS];
	size_t count;
};

static bool are_alike(const struct likeness *likeness, uint32_t one, uint32_t other)
{
	unsigned differ = 0;

	for (size_t i = 0; i < likeness->count; i++)
		differ |= likeness->coded[i]->code[one] ^ likeness->coded[i]->code[other];
	return differ == 0;
}

static void add_recurring(struct counted_block *counted, uint32_t row, uint32_t number)
{
	counted->is_first[row] = 0;
	counted->recurring[counted->recurring_count++] = (struct recurring){ .row = (uint16_t)row, .connection = number };
}

static bool find_firsts(struct counted_block *counted, const struct likeness *likeness, struct connections *connections)
{
	const struct coded *coded = &counted->block->coded[COLUMN_CONNECTION];

	if (!connections_look(connections, coded, counted->number))
		return false;
	memset(counted->first_row, 0xff, coded->count * sizeof *counted->first_row);
	for (uint32_t row = 0; row < counted->block->rows; row++) {
		uint16_t code = coded->code[row];
		uint32_t *number = &counted->number[code], *first = &counted->first_row[code];

		counted->is_first[row] = counted->verdict[row] != 0 && (*first == UINT32_MAX || coded->value[code] == 0);
		if (counted->verdict[row] == 0 || coded->value[code] == 0)
			continue;
		if (*first == UINT32_MAX)
			*first = row;
		if (*number == 0 && !are_alike(likeness, row, *first)) {
			if (!connections_number(connections, coded->value[code], number))
				return false;
			add_recurring(counted, *first, *number);
		}
		if (*number != 0)
			add_recurring(counted, row, *number);
	}
	return true;
}

/* Nothing else is looked at in a block that was counted before. */
static void select_recurring(struct counted_block *counted)
{
	memset(counted->rows, 0, sizeof counted->rows);
	for (uint32_t i = 0; i < counted->recurring_count; i++) {
		uint16_t row = counted->recurring[i].row;
		unsigned number = (unsigned)__builtin_ctz(counted->verdict[row]);

		counted->row[number][counted->rows[number]++] = row;
	}
}

bool counted_block_fill(struct counted_block *counted, const struct scope *scope, struct connections *connections,
    struct coder *coder)
{
	const struct block *block = counted->block;
	const struct coded *verdict = &block->coded[COLUMN_VERDICT];
	struct likeness likeness = { .count = 0 };

	memset(counted->rows, 0, sizeof counted->rows);
	/* Without a branch: what comes next can't be foretold. */
	for (uint32_t row = 0; row < block->rows; row++) {
		bool is_in_time = block->time[row] >= scope->since && block->time[row] < scope->until;
		unsigned number = (unsigned)verdict->value[verdict->code[row]] & (VERDICTS - 1);

		counted->verdict[row] = (uint8_t)(is_in_time << number);
		counted->row[number][counted->rows[number]] = (uint16_t)row;
		counted->rows[number] += is_in_time;
	}
	if ((scope->dimensions & 1u << DIMENSION_HOUR) != 0)
		place_in_time(counted, TIME_HOUR, &counted->by_time[0], coder);
	if ((scope->dimensions & 1u << DIMENSION_DAY) != 0)
		place_in_time(counted, TIME_DAY, &counted->by_time[1], coder);
	for (int i = 0; i < DIMENSIONS; i++) {
		const struct coded *coded = counted_block_coded(counted, (enum dimension)i);

		if ((scope->dimensions & 1u << i) != 0 && coded->count > 1)
			likeness.coded[likeness.count++] = coded;
	}
	counted->recurring_count = 0;
	if (!find_firsts(counted, &likeness, connections))
		return false;
	if (counted->before)
		select_recurring(counted);
	return true;
}
