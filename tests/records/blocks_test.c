/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows come back from blocks as they were, damage is noticed, and what is counted is what a plain recount comes to. */
#include <config.h>

#include "tests/records/place.h"

#include "records/blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Blocks ---- */

static const uint32_t counts[] = { 1, 2, 255, 256, 257, 5000, BLOCK_ROWS };

/* A column of few values, of many, and of the farthest. */
static int64_t any_value(unsigned kind, uint32_t row)
{
	static const int64_t edges[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_C(1) << 32, 65536 };

	switch (kind % 5) {
	case 0:
		return 42;
	case 1:
		return rand() % 256;
	case 2:
		return row;
	case 3:
		return edges[rand() % 6];
	default:
		return INT64_C(5000000000) + rand() % 100000;
	}
}

static void fill(struct rows *rows, uint32_t count)
{
	rows_clear(rows);
	for (uint32_t row = 0; row < count; row++) {
		char conn[CONN_SIZE];

		memset(conn, 'a' + (int)(row % 26), sizeof conn);
		for (unsigned column = 0; column < COLUMNS; column++)
			rows->value[column][row] = any_value(column, row);
		rows_add(rows, conn, row % 100 == 0 ? CONN_SIZE : row % 7);
	}
}

static void rows_come_back(void **state)
{
	static const enum column parts[] = { COLUMN_CONNECTION, COLUMN_TIME, FIRST_DETAIL, COLUMNS };
	struct rows *rows = rows_new();
	struct block *block = block_new(COLUMNS);
	struct bytes bytes = { .at = NULL };

	(void)state;
	assert_non_null(rows);
	assert_non_null(block);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		fill(rows, counts[i]);
		for (size_t k = 0; k + 1 < sizeof parts / sizeof parts[0]; k++) {
			bytes.length = 0;
			rows_encode(rows, parts[k], parts[k + 1], &bytes);
			assert_false(bytes.failed);
			assert_true(block_decode(block, parts[k], parts[k + 1], bytes.at, bytes.length));
			assert_int_equal(block->rows, counts[i]);
		}
		for (int column = 0; column < COLUMNS; column++)
			for (uint32_t row = 0; row < counts[i]; row++)
				if (block_value(block, (enum column)column, row) != rows->value[column][row])
					fail_msg("column %d, row %u of %u", column, row, counts[i]);
		assert_int_equal(block->conn_length, rows->conn_length);
		assert_memory_equal(block->conn, rows->conn, rows->conn_length);
	}
	free(bytes.at);
	block_free(block);
	rows_free(rows);
}

static void damage_is_noticed(void **state)
{
	struct rows *rows = rows_new();
	struct block *block = block_new(COLUMNS);
	struct bytes bytes = { .at = NULL };

	(void)state;
	assert_non_null(rows);
	assert_non_null(block);
	fill(rows, 100);
	rows_encode(rows, COLUMN_TIME, FIRST_DETAIL, &bytes);
	for (size_t i = 0; i < bytes.length; i++) {
		bytes.at[i] = (char)(bytes.at[i] ^ (1 << rand() % 8));
		assert_false(block_decode(block, COLUMN_TIME, FIRST_DETAIL, bytes.at, bytes.length));
		assert_false(block_decode(block, COLUMN_TIME, FIRST_DETAIL, bytes.at, i));
		fill(rows, 100);
		bytes.length = 0;
		rows_encode(rows, COLUMN_TIME, FIRST_DETAIL, &bytes);
	}
	assert_false(block_decode(block, FIRST_DETAIL, COLUMNS, bytes.at, bytes.length));
	free(bytes.at);
	block_free(block);
	rows_free(rows);
}

/* ---- Counting ---- */

/* More groups than a connection's short note of its first group can tell, and more rows than a block has. */
enum { RECORDS = 200000, USERS = 150000 };

struct seen {
	uint32_t user, conn;
};

static struct seen seen[RECORDS];
static uint64_t records_of[USERS], connections_of[USERS], normal_of[USERS];
static int64_t last_of[USERS];
static char place[128];

static void tell(void *context, enum ingest_news news, const char *file, int64_t offset, const char *text)
{
	(void)context, (void)news, (void)file, (void)offset, (void)text;
	fail_msg("%s", text);
}

