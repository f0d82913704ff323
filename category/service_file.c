/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Service files and `clients`: lines of directives, read strictly; all errors of a file are told at once. */
#include <config.h>

#include "category/internal.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_LENGTH = 4096 };

struct reader {
	struct builder *builder;
	uint16_t file;
	int service, block; /* -1: none yet; -2: its line is missing or wrong */
	bool expires;       /* the block has a line of that name */
	char *title;        /* the service gets it if the file is good */
	struct ports ports; /* the default for the entries below */
	uint32_t number;    /* of the line, from 1 */
	const char *start, *at, *end; /* the line, what is still to be read of it, and where it ends */
	bool bad;
};

/* Notes an error at a place in the present line. Always false. */
static bool wrong(struct reader *reader, const char *at, const char *reason)
{
	reader->bad = true;
	if (!problem_add(reader->builder->problems, reader->builder->file[reader->file].path, reader->number,
	        (uint32_t)(at - reader->start) + 1, reason)) {
		reader->builder->out_of_memory = true;
	}
	return false;
}

static bool wrong_word(struct reader *reader, struct text word, const struct refusal *why)
{
	return wrong(reader, word.at + why->offset, why->reason);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of the line; its length is 0 at the end. */
static struct text next_word(struct reader *reader)
{
	struct text word;

	while (reader->at < reader->end && is_blank(*reader->at)) {
		reader->at++;
	}
	word.at = reader->at;
	while (reader->at < reader->end && !is_blank(*reader->at)) {
		reader->at++;
	}
	word.length = (size_t)(reader->at - word.at);
	return word;
}

/* All that is left of the line, without blanks at its ends. */
static struct text rest_of_line(struct reader *reader)
{
	struct text first = next_word(reader), rest = first;

	rest.length = (size_t)(reader->end - first.at);
	while (rest.length > 0 && is_blank(rest.at[rest.length - 1])) {
		rest.length--;
	}
	reader->at = reader->end;
	return rest;
}

static bool no_more_words(struct reader *reader)
{
	struct text word = next_word(reader);

	return word.length == 0 || wrong(reader, word.at, "more words than the directive takes");
}

/* The last word of rest, if it is one of several. */
static struct text last_word(struct text rest)
{
	struct text word = {rest.at + rest.length, 0};

	while (word.at > rest.at && !is_blank(word.at[-1])) {
		word.at--;
		word.length++;
	}
	return word;
}

static bool numbers_run_out(struct reader *reader)
{
	return !reader->builder->out_of_memory && wrong(reader, reader->start, "more than 65,535 blocks or sets in all files");
}

static bool open_block(struct reader *reader, struct text source)
{
	uint16_t service = reader->service < 0 ? 0 : (uint16_t)reader->service; /* without one, all will be taken back */

	reader->block = builder_block(reader->builder, service, reader->file, source);
	reader->expires = false;
	return reader->block >= 0 || numbers_run_out(reader);
}

/* The block that the line belongs to; entries in front of any `source` get one without. */
static struct block *present_block(struct reader *reader)
{
	if (reader->block < 0 && !open_block(reader, text_of(""))) {
		return NULL;
	}
	return &reader->builder->block[reader->block];
}

static void copy_date(char out[11], struct text date)
{
	memcpy(out, date.at, 10);
	out[10] = '\0';
}

/* "tcp 80,443 udp 3478", or "any", from word on. Leaves the first word that is neither in word. */
static bool read_ports(struct reader *reader, struct text *word, struct ports *ports, bool *found)
{
	*found = false;
	if (text_is(*word, "any")) {
		*found = true;
		ports->any = true;
		*word = next_word(reader);
		return true;
	}
	while (text_is(*word, "tcp") || text_is(*word, "udp")) {
		enum transport transport = text_is(*word, "tcp") ? TCP : UDP;
		struct text list = next_word(reader);
		struct refusal why;

		*found = true;
		if (!ports_add_list(ports, transport, list, &why)) {
			return wrong_word(reader, list, &why);
		}
		*word = next_word(reader);
	}
	return true;
}

/* What may stand behind an entry: ports, and the words `wide`, `private` and `pin`; that is for `meetingctl update`. */
static bool read_tail(struct reader *reader, int *ports, bool *wide, bool *private)
{
	struct ports own = {false, {0, 0}, {{{0, 0}}}};
	struct text word = next_word(reader);
	bool found, pin = false;

	*wide = *private = false;
	if (!read_ports(reader, &word, &own, &found)) {
		return false;
	}
	for (; word.length > 0; word = next_word(reader)) {
		if (text_is(word, "wide") && !*wide) {
			*wide = true;
		} else if (text_is(word, "private") && !*private) {
			*private = true;
		} else if (text_is(word, "pin") && !pin) {
			pin = true;
		} else {
			return wrong(reader, word.at, "behind an entry: `tcp PORTS`, `udp PORTS`, `any`, `wide`, `private` or `pin`");
		}
	}
	*ports = builder_ports(reader->builder, found ? &own : &reader->ports);
	return *ports >= 0 || numbers_run_out(reader);
}

static bool read_grant(struct reader *reader, struct grant *grant, bool *wide, bool *private)
{
	int ports;

	if (!read_tail(reader, &ports, wide, private) || present_block(reader) == NULL) {
		return false;
	}
	grant->line = reader->number;
	grant->block = (uint16_t)reader->block;
	grant->ports = (uint16_t)ports;
	return true;
}

static bool read_service(struct reader *reader)
{
	struct text word = next_word(reader);
	char name[SERVICE_NAME_SIZE];
	struct refusal why;

	if (reader->service >= 0) {
		return wrong(reader, reader->start, "a file is about one service");
	}
	if (!service_name_parse(word, name, &why)) {
		reader->service = -2;
		return wrong_word(reader, word, &why);
	}
	reader->service = builder_service(reader->builder, name, reader->file);
	return reader->service >= 0 ? no_more_words(reader) : numbers_run_out(reader);
}

static bool read_title(struct reader *reader)
{
	struct text title = rest_of_line(reader);

	if (title.length == 0) {
		return wrong(reader, title.at, "a title is missing");
	}
	if (reader->title == NULL) {
		reader->title = strndup(title.at, title.length);
		reader->builder->out_of_memory = reader->builder->out_of_memory || reader->title == NULL;
	}
	return true;
}

static bool read_source(struct reader *reader)
{
	struct text source = rest_of_line(reader), date = last_word(source);
	int32_t day;

	if (source.length == 0) {
		return wrong(reader, source.at, "where the entries below are from is missing");
	}
	bool dated = date.length == 10 && date.at[4] == '-' && date.at[7] == '-';
	if (dated && !date_parse(date, &day)) {
		return wrong(reader, date.at, "no such day");
	}
	if (dated) {
		source.length -= date.length;
		while (source.length > 0 && is_blank(source.at[source.length - 1])) {
			source.length--;
		}
		if (source.length == 0) {
			return wrong(reader, date.at, "a date, but no source");
		}
	}
	if (source.length >= SOURCE_SIZE) {
		return wrong(reader, source.at, "too long for a source");
	}
	if (!open_block(reader, source)) {
		return false;
	}
	if (dated) {
		copy_date(reader->builder->block[reader->block].date, date);
	}
	return true;
}

static bool read_expires(struct reader *reader)
{
	struct block *block = present_block(reader);
	struct text date = next_word(reader);

	if (block == NULL) {
		return false;
	}
	if (reader->expires) {
		return wrong(reader, reader->start, "a block expires once");
	}
	if (!date_parse(date, &block->expiry)) {
		return wrong(reader, date.at, "a day is written 2027-04-01");
	}
	reader->expires = true;
	copy_date(block->expires, date);
	return no_more_words(reader);
}

static bool read_ports_line(struct reader *reader)
{
	struct ports ports = {false, {0, 0}, {{{0, 0}}}};
	struct text word = next_word(reader);
	bool found;

	if (!read_ports(reader, &word, &ports, &found)) {
		return false;
	}
	if (!found || word.length > 0) {
		return wrong(reader, word.at, "ports are written `tcp 80,443 udp 3478`, or `any`");
	}
	reader->ports = ports;
	return true;
}

static bool read_address(struct reader *reader)
{
	struct text word = next_word(reader);
	struct prefix prefix;
	struct refusal why;
	struct grant grant;
	bool wide, private;

	if (!prefix_parse(word, &prefix, &why)) {
		return wrong_word(reader, word, &why);
	}
	if (!read_grant(reader, &grant, &wide, &private)) {
		return false;
	}
	if (!prefix_allowed(&prefix, wide, private, &why)) {
		return wrong_word(reader, word, &why);
	}
	return builder_prefix(reader->builder, reader->builder->address, &prefix, &grant);
}

static bool read_name(struct reader *reader)
{
	struct text word = next_word(reader), name_text = word;
	char name[NAME_SIZE];
	struct refusal why;
	struct grant grant;
	bool wide, private, below = word.length > 0 && word.at[0] == '.';

	if (below) {
		name_text.at++;
		name_text.length--;
	}
	if (name_text.length > 0 && name_text.at[name_text.length - 1] == '.') {
		return wrong(reader, name_text.at + name_text.length - 1, "write the name without the dot at its end");
	}
	if (!name_parse(name_text, name, &why)) {
		return wrong_word(reader, name_text, &why);
	}
	if (!read_grant(reader, &grant, &wide, &private)) {
		return false;
	}
	if (private) {
		return wrong(reader, word.at, "`private` is for addresses");
	}
	if (below && strchr(name, '.') == NULL && !wide) {
		return wrong(reader, word.at, "a whole top-level domain: if it is really meant, end the line in `wide`");
	}
	return builder_name(reader->builder, name, below, &grant);
}

static bool read_feed(struct reader *reader)
{
	struct text rest = rest_of_line(reader);
	struct feed_line line;
	struct refusal why;

	return feed_line_parse(rest, &line, &why) || wrong_word(reader, rest, &why);
}

static bool read_client_in_service(struct reader *reader)
{
	return wrong(reader, reader->start, "clients are listed in the file `clients`");
}

static bool read_client(struct reader *reader)
{
	struct text word = next_word(reader), name;
	struct client_set set = {0, NULL, NULL};
	struct prefix prefix;
	struct refusal why;
	size_t room = 0;
	bool wide = false;

	if (!prefix_parse(word, &prefix, &why)) {
		return wrong_word(reader, word, &why);
	}
	for (name = next_word(reader); name.length > 0; name = next_word(reader)) {
		if (text_is(name, "wide") && !wide) {
			wide = true;
			continue;
		}
		char copy[SERVICE_NAME_SIZE] = "";
		if (!service_name_parse(name, copy, &why)) {
			free(set.service);
			return wrong_word(reader, name, &why);
		}
		if (set.count == UINT16_MAX || !grow(&set.service, &room, set.count, sizeof *set.service)) {
			free(set.service);
			reader->builder->out_of_memory = true;
			return false;
		}
		memcpy(set.service[set.count++], copy, sizeof copy);
	}
	if (!prefix_allowed(&prefix, wide, true, &why)) {
		free(set.service);
		return wrong_word(reader, word, &why);
	}
	int index = builder_client_set(reader->builder, &set);
	if (index < 0) {
		return numbers_run_out(reader);
	}
	struct grant grant = {reader->number, (uint16_t)reader->block, (uint16_t)index};
	return builder_prefix(reader->builder, reader->builder->client, &prefix, &grant);
}

struct directive {
	const char *name;
	bool (*read)(struct reader *reader); /* false: an error was noted, or memory has run out */
};

static const struct directive service_directives[] = {
	{"service", read_service}, {"title", read_title}, {"source", read_source}, {"expires", read_expires},
	{"ports", read_ports_line}, {"address", read_address}, {"name", read_name}, {"feed", read_feed},
	{"client", read_client_in_service}, {NULL, NULL}};

static const struct directive client_directives[] = {{"client", read_client}, {NULL, NULL}};

/* Checks the characters of the line, and cuts its comment off. */
static bool check_line(struct reader *reader)
{
	if (reader->end - reader->start > LINE_LENGTH) {
		return wrong(reader, reader->start + LINE_LENGTH, "a line has at most 4,096 bytes");
	}
	for (const char *at = reader->start; at < reader->end;) {
		size_t length = utf8_length(at, (size_t)(reader->end - at));

		if (length == 0) {
			return wrong(reader, at, "not UTF-8");
		}
		if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f) {
			return wrong(reader, at, "a control character");
		}
		at += length;
	}
	for (const char *at = reader->start; at < reader->end; at++) {
		if (*at == '#' && (at == reader->start || is_blank(at[-1]))) {
			reader->end = at;
		}
	}
	return true;
}

