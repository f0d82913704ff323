/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names are those of RFC 1123, and names of services are short plain words. */
#include <config.h>

#include "category/internal.h"
#include "tests/category/fixture.h"

#include <ctype.h>
#include <string.h>

#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static void takes_names(void **state)
{
	static const char *const cases[][2] = {
		{"example.com", "example.com"},
		{"EXAMPLE.Com", "example.com"},
		{"example.com.", "example.com"},
		{"a", "a"},
		{"1a.example", "1a.example"},
		{"3com.com", "3com.com"},
		{"1.2.3.com", "1.2.3.com"},
		{"a-b--c.example", "a-b--c.example"},
		{"xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"1.2.3.4a", "1.2.3.4a"},
		{"1.2.3.0x4", "1.2.3.0x4"},
		{L63 ".example", L63 ".example"},
		{L63 "." L63 "." L63 "."
	         "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy",
	        L63 "." L63 "." L63 "."
	            "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"},
		{"4-4.4a.5-a", "4-4.4a.5-a"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char name[NAME_SIZE];
		struct refusal why = {"", 0};

		if (!name_parse(text_of(cases[i][0]), name, &why)) {
			fail_msg("%s: %s", cases[i][0], why.reason);
		}
		assert_string_equal(name, cases[i][1]);
	}
}

static void refuses_what_is_no_name(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} cases[] = {
		{"", 0},
		{".", 0},
		{"..", 0},
		{".example.com", 0},
		{"example..com", 8},
		{"example.com..", 12},
		{"-a.com", 0},
		{"a-.com", 1},
		{"a.-b", 2},
		{"a.b-", 3},
		{"a_b.com", 1},
		{"_sip.example.com", 0},
		{"*.example.com", 0},
		{"a.*.com", 2},
		{"a b", 1},
		{"a.com:443", 5},
		{"https://a.com", 5},
		{"a.com/", 5},
		{"m\xc3\xbcnchen.de", 1},
		{"a.com\xff", 5},
		{"a.com\t", 5},
		{"a.com\r", 5},
		{"a.com\x7f", 5},
		{"a%2ecom", 1},
		{"a,b", 1},
		{"a#b", 1},
		{"a@b", 1},
		{"[::1]", 0},
		{"::1", 0},
		{"1.2.3.4", 0},
		{"1.2.3.4.", 0},
		{"1", 0},
		{"example.1", 0},
		{"010.1.2.3", 0},
		{"300.300.300.300", 0},
		{L63 "a.example", 0},
		{"a." L63 "a", 2},
		{L63 "." L63 "." L63 "."
	         "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
	        NAME_SIZE - 1},
		{"\xe4\xbc\x9a\xe8\xad\xb0.example", 0},
		{"a\\.com", 1},
		{"a\"b", 1},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char name[NAME_SIZE];
		struct refusal why = {"", 9999};

		if (name_parse(text_of(cases[i].text), name, &why)) {
			fail_msg("taken for a name: %s", cases[i].text);
		}
		assert_string_not_equal(why.reason, "");
		if (why.offset != cases[i].offset) {
			fail_msg("%s is wrong at %zu, not at %zu", cases[i].text, cases[i].offset, why.offset);
		}
	}
}

static void nul_is_no_end(void **state)
{
	char name[NAME_SIZE];
	struct refusal why;
	(void)state;

	assert_false(name_parse((struct text){"a.com\0", 6}, name, &why));
	assert_false(name_parse((struct text){"a\0.com", 6}, name, &why));
	assert_false(name_parse((struct text){"\0", 1}, name, &why));
	assert_false(name_parse(text_of(NULL), name, &why));
	assert_true(name_parse((struct text){"a.comx", 5}, name, &why));
	assert_string_equal(name, "a.com");
}

/* The rules once more, label by label. */
static bool is_name(const char *text, size_t length)
{
	size_t label = 0;
	bool digits = true;

	if (length > 0 && text[length - 1] == '.') {
		length--;
	}
	for (size_t i = 0; i <= length; i++) {
		if (i < length && text[i] != '.') {
			unsigned char c = (unsigned char)text[i];

			if (c >= 128 || (!isalnum(c) && c != '-')) {
				return false;
			}
			continue;
		}
		if (i == label || i - label > 63 || text[label] == '-' || text[i - 1] == '-') {
			return false;
		}
		digits = true;
		for (size_t c = label; c < i; c++) {
			digits = digits && isdigit((unsigned char)text[c]);
		}
		label = i + 1;
	}
	return length > 0 && length <= 253 && !digits;
}

static void agrees_with_the_rules(void **state)
{
	static const char alphabet[] = "aaabzAZ019--....._";
	unsigned taken_count = 0;
	(void)state;

	for (int i = 0; i < 200000; i++) {
		char text[300], name[NAME_SIZE];
		size_t length = chance(i % 100 == 0 ? sizeof text : i % 2 == 0 ? 12 : 72);
		struct refusal why;

		for (size_t c = 0; c < length; c++) {
			text[c] = i % 100 == 0 ? (char)(chance(40) == 0 ? '.' : 'a') : alphabet[chance(sizeof alphabet - 1)];
			if (i % 2 != 0 && chance(12) != 0) { /* long ones, most of them good */
				text[c] = (char)(chance(300) == 0 ? chance(256) : 'A' + chance(26) + chance(2) * ('a' - 'A'));
			}
		}
		bool taken = name_parse((struct text){text, length}, name, &why);
		if (taken != is_name(text, length)) {
			fail_msg("%.*s: %s", (int)length, text, taken ? "taken" : why.reason);
		}
		if (!taken) {
			assert_true(why.offset <= length);
			continue;
		}
		taken_count++;
		assert_int_equal(strlen(name), length - (text[length - 1] == '.'));
		for (size_t c = 0; name[c] != '\0'; c++) {
			assert_int_equal(name[c], tolower((unsigned char)text[c]));
		}
	}
	assert_true(taken_count > 1000);
}

static void service_names(void **state)
{
	static const char *const good[] = {"gotomeeting", "zoom", "a", "8x8", "google-meet", "ms_teams", "4"};
	static const char *const bad[] = {"", "client", "clients", "wide", "private", "any", "tcp", "udp", "Zoom", "-zoom",
	    "_zoom", "zoom us", "zoom.us", "zo\xc3\xb6m", "zoom!", "zoom/", "#zoom", "zoom,webex"};
	char name[SERVICE_NAME_SIZE], longest[SERVICE_NAME_SIZE + 1];
	struct refusal why;
	(void)state;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(service_name_parse(text_of(good[i]), name, &why));
		assert_string_equal(name, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (service_name_parse(text_of(bad[i]), name, &why)) {
			fail_msg("taken for a service: %s", bad[i]);
		}
	}
	memset(longest, 'a', sizeof longest);
	assert_true(service_name_parse((struct text){longest, SERVICE_NAME_SIZE - 1}, name, &why));
	assert_int_equal(strlen(name), SERVICE_NAME_SIZE - 1);
	assert_false(service_name_parse((struct text){longest, SERVICE_NAME_SIZE}, name, &why));
	assert_false(service_name_parse((struct text){"zoom\0", 5}, name, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_names),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(nul_is_no_end),
		cmocka_unit_test(agrees_with_the_rules),
		cmocka_unit_test(service_names),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
