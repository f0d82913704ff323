/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report: the questions that are put to the store, and their answers with what the category says about them. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const report_by_names[REPORT_BYS] = { "service", "client", "user", "rule", "hour", "day" };

/* Sets of verdicts. */
enum {
	ALL = 0xf,
	EXEMPT = 1 << RECORD_BYPASS,
	MEMBER = 1 << RECORD_BYPASS | 1 << RECORD_SHADOW,
	REFUSED = 1 << RECORD_NORMAL | 1 << RECORD_DENIED
};

static const struct report_section sections[REPORT_SECTIONS] = {
	[REPORT_TOTALS] = { .name = "totals", .title = "Verdicts", .note = "A connection can be several records.",
	    .column = { { "verdict", FOR_ALL } }, .columns = 1, .figures = REPORT_COUNTS },
	[REPORT_TABLE] = { .name = "table", .columns = 1, .figures = REPORT_COUNTS | REPORT_VERDICT_COUNTS },
	[REPORT_FAILURES] = { .name = "failures", .title = "Not exempt, but near the category, or refused",
	    .note = "Whose meeting probably failed, where to, and why; behind those, what was refused and no entry holds.",
	    .column = { { "client", FOR_ALL }, { "user", FOR_ALL }, { "destination", FOR_ALL }, { "name", FOR_ALL },
	    { "why", FOR_SCRIPTS }, { "service", FOR_SCRIPTS }, { "rule", FOR_SCRIPTS }, { "detail", ON_ITS_OWN } }, .columns = 8,
	    .figures = REPORT_COUNTS | REPORT_LAST },
	[REPORT_UNUSED] = { .name = "unused", .title = "Rules that never matched",
	    .note = "Entries of the category that decided nothing in this time.",
	    .column = { { "service", FOR_ALL }, { "rule", FOR_ALL }, { "source", FOR_SCRIPTS }, { "place", FOR_ALL } },
	    .columns = 4 },
	[REPORT_EXPIRED] = { .name = "expired", .title = "Sources past their expiry",
	    .column = { { "service", FOR_ALL }, { "source", FOR_ALL }, { "expires", FOR_ALL }, { "entries", FOR_ALL },
	    { "place", FOR_ALL } }, .columns = 5 },
	[REPORT_CANDIDATES] = { .name = "candidates", .title = "Candidates for the list",
	    .note = "Exempt by a name, at an address that no range of the service holds.",
	    .column = { { "service", FOR_ALL }, { "destination", FOR_ALL }, { "name", FOR_ALL } }, .columns = 3,
	    .figures = REPORT_COUNTS | REPORT_LAST },
	[REPORT_ABUSE] = { .name = "abuse", .title = "Signs of abuse, or of a list that is wrong",
	    .column = { { "sign", FOR_SCRIPTS }, { "client", FOR_ALL }, { "service", FOR_ALL }, { "rule", FOR_ALL },
	    { "destination", FOR_ALL }, { "name", FOR_ALL }, { "detail", ON_ITS_OWN } }, .columns = 7,
	    .figures = REPORT_COUNTS | REPORT_LAST },
};

enum report_section_number report_section_find(const char *name)
{
	size_t i = 0;

	while (i < REPORT_SECTIONS && strcmp(sections[i].name, name) != 0)
		i++;
	return (enum report_section_number)i;
}

/* ---- Memory ---- */

struct report_memory {
	struct report_memory *next;
	char text[];
};

bool report_keep(struct report *report, struct text text, const char **kept)
{
	struct report_memory *memory;

	*kept = "";
	if (text.length == 0)
		return true;
	memory = malloc(sizeof *memory + text.length + 1);
	if (memory == NULL)
		return false;
	memcpy(memory->text, text.at, text.length);
	memory->text[text.length] = '\0';
	memory->next = report->memory;
	report->memory = memory;
	*kept = memory->text;
	return true;
}

void report_free(struct report *report)
{
	while (report->memory != NULL) {
		struct report_memory *next = report->memory->next;

		free(report->memory);
		report->memory = next;
	}
	for (size_t i = 0; i < sizeof report->section / sizeof report->section[0]; i++) {
		free(report->section[i].rows);
		report->section[i].rows = NULL;
	}
}

struct report_row *report_add(struct making *making, enum report_section_number number)
{
	struct report_section *section = &making->report->section[number];
	struct report_row *row;

