/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes at all: exactly one reply a line, with its channel number, and never a BH. */
#include <config.h>

#include "tests/helper/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 3000, LINE_ROOM = 400 };

static char *line[LINES];
static size_t line_length[LINES];

static size_t put_words(char *to, size_t room, bool sensible)
{
	static const char *const words[] = {"10.1.1.1", "192.0.2.1", "203.0.113.1", "198.51.100.7", "443", "80", "-",
	    "a.meet.example", "meet", "client", "other", "tie", "old", "off", "::", "2001:db8::1", "%41", "%", "%00",
	    "65536", "webex", "\"", "\\", "x=y", "BH", "BH message=no", "OK", "\xff\xfe", "\x01", "\x7f", "%0a", "%0d%0aOK",
	    "12345678901234567890", "123456789012345678901"};
	size_t at = 0;

	for (uint64_t count = sensible ? 5 + chance(4) : chance(12); count > 0; count--) {
		int wrote = snprintf(to + at, room - at, "%s%s", words[chance(sensible ? 16 : sizeof words / sizeof words[0])],
		    chance(20) == 0 ? "  \t" : " ");

		if (wrote < 0 || (size_t)wrote >= room - at) {
			break;
		}
		at += (size_t)wrote;
	}
	return at;
}

/* Of words, or of any bytes but the line's end. */
static void make_line(size_t i)
{
	char text[LINE_ROOM];
	size_t at = 0;

	switch (chance(3)) {
	case 0: break;
	case 1:
		at = (size_t)snprintf(
		    text, sizeof text, "%llu ", (unsigned long long)(chance(2) == 0 ? i : chance(UINT64_MAX)));
		break;
	default:
		at = (size_t)snprintf(
		    text, sizeof text, "%llu%s", (unsigned long long)chance(1000), chance(2) == 0 ? "\t" : "");
		break;
	}
	if (chance(3) > 0) {
		at += put_words(text + at, sizeof text - at, chance(2) == 0);
	} else {
		for (uint64_t count = chance(LINE_ROOM - at); count > 0; count--) {
			text[at] = chance(4) == 0 ? " 0%.-\r\t\0:"[chance(9)] : (char)chance(256);
			at += text[at] != '\n';
		}
	}
	free(line[i]);
	line[i] = malloc(at + 1);
	assert_non_null(line[i]);
	memcpy(line[i], text, at);
	line_length[i] = at;
}

/* The first word, if it is a channel: 1 to 20 digits; where the first field may be a number, only if there are more
 * words than fields. */
static size_t channel_of(size_t i, size_t fields, bool may_be_number, const char **channel)
{
	size_t length = line_length[i], start = 0, end, words = 0;

	if (length > 0 && line[i][length - 1] == '\r') {
		length--;
	}
	for (size_t at = 0; at < length; at++) {
		bool blank = line[i][at] == ' ' || line[i][at] == '\t';

		words += !blank && (at == 0 || line[i][at - 1] == ' ' || line[i][at - 1] == '\t');
	}
	while (start < length && (line[i][start] == ' ' || line[i][start] == '\t')) {
		start++;
	}
	end = start;
	while (end < length && line[i][end] >= '0' && line[i][end] <= '9') {
		end++;
	}
	*channel = line[i] + start;
	if (end == start || end - start > 20 || (end < length && line[i][end] != ' ' && line[i][end] != '\t')) {
		return 0;
	}
	return may_be_number && words <= fields ? 0 : end - start;
}

static void check_reply(const char *reply, size_t i, size_t fields, bool may_be_number)
{
	const char *channel;
	size_t length = channel_of(i, fields, may_be_number, &channel);

	if (length > 0) {
		if (strncmp(reply, channel, length) != 0 || reply[length] != ' ') {
			fail_msg("`%.*s` was answered `%s`", (int)line_length[i], line[i], reply);
		}
		reply += length + 1;
	}
	bool well = strncmp(reply, "OK verdict_=bypass ", 19) == 0 || strncmp(reply, "ERR verdict_=normal", 19) == 0 ||
	    strncmp(reply, "ERR verdict_=shadow would_=", 27) == 0;
	if (!well) {
		fail_msg("`%.*s` was answered `%s`", (int)line_length[i], line[i], reply);
	}
	for (const char *at = reply; *at != '\0'; at++) {
		assert_in_range(*at, 0x20, 0x7e);
	}
}

