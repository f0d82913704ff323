/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's questions, put to ClickHouse: one query each, counted by the server.
 *
 * Records that came twice are in the table twice until its parts are merged, so each query says FINAL: then a row is
 * counted once, by the table's ORDER BY. Which groups are wanted is for the category to say, that is for this side; where
 * they are few, the queries that ask for no others tell the server so. Texts get their numbers here. */
#include <config.h>

#include "records/clickhouse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* How many of another question's groups, in how long a query, a server is told of; and what is taken from it. */
enum { TOLD_GROUPS = 1000, TOLD_BYTES = 128 * 1024, TEXT_MOST = 8192, ROWS_MOST = 10 * 1000 * 1000 };

/* Longer than any time that a record may have, in whole days: no remainder of a negative number. */
#define AFTER_ALL "86400000000000"

struct interned {
	char *at;
	size_t length;
};

struct asking {
	struct clickhouse *clickhouse;
	struct hash_key key;
	struct interned *texts; /* number 1 is the first */
	size_t count, room;
	uint32_t *slots; /* numbers by the hash of their text; 0: free */
	size_t slot_count;
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

static bool make_slots(struct asking *asking)
{
	size_t count = asking->slot_count == 0 ? 1024 : asking->slot_count * 2;
	uint32_t *slots = calloc(count, sizeof *slots);

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < asking->count; i++) {
		size_t at = hash_bytes(&asking->key, asking->texts[i].at, asking->texts[i].length) & (count - 1);

		while (slots[at] != 0)
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(asking->slots);
	asking->slots = slots;
	asking->slot_count = count;
	return true;
}

static bool intern(struct asking *asking, struct text text, int64_t *number)
{
	size_t at;

	*number = 0;
	if (text.length == 0)
		return true;
	if (asking->count * 2 >= asking->slot_count && !make_slots(asking))
		return false;
	at = hash_bytes(&asking->key, text.at, text.length) & (asking->slot_count - 1);
	for (; asking->slots[at] != 0; at = (at + 1) & (asking->slot_count - 1)) {
		const struct interned *known = &asking->texts[asking->slots[at] - 1];

		if (known->length == text.length && memcmp(known->at, text.at, text.length) == 0) {
			*number = asking->slots[at];
			return true;
		}
	}
	if (asking->count >= UINT32_MAX - 1 ||
	    (asking->count == asking->room && !grow(&asking->texts, &asking->room, asking->count, sizeof *asking->texts)))
		return false;
	asking->texts[asking->count].at = malloc(text.length);
	if (asking->texts[asking->count].at == NULL)
		return false;
	memcpy(asking->texts[asking->count].at, text.at, text.length);
	asking->texts[asking->count].length = text.length;
	*number = asking->slots[at] = (uint32_t)++asking->count;
	return true;
}

static struct text clickhouse_text(struct store *store, int64_t number)
{
	const struct asking *asking = store->place;

	if (number <= 0 || (uint64_t)number > asking->count)
		return text_of("");
	return (struct text){ .at = asking->texts[number - 1].at, .length = asking->texts[number - 1].length };
}

/* ---- What is asked ---- */

static bool is_local_time(enum dimension dimension)
{
	return dimension == DIMENSION_HOUR || dimension == DIMENSION_DAY;
}

static const char *const expressions[DIMENSIONS] = { [DIMENSION_VERDICT] = "toInt8(verdict)",
	[DIMENSION_SERVICE] = "if(service != '', service, would)", [DIMENSION_CLIENT] = "client", [DIMENSION_USER] = "user",
	[DIMENSION_RULE] = "rule", [DIMENSION_DST] = "dst", [DIMENSION_NAME] = "if(dst != '' AND sni != '', sni, host)",
	[DIMENSION_PORT] = "port", [DIMENSION_SNI] = "sni", [DIMENSION_EVIDENCE] = "evidence", [DIMENSION_STALE] = "stale",
	[DIMENSION_DISAGREES] = "disagrees" };

/* What tells the hours or days of local time apart; `offset` is how far it is ahead of UTC. */
static void write_dimension(enum dimension dimension, const char *offset, FILE *to)
{
	if (dimension == DIMENSION_HOUR)
		fprintf(to, "time - (time + " AFTER_ALL " + %s) %% 3600000", offset);
	else if (dimension == DIMENSION_DAY)
		fprintf(to, "intDiv(time + " AFTER_ALL " + %s, 86400000)", offset);
	else
		fputs(expressions[dimension], to);
}

static void write_dimensions(const struct question *question, const char *offset, FILE *to)
{
	for (size_t i = 0; i < question->dimensions; i++) {
		fputs(i > 0 ? ", " : "", to);
		write_dimension(question->dimension[i], offset, to);
	}
}

static void write_literal(struct text text, FILE *to)
{
	fputc('\'', to);
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\'' || text.at[i] == '\\')
			fputc('\\', to);
		fputc(text.at[i], to);
	}
	fputc('\'', to);
}

