/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and CIDR blocks, from text and to text. */
#include <config.h>

#include "category/quick.h"

#include <arpa/inet.h>
#include <libcidr.h>
#include <string.h>

/* Four groups of 0..255 in decimal, without leading zeros. */
static bool parse_ipv4(struct text text, uint8_t bytes[4], struct refusal *why)
{
	size_t at = 0;

	for (int group = 0; group < 4; group++) {
		unsigned value = 0;
		size_t start = at;

		while (at < text.length && text.at[at] >= '0' && text.at[at] <= '9' && at - start < 4) {
			value = value * 10 + (unsigned)(text.at[at] - '0');
			at++;
		}
		if (at == start) {
			return refuse(why, at, "an IPv4 address has four numbers of 0 to 255, with dots between");
		}
		if (at - start > 1 && text.at[start] == '0') {
			return refuse(why, start, "a number with leading zeros could be meant as octal");
		}
		if (value > 255) {
			return refuse(why, start, "a number of an IPv4 address is above 255");
		}
		bytes[group] = (uint8_t)value;
		if (group < 3) {
			if (at == text.length || text.at[at] != '.') {
				return refuse(why, at, "an IPv4 address has four numbers of 0 to 255, with dots between");
			}
			at++;
		}
	}
	return at == text.length || refuse(why, at, "text behind the IPv4 address");
}

