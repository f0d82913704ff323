/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line, one reply: fields, escapes, channel numbers, arguments, and what is wrong with a line. */
#include <config.h>

#include "tests/helper/asker.h"

#include <stdio.h>
#include <string.h>

#define MEET_SOURCE "https://meet.example/list%20of%20%22all%22"
#define MEMBER " tag=meeting clt_conn_tag=meeting"
#define MEET "OK verdict_=bypass service_=meet rule_=192.0.2.0/24 evidence_=address source_=" MEET_SOURCE MEMBER
#define MEET6 "OK verdict_=bypass service_=meet rule_=2001:db8::/32 evidence_=address source_=" MEET_SOURCE MEMBER
#define NORMAL(reason) "ERR verdict_=normal reason_=" reason
#define WRONG(message) "ERR verdict_=normal message=\"" message "\""
#define FEW WRONG("fewer fields than --fields says")
#define ESCAPE WRONG("a broken %xx escape")

static const char *const ignore[] = {"--names=ignore", NULL};

struct exchange {
	const char *line, *reply;
};

static const struct exchange exchanges[] = {
	{"10.1.1.1 192.0.2.1 443 - -", MEET},
	{"- 192.0.2.1 443 - -", MEET},
	{":: 192.0.2.1 443 - -", MEET},
	{"10.1.1.1 2001:db8::1 8200 - -", MEET6},
	{"10.1.1.1 [2001:db8::1] 8200 - -", MEET6},
	{"10.1.1.1 ::ffff:192.0.2.1 80 - -", MEET},
	{"10.1.1.1 192.0.2.200 443 - -",
	    "OK verdict_=bypass service_=other rule_=192.0.2.128/25 evidence_=address source_=O" MEMBER},
	{"10.1.1.1 203.0.113.1 443 - -",
	    "OK verdict_=bypass service_=other rule_=203.0.113.0/24 evidence_=address source_=O also_=tie" MEMBER},
	{"10.1.1.1 203.0.113.1 443 - - tie",
	    "OK verdict_=bypass service_=tie rule_=203.0.113.0/24 evidence_=address source_=T" MEMBER},
	{"10.1.1.1 198.51.100.1 443 - -",
	    "OK verdict_=bypass service_=old rule_=198.51.100.0/24 evidence_=address source_=L stale_=yes" MEMBER},
	/* of the same entry, but another reply */
	{"10.1.1.1 203.0.113.1 443 - - other",
	    "OK verdict_=bypass service_=other rule_=203.0.113.0/24 evidence_=address source_=O" MEMBER},
	{"10.1.1.1 198.18.7.1 80 - -",
	    "OK verdict_=bypass service_=old rule_=198.18.7.0/24 evidence_=address source_=L;%20F stale_=yes" MEMBER},
	{"10.1.1.1 198.18.7.1 443 - -",
	    "OK verdict_=bypass service_=old rule_=198.18.7.0/24 evidence_=address source_=L;%20F" MEMBER},
	{"10.1.1.1 192.0.3.1 443 - -", NORMAL("no-entry")},
	{"10.1.1.1 192.0.2.1 8080 - -", NORMAL("other-port")},
	{"10.1.1.1 192.0.2.1 - - -", NORMAL("other-port")},
	{"10.1.1.1 - 443 - -", NORMAL("no-entry")},
	{"- - - - -", NORMAL("no-entry")},
	/* claims */
	{"10.1.1.1 192.0.3.1 443 egw.meet.example -", NORMAL("no-entry")},
	{"10.1.1.1 192.0.3.1 443 - egw.meet.example", NORMAL("name-ignored")},
	{"10.1.1.1 192.0.3.1 443 egw.meet.example egw.meet.example", NORMAL("name-ignored")},
	{"10.1.1.1 192.0.2.1 443 %%% -", ESCAPE},
	/* arguments */
	{"10.1.1.1 192.0.2.1 443 - - meet", MEET},
	{"10.1.1.1 192.0.2.1 443 - - other meet", MEET},
	{"10.1.1.1 192.0.2.1 443 - - -", MEET},
	{"10.1.1.1 192.0.2.1 443 - - other", NORMAL("other-service")},
	{"10.1.1.1 192.0.3.1 443 - - off", NORMAL("service-off")},
	{"10.1.1.1 192.0.2.1 443 - - webex", WRONG("argument `webex`: no service of that name is known")},
	{"10.1.1.1 192.0.2.1 443 - - meet%20other", WRONG("argument `meet other`: no service of that name is known")},
	{"10.1.1.1 192.0.2.1 443 - - \"meet\"", WRONG("argument `\\\"meet\\\"`: no service of that name is known")},
	{"10.1.1.1 192.0.2.1 443 - - a\\b", WRONG("argument `a\\\\b`: no service of that name is known")},
	{"10.1.1.1 192.0.2.1 443 - - x%0Ay%ff", WRONG("argument `x?y?`: no service of that name is known")},
	{"10.1.1.1 1.1.1.1 443 - - client",
	    "OK verdict_=bypass rule_=10.0.0.0/8 evidence_=client source_=@CLIENTS@" MEMBER},
	{"12.1.1.1 192.0.2.1 443 - - client", NORMAL("client-not-exempt")},
	{":: 192.0.2.1 443 - - client", NORMAL("client-unknown")},
	{"- 192.0.2.1 443 - - client", NORMAL("client-unknown")},
	{"0.0.0.0 192.0.2.1 443 - - client meet", NORMAL("client-unknown")},
	{"10.1.1.1 192.0.2.1 443 - - client meet", MEET},
	{"11.1.1.1 192.0.2.1 443 - - client", NORMAL("other-service")},
	/* escapes */
	{"%31%30.1.1.1 192%2e0%2E2.1 4%343 %2d %2D", MEET},
	{"10.1.1.1 192.0.2.1 443 - - %6d%65et", MEET},
	{"10.1.1.1 192.0.2.1 443 %zz -", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 % -", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 %4 -", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 %4g -", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 - %00", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 - a%00", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 - - meet%", ESCAPE},
	{"10.1.1.1 192.0.2.1 443 - - %25", WRONG("argument `%`: no service of that name is known")},
	{"10.1.1.1 192.0.2.1%20 443 - -", WRONG("dst: text behind the IPv4 address")},
	{"10.1.1.1 192.0.2.1 443%0a - -", WRONG("dport: not a port")},
	/* blanks */
	{"  10.1.1.1   192.0.2.1\t443 \t-  -  ", MEET},
	{" 10.1.1.1 192.0.2.1 443 - -", MEET},
	{"10.1.1.1 192.0.2.1 443 - -\r", MEET},
	{"10.1.1.1 192.0.2.1 443 - - meet\r", MEET},
	/* what makes no sense */
	{"10.1.1.1 192.0.2.1 65536 - -", WRONG("dport: not a port")},
	{"10.1.1.1 192.0.2.1 0443 - -", WRONG("dport: not a port")},
	{"10.1.1.1 192.0.2.1 -1 - -", WRONG("dport: not a port")},
	{"10.1.1.1 192.0.2.1 99999999999999999999 - -", WRONG("dport: not a port")},
	{"10.1.1.1 192.0.2.1 0 - -", NORMAL("other-port")},
	{"10.1.1.1 meet.example 443 - -", WRONG("dst: an IPv4 address has four numbers of 0 to 255, with dots between")},
	{"host 192.0.2.1 443 - -", WRONG("client: an IPv4 address has four numbers of 0 to 255, with dots between")},
	{"", FEW},
	{" ", FEW},
	{"\r", FEW},
	{"-", FEW},
	{"10.1.1.1", FEW},
	{"10.1.1.1 192.0.2.1 443 -", FEW},
	{"%", FEW},
};

