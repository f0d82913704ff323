/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signatures by minisign and by signify: both are Ed25519 in lines of base64. minisign signs the text itself (algorithm Ed)
 * or its BLAKE2b hash (ED), and then, once more, the signature with a comment; signify signs the text itself. */
#include <config.h>

#include "feeds/update.h"

#include <sodium.h>
#include <string.h>

enum { ALGORITHM = 2, ID = 8, SIGNATURE = crypto_sign_BYTES, COMMENT_MOST = 4096 };

static const char untrusted[] = "untrusted comment: ", trusted[] = "trusted comment: ";

/* Cuts a line off; false if there is none. */
static bool cut_line(struct text *text, struct text *line)
{
	const char *newline = memchr(text->at, '\n', text->length);

	if (text->length == 0) {
		return false;
	}
	line->at = text->at;
	line->length = newline == NULL ? text->length : (size_t)(newline - text->at);
	text->at += line->length + (newline != NULL);
	text->length -= line->length + (newline != NULL);
	line->length -= line->length > 0 && line->at[line->length - 1] == '\r';
	return true;
}

static bool starts_with(struct text line, const char *start)
{
	return line.length >= strlen(start) && memcmp(line.at, start, strlen(start)) == 0;
}

/* Exactly size bytes in base64. */
static bool decode(struct text line, unsigned char *out, size_t size)
{
	size_t length;

	return sodium_base642bin(out, size, line.at, line.length, NULL, &length, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    length == size;
}

bool signature_key_parse(struct text text, struct signature_key *key, struct refusal *why)
{
	unsigned char raw[ALGORITHM + ID + crypto_sign_PUBLICKEYBYTES];
	struct text line = {NULL, 0}, more;
	bool fine = cut_line(&text, &line);

	if (fine && starts_with(line, untrusted)) {
		fine = cut_line(&text, &line);
	}
	if (!fine || cut_line(&text, &more) || !decode(line, raw, sizeof raw) || memcmp(raw, "Ed", ALGORITHM) != 0) {
		return refuse(why, 0, "not a public key of minisign or signify");
	}
	memcpy(key->id, raw + ALGORITHM, sizeof key->id);
	memcpy(key->key, raw + ALGORITHM + ID, sizeof key->key);
	return true;
}

static bool signed_comment(const struct signature_key *key, const unsigned char *signature, struct text comment,
    const unsigned char *global)
{
	unsigned char both[SIGNATURE + COMMENT_MOST];

	if (comment.length > COMMENT_MOST) {
		return false;
	}
	memcpy(both, signature, SIGNATURE);
	memcpy(both + SIGNATURE, comment.at, comment.length);
	return crypto_sign_verify_detached(global, both, SIGNATURE + comment.length, key->key) == 0;
}

bool signature_verify(const struct signature_key *key, struct text message, struct text signature, struct refusal *why)
{
	unsigned char raw[ALGORITHM + ID + SIGNATURE], global[SIGNATURE], hash[crypto_generichash_BYTES_MAX];
	const unsigned char *own = raw + ALGORITHM + ID;
	struct text line, encoded, comment, encoded_global, more;

	if (!cut_line(&signature, &line) || !starts_with(line, untrusted) || !cut_line(&signature, &encoded) ||
	    !decode(encoded, raw, sizeof raw)) {
		return refuse(why, 0, "not a signature of minisign or signify");
	}
	bool hashed = memcmp(raw, "ED", ALGORITHM) == 0, commented = cut_line(&signature, &comment);
	if (!hashed && memcmp(raw, "Ed", ALGORITHM) != 0) {
		return refuse(why, 0, "a signature of an unknown algorithm");
	}
	if ((hashed && !commented) || (commented && (!starts_with(comment, trusted) || !cut_line(&signature, &encoded_global) ||
	                                                !decode(encoded_global, global, sizeof global))) ||
	    cut_line(&signature, &more)) {
		return refuse(why, 0, "not a whole signature of minisign or signify");
	}
	if (memcmp(raw + ALGORITHM, key->id, ID) != 0) {
		return refuse(why, 0, "signed by another key than the one that is trusted here");
	}
	if (hashed) {
		(void)crypto_generichash(hash, sizeof hash, (const unsigned char *)message.at, message.length, NULL, 0);
		message = (struct text){(const char *)hash, sizeof hash};
	}
	if (crypto_sign_verify_detached(own, (const unsigned char *)message.at, message.length, key->key) != 0) {
		return refuse(why, 0, "the signature isn't one of this text");
	}
	if (commented) {
		comment.at += strlen(trusted);
		comment.length -= strlen(trusted);
		if (!signed_comment(key, own, comment, global)) {
			return refuse(why, 0, "the signature's trusted comment was changed");
		}
	}
	return true;
}
