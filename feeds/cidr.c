/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format `cidr`: blocks, ranges, netmasks and names as text, one or several to a line.
 * A line is cut into words at blanks, commas and semicolons. A word that is neither of these makes the whole line prose,
 * and nothing of prose is taken: what its words say of the entries beside them isn't known. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_LENGTH = 1 << 20 };

struct words {
	struct text *list;
	size_t count, room;
};

/* The length of a dash at the place: `-`, or an en dash. */
static size_t dash_length(const char *at, const char *end)
{
	if (at < end && *at == '-') {
		return 1;
	}
	return end - at >= 3 && memcmp(at, "\xe2\x80\x93", 3) == 0 ? 3 : 0;
}

/* A blank of any kind, or what may stand between entries. */
static size_t separator_length(const char *at, const char *end)
{
	if (is_blank(*at) || *at == ',' || *at == ';' || *at == '\r') {
		return 1;
	}
	return end - at >= 2 && memcmp(at, "\xc2\xa0", 2) == 0 ? 2 : 0; /* no-break space */
}

static bool is_dash(struct text word)
{
	return word.length > 0 && dash_length(word.at, word.at + word.length) == word.length;
}

static bool add_word(struct reading *reading, struct words *words, const char *from, const char *to)
{
	struct text word = {from, (size_t)(to - from)};

	if (from == to) {
		return true;
	}
	if (!grow(&words->list, &words->room, words->count, sizeof *words->list)) {
		reading->out_of_memory = true;
		return false;
	}
	words->list[words->count++] = word;
	return true;
}

/* Part of a range: nothing, or an address without a length. */
static bool is_end_of_range(const char *from, const char *to)
{
	struct text text = {from, (size_t)(to - from)};
	struct address address;
	struct refusal why;

	return from == to || (looks_like_address(text) && address_parse(text, &address, &why));
}

/* A word with a dash between two addresses is three words. */
static void split_word(struct reading *reading, struct words *words, const char *from, const char *to)
{
	for (const char *at = from; at < to; at++) {
		size_t dash = dash_length(at, to);

		if (dash > 0) {
			if (is_end_of_range(from, at) && is_end_of_range(at + dash, to)) {
				(void)(add_word(reading, words, from, at) && add_word(reading, words, at, at + dash) &&
				    add_word(reading, words, at + dash, to));
				return;
			}
			break;
		}
	}
	(void)add_word(reading, words, from, to);
}

static void split_line(struct reading *reading, struct words *words, const char *at, const char *end)
{
	const char *word = at;

	words->count = 0;
	while (at < end) {
		size_t length = separator_length(at, end);

		if (length == 0) {
			at++;
			continue;
		}
		split_word(reading, words, word, at);
		at += length;
		word = at;
	}
	split_word(reading, words, word, end);
}

/* Neither address nor name nor what is often taken for one. */
static bool is_prose(struct text word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] == '\0' || strchr(".:/*<>{}", word.at[i]) != NULL) {
			return (word.at[i] == '.' || word.at[i] == ':') && i + 1 == word.length;
		}
	}
	return !is_dash(word);
}

static void read_range(struct reading *reading, struct text low, struct text high)
{
	struct address first, last;
	struct prefix prefix;
	struct refusal why;
	size_t blocks = 0;
	char text[SHOWN_SIZE];

	if (!address_parse(low, &first, &why)) {
		tell_refused(reading, low.at + why.offset, "%s: %s", shown(low, text), why.reason);
		return;
	}
	if (!address_parse(high, &last, &why)) {
		tell_refused(reading, high.at + why.offset, "%s: %s", shown(high, text), why.reason);
		return;
	}
	struct range range = {first.family, {0, 0}, {0, 0}}, rest;
	range.first = range_of(&(struct prefix){first, family_bits(first.family)}).first;
	range.last = range_of(&(struct prefix){last, family_bits(last.family)}).first;
	if (first.family != last.family || wide_compare(range.first, range.last) > 0) {
		tell_refused(reading, low.at, "a range runs from the lower to the higher address of one family");
		return;
	}
	for (rest = range; range_cut(&rest, &prefix);) {
		if (!prefix_allowed(&prefix, false, false, &why)) {
			tell_refused(reading, low.at, "the range isn't allowed: %s", why.reason);
			return;
		}
	}
	for (rest = range; range_cut(&rest, &prefix); blocks++) {
		reading_prefix(reading, low.at, &prefix);
	}
	prefix_format(&reading->feed->entry[reading->feed->entries - 1].prefix, text);
	tell_changed(reading, low.at, "a range: written as %zu block%s, the last is %s", blocks, blocks == 1 ? "" : "s", text);
}

