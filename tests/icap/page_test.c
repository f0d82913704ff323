/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's page without c-icap: who may see it, what is asked for, and that no text of a client is ever markup. */
#include <config.h>

#include "icap/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In place of those that the build makes and that c-icap's counters are. */
const struct asset asset_style, asset_script, asset_icon;

static uint64_t counts[COUNT_SERVICES + 1];

uint64_t statistics_read(const struct statistics *statistics, size_t counter)
{
	(void)statistics;
	return counts[counter];
}

/* ---- Who may see it ---- */

static void clients_are_addresses_and_blocks(void **state)
{
	static const struct {
		const char *client;
		bool held;
	} cases[] = {
		{ "192.0.2.7", true }, { "192.0.2.8", false }, { "198.51.100.255", true }, { "198.51.101.0", false },
		{ "2001:db8::1", true }, { "2001:DB8:0::1", true }, { "2001:db8::2", false }, { "2001:db8:1:ffff::9", true },
		{ "::ffff:192.0.2.7", true }, { "::ffff:192.0.2.8", false }, { "::1", false }, { "127.0.0.1", false },
		{ "", false }, { "-", false }, { "192.0.2.7, 192.0.2.9", false }, { "192.0.2.7 ", false }, { "192.0.2.07", false },
		{ "0xc0000207", false }, { "localhost", false }, { "0.0.0.0", false }, { "::", false }, { NULL, false },
	};
	static const char *const good[] = { "192.0.2.7", "198.51.100.0/24", "2001:db8::1", "2001:db8:1::/48" };
	static const char *const bad[] = { "", "all", "192.0.2.1/24", "192.0.2.7/33", "192.0.2", "*", "meeting.report" };
	struct report_clients clients = { .list = NULL };
	struct refusal why;

	(void)state;
	assert_false(report_clients_hold(&clients, text_of("192.0.2.7")));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(report_clients_add(&clients, text_of(good[i]), &why));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(report_clients_add(&clients, text_of(bad[i]), &why));
	assert_int_equal(clients.count, sizeof good / sizeof good[0]);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (report_clients_hold(&clients, text_of(cases[i].client)) != cases[i].held)
			fail_msg("%s", cases[i].client);
	report_clients_free(&clients);
}

static void the_host_is_known_however_it_is_written(void **state)
{
	static const char *const same[] = { "http://meeting.report/", "http://MEETING.Report./x", "http://meeting.report:80/",
		"http://meeting.report:8080", "https://meeting.report/", "ftp://meeting.report/", "http://u:p@meeting.report/",
		"http://other.example@meeting.report/", "meeting.report:443", "http://meeting.report?x", "meeting.report" };
	static const char *const others[] = { "http://meeting.report.evil.example/", "http://evil.meeting.report/",
		"http://meeting.report@evil.example/", "http://meeting-report/", "/meeting.report", "http://[::1]/meeting.report",
		"http://other.example/?meeting.report", "http://meeting.repor/", "*", "http:///" };
	struct target target;
	char line[200];

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		snprintf(line, sizeof line, "GET %s HTTP/1.1", same[i]);
		request_line_split(text_of(line), &target);
		if (!report_host_is("meeting.report", target.host))
			fail_msg("%s", same[i]);
		assert_false(report_host_is("", target.host));
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		snprintf(line, sizeof line, "GET %s HTTP/1.1", others[i]);
		request_line_split(text_of(line), &target);
		if (report_host_is("meeting.report", target.host))
			fail_msg("%s", others[i]);
	}
}

/* ---- What is asked for ---- */

static const int64_t now = INT64_C(1793527200123); /* 2026-11-01T10:00:00.123Z */
static const int64_t an_hour = INT64_C(60) * 60 * 1000;

static int ask(const char *method, const char *path, struct wish *wish)
{
	struct refusal why = { .offset = 0 };
	struct target target;
	char line[600];
	int status;

	snprintf(line, sizeof line, "%s http://meeting.report%s HTTP/1.1", method, path);
	request_line_split(text_of(line), &target);
	status = wish_read(&target, now, wish, &why);
	if (status != 200)
		assert_true(why.reason[0] != '\0');
	return status;
}

