/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each question passes through, inlined; with SSE2, which all of x86-64 has, without a branch a character. */
#ifndef SQUID_MEETING_CATEGORY_QUICK_H
#define SQUID_MEETING_CATEGORY_QUICK_H

#include "category/internal.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* number_parse, inlined. */
static inline bool number_read(struct text text, uint32_t most, uint32_t *number)
{
	uint64_t value = 0;

	if (text.length == 0 || text.length > 10 || (text.length > 1 && text.at[0] == '0')) {
		return false;
	}
	for (size_t i = 0; i < text.length; i++) {
		unsigned digit = (unsigned)text.at[i] - '0';

		if (digit > 9) {
			return false;
		}
		value = value * 10 + digit;
	}
	if (value > most) {
		return false;
	}
	*number = (uint32_t)value;
	return true;
}

#ifdef __SSE2__
/* A text of 8 to 15 characters, and zeros behind it. */
static inline __m128i text_load(struct text text)
{
	uint64_t first, last;

	memcpy(&first, text.at, sizeof first);
	memcpy(&last, text.at + text.length - sizeof last, sizeof last);
	return _mm_set_epi64x((long long)(last >> 8 >> 8 * (15 - text.length)), (long long)first);
}

/* Those bytes that are one of count characters from first on. */
static inline __m128i bytes_among(__m128i bytes, char first, int count)
{
	__m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(count - 1))), offset);
}

/* A bit for each such byte. */
static inline unsigned bytes_where(__m128i bytes, char first, int count)
{
	return (unsigned)_mm_movemask_epi8(bytes_among(bytes, first, count));
}

static inline uint32_t load32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

/* An IPv4 address of 8 to 15 characters, which nearly all are. False is no refusal: address_parse has to look. */
static inline bool ipv4_read(struct text text, uint8_t bytes[4])
{
	/* What is kept of a number's word, by how many digits it has; the last of them is the third byte. */
	static const uint32_t keep[] = {0, 0x0f0000, 0x0f0f00, 0x0f0f0f};

	if (text.length < 8 || text.length > 15) {
		return false;
	}
	__m128i all = text_load(text);
	unsigned digits = bytes_where(all, '0', 10), zeros = bytes_where(all, '0', 1), dots = bytes_where(all, '.', 1);
	unsigned starts = dots << 1 | 1; /* of numbers */
	unsigned two = dots & (dots - 1), one = two & (two - 1); /* without the first dot, and the second */
	unsigned wrong = ((dots | digits) + 1) ^ 1u << text.length; /* other characters */

	wrong |= (dots | (zeros & digits >> 1)) & starts;   /* no digits, or leading zeros */
	wrong |= starts >> text.length | (one & (one - 1)); /* no digits at the end, or a fourth dot */
	if (wrong != 0 || one == 0) {
		return false;
	}
	unsigned first = (unsigned)__builtin_ctz(dots), second = (unsigned)__builtin_ctz(two);
	unsigned third = (unsigned)__builtin_ctz(one), a = first, b = second - first - 1; /* a to d: how many digits each has */
	unsigned c = third - second - 1, d = (unsigned)text.length - third - 1;
	if ((a | b | c | d) > 3) {
		return false;
	}
	__m128i numbers = _mm_set_epi32((int)(load32(text.at + text.length - 4) >> 8 & keep[d]),
	    (int)(load32(text.at + third - 3) & keep[c]), (int)(load32(text.at + second - 3) & keep[b]),
	    (int)(load32(text.at) << 8 * (3 - a) & keep[a]));
	__m128i tens = _mm_madd_epi16(_mm_srli_epi16(numbers, 8), _mm_set1_epi32(10));
	__m128i others = _mm_madd_epi16(_mm_and_si128(numbers, _mm_set1_epi16(0xff)), _mm_set1_epi32(1 << 16 | 100));
	__m128i value = _mm_add_epi32(tens, others);
	if (_mm_movemask_epi8(_mm_cmpgt_epi32(value, _mm_set1_epi32(255))) != 0) {
		return false;
	}
	value = _mm_packs_epi32(value, value);
	int packed = _mm_cvtsi128_si32(_mm_packus_epi16(value, value));
	memcpy(bytes, &packed, 4);
	return true;
}
#else
static inline bool ipv4_read(struct text text, uint8_t bytes[4])
{
	(void)text;
	(void)bytes;
	return false;
}
#endif

#endif
