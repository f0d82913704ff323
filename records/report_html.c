/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as one page of HTML, complete in itself: no script, nothing loaded from elsewhere, light and dark, and fit
 * to be printed. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <inttypes.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>squid-meeting: report</title>\n<style>\n"
    ":root { --text: #1c2127; --soft: #5b6672; --line: #d8dde3; --page: #ffffff; --head: #f3f5f8; --mark: #0b62a8 }\n"
    "@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --soft: #9aa5b1; --line: #363d45; --page: #15181c;"
    " --head: #1f242a; --mark: #6cb6f5 } }\n"
    "body { margin: 2rem auto; padding: 0 1rem; max-width: 76rem; color: var(--text); background: var(--page);"
    " font: 16px/1.5 system-ui, sans-serif }\n"
    "h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem; color: var(--mark) }\n"
    "p { margin: .2rem 0 .6rem; color: var(--soft) } .scroll { overflow-x: auto }\n"
    "table { border-collapse: collapse; width: 100%; font-size: .9rem }\n"
    "th { background: var(--head); font-weight: 600; white-space: nowrap } th, td { text-align: left; vertical-align: top;"
    " padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }\n"
    "th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }\n"
    "meter { width: 6rem; height: .8rem; vertical-align: middle }\n"
    "@media print { :root { --text: #000; --soft: #333; --line: #999; --page: #fff; --head: #eee; --mark: #000 }"
    " body { margin: 0; max-width: none; font-size: 11px } .scroll { overflow: visible } tr { break-inside: avoid }"
    " thead { display: table-header-group } }\n"
    "</style>\n</head>\n<body>\n<header>\n<h1>Meetings through Squid</h1>\n";

void html_write_text(const char *text, FILE *to)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		switch (c) {
		case '&': fputs("&amp;", to); break;
		case '<': fputs("&lt;", to); break;
		case '>': fputs("&gt;", to); break;
		case '"': fputs("&quot;", to); break;
		case '\'': fputs("&#39;", to); break;
		default: fputc(c < 0x20 || c == 0x7f ? ' ' : c, to); break;
		}
	}
}

static void write_figure(const char *name, uint64_t value, uint64_t most, FILE *to)
{
	char when[TIME_TEXT_SIZE];

	fprintf(to, "<td class=\"n\" data-name=\"%s\">", name);
	if (name == figure_last) {
		(void)time_format((int64_t)value, TIME_MINUTE, when);
		html_write_text(when, to);
	} else {
		/* The bar says nothing that the figure doesn't. */
		if (strcmp(name, "records") == 0 && most > 0)
			fprintf(to, "<meter min=\"0\" max=\"%" PRIu64 "\" value=\"%" PRIu64 "\" aria-hidden=\"true\"></meter> ",
			    most, value);
		fprintf(to, "%" PRIu64, value);
	}
	fputs("</td>", to);
}

static void write_head(const struct report_section *section, const char *const *names, size_t figures, FILE *to)
{
	fputs("<thead><tr>", to);
	for (size_t i = 0; i < section->columns; i++)
		if (section->column[i].show != FOR_SCRIPTS)
			fprintf(to, "<th scope=\"col\">%s</th>", section->column[i].name);
	for (size_t i = 0; i < figures; i++)
		fprintf(to, "<th scope=\"col\" class=\"n\">%s</th>", names[i]);
	fputs("</tr></thead>\n", to);
}

void html_write_table(const struct report_section *section, bool bars, FILE *to)
{
	const char *names[FIGURES];
	size_t figures = figure_names(section, names);
	uint64_t values[FIGURES], most = 0;

	for (size_t i = 0; bars && i < section->count; i++)
		if (section->rows[i].records > most)
			most = section->rows[i].records;
	/* What scrolls must be reachable with the keyboard. */
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"", to);
	html_write_text(section->title, to);
	fputs("\"><table>\n", to);
	write_head(section, names, figures, to);
	fputs("<tbody>\n", to);
	for (size_t i = 0; i < section->count; i++) {
		const struct report_row *row = &section->rows[i];

		fputs("<tr>", to);
		for (size_t column = 0; column < section->columns; column++) {
			if (section->column[column].show == FOR_SCRIPTS)
				continue;
			fprintf(to, "<td data-name=\"%s\"%s>", section->column[column].name,
			    row->text[column][0] == '\0' ? " class=\"empty\"" : "");
			html_write_text(row->text[column][0] == '\0' ? "-" : row->text[column], to);
			fputs("</td>", to);
		}
		figure_values(section, row, values);
		for (size_t figure = 0; figure < figures; figure++)
			write_figure(names[figure], values[figure], most, to);
		fputs("</tr>\n", to);
	}
	fputs("</tbody>\n</table></div>\n", to);
}

void report_write_html(const struct report *report, FILE *to)
{
	char since[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE], made[TIME_TEXT_SIZE];

	(void)time_format(report->since, TIME_MINUTE, since);
	(void)time_format(report->until, TIME_MINUTE, until);
	(void)time_format(report->made, TIME_MINUTE, made);
	fputs(head, to);
	fprintf(to, "<p>From %s to %s; made %s by squid-meeting " PACKAGE_VERSION "</p>\n</header>\n<main>\n", since, until,
	    made);
	for (size_t i = 0; i < REPORT_SECTIONS; i++) {
		const struct report_section *section = &report->section[i];

		fprintf(to, "<section id=\"%s\">\n<h2>%s</h2>\n", section->name, section->title);
		if (section->note[0] != '\0') {
			fputs("<p>", to);
			html_write_text(section->note, to);
			fputs("</p>\n", to);
		}
		if (section->count > 0)
			html_write_table(section, i == REPORT_TABLE, to);
		else
			fputs("<p>None.</p>\n", to);
		if (section->omitted > 0)
			fprintf(to, "<p>And %" PRIu64 " more.</p>\n", section->omitted);
		fputs("</section>\n", to);
	}
	fputs("</main>\n</body>\n</html>\n", to);
}
