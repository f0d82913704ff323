/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A section of the report as CSV by RFC 4180. A text that a spreadsheet would take for a formula gets a ' in front. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <inttypes.h>
#include <string.h>

static void write_cell(const char *text, FILE *to)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

	if (!formula && strpbrk(text, "\",\r\n") == NULL) {
		fputs(text, to);
		return;
	}
	fputs(formula ? "\"'" : "\"", to);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void write_row(const struct report_section *section, const struct report_row *row, const char *const *names,
    size_t figures, FILE *to)
{
	uint64_t values[FIGURES];
	char when[TIME_TEXT_SIZE];

	figure_values(section, row, values);
	for (size_t i = 0; i < section->columns; i++) {
		if (i > 0)
			fputc(',', to);
		write_cell(row->text[i], to);
	}
	for (size_t i = 0; i < figures; i++) {
		fputc(',', to);
		if (names[i] == figure_last) {
			(void)time_format(row->last, TIME_SECOND, when);
			fputs(when, to);
		} else {
			fprintf(to, "%" PRIu64, values[i]);
		}
	}
	fputs("\r\n", to);
}

void report_write_csv(const struct report *report, enum report_section_number number, FILE *to)
{
	const struct report_section *section = &report->section[number];
	const char *names[FIGURES];
	size_t figures = figure_names(section, names);

	for (size_t i = 0; i < section->columns; i++)
		fprintf(to, "%s%s", i > 0 ? "," : "", section->column[i].name);
	for (size_t i = 0; i < figures; i++)
		fprintf(to, ",%s", names[i]);
	fputs("\r\n", to);
	for (size_t i = 0; i < section->count; i++)
		write_row(section, &section->rows[i], names, figures, to);
}
