/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies kept: what follows the channel is the same for all questions that the same entry decides, and writing it takes
 * longer than finding the entry. A few hundred are kept, each at the one place that its entry's number gives. */
#include <config.h>

#include "helper/helper.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES_LOG = 9, PLACES = 1 << PLACES_LOG, COPIED = 64, TEXT_SIZE = 8 * COPIED };

struct replies {
	uint64_t serial; /* of the category that all are of */
	struct kept {
		uint64_t of; /* 0: free */
		uint32_t length;
		char text[TEXT_SIZE];
	} kept[PLACES];
};

struct replies *replies_new(void)
{
	return calloc(1, sizeof(struct replies));
}

void replies_free(struct replies *replies)
{
	free(replies);
}

/* All that a verdict's text is made of, where no other service is named and nothing quoted; 0: it is of more. */
static uint64_t made_of(const struct verdict *verdict)
{
	uint64_t of = 1u | (unsigned)verdict->kind << 1 | (unsigned)verdict->evidence << 3 | (unsigned)verdict->miss << 5 |
	    (unsigned)verdict->stale << 10;

	if (verdict->kind == VERDICT_NORMAL) {
		return of;
	}
	if (verdict->kind != VERDICT_BYPASS || verdict->also_count > 0) {
		return 0;
	}
	return of | (unsigned)verdict->table << 11 | (uint64_t)verdict->service_index << 16 | (uint64_t)verdict->node << 32;
}

static void forget(struct replies *replies, uint64_t serial)
{
	for (size_t i = 0; i < PLACES; i++) {
		replies->kept[i].of = 0;
	}
	replies->serial = serial;
}

/* Writes a reply, and keeps it. */
__attribute__((noinline)) static size_t write_anew(struct kept *kept, uint64_t of, const struct options *options,
    const struct question *question, const struct verdict *verdict, char out[REPLY_SIZE])
{
	size_t length = protocol_reply(options, question, verdict, out);
	size_t channel = question->first == 0 ? 0 : question_word(question, 0).length + 1;

	if (of != 0 && length - channel <= TEXT_SIZE) {
		kept->of = of;
		kept->length = (uint32_t)(length - channel);
		memcpy(kept->text, out + channel, kept->length);
	}
	return length;
}

size_t replies_reply(struct replies *replies, const struct options *options, const struct question *question,
    const struct verdict *verdict, char out[REPLY_SIZE])
{
	uint64_t of = replies == NULL || question->wrong != NULL ? 0 : made_of(verdict);
	struct kept *kept = NULL;

	if (of != 0) {
		if (replies->serial != category_serial(verdict->category)) {
			forget(replies, category_serial(verdict->category));
		}
		kept = &replies->kept[of * 0x9e3779b97f4a7c15u >> (64 - PLACES_LOG)];
	}
	if (kept == NULL || kept->of != of) {
		return write_anew(kept, of, options, question, verdict, out);
	}
	char *to = out;
	if (question->first != 0) {
		struct text channel = question_word(question, 0);

		for (size_t i = 0; i < channel.length; i++) {
			*to++ = channel.at[i];
		}
		*to++ = ' ';
	}
	/* So many at a time, whatever is behind them: there is room. */
	for (size_t i = 0; i < kept->length; i += COPIED) {
		memcpy(to + i, kept->text + i, COPIED);
	}
	return (size_t)(to - out) + kept->length;
}
