/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as one line of JSON.
 *
 * The texts come from clients, so nothing about them is believed. Each field has a bound on the bytes it takes in the
 * line, counted after escaping: that bounds the line, whatever the bytes are. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <stdio.h>
#include <string.h>

/* The most bytes of each field's value in the line. */
enum {
	TIME_LIMIT = 32,
	PROXY_LIMIT = 256,
	CONN_LIMIT = 64,
	CLIENT_LIMIT = 64,
	USER_LIMIT = 256,
	METHOD_LIMIT = 32,
	HOST_LIMIT = 256,
	DST_LIMIT = 64,
	SNI_LIMIT = 256,
	SERVICE_LIMIT = 64,
	RULE_LIMIT = 260,
	EVIDENCE_LIMIT = 16,
	SOURCE_LIMIT = 1100,
	WOULD_LIMIT = 64,
	REASON_LIMIT = 64,
	NAME_LIMIT = 8 /* of a verdict and of who decided */
};

/* Every key with its quotes, its colon and its comma, the braces, "port", "stale", "disagrees", and the newline. */
enum { KEYS_SIZE = 21 * 16 + 32 };

_Static_assert(TIME_LIMIT + PROXY_LIMIT + CONN_LIMIT + CLIENT_LIMIT + USER_LIMIT + METHOD_LIMIT + HOST_LIMIT +
    DST_LIMIT + SNI_LIMIT + SERVICE_LIMIT + RULE_LIMIT + EVIDENCE_LIMIT + SOURCE_LIMIT + WOULD_LIMIT + REASON_LIMIT +
    2 * NAME_LIMIT + KEYS_SIZE <= RECORD_SIZE, "a line must fit");

static const char ellipsis[] = "\xe2\x80\xa6";
static const char replacement[] = "\xef\xbf\xbd";

struct line {
	char *out;
	size_t length;
};

/* There always is room. */
static inline __attribute__((always_inline)) void put(struct line *line, const char *bytes, size_t length)
{
	if (length > RECORD_SIZE - line->length)
		return;
	memcpy(line->out + line->length, bytes, length);
	line->length += length;
}

/* A literal, whose length the compiler knows. */
#define PUT(line, literal) put(line, literal, sizeof literal - 1)

/* Puts one character's escaped form into unit, and tells how many bytes of the text it was. */
static size_t escape(const char *at, size_t left, char unit[8], size_t *taken)
{
	size_t length = utf8_length(at, left);
	unsigned code = (unsigned char)at[0];

	*taken = length == 0 ? 1 : length;
	if (length == 0) {
		memcpy(unit, replacement, 3);
		return 3;
	}
	if (code == '"' || code == '\\') {
		unit[0] = '\\';
		unit[1] = (char)code;
		return 2;
	}
	/* The controls above ASCII as well: they steer terminals too. */
	if (length == 2 && code == 0xc2 && (unsigned char)at[1] < 0xa0) {
		code = (unsigned char)at[1];
	} else if (length != 1 || (code >= 0x20 && code != 0x7f)) {
		memcpy(unit, at, length);
		return length;
	}
	snprintf(unit, 8, "\\u%04x", code);
	return 6;
}

/* Puts the text if all bytes stand for themselves: printable ASCII but for the quote and the backslash. */
static bool put_plain(struct line *line, struct text text)
{
	char *to = line->out + line->length;
	const char *at = text.at;

	if (text.length > RECORD_SIZE - line->length)
		return false;
	for (size_t i = 0; i < text.length && text.length < 8; i++) {
		if (at[i] < ' ' || at[i] > '~' || at[i] == '"' || at[i] == '\\')
			return false;
		to[i] = at[i];
	}
	/* Eight at once; the last eight again where they don't begin at such a step. */
	for (size_t i = 0; i < text.length && text.length >= 8; i += 8) {
		if (i > text.length - 8)
			i = text.length - 8;
		if (eight_are_special(at + i) || eight_have_delete(at + i))
			return false;
		memcpy(to + i, at + i, 8);
	}
	line->length += text.length;
	return true;
}

/* Puts the text escaped, and cut where it is too long. */
static void put_escaped(struct line *line, struct text text, size_t limit)
{
	size_t start = line->length, cut = start;
	char unit[8];

	while (text.length > 0) {
		size_t taken, length = escape(text.at, text.length, unit, &taken);

		if (line->length - start + length > limit) {
			line->length = cut;
			put(line, ellipsis, 3);
			return;
		}
		put(line, unit, length);
		if (line->length - start + 3 <= limit)
			cut = line->length;
		text.at += taken;
		text.length -= taken;
	}
}

#define PUT_TEXT(line, key, text, limit) put_text(line, ",\"" key "\":\"", sizeof key - 1 + 5, text, limit)

/* A key with a comma before it and all that is around it, and a text. Nothing where the text is missing. In line, so that
 * the keys' lengths are known where they are copied. */