static void paths_and_methods(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		enum page page;
	} cases[] = {
		{ "GET", "/", 200, PAGE_HTML }, { "GET", "", 200, PAGE_HTML }, { "GET", "?", 200, PAGE_HTML },
		{ "HEAD", "/", 200, PAGE_HTML }, { "GET", "/report.json", 200, PAGE_REPORT },
		{ "GET", "/recent.json?limit=5", 200, PAGE_RECENT }, { "GET", "/metrics", 200, PAGE_METRICS },
		{ "GET", "/page.css", 200, PAGE_STYLE }, { "GET", "/page.js", 200, PAGE_SCRIPT },
		{ "GET", "/chart.js", 200, PAGE_CHART }, { "GET", "/icon.svg", 200, PAGE_ICON },
		{ "GET", "/x", 404, 0 }, { "GET", "//", 404, 0 }, { "GET", "/report.json/", 404, 0 }, { "GET", "/REPORT.JSON", 404, 0 },
		{ "GET", "/../etc/passwd", 404, 0 }, { "GET", "/%2e%2e/", 404, 0 }, { "GET", "/chart.js/..", 404, 0 },
		{ "GET", "/#x", 404, 0 },
		{ "POST", "/", 405, 0 }, { "OPTIONS", "/", 405, 0 }, { "get", "/", 405, 0 }, { "PUT", "/x", 405, 0 },
		{ "DELETE", "/report.json", 405, 0 }, { "TRACE", "/", 405, 0 },
	};
	struct wish wish;
	struct target target;
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int status = ask(cases[i].method, cases[i].path, &wish);

		if (status != cases[i].status || (status == 200 && wish.page != cases[i].page))
			fail_msg("%s %s: %d", cases[i].method, cases[i].path, status);
	}
	request_line_split(text_of("CONNECT meeting.report:443 HTTP/1.1"), &target);
	assert_int_equal(wish_read(&target, now, &wish, &why), 405);
	request_line_split(text_of("GET /metrics HTTP/1.1"), &target);
	assert_int_equal(wish_read(&target, now, &wish, &why), 200);
	assert_int_equal(wish.page, PAGE_METRICS);
	/* A request with no line at all. */
	request_line_split(text_of(NULL), &target);
	assert_int_equal(wish_read(&target, now, &wish, &why), 405);
}

static void queries(void **state)
{
	struct wish wish;

	(void)state;
	assert_int_equal(ask("GET", "/", &wish), 200);
	assert_int_equal(wish.until, now + 1);
	assert_int_equal(wish.since, now - 24 * an_hour);
	assert_int_equal(wish.limit, 20);
	assert_int_equal(wish.by, REPORT_BY_USER);
	assert_int_equal(ask("GET", "/report.json", &wish), 200);
	assert_int_equal(wish.by, REPORT_BY_SERVICE);
	/* What a form sends for empty fields. */
	assert_int_equal(ask("GET", "/?since=&until=&by=&limit=", &wish), 200);
	assert_int_equal(wish.since, now - 24 * an_hour);
	assert_int_equal(ask("GET", "/?since=3h&until=1h&by=rule&limit=200", &wish), 200);
	assert_int_equal(wish.since, now - 3 * an_hour);
	assert_int_equal(wish.until, now - an_hour);
	assert_int_equal(wish.by, REPORT_BY_RULE);
	assert_int_equal(wish.limit, 200);
	assert_int_equal(ask("GET", "/?since=2026-10-31T10%3A00:00%2b00:00", &wish), 200);
	assert_int_equal(wish.since, now - 123 - 24 * an_hour);
	assert_int_equal(ask("GET", "/?since=2026-10-30+14%3A30", &wish), 200);
}

static void queries_that_are_refused(void **state)
{
	static const char *const bad[] = { "since=x", "since=1h&since=2h", "since=1h&until=2h", "until=now&since=now", "limit=0",
		"limit=201", "limit=-1", "limit=1e2", "limit=+5", "limit=005", "limit=99999999999999999999", "by=x", "by=Service",
		"by=service,client", "x=1", "=", "since", "Since=1h", "since=%", "since=%4", "since=%zz", "since=%00", "since=1h%0a",
		"since=%c3%a4", "since=401d", "since=1970-01-01", "by=%3Cscript%3E",
		"since=11111111111111111111111111111111111111111111111111111111h", "&&x", "since=1h;until=now" };
	char path[300];
	struct wish wish;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(path, sizeof path, "/?%s", bad[i]);
		/* A key alone is one with nothing. */
		if (strcmp(bad[i], "since") != 0 && ask("GET", path, &wish) != 400)
			fail_msg("%s", bad[i]);
	}
}

static void a_value_is_bounded(void **state)
{
	char line[120] = "GET http://meeting.report/?since=";
	size_t length = strlen(line);
	struct target target;
	struct wish wish;
	struct refusal why;

	(void)state;
	memset(line + length, '1', WISH_VALUE_SIZE);
	memcpy(line + length + WISH_VALUE_SIZE, " HTTP/1.1", 10);
	request_line_split(text_of(line), &target);
	assert_int_equal(wish_read(&target, now, &wish, &why), 400);
	assert_string_equal(why.reason, "not a value that is understood");
	assert_int_equal(why.offset, WISH_VALUE_SIZE - 1);
	assert_string_equal(wish.value[WISH_UNTIL], "");
}

static void any_bytes_are_read(void **state)
{
	char path[500];
	struct wish wish;

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		static const char letters[] = "/?&=%+since until by limit 0123456789hdABCabc:-.\xc3\xa4\"'<>";
		size_t length = (size_t)rand() % (sizeof path - 1);

		for (size_t i = 0; i < length; i++)
			path[i] = rand() % 20 == 0 ? (char)(1 + rand() % 255) : letters[(size_t)rand() % (sizeof letters - 1)];
		path[length] = '\0';
		if (rand() % 2 == 0)
			memcpy(path, "/?since=", length < 8 ? length : 8);
		(void)ask("GET", path, &wish);
	}
}

