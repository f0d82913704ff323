/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as a page that refreshes itself. It is whole without its script, which adds charts, the filter and the
 * refreshing. Nothing in it is inline, so the Content-Security-Policy allows nothing that is. */
#include <config.h>

#include "icap/page.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char *const periods[][2] = { { "1h", "Hour" }, { "24h", "Day" }, { "7d", "Week" }, { "30d", "Month" } };

/* ---- Head ---- */

static void write_head(const char *title, bool charts, FILE *to)
{
	fprintf(to, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>%s</title>\n"
	    "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n"
	    "<link rel=\"stylesheet\" href=\"/page.css\">\n", title);
	if (charts)
		fputs("<script src=\"/chart.js\" defer></script>\n", to);
	fputs("<script src=\"/page.js\" defer></script>\n</head>\n<body>\n"
	    "<a class=\"skip\" href=\"#main\">Skip to the figures</a>\n", to);
}

/* Within the double quotes of a link: of what a value may have, & and + and % mean something there. */
static void write_query(const char *value, FILE *to)
{
	for (; *value != '\0'; value++) {
		if ((*value >= '0' && *value <= '9') || (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
		    *value == '-' || *value == ':' || *value == '.')
			fputc(*value, to);
		else
			fprintf(to, "%%%02X", (unsigned)(unsigned char)*value);
	}
}

static void write_periods(const struct wish *wish, FILE *to)
{
	const char *since = wish->value[WISH_SINCE][0] != '\0' ? wish->value[WISH_SINCE] : "24h";

	fputs("<nav class=\"periods\" aria-label=\"Period\">\n", to);
	for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
		bool current = wish->value[WISH_UNTIL][0] == '\0' && strcmp(since, periods[i][0]) == 0;

		fprintf(to, "<a href=\"/?since=%s&amp;by=%s&amp;limit=%zu\"%s>%s</a>\n", periods[i][0],
		    report_by_names[wish->by], wish->limit, current ? " aria-current=\"true\"" : "", periods[i][1]);
	}
	fputs("</nav>\n", to);
}

static void write_input(const char *name, const char *label, const char *hint, const char *value, FILE *to)
{
	fprintf(to, "<label>%s <input name=\"%s\" maxlength=\"39\" size=\"12\" autocomplete=\"off\" placeholder=\"%s\" value=\"",
	    label, name, hint);
	html_write_text(value, to);
	fputs("\"></label>\n", to);
}

static void write_form(const struct wish *wish, FILE *to)
{
	static const unsigned rows[] = { 10, 20, 50, 100, 200 };

	fputs("<form method=\"get\" action=\"/\" class=\"choose\">\n", to);
	write_input("since", "From", "24h", wish->value[WISH_SINCE], to);
	write_input("until", "to", "now", wish->value[WISH_UNTIL], to);
	fputs("<label>Table by <select name=\"by\">", to);
	for (int by = 0; by < REPORT_BYS; by++)
		fprintf(to, "<option%s>%s</option>", (int)wish->by == by ? " selected" : "", report_by_names[by]);
	fputs("</select></label>\n<label>Rows <select name=\"limit\">", to);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		fprintf(to, "<option%s>%u</option>", wish->limit == rows[i] ? " selected" : "", rows[i]);
	fputs("</select></label>\n<button>Show</button>\n"
	    "<p class=\"hint\">Times: 2h, 7d, today, yesterday, 2026-11-01, 2026-11-01 14:30</p>\n</form>\n", to);
}

static void write_top(const struct wish *wish, const struct report *report, FILE *to)
{
	char since[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE], made[TIME_TEXT_SIZE];

	(void)time_format(report->since, TIME_MINUTE, since);
	(void)time_format(report->until, TIME_MINUTE, until);
	(void)time_format(report->made, TIME_SECOND, made);
	fputs("<header>\n<div class=\"title\">\n<h1>Meetings through Squid</h1>\n", to);
	fprintf(to, "<p id=\"period\">%s to %s, made <time datetime=\"%s\">%.8s</time></p>\n</div>\n", since, until, made,
	    made + 11);
	write_periods(wish, to);
	fputs("<details class=\"more\"><summary>Another period</summary>\n", to);
	write_form(wish, to);
	fputs("</details>\n</header>\n", to);
}

/* ---- Tiles ---- */

static uint64_t total_of(const struct report *report, size_t row, bool connections)
{
	const struct report_section *totals = &report->section[REPORT_TOTALS];

	if (row >= totals->count)
		return 0;
	return connections ? totals->rows[row].connections : totals->rows[row].records;
}

