/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's sections, made from the answers. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void sort(struct making *making, struct question *question, enum question_order order, size_t limit)
{
	making->failed = !question_sort(making->store, question, order, limit) || making->failed;
}

/* ---- Totals and the table ---- */

static void fill_totals(struct making *making)
{
	struct question *all = &making->question[ASK_ALL], *verdict = &making->question[ASK_VERDICT];
	const struct report_options *options = making->options;
	struct report_options unlimited = *options;
	struct report_row *row;

	unlimited.limit = 0;
	making->options = &unlimited;
	for (int number = 0; number < REPORT_VERDICTS; number++) {
		row = report_add(making, REPORT_TOTALS);
		report_put(making, row, 0, text_of(record_verdict_name((enum record_verdict)number)));
		for (size_t i = 0; i < verdict->count; i++)
			if (verdict->groups[i].key[0] == number)
				report_count(row, &verdict->groups[i]);
	}
	row = report_add(making, REPORT_TOTALS);
	report_put(making, row, 0, text_of("all"));
	if (all->count > 0)
		report_count(row, &all->groups[0]);
	making->options = options;
}

static void fill_table(struct making *making, enum report_section_number number, enum report_by wanted,
    struct question *by)
{
	static const char *const titles[REPORT_BYS] = { "By service", "By client", "By user", "By rule", "By hour",
		"By day" };
	struct report_section *section = &making->report->section[number];
	bool in_time = wanted == REPORT_BY_HOUR || wanted == REPORT_BY_DAY;

	section->title = titles[wanted];
	section->column[0] = (struct report_column){ report_by_names[wanted], FOR_ALL };
	snprintf(section->note, sizeof section->note, "%s", wanted == REPORT_BY_SERVICE ?
	    "The service of a shadow is the one that it would have been." : in_time ? "In local time." : "");
	sort(making, by, in_time ? ORDER_BY_KEY : ORDER_BY_RECORDS, making->options->limit);
	for (size_t i = 0; i < by->count; i++) {
		struct report_row *row = report_add(making, number);
		char when[TIME_TEXT_SIZE];

		report_count(row, &by->groups[i]);
		if (in_time) {
			(void)time_format(by->groups[i].key[0], wanted == REPORT_BY_HOUR ? TIME_HOUR : TIME_DAY, when);
			report_put(making, row, 0, text_of(when));
		} else {
			report_put_number(making, row, 0, by->groups[i].key[0]);
		}
	}
}

/* Those in time are whole: what they have no row for is taken for nothing. */
static void fill_also(struct making *making)
{
	const struct report_options *options = making->options;
	struct report_options unlimited = *options;

	unlimited.limit = 0;
	for (int i = 0; i < REPORT_BYS; i++) {
		enum report_section_number number = (enum report_section_number)(REPORT_ALSO + i);
		enum report_by by = (enum report_by)i;

		if ((options->also & 1u << i) == 0)
			continue;
		making->report->section[number] = (struct report_section){ .name = report_by_names[i], .columns = 1,
			.figures = REPORT_COUNTS | REPORT_VERDICT_COUNTS };
		making->options = by == REPORT_BY_HOUR || by == REPORT_BY_DAY ? &unlimited : options;
		fill_table(making, number, by, making->by[i]);
	}
	making->options = options;
}

/* ---- Failures ---- */

static const char *explain(const struct nearness *nearness, char *out, size_t size)
{
	static const char *const codes[] = { "no-entry", "exempt-now", "other-port", "name-only",
		"switched-off" };
	const char *rule = nearness->rule, *service = nearness->service;

	switch (nearness->near) {
	case NEAR_NOT:
		snprintf(out, size, "refused, and no entry holds the address or the name");
		break;
	case NEAR_OTHER_PORT:
		snprintf(out, size, "%s of %s is for %s only", rule, service, nearness->ports);
		break;
	case NEAR_NAME_ONLY:
		snprintf(out, size, "the name is of %s, the address in none of its ranges", service);
		break;
	case NEAR_OFF:
		snprintf(out, size, "%s, which %s has, is switched off", service, rule);
		break;
	default:
		snprintf(out, size, "%s of %s holds it now: was the entry there, is http_access in order?", rule, service);
		break;
	}
	return codes[nearness->near];
}

