/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names by the rules of RFC 1123 2.1, and the short words that name services. */
#include <config.h>

#include "category/quick.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

#ifdef __SSE2__
/* The same for nearly all names, 16 characters at a time. False is no refusal: parse_slowly has to look. */
static bool parse_quickly(struct text text, char name[NAME_SIZE])
{
	uint64_t letters = 0, digits = 0, hyphens = 0, dots = 0, all = UINT64_MAX >> (63 & -text.length);

	if (text.length < 8 || text.length > 63) { /* no label can be too long */
		return false;
	}
	for (size_t next = 0; next < text.length; next += 16) {
		size_t at = text.length < 16 ? 0 : next + 16 > text.length ? text.length - 16 : next;
		__m128i part = text.length < 16 ? text_load(text) : _mm_loadu_si128((const __m128i *)(const void *)(text.at + at));
		__m128i letter = bytes_among(_mm_or_si128(part, _mm_set1_epi8(0x20)), 'a', 26);

		letters |= (uint64_t)(unsigned)_mm_movemask_epi8(letter) << at;
		digits |= (uint64_t)bytes_where(part, '0', 10) << at;
		hyphens |= (uint64_t)bytes_where(part, '-', 1) << at;
		dots |= (uint64_t)bytes_where(part, '.', 1) << at;
		_mm_storeu_si128((__m128i *)(void *)(name + at), _mm_or_si128(part, _mm_and_si128(letter, _mm_set1_epi8(0x20))));
	}
	name[text.length] = '\0';
	uint64_t ends = dots << 1 | dots >> 1 | 1 | (all ^ all >> 1); /* the first and the last of each label */
	uint64_t last = dots == 0 ? all : all & ~(UINT64_MAX >> __builtin_clzll(dots)); /* the last label */

	return (letters | digits | hyphens | dots) == all && ((hyphens | dots) & ends) == 0 && (last & ~digits) != 0;
}
#else
static bool parse_quickly(struct text text, char name[NAME_SIZE])
{
	(void)text;
	(void)name;
	return false;
}
#endif

static bool parse_slowly(struct text text, char name[NAME_SIZE], struct refusal *why)
{
	size_t label = 0; /* where the current label starts */
	bool all_digits = true;

	if (text.length > 0 && text.at[text.length - 1] == '.') {
		text.length--;
	}
	if (text.length == 0) {
		return refuse(why, 0, "an empty name");
	}
	if (text.length >= NAME_SIZE) {
		return refuse(why, NAME_SIZE - 1, "a name has at most %d characters", NAME_SIZE - 1);
	}
	for (size_t i = 0; i <= text.length; i++) {
		char c = i < text.length ? text.at[i] : '.';

		if (c >= 'A' && c <= 'Z') {
			c = (char)(c - 'A' + 'a');
		}
		if (c == '.') {
			if (i == label) {
				return refuse(why, i, "an empty label: two dots, or a dot at the start");
			}
			if (i - label > 63) {
				return refuse(why, label, "a label has at most 63 characters");
			}
			if (name[i - 1] == '-') {
				return refuse(why, i - 1, "a label can't end in a hyphen");
			}
			if (i < text.length) {
				all_digits = true;
			}
			label = i + 1;
		} else if (is_letter(c) || is_digit(c)) {
			all_digits = all_digits && is_digit(c);
		} else if (c == '-') {
			if (i == label) {
				return refuse(why, i, "a label can't start with a hyphen");
			}
			all_digits = false;
		} else if (c == '*') {
			return refuse(why, i, "no wildcards: write .example.com for a domain and all below it");
		} else if ((unsigned char)c >= 0x80) {
			return refuse(why, i, "write an international name in its ASCII form (xn--...)");
		} else if (c == '/' || c == ':') {
			return refuse(why, i, "the name of a host alone: no scheme, port or path");
		} else {
			return refuse(why, i, "a name has letters, digits, hyphens and dots only");
		}
		name[i] = c;
	}
	name[text.length] = '\0';
	if (all_digits) {
		return refuse(why, 0, "the last label of a name can't be a number");
	}
	return true;
}

bool name_parse(struct text text, char name[NAME_SIZE], struct refusal *why)
{
	return parse_quickly(text, name) || parse_slowly(text, name, why);
}

bool service_name_parse(struct text text, char name[SERVICE_NAME_SIZE], struct refusal *why)
{
	static const char *const reserved[] = {"client", "wide", "private", "any", "tcp", "udp", "clients"};

	if (text.length == 0 || text.length >= SERVICE_NAME_SIZE) {
		return refuse(why, 0, "the name of a service has 1 to %d characters", SERVICE_NAME_SIZE - 1);
	}
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];

		if (!is_letter(c) && !is_digit(c) && (i == 0 || (c != '-' && c != '_'))) {
			return refuse(why, i, "the name of a service has lower-case letters, digits, hyphens and underscores");
		}
	}
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
		if (text_is(text, reserved[i])) {
			return refuse(why, 0, "`%s` has a meaning of its own and can't name a service", reserved[i]);
		}
	}
	memcpy(name, text.at, text.length);
	name[text.length] = '\0';
	return true;
}
