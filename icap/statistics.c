/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's counters in c-icap's statistics, as its `info` service shows them, and in memory that its processes share:
 * c-icap sums up those of all processes for `info` alone. */
#include <config.h>

#include "icap/statistics.h"

#include "icap/c_icap.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SHARES = 8, CACHE_LINE = 64 };

/* c-icap knows a counter by its label alone, whatever its group, so the label has the service's name in it. */
static int register_counter(const char *label, const char *name)
{
	char text[160], group[] = "Service meeting";

	snprintf(text, sizeof text, "Service meeting %s%s", label, name);
	return ci_stat_entry_register(text, STAT_INT64_T, group);
}

static void register_services(struct statistics *statistics, const struct category *category)
{
	for (size_t i = 0; i < statistics->services; i++) {
		struct service_view view;

		category_service(category, i, &view);
		snprintf(statistics->service[i], sizeof statistics->service[i], "%s", view.name);
		statistics->number[COUNT_SERVICES + i] = register_counter("BYPASS ", view.name);
	}
}

static size_t size_of_counts(const struct statistics *statistics)
{
	return SHARES * statistics->share * sizeof *statistics->count;
}

void statistics_register(struct statistics *statistics, const struct category *category)
{
	/* No service can have a name with a parenthesis. */
	static const char *const labels[COUNT_SERVICES] = { "DECISIONS", "NORMAL", "SHADOW", "DISAGREEMENTS", "JOURNAL ERRORS",
		"RECORDS LOST", "REPORT REQUESTS", "REPORT REQUESTS REFUSED", "BYPASS (by client)", "BYPASS (other service)" };
	size_t services = category != NULL ? category_services(category) : 0;
	void *count;

	memset(statistics, 0, sizeof *statistics);
	statistics->number = calloc(COUNT_SERVICES + services, sizeof *statistics->number);
	statistics->service = calloc(services + 1, sizeof *statistics->service);
	if (statistics->number == NULL || statistics->service == NULL) {
		statistics_free(statistics);
		return;
	}
	statistics->services = services;
	for (size_t i = 0; i < COUNT_SERVICES; i++)
		statistics->number[i] = register_counter(labels[i], "");
	register_services(statistics, category);
	statistics->share = COUNT_SERVICES + services + CACHE_LINE / sizeof *statistics->count;
	count = mmap(NULL, size_of_counts(statistics), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	statistics->count = count == MAP_FAILED ? NULL : count;
}

static size_t bypass_counter(const struct statistics *statistics, struct text service)
{
	size_t low = 0, high = statistics->services;

	if (service.at == NULL)
		return COUNT_BY_CLIENT;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = statistics->service[middle];
		size_t length = strlen(name);
		int order = memcmp(name, service.at, length < service.length ? length : service.length);

		if (order == 0 && length == service.length)
			return COUNT_SERVICES + middle;
		if (order < 0 || (order == 0 && length < service.length))
			low = middle + 1;
		else
			high = middle;
	}
	return COUNT_BY_OTHER;
}

void statistics_add(const struct statistics *statistics, size_t counter, uint64_t more)
{
	if (statistics->number == NULL || more == 0)
		return;
	ci_stat_uint64_inc(statistics->number[counter], C_ICAP_COUNT(more > INT32_MAX ? INT32_MAX : more));
	if (statistics->count != NULL) {
		size_t share = (unsigned)sched_getcpu() % SHARES;

		atomic_fetch_add_explicit(&statistics->count[share * statistics->share + counter], more, memory_order_relaxed);
	}
}

uint64_t statistics_read(const struct statistics *statistics, size_t counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; statistics->count != NULL && i < SHARES; i++)
		sum += atomic_load_explicit(&statistics->count[i * statistics->share + counter], memory_order_relaxed);
	return sum;
}

void statistics_count(const struct statistics *statistics, const struct record *record)
{
	statistics_add(statistics, COUNT_DECISIONS, 1);
	if (record->verdict == RECORD_BYPASS)
		statistics_add(statistics, bypass_counter(statistics, record->service), 1);
	else
		statistics_add(statistics, record->verdict == RECORD_SHADOW ? COUNT_SHADOW : COUNT_NORMAL, 1);
	if (record->disagrees)
		statistics_add(statistics, COUNT_DISAGREEMENTS, 1);
}

void statistics_count_journal(const struct statistics *statistics, const struct journal_counts *before,
    const struct journal_counts *now)
{
	statistics_add(statistics, COUNT_JOURNAL_ERRORS, now->errors - before->errors);
	statistics_add(statistics, COUNT_LOST, now->lost - before->lost);
}

void statistics_free(struct statistics *statistics)
{
	if (statistics->count != NULL)
		munmap(statistics->count, size_of_counts(statistics));
	free(statistics->number);
	free(statistics->service);
	memset(statistics, 0, sizeof *statistics);
}