static const char *with_clients_path(const struct asker *asker, const char *reply)
{
	static char text[2048];
	const char *mark = strstr(reply, "@CLIENTS@");

	if (mark == NULL) {
		return reply;
	}
	(void)snprintf(
	    text, sizeof text, "%.*s%s/clients%s", (int)(mark - reply), reply, asker->folder, mark + strlen("@CLIENTS@"));
	return text;
}

static void all_exchanges(void **state, enum channel channel)
{
	static const char *const numbers[] = {"0", "7", "2147483648", "4294967297", "18446744073709551616",
	    "99999999999999999999", "00", "000000000000000000007"};
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, channel, ignore);
	for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
		asker_expect(&asker, exchanges[i].line, with_clients_path(&asker, exchanges[i].reply));
		for (size_t n = 0; n < sizeof numbers / sizeof numbers[0] - 1; n++) {
			char line[512], reply[2560];

			(void)snprintf(line, sizeof line, "%s %s", numbers[n], exchanges[i].line);
			(void)snprintf(reply, sizeof reply, "%s %s", numbers[n], with_clients_path(&asker, exchanges[i].reply));
			asker_expect(&asker, line, reply);
		}
	}
	/* 21 digits are no channel number */
	asker_expect(&asker, "000000000000000000007 192.0.2.1 443 - -",
	    WRONG("client: a number with leading zeros could be meant as octal"));
	/* nor is anything else */
	asker_expect(&asker, "-7 192.0.2.1 443 - -",
	    WRONG("client: an IPv4 address has four numbers of 0 to 255, with dots between"));
	asker_expect(&asker, "0x7 10.1.1.1 192.0.2.1 443 - -",
	    WRONG("client: an IPv4 address has four numbers of 0 to 255, with dots between"));
	asker_expect(&asker, "7", "7 " FEW);
	asker_expect(&asker, " 7 ", "7 " FEW);
	asker_expect(&asker, "7 8 9", "7 " FEW);
	asker_end(&asker, 0);
}