/* A hex digit's value plus one; zero for all else. */
static const uint8_t hex[256] = {['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ['A'] = 11, 12, 13, 14, 15, 16, ['a'] = 11, 12, 13, 14, 15, 16};

/* Any textual form of RFC 4291 2.2, as inet_pton reads them; false, with nothing written, of all else. */
static bool ipv6_read(struct text text, uint8_t bytes[16])
{
	const char *at = text.at, *end = at + text.length;
	uint8_t group[16], *to = group, *gap = NULL; /* gap: what stands behind `::` */

	if (text.length >= 2 && at[0] == ':' && at[1] == ':') {
		gap = to;
		at += 2;
	}
	while (at < end) {
		const char *start = at;
		unsigned value = 0, digit;

		for (; at < end && (digit = hex[(unsigned char)*at]) != 0; at++) {
			value = value << 4 | (digit - 1);
		}
		if (at < end && *at == '.') {
			struct refusal why;

			if (to - group > 12 || !parse_ipv4((struct text){start, (size_t)(end - start)}, to, &why)) {
				return false;
			}
			to += 4;
			break;
		}
		if (at == start || at - start > 4 || to - group == 16) {
			return false;
		}
		*to++ = (uint8_t)(value >> 8);
		*to++ = (uint8_t)value;
		if (at == end) {
			break;
		}
		if (*at++ != ':' || at == end) {
			return false;
		}
		if (*at == ':') {
			if (gap != NULL) {
				return false;
			}
			gap = to;
			at++;
		}
	}
	if ((to == group + 16) != (gap == NULL)) {
		return false;
	}
	size_t head = (size_t)((gap == NULL ? to : gap) - group), tail = (size_t)(to - group) - head;
	memset(bytes, 0, 16);
	memcpy(bytes, group, head);
	memcpy(bytes + 16 - tail, group + head, tail);
	return true;
}

static bool parse_ipv6(struct text text, uint8_t bytes[16], struct refusal *why)
{
	if (ipv6_read(text, bytes)) {
		return true;
	}
	for (size_t i = 0; i < text.length; i++) {
		if (strchr("0123456789abcdefABCDEF:.", text.at[i]) == NULL || text.at[i] == '\0') {
			return refuse(why, i, text.at[i] == '%' ? "an IPv6 address with a zone"
			                                        : "a character that no IPv6 address has");
		}
	}
	if (text.length >= ADDRESS_TEXT_SIZE) {
		return refuse(why, ADDRESS_TEXT_SIZE - 1, "too long for an IPv6 address");
	}
	return refuse(why, 0, "not an IPv6 address: eight groups of up to four hex digits, or `::` once");
}

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Without brackets; an IPv4-mapped one stays IPv6. */
static bool parse_either(struct text text, struct address *address, struct refusal *why)
{
	memset(address, 0, sizeof *address);
	if (text.length == 0) {
		return refuse(why, 0, "an empty address");
	}
	if (memchr(text.at, ':', text.length) != NULL) {
		address->family = IPV6;
		return parse_ipv6(text, address->bytes, why);
	}
	address->family = IPV4;
	return parse_ipv4(text, address->bytes, why);
}

static bool parse_any(struct text text, struct address *address, struct refusal *why)
{
	if (text.length > 2 && text.at[0] == '[' && text.at[text.length - 1] == ']') {
		text.at++;
		text.length -= 2;
		if (memchr(text.at, ':', text.length) == NULL) {
			return refuse(why, 0, "brackets are for IPv6 addresses");
		}
	}
	if (!parse_either(text, address, why)) {
		return false;
	}
	if (address->family == IPV6 && memcmp(address->bytes, mapped, sizeof mapped) == 0) {
		address->family = IPV4;
		memmove(address->bytes, address->bytes + 12, 4);
		memset(address->bytes + 4, 0, 12);
	}
	return true;
}

bool address_parse(struct text text, struct address *address, struct refusal *why)
{
	address->family = IPV4;
	memset(address->bytes, 0, sizeof address->bytes);
	return ipv4_read(text, address->bytes) || parse_any(text, address, why);
}

size_t address_format(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
	if (inet_ntop(address->family == IPV4 ? AF_INET : AF_INET6, address->bytes, out, ADDRESS_TEXT_SIZE) == NULL) {
		out[0] = '\0';
	}
	return strlen(out);
}

unsigned family_bits(enum family family)
{
	return family == IPV4 ? 32 : 128;
}

size_t prefix_format(const struct prefix *prefix, char out[PREFIX_TEXT_SIZE])
{
	size_t length = address_format(&prefix->address, out);

	if (prefix->length < family_bits(prefix->address.family)) {
		length = append_format(out, PREFIX_TEXT_SIZE, length, "/%u", prefix->length);
	}
	return length;
}

/* Clears the bits behind length; returns whether there were any. */
static bool clear_host_bits(struct prefix *prefix)
{
	bool any = false;

	for (unsigned bit = prefix->length; bit < family_bits(prefix->address.family); bit++) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

		any = any || (prefix->address.bytes[bit / 8] & mask) != 0;
		prefix->address.bytes[bit / 8] &= (uint8_t)~mask;
	}
	return any;
}

bool prefix_holds(const struct prefix *prefix, const struct address *address)
{
	if (prefix->address.family != address->family) {
		return false;
	}
	unsigned whole = prefix->length / 8, rest = prefix->length % 8;
	if (memcmp(prefix->address.bytes, address->bytes, whole) != 0) {
		return false;
	}
	return rest == 0 || ((prefix->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

/* libcidr 1.2.3 compares the last eight characters of a text with `ip6.arpa`, even if it has fewer: so eight go in front. */
enum { IN_FRONT = 8 };

/* libcidr takes much that isn't meant (`10/8`, `010.1.2.3`, `1.2.3.4/-1`), so it is asked about checked text only, and
 * has to come to the same result. */
static bool libcidr_agrees(const char *text, const struct prefix *prefix)
{
	CIDR *cidr = cidr_from_str(text);
	bool same = false;

	if (cidr == NULL) {
		return false;
	}
	if (cidr_get_pflen(cidr) == (int)prefix->length) {
		struct in_addr in4;
		struct in6_addr in6;

		if (prefix->address.family == IPV4 && cidr_get_proto(cidr) == CIDR_IPV4 && cidr_to_inaddr(cidr, &in4) != NULL) {
			same = memcmp(&in4, prefix->address.bytes, 4) == 0;
		} else if (prefix->address.family == IPV6 && cidr_get_proto(cidr) == CIDR_IPV6 &&
		    cidr_to_in6addr(cidr, &in6) != NULL) {
			same = memcmp(&in6, prefix->address.bytes, 16) == 0;
		}
	}
	cidr_free(cidr);
	return same;
}

bool prefix_parse(struct text text, struct prefix *prefix, struct refusal *why)
{
	char canonical[PREFIX_TEXT_SIZE], given[IN_FRONT + PREFIX_TEXT_SIZE] = "        ";
	struct text address = text;
	const char *slash = text.length == 0 ? NULL : memchr(text.at, '/', text.length);

	if (slash != NULL) {
		address.length = (size_t)(slash - text.at);
	}
	if (!parse_either(address, &prefix->address, why)) {
		return false;
	}
	prefix->length = family_bits(prefix->address.family);
	if (slash != NULL) {
		struct text digits = {slash + 1, text.length - address.length - 1};
		uint32_t length;

		if (!number_parse(digits, prefix->length, &length)) {
			return refuse(why, address.length + 1, "the prefix length is a number of 0 to %u, without leading zeros",
			    prefix->length);
		}
		prefix->length = length;
	}
	if (prefix->address.family == IPV6 && memcmp(prefix->address.bytes, mapped, sizeof mapped) == 0) {
		return refuse(why, 0, "an IPv4-mapped IPv6 address: write the IPv4 address");
	}
	if (clear_host_bits(prefix)) {
		prefix_format(prefix, canonical);
		return refuse(why, 0, "bits are set behind the prefix length: write %s for the block, or the address alone",
		    canonical);
	}
	size_t length = prefix_format(prefix, canonical);
	if (slash != NULL && prefix->length == family_bits(prefix->address.family)) {
		length = append_format(canonical, sizeof canonical, length, "/%u", prefix->length);
	}
	if (length != text.length || memcmp(canonical, text.at, length) != 0) {
		return refuse(why, 0, "not in canonical form: write %s", canonical);
	}
	memcpy(given + IN_FRONT, canonical, length + 1);
	if (!libcidr_agrees(given + IN_FRONT, prefix)) {
		return refuse(why, 0, "libcidr doesn't read it as %s", canonical);
	}
	return true;
}