static uint64_t ingest_all(int64_t keep, int64_t now, uint64_t *forgotten)
{
	const char *const journals[] = { path };
	const struct ingest_options options = { .journals = journals, .journal_count = 1, .keep = keep, .now = now,
		.tell = tell };
	struct ingest_counts taken;
	char why[STORE_WHY_SIZE];

	snprintf(place, sizeof place, "sqlite:%s/store", folder);
	if (!ingest(place, &options, &taken, why))
		fail_msg("%s", why);
	*forgotten = taken.forgotten;
	return taken.records;
}

static int compare_seen(const void *one, const void *two)
{
	const struct seen *a = one, *b = two;

	if (a->user != b->user)
		return a->user < b->user ? -1 : 1;
	return a->conn < b->conn ? -1 : a->conn > b->conn;
}

/* Times are a record's number; every second record goes on with a connection, mostly as another user. */
static void write_history(FILE *to)
{
	uint32_t conn = 0;

	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t user = (uint32_t)rand() % USERS;
		char line[RECORD_SIZE], user_text[16], conn_text[32], host[16];
		struct record record = { .time = i, .verdict = i % 3 == 0 ? RECORD_NORMAL : RECORD_BYPASS };
		size_t length;

		conn = i % 2 == 0 ? i : conn;
		if (i % 4 == 3)
			user = seen[i - 1].user;
		snprintf(user_text, sizeof user_text, "%u", user);
		snprintf(conn_text, sizeof conn_text, "192.0.2.1:%u", conn);
		snprintf(host, sizeof host, "h%u", user % 10);
		record.user = text_of(user_text);
		record.host = text_of(host);
		record.conn = text_of(conn_text);
		record.client = text_of("192.0.2.1");
		length = record_format(&record, line);
		assert_int_equal(fwrite(line, 1, length, to), length);
		seen[i] = (struct seen){ user, conn };
		records_of[user]++;
		normal_of[user] += record.verdict == RECORD_NORMAL;
		last_of[user] = i;
	}
	qsort(seen, RECORDS, sizeof *seen, compare_seen);
	for (uint32_t i = 0; i < RECORDS; i++)
		connections_of[seen[i].user] += i == 0 || compare_seen(&seen[i - 1], &seen[i]) != 0;
}

static bool is_odd(void *context, const int64_t *key)
{
	return strtoul(text_of_number(context, key[0]).at, NULL, 10) % 2 == 1;
}

/* Odd users of the hosts h0 to h4, and even ones of the others. */
static unsigned bits_of(void *context, size_t place_of, int64_t value)
{
	const char *text = text_of_number(context, value).at;

	return 1u << (place_of == 0 ? strtoul(text, NULL, 10) % 2 == 0 : text[1] >= '5');
}

static void check_groups(struct store *store, const struct question *question, size_t user_at, bool odd_only, bool some_only)
{
	uint64_t records = 0;

	for (size_t i = 0; i < question->count; i++) {
		const struct group *group = &question->groups[i];
		size_t user = strtoul(text_of_number(store, group->key[user_at]).at, NULL, 10);

		assert_true(user < USERS);
		assert_int_equal(group->records, records_of[user]);
		assert_int_equal(group->by_verdict[RECORD_NORMAL], normal_of[user]);
		assert_int_equal(group->by_verdict[RECORD_BYPASS], records_of[user] - normal_of[user]);
		assert_int_equal(group->last, last_of[user]);
		assert_true(group->wanted == (question->wants == NULL || user % 2 == 1));
		assert_int_equal(group->connections, group->wanted ? connections_of[user] : 0);
		assert_true(!odd_only || user % 2 == 1);
		records += group->records;
	}
	assert_true(some_only || records == RECORDS);
}

