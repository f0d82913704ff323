/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a request is a member: by where it really goes, on which port, of which service; and by nothing else. */
#include <config.h>

#include "tests/category/fixture.h"

#include <stdio.h>
#include <string.h>

static struct category *category;

static int load_three_services(void **state)
{
	const char *folder;

	if (folder_setup(state) != 0) {
		return -1;
	}
	folder = *state;
	put(folder, "goto.service",
	    "service goto\nsource G\nports tcp 80,443,8200 udp 1853\naddress 192.0.2.0/24\naddress 192.0.2.128/25 tcp 443\n"
	    "address 2001:db8::/32\nname .goto.example\nname egw.goto.example tcp 8200\n");
	put(folder, "meet.service",
	    "service meet\nsource M\naddress 192.0.2.64/26 tcp 8443\naddress 198.51.100.0/24\n"
	    "address 203.0.113.0/24 tcp 443\n"
	    "name meet.example\nname .shared.example tcp 443\n");
	put(folder, "zoom.service",
	    "service zoom\nsource Z\naddress 198.51.100.0/24 tcp 443\naddress 203.0.113.0/24 tcp 443,8801\n"
	    "address 203.0.113.9\n"
	    "name meet.example\nname .shared.example\nname .a.shared.example tcp 80\n");
	put(folder, "off.service", "");
	put(folder, "refused.service", "service refused\nbogus\n");
	put(folder, "clients", "client 10.0.0.0/8\n");
	const char *folders[] = {folder};
	struct problems problems = {NULL, 0, 0, 0};
	category = category_load(folders, 1, NULL, &problems);
	problems_free(&problems);
	return category == NULL ? -1 : 0;
}

static int unload(void **state)
{
	category_free(category);
	category = NULL;
	return folder_teardown(state);
}

#define IN(...) ASK(category, INTERCEPTED, __VA_ARGS__)
#define EX(...) ASK(category, EXPLICIT, __VA_ARGS__)

