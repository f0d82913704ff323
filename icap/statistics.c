/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's counters in c-icap's statistics, as its `info` service shows them. */
#include <config.h>

#include "icap/statistics.h"

#include "icap/c_icap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service_counter {
	char name[64];
	int number;
};

/* c-icap knows a counter by its label alone, whatever its group, so the label has the service's name in it. */
static int register_counter(const char *label, const char *name)
{
	char text[160], group[] = "Service meeting";

	snprintf(text, sizeof text, "Service meeting %s%s", label, name);
	return ci_stat_entry_register(text, STAT_INT64_T, group);
}

static void register_services(struct statistics *statistics, const struct category *category)
{
	size_t count = category_services(category);

	if (count == 0)
		return;
	/* Without memory they are all counted together. */
	statistics->service = calloc(count, sizeof *statistics->service);
	if (statistics->service == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		struct service_counter *counter = &statistics->service[i];
		struct service_view view;

		category_service(category, i, &view);
		snprintf(counter->name, sizeof counter->name, "%s", view.name);
		counter->number = register_counter("BYPASS ", counter->name);
	}
	statistics->services = count;
}

void statistics_register(struct statistics *statistics, const struct category *category)
{
	memset(statistics, 0, sizeof *statistics);
	statistics->decisions = register_counter("DECISIONS", "");
	statistics->normal = register_counter("NORMAL", "");
	statistics->shadow = register_counter("SHADOW", "");
	statistics->disagreements = register_counter("DISAGREEMENTS", "");
	statistics->journal_errors = register_counter("JOURNAL ERRORS", "");
	statistics->lost = register_counter("RECORDS LOST", "");
	/* No service can have these names. */
	statistics->by_client = register_counter("BYPASS ", "(by client)");
	statistics->by_other = register_counter("BYPASS ", "(other service)");
	if (category != NULL)
		register_services(statistics, category);
}

static int bypass_counter(const struct statistics *statistics, struct text service)
{
	size_t low = 0, high = statistics->services;

	if (service.at == NULL)
		return statistics->by_client;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = statistics->service[middle].name;
		size_t length = strlen(name);
		int order = memcmp(name, service.at, length < service.length ? length : service.length);

		if (order == 0 && length == service.length)
			return statistics->service[middle].number;
		if (order < 0 || (order == 0 && length < service.length))
			low = middle + 1;
		else
			high = middle;
	}
	return statistics->by_other;
}

void statistics_count(const struct statistics *statistics, const struct transaction *transaction)
{
	const struct record *record = &transaction->record;

	ci_stat_uint64_inc(statistics->decisions, 1);
	if (record->verdict == RECORD_BYPASS)
		ci_stat_uint64_inc(bypass_counter(statistics, record->service), 1);
	else if (record->verdict == RECORD_SHADOW)
		ci_stat_uint64_inc(statistics->shadow, 1);
	else
		ci_stat_uint64_inc(statistics->normal, 1);
	if (record->disagrees)
		ci_stat_uint64_inc(statistics->disagreements, 1);
}

static void add(int number, uint64_t before, uint64_t now)
{
	if (now > before)
		ci_stat_uint64_inc(number, C_ICAP_COUNT(now - before > INT32_MAX ? INT32_MAX : now - before));
}

void statistics_count_journal(const struct statistics *statistics, const struct journal_counts *before,
    const struct journal_counts *now)
{
	add(statistics->journal_errors, before->errors, now->errors);
	add(statistics->lost, before->lost, now->lost);
}

void statistics_free(struct statistics *statistics)
{
	free(statistics->service);
	memset(statistics, 0, sizeof *statistics);
}
