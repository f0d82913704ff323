/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's name, as proxies write it into ICAP headers: plain or base64, with a scheme or without.
 *
 * Nothing says whether a header is encoded, and many a plain name is valid base64 as well ("bill" would be "n)e"). A
 * wrong name in a record is worse than an encoded one. So it is decoded only where a plain name can't be meant: what
 * comes out is text and has a scheme, or the base64 ends in its padding. */
#include <config.h>

#include "icap/transaction.h"

#include <string.h>

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c != '\0' ? strchr(digits, c) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* Strict: whole groups of four, padding at the end only, and no bit set that the padding drops. */
static bool base64_decode(struct text text, char *out, size_t size, size_t *length)
{
	size_t padding = 0;

	*length = 0;
	if (text.length == 0 || text.length % 4 != 0 || text.length / 4 * 3 > size)
		return false;
	while (padding < 2 && text.at[text.length - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < text.length; i += 4) {
		bool last = i + 4 == text.length;
		uint32_t group = 0;
		size_t bytes = last ? 3 - padding : 3;

		for (size_t k = 0; k < 4; k++) {
			int digit = last && k >= 4 - padding ? 0 : base64_digit(text.at[i + k]);

			if (digit < 0)
				return false;
			group = group << 6 | (uint32_t)digit;
		}
		if ((group & ((UINT32_C(1) << 8 * (3 - bytes)) - 1)) != 0)
			return false;
		for (size_t k = 0; k < bytes; k++)
			out[(*length)++] = (char)(group >> (16 - 8 * k) & 0xff);
	}
	return true;
}

/* UTF-8 with no control character in it. */
static bool is_readable(struct text text)
{
	size_t length;

	for (size_t i = 0; i < text.length; i += length) {
		unsigned char byte = (unsigned char)text.at[i];

		length = utf8_length(text.at + i, text.length - i);
		if (length == 0 || byte < 0x20 || byte == 0x7f)
			return false;
		if (byte == 0xc2 && (unsigned char)text.at[i + 1] < 0xa0)
			return false;
	}
	return text.length > 0;
}

/* The length of "scheme://", if there is something behind it; else 0. */
static size_t scheme_length(struct text text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789+.-";

	if (memchr(text.at, ':', text.length) == NULL)
		return 0;
	for (size_t i = 0; i + 3 < text.length && text.at[i] != '\0'; i++) {
		if (i > 0 && memcmp(text.at + i, "://", 3) == 0)
			return i + 3;
		if (strchr(letters, text.at[i]) == NULL && (i == 0 || strchr(others, text.at[i]) == NULL))
			return 0;
	}
	return 0;
}

struct text user_name(struct text client_username, struct text authenticated_user, char *buffer, size_t size)
{
	struct text name = text_trim(client_username), decoded = { .at = buffer };
	size_t scheme;

	if (name.at == NULL)
		name = text_trim(authenticated_user);
	if (name.at == NULL)
		return name;
	if (base64_decode(name, buffer, size, &decoded.length) && is_readable(decoded) &&
	    (scheme_length(decoded) > 0 || name.at[name.length - 1] == '='))
		name = decoded;
	scheme = scheme_length(name);
	name.at += scheme;
	name.length -= scheme;
	return name;
}
