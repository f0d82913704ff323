/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report that takes up what was counted before is the same, to the byte, as one that counts all of it. */
#include <config.h>

#include "tests/records/place.h"

#include "records/counting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Some six blocks, of which four suffice to be kept. */
enum { FIRST = 390000, LATELY = 2000, LONG_LIVED = 60, EACH_MS = 10 };

static struct kept_counts *kept;
static struct category *category, *another;
static char place[128], services[128];
static uint32_t written;
static struct drawn {
	uint32_t client, conn, host, kind;
} drawn[LATELY];

static int64_t time_of(uint32_t record)
{
	return INT64_C(1793527200000) + (int64_t)record * EACH_MS;
}

/* ---- Records ---- */

/* New connections, those of a while ago, and a few that never end; most go on as they were, some as another user, or with
 * another verdict. */
static struct drawn draw(void)
{
	uint32_t chance = (uint32_t)rand() % 10;
	struct drawn one = drawn[(uint32_t)rand() % LATELY];

	if (chance == 0)
		one = (struct drawn){ .client = 7, .conn = (uint32_t)rand() % LONG_LIVED, .host = 3, .kind = (uint32_t)rand() % 20 };
	else if (chance < 6 || one.conn == 0)
		one = (struct drawn){ (uint32_t)rand() % 60, LONG_LIVED + written, (uint32_t)rand() % 150, (uint32_t)rand() % 20 };
	else if (chance == 6)
		one.client = (uint32_t)rand() % 60;
	else if (chance == 7)
		one.kind = (uint32_t)rand() % 20;
	drawn[written % LATELY] = one;
	return one;
}

static void write_record(FILE *to)
{
	struct drawn one = draw();
	char client[32], user[32], conn[32], dst[32], name[32], line[RECORD_SIZE];
	bool exempt = one.kind < 5, shadow = one.kind == 5;
	struct record record = { .time = time_of(written) + rand() % 50, .port = 443, .client = text_of(client),
		.conn = text_of(conn), .dst = text_of(dst), .host = text_of(name),
		.verdict = exempt ? RECORD_BYPASS : shadow ? RECORD_SHADOW : one.kind < 8 ? RECORD_DENIED : RECORD_NORMAL };
	size_t length;

	snprintf(client, sizeof client, "10.0.%u.%u", one.client / 250, one.client % 250);
	snprintf(user, sizeof user, "u%u", one.client / 2);
	snprintf(conn, sizeof conn, "%u", one.conn);
	snprintf(dst, sizeof dst, "198.18.%u.%u:443", one.host / 100, one.host % 100);
	snprintf(name, sizeof name, "h%u.example.com", one.host);
	if (one.client % 3 != 0)
		record.user = text_of(user);
	if (one.host % 2 == 0)
		record.sni = text_of(name);
	if (exempt || shadow) {
		*(exempt ? &record.service : &record.would) = text_of(one.kind % 2 == 0 ? "one" : "other");
		record.rule = text_of(one.kind % 2 == 0 ? "198.18.0.0/24" : "h7.example.com");
		record.evidence = text_of(one.kind % 2 == 0 ? "address" : "name");
		record.stale = one.kind == 3;
		record.disagrees = one.kind == 4;
	}
	written++;
	length = record_format(&record, line);
	assert_int_equal(fwrite(line, 1, length, to), length);
}

static void tell(void *context, enum ingest_news news, const char *file, int64_t offset, const char *text)
{
	(void)context, (void)news, (void)file, (void)offset, (void)text;
	fail_msg("%s", text);
}

static uint64_t take(int64_t keep, int64_t now)
{
	const char *const journals[] = { path };
	const struct ingest_options options = { .journals = journals, .journal_count = 1, .keep = keep, .now = now,
		.tell = tell };
	struct ingest_counts counts;
	char why[STORE_WHY_SIZE];

	if (!ingest(place, &options, &counts, why))
		fail_msg("%s", why);
	return counts.forgotten;
}

static void add_records(uint32_t count)
{
	FILE *to = fopen(path, "ae");

	assert_non_null(to);
	while (count-- > 0)
		write_record(to);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(take(0, time_of(written)), 0);
}

/* ---- Reports ---- */

static struct category *load(const char *text)
{
	const char *const paths[] = { services };
	struct problems problems = { .list = NULL };
	struct category *loaded;
	FILE *to = fopen(services, "we");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
	loaded = category_load(paths, 1, NULL, &problems);
	assert_non_null(loaded);
	assert_int_equal(problems.count, 0);
	problems_free(&problems);
	return loaded;
}

