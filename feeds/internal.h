/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of feeds/ share; no other folder includes it. */
#ifndef SQUID_MEETING_FEEDS_INTERNAL_H
#define SQUID_MEETING_FEEDS_INTERNAL_H

#include "feeds/feeds.h"

#include <jansson.h>
#include <stdio.h>

bool is_blank(char c);
bool is_digit(char c);

/* ---- feed.c ---- */

/* One list while it is being read. */
struct reading {
	const struct feed_options *options;
	struct feed *feed;
	const char *bytes, *end;
	const char *place, *line_start; /* what was last asked for, and where its line starts */
	uint32_t line;
	bool out_of_memory, full;
};

/* Each notes something at a place in the bytes, in whatever order; NULL is about the list as a whole. */
void tell_refused(struct reading *reading, const char *at, const char *format, ...) FORMAT_LIKE(3, 4);
void tell_changed(struct reading *reading, const char *at, const char *format, ...) FORMAT_LIKE(3, 4);

/* A new block for the entries that follow; what is in parentheses behind the source may be NULL. */
void reading_block(struct reading *reading, const char *source, const char *detail, const char *date,
    const struct ports *ports);
void reading_prefix(struct reading *reading, const char *at, const struct prefix *prefix);
void reading_name(struct reading *reading, const char *at, const char *name);

/* The text, cut and with what can't be printed replaced, for a message. */
enum { SHOWN_SIZE = 80 };
const char *shown(struct text text, char out[SHOWN_SIZE]);

/* ---- word.c: one word of a list ---- */

/* Reads an address or block; changed says whether it was written otherwise. Returns false, and why. */
bool word_prefix(struct text word, struct prefix *prefix, bool *changed, struct refusal *why) MUST_CHECK;

/* Reads a name; `*.` at its start is a leading dot. Returns false, and why. */
bool word_name(struct text word, char name[RULE_SIZE], bool *changed, struct refusal *why) MUST_CHECK;

/* An address or a name: reads it, adds it, and tells what there is to tell, at a place that may be elsewhere. */
void reading_word(struct reading *reading, const char *at, struct text word);
bool looks_like_address(struct text word); /* has nothing but what addresses have */

/* ---- ports.c ---- */

/* A list of ports of one transport, with what to write instead where it can't be read. */
bool port_list_parse(struct text text, enum transport transport, struct ports *ports, struct refusal *why) MUST_CHECK;

/* ---- json.c: where a value of a text stands that jansson has read ---- */

json_t *json_read(struct reading *reading); /* NULL, and told */
const char *place_first(const struct reading *reading, const char *array);  /* its first element; NULL: none */
const char *place_next(const struct reading *reading, const char *element); /* the one behind it; NULL: none */
const char *place_member(const struct reading *reading, const char *object, const char *key); /* NULL: not found */
const char *place_root(const struct reading *reading);

/* ---- cidr.c, m365.c, aws.c, pasted.c ---- */

void read_cidr(struct reading *reading);
void read_m365(struct reading *reading);
void read_aws(struct reading *reading);
void read_pasted(struct reading *reading);

/* ---- export.c ---- */

/* A range of addresses with the same ports everywhere in it. */
struct span {
	struct range range;
	struct ports ports;
};

/* What is to be exported. */
struct selection {
	const struct category *category;
	const struct export_options *options;
	struct entry *entry;     /* of the services wanted, without clients */
	size_t entries, room;
	bool out_of_memory;
};

bool selection_make(struct selection *selection) MUST_CHECK;

/* The addresses without their ports, united. The caller frees them; false if memory has run out. */
bool selection_ranges(const struct selection *selection, struct range **ranges, size_t *count) MUST_CHECK;

/* The addresses as spans, in order, that don't overlap. Ranges that touch and have the same ports are joined. */
bool selection_spans(const struct selection *selection, struct span **spans, size_t *count) MUST_CHECK;

/* The names, in order, without those that another holds (on the same ports, where ports count). The caller frees the
 * list; the texts are the category's. */
struct named {
	const char *rule;
	struct ports ports;
};
bool selection_names(const struct selection *selection, bool with_ports, struct named **names, size_t *count) MUST_CHECK;
bool ports_same(const struct ports *a, const struct ports *b);

/* Adds what b allows. Returns false if there are too many ranges. */
bool ports_unite(struct ports *a, const struct ports *b) MUST_CHECK;

/* Each writes its format; false, and why. */
bool export_nft(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;
bool export_ipset(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;
bool export_lines(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;
bool export_dstdomain(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;
bool export_edl(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;
bool export_pac(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;
bool export_json(const struct selection *selection, FILE *to, struct refusal *why) MUST_CHECK;

#endif
