/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of helper/ share. */
#ifndef SQUID_MEETING_HELPER_H
#define SQUID_MEETING_HELPER_H

#include "category/category.h"

#include <getopt.h>
#include <poll.h>
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
	const char *resolver;     /* "ADDRESS[:PORT]"; NULL: the system's */
	unsigned dns_timeout_ms;
	const char *folder[FOLDERS];
	size_t folders;
	char wrong[256]; /* what is wrong with the command line; empty: nothing */
};

/* Reads the command line. Never fails: what is wrong stands in options->wrong. The texts point into argv. */
void options_read(struct options *options, int argc, char **argv);
void options_help(FILE *to);

/* The same in steps, for a program that has other options too: defaults, each option of options_known, the end. */
extern const struct option options_known[];
void options_begin(struct options *options);
void options_take(struct options *options, int option, const char *value);
void options_end(struct options *options);

/* ---- protocol.c ---- */

enum {
	LINE_SIZE = 65536,  /* a longer line is refused */
	REPLY_SIZE = 8192,  /* no reply is longer, its line end included */
	CHANNEL_SIZE = 21   /* digits of a channel number, with the NUL */
};

/* A line, read. */
enum { WORDS = FIELDS + 64 + 1, EDGES = 2 * WORDS + 4 };
struct question {
	const char *line;
	size_t length;              /* without the line end */
	uint32_t edge[EDGES + 129]; /* in line: where the first word begins, where it ends, where the second begins ... */
	size_t words, first;        /* first: of the fields; 1 behind a channel */
	const char *wrong;          /* why it can't be read; NULL: it can */
};

static inline struct text question_word(const struct question *question, size_t number)
{
	const uint32_t *edge = question->edge + 2 * number;

	return (struct text){question->line + edge[0], edge[1] - edge[0]};
}

/* Text that is read line by line. */
struct lines {
	char *text;
	size_t length, next;             /* next: where the next line begins */
	size_t block;                    /* where the 64 bytes are that were looked at last */
	uint64_t blank, newline, unread; /* a bit for each of them */
	bool special;                    /* there is a NUL or a % among them */
};
void protocol_begin(struct lines *lines, char *text, size_t length);

/* Reads the next line; the last one may lack its end. %xx is decoded in place. question points into the text. */
void protocol_read(const struct options *options, struct lines *lines, struct question *question);

/* The facts of a question that can be read, and the arguments behind them, whose number is returned. */
void protocol_facts(const struct options *options, const struct question *question, struct facts *facts);
size_t protocol_arguments(const struct options *options, const struct question *question, struct text arguments[WORDS]);

/* Decides a question that can be read. */
void protocol_decide(const struct options *options, const struct category *category, const struct question *question,
    enum confirmation sni_confirmed, struct verdict *verdict);

/* The name and the address that VERDICT_UNDECIDED is about. */
void protocol_claim(const struct options *options, const struct question *question, char name[NAME_SIZE],
    struct address *dst);

/* Writes the reply, line end included; verdict may be NULL for a question that can't be read. Returns its length. */
size_t protocol_reply(const struct options *options, const struct question *question, const struct verdict *verdict,
    char out[REPLY_SIZE]);

/* ---- resolver.c ---- */

/* Asks DNS whether an address is one of a name's; answers are cached for their time to live. */
struct resolver;
typedef void resolver_answered(void *context, void *ticket, enum confirmation confirmation);

/* Returns NULL, with why, if server can't be used or memory has run out. */
struct resolver *resolver_open(const char *server, unsigned timeout_ms, resolver_answered *answered, void *context,
    char why[256]) MUST_CHECK;

/* The answer, if it is known; else CONFIRM_UNASKED, and answered is called once with the ticket, now or later. Without a
 * ticket (NULL) nobody waits, and nothing is asked. CONFIRM_REFUSED: too many look-ups are under way, or DNS is silent and too
 * many wait; then it is looked up all the same, and answered is called so for the oldest of those who wait, too. answered may
 * be called for others meanwhile. */
enum confirmation resolver_ask(struct resolver *resolver, const char *name, const struct address *dst, void *ticket);

/* What to wait for: fills fds (RESOLVER_FDS at most) and returns how many; -1 in *timeout_ms: for ever. */
enum { RESOLVER_FDS = 16 };
size_t resolver_wait(struct resolver *resolver, struct pollfd *fds, int *timeout_ms);
void resolver_work(struct resolver *resolver, const struct pollfd *fds, size_t count);
void resolver_close(struct resolver *resolver); /* calls answered for all that still wait */

/* ---- waiting.c: questions that wait for DNS, and answers that wait for their turn ---- */

/* A question kept while DNS is asked, or the answer of a later one that must not overtake it. */
struct waiter {
	struct waiter *next, *previous; /* in order, of those without a channel */
	bool in_order, answered;
	struct question question;
	size_t reply_length;
	char *reply;
	char line[];
};

struct waiting {
	struct waiter *first, *last;
	size_t count; /* of all, in order or not */
};

enum { WAITING_MOST = 20000 };

/* Keeps a question, and a copy of its line. Returns NULL if memory has run out, or too many wait. */
struct waiter *waiting_question(struct waiting *waiting, const struct question *question);

/* Keeps an answer behind the questions that came before it. */
bool waiting_reply(struct waiting *waiting, const char *reply, size_t length) MUST_CHECK;

/* Notes the answer of a waiter; false if memory has run out. */
bool waiting_answered(struct waiter *waiter, const char *reply, size_t length) MUST_CHECK;

/* The next answer whose turn has come, or NULL; free it with waiting_free. */
struct waiter *waiting_next(struct waiting *waiting);
void waiting_free(struct waiting *waiting, struct waiter *waiter);

/* ---- replies.c: texts of replies, kept for the next question that the same entry decides ---- */

struct replies;
struct replies *replies_new(void) MUST_CHECK; /* NULL: memory has run out */
void replies_free(struct replies *replies);

/* Writes the very same as protocol_reply; replies may be NULL. The options have to be the same each time. */
size_t replies_reply(struct replies *replies, const struct options *options, const struct question *question,
    const struct verdict *verdict, char out[REPLY_SIZE]);

/* ---- stream.c ---- */

/* Answers lines from in on out until the end of input. Returns 0, or an errno if in or out have failed. Without DNS
 * (no resolver can be had) names that need it are answered as not confirmed. */
int stream_serve(const struct options *options, struct live *live, int in, int out);

/* ---- ext_meeting_acl.c ---- */

/* One line to stderr, which is Squid's cache.log, at most ten in ten seconds. */
void complain(const char *complaint);

#endif
