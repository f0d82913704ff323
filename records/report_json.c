/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as JSON. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <jansson.h>
#include <string.h>

/* A text that isn't UTF-8 can only be of a store that was tampered with. */
static json_t *text_to_json(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("?");
}

static json_t *time_to_json(int64_t time)
{
	char text[TIME_TEXT_SIZE];

	(void)time_format(time, TIME_SECOND, text);
	return json_string(text);
}

static bool put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static json_t *row_to_json(const struct report_section *section, const struct report_row *row)
{
	const char *names[FIGURES];
	uint64_t values[FIGURES];
	size_t figures = figure_names(section, names);
	json_t *json = json_object();
	bool good = json != NULL;

	figure_values(section, row, values);
	for (size_t i = 0; good && i < section->columns; i++)
		good = put(json, section->column[i].name, text_to_json(row->text[i]));
	for (size_t i = 0; good && i < figures; i++)
		good = put(json, names[i],
		    names[i] == figure_last ? time_to_json(row->last) : json_integer((json_int_t)values[i]));
	if (!good) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static bool put_rows(json_t *json, const struct report_section *section)
{
	json_t *rows = json_array();

	if (!put(json, section->name, rows))
		return false;
	for (size_t i = 0; i < section->count; i++)
		if (json_array_append_new(rows, row_to_json(section, &section->rows[i])) != 0)
			return false;
	return true;
}

/* The further tables, if there are any: "also": {"hour": [...]}. */
static bool put_also(json_t *json, const struct report *report)
{
	json_t *also = json_object();
	bool good = also != NULL;

	for (int by = 0; good && by < REPORT_BYS; by++)
		good = report->section[REPORT_ALSO + by].title == NULL || put_rows(also, &report->section[REPORT_ALSO + by]);
	if (!good || json_object_size(also) == 0) {
		json_decref(also);
		return good;
	}
	return put(json, "also", also);
}

static bool put_all(json_t *json, const struct report *report)
{
	json_t *notes = json_object(), *omitted = json_object();
	bool good = put(json, "since", time_to_json(report->since)) && put(json, "until", time_to_json(report->until)) &&
	    put(json, "made", time_to_json(report->made)) && put(json, "by", json_string(report_by_names[report->by]));

	for (size_t i = 0; good && i < REPORT_SECTIONS; i++)
		good = put_rows(json, &report->section[i]);
	if (good)
		good = put_also(json, report);
	for (size_t i = 0; good && i < REPORT_SECTIONS; i++)
		good = put(notes, report->section[i].name, text_to_json(report->section[i].note)) &&
		    put(omitted, report->section[i].name, json_integer((json_int_t)report->section[i].omitted));
	if (good)
		return put(json, "notes", notes) && put(json, "omitted", omitted);
	json_decref(notes);
	json_decref(omitted);
	return false;
}

bool report_write_json(const struct report *report, FILE *to)
{
	json_t *json = json_object();
	bool good = json != NULL && put_all(json, report) && json_dumpf(json, to, JSON_INDENT(2)) == 0;

	json_decref(json);
	fputc('\n', to);
	return good;
}