/* As JSON, or why there is none. Tells how many rows were counted before. */
static char *report(struct kept_counts *use, const struct report_options *options, uint64_t *before)
{
	char why[STORE_WHY_SIZE], *text = NULL;
	struct store *store = store_open(place, why);
	struct report made;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(store);
	assert_non_null(to);
	store_use_counts(store, use);
	if (report_make(store, options, &made, why))
		assert_true(report_write_json(&made, to));
	else
		fputs(why, to);
	report_free(&made);
	*before = store->rows_before;
	store_close(store);
	assert_int_equal(fclose(to), 0);
	return text;
}

/* Of the records from one to another. */
static uint64_t check_options(const struct report_options *options)
{
	uint64_t before, none;
	char *one = report(kept, options, &before), *whole = report(NULL, options, &none);

	assert_int_equal(none, 0);
	assert_non_null(strstr(whole, "\"totals\""));
	if (strcmp(one, whole) != 0)
		fail_msg("with %llu rows counted before:\n%.3000s\nand without:\n%.3000s", (unsigned long long)before, one, whole);
	free(one);
	free(whole);
	return before;
}

static uint64_t check(uint32_t first, uint32_t end)
{
	static unsigned turn;
	const struct report_options options = { .since = time_of(first), .until = time_of(end) + 100, .now = time_of(written),
		.by = (enum report_by)(turn++ % 4), .limit = 500, .also = 1 << REPORT_BY_CLIENT | 1 << REPORT_BY_HOUR,
		.category = category };

	return check_options(&options);
}

static int set_up(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	snprintf(place, sizeof place, "sqlite:%s/store", folder);
	snprintf(services, sizeof services, "%s/one.service", folder);
	another = load("service one\nsource test 2026-01-01\naddress 198.18.1.0/24\n");
	category = load("service one\nsource test 2026-01-01\naddress 198.18.0.0/24\nname h7.example.com\nname h120.example.com\n");
	kept = kept_counts_new();
	assert_non_null(kept);
	written = 0;
	memset(drawn, 0, sizeof drawn);
	add_records(FIRST);
	return 0;
}

static int tear_down(void **state)
{
	kept_counts_free(kept);
	category_free(category);
	category_free(another);
	remove_store(place);
	unlink(services);
	return remove_folder(state);
}

/* ---- Tests ---- */

static void times_that_cut_blocks(void **state)
{
	(void)state;
	assert_int_equal(check(0, FIRST), 0);
	for (int i = 0; i < 4; i++)
		assert_true(check(0, FIRST) > 0);
	/* A little less cuts a block that is kept, so it begins anew; what is within that is the second of those. */
	assert_int_equal(check(1000, FIRST - 1000), 0);
	assert_true(check(1001, FIRST - 999) > 0);
	assert_true(check(500, FIRST - 500) > 0);
	assert_true(check(0, FIRST) > 0);
	assert_int_equal(check(100000, 150000), 0);
}

static void records_that_arrive(void **state)
{
	uint64_t before;

	(void)state;
	(void)check(0, FIRST);
	for (int i = 0; i < 12; i++) {
		add_records(i % 3 == 0 ? 1 : 700);
		assert_true(check(0, written) > 0);
	}
	/* A block that stays as it is, which is kept as well. */
	before = check(0, written);
	add_records(20000);
	assert_true(check(0, written) > 0);
	assert_true(check(0, written) > before);
	/* So many that it isn't worth while. */
	add_records(FIRST);
	assert_int_equal(check(0, written), 0);
	assert_true(check(0, written) > FIRST);
}

static void records_that_are_forgotten(void **state)
{
	const int64_t later = time_of(FIRST);

	(void)state;
	(void)check(0, FIRST);
	/* A part of the first block; then all of it. */
	assert_true(take(time_of(FIRST) - time_of(20000), later) > 10000);
	assert_int_equal(check(0, FIRST), 0);
	assert_true(check(0, FIRST) > 0);
	assert_true(take(time_of(FIRST) - time_of(80000), later) > 40000);
	assert_int_equal(check(0, FIRST), 0);
	assert_true(check(0, FIRST) > 0);
}

static void another_category(void **state)
{
	struct report_options options = { .since = time_of(0), .until = time_of(FIRST) + 100, .limit = 500, .category = category };

	(void)state;
	assert_int_equal(check_options(&options), 0);
	assert_true(check_options(&options) > 0);
	options.category = another;
	assert_int_equal(check_options(&options), 0);
	assert_true(check_options(&options) > 0);
	options.off = category;
	assert_int_equal(check_options(&options), 0);
	options.off = NULL;
	options.category = NULL;
	assert_int_equal(check_options(&options), 0);
	options.by = REPORT_BY_DAY;
	assert_int_equal(check_options(&options), 0);
	/* Each has a place of its own. */
	options.category = another;
	options.by = REPORT_BY_USER;
	options.limit = 3;
	assert_true(check_options(&options) > 0);
}

