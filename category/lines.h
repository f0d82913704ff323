/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The look-up of an address, inlined: each question passes through it. lines.c says how it works. */
#ifndef SQUID_MEETING_CATEGORY_LINES_H
#define SQUID_MEETING_CATEGORY_LINES_H

#include "category/internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A slot of IPv4 is the line of its first step and, above, the width of the steps in bits. One of IPv6 is its line or, with
 * STEPS, a number in prefixes.steps. */
#define STEPS 0x80000000u
enum { WIDTH_AT = 27 };

/* The smaller one, without a branch, whatever the compiler thinks of it: nobody can guess which it is. */
static inline uint64_t smaller(uint64_t a, uint64_t b)
{
	return b ^ ((a ^ b) & -(uint64_t)(a < b));
}

static inline uint32_t step_of(const struct steps *steps, uint64_t high)
{
	return (uint32_t)smaller((high - smaller(high, steps->first)) >> steps->shift, steps->last);
}

/* How many of the starts, or fences, are at or before the wanted one; they rise. */
static inline uint32_t starts_upto(const uint16_t *start, unsigned count, uint16_t wanted)
{
#ifdef __SSE2__
	const __m128i *eight = (const __m128i *)start, all = _mm_set1_epi16((short)wanted);
	uint64_t before = 0; /* two bits for each */

	for (unsigned i = 0; i < count / 8; i++) {
		__m128i excess = _mm_subs_epu16(_mm_load_si128(&eight[i]), all);

		before |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(excess, _mm_setzero_si128())) << 16 * i;
	}
	return (uint32_t)__builtin_ctzll(~before) / 2;
#else
	uint32_t before = 0;

	for (unsigned i = 0; i < count; i++) {
		before += start[i] <= wanted;
	}
	return before;
#endif
}

static inline struct hit lookup4(const struct prefixes *prefixes, const union line *line, uint16_t wanted)
{
	while (line->any.children > 0) {
		uint32_t child = starts_upto(line->inner4.fence, INNER4 - 1, wanted), last = line->any.children - 1;

		line = prefixes->line + line->inner4.child + smaller(child, last);
	}
	uint32_t at = starts_upto(line->leaf4.start, LEAF4 - 1, wanted);
	return (struct hit){line->leaf4.node[at], line->leaf4.only[at]};
}

/* How many of a line's starts, or fences, are at or before the key. */
static inline uint32_t starts_before(const struct prefixes *prefixes, const union line *line, uint32_t count, struct key key)
{
	uint32_t at = 0;

	if (prefixes->low == NULL) {
		for (uint32_t i = 0; i < count; i++) {
			at += line->inner6.fence[i] <= key.high;
		}
		return at;
	}
	const struct low *low = prefixes->low + (line - prefixes->line);
	for (uint32_t i = 0; i < count; i++) {
		at += line->inner6.fence[i] < key.high || (line->inner6.fence[i] == key.high && low->of[i] <= key.low);
	}
	return at;
}

static inline struct hit lookup6(const struct prefixes *prefixes, const union line *line, struct key key)
{
	while (line->any.children > 0) {
		uint32_t child = starts_before(prefixes, line, INNER6 - 1, key), last = line->any.children - 1;

		line = prefixes->line + line->inner6.child + smaller(child, last);
	}
	uint32_t at = starts_before(prefixes, line, LEAF6 - 1, key);
	return (struct hit){line->leaf6.node[at], line->leaf6.only[at]};
}

static inline bool is_busy(const struct prefixes *prefixes, uint32_t slot)
{
	return prefixes->busy != NULL && (prefixes->busy[slot / 64] >> slot % 64 & 1) != 0;
}

static inline struct hit lines_lookup4(const struct prefixes *prefixes, const uint8_t bytes[4])
{
	uint32_t word, slot;

	memcpy(&word, bytes, sizeof word);
	word = be32toh(word);
	slot = word >> 16;
	if (!is_busy(prefixes, slot)) {
		return (struct hit){NODE_NONE, 0};
	}
	slot = prefixes->slot[slot];
	word &= UINT16_MAX;
	return lookup4(prefixes, prefixes->line + (slot & ((1u << WIDTH_AT) - 1)) + (word >> (slot >> WIDTH_AT)), (uint16_t)word);
}

static inline struct hit lines_lookup6(const struct prefixes *prefixes, const uint8_t bytes[16])
{
	uint32_t slot = (uint32_t)bytes[0] << 8 | bytes[1];

	if (!is_busy(prefixes, slot)) {
		return (struct hit){NODE_NONE, 0};
	}
	struct key key = key_of_bytes(bytes);
	slot = prefixes->slot[slot];
	if ((slot & STEPS) != 0) {
		const struct steps *steps = &prefixes->steps[slot & ~STEPS];

		slot = steps->line + step_of(steps, key.high);
	}
	return lookup6(prefixes, prefixes->line + slot, key);
}

static inline struct hit lines_lookup(const struct prefixes *prefixes, const struct address *address)
{
	return prefixes->family == IPV4 ? lines_lookup4(prefixes, address->bytes) : lines_lookup6(prefixes, address->bytes);
}

#endif