/* The other question's groups, where they are few. */
static void write_within(struct reading *reading, FILE *to)
{
	const struct question *within = reading->question->within;

	if (within == NULL || reading->wanted_count == 0 || reading->wanted_count > TOLD_GROUPS)
		return;
	fputs(" AND (", to);
	write_dimensions(within, "", to);
	fprintf(to, ") %sIN (", reading->question->outside ? "NOT " : "");
	for (size_t i = 0; i < reading->wanted_count; i++) {
		fprintf(to, "%s(", i > 0 ? ", " : "");
		for (size_t k = 0; k < within->dimensions; k++) {
			int64_t key = reading->wanted[i]->key[k];

			fputs(k > 0 ? ", " : "", to);
			if (dimension_is_text(within->dimension[k]))
				write_literal(clickhouse_text(reading->store, key), to);
			else
				fprintf(to, "%" PRId64, key);
		}
		fputc(')', to);
	}
	fputc(')', to);
}

static void write_verdicts(unsigned verdicts, FILE *to)
{
	const char *before = " AND verdict IN (";

	if (verdicts == (1 << VERDICTS) - 1)
		return;
	for (int i = 0; i < VERDICTS; i++) {
		if ((verdicts & 1u << i) != 0) {
			fprintf(to, "%s'%s'", before, record_verdict_name((enum record_verdict)i));
			before = ", ";
		}
	}
	fputc(')', to);
}