static void counts_are_those_of_a_recount(void **state)
{
	struct question questions[] = {
		{ .verdicts = 0xf },
		{ .dimension = { DIMENSION_USER }, .dimensions = 1, .verdicts = 0xf },
		{ .dimension = { DIMENSION_USER }, .dimensions = 1, .verdicts = 0xf, .wants = is_odd },
		{ .dimension = { DIMENSION_CLIENT, DIMENSION_NAME, DIMENSION_PORT, DIMENSION_DST, DIMENSION_USER },
		    .dimensions = 5, .verdicts = 0xf },
		{ .dimension = { DIMENSION_NAME, DIMENSION_USER }, .dimensions = 2, .verdicts = 0xf, .within = &questions[2] },
		{ .verdicts = 1 << RECORD_NORMAL, .within = &questions[2] },
		{ .verdicts = 1 << RECORD_BYPASS, .within = &questions[2], .outside = true },
		{ .dimension = { DIMENSION_USER, DIMENSION_NAME }, .dimensions = 2, .verdicts = 0xf, .bits = bits_of,
		    .uncounted = true },
		{ .dimension = { DIMENSION_NAME, DIMENSION_USER }, .dimensions = 2, .verdicts = 0xf, .within = &questions[7] },
		{ .verdicts = 0xf, .within = &questions[7], .outside = true },
	};
	enum { QUESTIONS = sizeof questions / sizeof questions[0] };
	FILE *file = fopen(path, "we");
	char why[STORE_WHY_SIZE];
	struct store *store;
	uint64_t forgotten, odd = 0, odd_normal = 0, even_bypass = 0, judged = 0, judged_records = 0;

	(void)state;
	assert_non_null(file);
	write_history(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(ingest_all(0, 0, &forgotten), RECORDS);
	store = store_open(place, why);
	assert_non_null(store);
	questions[2].context = questions[7].context = store;
	assert_true(questions_ask(store, 0, RECORDS, questions, QUESTIONS));
	assert_int_equal(questions[0].count, 1);
	assert_int_equal(questions[0].groups[0].records, RECORDS);
	assert_int_equal(questions[0].groups[0].connections, RECORDS / 2);
	assert_int_equal(questions[0].groups[0].last, RECORDS - 1);
	check_groups(store, &questions[1], 0, false, false);
	check_groups(store, &questions[2], 0, false, false);
	check_groups(store, &questions[3], 4, false, false);
	check_groups(store, &questions[4], 1, true, true);
	check_groups(store, &questions[8], 1, false, true);
	for (size_t i = 0; i < questions[8].count; i++)
		assert_true(question_wants(&questions[7], (int64_t[]){ questions[8].groups[i].key[1], questions[8].groups[i].key[0] }));
	for (size_t user = 1; user < USERS; user += 2) {
		odd += records_of[user] > 0;
		odd_normal += normal_of[user];
	}
	assert_int_equal(questions[4].count, odd);
	assert_int_equal(questions[5].groups[0].records, odd_normal);
	for (size_t user = 0; user < USERS; user += 2)
		even_bypass += records_of[user] - normal_of[user];
	assert_int_equal(questions[6].groups[0].records, even_bypass);
	for (size_t user = 0; user < USERS; user++) {
		bool wanted = (user % 2 == 0) == (user % 10 >= 5);

		judged += wanted && records_of[user] > 0;
		judged_records += wanted ? records_of[user] : 0;
	}
	assert_int_equal(questions[8].count, judged);
	assert_int_equal(questions[9].groups[0].records, RECORDS - judged_records);
	for (size_t i = 0; i < QUESTIONS; i++)
		question_free(&questions[i]);
	/* Of two in three connections a record is normal, be it the second one. */
	questions[0].verdicts = 1 << RECORD_NORMAL;
	assert_true(questions_ask(store, 0, RECORDS, questions, 1));
	assert_int_equal(questions[0].groups[0].connections, RECORDS / 2 * 2 / 3 + 1);
	question_free(&questions[0]);
	questions[0].verdicts = 0xf;
	/* A part of it, which begins and ends within blocks. */
	assert_true(questions_ask(store, 1001, 150001, questions, 1));
	assert_int_equal(questions[0].groups[0].records, 149000);
	assert_int_equal(questions[0].groups[0].connections, 74501);
	question_free(&questions[0]);
	store_close(store);
	remove_store(place);
}

/* ---- What is nearly alike ---- */

/* More groups than 16 bits tell; and two connections whose numbers have their lower 32 bits in common, by which a table tells
 * most apart, and the upper ones, which are the place in it. */
enum { GROUPS = 66000 };
static const uint32_t pair[] = { 20426058, 43580002 };

static struct record with_conn(uint32_t conn, char text[32])
{
	snprintf(text, 32, "192.0.2.1:%u", conn);
	return (struct record){ .conn = text_of(text), .verdict = RECORD_NORMAL };
}

static uint64_t number_of(uint32_t conn)
{
	char text[32];
	const struct record record = with_conn(conn, text);

	return (uint64_t)connection_number(&record);
}

/* Each user has a connection of his own, the last one has two, and all come twice. */
static void the_nearly_alike_are_told_apart(void **state)
{
	struct question question = { .dimension = { DIMENSION_USER }, .dimensions = 1, .verdicts = 0xf };
	FILE *file = fopen(path, "we");
	char why[STORE_WHY_SIZE];
	struct store *store;
	uint64_t forgotten;

	(void)state;
	assert_non_null(file);
	assert_int_equal((uint32_t)number_of(pair[0]), (uint32_t)number_of(pair[1]));
	assert_int_equal(number_of(pair[0]) >> 46, number_of(pair[1]) >> 46);
	for (uint32_t i = 0; i < 2 * (GROUPS + 1); i++) {
		uint32_t user = i % (GROUPS + 1), conns = user < GROUPS ? 1 : 2;

		for (uint32_t j = 0; j < conns; j++) {
			char line[RECORD_SIZE], conn[32], name[16];
			struct record record = with_conn(user < GROUPS ? user : pair[j], conn);

			snprintf(name, sizeof name, "%u", user);
			record.user = text_of(name);
			assert_int_not_equal(fwrite(line, 1, record_format(&record, line), file), 0);
		}
	}
	assert_int_equal(fclose(file), 0);
	assert_int_equal(ingest_all(0, 0, &forgotten), 2 * (GROUPS + 2));
	store = store_open(place, why);
	assert_non_null(store);
	assert_true(questions_ask(store, 0, 1, &question, 1));
	assert_int_equal(question.count, GROUPS + 1);
	for (size_t i = 0; i < question.count; i++) {
		const struct group *group = &question.groups[i];
		uint64_t conns = strtoul(text_of_number(store, group->key[0]).at, NULL, 10) < GROUPS ? 1 : 2;

		assert_int_equal(group->records, 2 * conns);
		assert_int_equal(group->connections, conns);
	}
	question_free(&question);
	store_close(store);
	remove_store(place);
}

/* ---- Small batches ---- */

static int64_t blocks_in(void)
{
	char why[STORE_WHY_SIZE];
	struct store *store = store_open(place, why);
	int64_t blocks = -1;

	assert_non_null(store);
	assert_true(store_number(store, "SELECT count(*) FROM blocks", &blocks));
	store_close(store);
	return blocks;
}

static void small_batches_become_larger_blocks(void **state)
{
	struct journal *journal = journal_open(path, &eager);
	struct question all = { .verdicts = 0xf };
	char why[STORE_WHY_SIZE];
	struct store *store;
	uint64_t forgotten;

	(void)state;
	for (int64_t i = 0; i < 500; i++) {
		const struct record record = { .time = i * 60000, .conn = text_of(i % 5 != 0 ? "192.0.2.1:1" : NULL) };

		assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
		if (i % 3 != 0)
			assert_int_equal(ingest_all(0, 0, &forgotten), 3 - i % 3);
	}
	assert_int_equal(journal_close(journal), 0);
	assert_true(blocks_in() <= 10);
	/* A part of a block is forgotten, but not for some seconds. */
	assert_int_equal(ingest_all(1, 60000 * 100 + 30001, &forgotten), 0);
	assert_int_equal(forgotten, 101);
	assert_int_equal(ingest_all(1, 60000 * 101 + 30001, &forgotten), 0);
	assert_int_equal(forgotten, 0);
	store = store_open(place, why);
	assert_non_null(store);
	assert_true(questions_ask(store, 0, INT64_MAX, &all, 1));
	assert_int_equal(all.groups[0].records, 399);
	assert_int_equal(all.groups[0].last, 499 * 60000);
	/* Each record without conn is one of its own. */
	assert_int_equal(all.groups[0].connections, 79 + 1);
	question_free(&all);
	store_close(store);
	assert_int_equal(ingest_all(1, INT64_C(60000) * 1000, &forgotten), 0);
	assert_int_equal(forgotten, 399);
	assert_int_equal(blocks_in(), 0);
	remove_store(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_back),
		cmocka_unit_test(damage_is_noticed),
		TEST(counts_are_those_of_a_recount),
		TEST(the_nearly_alike_are_told_apart),
		TEST(small_batches_become_larger_blocks),
	};

	return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