static void over_a_socket(void **state)
{
	all_exchanges(state, OVER_SOCKET);
}

static void over_pipes(void **state)
{
	all_exchanges(state, OVER_PIPES);
}

/* A line is what it is, whatever is written with it, and however it lies in what is read. */
static void one_beside_another(void **state)
{
	enum { LINES = 4000, COUNT = sizeof exchanges / sizeof exchanges[0] };
	static char text[LINES * 256];
	static size_t which[LINES]; /* COUNT: one with a NUL */
	struct asker asker;
	size_t at = 0;

	for (size_t i = 0; i < LINES; i++) {
		which[i] = chance(COUNT + 1);
		at += (size_t)snprintf(text + at, 32, "%s%zu ", chance(4) == 0 ? " " : "", i);
		for (const char *from = which[i] == COUNT ? "10.1.1.1 192.0.2.1 443 - \x01" : exchanges[which[i]].line; *from != '\0';
		     from++) {
			text[at++] = (char)(*from == '\x01' ? '\0' : *from);
			for (uint64_t more = *from == ' ' && chance(3) == 0 ? chance(20) : 0; more > 0; more--) {
				text[at++] = chance(2) == 0 ? ' ' : '\t';
			}
		}
		text[at++] = '\n';
	}
	asker_category(*state);
	asker_start(&asker, *state, OVER_SOCKET, ignore);
	asker_give(&asker, text, at);
	for (size_t i = 0; i < LINES; i++) {
		char expected[2560];
		const char *reply = asker_hear(&asker);

		(void)snprintf(expected, sizeof expected, "%zu %s", i,
		    which[i] == COUNT ? WRONG("a NUL byte in the line") : with_clients_path(&asker, exchanges[which[i]].reply));
		assert_non_null(reply);
		assert_string_equal(reply, expected);
	}
	asker_end(&asker, 0);
}

static void nul_bytes(void **state)
{
	static const struct {
		const char *line;
		size_t length;
		const char *reply;
	} cases[] = {
		{"\0\n", 2, WRONG("a NUL byte in the line")},
		{"7 10.1.1.1 192.0.2.1 443 - -\0\n", 30, "7 " WRONG("a NUL byte in the line")},
		{"7 10.1.1.1 192.0.2.1\0 443 - -\n", 30, "7 " WRONG("a NUL byte in the line")},
		{"7 \0\0\0\0\0 - -\n", 12, "7 " WRONG("a NUL byte in the line")},
		{"10.1.1.1 192.0.2.1 443 - - meet\0x\n", 34, WRONG("a NUL byte in the line")},
	};
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, OVER_SOCKET, ignore);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		asker_give(&asker, cases[i].line, cases[i].length);
		assert_string_equal(asker_hear(&asker), cases[i].reply);
	}
	asker_expect(&asker, "7 10.1.1.1 192.0.2.1 443 - -", "7 " MEET);
	asker_end(&asker, 0);
}

static void many_arguments(void **state)
{
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, OVER_SOCKET, ignore);
	for (unsigned count = 60; count <= 300; count += count < 80 ? 1 : 20) {
		char line[2048];
		size_t at = (size_t)snprintf(line, sizeof line, "9 10.1.1.1 192.0.2.1 443 - -");

		for (unsigned i = 0; i < count; i++) {
			at += (size_t)snprintf(line + at, sizeof line - at, " meet");
		}
		asker_say(&asker, line);
		asker_say(&asker, "\n");
		const char *reply = asker_hear(&asker);
		if (count <= 64) {
			assert_string_equal(reply, "9 " MEET);
		} else {
			assert_true(
			    strncmp(reply, "9 ERR verdict_=normal message=", 30) == 0 && strstr(reply, "more than 64") != NULL);
		}
	}
	asker_end(&asker, 0);
}