static void fill_failures(struct making *making, int asked)
{
	struct question *failure = &making->question[asked];

	sort(making, failure, ORDER_BY_RECORDS, making->options->limit);
	for (size_t i = 0; i < failure->count; i++) {
		struct report_row *row = report_add(making, REPORT_FAILURES);
		const int64_t *key = failure->groups[i].key;
		char detail[512], endpoint[512];
		struct nearness nearness;
		struct went_to to;

		if (row == NULL)
			continue;
		report_went_to(making, key[2], key[3], key[4], &to);
		near_find(making->options->category, making->options->off, &to, &nearness);
		report_count(row, &failure->groups[i]);
		report_put_number(making, row, 0, key[0]);
		report_put_number(making, row, 1, key[1]);
		snprintf(endpoint, sizeof endpoint, "%.*s:%u", (int)to.name.length, to.name.at == NULL ? "" : to.name.at,
		    (unsigned)to.port);
		report_put(making, row, 2, to.dst.at != NULL ? to.dst : text_of(endpoint));
		report_put(making, row, 3, to.name);
		report_put(making, row, 4, text_of(explain(&nearness, detail, sizeof detail)));
		report_put(making, row, 5, text_of(nearness.service));
		report_put(making, row, 6, text_of(nearness.rule));
		report_put(making, row, 7, text_of(detail));
	}
}

/* ---- What to clean up ---- */

static char *join(const char *service, const char *rule)
{
	char *joined = NULL;

	return asprintf(&joined, "%s %s", service, rule) < 0 ? NULL : joined;
}

static int compare_texts(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* A sorted list of "service rule". */
struct rules {
	struct making *making;
	char **list;
	size_t count, room;
};

static bool add_rule(struct rules *rules, const char *service, const char *rule)
{
	if (rules->count == rules->room) {
		size_t room = rules->room == 0 ? 64 : rules->room * 2;
		char **more = reallocarray(rules->list, room, sizeof *more);

		if (more == NULL)
			return false;
		rules->list = more;
		rules->room = room;
	}
	rules->list[rules->count] = join(service, rule);
	return rules->list[rules->count] != NULL && ++rules->count > 0;
}

static void sort_rules(struct rules *rules)
{
	if (rules->count > 1)
		qsort(rules->list, rules->count, sizeof *rules->list, compare_texts);
}

static void free_rules(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->list[i]);
	free(rules->list);
}

static bool has_rule(struct rules *rules, const char *service, const char *rule)
{
	char *wanted = join(service, rule);
	bool found = wanted != NULL && rules->count > 0 &&
	    bsearch(&wanted, rules->list, rules->count, sizeof *rules->list, compare_texts) != NULL;

	rules->making->failed = rules->making->failed || wanted == NULL;
	free(wanted);
	return found;
}

static void collect_used(struct making *making, struct rules *rules)
{
	struct question *question = &making->question[ASK_RULE];

	for (size_t i = 0; i < question->count; i++) {
		struct went_to pair;

		report_went_to(making, question->groups[i].key[0], question->groups[i].key[1], 0, &pair);
		if (!add_rule(rules, pair.dst.at != NULL ? pair.dst.at : "", pair.name.at != NULL ? pair.name.at : ""))
			making->failed = true;
	}
	sort_rules(rules);
}

static bool tell_unused(void *context, const struct entry *entry)
{
	struct rules *rules = context;
	struct report_row *row;
	char *place = NULL;

	if (entry->kind == ENTRY_CLIENT || has_rule(rules, entry->service, entry->rule))
		return true;
	row = report_add(rules->making, REPORT_UNUSED);
	if (row == NULL)
		return true;
	report_put(rules->making, row, 0, text_of(entry->service));
	report_put(rules->making, row, 1, text_of(entry->rule));
	report_put(rules->making, row, 2, text_of(entry->source));
	if (asprintf(&place, "%s:%u", entry->file, (unsigned)entry->line) < 0)
		place = NULL;
	report_put(rules->making, row, 3, text_of(place));
	free(place);
	return true;
}

static void fill_expired(struct making *making)
{
	const struct category *category = making->options->category;
	struct question *stale = &making->question[ASK_STALE];
	struct report_section *section = &making->report->section[REPORT_EXPIRED];
	uint64_t records = 0;

	for (size_t i = 0; i < stale->count; i++)
		if (stale->groups[i].key[0] != 0)
			records = stale->groups[i].records;
	snprintf(section->note, sizeof section->note, "Records in this time that were decided by such an entry: %" PRIu64 ".",
	    records);
	for (size_t i = 0; category != NULL && i < category_sources(category); i++) {
		struct source_view view;
		struct report_row *row;
		char entries[32];

		category_source(category, i, (int32_t)(making->options->now / (INT64_C(24) * 60 * 60 * 1000)), &view);
		if (!view.expired)
			continue;
		row = report_add(making, REPORT_EXPIRED);
		snprintf(entries, sizeof entries, "%zu", view.addresses + view.names);
		report_put(making, row, 0, text_of(view.service));
		report_put(making, row, 1, text_of(view.source));
		report_put(making, row, 2, text_of(view.expires));
		report_put(making, row, 3, text_of(entries));
		report_put(making, row, 4, text_of(view.file));
	}
}