static void read_line(struct reader *reader, const struct directive *directives)
{
	struct text word;

	if (!check_line(reader)) {
		return;
	}
	reader->at = reader->start;
	word = next_word(reader);
	if (word.length == 0) {
		return;
	}
	if (directives == service_directives && reader->service == -1 && !text_is(word, "service")) {
		reader->service = -2;
		wrong(reader, word.at, "the first line of a service file is `service NAME`");
	}
	for (const struct directive *directive = directives; directive->name != NULL; directive++) {
		if (text_is(word, directive->name)) {
			(void)directive->read(reader); /* whether it went well stands in reader and builder */
			return;
		}
	}
	wrong(reader, word.at, directives == client_directives
	        ? "the lines of this file are `client PREFIX [SERVICE...]`"
	        : "unknown directive: service, title, source, expires, ports, address, name or feed");
}

static bool parse(struct reader *reader, const struct directive *directives, const char *content, size_t length)
{
	const char *end = content + length;

	if (length >= 3 && memcmp(content, "\xef\xbb\xbf", 3) == 0) {
		content += 3; /* a byte order mark, as some editors put in front */
	}
	while (content < end && !reader->builder->out_of_memory) {
		const char *newline = memchr(content, '\n', (size_t)(end - content));

		reader->number++;
		reader->start = content;
		reader->end = newline == NULL ? end : newline;
		content = newline == NULL ? end : newline + 1;
		if (reader->end > reader->start && reader->end[-1] == '\r') {
			reader->end--;
		}
		read_line(reader, directives);
	}
	return !reader->bad && !reader->builder->out_of_memory;
}

