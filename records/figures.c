/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The figures of the report's rows, the same in all forms. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

size_t figure_names(const struct report_section *section, const char *names[FIGURES])
{
	size_t count = 0;

	if ((section->figures & REPORT_COUNTS) != 0) {
		names[count++] = "records";
		names[count++] = "connections";
	}
	for (int i = 0; (section->figures & REPORT_VERDICT_COUNTS) != 0 && i < REPORT_VERDICTS; i++)
		names[count++] = record_verdict_name((enum record_verdict)i);
	if ((section->figures & REPORT_LAST) != 0)
		names[count++] = figure_last;
	return count;
}

void figure_values(const struct report_section *section, const struct report_row *row, uint64_t values[FIGURES])
{
	size_t count = 0;

	if ((section->figures & REPORT_COUNTS) != 0) {
		values[count++] = row->records;
		values[count++] = row->connections;
	}
	for (int i = 0; (section->figures & REPORT_VERDICT_COUNTS) != 0 && i < REPORT_VERDICTS; i++)
		values[count++] = row->by_verdict[i];
	if ((section->figures & REPORT_LAST) != 0)
		values[count++] = (uint64_t)row->last;
}

const char figure_last[] = "last";