/* ---- Candidates and abuse ---- */

static void fill_candidates(struct making *making)
{
	struct question *candidate = &making->question[ASK_CANDIDATE];

	sort(making, candidate, ORDER_BY_RECORDS, making->options->limit);
	for (size_t i = 0; i < candidate->count && candidate->groups[i].wanted; i++) {
		struct report_row *row = report_add(making, REPORT_CANDIDATES);

		report_count(row, &candidate->groups[i]);
		for (size_t column = 0; column < 3; column++)
			report_put_number(making, row, column, candidate->groups[i].key[column]);
	}
}

/* A row for each group of client, service, rule, destination and name. */
static void tell_groups(struct making *making, int asked, const char *sign, const char *detail)
{
	struct question *question = &making->question[asked];

	sort(making, question, ORDER_BY_RECORDS, making->options->limit);
	for (size_t i = 0; i < question->count; i++) {
		struct report_row *row = report_add(making, REPORT_ABUSE);

		report_put(making, row, 0, text_of(sign));
		for (size_t column = 0; column < 5; column++)
			report_put_number(making, row, column + 1, question->groups[i].key[column]);
		report_put(making, row, 6, text_of(detail));
		report_count(row, &question->groups[i]);
	}
}

static void tell_busy(struct making *making)
{
	enum { LEAST = 100, TIMES = 10 };
	struct question *client = &making->question[ASK_CLIENT];
	struct report_section *section = &making->report->section[REPORT_ABUSE];
	uint64_t median = 0, limit;

	sort(making, client, ORDER_BY_CONNECTIONS, 0);
	if (client->count > 0)
		median = client->groups[client->count / 2].connections;
	limit = median * TIMES > LEAST ? median * TIMES : LEAST;
	snprintf(section->note, sizeof section->note, "A client has unusually many exempt connections if there are more than "
	    "%d, and more than %d times the median of all clients (here %" PRIu64 "): more than %" PRIu64 ".", (int)LEAST,
	    (int)TIMES, median, limit);
	for (size_t i = 0; i < client->count && client->groups[i].connections > limit; i++) {
		struct report_row *row = report_add(making, REPORT_ABUSE);

		report_put(making, row, 0, text_of("many-connections"));
		report_put_number(making, row, 1, client->groups[i].key[0]);
		report_put(making, row, 6, text_of("unusually many exempt connections"));
		report_count(row, &client->groups[i]);
	}
}

static bool note_rule(void *context, const struct entry *entry)
{
	struct rules *rules = context;

	if (!add_rule(rules, entry->kind == ENTRY_CLIENT ? "" : entry->service, entry->rule))
		rules->making->failed = true;
	return true;
}

/* Rules that the helper decided by, and that the category here hasn't: it is another one, or it has changed. */
static void tell_gone(struct making *making)
{
	struct question *used = &making->question[ASK_RULE];
	struct rules rules = { .making = making };

	category_entries(making->options->category, note_rule, &rules);
	sort_rules(&rules);
	for (size_t i = 0; i < used->count; i++) {
		const int64_t *key = used->groups[i].key;
		struct report_row *row;
		struct went_to pair;

		report_went_to(making, key[0], key[1], 0, &pair);
		if (pair.name.at == NULL || has_rule(&rules, pair.dst.at != NULL ? pair.dst.at : "", pair.name.at) ||
		    has_rule(&rules, "", pair.name.at))
			continue;
		row = report_add(making, REPORT_ABUSE);
		report_put(making, row, 0, text_of("unknown-rule"));
		report_put_number(making, row, 2, key[0]);
		report_put_number(making, row, 3, key[1]);
		report_put(making, row, 6, text_of("decided by a rule that the category hasn't"));
		report_count(row, &used->groups[i]);
	}
	free_rules(&rules);
}

void report_fill(struct making *making)
{
	struct rules used = { .making = making };

	fill_totals(making);
	fill_table(making, REPORT_TABLE, making->options->by, making->by[making->options->by]);
	fill_also(making);
	sort(making, &making->question[ASK_RULE], ORDER_BY_RECORDS, 0);
	fill_expired(making);
	tell_busy(making);
	tell_groups(making, ASK_DOUBTED, "disagreement", "exempt by the helper; the module's own folders don't hold it");
	if (making->options->category == NULL)
		return;
	fill_failures(making, ASK_FAILURE);
	fill_failures(making, ASK_REFUSED);
	collect_used(making, &used);
	category_entries(making->options->category, tell_unused, &used);
	free_rules(&used);
	fill_candidates(making);
	tell_gone(making);
	tell_groups(making, ASK_ABUSE, "foreign-name", "exempt by address; the SNI is no service's");
}
