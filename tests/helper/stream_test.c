/* SPDX-License-Identifier: GPL-2.0-or-later */
/* However the bytes come and go (all at once, one by one, too many, none), each line has one reply, in order. */
#include <config.h>

#include "tests/helper/asker.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMBER \
	"OK verdict_=bypass service_=tie rule_=203.0.113.0/24 evidence_=address source_=T tag=meeting clt_conn_tag=meeting"
#define TOO_LONG "ERR verdict_=normal message=\"a line of more than 65536 bytes\""

/* count questions, numbered from first; every third is a member. The caller frees them. */
static char *questions(unsigned count, unsigned long first, size_t *length)
{
	enum { ROOM = 64 };
	char *text = malloc((size_t)count * ROOM);
	size_t at = 0;

	assert_non_null(text);
	for (unsigned i = 0; i < count; i++) {
		at += (size_t)snprintf(
		    text + at, ROOM, "%lu 10.1.1.1 %s 80 - - tie\n", first + i, i % 3 == 0 ? "203.0.113.9" : "1.2.3.4");
	}
	*length = at;
	return text;
}

static void expect_answers(struct asker *asker, unsigned count, unsigned long first, size_t most)
{
	for (unsigned i = 0; i < count; i++) {
		const char *reply = asker_hear_slowly(asker, most);
		char expected[256];

		(void)snprintf(expected, sizeof expected, "%lu %s", first + i,
		    i % 3 == 0 ? MEMBER : "ERR verdict_=normal reason_=no-entry");
		assert_non_null(reply);
		assert_string_equal(reply, expected);
	}
}

static void start(struct asker *asker, void **state, enum channel channel)
{
	asker_category(*state);
	asker_start(asker, *state, channel, NULL);
}

/* ---- How the bytes come ---- */

static void hundred_thousand_at_once(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;
		size_t length;
		char *text = questions(100000, 4000000000, &length);

		start(&asker, state, (enum channel)channel);
		asker_give(&asker, text, length); /* nothing is read meanwhile */
		expect_answers(&asker, 100000, 4000000000, 65536);
		free(text);
		asker_end(&asker, 0);
	}
}

static void one_byte_at_a_time(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;
		size_t length;
		char *text = questions(60, 0, &length);

		start(&asker, state, (enum channel)channel);
		for (size_t i = 0; i < length; i++) {
			asker_give(&asker, text + i, 1);
		}
		expect_answers(&asker, 60, 0, 65536);
		free(text);
		asker_end(&asker, 0);
	}
}

static void slow_reader(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;
		size_t length;
		char *text = questions(20000, 17, &length);

		start(&asker, state, (enum channel)channel);
		asker_give(&asker, text, length);
		expect_answers(&asker, 20000, 17, 7);
		free(text);
		asker_end(&asker, 0);
	}
}

/* Pieces of any size, and questions while answers wait. */
static void pieces_of_any_size(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;
		size_t length;
		char *text = questions(20000, 0, &length);

		start(&asker, state, (enum channel)channel);
		for (size_t at = 0; at < length;) {
			size_t piece = 1 + chance(chance(4) == 0 ? 200000 : 300);

			piece = piece > length - at ? length - at : piece;
			asker_give(&asker, text + at, piece);
			at += piece;
		}
		expect_answers(&asker, 20000, 0, 1 + chance(65536));
		free(text);
		asker_end(&asker, 0);
	}
}

/* A write a line would cost more than all else: as many lines as one read has taken are answered by one write, or by two if
 * they are many, each of whole lines. */
static void few_writes_answer_all(void **state)
{
	static const unsigned counts[] = {1, 300, 1000, 2500};
	static char answers[300000];

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct asker asker;
		size_t length, at = 0;
		char *text = questions(counts[i], 0, &length);
		unsigned lines = 0, writes = 0;

		start(&asker, state, OVER_MESSAGES);
		asker_give(&asker, text, length);
		free(text);
		while (lines < counts[i]) {
			struct pollfd ready = {asker.from, POLLIN, 0};
			assert_int_equal(poll(&ready, 1, 30000), 1);
			ssize_t got = recv(asker.from, answers + at, sizeof answers - at, 0);
			assert_true(got > 0);
			for (ssize_t c = 0; c < got; c++) {
				lines += answers[at++] == '\n';
			}
			assert_int_equal(answers[at - 1], '\n');
			writes++;
		}
		assert_int_equal(lines, counts[i]);
		assert_int_equal(writes, counts[i] > 300 ? 2 : 1);
		asker_end(&asker, 0);
	}
}

/* ---- Long lines ---- */

/* A line of that many bytes without its end: a good question, and blanks behind it. */
static void give_line(struct asker *asker, const char *question, size_t length, char filler)
{
	char *line = malloc(length + 1);

	assert_non_null(line);
	memset(line, filler, length);
	memcpy(line, question, strlen(question) > length ? length : strlen(question));
	line[length] = '\n';
	asker_give(asker, line, length + 1);
	free(line);
}

