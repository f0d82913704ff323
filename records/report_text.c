/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as text: tables that fit the terminal's width. Columns are as wide as their texts, and where that is too
 * much the widest ones are cut, text by text, by an ellipsis. A character counts as one column. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <inttypes.h>
#include <string.h>

enum { CELLS = REPORT_COLUMNS + FIGURES, CELL_SIZE = 512, NARROWEST = 6, GAP = 2 };

/* One line of a table. */
struct line {
	const char *cell[CELLS];
	char figure[FIGURES][TIME_TEXT_SIZE];
};

struct table {
	const struct report_section *section;
	const struct report_look *look;
	FILE *to;
	const char *names[FIGURES];
	size_t figures;
	size_t texts; /* the columns that are shown, in front of the figures */
	size_t column[REPORT_COLUMNS];
	unsigned width[CELLS];
};

static bool steers(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];

	return first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0);
}

static unsigned width_of(const char *text)
{
	unsigned width = 0;

	for (size_t left = strlen(text), length; left > 0; left -= length, text += length, width++)
		if ((length = utf8_length(text, left)) == 0)
			length = 1;
	return width;
}

/* Returns how many columns it took. */
static unsigned write_cell(const char *text, unsigned most, FILE *to)
{
	bool cut = width_of(text) > most;
	unsigned width = 0;

	for (size_t left = strlen(text), length; left > 0 && width + (cut ? 1 : 0) < most; left -= length, text += length) {
		length = utf8_length(text, left);
		if (length == 0 || steers(text, length))
			fputc('?', to);
		else
			fwrite(text, 1, length, to);
		if (length == 0)
			length = 1;
		width++;
	}
	if (cut && width < most) {
		fputs("\xe2\x80\xa6", to);
		width++;
	}
	return width;
}

static void fill_line(const struct table *table, const struct report_row *row, struct line *line)
{
	uint64_t values[FIGURES];

	figure_values(table->section, row, values);
	for (size_t i = 0; i < table->texts; i++) {
		const char *text = row->text[table->column[i]];

		line->cell[i] = text[0] == '\0' ? "-" : text;
	}
	for (size_t i = 0; i < table->figures; i++) {
		if (table->names[i] == figure_last)
			(void)time_format(row->last, TIME_MINUTE, line->figure[i]);
		else
			snprintf(line->figure[i], sizeof line->figure[i], "%" PRIu64, values[i]);
		line->cell[table->texts + i] = line->figure[i];
	}
}

static void widen(struct table *table, const struct line *line)
{
	for (size_t i = 0; i < table->texts + table->figures; i++) {
		unsigned width = width_of(line->cell[i]);

		if (width > table->width[i])
			table->width[i] = width;
	}
}

static void fit(struct table *table)
{
	size_t cells = table->texts + table->figures;
	unsigned all = 0;

	for (size_t i = 0; i < cells; i++)
		all += table->width[i] + (i > 0 ? GAP : 0);
	while (all > table->look->width) {
		size_t widest = 0;

		for (size_t i = 1; i < table->texts; i++)
			if (table->width[i] > table->width[widest])
				widest = i;
		if (table->width[widest] <= NARROWEST)
			break;
		table->width[widest]--;
		all--;
	}
}

static void write_line(const struct table *table, const struct line *line)
{
	size_t cells = table->texts + table->figures;

	for (size_t i = 0; i < cells; i++) {
		bool figure = i >= table->texts;
		unsigned room = table->width[i], took;

		if (i > 0)
			fprintf(table->to, "%*s", GAP, "");
		if (figure) {
			took = width_of(line->cell[i]);
			fprintf(table->to, "%*s", room > took ? (int)(room - took) : 0, "");
			(void)write_cell(line->cell[i], room, table->to);
		} else {
			took = write_cell(line->cell[i], room, table->to);
			if (i + 1 < cells)
				fprintf(table->to, "%*s", (int)(room - took), "");
		}
	}
	fputc('\n', table->to);
}

/* The sentences that belong to a row, below it. */
static void write_sentences(const struct table *table, const struct report_row *row)
{
	enum { INDENT = 4 };

	for (size_t i = 0; i < table->section->columns; i++) {
		if (table->section->column[i].show != ON_ITS_OWN || row->text[i][0] == '\0')
			continue;
		fprintf(table->to, "%*s", INDENT, "");
		(void)write_cell(row->text[i], table->look->width - INDENT, table->to);
		fputc('\n', table->to);
	}
}

static void write_table(struct table *table)
{
	const struct report_section *section = table->section;
	struct line line;

	table->figures = figure_names(section, table->names);
	for (size_t i = 0; i < section->columns; i++)
		if (section->column[i].show == FOR_ALL)
			table->column[table->texts++] = i;
	for (size_t i = 0; i < section->count; i++) {
		fill_line(table, &section->rows[i], &line);
		widen(table, &line);
	}
	for (size_t i = 0; i < table->texts; i++)
		line.cell[i] = section->column[table->column[i]].name;
	for (size_t i = 0; i < table->figures; i++)
		line.cell[table->texts + i] = table->names[i];
	widen(table, &line);
	fit(table);
	fputs(table->look->dim, table->to);
	write_line(table, &line);
	fputs(table->look->plain, table->to);
	for (size_t i = 0; i < section->count; i++) {
		fill_line(table, &section->rows[i], &line);
		write_line(table, &line);
		write_sentences(table, &section->rows[i]);
	}
}

/* Words that go on below each other where the line is full. */
static void write_words(const char *text, const struct report_look *look, FILE *to)
{
	unsigned at = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (at > 0 && at + 1 + length > look->width) {
			fputc('\n', to);
			at = 0;
		} else if (at > 0) {
			fputc(' ', to);
			at++;
		}
		fwrite(text, 1, length, to);
		at += (unsigned)length;
		text += length;
		text += strspn(text, " ");
	}
	if (at > 0)
		fputc('\n', to);
}

void report_write_text(const struct report *report, const struct report_look *look, FILE *to)
{
	char since[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];

	(void)time_format(report->since, TIME_MINUTE, since);
	(void)time_format(report->until, TIME_MINUTE, until);
	fprintf(to, "From %s to %s\n", since, until);
	for (size_t i = 0; i < REPORT_SECTIONS; i++) {
		struct table table = { .section = &report->section[i], .look = look, .to = to };

		fprintf(to, "\n%s%s%s%s\n", look->bold, table.section->title, look->plain,
		    table.section->count == 0 ? ": none" : "");
		write_words(table.section->note, look, to);
		if (table.section->count > 0)
			write_table(&table);
		if (table.section->omitted > 0)
			fprintf(to, "and %" PRIu64 " more (see --limit)\n", table.section->omitted);
	}
}
