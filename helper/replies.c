/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies kept: what follows the channel is the same for all questions that the same entry decides, and writing it takes
 * longer than finding the entry. A few hundred are kept, each at the one place that its entry's number gives. */
#include <config.h>

#include "helper/helper.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 512, TEXT_SIZE = 488 };

/* What a verdict's text is made of, where no other service is named and nothing quoted. */
struct made_of {
	uint32_t node;
	uint16_t service;
	uint8_t kind, evidence, miss, table;
	bool stale;
};

struct replies {
	uint64_t serial; /* of the category that all are of */
	struct kept {
		struct made_of of;
		uint16_t length; /* 0: free */
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

static bool same(const struct made_of *a, const struct made_of *b)
{
	return a->node == b->node && a->service == b->service && a->kind == b->kind && a->evidence == b->evidence &&
	    a->miss == b->miss && a->table == b->table && a->stale == b->stale;
}

static void forget(struct replies *replies, uint64_t serial)
{
	for (size_t i = 0; i < PLACES; i++) {
		replies->kept[i].length = 0;
	}
	replies->serial = serial;
}

size_t replies_reply(struct replies *replies, const struct options *options, const struct question *question,
    const struct verdict *verdict, char out[REPLY_SIZE])
{
	if (replies == NULL || question->wrong != NULL || verdict->also_count > 0 ||
	    (verdict->kind != VERDICT_BYPASS && verdict->kind != VERDICT_NORMAL)) {
		return protocol_reply(options, question, verdict, out);
	}
	bool bypass = verdict->kind == VERDICT_BYPASS;
	struct made_of of = {bypass ? verdict->node : 0, bypass ? verdict->service_index : 0, (uint8_t)verdict->kind,
	    (uint8_t)verdict->evidence, (uint8_t)verdict->miss, bypass ? verdict->table : 0, verdict->stale};
	struct kept *kept = &replies->kept[(of.node * 0x9e3779b1u >> 20 ^ of.miss ^ of.table) % PLACES];
	size_t channel = question->first == 0 ? 0 : question_word(question, 0).length + 1;

	if (replies->serial != category_serial(verdict->category)) {
		forget(replies, category_serial(verdict->category));
	}
	if (kept->length > 0 && same(&kept->of, &of)) {
		if (channel > 0) {
			memcpy(out, question_word(question, 0).at, channel - 1);
			out[channel - 1] = ' ';
		}
		memcpy(out + channel, kept->text, kept->length);
		return channel + kept->length;
	}
	size_t length = protocol_reply(options, question, verdict, out);
	if (length - channel <= TEXT_SIZE) {
		kept->of = of;
		kept->length = (uint16_t)(length - channel);
		memcpy(kept->text, out + channel, kept->length);
	}
	return length;
}
