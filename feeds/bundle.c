/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bundle: service files in one text, which says what it is called, which of two is newer, and until when it is good.
 *     meeting-bundle 1
 *     name fleet
 *     serial 20261125031500
 *     expires 2027-01-31
 *     file zoom.service 1234
 *     (1234 bytes, and a newline)
 *     end
 * The files are in the order of their names. Anything else is refused. */
#include <config.h>

#include "feeds/update.h"

#include <stdlib.h>
#include <string.h>

enum { FILES_MOST = 1000, SERIAL_DIGITS = 18 };

/* What is left of the bundle, and where it began. */
struct rest {
	struct text text;
	const char *start;
};

static bool wrong(const struct rest *rest, const char *what, struct refusal *why)
{
	return refuse(why, (size_t)(rest->text.at - rest->start), "not a bundle: %s", what);
}

/* Cuts "WORD VALUE\n" off. */
static bool cut_value(struct rest *rest, const char *word, struct text *value)
{
	size_t length = strlen(word);
	const char *newline = memchr(rest->text.at, '\n', rest->text.length);
	size_t line = newline == NULL ? 0 : (size_t)(newline - rest->text.at);

	if (newline == NULL || line <= length + 1 || memcmp(rest->text.at, word, length) != 0 || rest->text.at[length] != ' ') {
		return false;
	}
	*value = (struct text){rest->text.at + length + 1, line - length - 1};
	rest->text.at += line + 1;
	rest->text.length -= line + 1;
	return true;
}

bool bundle_serial_parse(struct text text, int64_t *serial)
{
	*serial = 0;
	if (text.length == 0 || text.length > SERIAL_DIGITS || text.at[0] == '0') {
		return false;
	}
	for (size_t i = 0; i < text.length; i++) {
		if (!is_digit(text.at[i])) {
			return false;
		}
		*serial = *serial * 10 + (text.at[i] - '0');
	}
	return true;
}

bool bundle_file_name(struct text name)
{
	static const char end[] = ".service";
	size_t length = strlen(end);
	char service[SERVICE_NAME_SIZE];
	struct refusal why;

	if (name.length <= length || memcmp(name.at + name.length - length, end, length) != 0) {
		return false;
	}
	name.length -= length;
	return service_name_parse(name, service, &why);
}

static int compare_names(struct text a, struct text b)
{
	int order = memcmp(a.at, b.at, a.length < b.length ? a.length : b.length);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static bool read_file(struct rest *rest, struct bundle *bundle, struct text value, struct refusal *why)
{
	struct bundle_file file;
	const char *blank = memchr(value.at, ' ', value.length);
	uint32_t length;

	file.base = (struct text){value.at, blank == NULL ? value.length : (size_t)(blank - value.at)};
	if (blank == NULL || !bundle_file_name(file.base) ||
	    !number_parse((struct text){blank + 1, value.length - file.base.length - 1}, FEED_LENGTH, &length)) {
		return wrong(rest, "`file NAME.service BYTES` is wanted in front of this", why);
	}
	if (bundle->files == FILES_MOST ||
	    (bundle->files > 0 && compare_names(bundle->file[bundle->files - 1].base, file.base) >= 0)) {
		return wrong(rest, "a file in front of this is there twice, isn't in the order of names, or is one too many", why);
	}
	if (rest->text.length <= length || rest->text.at[length] != '\n') {
		return wrong(rest, "a file isn't as long as it is said to be", why);
	}
	file.content = (struct text){rest->text.at, length};
	rest->text.at += length + 1;
	rest->text.length -= (size_t)length + 1;
	if (!grow(&bundle->file, &bundle->room, bundle->files, sizeof *bundle->file)) {
		return refuse(why, 0, "out of memory");
	}
	bundle->file[bundle->files++] = file;
	return true;
}

bool bundle_parse(struct text text, struct bundle *bundle, struct refusal *why)
{
	struct rest rest = {text, text.at};
	struct text value;

	memset(bundle, 0, sizeof *bundle);
	if (!cut_value(&rest, "meeting-bundle", &value) || !text_is(value, "1")) {
		return wrong(&rest, "`meeting-bundle 1` is wanted", why);
	}
	if (!cut_value(&rest, "name", &value) || !service_name_parse(value, bundle->name, why)) {
		return wrong(&rest, "`name NAME` is wanted", why);
	}
	if (!cut_value(&rest, "serial", &value) || !bundle_serial_parse(value, &bundle->serial)) {
		return wrong(&rest, "`serial NUMBER` is wanted", why);
	}
	if (!cut_value(&rest, "expires", &value) || !date_parse(value, &bundle->expires)) {
		return wrong(&rest, "`expires YYYY-MM-DD` is wanted", why);
	}
	while (cut_value(&rest, "file", &value)) {
		if (!read_file(&rest, bundle, value, why)) {
			return false;
		}
	}
	if (bundle->files == 0 || !text_is(rest.text, "end\n")) {
		return wrong(&rest, "`file NAME.service BYTES`, or `end` and nothing behind it, is wanted", why);
	}
	return true;
}

void bundle_free(struct bundle *bundle)
{
	free(bundle->file);
	memset(bundle, 0, sizeof *bundle);
}

static int compare_files(const void *left, const void *right)
{
	return compare_names(((const struct bundle_file *)left)->base, ((const struct bundle_file *)right)->base);
}

char *bundle_write(struct bundle *bundle, size_t *length)
{
	char *text = NULL, day[11];
	FILE *to = open_memstream(&text, length);

	if (to == NULL) {
		return NULL;
	}
	if (bundle->files > 0) {
		qsort(bundle->file, bundle->files, sizeof *bundle->file, compare_files);
	}
	day_text(bundle->expires, day);
	fprintf(to, "meeting-bundle 1\nname %s\nserial %lld\nexpires %s\n", bundle->name, (long long)bundle->serial, day);
	for (size_t i = 0; i < bundle->files; i++) {
		const struct bundle_file *file = &bundle->file[i];

		fprintf(to, "file %.*s %zu\n", (int)file->base.length, file->base.at, file->content.length);
		(void)fwrite(file->content.at, 1, file->content.length, to);
		fputc('\n', to);
	}
	fputs("end\n", to);
	return stream_text(to, &text);
}
