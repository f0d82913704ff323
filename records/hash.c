/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SipHash-2-4: numbers for texts that clients make up, so that nobody can choose texts with the same number; and an open table
 * by it. */
#include <config.h>

#include "records/internal.h"

#include <stdlib.h>
#include <sys/random.h>

struct state {
	uint64_t a, b, c, d;
};

static uint64_t turn(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void mix(struct state *state, unsigned rounds)
{
	while (rounds-- > 0) {
		state->a += state->b;
		state->c += state->d;
		state->b = turn(state->b, 13) ^ state->a;
		state->d = turn(state->d, 16) ^ state->c;
		state->a = turn(state->a, 32);
		state->c += state->b;
		state->a += state->d;
		state->b = turn(state->b, 17) ^ state->c;
		state->d = turn(state->d, 21) ^ state->a;
		state->c = turn(state->c, 32);
	}
}

static uint64_t word_of(const unsigned char *bytes, size_t count)
{
	uint64_t word = 0;

	while (count-- > 0)
		word = word << 8 | bytes[count];
	return word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	struct state state = {
		.a = key->word[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key->word[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key->word[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key->word[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word, last = (uint64_t)(length & 0xff) << 56;
	size_t left = length;

	for (; left >= 8; left -= 8, at += 8) {
		word = word_of(at, 8);
		state.d ^= word;
		mix(&state, 2);
		state.a ^= word;
	}
	word = last | (left > 0 ? word_of(at, left) : 0);
	state.d ^= word;
	mix(&state, 2);
	state.a ^= word;
	state.c ^= 0xff;
	mix(&state, 4);
	return state.a ^ state.b ^ state.c ^ state.d;
}

bool numbers_begin(struct numbers *numbers, size_t room)
{
	*numbers = (struct numbers){ .room = room, .list = calloc(room, sizeof *numbers->list) };
	return numbers->list != NULL && getrandom(&numbers->key, sizeof numbers->key, 0) == (ssize_t)sizeof numbers->key;
}

void numbers_free(struct numbers *numbers)
{
	free(numbers->list);
	numbers->list = NULL;
}

uint64_t numbers_hash(const struct numbers *numbers, struct text text)
{
	uint64_t hash = hash_bytes(&numbers->key, text.at, text.length);

	return hash == 0 ? 1 : hash;
}

struct numbered *numbers_find(const struct numbers *numbers, uint64_t hash)
{
	size_t at = hash & (numbers->room - 1);

	while (numbers->list[at].hash != 0 && numbers->list[at].hash != hash)
		at = (at + 1) & (numbers->room - 1);
	return &numbers->list[at];
}

bool numbers_grow(struct numbers *numbers)
{
	struct numbers larger = *numbers;

	larger.room *= 2;
	larger.list = calloc(larger.room, sizeof *larger.list);
	if (larger.list == NULL)
		return false;
	for (size_t i = 0; i < numbers->room; i++)
		if (numbers->list[i].hash != 0)
			*numbers_find(&larger, numbers->list[i].hash) = numbers->list[i];
	free(numbers->list);
	*numbers = larger;
	return true;
}
