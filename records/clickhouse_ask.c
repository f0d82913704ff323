/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's questions, put to ClickHouse: one query each, counted by the server.
 *
 * Records that came twice are in the table twice until its parts are merged. FINAL would see to that, but at a multiple of
 * the cost. So the server is asked first when there are such, which is cheap, as equal records have the same time: of
 * that time, records are counted by their id. What comes in meanwhile may be there twice as well, and is seen by the sum of an
 * answer's records: then both are asked again. In the end, the whole time is counted by id.
 *
 * Which groups are wanted is for the category to say, that is for this side; where they are few, the queries that ask for no
 * others tell the server so. Texts get their numbers here. */
#include <config.h>

#include "records/clickhouse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is taken from a server; and how often a question is asked again when something came in. */
enum { TEXT_MOST = 8192, ROWS_MOST = 10 * 1000 * 1000, TRIES = 3, FIRST_ROOM = 1024 };

/* What there is in the time that is asked for. */
struct moment {
	int64_t first, last;
	uint64_t rows, ids; /* all, and without those that are there twice */
	int64_t twice_first, twice_last; /* the first and the last minute with such */
	uint64_t by_verdict[VERDICTS];
};

struct asking {
	struct clickhouse *clickhouse;
	int64_t since, until;
	struct moment moment;
	struct numbers numbers;
	struct text *texts; /* number 1 is the first */
	size_t room;
};

/* A question on its way. */
struct reading {
	struct store *store;
	struct asking *asking;
	struct question *question;
	size_t room;
	const struct group **wanted; /* of the other question, sorted; NULL if there is none */
	size_t wanted_count;
	size_t place[QUESTION_DIMENSIONS]; /* of the other question's dimensions among this one's */
	const char *wrong;
	struct answer answer;
};

/* ---- Texts ---- */

static bool intern(struct asking *asking, struct text text, int64_t *number)
{
	struct numbers *numbers = &asking->numbers;
	uint64_t hash = numbers_hash(numbers, text);
	struct numbered *known;
	char *copy;

	*number = 0;
	if (text.length == 0)
		return true;
	known = numbers_find(numbers, hash);
	if (known->hash != 0) {
		*number = known->number;
		return true;
	}
	if (numbers->count * 2 >= numbers->room && !numbers_grow(numbers))
		return false;
	if (!grow(&asking->texts, &asking->room, numbers->count, sizeof *asking->texts))
		return false;
	copy = malloc(text.length);
	if (copy == NULL)
		return false;
	memcpy(copy, text.at, text.length);
	asking->texts[numbers->count++] = (struct text){ .at = copy, .length = text.length };
	*number = (int64_t)numbers->count;
	*numbers_find(numbers, hash) = (struct numbered){ .hash = hash, .number = *number };
	return true;
}

static struct text clickhouse_text(struct store *store, int64_t number)
{
	const struct asking *asking = store->place;

	return number <= 0 || (uint64_t)number > asking->numbers.count ? text_of("") : asking->texts[number - 1];
}

/* ---- What is answered ---- */

/* By the keys of the question that `wanted` is of: the other dimensions of a key are zero there. */
static int compare_wanted(const void *one, const void *other)
{
	const struct group *const *a = one, *const *b = other;

	return memcmp((*a)->key, (*b)->key, sizeof (*a)->key);
}

static bool is_within(struct reading *reading, const int64_t *key)
{
	const struct question *within = reading->question->within;
	struct group group = { .records = 0 };
	const struct group *looked_for = &group;

	if (within == NULL)
		return true;
	for (size_t i = 0; i < within->dimensions; i++)
		group.key[i] = key[reading->place[i]];
	return (reading->wanted_count > 0 && bsearch(&looked_for, reading->wanted, reading->wanted_count,
	    sizeof *reading->wanted, compare_wanted) != NULL) != reading->question->outside;
}

