/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all exports share: the entries wanted, their addresses united or parted by ports, their names.
 * Spans come of a sweep: the first and last addresses of all blocks part the space into pieces, within each of which the same
 * blocks hold; the ports of a piece are those of all its blocks. Blocks lie within one another or apart, so the blocks that
 * hold a piece are a stack. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	bool (*write)(const struct selection *selection, FILE *to, struct refusal *why);
} formats[EXPORT_FORMATS] = {
	{"nft", export_nft},
	{"ipset", export_ipset},
	{"squid-dst", export_lines},
	{"squid-dstdomain", export_dstdomain},
	{"pac", export_pac},
	{"edl", export_edl},
	{"json", export_json},
};

const char *export_format_name(enum export_format format)
{
	return formats[format].name;
}

bool export_format_parse(const char *name, enum export_format *format)
{
	for (size_t i = 0; i < EXPORT_FORMATS; i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*format = (enum export_format)i;
			return true;
		}
	}
	return false;
}

static bool add_entry(void *context, const struct entry *entry)
{
	struct selection *selection = context;
	const char *const *services = selection->options->services;
	bool wanted = services == NULL && entry->kind != ENTRY_CLIENT;

	for (size_t i = 0; services != NULL && entry->kind != ENTRY_CLIENT && services[i] != NULL; i++) {
		wanted = wanted || strcmp(services[i], entry->service) == 0;
	}
	if (!wanted) {
		return true;
	}
	if (!grow(&selection->entry, &selection->room, selection->entries, sizeof *selection->entry)) {
		selection->out_of_memory = true;
		return false;
	}
	selection->entry[selection->entries++] = *entry;
	return true;
}

bool selection_make(struct selection *selection)
{
	category_entries(selection->category, add_entry, selection);
	return !selection->out_of_memory;
}

bool selection_ranges(const struct selection *selection, struct range **ranges, size_t *count)
{
	*ranges = reallocarray(NULL, selection->entries + 1, sizeof **ranges);
	*count = 0;
	if (*ranges == NULL) {
		return false;
	}
	for (size_t i = 0; i < selection->entries; i++) {
		if (selection->entry[i].kind == ENTRY_ADDRESS) {
			(*ranges)[(*count)++] = range_of(&selection->entry[i].prefix);
		}
	}
	*count = ranges_unite(*ranges, *count);
	return true;
}

bool ports_unite(struct ports *a, const struct ports *b)
{
	if (a->any || b->any) {
		memset(a, 0, sizeof *a);
		a->any = true;
		return true;
	}
	for (int transport = TCP; transport <= UDP; transport++) {
		for (unsigned i = 0; i < b->count[transport]; i++) {
			const struct port_range *range = &b->range[transport][i];
			char text[32];
			struct refusal why;

			(void)snprintf(text, sizeof text, "%u-%u", range->first, range->last);
			if (!ports_add_list(a, (enum transport)transport, text_of(text), &why)) {
				return false;
			}
		}
	}
	return true;
}

bool ports_same(const struct ports *a, const struct ports *b)
{
	if (a->any || b->any) {
		return a->any == b->any;
	}
	for (int transport = TCP; transport <= UDP; transport++) {
		if (a->count[transport] != b->count[transport] || memcmp(a->range[transport], b->range[transport],
		        a->count[transport] * sizeof a->range[transport][0]) != 0) {
			return false;
		}
	}
	return true;
}

/* The widest first where two begin together. */
static int span_compare(const void *left, const void *right)
{
	const struct span *a = left, *b = right;
	int order = (int)a->range.family - (int)b->range.family;

	order = order != 0 ? order : wide_compare(a->range.first, b->range.first);
	return order != 0 ? order : wide_compare(b->range.last, a->range.last);
}

struct sweep {
	struct span *done;
	size_t count, room;
	struct span open[130]; /* the blocks that hold the present place, each with the ports of all around it */
	size_t depth;
	struct wide at;        /* the first address that isn't in done yet */
	bool failed;
};

/* Everything from at to last, within the innermost open block. */
static void put_piece(struct sweep *sweep, struct wide last)
{
	const struct span *open = &sweep->open[sweep->depth - 1];
	struct span piece = {{open->range.family, sweep->at, last}, open->ports};
	struct span *before = sweep->count == 0 ? NULL : &sweep->done[sweep->count - 1];

	if (wide_compare(sweep->at, last) > 0) {
		return;
	}
	sweep->at = wide_add(last, (struct wide){0, 1});
	if (before != NULL && before->range.family == piece.range.family && ports_same(&before->ports, &piece.ports) &&
	    wide_compare(wide_add(before->range.last, (struct wide){0, 1}), piece.range.first) == 0) {
		before->range.last = last;
	} else if (!grow(&sweep->done, &sweep->room, sweep->count, sizeof *sweep->done)) {
		sweep->failed = true;
	} else {
		sweep->done[sweep->count++] = piece;
	}
}

static void close_block(struct sweep *sweep)
{
	struct wide last = sweep->open[sweep->depth - 1].range.last;
	bool more = wide_compare(sweep->at, last) <= 0;

	if (more && !(sweep->at.high == 0 && sweep->at.low == 0 && sweep->count > 0)) {
		put_piece(sweep, last);
	}
	sweep->depth--;
}