static inline __attribute__((always_inline)) void put_text(struct line *line, const char *key, size_t key_length,
    struct text text, size_t limit)
{
	if (text.at == NULL || text.length == 0)
		return;
	put(line, key, key_length);
	/* Most texts are plain and short enough. */
	if (text.length > limit || !put_plain(line, text))
		put_escaped(line, text, limit);
	PUT(line, "\"");
}

static void put_digits(char *to, int64_t number, size_t digits)
{
	while (digits-- > 0) {
		to[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

static void put_port(struct line *line, uint16_t port)
{
	char digits[5];
	size_t count = port > 9999 ? 5 : port > 999 ? 4 : port > 99 ? 3 : port > 9 ? 2 : 1;

	put_digits(digits, port, count);
	PUT(line, ",\"port\":");
	put(line, digits, count);
}

/* Years begin with March here, so that the day that some of them have more is the last one. */
static void put_date(char *to, int64_t day)
{
	/* From the 1st of March four centuries before the year 0, so that all is positive. */
	const int64_t four_centuries = 146097, since = day + 719468 + four_centuries;
	int64_t in_era = since % four_centuries;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100), month = (5 * in_year + 2) / 153;

	year += since / four_centuries * 400 - 400 + (month >= 10);
	put_digits(to, year, 4);
	put_digits(to + 5, month < 10 ? month + 3 : month - 9, 2);
	put_digits(to + 8, in_year - (153 * month + 2) / 5 + 1, 2);
}

/* The first key of all. */
static void put_time(struct line *line, int64_t time)
{
	/* The years that RFC 3339 can write. */
	const int64_t first = INT64_C(-62167219200000), last = INT64_C(253402300799999);
	const int64_t a_day = INT64_C(24) * 60 * 60 * 1000;
	char text[] = "0000-00-00T00:00:00.000Z";
	int64_t in_day;

	if (time < first)
		time = first;
	if (time > last)
		time = last;
	in_day = (time % a_day + a_day) % a_day;
	put_date(text, (time - in_day) / a_day);
	put_digits(text + 11, in_day / 3600000, 2);
	put_digits(text + 14, in_day / 60000 % 60, 2);
	put_digits(text + 17, in_day / 1000 % 60, 2);
	put_digits(text + 20, in_day % 1000, 3);
	PUT(line, "{\"time\":\"");
	put(line, text, sizeof text - 1);
	PUT(line, "\"");
}

const char *record_verdict_name(enum record_verdict verdict)
{
	switch (verdict) {
	case RECORD_BYPASS:
		return "bypass";
	case RECORD_SHADOW:
		return "shadow";
	case RECORD_DENIED:
		return "denied";
	case RECORD_NORMAL:
		break;
	}
	return "normal";
}

const char *record_decider_name(enum record_decider decider)
{
	switch (decider) {
	case RECORD_BY_HELPER:
		return "helper";
	case RECORD_BY_SQUID:
		return "squid";
	case RECORD_BY_ICAP:
		break;
	}
	return "icap";
}

size_t record_format(const struct record *record, char out[RECORD_SIZE])
{
	struct line line = { .out = out };

	put_time(&line, record->time);
	PUT_TEXT(&line, "proxy", record->proxy, PROXY_LIMIT);
	PUT_TEXT(&line, "conn", record->conn, CONN_LIMIT);
	PUT_TEXT(&line, "client", record->client, CLIENT_LIMIT);
	PUT_TEXT(&line, "user", record->user, USER_LIMIT);
	PUT_TEXT(&line, "method", record->method, METHOD_LIMIT);
	PUT_TEXT(&line, "host", record->host, HOST_LIMIT);
	if (record->port != 0)
		put_port(&line, record->port);
	PUT_TEXT(&line, "dst", record->dst, DST_LIMIT);
	PUT_TEXT(&line, "sni", record->sni, SNI_LIMIT);
	PUT_TEXT(&line, "verdict", text_of(record_verdict_name(record->verdict)), NAME_LIMIT);
	PUT_TEXT(&line, "service", record->service, SERVICE_LIMIT);
	PUT_TEXT(&line, "rule", record->rule, RULE_LIMIT);
	PUT_TEXT(&line, "evidence", record->evidence, EVIDENCE_LIMIT);
	PUT_TEXT(&line, "source", record->source, SOURCE_LIMIT);
	if (record->stale)
		PUT(&line, ",\"stale\":true");
	if (record->disagrees)
		PUT(&line, ",\"disagrees\":true");
	PUT_TEXT(&line, "decided_by", text_of(record_decider_name(record->decided_by)), NAME_LIMIT);
	PUT_TEXT(&line, "would", record->would, WOULD_LIMIT);
	PUT_TEXT(&line, "reason", record->reason, REASON_LIMIT);
	PUT(&line, "}\n");
	return line.length;
}
