/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind `feed`: a format, an address, and how the list is to be taken. */
#include <config.h>

#include "category/internal.h"

#include <string.h>

enum { URL_LENGTH = 2000, DAYS_MOST = 3650, SET_MOST = 1000000 };

static const char *const formats[] = {"cidr", "m365-json", "aws-json", "bundle"};

/* Cuts the next word off text. */
static struct text cut_word(struct text *text)
{
	struct text word = {text->at, 0};

	while (text->length > 0 && (*text->at == ' ' || *text->at == '\t')) {
		text->at++;
		text->length--;
	}
	word.at = text->at;
	while (text->length > 0 && *text->at != ' ' && *text->at != '\t') {
		text->at++;
		text->length--;
		word.length++;
	}
	return word;
}

/* Cuts "key=" off the word; false if it isn't there, or nothing stands behind it. */
static bool cut_key(struct text *word, const char *key)
{
	size_t length = strlen(key);

	if (word->length <= length || memcmp(word->at, key, length) != 0) {
		return false;
	}
	word->at += length;
	word->length -= length;
	return true;
}

static bool read_url(struct text url, struct feed_line *line, struct refusal *why)
{
	size_t host = strlen("https://");

	if (url.length <= host || memcmp(url.at, "https://", host) != 0) {
		return refuse(why, 0, "a feed comes from an https:// address");
	}
	if (url.length > URL_LENGTH) {
		return refuse(why, URL_LENGTH, "an address has at most %d bytes", URL_LENGTH);
	}
	for (size_t i = 0; i < url.length; i++) {
		if (url.at[i] <= ' ' || url.at[i] > '~' || strchr("\"<>\\^`{|}", url.at[i]) != NULL) {
			return refuse(why, i, "not a character of a URL");
		}
	}
	const char *end = memchr(url.at + host, '/', url.length - host);
	size_t length = end == NULL ? url.length - host : (size_t)(end - url.at) - host;
	if (length == 0 || memchr(url.at + host, '@', length) != NULL) {
		return refuse(why, host, "a host stands here, without a user or a password");
	}
	line->url = url;
	return true;
}

bool feed_sets_parse(struct text list, struct feed_line *line, struct refusal *why)
{
	for (size_t start = 0, end; start <= list.length; start = end + 1) {
		const char *comma = memchr(list.at + start, ',', list.length - start);

		end = comma == NULL ? list.length : (size_t)(comma - list.at);
		if (line->excludes == FEED_EXCLUDES) {
			return refuse(why, start, "more than %d sets", FEED_EXCLUDES);
		}
		if (!number_parse((struct text){list.at + start, end - start}, SET_MOST, &line->exclude[line->excludes])) {
			return refuse(why, start, "sets are numbers with commas between them: 16,17,27");
		}
		line->excludes++;
	}
	return true;
}

static bool read_option(struct text word, struct feed_line *line, struct refusal *why)
{
	bool m365 = text_is(line->format, "m365-json"), bundle = text_is(line->format, "bundle");
	struct text value = word;

	if (!bundle && cut_key(&value, "expires=")) {
		return (number_parse(value, DAYS_MOST, &line->expires) && line->expires > 0) ||
		    refuse(why, (size_t)(value.at - word.at), "a number of days, 1 to %d", DAYS_MOST);
	}
	if (m365 && cut_key(&value, "exclude-set=")) {
		bool fine = feed_sets_parse(value, line, why);

		why->offset += (size_t)(value.at - word.at);
		return fine;
	}
	if (m365 && cut_key(&value, "area=")) {
		line->area = value;
	} else if (m365 && text_is(word, "required")) {
		line->required = true;
	} else if (text_is(line->format, "aws-json") && cut_key(&value, "service=")) {
		line->aws_service = value;
	} else if (bundle && cut_key(&value, "key=")) {
		line->key = value;
	} else if (!bundle && text_is(word, "partial")) {
		line->partial = true;
	} else if (bundle) {
		return refuse(why, 0, "behind a bundle's address: key=KEY or key=FILE");
	} else {
		return refuse(why, 0, "behind a feed's address: expires=DAYS, partial; of m365-json also area=AREA, required, "
		                      "exclude-set=NUMBERS; of aws-json service=NAME");
	}
	return true;
}

bool feed_line_parse(struct text text, struct feed_line *line, struct refusal *why)
{
	struct text rest = text, word = cut_word(&rest);
	bool fine = false;

	memset(line, 0, sizeof *line);
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		fine = fine || text_is(word, formats[i]);
	}
	if (!fine) {
		return refuse(why, (size_t)(word.at - text.at),
		    "a feed is `cidr`, `m365-json`, `aws-json` or `bundle`, and an address to fetch it from");
	}
	line->format = word;
	word = cut_word(&rest);
	for (fine = read_url(word, line, why); fine; fine = read_option(word, line, why)) {
		word = cut_word(&rest);
		if (word.length == 0) {
			return true;
		}
	}
	why->offset += (size_t)(word.at - text.at);
	return false;
}
