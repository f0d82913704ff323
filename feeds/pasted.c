/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format `pasted`: blocks that have run together, as they do when they are copied out of a page.
 * A line's end may be a break in the middle of a block or between two; a blank, comma or semicolon is always between two.
 * Each piece between those is read by dynamic programming: from behind, each place counts (up to two) the ways in which the
 * rest can be cut into canonical blocks. One way from the start: that's the reading. Two: the first place where they part
 * is named. At any place at most three blocks can begin, as a prefix length has one to three digits, so it's linear.
 * What may stand in a service file doesn't count for this, only what is a block: too wide a reading is still a reading. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>
#include <string.h>

enum { PASTED_LENGTH = 1 << 20, CUTS = 3 };

/* One piece without its line ends. */
struct piece {
	char *text;
	uint32_t *origin; /* where each byte of text stands in the bytes */
	uint8_t *ways;    /* to read the rest from each place: 0, 1, or 2 for more; one more than text has */
	size_t length;
};

/* The ends of the blocks that begin at the place. Returns how many. */
static size_t cuts_at(const struct piece *piece, size_t at, size_t end[CUTS])
{
	size_t slash = at, count = 0;
	struct prefix prefix;
	struct refusal why;

	while (slash < piece->length && slash - at < ADDRESS_TEXT_SIZE && piece->text[slash] != '/') {
		slash++;
	}
	if (slash == piece->length || piece->text[slash] != '/') {
		return 0;
	}
	for (size_t i = slash + 1; i < piece->length && i <= slash + CUTS && is_digit(piece->text[i]); i++) {
		struct text text = {piece->text + at, i + 1 - at};

		if (prefix_parse(text, &prefix, &why)) {
			end[count++] = i + 1;
		}
	}
	return count;
}

static void count_ways(struct piece *piece)
{
	size_t end[CUTS];

	piece->ways[piece->length] = 1;
	for (size_t at = piece->length; at-- > 0;) {
		unsigned sum = 0;

		for (size_t count = cuts_at(piece, at, end); count-- > 0;) {
			sum += piece->ways[end[count]];
		}
		piece->ways[at] = (uint8_t)(sum > 2 ? 2 : sum);
	}
}

/* No reading: names the last place that some reading comes to. */
static void tell_unreadable(struct reading *reading, const struct piece *piece)
{
	size_t furthest = 0, end[CUTS];
	char text[SHOWN_SIZE];

	memset(piece->ways, 0, piece->length + 1); /* now: can it be come to? */
	piece->ways[0] = 1;
	for (size_t at = 0; at < piece->length; at++) {
		if (piece->ways[at] == 0) {
			continue;
		}
		furthest = at;
		for (size_t count = cuts_at(piece, at, end); count-- > 0;) {
			piece->ways[end[count]] = 1;
		}
	}
	struct text rest = {piece->text + furthest, piece->length - furthest < 50 ? piece->length - furthest : 50};
	tell_refused(reading, reading->bytes + piece->origin[furthest], "no block can be read here: %s", shown(rest, text));
}

static void tell_ambiguous(struct reading *reading, const struct piece *piece)
{
	size_t end[CUTS], at = 0;

	for (;;) {
		size_t possible[CUTS], count = 0;

		for (size_t cuts = cuts_at(piece, at, end), i = 0; i < cuts; i++) {
			if (piece->ways[end[i]] > 0) {
				possible[count++] = end[i];
			}
		}
		if (count > 1) {
			struct text first = {piece->text + at, possible[0] - at}, second = {piece->text + at, possible[1] - at};
			char one[SHOWN_SIZE], other[SHOWN_SIZE];

			tell_refused(reading, reading->bytes + piece->origin[at],
			    "more than one reading: %s or %s; put a blank behind the one that is meant", shown(first, one),
			    shown(second, other));
			return;
		}
		at = possible[0]; /* there is one, or ways would be 0 */
	}
}

static void take_reading(struct reading *reading, const struct piece *piece)
{
	size_t end[CUTS];

	for (size_t at = 0, next; at < piece->length && !reading->full; at = next) {
		const char *place = reading->bytes + piece->origin[at];
		struct prefix prefix;
		struct refusal why;
		char text[SHOWN_SIZE];

		next = piece->length;
		for (size_t count = cuts_at(piece, at, end), i = 0; i < count; i++) {
			if (piece->ways[end[i]] > 0) {
				next = end[i];
			}
		}
		struct text word = {piece->text + at, next - at};
		bool broken = piece->origin[next - 1] - piece->origin[at] != next - 1 - at;
		(void)shown(word, text);
		if (!prefix_parse(word, &prefix, &why) || !prefix_allowed(&prefix, false, false, &why)) {
			tell_refused(reading, place, "%s: %s", text, why.reason);
			continue;
		}
		if (broken || word.length < piece->length) {
			tell_changed(reading, place, broken ? "read as %s, broken across lines" : "read as %s", text);
		}
		reading_prefix(reading, place, &prefix);
	}
}

static void read_piece(struct reading *reading, struct piece *piece)
{
	if (piece->length == 0) {
		return;
	}
	count_ways(piece);
	if (piece->ways[0] == 0) {
		tell_unreadable(reading, piece);
	} else if (piece->ways[0] > 1) {
		tell_ambiguous(reading, piece);
	} else {
		take_reading(reading, piece);
	}
	piece->length = 0;
}

/* What is between two entries at the place: its length, and whether it surely parts them, as line ends alone don't. */
static size_t gap_length(const struct reading *reading, const char *at, bool *parts)
{
	const char *start = at;
	bool line = false, comma = false;

	for (; at < reading->end; at++) {
		if (*at == '\n' || *at == '\r') {
			line = true;
		} else if (*at == ',' || *at == ';') {
			comma = true;
		} else if (reading->end - at >= 2 && memcmp(at, "\xc2\xa0", 2) == 0) {
			at++;
		} else if (!is_blank(*at)) {
			break;
		}
	}
	*parts = comma || !line;
	return (size_t)(at - start);
}

static void read_pieces(struct reading *reading, struct piece *piece)
{
	const char *at = reading->bytes;

	if (reading->end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
		at += 3;
	}
	while (at < reading->end && !reading->out_of_memory) {
		bool parts;
		size_t gap = gap_length(reading, at, &parts);

		if (gap == 0) {
			piece->text[piece->length] = *at;
			piece->origin[piece->length++] = (uint32_t)(at - reading->bytes);
			at++;
			continue;
		}
		if (parts) {
			read_piece(reading, piece);
		}
		at += gap;
	}
	read_piece(reading, piece);
}

void read_pasted(struct reading *reading)
{
	static const struct ports any = {.any = true};
	const struct feed_options *options = reading->options;
	size_t length = (size_t)(reading->end - reading->bytes);
	struct piece piece = {NULL, NULL, NULL, 0};

	if (length > PASTED_LENGTH) {
		tell_refused(reading, NULL, "larger than 1 MiB: nobody has pasted that");
		return;
	}
	piece.text = malloc(length + 1);
	piece.origin = reallocarray(NULL, length + 1, sizeof *piece.origin);
	piece.ways = malloc(length + 1);
	reading_block(reading, options->source, NULL, "", options->ports == NULL ? &any : options->ports);
	if (piece.text == NULL || piece.origin == NULL || piece.ways == NULL) {
		reading->out_of_memory = true;
	}
	if (!reading->out_of_memory) {
		read_pieces(reading, &piece);
	}
	free(piece.text);
	free(piece.origin);
	free(piece.ways);
}
