/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From journal to store to report, by the library alone, as the ICAP module uses it. */
#include <config.h>

#include "tests/records/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned told;

static void tell(void *context, enum ingest_news news, const char *file, int64_t offset, const char *text)
{
	(void)context, (void)news, (void)file, (void)offset, (void)text;
	told++;
}

static char place[128];

typedef void after_batch(void *context, const struct ingest_counts *counts);

static struct ingest_counts take_with(after_batch *after)
{
	const char *const journals[] = { path };
	const struct ingest_options options = { .journals = journals, .journal_count = 1, .now = 1000, .tell = tell,
		.progress = after };
	struct ingest_counts counts;
	char why[STORE_WHY_SIZE];

	snprintf(place, sizeof place, "sqlite:%s/store", folder);
	if (!ingest(place, &options, &counts, why))
		fail_msg("%s", why);
	return counts;
}

static struct ingest_counts take(void)
{
	return take_with(NULL);
}

static void records_of_one_millisecond_are_all_kept(void **state)
{
	struct journal *journal = journal_open(path, &eager);
	const struct record record = { .time = 5, .conn = text_of("192.0.2.1:1"), .user = { .at = "a\0b", .length = 3 } };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
	assert_int_equal(journal_close(journal), 0);
	assert_int_equal(take().records, 1000);
	assert_int_equal(take().records, 0);
	remove_store(place);
}

static uint64_t taken_between;

static void take_between(void *context, const struct ingest_counts *counts)
{
	(void)context;
	if (counts->records > 0 && taken_between == 0)
		taken_between = take().records;
}

/* Another run comes between two batches of this one, and takes all that is left. */
static void another_run_comes_between(void **state)
{
	enum { LINES = 250000 }; /* more than a batch */
	const struct record record = { .time = 5, .conn = text_of("192.0.2.1:1") };
	char line[RECORD_SIZE];
	size_t length = record_format(&record, line);
	FILE *file = fopen(path, "we");
	uint64_t taken;

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < LINES; i++)
		assert_int_equal(fwrite(line, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	taken_between = 0;
	taken = take_with(take_between).records;
	assert_true(taken > 0 && taken_between > 0);
	assert_int_equal(taken + taken_between, LINES);
	remove_store(place);
}

static void a_report_goes_into_memory(void **state)
{
	struct journal *journal = journal_open(path, &eager);
	const struct record record = { .time = 5, .conn = text_of("192.0.2.1:1"), .user = text_of("<&>"),
		.verdict = RECORD_BYPASS, .service = text_of("meet") };
	const struct report_options options = { .since = 0, .until = 10, .now = 10, .by = REPORT_BY_USER, .limit = 5 };
	char why[STORE_WHY_SIZE], *text = NULL;
	struct report report;
	struct store *store;
	size_t length;
	FILE *stream;

	(void)state;
	assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
	assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
	assert_int_equal(journal_close(journal), 0);
	assert_int_equal(take().records, 2);
	store = store_open(place, why);
	assert_non_null(store);
	assert_true(report_make(store, &options, &report, why));
	assert_int_equal(report.section[REPORT_TABLE].count, 1);
	assert_int_equal(report.section[REPORT_TABLE].rows[0].records, 2);
	assert_int_equal(report.section[REPORT_TABLE].rows[0].connections, 1);
	assert_string_equal(report.section[REPORT_TABLE].rows[0].text[0], "<&>");
	stream = open_memstream(&text, &length);
	report_write_html(&report, stream);
	assert_true(report_write_json(&report, stream));
	assert_int_equal(fclose(stream), 0);
	assert_non_null(strstr(text, "&lt;&amp;&gt;"));
	assert_non_null(strstr(text, "\"user\": \"<&>\""));
	free(text);
	report_free(&report);
	store_close(store);
	remove_store(place);
}

struct seen {
	int64_t time[8];
	size_t count, most;
	struct record last;
};

static bool see(void *context, const struct record *record)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->time[seen->count++] = record->time;
	seen->last = *record;
	if (record->service.at != NULL)
		assert_true(text_is(record->service, "meet"));
	return seen->count < seen->most;
}

static void the_last_records_come_first(void **state)
{
	struct journal *journal = journal_open(path, &eager);
	struct recent_options options = { .since = 0, .until = 100, .limit = 3 };
	struct seen seen = { .most = 8 };
	char why[STORE_WHY_SIZE];
	struct store *store;

	(void)state;
	for (int64_t i = 0; i < 20; i++) {
		/* Not in their order. */
		const struct record record = { .time = i * 7 % 20, .conn = text_of("192.0.2.1:1"), .port = 443,
			.client = text_of(i * 7 % 20 < 5 ? "192.0.2.1" : "192.0.2.2"),
			.verdict = i * 7 % 20 % 4 == 3 ? RECORD_SHADOW : RECORD_BYPASS,
			.service = text_of(i * 7 % 20 % 4 == 3 ? NULL : "meet"), .would = text_of(i * 7 % 20 % 4 == 3 ? "meet" : NULL),
			.source = text_of("a list"), .decided_by = RECORD_BY_ICAP, .stale = true };

		assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
	}
	assert_int_equal(journal_close(journal), 0);
	assert_int_equal(take().records, 20);
	store = store_open(place, why);
	assert_non_null(store);
	assert_true(store_recent(store, &options, see, &seen, why));
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.time[0], 19);
	assert_int_equal(seen.time[2], 17);
	seen = (struct seen){ .most = 1 };
	options.until = 12;
	assert_true(store_recent(store, &options, see, &seen, why));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.time[0], 11);
	seen = (struct seen){ .most = 8 };
	options.client = text_of("192.0.2.1");
	options.service = text_of("meet");
	options.limit = 100;
	assert_true(store_recent(store, &options, see, &seen, why));
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.time[0], 4);
	seen = (struct seen){ .most = 1 };
	options.verdicts = 1 << RECORD_SHADOW;
	assert_true(store_recent(store, &options, see, &seen, why));
	assert_int_equal(seen.time[0], 3);
	assert_int_equal(seen.last.port, 443);
	assert_true(seen.last.stale && !seen.last.disagrees && seen.last.decided_by == RECORD_BY_ICAP);
	seen = (struct seen){ .most = 8 };
	options.rule = text_of("none");
	assert_true(store_recent(store, &options, see, &seen, why));
	assert_int_equal(seen.count, 0);
	store_close(store);
	remove_store(place);
}

static void there_is_nothing_to_report(void **state)
{
	char why[STORE_WHY_SIZE];

	(void)state;
	assert_null(store_open("sqlite:/nonexistent/store", why));
	assert_null(store_open("clickhouse://127.0.0.1/x", why));
	assert_null(store_open("/a/path", why));
	store_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_of_one_millisecond_are_all_kept),
		TEST(another_run_comes_between),
		TEST(a_report_goes_into_memory),
		TEST(the_last_records_come_first),
		cmocka_unit_test(there_is_nothing_to_report),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
