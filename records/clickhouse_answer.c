/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server answers, read strictly and as it comes.
 *
 * TabSeparated has no end of its own, so a connection that breaks between two rows would leave an answer that looks whole.
 * With extremes an empty line and two more are behind the rows: that is the end. */
#include <config.h>

#include "records/clickhouse.h"

#include <string.h>

void answer_begin(struct answer *answer, size_t fields, bool (*row)(void *, const struct text *), void *context)
{
	memset(answer, 0, offsetof(struct answer, line));
	answer->fields = fields;
	answer->row = row;
	answer->context = context;
}

static bool complain(struct answer *answer, const char *wrong)
{
	answer->wrong = wrong;
	return false;
}

/* ---- Fields ---- */

/* Undoes the escapes in place. */
static bool unescape(char *at, size_t *length)
{
	static const char escaped[] = "bfnrt'\\", meant[] = "\b\f\n\r\t'\\";
	size_t kept = 0;

	for (size_t i = 0; i < *length; i++) {
		const char *found;

		if (at[i] == '\0')
			return false;
		if (at[i] != '\\') {
			at[kept++] = at[i];
			continue;
		}
		found = i + 1 < *length && at[i + 1] != '\0' ? strchr(escaped, at[i + 1]) : NULL;
		if (found == NULL)
			return false;
		at[kept++] = meant[found - escaped];
		i++;
	}
	*length = kept;
	return true;
}

static bool is_utf8(struct text text)
{
	for (size_t i = 0; i < text.length;) {
		size_t length = utf8_length(text.at + i, text.length - i);

		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

static bool split(struct answer *answer, struct text *fields)
{
	char *at = answer->line, *end = at + answer->length;
	size_t count = 0;

	for (;;) {
		char *tab = memchr(at, '\t', (size_t)(end - at)), *to = tab == NULL ? end : tab;

		if (count == answer->fields)
			return complain(answer, "a row has too many columns");
		fields[count] = (struct text){ .at = at, .length = (size_t)(to - at) };
		if (!unescape(at, &fields[count].length) || !is_utf8(fields[count]))
			return complain(answer, "a row has bytes that no text has");
		count++;
		if (tab == NULL)
			break;
		at = tab + 1;
	}
	return count == answer->fields || complain(answer, "a row has too few columns");
}

bool answer_number(struct text field, uint64_t *number)
{
	*number = 0;
	if (field.length == 0 || (field.length > 1 && field.at[0] == '0'))
		return false;
	for (size_t i = 0; i < field.length; i++) {
		unsigned digit = (unsigned)(unsigned char)field.at[i] - '0';

		if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

bool answer_signed(struct text field, int64_t *number)
{
	bool negative = field.length > 0 && field.at[0] == '-';
	uint64_t absolute;

	*number = 0;
	if (negative) {
		field.at++;
		field.length--;
	}
	if (!answer_number(field, &absolute) || absolute > INT64_MAX || (negative && absolute == 0))
		return false;
	*number = negative ? -(int64_t)absolute : (int64_t)absolute;
	return true;
}

/* ---- Lines ---- */

static bool take_line(struct answer *answer)
{
	struct text fields[ANSWER_FIELDS];

	if (answer->length == 0 && answer->behind == 0) {
		answer->behind = 1;
		return answer->rows > 0 || complain(answer, "an end without a row before it");
	}
	if (answer->behind == 3)
		return complain(answer, "there is something behind its end");
	if (!split(answer, fields))
		return false;
	if (answer->behind > 0) {
		answer->behind++;
		return true;
	}
	answer->rows++;
	answer->stopped = !answer->row(answer->context, fields);
	return !answer->stopped;
}

bool answer_take(struct answer *answer, const char *bytes, size_t length)
{
	while (length > 0 && answer->wrong == NULL && !answer->stopped) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline == NULL ? length : (size_t)(newline - bytes);

		if (part > sizeof answer->line - answer->length)
			return complain(answer, "a row is too long");
		memcpy(answer->line + answer->length, bytes, part);
		answer->length += part;
		if (newline == NULL)
			break;
		if (!take_line(answer))
			return false;
		answer->length = 0;
		bytes += part + 1;
		length -= part + 1;
	}
	return answer->wrong == NULL && !answer->stopped;
}

bool answer_end(struct answer *answer)
{
	if (answer->wrong != NULL || answer->stopped)
		return false;
	if (answer->length > 0 || (answer->behind != 3 && answer->rows > 0))
		return complain(answer, "it is cut off");
	return true;
}