/* Returns the query, which the caller frees, or NULL when memory has run out. */
static char *write_query(struct reading *reading, int64_t since, int64_t until, const char *offset, bool told)
{
	const struct question *question = reading->question;
	char *sql = NULL;
	size_t length;
	FILE *to = open_memstream(&sql, &length);

	if (to == NULL)
		return NULL;
	fputs("SELECT ", to);
	write_dimensions(question, offset, to);
	fputs(question->dimensions > 0 ? ", " : "", to);
	fprintf(to, "count(), %s", question->uncounted ? "count()" :
	    "uniqExactIf(connection, connection != 0) + countIf(connection = 0)");
	for (int i = 0; i < VERDICTS; i++)
		fprintf(to, ", countIf(verdict = '%s')", record_verdict_name((enum record_verdict)i));
	fprintf(to, ", max(time) FROM records FINAL WHERE time >= %" PRId64 " AND time < %" PRId64, since, until);
	write_verdicts(question->verdicts, to);
	if (told)
		write_within(reading, to);
	if (question->dimensions > 0) {
		fputs(" GROUP BY ", to);
		write_dimensions(question, offset, to);
	}
	fputs(" FORMAT TabSeparated", to);
	if (fclose(to) == 0 && (length <= TOLD_BYTES || !told))
		return sql;
	free(sql);
	return told ? write_query(reading, since, until, offset, false) : NULL;
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

static bool read_figures(struct reading *reading, const struct text *fields, struct group *group)
{
	uint64_t sum = 0;

	if (!answer_number(fields[0], &group->records) || !answer_number(fields[1], &group->connections) ||
	    !answer_signed(fields[2 + VERDICTS], &group->last))
		return is_wrong(reading, "a number is none");
	for (size_t i = 0; i < VERDICTS; i++) {
		if (!answer_number(fields[2 + i], &group->by_verdict[i]))
			return is_wrong(reading, "a number is none");
		sum += group->by_verdict[i];
	}
	return (sum == group->records && group->connections <= group->records &&
	    (group->connections > 0 || group->records == 0)) || is_wrong(reading, "its numbers contradict each other");
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

static bool ask(struct reading *reading, int64_t since, int64_t until, const char *offset)
{
	const struct question *question = reading->question;
	bool good = prepare_within(reading);
	char *sql = NULL;

	/* Where nothing is wanted, nothing has to be asked for. */
	if (!good || question->within == NULL || question->outside || reading->wanted_count > 0) {
		sql = good ? write_query(reading, since, until, offset, true) : NULL;
		good = put_query(reading, sql, question->dimensions + 3 + VERDICTS, take_row);
	}
	free(sql);
	free(reading->wanted);
	return good;
}

/* ---- Local time ---- */

struct span {
	struct reading reading; /* first, as it is what a row is given */
	int64_t first, last;
};

static bool take_span(void *context, const struct text *fields)
{
	struct span *span = context;

	return (answer_signed(fields[0], &span->first) && answer_signed(fields[1], &span->last)) ||
	    is_wrong(&span->reading, "a number is none");
}

/* How far local time is ahead in the time that there are records of. Returns false after a failure. */
static bool find_offset(struct span *span, int64_t since, int64_t until, char **offset)
{
	char *sql = NULL;
	size_t length;
	FILE *to;
	bool good;

	if (asprintf(&sql, "SELECT min(time), max(time) FROM records WHERE time >= %" PRId64 " AND time < %" PRId64
	    " FORMAT TabSeparated", since, until) < 0)
		sql = NULL;
	good = put_query(&span->reading, sql, 2, take_span);
	free(sql);
	if (!good)
		return false;
	to = open_memstream(offset, &length);
	good = to != NULL && clickhouse_offset(span->first, span->last, to);
	if (to != NULL && fclose(to) != 0)
		good = false;
	if (!good)
		snprintf(span->reading.store->trouble, STORE_WHY_SIZE, "the clock changes too often in that time; ask for a shorter one");
	return good;
}

static bool needs_offset(const struct question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < questions[i].dimensions; k++)
			if (is_local_time(questions[i].dimension[k]))
				return true;
	return false;
}

static bool clickhouse_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	struct reading *reading = calloc(1, sizeof *reading);
	struct span *span = calloc(1, sizeof *span);
	char *offset = NULL;
	bool good = reading != NULL && span != NULL;

	for (size_t i = 0; i < count; i++) {
		questions[i].groups = NULL;
		questions[i].count = 0;
		questions[i].index = NULL;
	}
	if (!good) {
		snprintf(store->trouble, sizeof store->trouble, "out of memory");
	} else if (needs_offset(questions, count)) {
		begin(&span->reading, store, NULL);
		good = find_offset(span, since, until, &offset);
	}
	for (size_t i = 0; good && i < count; i++) {
		begin(reading, store, &questions[i]);
		good = ask(reading, since, until, offset);
	}
	free(offset);
	free(span);
	free(reading);
	return good;
}

/* ---- The store ---- */

static void clickhouse_close(struct store *store)
{
	struct asking *asking = store->place;

	if (asking != NULL) {
		for (size_t i = 0; i < asking->count; i++)
			free(asking->texts[i].at);
		free(asking->texts);
		free(asking->slots);
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
	if (asking->clickhouse != NULL && getrandom(&asking->key, sizeof asking->key, 0) == (ssize_t)sizeof asking->key)
		return store;
	clickhouse_close(store);
	return NULL;
}
