/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exports that are lists: for Squid's dst and dstdomain, for firewalls (EDL), and JSON with all that is known. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>

static bool write_addresses(const struct selection *selection, FILE *to)
{
	struct range *ranges;
	struct prefix prefix;
	char text[PREFIX_TEXT_SIZE];
	size_t count;

	if (!selection_ranges(selection, &ranges, &count)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		while (range_cut(&ranges[i], &prefix)) {
			prefix_format(&prefix, text);
			fprintf(to, "%s\n", text);
		}
	}
	free(ranges);
	return true;
}

static bool write_names(const struct selection *selection, bool squid, FILE *to)
{
	struct named *names;
	size_t count;

	if (!selection_names(selection, false, &names, &count)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (names[i].rule[0] == '.' && !squid) { /* firewalls take the domain and what is below it apart */
			fprintf(to, "%s\n*%s\n", names[i].rule + 1, names[i].rule);
		} else {
			fprintf(to, "%s\n", names[i].rule);
		}
	}
	free(names);
	return true;
}

bool export_lines(const struct selection *selection, FILE *to, struct refusal *why)
{
	(void)why;
	return write_addresses(selection, to);
}

bool export_dstdomain(const struct selection *selection, FILE *to, struct refusal *why)
{
	(void)why;
	return write_names(selection, true, to);
}

bool export_edl(const struct selection *selection, FILE *to, struct refusal *why)
{
	(void)why;
	return selection->options->names ? write_names(selection, false, to) : write_addresses(selection, to);
}

bool export_json(const struct selection *selection, FILE *to, struct refusal *why)
{
	json_t *list = json_array();
	int failed = 0;

	(void)why;
	for (size_t i = 0; i < selection->entries; i++) {
		const struct entry *entry = &selection->entry[i];
		char ports[1024];

		ports_format(entry->ports, ports, sizeof ports);
		failed |= json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "service", entry->service,
		    "kind", entry->kind == ENTRY_NAME ? "name" : "address", "rule", entry->rule, "ports", ports, "source",
		    entry->source, "date", entry->date, "expires", entry->expires));
	}
	failed |= json_dumpf(list, to, JSON_INDENT(2));
	fputc('\n', to);
	json_decref(list);
	return failed == 0;
}
