/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the module counts in c-icap's statistics; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_STATISTICS_H
#define SQUID_MEETING_ICAP_STATISTICS_H

#include "category/category.h"
#include "icap/transaction.h"
#include "records/records.h"

/* Numbers by which c-icap knows the counters. They are the same in all its processes, and never change once
 * registered. */
struct statistics {
	int decisions, normal, shadow, disagreements, journal_errors, lost;
	int by_client, by_other;
	struct service_counter *service; /* in the order of the alphabet */
	size_t services;
};

/* Registers the counters, one for each service of the category, which may be NULL. c-icap takes no new ones once it
 * has started its processes: a service that comes later is counted in by_other. */
void statistics_register(struct statistics *statistics, const struct category *category);

void statistics_count(const struct statistics *statistics, const struct transaction *transaction);

/* Counts what has happened to the journal since `before`. */
void statistics_count_journal(const struct statistics *statistics, const struct journal_counts *before,
    const struct journal_counts *now);

void statistics_free(struct statistics *statistics);

#endif