	if (making->options->limit != 0 && section->count >= making->options->limit) {
		section->omitted++;
		return NULL;
	}
	if (section->count == section->room) {
		size_t room = section->room == 0 ? 16 : section->room * 2;
		struct report_row *more = reallocarray(section->rows, room, sizeof *more);

		if (more == NULL) {
			making->failed = true;
			return NULL;
		}
		section->rows = more;
		section->room = room;
	}
	row = &section->rows[section->count++];
	memset(row, 0, sizeof *row);
	for (size_t i = 0; i < REPORT_COLUMNS; i++)
		row->text[i] = "";
	return row;
}

void report_put(struct making *making, struct report_row *row, size_t column, struct text text)
{
	if (row != NULL && !report_keep(making->report, text, &row->text[column]))
		making->failed = true;
}

void report_put_number(struct making *making, struct report_row *row, size_t column, int64_t number)
{
	if (row != NULL)
		report_put(making, row, column, text_of_number(making->store, number));
}

void report_count(struct report_row *row, const struct group *group)
{
	if (row == NULL)
		return;
	row->records += group->records;
	row->connections += group->connections;
	for (size_t i = 0; i < REPORT_VERDICTS; i++)
		row->by_verdict[i] += group->by_verdict[i];
	if (group->last > row->last)
		row->last = group->last;
}

/* ---- The questions ---- */

static bool remember(struct making *making, int64_t number, char *out, size_t size)
{
	struct text text = text_of_number(making->store, number);
	size_t length = text.length < size ? text.length : size - 1;

	memcpy(out, text.at, length);
	out[length] = '\0';
	return text.length > 0;
}

void report_went_to(struct making *making, int64_t dst, int64_t name, int64_t port, struct went_to *to)
{
	to->dst = remember(making, dst, making->dst, sizeof making->dst) ? text_of(making->dst) : text_of(NULL);
	to->name = remember(making, name, making->name, sizeof making->name) ? text_of(making->name) : text_of(NULL);
	to->port = (uint16_t)port;
}

/* place: dst, name. */
static unsigned near_bits(void *context, size_t place, int64_t value)
{
	const struct making *making = context;
	struct text text = text_of_number(making->store, value);

	return (place == 0 ? near_bits_of_dst : near_bits_of_name)(making->options->category, making->options->off, text);
}

static bool see_service(void *context, const struct entry *entry)
{
	struct making *making = context;

	making->seen = making->seen || making->service[0] == '\0' ||
	    (entry->service != NULL && strcmp(entry->service, making->service) == 0);
	return !making->seen;
}

/* Exempt by name, and its address is in no range of the service. key: service, dst, name, evidence. */
static bool is_candidate(void *context, const int64_t *key)
{
	struct making *making = context;
	struct address address;
	uint16_t port;

	if (!text_is(text_of_number(making->store, key[3]), "name") ||
	    !dst_parse(text_of_number(making->store, key[1]), &address, &port) ||
	    !remember(making, key[0], making->service, sizeof making->service))
		return false;
	making->seen = false;
	category_entries_of_address(making->options->category, &address, see_service, making);
	return !making->seen;
}

/* Exempt by address, and the SNI isn't any service's. place: sni, evidence. */
static unsigned foreign_bits(void *context, size_t place, int64_t value)
{
	struct making *making = context;
	struct text text = text_of_number(making->store, value);
	char name[NAME_SIZE];
	struct refusal why;

	if (place == 1)
		return text_is(text, "address");
	making->service[0] = '\0';
	making->seen = text.length == 0;
	if (name_parse(text, name, &why))
		category_entries_of_name(making->options->category, name, see_service, making);
	return !making->seen;
}

/* place: disagrees. */
static unsigned doubted_bits(void *context, size_t place, int64_t value)
{
	(void)context, (void)place;
	return value != 0;
}

static struct question by_one(enum report_by by)
{
	static const enum dimension dimension[REPORT_BYS] = { DIMENSION_SERVICE, DIMENSION_CLIENT, DIMENSION_USER,
		DIMENSION_RULE, DIMENSION_HOUR, DIMENSION_DAY };

	return (struct question){ .dimension = { dimension[by] }, .dimensions = 1, .verdicts = ALL };
}