static bool prepare_within(struct reading *reading)
{
	const struct question *within = reading->question->within;

	if (within == NULL)
		return true;
	reading->wanted = calloc(within->count + 1, sizeof *reading->wanted);
	for (size_t i = 0; reading->wanted != NULL && i < within->count; i++)
		if (within->groups[i].wanted)
			reading->wanted[reading->wanted_count++] = &within->groups[i];
	if (reading->wanted_count > 1)
		qsort(reading->wanted, reading->wanted_count, sizeof *reading->wanted, compare_wanted);
	for (size_t i = 0; i < within->dimensions; i++)
		while (reading->question->dimension[reading->place[i]] != within->dimension[i])
			reading->place[i]++;
	return reading->wanted != NULL;
}

static bool is_local_time(enum dimension dimension)
{
	return dimension == DIMENSION_HOUR || dimension == DIMENSION_DAY;
}

static bool is_wrong(struct reading *reading, const char *wrong)
{
	reading->wrong = wrong;
	return false;
}

static bool read_key(struct reading *reading, const struct text *fields, int64_t last, int64_t *key)
{
	const struct question *question = reading->question;

	for (size_t i = 0; i < question->dimensions; i++) {
		enum dimension dimension = question->dimension[i];

		if (dimension_is_text(dimension)) {
			if (fields[i].length > TEXT_MOST)
				return is_wrong(reading, "a text is too long");
			if (!intern(reading->asking, fields[i], &key[i]))
				return is_wrong(reading, "out of memory");
		} else if (!answer_signed(fields[i], &key[i])) {
			return is_wrong(reading, "a number is none");
		} else if (is_local_time(dimension)) {
			key[i] = time_floor(last, dimension == DIMENSION_HOUR ? TIME_HOUR : TIME_DAY);
		} else if (key[i] < 0 || key[i] > (dimension == DIMENSION_PORT ? UINT16_MAX : dimension == DIMENSION_VERDICT ?
		    VERDICTS - 1 : 1)) {
			return is_wrong(reading, "a number is out of its range");
		}
	}
	return true;
}

/* fields: as query_of_question has them behind the dimensions. */
static bool read_figures(struct reading *reading, const struct text *fields, struct group *group)
{
	const struct question *question = reading->question;
	unsigned left_out = query_verdict_left_out(question);
	size_t field = 3;
	uint64_t rest;

	if (!answer_number(fields[0], &group->records) || !answer_number(fields[1], &group->connections) ||
	    !answer_signed(fields[2], &group->last))
		return is_wrong(reading, "a number is none");
	rest = group->records;
	for (unsigned i = 0; i < left_out; i++) {
		if ((question->verdicts & 1u << i) == 0)
			continue;
		if (!answer_number(fields[field++], &group->by_verdict[i]))
			return is_wrong(reading, "a number is none");
		if (group->by_verdict[i] > rest)
			return is_wrong(reading, "its numbers contradict each other");
		rest -= group->by_verdict[i];
	}
	group->by_verdict[left_out] = rest;
	if (question->uncounted)
		group->connections = group->records;
	return (group->connections <= group->records && (group->connections > 0 || group->records == 0)) ||
	    is_wrong(reading, "its numbers contradict each other");
}

static size_t figures_of(const struct question *question)
{
	size_t count = 3;

	for (unsigned i = 0; i < query_verdict_left_out(question); i++)
		count += (question->verdicts & 1u << i) != 0;
	return count;
}

static bool take_row(void *context, const struct text *fields)
{
	struct reading *reading = context;
	struct question *question = reading->question;
	struct group group = { .wanted = true };

	if (reading->answer.rows > (question->dimensions > 0 ? ROWS_MOST : 1))
		return is_wrong(reading, "it has too many rows; ask for a shorter time");
	if (!read_figures(reading, fields + question->dimensions, &group) ||
	    !read_key(reading, fields, group.last, group.key))
		return false;
	/* Without dimensions there is a row even where there is no record. */
	if (group.records == 0 || !is_within(reading, group.key))
		return true;
	if (!grow(&question->groups, &reading->room, question->count, sizeof group))
		return is_wrong(reading, "out of memory");
	group.wanted = question_wants(question, group.key);
	question->groups[question->count++] = group;
	return true;
}

static bool take_bytes(void *context, const char *bytes, size_t length)
{
	struct reading *reading = context;

	return answer_take(&reading->answer, bytes, length);
}

/* ---- Asking ---- */

