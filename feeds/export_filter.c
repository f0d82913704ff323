/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exports to packet filters: nftables and ipset, with ports. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>

enum { IPSET_MOST = 4000000 };

static const char *const transports[] = {"tcp", "udp"};

static bool too_many_ports(struct refusal *why)
{
	return refuse(why, 0, "some addresses have more than %d ranges of ports in all: choose fewer services", PORT_RANGES);
}

static void write_range(const struct range *range, FILE *to)
{
	struct address first = range_address(range->family, range->first), last = range_address(range->family, range->last);
	char text[ADDRESS_TEXT_SIZE];

	address_format(&first, text);
	fputs(text, to);
	if (wide_compare(range->first, range->last) != 0) {
		address_format(&last, text);
		fprintf(to, "-%s", text);
	}
}

static void write_ports(const struct span *span, FILE *to, bool *first)
{
	for (int transport = TCP; transport <= UDP; transport++) {
		for (unsigned i = 0; i < span->ports.count[transport]; i++) {
			const struct port_range *ports = &span->ports.range[transport][i];

			fputs(*first ? "\t\telements = {\n\t\t\t" : ",\n\t\t\t", to);
			*first = false;
			write_range(&span->range, to);
			fprintf(to, " . %s . %u", transports[transport], ports->first);
			if (ports->last != ports->first) {
				fprintf(to, "-%u", ports->last);
			}
		}
	}
}

static void write_set(const struct span *spans, size_t count, enum family family, bool any, FILE *to)
{
	bool first = true;

	fprintf(to, "\tset meeting%d%s {\n\t\ttype ipv%d_addr%s\n\t\tflags interval\n", (int)family, any ? "_any" : "", (int)family,
	    any ? "" : " . inet_proto . inet_service");
	for (size_t i = 0; i < count; i++) {
		if (spans[i].range.family != family || spans[i].ports.any != any) {
			continue;
		}
		if (any) {
			fputs(first ? "\t\telements = {\n\t\t\t" : ",\n\t\t\t", to);
			first = false;
			write_range(&spans[i].range, to);
		} else {
			write_ports(&spans[i], to, &first);
		}
	}
	fputs(first ? "\t}\n" : "\n\t\t}\n\t}\n", to);
}

static void write_table(const struct span *spans, size_t count, const char *table, FILE *to)
{
	fprintf(to, "table inet %s {\n", table);
	for (int any = 1; any >= 0; any--) {
		write_set(spans, count, IPV4, any, to);
		write_set(spans, count, IPV6, any, to);
	}
	fputs("}\n", to);
}

/* The elements of a set never overlap, as nftables refuses such. */
bool export_nft(const struct selection *selection, FILE *to, struct refusal *why)
{
	const char *table = selection->options->table;
	struct span *spans;
	size_t count;

	if (!selection_spans(selection, &spans, &count)) {
		return too_many_ports(why);
	}
	fputs("# Where meetings are, for nft -f. A rule of this table that lets them pass:\n"
	            "#   ip daddr @meeting4_any accept\n#   ip daddr . meta l4proto . th dport @meeting4 accept\n"
	            "# and the same with ip6, @meeting6_any and @meeting6. What the sets held before goes, in one step.\n",
	    to);
	write_table(spans, 0, table, to);
	fprintf(to, "flush set inet %s meeting4_any\nflush set inet %s meeting6_any\nflush set inet %s meeting4\n"
	            "flush set inet %s meeting6\n", table, table, table, table);
	write_table(spans, count, table, to);
	free(spans);
	return true;
}

/* How many elements ipset makes of the span, as it keeps each port by itself; and with to, writes them. */
static size_t span_elements(const struct span *span, FILE *to)
{
	struct range rest = span->range;
	struct prefix prefix;
	char text[PREFIX_TEXT_SIZE];
	size_t sum = 0;

	while (range_cut(&rest, &prefix)) {
		prefix_format(&prefix, text);
		if (span->ports.any) {
			sum++;
			if (to != NULL) {
				fprintf(to, "add meeting%d_any_new %s\n", (int)span->range.family, text);
			}
		}
		for (int transport = TCP; !span->ports.any && transport <= UDP; transport++) {
			for (unsigned i = 0; i < span->ports.count[transport]; i++) {
				const struct port_range *ports = &span->ports.range[transport][i];

				sum += (size_t)ports->last - ports->first + 1;
				if (to != NULL) {
					fprintf(to, "add meeting%d_new %s,%s:%u-%u\n", (int)span->range.family, text, transports[transport],
					    ports->first, ports->last);
				}
			}
		}
	}
	return sum;
}

/* Each set is filled aside and swapped in, so that the one in use is never half full; the first time it is made, empty.
 * All have the same maxelem, as ipset takes a set that is there for the one to be created only if they agree in that. */
bool export_ipset(const struct selection *selection, FILE *to, struct refusal *why)
{
	static const char *const names[] = {"meeting4", "meeting4_any", "meeting6", "meeting6_any"};
	struct span *spans;
	size_t count, sum[4] = {0, 0, 0, 0};

	if (!selection_spans(selection, &spans, &count)) {
		return too_many_ports(why);
	}
	for (size_t i = 0; i < count; i++) {
		sum[(spans[i].range.family == IPV6) * 2 + spans[i].ports.any] += span_elements(&spans[i], NULL);
	}
	for (int i = 0; i < 4; i++) {
		if (sum[i] > IPSET_MOST) {
			free(spans);
			return refuse(why, 0, "ipset would keep more than %d elements, one for each port: use nft", IPSET_MOST);
		}
		for (int new = 0; new < 2; new++) {
			fprintf(to, "create %s%s hash:net%s family %s maxelem %d -exist\n", names[i], new ? "_new" : "",
			    i % 2 == 0 ? ",port" : "", i < 2 ? "inet" : "inet6", IPSET_MOST);
		}
		fprintf(to, "flush %s_new\n", names[i]); /* what a run that was interrupted has left */
	}
	for (size_t i = 0; i < count; i++) {
		(void)span_elements(&spans[i], to);
	}
	for (int i = 0; i < 4; i++) {
		fprintf(to, "swap %s_new %s\ndestroy %s_new\n", names[i], names[i], names[i]);
	}
	free(spans);
	return true;
}