static void intercepted_by_destination(void **state)
{
	(void)state;
	assert_string_equal(
	    IN(.client = "10.1.1.1", .dst = "192.0.2.1", .dport = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(source_of_answer(), "G");
	assert_string_equal(IN(.dst = "192.0.2.255", .dport = "80"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.dst = "192.0.3.0", .dport = "443"), "normal no-entry");
	assert_string_equal(IN(.dst = "192.0.1.255", .dport = "443"), "normal no-entry");
	assert_string_equal(IN(.dst = "2001:db8:ffff::1", .dport = "8200"), "bypass goto 2001:db8::/32 address");
	assert_string_equal(IN(.dst = "[2001:db8::1]", .dport = "8200"), "bypass goto 2001:db8::/32 address");
	assert_string_equal(IN(.dst = "2001:db9::1", .dport = "8200"), "normal no-entry");
	assert_string_equal(IN(.dst = "::ffff:192.0.2.1", .dport = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.dst = "::ffff:c000:0201", .dport = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.dst = "-", .dport = "443"), "normal no-entry");
	assert_string_equal(IN(.dport = "443"), "normal no-entry");
	assert_string_equal(IN(.dst = "", .dport = ""), "normal no-entry");
	assert_string_equal(IN(.dst = "::", .dport = "443"), "normal no-entry");
}

static void host_never_counts_when_intercepted(void **state)
{
	static const char *const hosts[] = {
	    "meet.example", "egw.goto.example", "192.0.2.1", "[2001:db8::1]", "198.51.100.1", "not a host", "-", "\xff"};
	(void)state;

	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		for (int names = NAMES_VERIFY; names <= NAMES_IGNORE; names++) {
			for (int confirmed = CONFIRM_UNASKED; confirmed <= CONFIRM_REFUSED; confirmed++) {
				struct asked asked = {.mode = MODE_INTERCEPT,
				    .names = (enum name_policy)names,
				    .dst = "192.0.3.1",
				    .dport = "443",
				    .host = hosts[i],
				    .port = "443",
				    .confirmed = (enum confirmation)confirmed};

				assert_string_equal(answer_to(category, &asked), "normal no-entry");
				asked.dst = NULL;
				assert_string_equal(answer_to(category, &asked), "normal no-entry");
				asked.dst = "192.0.2.1"; /* and takes nothing away */
				assert_string_equal(answer_to(category, &asked), "bypass goto 192.0.2.0/24 address");
			}
		}
	}
}

static void dst_never_counts_when_explicit(void **state)
{
	static const char *const dsts[] = {"192.0.2.1", "2001:db8::1", "198.51.100.7", "no address", "-"};
	(void)state;

	for (size_t i = 0; i < sizeof dsts / sizeof dsts[0]; i++) {
		assert_string_equal(
		    EX(.dst = dsts[i], .dport = "443", .host = "other.example", .port = "443"), "normal no-entry");
		assert_string_equal(EX(.dst = dsts[i], .dport = "443"), "normal no-entry");
		assert_string_equal(EX(.dst = dsts[i], .dport = "443", .host = "192.0.3.1", .port = "443"), "normal no-entry");
		assert_string_equal(EX(.dst = dsts[i], .dport = "x", .host = "meet.example", .port = "443"),
		    "bypass meet meet.example name also zoom");
	}
}

static void sni_never_counts_when_explicit(void **state)
{
	(void)state;
	for (int names = NAMES_VERIFY; names <= NAMES_IGNORE; names++) {
		struct asked asked = {.mode = MODE_EXPLICIT,
		    .names = (enum name_policy)names,
		    .host = "other.example",
		    .port = "443",
		    .sni = "meet.example",
		    .confirmed = CONFIRM_YES};

		assert_string_equal(answer_to(category, &asked), "normal no-entry");
		asked.host = NULL;
		assert_string_equal(answer_to(category, &asked), "normal no-entry");
	}
}

static void explicit_by_host(void **state)
{
	(void)state;
	assert_string_equal(EX(.host = "x.goto.example", .port = "443"), "bypass goto .goto.example name");
	assert_string_equal(EX(.host = "X.GoTo.Example.", .port = "443"), "bypass goto .goto.example name");
	assert_string_equal(EX(.host = "egw.goto.example", .port = "8200"), "bypass goto egw.goto.example name");
	assert_string_equal(EX(.host = "egw.goto.example", .port = "443"), "bypass goto .goto.example name");
	assert_string_equal(EX(.host = "192.0.2.1", .port = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(EX(.host = "2001:db8::1", .port = "443"), "bypass goto 2001:db8::/32 address");
	assert_string_equal(EX(.host = "[2001:db8::1]", .port = "443"), "bypass goto 2001:db8::/32 address");
	assert_string_equal(EX(.host = "::ffff:192.0.2.1", .port = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(EX(.host = "[::ffff:192.0.2.1]", .port = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(EX(.host = "-", .port = "443"), "normal no-entry");
	assert_string_equal(EX(.port = "443"), "normal no-entry");
	assert_string_equal(EX(.host = "other.example", .port = "443"), "normal no-entry");
}

static void what_cannot_be_read_is_said(void **state)
{
	static const char *const bad_ports[] = {"65536", "-1", "http", "080", "443 ", "99999999999", "0x1bb", "443/tcp"};
	(void)state;

	assert_string_equal(IN(.dst = "egw.goto.example", .dport = "443"),
	    "unreadable dst: an IPv4 address has four numbers of 0 to 255, with dots between");
	assert_string_equal(
	    IN(.dst = "192.0.2.01", .dport = "443"), "unreadable dst: a number with leading zeros could be meant as octal");
	assert_string_equal(IN(.dst = "192.0.2.0/24", .dport = "443"), "unreadable dst: text behind the IPv4 address");
	assert_string_equal(IN(.client = "x", .dst = "192.0.2.1", .dport = "443"),
	    "unreadable client: an IPv4 address has four numbers of 0 to 255, with dots between");
	assert_string_equal(
	    EX(.host = "a_b.example", .port = "443"), "unreadable host: a name has letters, digits, hyphens and dots only");
	assert_string_equal(
	    EX(.host = "010.0.0.1", .port = "443"), "unreadable host: the last label of a name can't be a number");
	assert_string_equal(EX(.host = "192.0.2.1:443", .port = "443"),
	    "unreadable host: not an IPv6 address: eight groups of up to four hex digits, or `::` once");
	for (size_t i = 0; i < sizeof bad_ports / sizeof bad_ports[0]; i++) {
		assert_string_equal(IN(.dst = "192.0.2.1", .dport = bad_ports[i]), "unreadable dport: not a port");
		assert_string_equal(EX(.host = "192.0.2.1", .port = bad_ports[i]), "unreadable port: not a port");
	}
}

static void ports(void **state)
{
	(void)state;
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "8080"), "normal other-port");
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "1853"), "normal other-port"); /* that is of UDP */
	assert_string_equal(IN(.dst = "192.0.2.1"), "normal other-port");
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "-"), "normal other-port");
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "0"), "normal other-port");
	assert_string_equal(IN(.dst = "198.51.100.1"), "bypass meet 198.51.100.0/24 address"); /* any port */
	assert_string_equal(IN(.dst = "198.51.100.1", .dport = "0"), "bypass meet 198.51.100.0/24 address");
	assert_string_equal(EX(.host = "egw.goto.example"), "normal other-port");
	assert_string_equal(EX(.host = "egw.goto.example", .port = "1"), "normal other-port");
	assert_string_equal(EX(.host = "meet.example"), "bypass meet meet.example name also zoom");
	/* in each mode its own port counts */
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "8080", .port = "443"), "normal other-port");
	assert_string_equal(EX(.host = "192.0.2.1", .port = "8080", .dport = "443"), "normal other-port");
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "443", .port = "x"), "bypass goto 192.0.2.0/24 address");
}