static bool put_query(struct reading *reading, const char *sql, size_t fields,
    bool (*row)(void *, const struct text *))
{
	char *why = reading->store->trouble;
	enum clickhouse_result result;

	if (sql == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return false;
	}
	answer_begin(&reading->answer, fields, row, reading);
	result = clickhouse_query(reading->asking->clickhouse, sql, take_bytes, reading, why);
	if (result == CLICKHOUSE_DONE && answer_end(&reading->answer))
		return true;
	if (reading->wrong == NULL)
		reading->wrong = reading->answer.wrong;
	if (reading->wrong != NULL)
		snprintf(why, STORE_WHY_SIZE, "%s: the answer can't be used: %s",
		    clickhouse_place(reading->asking->clickhouse)->shown, reading->wrong);
	return false;
}

static void begin(struct reading *reading, struct store *store, struct question *question)
{
	memset(reading, 0, offsetof(struct reading, answer));
	reading->store = store;
	reading->asking = store->place;
	reading->question = question;
}

/* ---- The moment ---- */

struct looking {
	struct reading reading; /* first, as it is what a row is given */
	struct moment moment;
};

static bool take_moment(void *context, const struct text *fields)
{
	struct looking *looking = context;
	struct moment *moment = &looking->moment;
	bool good = answer_signed(fields[0], &moment->first) && answer_signed(fields[1], &moment->last) &&
	    answer_number(fields[2], &moment->rows) && answer_number(fields[3], &moment->ids) &&
	    answer_signed(fields[4], &moment->twice_first) && answer_signed(fields[5], &moment->twice_last);
	uint64_t sum = 0;

	if (looking->reading.answer.rows > 1)
		return is_wrong(&looking->reading, "it has too many rows");
	for (size_t i = 0; good && i < VERDICTS; i++) {
		good = answer_number(fields[6 + i], &moment->by_verdict[i]);
		sum += moment->by_verdict[i];
	}
	if (!good)
		return is_wrong(&looking->reading, "a number is none");
	return (sum == moment->rows && moment->ids <= moment->rows) ||
	    is_wrong(&looking->reading, "its numbers contradict each other");
}

/* What there is now. Returns false after a failure. */
static bool look(struct store *store)
{
	struct asking *asking = store->place;
	struct looking *looking = calloc(1, sizeof *looking);
	char *sql = query_of_moment(asking->since, asking->until);
	bool good = false;

	if (looking == NULL) {
		snprintf(store->trouble, sizeof store->trouble, "out of memory");
	} else {
		begin(&looking->reading, store, NULL);
		good = put_query(&looking->reading, sql, 6 + VERDICTS, take_moment);
		if (good && looking->reading.answer.rows == 0) {
			snprintf(store->trouble, sizeof store->trouble, "%s: the answer can't be used: it has no row",
			    clickhouse_place(asking->clickhouse)->shown);
			good = false;
		}
		asking->moment = looking->moment;
	}
	free(sql);
	free(looking);
	return good;
}

/* ---- One question ---- */

/* How far local time is ahead in the time that there are records of. The caller frees it; NULL after a failure. */
static char *offset_of(struct store *store)
{
	const struct asking *asking = store->place;
	char *offset = NULL;
	size_t length;
	FILE *to = open_memstream(&offset, &length);
	bool good = to != NULL && clickhouse_offset(asking->moment.first, asking->moment.last, to);

	if ((to == NULL || fclose(to) == 0) && good)
		return offset;
	snprintf(store->trouble, sizeof store->trouble, "the clock changes too often in that time; ask for a shorter one");
	free(offset);
	return NULL;
}