static void write_tile(const char *kind, const char *link, const char *name, uint64_t value, const char *rest, FILE *to)
{
	fprintf(to, "<div class=\"tile %s\"><dt><a href=\"#%s\">%s</a></dt><dd>%" PRIu64 "<span>%s</span></dd></div>\n", kind,
	    link, name, value, rest);
}

static void write_tiles(const struct report *report, FILE *to)
{
	const struct report_section *section = report->section;
	char rest[64];

#define WHOLE(number) (section[number].count + section[number].omitted)
	fputs("<dl class=\"tiles\" id=\"tiles\">\n", to);
	snprintf(rest, sizeof rest, "connections, %" PRIu64 " records", total_of(report, RECORD_BYPASS, false));
	write_tile("bypass", "services", "Exempt", total_of(report, RECORD_BYPASS, true), rest, to);
	if (total_of(report, RECORD_SHADOW, true) > 0)
		write_tile("shadow", "services", "Shadow", total_of(report, RECORD_SHADOW, true), "would be exempt", to);
	write_tile("denied", "failures", "Probably failed", WHOLE(REPORT_FAILURES), "a client to a destination", to);
	write_tile(WHOLE(REPORT_ABUSE) > 0 ? "warn" : "", "abuse", "To look into", WHOLE(REPORT_ABUSE), "signs of abuse", to);
	write_tile(WHOLE(REPORT_EXPIRED) > 0 ? "warn" : "", "expired", "Expired", WHOLE(REPORT_EXPIRED), "sources", to);
	write_tile("", "unused", "Unused", WHOLE(REPORT_UNUSED), "rules that never matched", to);
	fputs("</dl>\n", to);
#undef WHOLE
}

/* ---- Sections ---- */

