/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The export for browsers: a PAC file that sends meetings directly, and all else to the proxy.
 * Addresses count only where the URL itself has one: a name isn't looked up for them. Both families are compared as hex
 * digits of one length, in which texts are in the order of numbers. Only TCP counts, since that is what a proxy sees. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>

static void write_string(const char *text, FILE *to)
{
	json_t *string = json_string(text);

	(void)json_dumpf(string, to, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	json_decref(string);
}

static void write_ports(const struct ports *ports, FILE *to)
{
	fputc('[', to);
	if (ports->any) {
		fputs("[1, 65535]", to);
	}
	for (unsigned i = 0; !ports->any && i < ports->count[TCP]; i++) {
		fprintf(to, "%s[%u, %u]", i == 0 ? "" : ", ", ports->range[TCP][i].first, ports->range[TCP][i].last);
	}
	fputc(']', to);
}

static void write_hex(enum family family, struct wide number, FILE *to)
{
	if (family == IPV4) {
		fprintf(to, "\"%08x\"", (unsigned)number.low);
	} else {
		fprintf(to, "\"%016llx%016llx\"", (unsigned long long)number.high, (unsigned long long)number.low);
	}
}

static const char code[] =
    "function meetingHex(host) {\n"
    "\tvar parts, halves, i, out = \"\", left, right;\n"
    "\tif (/^\\d+\\.\\d+\\.\\d+\\.\\d+$/.test(host)) {\n"
    "\t\tparts = host.split(\".\");\n"
    "\t\tfor (i = 0; i < 4; i++) {\n"
    "\t\t\tif (!/^(0|[1-9]\\d?\\d?)$/.test(parts[i]) || Number(parts[i]) > 255) { return \"\"; }\n"
    "\t\t\tout += (\"0\" + Number(parts[i]).toString(16)).slice(-2);\n"
    "\t\t}\n"
    "\t\treturn out;\n"
    "\t}\n"
    "\thost = host.replace(/^\\[|\\]$/g, \"\");\n"
    "\tif (!/^[0-9a-f:]*:[0-9a-f:]*$/.test(host)) { return \"\"; }\n"
    "\thalves = host.split(\"::\");\n"
    "\tif (halves.length > 2) { return \"\"; }\n"
    "\tleft = halves[0] === \"\" ? [] : halves[0].split(\":\");\n"
    "\tright = halves.length < 2 || halves[1] === \"\" ? [] : halves[1].split(\":\");\n"
    "\tif (halves.length === 1 ? left.length !== 8 : left.length + right.length > 7) { return \"\"; }\n"
    "\twhile (left.length + right.length < 8) { left.push(\"0\"); }\n"
    "\tparts = left.concat(right);\n"
    "\tfor (i = 0; i < 8; i++) {\n"
    "\t\tif (!/^[0-9a-f]{1,4}$/.test(parts[i])) { return \"\"; }\n"
    "\t\tout += (\"000\" + parts[i]).slice(-4);\n"
    "\t}\n"
    "\treturn out;\n"
    "}\n\n"
    "function meetingPort(url) {\n"
    "\tvar match = /^([a-z]+):\\/\\/(?:[^\\/?#]*@)?(?:\\[[^\\]]*\\]|[^\\/?#:]*)(?::(\\d+))?(?:[\\/?#]|$)/i.exec(url);\n"
    "\tvar usual = {http: 80, https: 443, ws: 80, wss: 443, ftp: 21};\n"
    "\tif (!match) { return 0; }\n"
    "\treturn match[2] ? Number(match[2]) : usual[match[1].toLowerCase()] || 0;\n"
    "}\n\n"
    "function meetingAllows(ports, port) {\n"
    "\tfor (var i = 0; i < ports.length; i++) {\n"
    "\t\tif (port >= ports[i][0] && port <= ports[i][1]) { return true; }\n"
    "\t}\n"
    "\treturn false;\n"
    "}\n\n"
    "function meetingHolds(url, host) {\n"
    "\tvar port = meetingPort(url), hex, i, dot;\n"
    "\thost = host.toLowerCase().replace(/\\.$/, \"\");\n"
    "\thex = meetingHex(host);\n"
    "\tif (hex !== \"\") {\n"
    "\t\tfor (i = 0; i < meetingAddresses.length; i++) {\n"
    "\t\t\tif (hex.length === meetingAddresses[i][0].length && hex >= meetingAddresses[i][0] &&\n"
    "\t\t\t    hex <= meetingAddresses[i][1] && meetingAllows(meetingAddresses[i][2], port)) { return true; }\n"
    "\t\t}\n"
    "\t\treturn false;\n"
    "\t}\n"
    "\tif (meetingNames.hasOwnProperty(host) && meetingAllows(meetingNames[host], port)) { return true; }\n"
    "\thost = \".\" + host;\n"
    "\tfor (dot = 0; dot >= 0; dot = host.indexOf(\".\", dot + 1)) {\n"
    "\t\ti = host.slice(dot);\n"
    "\t\tif (meetingNames.hasOwnProperty(i) && meetingAllows(meetingNames[i], port)) { return true; }\n"
    "\t}\n"
    "\treturn false;\n"
    "}\n\n"
    "function FindProxyForURL(url, host) {\n"
    "\treturn meetingHolds(url, host) ? \"DIRECT\" : meetingProxy;\n"
    "}\n";

static bool has_tcp(const struct ports *ports)
{
	return ports->any || ports->count[TCP] > 0;
}

bool export_pac(const struct selection *selection, FILE *to, struct refusal *why)
{
	struct span *spans = NULL;
	struct named *names = NULL;
	size_t count, name_count;
	const char *comma = "";

	if (!selection_spans(selection, &spans, &count) || !selection_names(selection, true, &names, &name_count)) {
		free(spans);
		return refuse(why, 0, "some entries have more than %d ranges of ports in all: choose fewer services", PORT_RANGES);
	}
	fputs("// Meetings go directly, all else to the proxy. An address counts where the URL has it, names aren't looked up.\n"
	      "var meetingProxy = ", to);
	write_string(selection->options->proxy, to);
	fputs(";\n\nvar meetingAddresses = [", to);
	for (size_t i = 0; i < count; i++) {
		if (has_tcp(&spans[i].ports)) {
			fprintf(to, "%s\n\t[", comma);
			write_hex(spans[i].range.family, spans[i].range.first, to);
			fputs(", ", to);
			write_hex(spans[i].range.family, spans[i].range.last, to);
			fputs(", ", to);
			write_ports(&spans[i].ports, to);
			fputc(']', to);
			comma = ",";
		}
	}
	fputs("\n];\n\nvar meetingNames = {", to);
	comma = "";
	for (size_t i = 0; i < name_count; i++) {
		if (has_tcp(&names[i].ports)) {
			fprintf(to, "%s\n\t\"%s\": ", comma, names[i].rule);
			write_ports(&names[i].ports, to);
			comma = ",";
		}
	}
	fprintf(to, "\n};\n\n%s", code);
	free(spans);
	free(names);
	return true;
}