/* Asks once. If `by_id`, what comes in meanwhile doesn't count twice. */
static bool ask(struct reading *reading, bool by_id)
{
	const struct asking *asking = reading->asking;
	const struct moment *moment = &asking->moment;
	struct question *question = reading->question;
	struct query query = { .question = question, .since = asking->since, .until = asking->until, .rows = moment->rows,
		.store = reading->store, .wanted = reading->wanted, .wanted_count = reading->wanted_count };
	char *offset = NULL, *sql;
	bool good;

	/* Where nothing is wanted, nothing has to be asked for. */
	if (question->within != NULL && !question->outside && reading->wanted_count == 0)
		return true;
	if (question->dimensions > 0 && is_local_time(question->dimension[0])) {
		offset = offset_of(reading->store);
		if (offset == NULL)
			return false;
	}
	query.offset = offset;
	if (by_id) {
		query.twice_since = asking->since;
		query.twice_until = asking->until;
	} else if (moment->ids < moment->rows) {
		query.twice_since = moment->twice_first;
		query.twice_until = moment->twice_last + 1;
	}
	sql = query_of_question(&query);
	good = put_query(reading, sql, question->dimensions + figures_of(question), take_row);
	free(sql);
	free(offset);
	return good;
}

/* Whether the answer is of just those records that were there at the moment, none of them twice: then their number is the same. */
static bool is_of_moment(const struct reading *reading)
{
	const struct question *question = reading->question, *within = question->within;
	const struct moment *moment = &reading->asking->moment;

	for (size_t v = 0; v < VERDICTS; v++) {
		uint64_t wanted = within == NULL ? moment->by_verdict[v] : 0, sum = 0;

		if ((question->verdicts & 1u << v) == 0)
			continue;
		for (size_t i = 0; within != NULL && i < within->count; i++)
			if (within->groups[i].wanted != question->outside)
				wanted += within->groups[i].by_verdict[v];
		for (size_t i = 0; i < question->count; i++)
			sum += question->groups[i].by_verdict[v];
		if (sum != wanted)
			return false;
	}
	return moment->ids == moment->rows;
}

/* Asks until nothing came in meanwhile that may be there twice. */
static bool ask_surely(struct reading *reading, struct store *store, struct question *question)
{
	struct asking *asking = store->place;

	for (int tries = 0; tries <= TRIES; tries++) {
		const struct moment before = asking->moment;
		bool good;

		free(question->groups);
		question->groups = NULL;
		question->count = 0;
		begin(reading, store, question);
		if (!prepare_within(reading)) {
			snprintf(store->trouble, sizeof store->trouble, "out of memory");
			return false;
		}
		good = ask(reading, tries == TRIES);
		free(reading->wanted);
		if (!good || tries == TRIES || is_of_moment(reading))
			return good;
		if (!look(store))
			return false;
		if (memcmp(&before, &asking->moment, sizeof before) == 0)
			return true;
	}
	return true;
}

static bool clickhouse_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	struct asking *asking = store->place;
	struct reading *reading = calloc(1, sizeof *reading);
	bool good = reading != NULL;

	for (size_t i = 0; i < count; i++) {
		questions[i].groups = NULL;
		questions[i].count = 0;
		questions[i].index = NULL;
	}
	asking->since = since;
	asking->until = until;
	if (!good)
		snprintf(store->trouble, sizeof store->trouble, "out of memory");
	good = good && look(store);
	for (size_t i = 0; good && i < count && asking->moment.rows > 0; i++)
		good = ask_surely(reading, store, &questions[i]);
	free(reading);
	return good;
}

/* ---- The store ---- */

static void clickhouse_close(struct store *store)
{
	struct asking *asking = store->place;

	if (asking != NULL) {
		for (size_t i = 0; i < asking->numbers.count; i++)
			free((char *)asking->texts[i].at);
		free(asking->texts);
		numbers_free(&asking->numbers);
		clickhouse_free(asking->clickhouse);
	}
	free(asking);
	free(store);
}

struct store *clickhouse_open(const struct clickhouse_options *options, char why[STORE_WHY_SIZE])
{
	static const struct store_kind kind = { .ask = clickhouse_ask, .text = clickhouse_text, .close = clickhouse_close };
	struct store *store = calloc(1, sizeof *store);
	struct asking *asking = calloc(1, sizeof *asking);

	snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (store == NULL || asking == NULL) {
		free(asking);
		free(store);
		return NULL;
	}
	store->kind = &kind;
	store->place = asking;
	asking->clickhouse = clickhouse_new(options, options->timeout, why);
	if (asking->clickhouse != NULL && numbers_begin(&asking->numbers, FIRST_ROOM))
		return store;
	clickhouse_close(store);
	return NULL;
}