static void open_section(const char *id, const char *title, const char *note, const char *kind, FILE *to)
{
	fprintf(to, "<section id=\"%s\" class=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">", id, kind, id, id);
	html_write_text(title, to);
	fputs("</h2>\n", to);
	if (note[0] != '\0') {
		fputs("<p class=\"note\">", to);
		html_write_text(note, to);
		fputs("</p>\n", to);
	}
}

static void write_rows(const struct report_section *section, bool bars, FILE *to)
{
	if (section->count > 0)
		html_write_table(section, bars, to);
	else
		fputs("<p class=\"none\">None.</p>\n", to);
	if (section->omitted > 0)
		fprintf(to, "<p class=\"note\">And %" PRIu64 " more.</p>\n", section->omitted);
}

static void write_section(const struct report_section *section, const char *kind, bool bars, FILE *to)
{
	open_section(section->name, section->title, section->note, kind, to);
	write_rows(section, bars, to);
	fputs("</section>\n", to);
}

/* A table that the script draws, too; open for who has no script. */
static void write_chart(const char *id, const char *title, const struct report_section *section, const char *kind, FILE *to)
{
	open_section(id, title, "", kind, to);
	fprintf(to, "<div class=\"chart\" id=\"%s-chart\" hidden></div>\n<details open>\n<summary>As a table</summary>\n", id);
	write_rows(section, false, to);
	fputs("</details>\n</section>\n", to);
}

static void write_over_time(const struct report *report, FILE *to)
{
	const struct report_section *hours = &report->section[REPORT_ALSO + REPORT_BY_HOUR];
	bool by_hour = hours->title != NULL;

	fprintf(to, "<div id=\"span\" hidden data-since=\"%" PRId64 "\" data-until=\"%" PRId64 "\" data-step=\"%s\"></div>\n",
	    report->since, report->until, by_hour ? "hour" : "day");
	write_chart("over-time", by_hour ? "Over time, by hour" : "Over time, by day",
	    by_hour ? hours : &report->section[REPORT_ALSO + REPORT_BY_DAY], "wide", to);
}

static void write_cell(const char *name, struct text text, FILE *to)
{
	char copy[512];
	size_t length = text.at == NULL ? 0 : text.length < sizeof copy ? text.length : sizeof copy - 1;

	memcpy(copy, text.at == NULL ? "" : text.at, length);
	copy[length] = '\0';
	fprintf(to, "<td data-name=\"%s\"%s>", name, length == 0 ? " class=\"empty\"" : "");
	html_write_text(length == 0 ? "-" : copy, to);
	fputs("</td>", to);
}

void page_write_last(const struct record *record, FILE *to)
{
	bool has_dst = record->dst.at != NULL;
	char when[TIME_TEXT_SIZE], host[512];
	const char *verdict = record_verdict_name(record->verdict);

	(void)time_format(record->time, TIME_SECOND, when);
	snprintf(host, sizeof host, "%.*s:%u", (int)record->host.length, record->host.at == NULL ? "" : record->host.at,
	    (unsigned)record->port);
	fprintf(to, "<tr><td data-name=\"time\"><time datetime=\"%s\">%.10s %.8s</time></td>"
	    "<td data-name=\"verdict\"><span class=\"badge %s\">%s</span></td>", when, when, when + 11, verdict, verdict);
	write_cell("client", record->client, to);
	write_cell("user", record->user, to);
	write_cell("destination", has_dst ? record->dst : text_of(host), to);
	write_cell("name", record->sni.at != NULL ? record->sni : has_dst ? record->host : text_of(NULL), to);
	write_cell("service", record->service.at != NULL ? record->service : record->would, to);
	write_cell("rule", record->rule, to);
	write_cell("why", record->disagrees ? text_of("the module disagrees") : record->stale ? text_of("expired") :
	    record->reason.at != NULL ? record->reason : record->evidence, to);
	fputs("</tr>\n", to);
}

static void write_last(const char *rows, FILE *to)
{
	static const char *const columns[] = { "time", "verdict", "client", "user", "destination", "name", "service", "rule",
		"why" };

	open_section("last", "Last decisions", "", "full cards", to);
	fputs("<p class=\"live\" hidden><span id=\"live\"></span> <button type=\"button\" id=\"pause\" "
	    "aria-pressed=\"false\">Pause</button></p>\n"
	    "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"last-title\"><table>\n<thead><tr>", to);
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		fprintf(to, "<th scope=\"col\">%s</th>", columns[i]);
	fputs("</tr></thead>\n<tbody id=\"last-rows\">\n", to);
	fputs(rows, to);
	fputs("</tbody>\n</table></div>\n</section>\n", to);
}

/* ---- The page ---- */

void page_write_html(const struct page_sources *sources, const struct wish *wish, const struct report *report,
    const char *last, FILE *to)
{
	const struct report_section *section = report->section;

	write_head("Meetings through Squid", access(sources->chart, R_OK) == 0, to);
	write_top(wish, report, to);
	fputs("<main id=\"main\" tabindex=\"-1\">\n"
	    "<div class=\"tools\" hidden><label for=\"filter\">Search in all tables</label>\n"
	    "<input type=\"search\" id=\"filter\" autocomplete=\"off\" spellcheck=\"false\" "
	    "placeholder=\"address, user, host, rule\"> <span id=\"found\" role=\"status\"></span></div>\n", to);
	write_tiles(report, to);
	fputs("<div class=\"grid\">\n", to);
	write_over_time(report, to);
	write_chart("services", "By service", &section[REPORT_ALSO + REPORT_BY_SERVICE], "", to);
	write_last(last, to);
	write_section(&section[REPORT_FAILURES], "full cards", false, to);
	open_section("clients", "Top clients", "", "half", to);
	write_rows(&section[REPORT_ALSO + REPORT_BY_CLIENT], true, to);
	fputs("</section>\n", to);
	write_section(&section[REPORT_TABLE], "half", true, to);
	write_section(&section[REPORT_ABUSE], "full cards", false, to);
	write_section(&section[REPORT_EXPIRED], "half cards", false, to);
	write_section(&section[REPORT_CANDIDATES], "half cards", false, to);
	write_section(&section[REPORT_UNUSED], "full cards", false, to);
	write_section(&section[REPORT_TOTALS], "full", false, to);
	fprintf(to, "</div>\n</main>\n<footer><p>squid-meeting " PACKAGE_VERSION
	    " &middot; <a href=\"/report.json?since=%" PRId64 "s\">JSON</a> &middot; <a href=\"/metrics\">Metrics</a></p></footer>\n"
	    "</body>\n</html>\n", (report->made - report->since) / 1000);
}

void page_write_trouble(const struct wish *wish, const char *why, FILE *to)
{
	write_head("No report", false, to);
	fputs("<header><h1>Meetings through Squid</h1></header>\n<main id=\"main\" tabindex=\"-1\">\n"
	    "<h2>No report can be made now</h2>\n<p class=\"trouble\">", to);
	html_write_text(why, to);
	fputs("</p>\n<p>Decisions and the journal go on all the same. <a href=\"/?since=", to);
	write_query(wish->value[WISH_SINCE], to);
	fputs("\">Try again</a></p>\n</main>\n</body>\n</html>\n", to);
}
