/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of headers are read as Squid writes them: endpoints, request lines, users plain and encoded. */
#include <config.h>

#include "icap/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void endpoints_are_split_at_the_last_colon(void **state)
{
	static const struct {
		const char *text, *address, *port;
	} cases[] = {
		{ "192.0.2.1:443", "192.0.2.1", "443" },
		{ "[2001:db8::1]:8200", "2001:db8::1", "8200" },
		{ "2001:db8::1:443", "2001:db8::1", "443" },
		{ "::1:80", "::1", "80" },
		{ "::1:65535", "::1", "65535" },
		{ "-:-", NULL, NULL },
		{ "-:443", NULL, NULL },
		{ "[:443", "[", "443" }, /* no address, as the one who reads it will say */
		{ "[]:443", NULL, NULL },
		{ "192.0.2.1", NULL, NULL },
		{ "192.0.2.1:", NULL, NULL },
		{ "192.0.2.1:0", NULL, NULL },
		{ "192.0.2.1:65536", NULL, NULL },
		{ "192.0.2.1:0443", NULL, NULL },
		{ "192.0.2.1:+443", NULL, NULL },
		{ "192.0.2.1:443 ", NULL, NULL },
		{ ":443", NULL, NULL },
		{ ":", NULL, NULL },
		{ "", NULL, NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct text address, port;

		endpoint_split(text_of(cases[i].text), &address, &port);
		expect_text(address, cases[i].address);
		expect_text(port, cases[i].port);
	}
}

static void request_lines_are_split(void **state)
{
	static const struct {
		const char *line, *method, *host, *port;
	} cases[] = {
		{ "GET http://www.example.com/a?b=http://c/ HTTP/1.1", "GET", "www.example.com", "80" },
		{ "GET HTTPS://www.example.com HTTP/1.1", "GET", "www.example.com", "443" },
		{ "GET ftp://www.example.com/ HTTP/1.1", "GET", "www.example.com", "21" },
		{ "GET gopher://www.example.com/ HTTP/1.1", "GET", "www.example.com", NULL },
		{ "POST http://www.example.com:8080/ HTTP/1.1", "POST", "www.example.com", "8080" },
		{ "GET http://alice:secret@www.example.com/a@b HTTP/1.1", "GET", "www.example.com", "80" },
		{ "GET http://a@b:c@www.example.com:81/ HTTP/1.1", "GET", "www.example.com", "81" },
		{ "GET http://[2001:db8::1]/ HTTP/1.1", "GET", "2001:db8::1", "80" },
		{ "CONNECT www.example.com:443 HTTP/1.1", "CONNECT", "www.example.com", "443" },
		{ "CONNECT 203.0.113.5:8200 HTTP/1.1", "CONNECT", "203.0.113.5", "8200" },
		{ "CONNECT [2001:db8::1]:443 HTTP/1.1", "CONNECT", "2001:db8::1", "443" },
		{ "CONNECT 2001:db8::1 HTTP/1.1", "CONNECT", "2001:db8::1", NULL },
		{ "NONE 203.0.113.5:8200 HTTP/1.1", "NONE", "203.0.113.5", "8200" },
		{ "CONNECT www.example.com HTTP/1.1", "CONNECT", "www.example.com", NULL },
		{ "CONNECT www.example.com:99999 HTTP/1.1", "CONNECT", "www.example.com", NULL },
		{ "CONNECT [2001:db8::1 HTTP/1.1", "CONNECT", NULL, NULL },
		{ "CONNECT []:443 HTTP/1.1", "CONNECT", NULL, "443" },
		{ "CONNECT :443 HTTP/1.1", "CONNECT", NULL, "443" },
		{ "GET /path HTTP/1.1", "GET", NULL, NULL },
		{ "GET //www.example.com/path HTTP/1.1", "GET", NULL, NULL },
		{ "OPTIONS * HTTP/1.1", "OPTIONS", NULL, NULL },
		{ "GET a?b://www.example.com:81/ HTTP/1.1", "GET", "a", NULL },
		{ "GET a/b://www.example.com:81/ HTTP/1.1", "GET", "a", NULL },
		{ "GET a@b://www.example.com:81/ HTTP/1.1", "GET", "b", NULL },
		{ "GET http:// HTTP/1.1", "GET", NULL, NULL },
		{ "GET http://@ HTTP/1.1", "GET", NULL, NULL },
		{ "GET ", "GET", NULL, NULL },
		{ "GET", "GET", NULL, NULL },
		{ " ", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct target target;

		request_line_split(text_of(cases[i].line), &target);
		expect_text(target.method, cases[i].method);
		expect_text(target.host, cases[i].host);
		expect_text(target.port, cases[i].port);
	}
}

static void users_are_read_plain_and_encoded(void **state)
{
	static const struct {
		const char *client, *authenticated, *name;
	} cases[] = {
		{ "alice", NULL, "alice" },
		{ NULL, "alice", "alice" },
		{ "alice", "Local://bob", "alice" },
		{ "-", "bob", "bob" },
		{ "-", "-", NULL },
		{ NULL, NULL, NULL },
		{ "b\xc3\xb6" "b smith,x", NULL, "b\xc3\xb6" "b smith,x" },
		{ NULL, "Local://alice", "alice" },
		{ NULL, "TG9jYWw6Ly9hbGljZQ==", "alice" },             /* Local://alice */
		{ NULL, "V2luTlQ6Ly9jb3JwL2FsaWNl", "corp/alice" },    /* WinNT://corp/alice: no padding */
		{ "YWxpY2U=", NULL, "alice" },
		{ NULL, "YsO2Yg==", "b\xc3\xb6" "b" },
		/* Plain names that base64 could be read from. */
		{ "bill", NULL, "bill" },
		{ "anna", NULL, "anna" },
		{ "YWxpY2Vi", NULL, "YWxpY2Vi" },                      /* aliceb? Nobody can tell. */
		{ "abc=", NULL, "abc=" },                              /* no text */
		{ "YWxpY2V=", NULL, "YWxpY2V=" },                      /* not canonical */
		{ "YQo=", NULL, "YQo=" },                              /* a newline in it */
		{ "====", NULL, "====" },
		{ "=", NULL, "=" },
		{ "YWxpY2U=YWxpY2U=", NULL, "YWxpY2U=YWxpY2U=" },
		{ NULL, "://alice", "://alice" },
		{ NULL, "Local://", "Local://" },
		{ NULL, "1a://alice", "1a://alice" },
	};
	char buffer[256], huge[4001];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect_text(user_name(text_of(cases[i].client), text_of(cases[i].authenticated), buffer, sizeof buffer),
		    cases[i].name);
	/* One that its buffer can't hold stays as it is. */
	memset(huge, 'Q', sizeof huge);
	memcpy(huge + 3996, "QQ==", 5);
	assert_ptr_equal(user_name(text_of(huge), text_of(NULL), buffer, sizeof buffer).at, huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_are_split_at_the_last_colon),
		cmocka_unit_test(request_lines_are_split),
		cmocka_unit_test(users_are_read_plain_and_encoded),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
