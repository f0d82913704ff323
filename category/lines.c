/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an address to its range, through as few cache lines as can be.
 *
 * The first 16 bits of an address pick a slot; one bit of 8 KiB tells of most that no prefix is near. A slot leads to
 * a line, in which all starts are compared without a branch; one with many ranges is cut into steps of equal width, each with
 * its line. Where there are more ranges than a line holds, lines above tell which to go to, as in a B-tree: close
 * neighbours take a line more or two, whatever the list. */
#include <config.h>

#include "category/lines.h"

#include <stdlib.h>

enum { SLOTS = 65536 };

static uint32_t slot_of(struct key key)
{
	return (uint32_t)(key.high >> 48);
}

/* The ranges that touch a slot: the node of that which it begins in, and, from at on, those that start in it. count is of
 * all. */
struct run {
	uint32_t slot, at, count, first;
};

/* The next slot that isn't empty; run->slot is SLOTS behind the last one. */
static void next_run(const struct ranges *ranges, struct run *run)
{
	do {
		run->first = run->count > 1 ? ranges->node[run->at + run->count - 2] : run->first;
		run->at += run->count - 1;
		run->count = 1;
		run->slot++;
		while (run->at + run->count - 1 < ranges->count && slot_of(ranges->start[run->at + run->count - 1]) == run->slot) {
			run->count++;
		}
	} while (run->slot < SLOTS && run->count == 1 && run->first == NODE_NONE);
}

static const struct run run_begin = {UINT32_MAX, 0, 1, NODE_NONE};

/* Lines are written twice: first only counted (prefixes.line is NULL), then put. */
struct writer {
	struct prefixes *to;
	const struct ranges *ranges;
	struct run run;
	uint32_t steps, lines;
};

static struct key start_of(const struct writer *writer, uint32_t range)
{
	return writer->ranges->start[writer->run.at + range - 1];
}

static uint32_t node_of(const struct writer *writer, uint32_t range)
{
	return range == 0 ? writer->run.first : writer->ranges->node[writer->run.at + range - 1];
}

/* The number of the node's only grant. Two that share a place are as if they had several. */
static uint8_t only_of(struct prefixes *to, uint32_t number)
{
	const struct node *node = node_at(&to->nodes, number);

	if (number == NODE_NONE || node->grants != 1) {
		return 0;
	}
	struct grant grant = *node_grants(&to->nodes, node);
	uint8_t place = (uint8_t)(1 + (grant.block + 41u * grant.ports) % (ONLY_MOST - 1));
	struct grant *only = &to->only[place];
	if (only->line == 0) {
		*only = (struct grant){1, grant.block, grant.ports};
	}
	return only->block == grant.block && only->ports == grant.ports ? place : 0;
}

/* Puts a start: the second 16 bits of an IPv4 one, or all of an IPv6 one; behind all addresses, if there is no such range. */
static void put_start(const struct writer *writer, uint32_t line, uint32_t at, bool have, uint32_t range)
{
	struct prefixes *to = writer->to;
	struct key start = have ? start_of(writer, range) : (struct key){UINT64_MAX, UINT64_MAX};

	if (to->family == IPV4) {
		to->line[line].inner4.fence[at] = (uint16_t)(start.high >> 32);
		return;
	}
	to->line[line].inner6.fence[at] = start.high;
	if (to->low != NULL) {
		to->low[line].of[at] = start.low;
	}
}

static void put_leaf(struct writer *writer, uint32_t line, uint32_t from, uint32_t count)
{
	struct prefixes *to = writer->to;
	uint32_t most = to->family == IPV4 ? LEAF4 : LEAF6;

	to->line[line].any.children = 0;
	for (uint32_t i = 0; i < most; i++) {
		uint32_t node = node_of(writer, from + (i < count ? i : count - 1));
		uint8_t only = only_of(to, node);

		if (i > 0) {
			put_start(writer, line, i - 1, i < count, from + i);
		}
		if (to->family == IPV4) {
			to->line[line].leaf4.node[i] = node;
			to->line[line].leaf4.only[i] = only;
		} else {
			to->line[line].leaf6.node[i] = node;
			to->line[line].leaf6.only[i] = only;
		}
	}
}

static uint32_t share(uint32_t count, uint32_t children, uint32_t child)
{
	return (uint32_t)((uint64_t)count * child / children);
}

static void put_inner(struct writer *writer, uint32_t line, uint32_t from, uint32_t count, uint32_t children)
{
	struct prefixes *to = writer->to;
	uint32_t most = to->family == IPV4 ? INNER4 : INNER6;

	for (uint32_t i = 1; i < most; i++) {
		put_start(writer, line, i - 1, i < children, from + share(count, children, i));
	}
	*(to->family == IPV4 ? &to->line[line].inner4.child : &to->line[line].inner6.child) = writer->lines;
	to->line[line].any.children = (uint8_t)children;
}