static void open_block(struct sweep *sweep, const struct span *block)
{
	while (sweep->depth > 0 && (sweep->open[sweep->depth - 1].range.family != block->range.family ||
	                               wide_compare(sweep->open[sweep->depth - 1].range.last, block->range.first) < 0)) {
		close_block(sweep);
	}
	if (sweep->depth > 0 && wide_compare(sweep->at, block->range.first) < 0) {
		put_piece(sweep, wide_subtract(block->range.first, (struct wide){0, 1}));
	}
	sweep->at = block->range.first;
	sweep->open[sweep->depth] = *block;
	if (sweep->depth > 0) {
		sweep->failed = !ports_unite(&sweep->open[sweep->depth].ports, &sweep->open[sweep->depth - 1].ports) || sweep->failed;
	}
	sweep->depth++;
}

bool selection_spans(const struct selection *selection, struct span **spans, size_t *count)
{
	struct span *blocks = reallocarray(NULL, selection->entries + 1, sizeof *blocks);
	struct sweep *sweep = calloc(1, sizeof *sweep);
	size_t found = 0, kept = 0;

	if (blocks == NULL || sweep == NULL) {
		free(blocks);
		free(sweep);
		return false;
	}
	for (size_t i = 0; i < selection->entries; i++) {
		if (selection->entry[i].kind == ENTRY_ADDRESS) {
			blocks[found++] = (struct span){range_of(&selection->entry[i].prefix), *selection->entry[i].ports};
		}
	}
	if (found > 0) {
		qsort(blocks, found, sizeof *blocks, span_compare);
	}
	for (size_t i = 0; i < found; i++) { /* the same block several times is one, with all their ports */
		if (kept > 0 && span_compare(&blocks[kept - 1], &blocks[i]) == 0) {
			sweep->failed = !ports_unite(&blocks[kept - 1].ports, &blocks[i].ports) || sweep->failed;
		} else {
			blocks[kept++] = blocks[i];
		}
	}
	for (size_t i = 0; i < kept && !sweep->failed; i++) {
		open_block(sweep, &blocks[i]);
	}
	while (sweep->depth > 0 && !sweep->failed) {
		close_block(sweep);
	}
	bool fine = !sweep->failed;
	if (!fine) {
		free(sweep->done);
		sweep->done = NULL;
	}
	*spans = sweep->done;
	*count = fine ? sweep->count : 0;
	free(blocks);
	free(sweep);
	return fine;
}

static int named_compare(const void *left, const void *right)
{
	const struct named *a = left, *b = right;

	return strcmp(a->rule, b->rule);
}

static const struct named *find_name(const struct named *names, size_t count, const char *rule)
{
	struct named wanted = {.rule = rule};

	return bsearch(&wanted, names, count, sizeof *names, named_compare);
}

/* Does another name hold it, with all its ports where they count? */
static bool is_held(const struct named *names, size_t count, const struct named *name, bool with_ports)
{
	char below[RULE_SIZE];
	const char *above = name->rule[0] == '.' ? strchr(name->rule + 1, '.') : below;

	(void)snprintf(below, sizeof below, ".%s", name->rule);
	for (; above != NULL; above = strchr(above + 1, '.')) {
		const struct named *found = find_name(names, count, above);
		struct ports both;

		if (found == NULL) {
			continue;
		}
		both = found->ports;
		if (!with_ports || (ports_unite(&both, &name->ports) && ports_same(&both, &found->ports))) {
			return true;
		}
	}
	return false;
}

bool selection_names(const struct selection *selection, bool with_ports, struct named **names, size_t *count)
{
	struct named *all = reallocarray(NULL, selection->entries + 1, sizeof *all);
	bool *held = calloc(selection->entries + 1, sizeof *held), fine = all != NULL && held != NULL;
	size_t found = 0, kept = 0;

	for (size_t i = 0; fine && i < selection->entries; i++) {
		if (selection->entry[i].kind == ENTRY_NAME) {
			all[found++] = (struct named){selection->entry[i].rule, *selection->entry[i].ports};
		}
	}
	if (found > 0) {
		qsort(all, found, sizeof *all, named_compare);
	}
	for (size_t i = 0; fine && i < found; i++) {
		if (kept > 0 && strcmp(all[kept - 1].rule, all[i].rule) == 0) {
			fine = ports_unite(&all[kept - 1].ports, &all[i].ports);
		} else {
			all[kept++] = all[i];
		}
	}
	for (size_t i = 0; fine && i < kept; i++) {
		held[i] = is_held(all, kept, &all[i], with_ports);
	}
	*count = 0;
	for (size_t i = 0; fine && i < kept; i++) {
		if (!held[i]) {
			all[(*count)++] = all[i];
		}
	}
	free(held);
	if (!fine) {
		free(all);
		all = NULL;
	}
	*names = all;
	return fine;
}

char *export_make(const struct category *category, enum export_format format, const struct export_options *options,
    struct refusal *why)
{
	struct selection selection = {.category = category, .options = options};
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	why->reason[0] = '\0';
	bool fine = to != NULL && selection_make(&selection) && formats[format].write(&selection, to, why) && ferror(to) == 0;
	if (to != NULL) {
		fine = fclose(to) == 0 && fine;
	}
	free(selection.entry);
	if (!fine) {
		free(text);
		text = NULL;
	}
	return text;
}
