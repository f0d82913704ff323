/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Squid's headers say becomes the right record: by the helper's verdict or by our own, and never a wrong bypass.
 * */
#include <config.h>

#include "icap/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-11-23. */
static const int64_t now = INT64_C(1795392000000);

static struct category *category;
static char folder[64];

static int write_file(const char *name, const char *content)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "we");
	if (file == NULL || fputs(content, file) < 0)
		return -1;
	return fclose(file);
}

static int load(void **state)
{
	const char *folders[1] = { folder };
	struct problems problems = { .list = NULL };

	(void)state;
	snprintf(folder, sizeof folder, "/tmp/transaction_test.XXXXXX");
	if (mkdtemp(folder) == NULL ||
	    write_file("gotomeeting.service",
	    "service gotomeeting\nsource https://vendor.example/a list\nports tcp 80,443,8200\naddress 203.0.113.0/24\n"
	    "address 2001:db8:5::/48\nname .meet.example.com\n") != 0 ||
	    write_file("old.service",
	    "service old\nsource https://old.example 2020-01-01\nexpires 2021-01-01\naddress 198.51.100.0/24\n"
	    "name .old.example.com\n") != 0 ||
	    write_file("clients", "client 192.0.2.128/25\nclient 192.0.2.64/28 old\n") != 0)
		return -1;
	category = category_load(folders, 1, NULL, &problems);
	if (category == NULL || problems.count != 0)
		return -1;
	problems_free(&problems);
	return 0;
}

static int unload(void **state)
{
	static const char *const files[] = { "gotomeeting.service", "old.service", "clients" };
	char path[128];

	(void)state;
	category_free(category);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static struct transaction judged;

static void judge(const struct transaction_headers *headers)
{
	if (transaction_read(headers, text_of("proxy1"), now, &judged))
		transaction_ask(category, &judged);
}

static struct target target_of(const char *request_line)
{
	struct target target;

	request_line_split(text_of(request_line), &target);
	return target;
}

static void expect_text(struct text text, const char *expected)
{
	char got[2048];

	if (expected == NULL) {
		assert_null(text.at);
		return;
	}
	assert_non_null(text.at);
	assert_true(text.length < sizeof got);
	memcpy(got, text.at, text.length);
	got[text.length] = '\0';
	assert_string_equal(got, expected);
}

static void expect_line(const char *expected)
{
	char line[RECORD_SIZE + 1];

	line[record_format(&judged.record, line)] = '\0';
	assert_string_equal(line, expected);
}

/* ---- The helper's verdict ---- */

static void the_helpers_bypass_is_kept(void **state)
{
	const struct transaction_headers headers = {
		.verdict = text_of("bypass"), .service = text_of("gotomeeting"), .rule = text_of("203.0.113.0/24"),
		.evidence = text_of("address"), .source = text_of("https://vendor.example/a%20list"),
		.stale = text_of("yes"), .would = text_of("-"), .dst = text_of("203.0.113.5:443"),
		.sni = text_of("egw.meet.example.com"),
		.conn = text_of("192.0.2.7:51000"), .mode = text_of("intercept"), .client_ip = text_of("192.0.2.7"),
		.client_username = text_of("alice"), .target = target_of("CONNECT 203.0.113.5:443 HTTP/1.1"),
		.host = text_of("203.0.113.5:443"),
	};

	(void)state;
	judge(&headers);
	expect_line("{\"time\":\"2026-11-23T00:00:00.000Z\",\"proxy\":\"proxy1\",\"conn\":\"192.0.2.7:51000\","
	    "\"client\":\"192.0.2.7\",\"user\":\"alice\",\"method\":\"CONNECT\",\"host\":\"203.0.113.5\",\"port\":443,"
	    "\"dst\":\"203.0.113.5:443\",\"sni\":\"egw.meet.example.com\",\"verdict\":\"bypass\","
	    "\"service\":\"gotomeeting\",\"rule\":\"203.0.113.0/24\","
	    "\"evidence\":\"address\",\"source\":\"https://vendor.example/a list\","
	    "\"stale\":true,\"decided_by\":\"helper\"}\n");
	assert_false(judged.record.disagrees);
}

/* Squid's notes keep what an earlier question left. */
static void a_normal_verdict_has_no_rule(void **state)
{
	const struct transaction_headers headers = {
		.verdict = text_of("normal"), .service = text_of("gotomeeting"), .rule = text_of("203.0.113.0/24"),
		.evidence = text_of("address"), .source = text_of("https://vendor.example/"), .stale = text_of("yes"),
		.mode = text_of("intercept"), .dst = text_of("203.0.113.5:443"),
	};

	(void)state;
	judge(&headers);
	expect_line("{\"time\":\"2026-11-23T00:00:00.000Z\",\"proxy\":\"proxy1\",\"port\":443,"
	    "\"dst\":\"203.0.113.5:443\",\"verdict\":\"normal\",\"decided_by\":\"helper\"}\n");
	/* Nor is there anything to ask the category. */
	assert_false(transaction_read(&headers, text_of("proxy1"), now, &judged));
}

static void a_shadow_verdict_says_what_it_would_be(void **state)
{
	const struct transaction_headers headers = {
		.verdict = text_of("shadow"), .would = text_of("gotomeeting"), .service = text_of("zoom"),
	};

	(void)state;
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_SHADOW);
	assert_int_equal(judged.record.decided_by, RECORD_BY_HELPER);
	expect_text(judged.record.would, "gotomeeting");
	expect_text(judged.record.service, NULL);
}