/* Puts so many ranges into the line, or below it. */
static void put_ranges(struct writer *writer, uint32_t line, uint32_t from, uint32_t count)
{
	bool four = writer->to->family == IPV4, count_only = writer->to->line == NULL;
	uint32_t inner_most = four ? INNER4 : INNER6, room = four ? LEAF4 : LEAF6;

	if (count <= room) {
		if (!count_only) {
			put_leaf(writer, line, from, count);
		}
		return;
	}
	while (count > room * inner_most) {
		room *= inner_most;
	}
	uint32_t children = (count + room - 1) / room, child = writer->lines;
	if (!count_only) {
		put_inner(writer, line, from, count, children);
	}
	writer->lines += children;
	for (uint32_t i = 0; i < children; i++) {
		put_ranges(writer, child + i, from + share(count, children, i),
		    share(count, children, i + 1) - share(count, children, i));
	}
}

/* Behind the last range that touches the step, of which range is the first. */
static uint32_t step_end(const struct writer *writer, const struct steps *steps, uint32_t step, uint32_t range)
{
	do {
		range++;
	} while (range < writer->run.count && step_of(steps, start_of(writer, range).high) == step);
	return range;
}

/* Whether each step has room in one line. */
static bool steps_fit(const struct writer *writer, const struct steps *steps)
{
	uint32_t range = 0;

	for (uint32_t step = 0; step <= steps->last; step++) {
		uint32_t end = step_end(writer, steps, step, range);

		if (end - range > LEAF4) {
			return false;
		}
		range = end - 1;
	}
	return true;
}

/* Cuts a slot of IPv4 into the fewest steps, a power of two, that fit; not at all if that takes half as many lines again. */
static void cut4(const struct writer *writer, struct steps *steps)
{
	uint32_t lines = (writer->run.count + LEAF4 - 1) / LEAF4 + 1;

	for (uint32_t count = 2; !steps_fit(writer, steps); count *= 2) {
		if (count > lines + lines / 2) {
			steps->shift = 48;
			steps->last = 0;
			return;
		}
		steps->shift--;
		steps->last = count - 1;
	}
}

/* Cuts a slot of IPv6 into about as many steps as ranges; half of that where there are very many. */
static void cut6(const struct writer *writer, struct steps *steps)
{
	uint32_t count = writer->run.count;

	steps->first = start_of(writer, 1).high;
	uint64_t span = start_of(writer, count - 1).high - steps->first;
	for (steps->shift = 0; span >> steps->shift >= (count < 4096 ? count : count / 2);) {
		steps->shift++;
	}
	steps->last = (uint32_t)(span >> steps->shift);
}

static void put_run(struct writer *writer)
{
	struct prefixes *to = writer->to;
	struct steps steps = {.first = (uint64_t)writer->run.slot << 48, .line = writer->lines, .shift = 48};
	uint32_t slot = writer->lines, range = 0;

	if (to->family == IPV4) {
		cut4(writer, &steps);
	} else if (writer->run.count > LEAF6) {
		cut6(writer, &steps);
	}
	writer->lines += steps.last + 1;
	for (uint32_t step = 0; step <= steps.last; step++) {
		uint32_t end = step_end(writer, &steps, step, range);

		put_ranges(writer, steps.line + step, range, end - range);
		range = end - 1;
	}
	if (to->family == IPV4) {
		slot |= (steps.shift - 32) << WIDTH_AT;
	} else if (steps.last > 0) {
		slot = STEPS | writer->steps;
		if (to->line != NULL) {
			to->steps[writer->steps] = steps;
		}
		writer->steps++;
	}
	if (to->line != NULL) {
		to->busy[writer->run.slot / 64] |= (uint64_t)1 << writer->run.slot % 64;
		to->slot[writer->run.slot] = slot;
	}
}

static struct writer put_runs(struct prefixes *to, const struct ranges *ranges)
{
	struct writer writer = {to, ranges, run_begin, 0, 1};

	for (next_run(ranges, &writer.run); writer.run.slot < SLOTS; next_run(ranges, &writer.run)) {
		put_run(&writer);
	}
	return writer;
}

bool lines_build(struct prefixes *to, const struct ranges *ranges)
{
	struct writer counted = put_runs(to, ranges);
	bool low = false;

	for (uint32_t i = 0; i < ranges->count; i++) {
		low = low || ranges->start[i].low != 0;
	}
	to->cuts = counted.steps;
	to->lines = counted.lines;
	to->busy = calloc(SLOTS / 64, sizeof *to->busy);
	to->slot = calloc(SLOTS, sizeof *to->slot);
	to->steps = calloc(to->cuts + 1, sizeof *to->steps);
	to->low = low ? calloc(to->lines, sizeof *to->low) : NULL;
	to->line = pages_new(to->lines * sizeof *to->line);
	if (to->busy == NULL || to->slot == NULL || to->steps == NULL || to->line == NULL || (low && to->low == NULL)) {
		return false;
	}
	(void)put_runs(to, ranges);
	return true;
}

void lines_free(struct prefixes *prefixes)
{
	free(prefixes->busy);
	free(prefixes->slot);
	free(prefixes->steps);
	free(prefixes->line);
	free(prefixes->low);
}

size_t prefixes_bytes(const struct prefixes *prefixes)
{
	if (prefixes->busy == NULL) {
		return 0;
	}
	return nodes_bytes(&prefixes->nodes) + SLOTS / 8 + SLOTS * sizeof *prefixes->slot +
	    prefixes->cuts * sizeof *prefixes->steps + prefixes->lines * sizeof *prefixes->line +
	    (prefixes->low == NULL ? 0 : prefixes->lines * sizeof *prefixes->low);
}
