/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of ports: "tcp 80,443,8801-8802 udp 3478". */
#include <config.h>

#include "category/internal.h"

#include <string.h>

/* Puts a range in, in order, and joins it with those that it touches. Returns false if there are too many. */
static bool add_range(struct ports *ports, enum transport transport, uint32_t first, uint32_t last)
{
	struct port_range *range = ports->range[transport];
	unsigned count = ports->count[transport], at = 0, end;

	while (at < count && (uint32_t)range[at].last + 1 < first) {
		at++;
	}
	for (end = at; end < count && range[end].first <= last + 1; end++) {
		first = range[end].first < first ? range[end].first : first;
		last = range[end].last > last ? range[end].last : last;
	}
	if (end == at) {
		if (count == PORT_RANGES) {
			return false;
		}
		memmove(range + at + 1, range + at, (count - at) * sizeof *range);
		ports->count[transport]++;
	} else {
		memmove(range + at + 1, range + end, (count - end) * sizeof *range);
		ports->count[transport] = (uint8_t)(count - (end - at - 1));
	}
	range[at].first = (uint16_t)first;
	range[at].last = (uint16_t)last;
	return true;
}

bool ports_add_list(struct ports *ports, enum transport transport, struct text list, struct refusal *why)
{
	size_t at = 0;

	for (;;) {
		struct text item = {list.at + at, 0}, high;
		uint32_t first, last;

		while (at + item.length < list.length && item.at[item.length] != ',') {
			item.length++;
		}
		const char *dash = item.length == 0 ? NULL : memchr(item.at, '-', item.length);
		high = item;
		struct text low = item;
		if (dash != NULL) {
			low.length = (size_t)(dash - item.at);
			high.at = dash + 1;
			high.length = item.length - low.length - 1;
		}
		if (!number_parse(low, 65535, &first) || !number_parse(high, 65535, &last) || first == 0) {
			return refuse(why, at, "ports are numbers of 1 to 65535 or ranges, with commas and no blanks: 80,443,8801-8802");
		}
		if (first > last) {
			return refuse(why, at, "a range of ports runs from the lower to the higher one");
		}
		if (!add_range(ports, transport, first, last)) {
			return refuse(why, at, "more than %d ranges of ports", PORT_RANGES);
		}
		at += item.length + 1;
		if (at > list.length) {
			return true;
		}
	}
}

size_t ports_format(const struct ports *ports, char *out, size_t size)
{
	static const char *const names[] = {"tcp", "udp"};
	size_t at = 0;

	if (size == 0) {
		return 0;
	}
	out[0] = '\0';
	if (ports->any) {
		return append_format(out, size, 0, "any");
	}
	for (int t = TCP; t <= UDP; t++) {
		for (unsigned i = 0; i < ports->count[t]; i++) {
			const struct port_range *range = &ports->range[t][i];

			if (i == 0) {
				at = append_format(out, size, at, "%s%s ", at == 0 ? "" : " ", names[t]);
			} else {
				at = append_format(out, size, at, ",");
			}
			at = append_format(out, size, at, "%u", range->first);
			if (range->last != range->first) {
				at = append_format(out, size, at, "-%u", range->last);
			}
		}
	}
	return at;
}
