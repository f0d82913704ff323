/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: one read takes as many lines as came, one write answers all of them.
 *
 * Squid's channel is a loopback socket without delay, where a write a line would cost more than all else. Reading goes on
 * while a reader is slow, until BACKLOG of answers wait; so a peer that writes much before it reads doesn't lock up. */
#include <config.h>

#include "helper/helper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 4 * LINE_SIZE, BACKLOG = 64 * 1024 * 1024, PIPE_CHUNK = 4096 };

struct stream {
	struct options options; /* with today's date */
	const struct category *category;
	int in, out;
	char *input;          /* READ_SIZE; what has come and isn't answered yet */
	size_t input_length;
	bool overlong;        /* the line in input is too long: only its beginning is kept, until its end comes */
	char *output;
	size_t output_start, output_length, output_room; /* what isn't written yet */
	bool out_of_memory;
};

/* Room for one more reply. */
static char *reply_room(struct stream *stream)
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

static void log_debug(const struct stream *stream, const char *line, size_t length, const char *reply, size_t reply_length)
{
	if (stream->options.debug) {
		fprintf(stderr, "ext_meeting_acl: %.*s -> %.*s", length > 1000 ? 1000 : (int)length, line, (int)reply_length, reply);
	}
}

/* Answers one whole line; the line's memory may be overwritten. */
static void answer(struct stream *stream, char *line, size_t length)
{
	char complaint[256] = "", copy[1000];
	char *reply = reply_room(stream);
	size_t reply_length, copied = stream->options.debug ? (length < sizeof copy ? length : sizeof copy) : 0;

	if (reply == NULL) {
		return;
	}
	memcpy(copy, line, copied); /* unescaping changes the line */
	if (stream->overlong || length > LINE_SIZE) {
		(void)snprintf(complaint, sizeof complaint, "a line of more than %d bytes", LINE_SIZE);
		reply_length = protocol_refuse(&stream->options, line, length < LINE_SIZE ? length : LINE_SIZE, complaint, reply);
	} else {
		reply_length = protocol_answer(&stream->options, stream->category, line, length, reply, complaint);
	}
	stream->overlong = false;
	stream->output_length += reply_length;
	log_debug(stream, copy, copied, reply, reply_length);
	if (complaint[0] != '\0') {
		complain(complaint);
	}
}

/* Answers all whole lines of the input, and keeps what is left. */
static void answer_lines(struct stream *stream, size_t searched)
{
	char *line = stream->input, *end = stream->input + stream->input_length, *from = stream->input + searched;

	for (char *newline; !stream->out_of_memory && (newline = memchr(from, '\n', (size_t)(end - from))) != NULL;) {
		answer(stream, line, (size_t)(newline - line));
		line = from = newline + 1;
	}
	stream->input_length = (size_t)(end - line);
	if (stream->input_length > 2 * LINE_SIZE) {
		/* Enough is known to refuse it. */
		stream->overlong = true;
		stream->input_length = LINE_SIZE;
	}
	memmove(stream->input, line, stream->input_length);
}

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

/* Waits until something can be read or, if answers wait, written. Returns 0 or an errno. */
static int wait_ready(struct stream *stream, bool *readable)
{
	struct pollfd ready[2] = {{stream->in, POLLIN, 0}, {stream->out, POLLOUT, 0}};

	if (stream->output_length == 0) {
		*readable = true; /* nothing else to wait for: the read may block */
		return 0;
	}
	ready[0].fd = stream->output_length < BACKLOG ? stream->in : -1;
	if (poll(ready, 2, -1) < 0 && errno != EINTR) {
		return errno;
	}
	*readable = ready[0].revents != 0;
	return 0;
}

/* For an input that somebody else has made non-blocking. */
static int wait_input(struct stream *stream)
{
	struct pollfd ready = {stream->in, POLLIN, 0};

	return poll(&ready, 1, -1) < 0 && errno != EINTR ? errno : 0;
}

static int serve(struct stream *stream)
{
	for (;;) {
		bool readable = false;
		int error = wait_ready(stream, &readable);

		if (error == 0 && readable) {
			size_t before = stream->input_length;
			ssize_t got = read(stream->in, stream->input + before, READ_SIZE - before);

			if (got == 0) {
				break;
			}
			if (got > 0) {
				stream->input_length += (size_t)got;
				stream->options.policy.today = date_today();
				answer_lines(stream, before);
			} else if (errno == EAGAIN) {
				error = wait_input(stream);
			} else if (errno != EINTR) {
				error = errno;
			}
		}
		if (error == 0) {
			error = stream->out_of_memory ? ENOMEM : write_some(stream);
		}
		if (error != 0) {
			return error;
		}
	}
	if (stream->input_length > 0) {
		char complaint[] = "the end of input in the middle of a line";
		char *reply = reply_room(stream);

		/* A cut question isn't the one that was meant, so it is refused; but it is answered. */
		if (reply == NULL) {
			return ENOMEM;
		}
		stream->output_length += protocol_refuse(&stream->options, stream->input, stream->input_length, complaint, reply);
		complain(complaint);
	}
	while (stream->output_length > 0) {
		struct pollfd ready = {stream->out, POLLOUT, 0};
		int error = write_some(stream);

		if (error != 0) {
			return error;
		}
		if (stream->output_length > 0 && poll(&ready, 1, -1) < 0 && errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

int stream_serve(const struct options *options, const struct category *category, int in, int out)
{
	struct stream stream = {.options = *options, .category = category, .in = in, .out = out};
	int error = ENOMEM;

	stream.input = malloc(READ_SIZE);
	if (stream.input != NULL) {
		error = serve(&stream);
	}
	free(stream.input);
	free(stream.output);
	return error;
}
