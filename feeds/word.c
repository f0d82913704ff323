/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One word of a list: a block, an address or a name, and what to write in place of what isn't any. */
#include <config.h>

#include "feeds/internal.h"

#include <string.h>

static struct text part(struct text text, size_t from, size_t to)
{
	struct text piece = {text.at + from, to - from};

	return piece;
}

/* Where the string is in the text, or its length. */
static size_t find(struct text text, const char *string)
{
	size_t length = strlen(string);

	for (size_t i = 0; i + length <= text.length; i++) {
		if (memcmp(text.at + i, string, length) == 0) {
			return i;
		}
	}
	return text.length;
}

static size_t span_of(struct text text, const char *characters)
{
	size_t at = 0;

	while (at < text.length && text.at[at] != '\0' && strchr(characters, text.at[at]) != NULL) {
		at++;
	}
	return at;
}

bool looks_like_address(struct text word)
{
	size_t digits = span_of(word, "0123456789."), hex = span_of(word, "0123456789abcdefABCDEF:.");
	size_t colon = find(word, ":");

	if (word.length == 0) {
		return false;
	}
	if (word.at[0] == '[' || (colon < hex && find(part(word, colon + 1, word.length), ":") + colon + 1 < hex)) {
		return true;
	}
	return is_digit(word.at[0]) && find(word, ".") < digits && digits > 0 &&
	    (digits == word.length || strchr("/:*", word.at[digits]) != NULL || (unsigned char)word.at[digits] >= 0x80);
}

static bool prefix_of_text(struct prefix *prefix, const struct address *address, unsigned length, struct refusal *why)
{
	char text[PREFIX_TEXT_SIZE + 8];
	size_t at = address_format(address, text);

	(void)snprintf(text + at, sizeof text - at, "/%u", length);
	return prefix_parse(text_of(text), prefix, why);
}

/* How many bits a netmask has: ones, then zeros, and not fewer than eight ones. -1: it is none. */
static int netmask_length(struct text text)
{
	struct address mask;
	struct refusal why;
	uint32_t bits = 0;

	if (memchr(text.at, ':', text.length) != NULL || !address_parse(text, &mask, &why)) {
		return -1;
	}
	for (size_t i = 0; i < 4; i++) {
		bits = bits << 8 | mask.bytes[i];
	}
	uint32_t zeros = ~bits;
	if (bits < 0xff000000u || (zeros & (zeros + 1)) != 0) {
		return -1;
	}
	return 32 - __builtin_popcount(zeros);
}

/* Forms that aren't canonical, but can mean one thing only: IPv6 in another writing, an IPv4 netmask. */
static bool certain_form(struct text word, size_t slash, struct prefix *prefix, struct refusal *why)
{
	struct address address;
	struct text behind = slash < word.length ? part(word, slash + 1, word.length) : text_of("128");
	struct refusal ignored;
	uint32_t length;

	if (slash == 0 || word.at[0] == '[' || !address_parse(part(word, 0, slash), &address, &ignored)) {
		return false;
	}
	if (address.family == IPV6 && number_parse(behind, 128, &length)) {
		return prefix_of_text(prefix, &address, length, why);
	}
	if (address.family == IPV4 && slash < word.length && memchr(word.at, ':', slash) == NULL) {
		int bits = netmask_length(behind);

		return bits >= 0 && prefix_of_text(prefix, &address, (unsigned)bits, why);
	}
	return false;
}

/* Is it a block with something behind it? Says what to write. */
static bool refuse_tail(struct text word, struct refusal *why)
{
	size_t slash = find(word, "/"), end = slash + 1;
	struct refusal ignored;
	struct prefix prefix;
	char text[SHOWN_SIZE];

	while (end < word.length && is_digit(word.at[end])) {
		end++;
	}
	if (slash == word.length) {
		end = span_of(word, "0123456789.");
	}
	if (find(part(word, end < word.length ? end : word.length, word.length), "/") + end < word.length) {
		return refuse(why, 0, "two entries run together: put a blank between them, or read them as `pasted`");
	}
	if (end >= word.length || end == 0 || !prefix_parse(part(word, 0, end), &prefix, &ignored)) {
		return true;
	}
	(void)shown(part(word, 0, end), text);
	if (word.at[end] == ':') {
		return refuse(why, end, "an address with a port: write %s alone, and the port as --ports", text);
	}
	if (word.at[end] == '*' || (unsigned char)word.at[end] >= 0x80) {
		return refuse(why, end, "a footnote's mark: read the footnote, and write %s alone if it is meant", text);
	}
	return refuse(why, end, "text behind the block: look it up, and write %s alone if that is meant", text);
}

/* Is it a URL? Says what to write. */
static bool refuse_url(struct text word, struct refusal *why)
{
	size_t at = find(word, "://"), end;
	struct prefix prefix;
	struct refusal ignored;
	char text[SHOWN_SIZE];

	if (at == word.length) {
		return true;
	}
	word = part(word, at + 3, word.length);
	end = find(word, "/");
	if (prefix_parse(word, &prefix, &ignored)) {
		end = word.length; /* a block behind a scheme */
	}
	return refuse(why, 0, "a URL: write the host or block alone, %s", shown(part(word, 0, end), text));
}