static void explicit_mode(void **state)
{
	static const struct exchange cases[] = {
		{"10.1.1.1 a.meet.example 443",
	        "OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name source_=" MEET_SOURCE " tag=meeting"},
		{"10.1.1.1 A.Meet.Example. 443",
	        "OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name source_=" MEET_SOURCE " tag=meeting"},
		{"10.1.1.1 192.0.2.1 443",
	        "OK verdict_=bypass service_=meet rule_=192.0.2.0/24 evidence_=address source_=" MEET_SOURCE
	        " tag=meeting"},
		{"10.1.1.1 [2001:db8::1] 443",
	        "OK verdict_=bypass service_=meet rule_=2001:db8::/32 evidence_=address source_=" MEET_SOURCE
	        " tag=meeting"},
		{"10.1.1.1 egw.meet.example 1",
	        "OK verdict_=bypass service_=meet rule_=egw.meet.example evidence_=name source_=" MEET_SOURCE
	        " tag=meeting"},
		{"10.1.1.1 a.meet.example 81", NORMAL("other-port")},
		{"10.1.1.1 other.example 443", NORMAL("no-entry")},
		{"10.1.1.1 - -", NORMAL("no-entry")},
		{"10.1.1.1 a_b.meet.example 443", WRONG("host: a name has letters, digits, hyphens and dots only")},
		{"10.1.1.1 %C3%BC.meet.example 443", WRONG("host: write an international name in its ASCII form (xn--...)")},
		{"10.1.1.1 a.meet.example", FEW},
	};
	static const char *const options[] = {"--mode=explicit", NULL};
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, OVER_SOCKET, options);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char line[256], reply[512];

		asker_expect(&asker, cases[i].line, cases[i].reply);
		(void)snprintf(line, sizeof line, "5000000000 %s", cases[i].line);
		(void)snprintf(reply, sizeof reply, "5000000000 %s", cases[i].reply);
		asker_expect(&asker, line, reply);
	}
	asker_end(&asker, 0);
}

static void trusted_names(void **state)
{
	static const struct exchange cases[] = {
		{"10.1.1.1 192.0.3.1 443 - a.meet.example",
	        "OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name source_=" MEET_SOURCE MEMBER},
		{"10.1.1.1 - 443 - a.meet.example",
	        "OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name source_=" MEET_SOURCE MEMBER},
		{"10.1.1.1 192.0.2.1 443 - other.example", MEET},
		{"10.1.1.1 192.0.3.1 81 - a.meet.example", NORMAL("other-port")},
		{"10.1.1.1 192.0.3.1 443 a.meet.example -", NORMAL("no-entry")},
		{"10.1.1.1 192.0.3.1 443 - a_b.meet.example", NORMAL("no-entry")},
		{"10.1.1.1 192.0.3.1 443 - %ff%fe", NORMAL("no-entry")},
	};
	static const char *const options[] = {"--names=trust", NULL};
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, OVER_PIPES, options);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		asker_expect(&asker, cases[i].line, cases[i].reply);
	}
	asker_end(&asker, 0);
}

static void in_the_shadow(void **state)
{
	static const struct exchange cases[] = {
		{"5 10.1.1.1 192.0.2.1 443 - -",
	        "5 ERR verdict_=shadow would_=meet rule_=192.0.2.0/24 evidence_=address source_=" MEET_SOURCE},
		{"5 10.1.1.1 192.0.3.1 443 - -", "5 " NORMAL("no-entry")},
		{"5 10.1.1.1 198.51.100.1 443 - -",
	        "5 ERR verdict_=shadow would_=old rule_=198.51.100.0/24 evidence_=address source_=L stale_=yes"},
		{"5 10.1.1.1 198.51.100.1 443 - - webex", "5 " WRONG("argument `webex`: no service of that name is known")},
	};
	static const char *const options[] = {"--shadow", "--names=ignore", NULL};
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, OVER_SOCKET, options);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		asker_expect(&asker, cases[i].line, cases[i].reply);
	}
	asker_end(&asker, 0);
}

/* Where the first field may be a number itself, a number there is a channel only if all the fields follow it. */
static void fields_that_begin_with_a_number(void **state)
{
	static const char *const options[] = {"--fields=dport,dst", NULL};
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, OVER_PIPES, options);
	asker_expect(&asker, "443 192.0.2.1", MEET);
	asker_expect(&asker, "5 443 192.0.2.1", "5 " MEET);
	asker_expect(&asker, "5 443 192.0.2.1 meet", "5 " MEET);
	asker_expect(&asker, "5 - 192.0.2.1 meet", "5 " NORMAL("other-port"));
	asker_expect(&asker, "- 192.0.2.1 meet", NORMAL("other-port"));
	asker_expect(&asker, "443", FEW);
	asker_end(&asker, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(over_a_socket, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(over_pipes, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(one_beside_another, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(nul_bytes, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(many_arguments, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(explicit_mode, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(trusted_names, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(in_the_shadow, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(fields_that_begin_with_a_number, folder_setup, folder_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