/* `80.81.128.0 255.255.240.0`; as one word it would have a slash. Returns false if it isn't that. */
static bool read_netmask(struct reading *reading, struct text address, struct text mask)
{
	char joined[64];
	struct text word = {joined, 0};
	bool changed;
	struct prefix prefix;
	struct refusal why;
	char text[PREFIX_TEXT_SIZE], old[SHOWN_SIZE];

	if (mask.length < 4 || memcmp(mask.at, "255.", 4) != 0 || memchr(mask.at, '/', mask.length) != NULL ||
	    memchr(address.at, '/', address.length) != NULL || !looks_like_address(address) ||
	    address.length + mask.length + 2 > sizeof joined) {
		return false;
	}
	memcpy(joined, address.at, address.length);
	joined[address.length] = '/';
	memcpy(joined + address.length + 1, mask.at, mask.length);
	word.length = address.length + 1 + mask.length;
	(void)shown(word, old);
	if (word_prefix(word, &prefix, &changed, &why)) {
		prefix_format(&prefix, text);
		tell_changed(reading, address.at, "a netmask: %s is written %s", old, text);
		reading_prefix(reading, address.at, &prefix);
	} else {
		tell_refused(reading, address.at, "%s: %s", old, why.reason);
	}
	return true;
}

static void read_words(struct reading *reading, const struct words *words)
{
	char text[SHOWN_SIZE];

	for (size_t i = 0; i < words->count; i++) {
		if (is_prose(words->list[i])) {
			tell_refused(reading, words->list[i].at, "%s: prose, and nothing of its line is taken: write the entries alone, or the "
			                                         "words behind a #", shown(words->list[i], text));
			return;
		}
	}
	for (size_t i = 0; i < words->count && !reading->full;) {
		struct text word = words->list[i];
		size_t left = words->count - i;

		if (left >= 3 && is_dash(words->list[i + 1]) && !is_dash(word)) {
			read_range(reading, word, words->list[i + 2]);
			i += 3;
		} else if (left >= 2 && read_netmask(reading, word, words->list[i + 1])) {
			i += 2;
		} else if (is_dash(word)) {
			tell_refused(reading, word.at, "a dash, but not between two addresses");
			i++;
		} else {
			reading_word(reading, word.at, word);
			i++;
		}
	}
}

/* Where the comment begins, or the end. */
static const char *comment_of(const char *start, const char *end)
{
	const char *at = start;

	while (at < end && is_blank(*at)) {
		at++;
	}
	if (at < end && (*at == ';' || (end - at >= 2 && at[0] == '/' && at[1] == '/'))) {
		return at;
	}
	for (at = start; at < end; at++) {
		if (*at == '#' && (at == start || separator_length(at - 1, end) == 1)) {
			return at;
		}
	}
	return end;
}

void read_cidr(struct reading *reading)
{
	static const struct ports any = {.any = true};
	const struct feed_options *options = reading->options;
	struct words words = {NULL, 0, 0};
	const char *at = reading->bytes;

	reading_block(reading, options->source, NULL, "", options->ports == NULL ? &any : options->ports);
	if (reading->end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
		at += 3;
	}
	while (at < reading->end && !reading->out_of_memory && !reading->full) {
		const char *newline = memchr(at, '\n', (size_t)(reading->end - at));
		const char *end = newline == NULL ? reading->end : newline;

		if (end - at > LINE_LENGTH) {
			tell_refused(reading, at, "a line has at most 1 MiB");
		} else {
			split_line(reading, &words, at, comment_of(at, end));
			read_words(reading, &words);
		}
		at = newline == NULL ? reading->end : newline + 1;
	}
	free(words.list);
}