static void ask_garbage(void **state, const char *const *options, size_t fields, bool may_be_number, int status)
{
	struct asker asker;

	asker_category(*state);
	asker_start(&asker, *state, chance(2) == 0 ? OVER_SOCKET : OVER_PIPES, options);
	for (size_t i = 0; i < LINES; i++) {
		make_line(i);
		asker_give(&asker, line[i], line_length[i]);
		asker_give(&asker, "\n", 1);
	}
	for (size_t i = 0; i < LINES; i++) {
		const char *reply = asker_hear(&asker);

		assert_non_null(reply);
		check_reply(reply, i, fields, may_be_number);
		free(line[i]);
		line[i] = NULL;
	}
	asker_end(&asker, status);
}

static void intercepted(void **state)
{
	ask_garbage(state, (const char *const[]){"--names=ignore", NULL}, 5, false, 0);
}

static void explicit(void **state)
{
	ask_garbage(state, (const char *const[]){"--mode=explicit", NULL}, 3, false, 0);
}

static void trusting_in_the_shadow(void **state)
{
	ask_garbage(state, (const char *const[]){"--names=trust", "--shadow", "--stale=refuse", NULL}, 5, false, 0);
}

static void fields_that_may_be_numbers(void **state)
{
	ask_garbage(state, (const char *const[]){"--fields=dport,-,dst,client", "--names=trust", NULL}, 4, true, 0);
	ask_garbage(state, (const char *const[]){"--fields=-", NULL}, 1, true, 0);
}

static void with_a_wrong_option(void **state)
{
	ask_garbage(state, (const char *const[]){"--mode=both", NULL}, 0, false, 2);
	ask_garbage(state, (const char *const[]){"--debug", "--nonsense", NULL}, 0, false, 2);
}

/* With a DNS server that isn't there, answers overtake each other; but each question has one. */
static void names_that_nobody_confirms(void **state)
{
	static bool answered[LINES];
	struct asker asker;

	asker_category(*state);
	asker_start(
	    &asker, *state, OVER_SOCKET, (const char *const[]){"--resolver=127.0.0.1:9", "--dns-timeout=0.2", NULL});
	for (unsigned i = 0; i < LINES; i++) {
		char text[256];
		size_t at = (size_t)snprintf(text, sizeof text, "%u ", i);

		if (chance(3) == 0) {
			at += (size_t)snprintf(
			    text + at, sizeof text - at, "10.1.1.1 198.18.0.1 443 - n%u.meet.example ", (unsigned)chance(40));
		} else {
			at += put_words(text + at, sizeof text - at, chance(2) == 0);
		}
		asker_give(&asker, text, at);
		asker_give(&asker, "\n", 1);
		answered[i] = false;
	}
	for (unsigned i = 0; i < LINES; i++) {
		const char *reply = asker_hear(&asker);
		char *end;

		assert_non_null(reply);
		unsigned long number = strtoul(reply, &end, 10);
		assert_true(end > reply && *end == ' ' && number < LINES && !answered[number]);
		answered[number] = true;
		assert_true(strncmp(end, " OK verdict_=bypass ", 20) == 0 || strncmp(end, " ERR verdict_=normal", 20) == 0);
		assert_null(strstr(end, "evidence_=name"));
	}
	asker_end(&asker, 0);
}

/* Many complaints become few lines in cache.log. */
static void complaints_are_limited(void **state)
{
	struct asker asker;
	unsigned lines = 0;

	asker_category(*state);
	asker_start(&asker, *state, OVER_SOCKET, NULL);
	for (int i = 0; i < 5000; i++) {
		asker_say(&asker, "7 nonsense\x1b[31m - - - - nothing\n");
	}
	for (int i = 0; i < 5000; i++) {
		assert_non_null(asker_hear(&asker));
	}
	asker_end(&asker, 0);
	char *text = asker_stderr(&asker);
	for (const char *at = text; *at != '\0'; at++) {
		lines += *at == '\n';
		assert_true(*at == '\n' || (*at >= 0x20 && *at <= 0x7e));
	}
	assert_in_range(lines, 2, 40); /* ten in ten seconds, and the first line */
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(intercepted, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(explicit, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(trusting_in_the_shadow, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(fields_that_may_be_numbers, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(with_a_wrong_option, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(names_that_nobody_confirms, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(complaints_are_limited, folder_setup, folder_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
