/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks ext_meeting_acl as Squid does, over a loopback TCP socket that is its stdin and stdout; or over two pipes; or over a
 * socket that keeps messages apart. */
#ifndef SQUID_MEETING_TESTS_ASKER_H
#define SQUID_MEETING_TESTS_ASKER_H

#include "tests/category/fixture.h"

#include <sys/types.h>

enum channel { OVER_SOCKET, OVER_PIPES, OVER_MESSAGES };

struct asker {
	pid_t pid;
	int to, from; /* the same socket, or two pipes */
	char *heard;  /* what has come and wasn't taken yet, ended by NUL */
	size_t heard_length, heard_room;
	char folder[256]; /* its stderr is in there, in the file `stderr` */
};

/* Writes the category of these tests into the folder. */
void asker_category(const char *folder);

/* Starts the helper with --config=FOLDER and these options (ended by NULL; NULL: none). */
void asker_start(struct asker *asker, const char *folder, enum channel channel, const char *const *options);

/* Writes all, reading nothing meanwhile; fails if the helper doesn't take it within half a minute. */
void asker_give(struct asker *asker, const void *bytes, size_t length);
void asker_say(struct asker *asker, const char *text);

/* The next line, without its end, valid until the next call; or NULL at the end. */
const char *asker_hear(struct asker *asker);

/* Like asker_hear, but at most so many bytes a read. */
const char *asker_hear_slowly(struct asker *asker, size_t most);

/* Asks one line (without its end), and asserts the reply. */
void asker_expect(struct asker *asker, const char *line, const char *reply);

/* Ends the input, asserts that nothing else came and that it ended with the status. */
void asker_end(struct asker *asker, int status);

/* What it wrote to stderr so far. The caller frees it. */
char *asker_stderr(const struct asker *asker);

#endif