static void longest_that_allows_the_port_decides(void **state)
{
	(void)state;
	assert_string_equal(IN(.dst = "192.0.2.200", .dport = "443"), "bypass goto 192.0.2.128/25 address");
	assert_string_equal(IN(.dst = "192.0.2.200", .dport = "80"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.dst = "192.0.2.70", .dport = "8443"), "bypass meet 192.0.2.64/26 address");
	assert_string_equal(IN(.dst = "192.0.2.70", .dport = "443"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(IN(.dst = "203.0.113.9", .dport = "443"), "bypass zoom 203.0.113.9 address");
	assert_string_equal(EX(.host = "x.a.shared.example", .port = "80"), "bypass zoom .a.shared.example name");
	assert_string_equal(EX(.host = "x.a.shared.example", .port = "443"), "bypass meet .shared.example name also zoom");
}

static void ties_go_by_the_alphabet(void **state)
{
	(void)state;
	assert_string_equal(IN(.dst = "198.51.100.1", .dport = "443"), "bypass meet 198.51.100.0/24 address also zoom");
	assert_string_equal(source_of_answer(), "M");
	assert_string_equal(IN(.dst = "198.51.100.1", .dport = "80"), "bypass meet 198.51.100.0/24 address");
	assert_string_equal(IN(.dst = "203.0.113.1", .dport = "8801"), "bypass zoom 203.0.113.0/24 address");
	assert_string_equal(source_of_answer(), "Z");
	assert_string_equal(EX(.host = "b.shared.example", .port = "80"), "bypass zoom .shared.example name");
}

static void arguments_restrict_the_question(void **state)
{
	(void)state;
	assert_string_equal(
	    IN(.dst = "198.51.100.1", .dport = "443", .arguments = "zoom"), "bypass zoom 198.51.100.0/24 address");
	assert_string_equal(IN(.dst = "198.51.100.1", .dport = "443", .arguments = "zoom meet"),
	    "bypass meet 198.51.100.0/24 address also zoom");
	assert_string_equal(IN(.dst = "198.51.100.1", .dport = "443", .arguments = "goto"), "normal other-service");
	assert_string_equal(
	    IN(.dst = "198.51.100.1", .dport = "443", .arguments = "zoom zoom"), "bypass zoom 198.51.100.0/24 address");
	assert_string_equal(IN(.dst = "198.51.100.1", .dport = "443", .arguments = "- goto -"), "normal other-service");
	assert_string_equal(IN(.dst = "192.0.2.70", .dport = "8443", .arguments = "goto"), "normal other-service");
	assert_string_equal(IN(.dst = "203.0.113.9", .dport = "8080", .arguments = "meet"), "normal other-service");
	assert_string_equal(EX(.host = "meet.example", .port = "80", .arguments = "zoom"), "bypass zoom meet.example name");
	assert_string_equal(IN(.dst = "192.0.3.1", .dport = "443", .arguments = "goto"), "normal no-entry");
}

static void unknown_arguments_are_said(void **state)
{
	static const char *const unknown[] = {
	    "webex", "Goto", "got", "gotoo", "Client", "client2", "*", "any", "goto,zoom"};
	(void)state;

	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		char expected[128], arguments[64];

		(void)snprintf(
		    expected, sizeof expected, "unreadable argument `%s`: no service of that name is known", unknown[i]);
		assert_string_equal(IN(.dst = "192.0.2.1", .dport = "443", .arguments = unknown[i]), expected);
		(void)snprintf(arguments, sizeof arguments, "goto %s", unknown[i]);
		assert_string_equal(IN(.dst = "192.0.2.1", .dport = "443", .arguments = arguments), expected);
		assert_string_equal(IN(.client = "10.1.1.1", .arguments = arguments), expected);
	}
}

static void a_nul_in_an_argument(void **state)
{
	struct policy policy = {.mode = MODE_INTERCEPT, .names = NAMES_IGNORE};
	struct facts facts = {.dst = text_of("192.0.2.1"), .dport = text_of("443")};
	struct text arguments[] = {{"goto\0x", 6}};
	struct verdict verdict;
	(void)state;

	decide(category, &policy, &facts, arguments, 1, &verdict);
	assert_int_equal(verdict.kind, VERDICT_UNREADABLE);
	arguments[0] = (struct text){"goto\0", 5};
	decide(category, &policy, &facts, arguments, 1, &verdict);
	assert_int_equal(verdict.kind, VERDICT_UNREADABLE);
	arguments[0] = (struct text){"gotoandmore", 4}; /* the text has its length */
	decide(category, &policy, &facts, arguments, 1, &verdict);
	assert_int_equal(verdict.kind, VERDICT_BYPASS);
}

static void many_arguments(void **state)
{
	char arguments[512] = "";
	size_t at = 0;
	(void)state;

	for (int i = 0; i < 64; i++) {
		at += (size_t)snprintf(arguments + at, sizeof arguments - at, "goto ");
	}
	assert_string_equal(
	    IN(.dst = "192.0.2.1", .dport = "443", .arguments = arguments), "bypass goto 192.0.2.0/24 address");
	(void)snprintf(arguments + at, sizeof arguments - at, "zoom");
	assert_string_equal(
	    IN(.dst = "192.0.2.1", .dport = "443", .arguments = arguments), "unreadable arguments: more than 64");
}

static void services_that_are_off(void **state)
{
	(void)state;
	assert_string_equal(IN(.dst = "192.0.2.1", .dport = "443", .arguments = "off"), "normal other-service");
	assert_string_equal(IN(.dst = "192.0.3.1", .dport = "443", .arguments = "off"), "normal service-off");
	assert_string_equal(IN(.dst = "192.0.3.1", .dport = "443", .arguments = "refused"), "normal service-off");
	assert_string_equal(IN(.dst = "192.0.3.1", .dport = "443", .arguments = "refused off"), "normal service-off");
	assert_string_equal(IN(.dst = "192.0.3.1", .dport = "443", .arguments = "off goto"), "normal no-entry");
	assert_string_equal(
	    IN(.dst = "192.0.2.1", .dport = "443", .arguments = "off goto"), "bypass goto 192.0.2.0/24 address");
	assert_string_equal(EX(.host = "other.example", .port = "443", .arguments = "off"), "normal service-off");
}

static void rules_and_sources_are_cut_at_their_size(void **state)
{
	struct policy policy = {.mode = MODE_INTERCEPT, .names = NAMES_IGNORE};
	struct facts facts = {.dst = text_of("198.51.100.1"), .dport = text_of("443")};
	struct verdict verdict;
	char out[16];
	(void)state;

	decide(category, &policy, &facts, NULL, 0, &verdict);
	for (size_t size = 0; size <= 6; size++) {
		memset(out, 'x', sizeof out);
		size_t source = verdict_source(&verdict, out, size);
		assert_int_equal(source, size > 1 ? 1 : 0);
		assert_int_equal(out[size], 'x');
		memset(out, 'x', sizeof out);
		size_t also = verdict_also(&verdict, out, size);
		assert_int_equal(also, size > 4 ? 4 : size == 0 ? 0 : size - 1);
		assert_int_equal(out[size], 'x');
		assert_true(size == 0 || out[also] == '\0');
	}
}

static void words_for_all(void **state)
{
	(void)state;
	for (int i = MISS_NONE; i <= MISS_NOTHING_LOADED; i++) {
		assert_int_equal(miss_name((enum miss)i) == NULL, i == MISS_NONE);
	}
	assert_null(evidence_name(EVIDENCE_NONE));
	assert_string_equal(evidence_name(EVIDENCE_CLIENT), "client");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intercepted_by_destination),
		cmocka_unit_test(host_never_counts_when_intercepted),
		cmocka_unit_test(dst_never_counts_when_explicit),
		cmocka_unit_test(sni_never_counts_when_explicit),
		cmocka_unit_test(explicit_by_host),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(ports),
		cmocka_unit_test(longest_that_allows_the_port_decides),
		cmocka_unit_test(ties_go_by_the_alphabet),
		cmocka_unit_test(arguments_restrict_the_question),
		cmocka_unit_test(unknown_arguments_are_said),
		cmocka_unit_test(a_nul_in_an_argument),
		cmocka_unit_test(many_arguments),
		cmocka_unit_test(services_that_are_off),
		cmocka_unit_test(rules_and_sources_are_cut_at_their_size),
		cmocka_unit_test(words_for_all),
	};

	return cmocka_run_group_tests(tests, load_three_services, unload);
}
