/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The look-up of an address, inlined: each question passes through it. lines.c says how it works. */
#ifndef SQUID_MEETING_CATEGORY_LINES_H
#define SQUID_MEETING_CATEGORY_LINES_H

#include "category/internal.h"

/* A slot is its line or, with this, a number in prefixes.steps. */
#define STEPS 0x80000000u

/* The smaller one, without a branch, whatever the compiler thinks of it: nobody can guess which it is. */
static inline uint64_t smaller(uint64_t a, uint64_t b)
{
	return b ^ ((a ^ b) & -(uint64_t)(a < b));
}

static inline uint32_t step_of(const struct steps *steps, uint64_t high)
{
	return (uint32_t)smaller((high - smaller(high, steps->first)) >> steps->shift, steps->last);
}

static inline struct hit lookup4(const struct prefixes *prefixes, const union line *line, uint16_t wanted)
{
	while (line->any.children > 0) {
		uint32_t child = 0, last = line->any.children - 1;

		for (unsigned i = 0; i < INNER4 - 1; i++) {
			child += line->inner4.fence[i] <= wanted;
		}
		line = prefixes->line + line->inner4.child + smaller(child, last);
	}
	const uint16_t *start = line->leaf4.start;
	uint32_t at = (uint32_t)(start[0] <= wanted) + (start[1] <= wanted) + (start[2] <= wanted) + (start[3] <= wanted) +
	    (start[4] <= wanted) + (start[5] <= wanted) + (start[6] <= wanted) + (start[7] <= wanted);
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

static inline struct hit lines_lookup(const struct prefixes *prefixes, const struct address *address)
{
	uint32_t slot = (uint32_t)address->bytes[0] << 8 | address->bytes[1];

	if (prefixes->busy == NULL || (prefixes->busy[slot / 64] >> slot % 64 & 1) == 0) {
		return (struct hit){NODE_NONE, 0};
	}
	slot = prefixes->slot[slot];
	if (prefixes->family == IPV4) {
		return lookup4(prefixes, prefixes->line + slot, (uint16_t)(address->bytes[2] << 8 | address->bytes[3]));
	}
	struct key key = key_of_bytes(address->bytes);
	if ((slot & STEPS) != 0) {
		const struct steps *steps = &prefixes->steps[slot & ~STEPS];

		slot = steps->line + step_of(steps, key.high);
	}
	return lookup6(prefixes, prefixes->line + slot, key);
}

#endif