static void lines_of_any_length(void **state)
{
	static const size_t lengths[] = {1, 2, 3, 100, 1000, 4095, 4096, 8192, 30000, 65534, 65535, 65536, 65537, 65538,
	    100000, 131071, 131072, 131073, 131074, 200000, 262143, 262144, 262145, 300000, 524288, 1048575, 1048576,
	    1048577, 3000000};

	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;

		start(&asker, state, (enum channel)channel);
		for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
			give_line(&asker, "123456789012 10.1.1.1 203.0.113.1 80 - - tie ", lengths[i], ' ');
			const char *reply = asker_hear(&asker);
			if (lengths[i] > 65536) {
				assert_string_equal(reply, "123456789012 " TOO_LONG);
			} else if (lengths[i] >= 100) {
				assert_string_equal(reply, "123456789012 " MEMBER);
			} else {
				char expected[128];

				(void)snprintf(expected, sizeof expected,
				    "%.*s ERR verdict_=normal message=\"fewer fields than --fields says\"", (int)lengths[i],
				    "123456789012");
				assert_string_equal(reply, expected);
			}
			give_line(&asker, "", lengths[i], 'x');
			reply = asker_hear(&asker);
			assert_string_equal(reply,
			    lengths[i] > 65536 ? TOO_LONG : "ERR verdict_=normal message=\"fewer fields than --fields says\"");
			asker_expect(&asker, "7 10.1.1.1 203.0.113.1 80 - - tie", "7 " MEMBER);
		}
		asker_end(&asker, 0);
	}
}

/* Long ones and short ones, written before anything is read. */
static void long_lines_between_short_ones(void **state)
{
	struct asker asker;

	start(&asker, state, OVER_SOCKET);
	for (unsigned i = 0; i < 30; i++) {
		size_t length;
		char *text = questions(1, i, &length);

		give_line(&asker, "55 10.1.1.1 203.0.113.1 80 - - ", 65000 + i * 40000, 'y');
		asker_give(&asker, text, length);
		free(text);
	}
	for (unsigned i = 0; i < 30; i++) {
		const char *reply = asker_hear(&asker);

		if (65000 + i * 40000 > 65536) {
			assert_string_equal(reply, "55 " TOO_LONG);
		} else {
			assert_non_null(strstr(reply, "55 ERR verdict_=normal message=\"argument `yyyy"));
		}
		expect_answers(&asker, 1, i, 65536);
	}
	asker_end(&asker, 0);
}

/* ---- The end ---- */

static void end_without_a_line(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;

		start(&asker, state, (enum channel)channel);
		asker_end(&asker, 0);
	}
}

static void end_in_the_middle_of_a_line(void **state)
{
	static const char *const cut[][2] = {{"7 10.1.1.1 203.0.113.1 80 - - tie", "7 "},
		{"4294967296 10.1", "4294967296 "}, {"7", "7 "}, {"10.1.1.1 203.0.113.1 80 - - tie", ""}, {" ", ""}, {"%", ""}};

	for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
		for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
			struct asker asker;
			char expected[128];

			start(&asker, state, (enum channel)channel);
			asker_say(&asker, "1 10.1.1.1 203.0.113.1 80 - - tie\n");
			asker_say(&asker, cut[i][0]);
			if (channel == OVER_SOCKET) {
				assert_int_equal(shutdown(asker.to, SHUT_WR), 0);
			} else {
				close(asker.to);
				asker.to = dup(asker.from); /* for asker_end to close */
			}
			assert_string_equal(asker_hear(&asker), "1 " MEMBER);
			(void)snprintf(expected, sizeof expected,
			    "%sERR verdict_=normal message=\"the end of input in the middle of a line\"", cut[i][1]);
			assert_string_equal(asker_hear(&asker), expected);
			asker_end(&asker, 0);
		}
	}
}

static void end_in_the_middle_of_a_long_line(void **state)
{
	static const size_t lengths[] = {65536, 65537, 131072, 131073, 1048576};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct asker asker;
		char *line = malloc(lengths[i]);

		assert_non_null(line);
		memset(line, 'z', lengths[i]);
		memcpy(line, "42 ", 3);
		start(&asker, state, OVER_SOCKET);
		asker_give(&asker, line, lengths[i]);
		free(line);
		assert_int_equal(shutdown(asker.to, SHUT_WR), 0);
		const char *reply = asker_hear(&asker);
		assert_non_null(reply);
		assert_int_equal(strncmp(reply, "42 ERR verdict_=normal message=", 31), 0);
		asker_end(&asker, 0);
	}
}

/* All answers are written before it ends, however slowly they are read. */
static void end_with_answers_waiting(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;
		size_t length;
		char *text = questions(50000, 1, &length);

		start(&asker, state, (enum channel)channel);
		asker_give(&asker, text, length);
		free(text);
		if (channel == OVER_SOCKET) {
			assert_int_equal(shutdown(asker.to, SHUT_WR), 0);
		} else {
			close(asker.to);
			asker.to = dup(asker.from);
		}
		expect_answers(&asker, 50000, 1, 1000);
		asker_end(&asker, 0);
	}
}

/* Squid that has gone is no error: nobody is left to be told. */
static void reader_that_goes_away(void **state)
{
	for (int channel = OVER_SOCKET; channel <= OVER_PIPES; channel++) {
		struct asker asker;
		size_t length;
		char *text = questions(50000, 1, &length);
		int status;

		start(&asker, state, (enum channel)channel);
		asker_give(&asker, text, length);
		free(text);
		close(asker.from);
		if (channel == OVER_PIPES) {
			close(asker.to);
		}
		assert_int_equal(waitpid(asker.pid, &status, 0), asker.pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		free(asker.heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hundred_thousand_at_once, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(one_byte_at_a_time, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(slow_reader, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(pieces_of_any_size, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(few_writes_answer_all, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(lines_of_any_length, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(long_lines_between_short_ones, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(end_without_a_line, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(end_in_the_middle_of_a_line, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(end_in_the_middle_of_a_long_line, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(end_with_answers_waiting, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(reader_that_goes_away, folder_setup, folder_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
