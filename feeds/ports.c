/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports as vendors write them: taken only as a service file has them, but with what to write instead. */
#include <config.h>

#include "feeds/internal.h"

#include <string.h>

/* Writes the list without blanks, `-` for dashes, `,` for "and"; without commas where they seem to part thousands. */
static bool tidy(struct text text, bool thousands, char *out, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < text.length; i++) {
		struct text rest = {text.at + i, text.length - i};
		char c = text.at[i];

		if (at + 2 > size) {
			return false;
		}
		if (rest.length >= 3 && (memcmp(rest.at, "\xe2\x80\x93", 3) == 0 || memcmp(rest.at, "\xe2\x80\x94", 3) == 0)) {
			out[at++] = '-';
			i += 2;
		} else if (rest.length >= 3 && memcmp(rest.at, "and", 3) == 0) {
			out[at++] = ',';
			i += 2;
		} else if (rest.length >= 2 && memcmp(rest.at, "\xc2\xa0", 2) == 0) {
			i++;
		} else if (!is_blank(c) && !(thousands && c == ',')) {
			out[at++] = c;
		}
	}
	out[at] = '\0';
	return true;
}

bool port_list_parse(struct text text, enum transport transport, struct ports *ports, struct refusal *why)
{
	struct ports scratch = {.any = false};
	struct refusal ignored;
	char better[128];
	bool thousands = false;

	if (ports_add_list(ports, transport, text, why)) {
		return true;
	}
	for (size_t i = 1; i + 3 < text.length + 0; i++) {
		thousands = thousands || (text.at[i] == ',' && text.at[i + 1] == '0');
	}
	if (tidy(text, thousands, better, sizeof better) && ports_add_list(&scratch, transport, text_of(better), &ignored)) {
		return refuse(why, why->offset, "ports are written without blanks, words or long dashes: write %s if that is meant",
		    better);
	}
	return false;
}

/* The next word from at on. */
static struct text next_word(struct text text, size_t at)
{
	struct text word = {text.at + at, 0};

	while (at < text.length && is_blank(text.at[at])) {
		at++;
	}
	word.at = text.at + at;
	while (at + word.length < text.length && !is_blank(word.at[word.length])) {
		word.length++;
	}
	return word;
}

bool feed_ports_parse(struct text text, struct ports *ports, struct refusal *why)
{
	struct text word = next_word(text, 0);

	memset(ports, 0, sizeof *ports);
	if (text_is(word, "any") && next_word(text, (size_t)(word.at - text.at) + 3).length == 0) {
		ports->any = true;
		return true;
	}
	if (word.length == 0) {
		return refuse(why, 0, "ports are written `tcp 80,443 udp 3478`, or `any`");
	}
	while (word.length > 0) {
		enum transport transport = text_is(word, "udp") ? UDP : TCP;
		struct text list;

		if (!text_is(word, "tcp") && !text_is(word, "udp")) {
			return refuse(why, (size_t)(word.at - text.at), "ports are written `tcp 80,443 udp 3478`, or `any`");
		}
		list = next_word(text, (size_t)(word.at - text.at) + word.length);
		for (word = list; word.length > 0 && !text_is(word, "tcp") && !text_is(word, "udp");) {
			list.length = (size_t)(word.at - list.at) + word.length; /* all up to the next transport */
			word = next_word(text, (size_t)(word.at - text.at) + word.length);
		}
		if (word.at == list.at) {
			list.length = 0;
		}
		if (!port_list_parse(list, transport, ports, why)) {
			why->offset += (size_t)(list.at - text.at);
			return false;
		}
	}
	return true;
}
