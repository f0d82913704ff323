/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of helper/ share. */
#ifndef SQUID_MEETING_HELPER_H
#define SQUID_MEETING_HELPER_H

#include "category/category.h"

#include <stdio.h>

/* ---- options.c ---- */

/* One field of the line that Squid sends (--fields). */
enum field { FIELD_CLIENT, FIELD_DST, FIELD_DPORT, FIELD_HOST, FIELD_PORT, FIELD_SNI, FIELD_METHOD, FIELD_SKIPPED };

enum { FIELDS = 16, FOLDERS = 32 };

struct options {
	struct policy policy; /* today is filled in later */
	enum field field[FIELDS];
	size_t fields;
	bool shadow, debug, help, version;
	const char *folder[FOLDERS];
	size_t folders;
	char wrong[256]; /* what is wrong with the command line; empty: nothing */
};

/* Reads the command line. Never fails: what is wrong stands in options->wrong. The folders point into argv. */
void options_read(struct options *options, int argc, char **argv);
void options_help(FILE *to);

/* ---- protocol.c ---- */

enum {
	LINE_SIZE = 65536,  /* a longer line is refused */
	REPLY_SIZE = 8192,  /* no reply is longer, its line end included */
	CHANNEL_SIZE = 21   /* digits of a channel number, with the NUL */
};

/* Answers one line (without its line end; it is overwritten) with one line into out. today is in options->policy.
 * complaint is empty, or what was unreadable, for the log. Returns the reply's length. */
size_t protocol_answer(const struct options *options, const struct category *category, char *line, size_t length,
    char out[REPLY_SIZE], char complaint[256]);

/* The same for a line that can't be read for a reason known beforehand; line holds its beginning. */
size_t protocol_refuse(const struct options *options, const char *line, size_t length, const char *reason,
    char out[REPLY_SIZE]);

/* ---- stream.c ---- */

/* Answers lines from in on out until the end of input. Returns 0, or an errno if in or out have failed. */
int stream_serve(const struct options *options, const struct category *category, int in, int out);

/* ---- ext_meeting_acl.c ---- */

/* One line to stderr, which is Squid's cache.log, at most ten in ten seconds. */
void complain(const char *complaint);

#endif