/* An empty file is named after the service that it switches off. */
static bool switch_off(struct reader *reader)
{
	const char *base = reader->builder->file[reader->file].base;
	struct text stem = {base, strlen(base) - strlen(".service")};
	char name[SERVICE_NAME_SIZE];
	struct refusal why;

	reader->number = 0;
	reader->start = base;
	if (!service_name_parse(stem, name, &why)) {
		return wrong(reader, base, "an empty file switches off the service that it is named after, but this names none");
	}
	return builder_service(reader->builder, name, reader->file) >= 0;
}

bool service_file_parse(struct builder *builder, uint16_t file, const char *content, size_t length)
{
	struct reader reader = {.builder = builder, .file = file, .service = -1, .block = -1, .ports = {.any = true}};

	if (!parse(&reader, service_directives, content, length)) {
		free(reader.title);
		return false;
	}
	if (reader.service < 0) {
		return switch_off(&reader);
	}
	struct service *service = &builder->service[reader.service];
	service->state = SERVICE_ON;
	if (service->title == NULL) {
		service->title = reader.title;
	} else {
		free(reader.title);
	}
	return true;
}

bool clients_file_parse(struct builder *builder, uint16_t file, const char *content, size_t length)
{
	struct reader reader = {.builder = builder, .file = file, .service = 0, .block = -1};

	if (!open_block(&reader, text_of(""))) {
		return false;
	}
	builder->block[reader.block].service = UINT16_MAX;
	return parse(&reader, client_directives, content, length);
}
