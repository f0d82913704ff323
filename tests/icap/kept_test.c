/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap's processes share: answers are kept for a moment and made anew in time; and what a report takes at most. */
#include <config.h>

#include "tests/records/place.h"

#include "icap/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In place of those that the build makes and that c-icap's counters are. */
const struct asset asset_style, asset_script, asset_icon;

uint64_t statistics_read(const struct statistics *statistics, size_t counter)
{
	(void)statistics, (void)counter;
	return 0;
}

static const int64_t now = INT64_C(1793527200123); /* 2026-11-01T10:00:00.123Z */
static const int64_t an_hour = INT64_C(60) * 60 * 1000;

/* ---- What the processes share ---- */

static struct wish wish_of(const char *asked)
{
	struct target target;
	struct refusal why;
	struct wish wish;
	char line[100];

	snprintf(line, sizeof line, "GET http://meeting.report%s HTTP/1.1", asked);
	request_line_split(text_of(line), &target);
	assert_int_equal(wish_read(&target, now, &wish, &why), 200);
	return wish;
}

static void check_kept(struct shared *shared, const char *asked, int64_t oldest, const char *expected)
{
	struct wish wish = wish_of(asked);
	size_t length = 0;
	int status = 0;
	char *answer = shared_answer(shared, &wish, oldest, &status, &length);

	assert_int_equal(answer != NULL, expected != NULL);
	if (answer != NULL) {
		assert_int_equal(length, strlen(expected));
		assert_memory_equal(answer, expected, length);
	}
	free(answer);
}

static void keep(struct shared *shared, const char *asked, int status, const char *answer, int64_t took)
{
	struct wish wish = wish_of(asked);

	shared_keep(shared, &wish, status, answer, strlen(answer), took);
}

static void answers_are_kept_for_a_moment(void **state)
{
	struct shared *shared = shared_new();

	(void)state;
	assert_non_null(shared);
	check_kept(shared, "/", 1000, NULL);
	assert_true(shared_make(shared, 0));
	keep(shared, "/", 200, "answer", 1);
	shared_made(shared);
	check_kept(shared, "/", 60000, "answer");
	check_kept(shared, "/", -1, NULL);
	check_kept(shared, "/?by=user", 60000, NULL);
	check_kept(shared, "/report.json", 60000, NULL);
	/* Eight others take its place. */
	for (int i = 0; i < 8; i++) {
		char asked[32];

		snprintf(asked, sizeof asked, "/?limit=%d", i + 1);
		keep(shared, asked, 503, "x", 1);
	}
	check_kept(shared, "/", 60000, NULL);
	check_kept(shared, "/?limit=8", 60000, "x");
	/* With another category they are wrong. */
	shared_note_category(shared, 7, 1000);
	check_kept(shared, "/?limit=8", 60000, NULL);
	shared_free(shared);
}

static void what_was_asked_for_lately_is_made_anew(void **state)
{
	static const struct {
		int status;
		int64_t took, later;
		bool due;
		const char *asked;
	} cases[] = {
		{ 200, 1, 1000, false, "/" }, { 200, 1, 3000, true, "/" }, { 200, 1, 3000, true, "/report.json?by=hour" },
		{ 200, 1, 299000, true, "/" }, { 200, 599, 299000, true, "/" }, { 200, 600, 299000, false, "/" },
		{ 200, 1, 86300000, true, "/" }, { 200, 1, 86500000, false, "/" }, { 503, 1, 3000, false, "/" },
		{ 200, 1, 3000, false, "/recent.json" },
	};
	struct wish wish;
	int64_t then;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct shared *shared = shared_new();

		assert_non_null(shared);
		keep(shared, cases[i].asked, cases[i].status, "x", cases[i].took);
		then = clock_monotonic() + cases[i].later;
		if (shared_due(shared, then, &wish) != cases[i].due)
			fail_msg("case %zu", i);
		if (cases[i].due) {
			assert_int_equal(wish.page, wish_of(cases[i].asked).page);
			assert_true(wish_renew(&wish, now + an_hour));
			assert_int_equal(wish.until, now + an_hour + 1);
			/* The next one has to wait. */
			assert_false(shared_due(shared, then + 50 * cases[i].took - 1, &wish));
			assert_true(shared_due(shared, then + 50 * cases[i].took, &wish));
		}
		shared_free(shared);
	}
}

static void each_is_counted_ahead_in_turn(void **state)
{
	const int64_t then = clock_monotonic(), ten_minutes = 10 * 60 * 1000;
	struct shared *shared = shared_new();
	size_t which = 9;

	(void)state;
	assert_non_null(shared);
	assert_true(shared_ahead(shared, then, 2, &which));
	assert_int_equal(which, 0);
	shared_rest(shared, then + 500);
	assert_false(shared_ahead(shared, then + 499, 2, &which));
	assert_true(shared_ahead(shared, then + 500, 2, &which));
	assert_int_equal(which, 1);
	assert_false(shared_ahead(shared, then + 500 + ten_minutes - 1, 2, &which));
	assert_true(shared_ahead(shared, then + 500 + ten_minutes, 2, &which));
	assert_int_equal(which, 0);
	assert_true(shared_ahead(shared, then + 500 + ten_minutes, 2, &which));
	shared_note_category(shared, 7, 1000);
	assert_true(shared_ahead(shared, then + 500 + ten_minutes, 2, &which));
	assert_int_equal(which, 0);
	shared_free(shared);
}