static void processes_share_it(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(check(0, FIRST) == 0 ? 0 : 1);
	expect_good_end(child);
	assert_true(check(0, FIRST) > 0);
}

static void change_store(const char *sql)
{
	char why[STORE_WHY_SIZE];
	struct store *store = store_open_to_write(place, why);

	assert_non_null(store);
	if (!store_run(store, sql))
		fail_msg("%s", store->trouble);
	store_close(store);
}

static void expect_damage(uint32_t first, uint32_t end)
{
	const struct report_options options = { .since = time_of(first), .until = time_of(end) + 100, .category = category };
	uint64_t before;
	char *text = report(kept, &options, &before);

	assert_non_null(strstr(text, "damaged"));
	free(text);
}

static void a_store_that_is_damaged(void **state)
{
	(void)state;
	add_records(1);
	assert_int_equal(check(0, written), 0);
	assert_true(check(0, written) > 0);
	/* With the connections of another one it is another block. */
	change_store("CREATE TEMP TABLE full AS SELECT id, connections FROM blocks WHERE rows = 65536 ORDER BY id LIMIT 2;"
	    " UPDATE blocks SET connections = (SELECT connections FROM full WHERE id <> blocks.id)"
	    " WHERE id = (SELECT min(id) FROM full)");
	assert_int_equal(check(0, written), 0);
	assert_true(check(0, written) > 0);
	change_store("UPDATE blocks SET rows = rows + 1 WHERE id = 3");
	expect_damage(0, written);
	change_store("UPDATE blocks SET rows = rows - 1 WHERE id = 3");
	assert_true(check(0, written) > 0);
	/* The sum is as it was, and nothing else. */
	change_store("UPDATE blocks SET connections = CAST(substr(connections, 1, 100) || zeroblob(length(connections) - 100)"
	    " AS BLOB) WHERE id = 3");
	expect_damage(0, written);
	change_store("UPDATE blocks SET columns = x'00', connections = 1 WHERE id = 3");
	expect_damage(0, written);
}

/* ---- What there is room for ---- */

static struct listed_block only = { .id = 1, .rows = 100, .closed = true };
static struct block_list list = { &only, 1 };

static void put_groups(struct kept_counts *counts, uint64_t about, size_t count)
{
	const struct kept_key key = { .about = about };
	struct question question = { .groups = calloc(count, sizeof *question.groups), .count = count };

	assert_non_null(question.groups);
	kept_counts_put(counts, &key, &list, &question, 1);
	free(question.groups);
}

static bool are_there(struct kept_counts *counts, uint64_t about, size_t count)
{
	const struct kept_key key = { .about = about };
	struct question question = { .dimensions = 1 };

	only.before = false;
	assert_true(question_prepare(&question, 1, 2));
	assert_true(kept_counts_take(counts, &key, &list, &question, 1));
	assert_int_equal(question.count, only.before ? count : 0);
	question_free(&question);
	return only.before;
}

static void what_is_used_least_gives_way(void **state)
{
	const size_t too_many = KEPT_COUNTS_SIZE / 4 / sizeof(struct group);
	struct kept_counts *counts = kept_counts_new();

	(void)state;
	assert_non_null(counts);
	for (uint64_t i = 0; i < 5; i++)
		put_groups(counts, i, 1000 + i);
	assert_false(are_there(counts, 0, 1000));
	for (uint64_t i = 1; i < 5; i++)
		assert_true(are_there(counts, i, 1000 + i));
	assert_true(are_there(counts, 1, 1001));
	put_groups(counts, 5, 7);
	assert_false(are_there(counts, 2, 1002));
	assert_true(are_there(counts, 1, 1001));
	/* One of the same takes its place. */
	put_groups(counts, 5, 8);
	assert_true(are_there(counts, 5, 8));
	assert_true(are_there(counts, 3, 1003));
	/* What is too much takes none. */
	put_groups(counts, 6, too_many);
	assert_false(are_there(counts, 6, too_many));
	put_groups(counts, 7, too_many - 10);
	assert_true(are_there(counts, 7, too_many - 10));
	kept_counts_free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KEPT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		KEPT_TEST(times_that_cut_blocks),
		KEPT_TEST(records_that_arrive),
		KEPT_TEST(records_that_are_forgotten),
		KEPT_TEST(another_category),
		KEPT_TEST(processes_share_it),
		KEPT_TEST(a_store_that_is_damaged),
		cmocka_unit_test(what_is_used_least_gives_way),
	};

	return cmocka_run_group_tests_name("counts that are kept", tests, NULL, NULL);
}