bool word_prefix(struct text word, struct prefix *prefix, bool *changed, struct refusal *why)
{
	size_t slash = find(word, "/");
	struct refusal canonical;

	*changed = false;
	why->reason[0] = '\0';
	if (!refuse_url(word, why)) {
		return false;
	}
	if (!prefix_parse(word, prefix, &canonical)) {
		uint32_t length;

		if (!refuse_tail(word, why)) {
			return false;
		}
		if (word.length > 2 && word.at[0] == '[') {
			return refuse(why, 0, "brackets: write the IPv6 address without them, and a port as --ports");
		}
		if (!certain_form(word, slash, prefix, why)) {
			if (why->reason[0] == '\0') {
				*why = canonical;
			}
			if (memchr(word.at, ':', word.length) == NULL && slash < word.length &&
			    number_parse(part(word, slash + 1, word.length), 7, &length)) {
				return refuse(why, slash, "/%u with bits set behind it: a prefix length that was cut short; look it up",
				    length);
			}
			return false;
		}
		*changed = true;
	}
	return prefix_allowed(prefix, false, false, why);
}

static bool refuse_star(struct text word, size_t star, struct refusal *why)
{
	size_t dot = star + find(part(word, star, word.length), ".");
	char text[SHOWN_SIZE];

	(void)shown(part(word, dot, word.length), text);
	if (star == 0 || word.at[star - 1] == '.') {
		return refuse(why, star, "a wildcard in the middle of a name: write the names that are meant; %s would be everything "
		                          "below it", dot < word.length ? text : "a leading dot");
	}
	return refuse(why, star, "a wildcard in a part of a label: write the names that are meant, or %s for everything below it",
	    dot < word.length ? text : "a leading dot");
}

bool word_name(struct text word, char name[RULE_SIZE], bool *changed, struct refusal *why)
{
	char parsed[NAME_SIZE], text[SHOWN_SIZE];
	bool below = false;
	size_t skip = 0, end;

	*changed = false;
	if (!refuse_url(word, why)) {
		return false;
	}
	for (end = 0; end < word.length && (word.at[end] == '\0' || strchr("<>{}[]$%", word.at[end]) == NULL); end++) {
	}
	if (end < word.length) {
		return refuse(why, end, "a placeholder: write the names that it stands for");
	}
	if ((end = find(word, "/")) < word.length) {
		return refuse(why, end, "a path behind the name: write the name alone, %s", shown(part(word, 0, end), text));
	}
	if ((end = find(word, ":")) < word.length) {
		return refuse(why, end, "a name with a port: write %s, and the port as --ports", shown(part(word, 0, end), text));
	}
	if (word.length > 2 && word.at[0] == '*' && word.at[1] == '.') {
		below = *changed = true;
		skip = 2;
	} else if (word.length > 1 && word.at[0] == '.') {
		below = true;
		skip = 1;
	}
	struct text rest = part(word, skip, word.length);
	if ((end = find(rest, "*")) < rest.length) {
		if (end == 0 && skip == 0) {
			end = find(rest, ".");
			return refuse(why, 0, "a wildcard in a part of a label: write the names that are meant, or %s for everything "
			                       "below it", end < rest.length ? shown(part(rest, end, rest.length), text) : "a leading dot");
		}
		return refuse_star(word, end + skip, why);
	}
	if (!name_parse(rest, parsed, why)) {
		why->offset += skip;
		return false;
	}
	if (strchr(parsed, '.') == NULL) {
		return refuse(why, 0, below ? "a whole top-level domain" : "a single word is no host's name");
	}
	*changed = *changed || rest.length != strlen(parsed) || memcmp(rest.at, parsed, rest.length) != 0;
	(void)snprintf(name, RULE_SIZE, "%s%s", below ? "." : "", parsed);
	return true;
}

void reading_word(struct reading *reading, const char *at, struct text word)
{
	bool changed, in_place = word.at >= reading->bytes && word.at < reading->end;
	char name[RULE_SIZE], canonical[PREFIX_TEXT_SIZE], text[SHOWN_SIZE];
	struct prefix prefix;
	struct refusal why = {"", 0};
	size_t scheme = find(word, "://");
	struct text host = scheme < word.length ? part(word, scheme + 3, word.length) : word;

	if (looks_like_address(host)) {
		if (word_prefix(word, &prefix, &changed, &why)) {
			if (changed) {
				prefix_format(&prefix, canonical);
				tell_changed(reading, at, "%s is written %s", shown(word, text), canonical);
			}
			reading_prefix(reading, at, &prefix);
			return;
		}
	} else if (word_name(word, name, &changed, &why)) {
		if (changed) {
			tell_changed(reading, at, "%s is written %s%s", shown(word, text), name,
			    word.at[0] == '*' ? ", which holds the domain itself, too" : "");
		}
		reading_name(reading, at, name);
		return;
	}
	tell_refused(reading, in_place ? at + why.offset : at, "%s: %s", shown(word, text), why.reason);
}
