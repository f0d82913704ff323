/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the journal, read back as a record.
 *
 * What is known has to be of its type; what isn't known is passed over, since a later version may write more. Squid's
 * own lines (decided_by "squid") are JSON only because Squid writes all bytes that JSON or a line could stumble over,
 * and the % itself, as %XX; that is undone here. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const verdicts[] = { "normal", "bypass", "shadow", "denied" };
static const char *const deciders[] = { "helper", "icap", "squid" };

static bool complain(char why[RECORD_WHY_SIZE], const char *key, const char *what)
{
	snprintf(why, RECORD_WHY_SIZE, "`%s` %s", key, what);
	return false;
}

/* One of the names, which has to be there. */
static bool find_name(struct text text, const char *key, const char *const *names, size_t count, size_t *index,
    char why[RECORD_WHY_SIZE])
{
	for (*index = 0; text.at != NULL && *index < count; (*index)++)
		if (text_is(text, names[*index]))
			return true;
	return complain(why, key, text.at == NULL ? "is missing" : "is none of those that are known");
}

static bool take_port(json_t *json, uint16_t *port, char why[RECORD_WHY_SIZE])
{
	json_t *value = json_object_get(json, "port");

	*port = 0;
	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT16_MAX)
		return complain(why, "port", "is no port");
	*port = (uint16_t)json_integer_value(value);
	return true;
}

static bool take_flag(json_t *json, const char *key, bool *flag, char why[RECORD_WHY_SIZE])
{
	json_t *value = json_object_get(json, key);

	*flag = json_is_true(value);
	return value == NULL || json_is_boolean(value) || complain(why, key, "is neither true nor false");
}

/* A text, empty where it's another kind of value. */
static struct text text_value(json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	return (struct text){ .at = json_string_value(value), .length = json_string_length(value) };
}

static bool take_texts(json_t *json, struct record *record, char why[RECORD_WHY_SIZE])
{
#define FIELD(name) { #name, offsetof(struct record, name) }
	static const struct {
		const char *key;
		size_t field;
	} fields[] = { FIELD(proxy), FIELD(conn), FIELD(client), FIELD(user), FIELD(method), FIELD(host), FIELD(dst),
		FIELD(sni), FIELD(service), FIELD(rule), FIELD(evidence), FIELD(source), FIELD(would), FIELD(reason) };
#undef FIELD

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct text *text = (struct text *)(void *)((char *)record + fields[i].field);
		json_t *value = json_object_get(json, fields[i].key);

		if (value == NULL)
			continue;
		if (!json_is_string(value))
			return complain(why, fields[i].key, "is no text");
		text->at = json_string_value(value);
		text->length = json_string_length(value);
		if (text->length == 0)
			text->at = NULL;
	}
	return true;
}

/* ---- What Squid wrote ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes it into the buffer of the line, as UTF-8: what isn't becomes U+FFFD. "-" is how Squid says that it's missing. */
static void decode(struct record_line *line, struct text *text)
{
	char *start = line->decoded + line->decoded_length;
	size_t room = sizeof line->decoded - line->decoded_length, length = 0, kept = 0;

	if (text->at == NULL || text_is(*text, "-")) {
		*text = text_of(NULL);
		return;
	}
	if (memchr(text->at, '%', text->length) == NULL)
		return;
	for (size_t i = 0; i < text->length && length < room; i++) {
		int high = -1, low = -1;

		if (text->at[i] == '%' && text->length - i > 2) {
			high = hex_digit(text->at[i + 1]);
			low = hex_digit(text->at[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			start[length++] = (char)(high << 4 | low);
			i += 2;
		} else {
			start[length++] = text->at[i];
		}
	}
	/* In place: a byte that isn't UTF-8 becomes one that is. */
	for (kept = 0; kept < length;) {
		size_t good = utf8_length(start + kept, length - kept);

		if (good == 0)
			start[kept] = '?';
		kept += good == 0 ? 1 : good;
	}
	text->at = start;
	text->length = length;
	line->decoded_length += length;
}

/* Squid's file has more than refusals: connections that ended before anything was decided, and answers of others. */
static bool is_refusal(struct text status)
{
	return status.at == NULL || text_is(status, "NONE_NONE/403") || text_is(status, "NONE_NONE/407") ||
	    (status.length >= 10 && memcmp(status.at, "TCP_DENIED", 10) == 0);
}

static void undo_squid(struct record_line *line)
{
	struct record *record = &line->record;
	struct text *texts[] = { &record->conn, &record->client, &record->user, &record->method, &record->host,
		&record->dst, &record->sni, &record->service, &record->rule, &record->evidence, &record->source,
		&record->would, &record->reason, &record->proxy };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		decode(line, texts[i]);
}

/* ---- The line ---- */

static bool take_fields(json_t *json, struct line_fields *fields, char why[RECORD_WHY_SIZE])
{
	struct record *record = &fields->record;

	memset(fields, 0, sizeof *fields);
	fields->time = text_value(json, "time");
	fields->verdict = text_value(json, "verdict");
	fields->decided_by = text_value(json, "decided_by");
	fields->squid = text_value(json, "squid");
	return take_port(json, &record->port, why) && take_flag(json, "stale", &record->stale, why) &&
	    take_flag(json, "disagrees", &record->disagrees, why) && take_texts(json, record, why);
}

static bool take_all(const struct line_fields *fields, struct record_line *line, char why[RECORD_WHY_SIZE])
{
	struct record *record = &line->record;
	size_t verdict, decider;

	*record = fields->record;
	if (!time_parse(fields->time, &record->time))
		return complain(why, "time", fields->time.at == NULL ? "is missing" : "is no time of RFC 3339");
	if (!find_name(fields->verdict, "verdict", verdicts, sizeof verdicts / sizeof verdicts[0], &verdict, why) ||
	    !find_name(fields->decided_by, "decided_by", deciders, sizeof deciders / sizeof deciders[0], &decider, why))
		return false;
	record->verdict = (enum record_verdict)verdict;
	record->decided_by = (enum record_decider)decider;
	line->passed_over = record->decided_by == RECORD_BY_SQUID && !is_refusal(fields->squid);
	if (record->decided_by == RECORD_BY_SQUID)
		undo_squid(line);
	return true;
}

static bool parse_slowly(const char *text, size_t length, struct record_line *line, char why[RECORD_WHY_SIZE])
{
	struct line_fields fields;
	json_error_t error;

	line->json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (line->json == NULL) {
		snprintf(why, RECORD_WHY_SIZE, "byte %d: %s", error.position, error.text);
		return false;
	}
	if (!json_is_object((json_t *)line->json)) {
		snprintf(why, RECORD_WHY_SIZE, "is no JSON object");
	} else if (take_fields(line->json, &fields, why) && take_all(&fields, line, why)) {
		return true;
	}
	record_line_free(line);
	return false;
}

bool record_parse(const char *text, size_t length, struct record_line *line, char why[RECORD_WHY_SIZE])
{
	struct line_fields fields;

	line->decoded_length = 0;
	line->json = NULL;
	return line_read(text, length, &fields) ? take_all(&fields, line, why) : parse_slowly(text, length, line, why);
}

void record_line_free(struct record_line *line)
{
	json_decref(line->json);
	line->json = NULL;
}
