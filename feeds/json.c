/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a value stands in a text of JSON, which jansson doesn't say: a walk over text that jansson has found well formed. */
#include <config.h>

#include "feeds/internal.h"

#include <string.h>

static const char *skip_blanks(const struct reading *reading, const char *at)
{
	while (at < reading->end && (is_blank(*at) || *at == '\n' || *at == '\r')) {
		at++;
	}
	return at;
}

/* From the quote to behind the closing one. */
static const char *skip_string(const struct reading *reading, const char *at)
{
	for (at++; at < reading->end && *at != '"'; at++) {
		at += *at == '\\';
	}
	return at < reading->end ? at + 1 : reading->end;
}

static const char *skip_value(const struct reading *reading, const char *at)
{
	size_t depth = 0;

	while (at < reading->end) {
		if (*at == '"') {
			at = skip_string(reading, at);
		} else if (*at == '[' || *at == '{') {
			depth++;
			at++;
		} else if (*at == ']' || *at == '}') {
			if (depth == 0) {
				return at;
			}
			depth--;
			at++;
		} else if (depth == 0 && (*at == ',' || is_blank(*at) || *at == '\n' || *at == '\r')) {
			return at;
		} else {
			at++;
			continue;
		}
		if (depth == 0) {
			return at;
		}
	}
	return at;
}

const char *place_root(const struct reading *reading)
{
	bool mark = reading->end - reading->bytes >= 3 && memcmp(reading->bytes, "\xef\xbb\xbf", 3) == 0;

	return skip_blanks(reading, reading->bytes + (mark ? 3 : 0));
}

const char *place_first(const struct reading *reading, const char *array)
{
	if (array == NULL || array >= reading->end || *array != '[') {
		return NULL;
	}
	array = skip_blanks(reading, array + 1);
	return array < reading->end && *array != ']' ? array : NULL;
}

const char *place_next(const struct reading *reading, const char *element)
{
	if (element == NULL) {
		return NULL;
	}
	element = skip_blanks(reading, skip_value(reading, element));
	return element < reading->end && *element == ',' ? skip_blanks(reading, element + 1) : NULL;
}

const char *place_member(const struct reading *reading, const char *object, const char *key)
{
	size_t length = strlen(key);

	if (object == NULL || object >= reading->end || *object != '{') {
		return NULL;
	}
	const char *at = skip_blanks(reading, object + 1);
	while (at < reading->end && *at == '"') {
		const char *behind = skip_string(reading, at);
		bool found = (size_t)(behind - at) == length + 2 && memcmp(at + 1, key, length) == 0;

		at = skip_blanks(reading, behind);
		at = skip_blanks(reading, at < reading->end ? at + 1 : at); /* the colon */
		if (found) {
			return at;
		}
		at = place_next(reading, at);
		if (at == NULL) {
			return NULL;
		}
	}
	return NULL;
}

json_t *json_read(struct reading *reading)
{
	size_t mark = reading->end - reading->bytes >= 3 && memcmp(reading->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	size_t length = (size_t)(reading->end - reading->bytes) - mark;
	json_error_t error;
	json_t *root = json_loadb(reading->bytes + mark, length, JSON_REJECT_DUPLICATES, &error);
	char text[SHOWN_SIZE];

	if (root == NULL && json_error_code(&error) == json_error_out_of_memory) {
		reading->out_of_memory = true;
	} else if (root == NULL) {
		size_t offset = error.position > 0 && (size_t)error.position <= length ? (size_t)error.position : 0;

		tell_refused(reading, reading->bytes + mark + offset, "not JSON: %s", shown(text_of(error.text), text));
	}
	return root;
}