static void joined_values_and_odd_ones(void **state)
{
	static const struct {
		const char *verdict, *evidence, *would;
		enum record_verdict expected;
		enum record_decider by;
	} cases[] = {
		{ "normal,bypass", "address", NULL, RECORD_BYPASS, RECORD_BY_HELPER },
		{ "bypass, normal", "address", NULL, RECORD_NORMAL, RECORD_BY_HELPER },
		{ "bypass,", "address", NULL, RECORD_BYPASS, RECORD_BY_HELPER },
		{ "bypass,-", "address", NULL, RECORD_BYPASS, RECORD_BY_HELPER },
		{ "bypass,nonsense", "address", NULL, RECORD_BYPASS, RECORD_BY_HELPER },
		{ " shadow ", "-", NULL, RECORD_SHADOW, RECORD_BY_HELPER },
		/* An evidence without a verdict: only a member has one. */
		{ "-", "address", NULL, RECORD_BYPASS, RECORD_BY_HELPER },
		{ NULL, "client", "-", RECORD_BYPASS, RECORD_BY_HELPER },
		{ NULL, "client", "gotomeeting", RECORD_SHADOW, RECORD_BY_HELPER },
		/* No word that means anything: it isn't the helper's, and nothing else makes it a member here. */
		{ "BYPASS", "-", NULL, RECORD_NORMAL, RECORD_BY_ICAP },
		{ "bypassed", NULL, NULL, RECORD_NORMAL, RECORD_BY_ICAP },
		{ "denied", "nonsense", NULL, RECORD_NORMAL, RECORD_BY_ICAP },
		{ ",,,", ",", NULL, RECORD_NORMAL, RECORD_BY_ICAP },
		{ "-", "-", "gotomeeting", RECORD_NORMAL, RECORD_BY_ICAP },
		{ "", "", "", RECORD_NORMAL, RECORD_BY_ICAP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct transaction_headers headers = {
			.verdict = text_of(cases[i].verdict), .evidence = text_of(cases[i].evidence),
			.would = text_of(cases[i].would), .service = text_of("zoom,gotomeeting"),
			.rule = text_of("a,203.0.113.0/24"),
		};

		judge(&headers);
		assert_int_equal(judged.record.verdict, cases[i].expected);
		assert_int_equal(judged.record.decided_by, cases[i].by);
		expect_text(judged.record.service, cases[i].expected == RECORD_BYPASS ? "gotomeeting" : NULL);
		expect_text(judged.record.rule, cases[i].expected == RECORD_NORMAL ? NULL : "203.0.113.0/24");
	}
}

static void only_what_squid_escapes_is_unescaped(void **state)
{
	static const struct {
		const char *source, *expected;
	} cases[] = {
		{ "https://a.example/b%20c%22%7E%C3%A9", "https://a.example/b c\"~\xc3\xa9" },
		{ "https://a.example/%2Fx%25y%41", "https://a.example/%2Fx%25y%41" },
		{ "100%", "100%" },
		{ "100%2", "100%2" },
		{ "%zz%2x%20", "%zz%2x" },
		{ "a%00b", "a\0b" },
		{ "%20", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct transaction_headers headers = {
			.verdict = text_of("bypass"), .source = text_of(cases[i].source),
		};

		judge(&headers);
		expect_text(judged.record.source, cases[i].expected);
	}
}

/* ---- Our own verdict ---- */

/* Without a word of the helper's. */
static struct transaction_headers facts(const char *mode, const char *dst, const char *request_line)
{
	return (struct transaction_headers){
		.verdict = text_of("-"), .evidence = text_of("-"), .mode = text_of(mode), .dst = text_of(dst),
		.target = target_of(request_line), .client_ip = text_of("192.0.2.7"),
	};
}

static void the_destination_decides_in_intercept_mode(void **state)
{
	struct transaction_headers headers = facts("intercept", "203.0.113.5:443", "CONNECT 203.0.113.5:443 HTTP/1.1");

	(void)state;
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	assert_int_equal(judged.record.decided_by, RECORD_BY_ICAP);
	expect_text(judged.record.service, "gotomeeting");
	expect_text(judged.record.rule, "203.0.113.0/24");
	expect_text(judged.record.evidence, "address");
	expect_text(judged.record.source, "https://vendor.example/a list");
	assert_false(judged.record.stale);

	headers.dst = text_of("2001:db8:5::9:8200");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	expect_text(judged.record.rule, "2001:db8:5::/48");

	headers.dst = text_of("198.51.100.1:443");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	assert_true(judged.record.stale);

	headers.dst = text_of("203.0.113.5:25");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	expect_text(judged.record.reason, "other-port");
}

static void claims_decide_nothing_in_intercept_mode(void **state)
{
	struct transaction_headers headers =
	    facts("intercept", "192.0.2.200:443", "GET http://egw.meet.example.com/ HTTP/1.1");

	(void)state;
	headers.host = text_of("egw.meet.example.com");
	headers.sni = text_of("egw.meet.example.com");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	expect_text(judged.record.reason, "name-ignored");
	headers.sni = text_of("-");
	headers.target = target_of("CONNECT 203.0.113.5:443 HTTP/1.1");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	expect_text(judged.record.reason, "no-entry");
}

static void the_target_decides_in_explicit_mode(void **state)
{
	struct transaction_headers headers =
	    facts("explicit", "192.0.2.1:3128", "CONNECT egw.meet.example.com:443 HTTP/1.1");

	(void)state;
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	expect_text(judged.record.evidence, "name");
	expect_text(judged.record.rule, ".meet.example.com");
	expect_text(judged.record.dst, NULL); /* the proxy's own address */
	headers.target = target_of("GET http://203.0.113.5/ HTTP/1.1");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	expect_text(judged.record.evidence, "address");
	/* Neither a Host header nor the address that the client connected to. */
	headers.target = target_of("GET /path HTTP/1.1");
	headers.host = text_of("www.old.example.com");
	headers.dst = text_of("203.0.113.5:443");
	headers.sni = text_of("egw.meet.example.com");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	expect_text(judged.record.host, "www.old.example.com");
}

static void an_unknown_mode_makes_no_bypass(void **state)
{
	static const char *const modes[] = { NULL, "-", "", "transparent", "Explicit", "explicit,intercept",
		"intercept,explicit" };

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		struct transaction_headers headers =
		    facts(modes[i], "203.0.113.5:443", "CONNECT egw.meet.example.com:443 HTTP/1.1");

		judge(&headers);
		assert_int_equal(judged.record.verdict, RECORD_NORMAL);
		assert_int_equal(judged.record.decided_by, RECORD_BY_ICAP);
		expect_text(judged.record.reason, "mode-unknown");
		/* Who the client is doesn't depend on it. */
		headers.client_ip = text_of("192.0.2.129");
		judge(&headers);
		assert_int_equal(judged.record.verdict, RECORD_BYPASS);
		expect_text(judged.record.evidence, "client");
		/* But where it goes to does. */
		headers.client_ip = text_of("192.0.2.65");
		headers.dst = text_of("198.51.100.1:443");
		judge(&headers);
		assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	}
}

static void an_exempt_client_decides(void **state)
{
	struct transaction_headers headers = facts("intercept", "192.0.2.200:443", "CONNECT 192.0.2.200:443 HTTP/1.1");

	(void)state;
	headers.client_ip = text_of("192.0.2.129");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	expect_text(judged.record.evidence, "client");
	expect_text(judged.record.rule, "192.0.2.128/25");
	expect_text(judged.record.service, NULL);
	/* The connection says it too. */
	headers.client_ip = text_of("-");
	headers.conn = text_of("192.0.2.130:51000");
	judge(&headers);
	expect_text(judged.record.client, "192.0.2.130");
	assert_int_equal(judged.record.verdict, RECORD_BYPASS);
	headers.conn = text_of(":::51000");
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	expect_text(judged.record.reason, "no-entry");
}

static void nonsense_is_normal(void **state)
{
	struct transaction_headers headers = facts("intercept", "not an address:443", "\x01\x02");

	(void)state;
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	expect_text(judged.record.reason, "unreadable");
	memset(&headers, 0, sizeof headers);
	judge(&headers);
	assert_int_equal(judged.record.verdict, RECORD_NORMAL);
	assert_true(transaction_read(&headers, text_of(NULL), now, &judged));
	transaction_ask(NULL, &judged);
	expect_line("{\"time\":\"2026-11-23T00:00:00.000Z\",\"verdict\":\"normal\",\"decided_by\":\"icap\","
	    "\"reason\":\"nothing-loaded\"}\n");
}

/* ---- Disagreements ---- */

static void a_bypass_that_we_do_not_understand_is_noted(void **state)
{
	static const struct {
		const char *mode, *evidence, *service, *dst, *sni, *client, *request_line;
		bool disagrees;
	} cases[] = {
		{ "intercept", "address", "gotomeeting", "203.0.113.5:443", NULL, NULL, NULL, false },
		{ "intercept", "address", "gotomeeting", "192.0.2.200:443", NULL, NULL, NULL, true },
		{ "intercept", "address", "old", "203.0.113.5:443", NULL, NULL, NULL, true },
		{ "intercept", "address", "unheard-of", "203.0.113.5:443", NULL, NULL, NULL, true },
		{ "intercept", "name", "gotomeeting", "192.0.2.200:443", "egw.meet.example.com", NULL, NULL, false },
		{ "intercept", "name", "gotomeeting", "192.0.2.200:443", "www.example.com", NULL, NULL, true },
		{ "explicit", "name", "gotomeeting", NULL, NULL, NULL, "CONNECT a.meet.example.com:443 HTTP/1.1",
		    false },
		{ "explicit", "name", "gotomeeting", NULL, NULL, NULL, "CONNECT www.example.com:443 HTTP/1.1", true },
		{ "intercept", "client", NULL, "192.0.2.200:443", NULL, "192.0.2.129", NULL, false },
		{ NULL, "client", NULL, NULL, NULL, "192.0.2.7", NULL, true },
		/* Where it can't be known here, it isn't doubted. */
		{ "intercept", "name", "gotomeeting", "192.0.2.200:443", "-", NULL, NULL, false },
		{ "intercept", "address", "gotomeeting", "-:-", NULL, NULL, NULL, false },
		{ "explicit", "address", "gotomeeting", "192.0.2.1:3128", NULL, NULL, "GET /path HTTP/1.1", false },
		{ NULL, "address", "gotomeeting", "192.0.2.200:443", NULL, NULL, NULL, false },
		{ NULL, "client", NULL, NULL, NULL, NULL, NULL, false },
		{ "intercept", "address", NULL, "192.0.2.200:443", NULL, NULL, NULL, false },
		{ "intercept", NULL, "gotomeeting", "192.0.2.200:443", NULL, NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct transaction_headers headers = {
			.verdict = text_of("bypass"), .mode = text_of(cases[i].mode),
			.evidence = text_of(cases[i].evidence), .service = text_of(cases[i].service),
			.dst = text_of(cases[i].dst), .sni = text_of(cases[i].sni),
			.client_ip = text_of(cases[i].client), .target = target_of(cases[i].request_line),
		};

		judge(&headers);
		assert_int_equal(judged.record.verdict, RECORD_BYPASS);
		if (judged.record.disagrees != cases[i].disagrees)
			fail_msg("case %zu", i);
	}
}

/* ---- Anything at all ---- */

static void random_headers_give_a_record(void **state)
{
	static const char *const words[] = { "bypass", "normal", "shadow", "-", ",", "%", "%20", "explicit",
		"intercept", "address", "name", "client", "gotomeeting", "203.0.113.5", ":443", ":", "[", "]", "://",
		"@", "/", " ", "\t", "http",
		"CONNECT", "GET", "=", "YWxpY2U=", "\xff", "\xc3", "\n", "192.0.2.129", "::1", "yes" };
	struct transaction_headers headers;
	struct text *field = (struct text *)(void *)&headers;
	char line[RECORD_SIZE];

	(void)state;
	srand(1);
	for (int round = 0; round < 30000; round++) {
		for (size_t i = 0; i < sizeof headers / sizeof *field; i++) {
			int count = rand() % (rand() % 20 == 0 ? 100 : 5);
			char text[600], *exact;
			size_t length = 0;

			for (int k = 0; k < count && length < 580; k++) {
				const char *word = words[(size_t)rand() % (sizeof words / sizeof words[0])];

				memcpy(text + length, word, strlen(word));
				length += strlen(word);
			}
			/* No byte more is there: nobody may read on. */
			exact = rand() % 5 == 0 ? NULL : malloc(length + (length == 0));
			if (exact != NULL)
				memcpy(exact, text, length);
			field[i] = (struct text){ .at = exact, .length = length };
		}
		judge(&headers);
		assert_true(record_format(&judged.record, line) > 2);
		for (size_t i = 0; i < sizeof headers / sizeof *field; i++)
			free((void *)(uintptr_t)field[i].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_helpers_bypass_is_kept),
		cmocka_unit_test(a_normal_verdict_has_no_rule),
		cmocka_unit_test(a_shadow_verdict_says_what_it_would_be),
		cmocka_unit_test(joined_values_and_odd_ones),
		cmocka_unit_test(only_what_squid_escapes_is_unescaped),
		cmocka_unit_test(the_destination_decides_in_intercept_mode),
		cmocka_unit_test(claims_decide_nothing_in_intercept_mode),
		cmocka_unit_test(the_target_decides_in_explicit_mode),
		cmocka_unit_test(an_unknown_mode_makes_no_bypass),
		cmocka_unit_test(an_exempt_client_decides),
		cmocka_unit_test(nonsense_is_normal),
		cmocka_unit_test(a_bypass_that_we_do_not_understand_is_noted),
		cmocka_unit_test(random_headers_give_a_record),
	};

	return cmocka_run_group_tests_name("transaction", tests, load, unload);
}
