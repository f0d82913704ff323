/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: one read takes as many lines as came, one write answers all of them; if they are many, the first EARLY of answers
 * have a write of their own, so that whoever asks works on them meanwhile, and neither waits for the other.
 *
 * Squid's channel is a loopback socket without delay, where a write a line would cost more than all else. Reading goes on
 * while a reader is slow, until BACKLOG of answers wait; so a peer that writes much before it reads doesn't lock up. */
#include <config.h>

#include "helper/helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 4 * LINE_SIZE, EARLY = 32768, BACKLOG = 64 * 1024 * 1024, PIPE_CHUNK = 4096 };

struct stream {
	struct options options; /* with today's date */
	struct live *live;
	const struct category *category; /* taken from live for one turn of the loop */
	struct resolver *resolver;       /* NULL: there is none */
	struct waiting waiting;
	struct replies *replies;         /* NULL: none are kept */
	int in, out;
	bool ended;           /* the end of input */
	char *input;          /* READ_SIZE; what has come and isn't answered yet */
	size_t input_length;
	bool overlong;        /* the line in input is too long: only its beginning is kept, until its end comes */
	char *output;
	size_t output_start, output_length, output_room; /* what isn't written yet */
	bool out_of_memory;
};

/* ---- Answers ---- */

/* Writes what can be written now. Returns 0 or an errno. */
static int write_some(struct stream *stream)
{
	while (stream->output_length > 0) {
		const char *from = stream->output + stream->output_start;
		ssize_t wrote = send(stream->out, from, stream->output_length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (wrote < 0 && errno == ENOTSOCK) {
			struct pollfd ready = {stream->out, POLLOUT, 0};

			/* A pipe that is ready takes PIPE_CHUNK without blocking. */
			if (poll(&ready, 1, 0) == 0) {
				return 0;
			}
			wrote = write(stream->out, from, stream->output_length < PIPE_CHUNK ? stream->output_length : PIPE_CHUNK);
		}
		if (wrote < 0) {
			if (errno == EINTR) {
				continue;
			}
			return errno == EAGAIN ? 0 : errno;
		}
		stream->output_start += (size_t)wrote;
		stream->output_length -= (size_t)wrote;
	}
	stream->output_start = 0;
	return 0;
}

/* Room for one more reply. */
static inline char *reply_room(struct stream *stream)
{
	size_t end = stream->output_start + stream->output_length;

	if (end + REPLY_SIZE > stream->output_room && stream->output_start > 0) {
		memmove(stream->output, stream->output + stream->output_start, stream->output_length);
		stream->output_start = 0;
		end = stream->output_length;
	}
	if (end + REPLY_SIZE > stream->output_room) {
		size_t room = stream->output_room * 2 + 2 * READ_SIZE;
		char *output = realloc(stream->output, room);

		if (output == NULL) {
			stream->out_of_memory = true;
			return NULL;
		}
		stream->output = output;
		stream->output_room = room;
	}
	return stream->output + end;
}

/* The line that text begins with. */
static void log_line(char direction, const char *text, size_t length)
{
	size_t shown = length > 1000 ? 1000 : length;
	const char *end = memchr(text, '\n', shown);

	fprintf(stderr, "ext_meeting_acl: %c %.*s\n", direction, end == NULL ? (int)shown : (int)(end - text), text);
}

/* Takes the answers in whose turn has come. */
static void flush_in_order(struct stream *stream)
{
	struct waiter *waiter;

	while ((waiter = waiting_next(&stream->waiting)) != NULL) {
		char *to = reply_room(stream);

		if (to == NULL) {
			return;
		}
		memcpy(to, waiter->reply, waiter->reply_length);
		stream->output_length += waiter->reply_length;
		waiting_free(&stream->waiting, waiter);
	}
}

/* Sends a reply that was written into reply_room; one without a channel waits for those before it. */
static inline void send_reply(struct stream *stream, const char *reply, size_t length, bool in_order)
{
	if (stream->options.debug) {
		log_line('>', reply, length);
	}
	if (in_order && stream->waiting.first != NULL) {
		stream->out_of_memory = stream->out_of_memory || !waiting_reply(&stream->waiting, reply, length);
		return;
	}
	stream->output_length += length;
}

/* What DNS has said of a waiting question; resolver_answered. */
static void dns_answered(void *context, void *ticket, enum confirmation confirmation)
{
	struct stream *stream = context;
	struct waiter *waiter = ticket;
	struct verdict verdict;
	char *reply = reply_room(stream);

	if (reply == NULL) {
		waiting_free(&stream->waiting, waiter);
		return;
	}
	protocol_decide(&stream->options, stream->category, &waiter->question, confirmation, &verdict);
	size_t length = protocol_reply(&stream->options, &waiter->question, &verdict, reply);
	if (stream->options.debug) {
		log_line('>', reply, length);
	}
	if (!waiter->in_order) {
		stream->output_length += length;
		waiting_free(&stream->waiting, waiter);
		return;
	}
	stream->out_of_memory = stream->out_of_memory || !waiting_answered(waiter, reply, length);
	flush_in_order(stream);
}

/* Lets DNS decide. Returns false if the question now waits. */
static bool ask_dns(struct stream *stream, const struct question *question, enum confirmation *confirmation)
{
	struct address dst;
	char name[NAME_SIZE];

	*confirmation = CONFIRM_FAILED;
	if (stream->resolver == NULL) {
		return true;
	}
	protocol_claim(&stream->options, question, name, &dst);
	*confirmation = resolver_ask(stream->resolver, name, &dst, NULL);
	if (*confirmation != CONFIRM_UNASKED) {
		return true;
	}
	struct waiter *waiter = waiting_question(&stream->waiting, question);
	if (waiter == NULL) {
		*confirmation = CONFIRM_REFUSED;
		return true;
	}
	*confirmation = resolver_ask(stream->resolver, name, &dst, waiter);
	if (*confirmation == CONFIRM_UNASKED) {
		return false;
	}
	waiting_free(&stream->waiting, waiter);
	return true;
}

/* Answers the next line, whose memory is overwritten. */
static void answer(struct stream *stream, struct lines *lines)
{
	struct question question;
	struct verdict verdict;
	enum confirmation confirmation;
	const char *complaint = NULL;

	if (stream->options.debug) {
		log_line('<', lines->text + lines->next, lines->length - lines->next);
	}
	protocol_read(&stream->options, lines, &question);
	if (stream->overlong || question.length > LINE_SIZE) {
		stream->overlong = false;
		question.wrong = "a line of more than 65536 bytes";
	}
	if (question.wrong != NULL) {
		complaint = question.wrong;
	} else {
		protocol_decide(&stream->options, stream->category, &question, CONFIRM_UNASKED, &verdict);
		if (verdict.kind == VERDICT_UNDECIDED) {
			if (!ask_dns(stream, &question, &confirmation)) {
				return;
			}
			protocol_decide(&stream->options, stream->category, &question, confirmation, &verdict);
		}
		complaint = verdict.kind == VERDICT_UNREADABLE ? verdict.message : NULL;
	}
	char *reply = reply_room(stream);
	if (reply != NULL) {
		send_reply(stream, reply, replies_reply(stream->replies, &stream->options, &question, &verdict, reply),
		    question.first == 0);
	}
	if (complaint != NULL) {
		complain(complaint);
	}
}

/* Answers all whole lines of the input, and keeps what is left. searched: so much of it has no line end. */
static void answer_lines(struct stream *stream, size_t searched)
{
	const char *last = memrchr(stream->input + searched, '\n', stream->input_length - searched);
	struct lines lines;
	bool early = false;

	if (last != NULL) {
		protocol_begin(&lines, stream->input, (size_t)(last + 1 - stream->input));
		while (lines.next < lines.length && !stream->out_of_memory) {
			answer(stream, &lines);
			if (!early && stream->output_length >= EARLY) {
				early = true;
				(void)write_some(stream); /* what fails here fails in the end, too */
			}
		}
		stream->input_length -= lines.length;
		memmove(stream->input, stream->input + lines.length, stream->input_length);
	}
	if (stream->input_length > 2 * LINE_SIZE) {
		/* Enough is known to refuse it. */
		stream->overlong = true;
		stream->input_length = LINE_SIZE;
	}
}

/* A cut question isn't the one that was meant, so it is refused; but it is answered. */
static void refuse_rest(struct stream *stream)
{
	struct question question;
	struct lines lines;
	char *reply = reply_room(stream);

	if (reply != NULL) {
		protocol_begin(&lines, stream->input, stream->input_length);
		protocol_read(&stream->options, &lines, &question);
		question.wrong = "the end of input in the middle of a line";
		send_reply(stream, reply, protocol_reply(&stream->options, &question, NULL, reply), question.first == 0);
		complain(question.wrong);
	}
	stream->input_length = 0;
}

/* ---- Reading, waiting ---- */

static bool may_read(const struct stream *stream)
{
	return !stream->ended && stream->output_length < BACKLOG && stream->waiting.count < WAITING_MOST;
}

/* Waits until there is something to do, and lets DNS work. Returns 0 or an errno. */
static int wait_ready(struct stream *stream, bool block, bool *readable, struct pollfd *dns, size_t *dns_count)
{
	struct pollfd ready[2 + RESOLVER_FDS];
	int timeout = -1;

	*dns_count = 0;
	if (stream->waiting.count == 0 && stream->output_length == 0 && !block) {
		*readable = true; /* nothing else to wait for: the read may block */
		return 0;
	}
	ready[0] = (struct pollfd){may_read(stream) ? stream->in : -1, POLLIN, 0};
	ready[1] = (struct pollfd){stream->output_length > 0 ? stream->out : -1, POLLOUT, 0};
	if (stream->resolver != NULL) {
		*dns_count = resolver_wait(stream->resolver, ready + 2, &timeout);
	}
	if (poll(ready, 2 + *dns_count, timeout) < 0) {
		*readable = false;
		*dns_count = 0;
		return errno == EINTR ? 0 : errno;
	}
	*readable = ready[0].revents != 0;
	memcpy(dns, ready + 2, *dns_count * sizeof *dns);
	return 0;
}

/* Reads what has come. Returns 0 or an errno; *block tells that somebody has made the input non-blocking. */
static int read_some(struct stream *stream, bool *block)
{
	ssize_t got = read(stream->in, stream->input + stream->input_length, READ_SIZE - stream->input_length);

	*block = false;
	if (got > 0) {
		stream->input_length += (size_t)got;
	} else if (got == 0) {
		stream->ended = true;
	} else if (errno == EAGAIN) {
		*block = true;
	} else if (errno != EINTR) {
		return errno;
	}
	return 0;
}

static int serve(struct stream *stream)
{
	bool block = false;

	while (!stream->ended || stream->waiting.count > 0 || stream->output_length > 0) {
		struct pollfd dns[RESOLVER_FDS];
		size_t dns_count, before = stream->input_length;
		bool readable;
		int error = wait_ready(stream, block, &readable, dns, &dns_count);

		if (error == 0 && readable) {
			error = read_some(stream, &block);
		}
		stream->category = live_take(stream->live);
		stream->options.policy.today = date_today();
		answer_lines(stream, before);
		if (stream->ended && stream->input_length > 0) {
			refuse_rest(stream);
		}
		if (stream->resolver != NULL && stream->waiting.count > 0) {
			resolver_work(stream->resolver, dns, dns_count);
		}
		live_release(stream->live, stream->category);
		if (error == 0) {
			error = stream->out_of_memory ? ENOMEM : write_some(stream);
		}
		if (error != 0) {
			return error;
		}
	}
	return 0;
}

int stream_serve(const struct options *options, struct live *live, int in, int out)
{
	struct stream stream = {.options = *options, .live = live, .in = in, .out = out};
	int error = ENOMEM;
	char why[256];

	if (options->policy.names == NAMES_VERIFY && options->policy.mode == MODE_INTERCEPT) {
		stream.resolver = resolver_open(options->resolver, options->dns_timeout_ms, dns_answered, &stream, why);
		if (stream.resolver == NULL) {
			fprintf(stderr, "ext_meeting_acl: no name can be confirmed by DNS: %s\n", why);
		}
	}
	stream.input = malloc(READ_SIZE);
	stream.replies = replies_new();
	if (stream.input != NULL) {
		error = serve(&stream);
	}
	stream.category = live_take(live);
	resolver_close(stream.resolver);
	live_release(live, stream.category);
	replies_free(stream.replies);
	free(stream.input);
	free(stream.output);
	return error;
}