/* ---- What is written ---- */

static char *written;
static size_t written_length;

static FILE *begin(void)
{
	FILE *to;

	free(written);
	written = NULL;
	to = open_memstream(&written, &written_length);
	assert_non_null(to);
	return to;
}

static void texts_are_no_markup(void **state)
{
	const char hostile[] = "\"'><script>alert(1)</script>&amp;\n\x01</td><td onclick=x";
	const struct text text = text_of(hostile);
	const struct record record = { .time = now, .client = text, .user = text, .host = text, .dst = text, .sni = text,
		.service = text, .rule = text, .evidence = text, .reason = text, .would = text, .verdict = RECORD_DENIED };
	FILE *to = begin();
	size_t tags = 0;

	(void)state;
	page_write_last(&record, to);
	fclose(to);
	for (size_t i = 0; i < written_length; i++)
		tags += written[i] == '<';
	/* The row's own: tr, nine td, time and span, each with its end. */
	assert_int_equal(tags, 2 * (1 + 9 + 1 + 1));
	assert_null(strstr(written, "<script"));
	assert_null(strstr(written, "onclick=x\""));
	assert_non_null(strstr(written, "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"));
}

static void every_value_of_the_page_is_escaped(void **state)
{
	const char hostile[] = "\"><script>alert(1)</script>";
	struct report_row row = { .text = { hostile, hostile, hostile, hostile, hostile, hostile, hostile, hostile } };
	struct wish wish = { .since = 0, .until = now, .limit = 20 };
	const struct page_sources sources = { .chart = "/nonexistent" };
	struct report report = { .since = 0, .until = now, .made = now };
	FILE *to;

	(void)state;
	for (size_t i = 0; i < sizeof report.section / sizeof report.section[0]; i++) {
		struct report_section *section = &report.section[i];

		section->name = "name";
		section->title = "Title";
		section->columns = REPORT_COLUMNS;
		for (size_t column = 0; column < REPORT_COLUMNS; column++)
			section->column[column] = (struct report_column){ "column", FOR_ALL };
		section->rows = &row;
		section->count = 1;
		memcpy(section->note, hostile, sizeof hostile);
	}
	for (size_t i = 0; i < WISH_KEYS; i++)
		memcpy(wish.value[i], hostile, sizeof hostile);
	to = begin();
	page_write_html(&sources, &wish, &report, "", to);
	fclose(to);
	assert_null(strstr(written, "<script>"));
	assert_non_null(strstr(written, "&lt;script&gt;"));
	/* Nothing inline: the policy would refuse it. */
	assert_null(strstr(written, " style="));
	assert_null(strstr(written, " on"));
	to = begin();
	page_write_trouble(&wish, hostile, to);
	fclose(to);
	assert_null(strstr(written, "<script>"));
	free(written);
	written = NULL;
}

static void counters_end_in_total_where_each_form_has_it(void **state)
{
	char services[2][SERVICE_NAME_SIZE] = { "zoom" };
	const struct statistics statistics = { .service = services, .services = 1 };
	const struct page_sources sources = { .statistics = &statistics };
	FILE *to;

	(void)state;
	counts[COUNT_NORMAL] = 3;
	counts[COUNT_BY_CLIENT] = 1;
	counts[COUNT_SERVICES] = UINT64_MAX - 1;
	to = begin();
	metrics_write(&sources, true, to);
	fclose(to);
	assert_non_null(strstr(written, "# TYPE squid_meeting_decisions counter\n"));
	assert_non_null(strstr(written, "\nsquid_meeting_decisions_total{verdict=\"bypass\"} 18446744073709551615\n"));
	assert_non_null(strstr(written, "\nsquid_meeting_bypasses_total{service=\"zoom\"} 18446744073709551614\n"));
	assert_string_equal(written + written_length - 6, "# EOF\n");
	to = begin();
	metrics_write(&sources, false, to);
	fclose(to);
	assert_non_null(strstr(written, "# TYPE squid_meeting_decisions_total counter\n"));
	assert_null(strstr(written, "EOF"));
	free(written);
	written = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_addresses_and_blocks),
		cmocka_unit_test(the_host_is_known_however_it_is_written),
		cmocka_unit_test(paths_and_methods),
		cmocka_unit_test(queries),
		cmocka_unit_test(queries_that_are_refused),
		cmocka_unit_test(a_value_is_bounded),
		cmocka_unit_test(any_bytes_are_read),
		cmocka_unit_test(texts_are_no_markup),
		cmocka_unit_test(every_value_of_the_page_is_escaped),
		cmocka_unit_test(counters_end_in_total_where_each_form_has_it),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