static void who_dies_in_the_making_holds_up_nobody(void **state)
{
	struct shared *shared = shared_new();
	int status;
	pid_t child;

	(void)state;
	assert_true(shared_make(shared, 0));
	child = fork();
	if (child == 0)
		_exit(shared_make(shared, 0) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	shared_made(shared);
	child = fork();
	if (child == 0)
		_exit(shared_make(shared, 0) ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(shared_make(shared, 0));
	shared_made(shared);
	shared_free(shared);
}

static void the_category_counts_from_when_it_changed(void **state)
{
	struct shared *shared = shared_new();

	(void)state;
	shared_note_category(shared, 7, 1000);
	shared_note_category(shared, 7, 2000);
	assert_int_equal(shared_category_since(shared), 1000);
	shared_note_category(shared, 8, 3000);
	assert_int_equal(shared_category_since(shared), 3000);
	assert_false(shared_is_suspect(shared));
	shared_suspect(shared);
	assert_true(shared_is_suspect(shared));
	assert_false(shared_is_suspect(shared));
	shared_free(shared);
}

/* ---- Answers ---- */

/* A store of ten records of half an hour ago. */
static void make_store(const char *place)
{
	const char *const journals[] = { path };
	const struct ingest_options options = { .journals = journals, .journal_count = 1, .now = now };
	struct journal *journal = journal_open(path, &eager);
	char why[STORE_WHY_SIZE];
	struct ingest_counts counted;

	for (int i = 0; i < 10; i++) {
		const struct record record = { .time = now - an_hour / 2 + i, .client = text_of("192.0.2.1") };

		assert_int_equal(put_record(journal, &record), JOURNAL_WRITTEN);
	}
	assert_int_equal(journal_close(journal), 0);
	if (!ingest(place, &options, &counted, why))
		fail_msg("%s", why);
	assert_int_equal(counted.records, 10);
}

static void check_answer(const struct page_sources *sources, const char *asked, int status, const char *has)
{
	struct wish wish = wish_of(asked);
	struct answer answer;

	page_answer(sources, &wish, &answer);
	assert_int_equal(answer.status, status);
	if (memmem(answer.body, answer.length, has, strlen(has)) == NULL)
		fail_msg("%.*s hasn't %s", (int)answer.length, answer.body, has);
	free(answer.made);
}

static void a_report_has_limits(void **state)
{
	char place[128];
	struct page_limits limits = { .records = 10, .milliseconds = 60000 };
	struct page_sources sources = { .store = place, .chart = "/nonexistent", .limits = &limits, .now = now };

	(void)state;
	snprintf(place, sizeof place, "sqlite:%s/store", folder);
	make_store(place);
	sources.shared = shared_new();
	check_answer(&sources, "/report.json", 200, "\"records\": 10,");
	/* A kept one is given again. */
	limits.records = 9;
	check_answer(&sources, "/report.json", 200, "\"records\": 10,");
	check_answer(&sources, "/report.json?by=hour", 503, "these are 10 records, and a page is made of 9 at most");
	check_answer(&sources, "/", 503, "these are 10 records, and a page is made of 9 at most");
	check_answer(&sources, "/?since=10m", 200, "Meetings through Squid");
	limits = (struct page_limits){ .records = 10, .milliseconds = 0 };
	check_answer(&sources, "/report.json?by=day", 503, "longer than 0 s");
	check_answer(&sources, "/?by=day", 503, "longer than 0 s");
	shared_free(sources.shared);
	remove_store(place);
}

static void what_is_counted_ahead_is_no_answer(void **state)
{
	char place[128];
	struct page_sources sources = { .store = place, .limits = &page_limits, .now = now };
	size_t which = 9;

	(void)state;
	snprintf(place, sizeof place, "sqlite:%s/store", folder);
	make_store(place);
	sources.shared = shared_new();
	page_renew(&sources);
	check_kept(sources.shared, "/report.json", 60000, NULL);
	check_kept(sources.shared, "/report.json?since=24h", 60000, NULL);
	assert_true(shared_ahead(sources.shared, clock_monotonic() + 60000, 2, &which));
	assert_int_equal(which, 1);
	shared_free(sources.shared);
	remove_store(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_kept_for_a_moment),
		cmocka_unit_test(what_was_asked_for_lately_is_made_anew),
		cmocka_unit_test(each_is_counted_ahead_in_turn),
		cmocka_unit_test(who_dies_in_the_making_holds_up_nobody),
		cmocka_unit_test(the_category_counts_from_when_it_changed),
		TEST(a_report_has_limits),
		TEST(what_is_counted_ahead_is_no_answer),
	};

	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
