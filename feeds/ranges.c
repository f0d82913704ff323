/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of addresses as ranges of 128-bit numbers: united, counted exactly, and cut into blocks. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>
#include <string.h>

int wide_compare(struct wide a, struct wide b)
{
	if (a.high != b.high) {
		return a.high < b.high ? -1 : 1;
	}
	return a.low < b.low ? -1 : a.low > b.low;
}

struct wide wide_add(struct wide a, struct wide b)
{
	struct wide sum = {a.high + b.high, a.low + b.low};

	sum.high += sum.low < a.low;
	return sum;
}

struct wide wide_subtract(struct wide a, struct wide b)
{
	struct wide rest = {a.high - b.high - (a.low < b.low), a.low - b.low};

	return rest;
}

size_t wide_format(struct wide number, char out[WIDE_TEXT_SIZE])
{
	uint32_t limb[4] = {(uint32_t)(number.high >> 32), (uint32_t)number.high, (uint32_t)(number.low >> 32),
	    (uint32_t)number.low};
	char digits[WIDE_TEXT_SIZE];
	size_t at = sizeof digits;

	do { /* divides by ten, and keeps the rest, until nothing is left */
		uint64_t rest = 0;

		for (size_t i = 0; i < 4; i++) {
			rest = rest << 32 | limb[i];
			limb[i] = (uint32_t)(rest / 10);
			rest %= 10;
		}
		digits[--at] = (char)('0' + rest);
	} while ((limb[0] | limb[1] | limb[2] | limb[3]) != 0);
	memcpy(out, digits + at, sizeof digits - at);
	out[sizeof digits - at] = '\0';
	return sizeof digits - at;
}

/* 2^bits - 1, for 0 to 128. */
static struct wide ones(unsigned bits)
{
	struct wide all = {bits > 64 ? UINT64_MAX >> (128 - bits) : 0, bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1};

	return all;
}

static const struct wide one = {0, 1};

struct range range_of(const struct prefix *prefix)
{
	unsigned bytes = family_bits(prefix->address.family) / 8;
	struct range range = {prefix->address.family, {0, 0}, {0, 0}};

	for (unsigned i = 0; i < bytes; i++) {
		range.first.high = range.first.high << 8 | range.first.low >> 56;
		range.first.low = range.first.low << 8 | prefix->address.bytes[i];
	}
	range.last = wide_add(range.first, ones(bytes * 8 - prefix->length));
	return range;
}

struct address range_address(enum family family, struct wide number)
{
	struct address address = {family, {0}};

	for (unsigned i = family_bits(family) / 8; i-- > 0;) {
		address.bytes[i] = (uint8_t)number.low;
		number.low = number.low >> 8 | number.high << 56;
		number.high >>= 8;
	}
	return address;
}

static int range_compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->family != b->family) {
		return a->family < b->family ? -1 : 1;
	}
	int first = wide_compare(a->first, b->first);
	return first != 0 ? first : wide_compare(a->last, b->last);
}

/* Does b, which doesn't begin before a, overlap or touch it? */
static bool joins(const struct range *a, const struct range *b)
{
	struct wide behind = wide_add(a->last, one);

	if (a->family != b->family) {
		return false;
	}
	return wide_compare(b->first, a->last) <= 0 || wide_compare(b->first, behind) == 0;
}

size_t ranges_unite(struct range *ranges, size_t count)
{
	size_t kept = 0;

	if (count == 0) {
		return 0;
	}
	qsort(ranges, count, sizeof *ranges, range_compare);
	for (size_t i = 1; i < count; i++) {
		if (!joins(&ranges[kept], &ranges[i])) {
			ranges[++kept] = ranges[i];
		} else if (wide_compare(ranges[i].last, ranges[kept].last) > 0) {
			ranges[kept].last = ranges[i].last;
		}
	}
	return kept + 1;
}

struct wide ranges_count(const struct range *ranges, size_t count, enum family family)
{
	struct wide sum = {0, 0};

	for (size_t i = 0; i < count; i++) {
		if (ranges[i].family == family) {
			sum = wide_add(sum, wide_add(wide_subtract(ranges[i].last, ranges[i].first), one));
		}
	}
	return sum;
}

/* How many bits at the end of the number are 0. */
static unsigned trailing_zeros(struct wide number)
{
	unsigned count = 0;

	while (count < 128 && ((count < 64 ? number.low >> count : number.high >> (count - 64)) & 1) == 0) {
		count++;
	}
	return count;
}

bool range_cut(struct range *range, struct prefix *prefix)
{
	unsigned bits = family_bits(range->family), host = trailing_zeros(range->first);
	struct wide room = wide_subtract(range->last, range->first);

	if (wide_compare(range->first, range->last) > 0) {
		return false;
	}
	host = host > bits ? bits : host;
	while (wide_compare(ones(host), room) > 0) {
		host--;
	}
	prefix->address = range_address(range->family, range->first);
	prefix->length = bits - host;
	if (wide_compare(ones(host), room) == 0) { /* nothing is left; counting on could run over the end */
		range->first = one;
		range->last = (struct wide){0, 0};
	} else {
		range->first = wide_add(range->first, wide_add(ones(host), one));
	}
	return true;
}
