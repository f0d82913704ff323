/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the module counts, in c-icap's statistics and for its own page; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_STATISTICS_H
#define SQUID_MEETING_ICAP_STATISTICS_H

#include "category/category.h"
#include "icap/transaction.h"
#include "records/records.h"

#include <stdatomic.h>

/* The services come behind these, in the order of the alphabet. */
enum counter {
	COUNT_DECISIONS,
	COUNT_NORMAL,
	COUNT_SHADOW,
	COUNT_DISAGREEMENTS,
	COUNT_JOURNAL_ERRORS,
	COUNT_LOST,
	COUNT_REPORTS, /* requests for the report that were answered, and those that were refused */
	COUNT_REPORTS_REFUSED,
	COUNT_BY_CLIENT,
	COUNT_BY_OTHER,
	COUNT_SERVICES
};

/* They are the same in all of c-icap's processes, and never change once registered. */
struct statistics {
	int *number; /* by which c-icap knows a counter */
	_Atomic uint64_t *count; /* for the page: what all processes have counted, in memory that they share; may be NULL. A
	                          * share for each processor, so that none waits for another's cache */
	size_t share;            /* the counters of one, and what keeps them apart */
	char (*service)[SERVICE_NAME_SIZE];
	size_t services;
};

/* Registers the counters, one for each service of the category, which may be NULL. To be called before c-icap starts its
 * processes; it takes no new ones after that: a service that comes later is counted in COUNT_BY_OTHER. Without memory
 * nothing is counted. */
void statistics_register(struct statistics *statistics, const struct category *category);

void statistics_add(const struct statistics *statistics, size_t counter, uint64_t more);
void statistics_count(const struct statistics *statistics, const struct record *record);

/* What the processes have counted together. */
uint64_t statistics_read(const struct statistics *statistics, size_t counter);

/* Counts what has happened to the journal since `before`. */
void statistics_count_journal(const struct statistics *statistics, const struct journal_counts *before,
    const struct journal_counts *now);

void statistics_free(struct statistics *statistics);

#endif
