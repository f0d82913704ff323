/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers to compare with: `bound` and `echo` do the least that any helper has to do, `stdio` is what most C helpers do.
 * Usage: answerer bound|echo|stdio. All but echo answer CHANNEL and a text as long as ext_meeting_acl's. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 65536, LONGEST = 512 };

/* Odd channels are hits. */
#define MISS "ERR verdict_=normal reason_=no-entry\n"
#define HIT "OK verdict_=bypass service_=gotomeeting rule_=216.115.208.0/20 evidence_=address " \
	"source_=Cisco%20WSA%20technical%20note%20on%20GoToMeeting tag=meeting clt_conn_tag=meeting\n"

static void write_all(const char *from, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(STDOUT_FILENO, from, length);

		if (wrote <= 0) {
			_exit(1);
		}
		from += wrote;
		length -= (size_t)wrote;
	}
}

static void echo(void)
{
	static char buffer[READ_SIZE];
	ssize_t got;

	while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
		write_all(buffer, (size_t)got);
	}
}

/* Reads what has come, finds the lines and their channels, writes once. */
static void bound(void)
{
	static char input[READ_SIZE + LONGEST], output[(READ_SIZE / 8) * (sizeof HIT + 24)];
	size_t kept = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, input + kept, READ_SIZE)) > 0) {
		char *line = input, *end = input + kept + got, *out = output;

		for (char *newline; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL; line = newline + 1) {
			char *blank = memchr(line, ' ', (size_t)(newline - line));
			size_t channel = blank == NULL ? 0 : (size_t)(blank + 1 - line);

			memcpy(out, line, channel);
			out += channel;
			if (channel > 1 && (line[channel - 2] & 1) != 0) {
				memcpy(out, HIT, sizeof HIT - 1);
				out += sizeof HIT - 1;
			} else {
				memcpy(out, MISS, sizeof MISS - 1);
				out += sizeof MISS - 1;
			}
		}
		write_all(output, (size_t)(out - output));
		kept = (size_t)(end - line);
		if (kept > LONGEST) {
			_exit(1);
		}
		memmove(input, line, kept);
	}
}

static void stdio(void)
{
	char line[8192], channel[32];

	while (fgets(line, sizeof line, stdin) != NULL) {
		if (sscanf(line, "%31s", channel) == 1) {
			printf("%s %s", channel, (channel[strlen(channel) - 1] & 1) != 0 ? HIT : MISS);
			fflush(stdout);
		}
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc == 2 ? argv[1] : "";

	if (strcmp(mode, "bound") == 0) {
		bound();
	} else if (strcmp(mode, "echo") == 0) {
		echo();
	} else if (strcmp(mode, "stdio") == 0) {
		stdio();
	} else {
		fputs("Usage: answerer bound|echo|stdio\n", stderr);
		return 2;
	}
	return 0;
}