static void put_questions(struct making *making)
{
	const unsigned bys = 1 << REPORT_BY_SERVICE | 1 << REPORT_BY_CLIENT | 1 << REPORT_BY_USER | 1 << REPORT_BY_RULE;
	struct question *question = making->question;

	question[ASK_ALL] = (struct question){ .verdicts = ALL };
	question[ASK_VERDICT] = (struct question){ .dimension = { DIMENSION_VERDICT }, .dimensions = 1, .verdicts = ALL };
	question[ASK_RULE] = (struct question){ .dimension = { DIMENSION_SERVICE, DIMENSION_RULE }, .dimensions = 2,
		.verdicts = MEMBER };
	question[ASK_STALE] =
	    (struct question){ .dimension = { DIMENSION_STALE }, .dimensions = 1, .verdicts = MEMBER,
		.uncounted = true };
	question[ASK_CLIENT] =
	    (struct question){ .dimension = { DIMENSION_CLIENT }, .dimensions = 1, .verdicts = EXEMPT };
	question[ASK_DISAGREES] = (struct question){ .dimension = { DIMENSION_DISAGREES }, .dimensions = 1,
		.verdicts = EXEMPT, .bits = doubted_bits, .uncounted = true };
	question[ASK_DOUBTED] = (struct question){ .dimension = { DIMENSION_CLIENT, DIMENSION_SERVICE, DIMENSION_RULE,
		DIMENSION_DST, DIMENSION_NAME, DIMENSION_DISAGREES }, .dimensions = 6, .verdicts = EXEMPT,
		.within = &question[ASK_DISAGREES] };
	/* What follows needs the category. */
	question[ASK_NEAR] = (struct question){ .dimension = { DIMENSION_DST, DIMENSION_NAME }, .dimensions = 2,
		.verdicts = REFUSED, .bits = near_bits, .context = making, .uncounted = true };
	question[ASK_FAILURE] = (struct question){ .dimension = { DIMENSION_CLIENT, DIMENSION_USER, DIMENSION_DST,
		DIMENSION_NAME, DIMENSION_PORT }, .dimensions = 5, .verdicts = REFUSED, .within = &question[ASK_NEAR] };
	question[ASK_REFUSED] = question[ASK_FAILURE];
	question[ASK_REFUSED].verdicts = 1 << RECORD_DENIED;
	question[ASK_REFUSED].outside = true;
	question[ASK_CANDIDATE] = (struct question){ .dimension = { DIMENSION_SERVICE, DIMENSION_DST, DIMENSION_NAME,
		DIMENSION_EVIDENCE }, .dimensions = 4, .verdicts = EXEMPT, .wants = is_candidate, .context = making };
	question[ASK_FOREIGN] = (struct question){ .dimension = { DIMENSION_SNI, DIMENSION_EVIDENCE }, .dimensions = 2,
		.verdicts = EXEMPT, .bits = foreign_bits, .context = making, .uncounted = true };
	question[ASK_ABUSE] = (struct question){ .dimension = { DIMENSION_CLIENT, DIMENSION_SERVICE, DIMENSION_RULE,
		DIMENSION_DST, DIMENSION_SNI, DIMENSION_EVIDENCE }, .dimensions = 6, .verdicts = EXEMPT,
		.within = &question[ASK_FOREIGN] };
	making->questions = making->options->category != NULL ? ASK_COUNT : ASK_NEAR;
	/* What is kept is for reports by any of them. */
	for (int by = 0; by < REPORT_BYS; by++) {
		if (((making->options->also | 1u << making->options->by | (making->store->kept != NULL ? bys : 0)) & 1u << by) == 0)
			continue;
		making->by[by] = &question[making->questions++];
		*making->by[by] = by_one((enum report_by)by);
	}
}

/* What is near depends on the category, and on what is switched off in it. */
static uint64_t about(const struct report_options *options)
{
	uint64_t category = options->category == NULL ? 0 : category_version(options->category);

	return category * UINT64_C(0x9e3779b97f4a7c15) ^ (options->off == NULL ? 0 : category_version(options->off));
}

bool report_make(struct store *store, const struct report_options *options, struct report *report,
    char why[STORE_WHY_SIZE])
{
	struct making *making = calloc(1, sizeof *making);
	bool good;

	memset(report, 0, sizeof *report);
	report->since = options->since;
	report->until = options->until;
	report->made = options->now;
	report->by = options->by;
	memcpy(report->section, sections, sizeof sections);
	if (making == NULL) {
		snprintf(why, STORE_WHY_SIZE, "out of memory");
		return false;
	}
	making->store = store;
	making->options = options;
	making->report = report;
	put_questions(making);
	store->about = about(options);
	good = store_hold(store) &&
	    questions_ask(store, options->since, options->until, making->question, making->questions);
	if (good)
		report_fill(making);
	store_let_go(store);
	if (!good || making->failed)
		snprintf(why, STORE_WHY_SIZE, "%s", good ? "out of memory" : store->trouble);
	good = good && !making->failed;
	for (size_t i = 0; i < making->questions; i++)
		question_free(&making->question[i]);
	free(making);
	return good;
}
