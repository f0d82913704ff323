/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a line of the shape that the journal's own lines have, in one pass and without a copy.
 *
 * That is an object of known keys, each once, with no blank between anything; texts without a backslash, ports of digits,
 * true and false. Such a line is JSON, and means here what jansson says of it. All else is left to jansson, be it good or
 * bad. Weak where many texts need escapes: each such line is read the slow way. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <stddef.h>
#include <string.h>

enum kind { TEXT, PORT, FLAG };

struct key {
	const char *name; /* with its quotes and colon */
	size_t length;
	enum kind kind;
	size_t field;
};

#define KEY(name, kind, field) { "\"" name "\":", sizeof("\"" name "\":") - 1, kind, offsetof(struct line_fields, field) }
#define RECORD(name, kind) KEY(#name, kind, record.name)

/* In the order of record_format, since a line's next key is mostly the next one here. */
static const struct key keys[] = { KEY("time", TEXT, time), RECORD(proxy, TEXT), RECORD(conn, TEXT), RECORD(client, TEXT),
	RECORD(user, TEXT), RECORD(method, TEXT), RECORD(host, TEXT), RECORD(port, PORT), RECORD(dst, TEXT), RECORD(sni, TEXT),
	KEY("verdict", TEXT, verdict), RECORD(service, TEXT), RECORD(rule, TEXT), RECORD(evidence, TEXT), RECORD(source, TEXT),
	RECORD(stale, FLAG), RECORD(disagrees, FLAG), KEY("decided_by", TEXT, decided_by), RECORD(would, TEXT),
	RECORD(reason, TEXT), KEY("squid", TEXT, squid) };

enum { KEYS = sizeof keys / sizeof keys[0] };

struct reader {
	const char *at, *end;
};

static bool starts_with(const struct reader *reader, const char *word, size_t length)
{
	return (size_t)(reader->end - reader->at) >= length && memcmp(reader->at, word, length) == 0;
}

static bool take_word(struct reader *reader, const char *word, size_t length)
{
	if (!starts_with(reader, word, length))
		return false;
	reader->at += length;
	return true;
}

static bool take_text(struct reader *reader, struct text *text)
{
	const char *at = reader->at + 1, *end = reader->end;

	if (!take_word(reader, "\"", 1))
		return false;
	for (;;) {
		size_t length;

		while (end - at >= 8 && !eight_are_special(at))
			at += 8;
		if (at == end || *at == '\\' || (unsigned char)*at < 0x20)
			return false;
		if (*at == '"')
			break;
		length = utf8_length(at, (size_t)(end - at));
		if (length == 0)
			return false;
		at += length;
	}
	*text = (struct text){ .at = at > reader->at ? reader->at : NULL, .length = (size_t)(at - reader->at) };
	reader->at = at + 1;
	return true;
}

static bool take_port(struct reader *reader, uint16_t *port)
{
	const char *start = reader->at;
	unsigned number = 0;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && number <= UINT16_MAX)
		number = number * 10 + (unsigned)(*reader->at++ - '0');
	*port = (uint16_t)number;
	return reader->at > start && number <= UINT16_MAX && (*start != '0' || reader->at == start + 1);
}

static bool take_flag(struct reader *reader, bool *flag)
{
	*flag = take_word(reader, "true", 4);
	return *flag || take_word(reader, "false", 5);
}

static bool take_value(struct reader *reader, const struct key *key, struct line_fields *fields)
{
	void *field = (char *)fields + key->field;

	if (key->kind == TEXT)
		return take_text(reader, field);
	return key->kind == PORT ? take_port(reader, field) : take_flag(reader, field);
}

/* The next key: `guess` or another one; KEYS for none. */
static size_t take_key(struct reader *reader, size_t guess)
{
	for (size_t i = 0; i < KEYS; i++) {
		size_t at = guess + i < KEYS ? guess + i : guess + i - KEYS;

		if (take_word(reader, keys[at].name, keys[at].length))
			return at;
	}
	return KEYS;
}

bool line_read(const char *text, size_t length, struct line_fields *fields)
{
	struct reader reader = { .at = text, .end = text + length };
	uint32_t seen = 0;
	size_t key = 0;

	memset(fields, 0, sizeof *fields);
	if (!take_word(&reader, "{", 1))
		return false;
	do {
		key = take_key(&reader, key);
		if (key == KEYS || (seen & UINT32_C(1) << key) != 0 || !take_value(&reader, &keys[key], fields))
			return false;
		seen |= UINT32_C(1) << key++;
	} while (take_word(&reader, ",", 1));
	return take_word(&reader, "}", 1) && reader.at == reader.end;
}
