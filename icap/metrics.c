/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What monitoring asks for: OpenMetrics 1.0, and the older text of Prometheus, which differ in where _total stands.
 *
 * All counters are those of all of c-icap's processes since it was started, whichever of them answers. */
#include <config.h>

#include "icap/page.h"

#include <inttypes.h>

/* A family's head. A counter's samples end in _total, which is part of the family's name in the older text only. */
static void put_head(const char *name, bool counter, bool open_metrics, const char *help, FILE *to)
{
	const char *end = counter && !open_metrics ? "_total" : "";

	fprintf(to, "# HELP squid_meeting_%s%s %s\n# TYPE squid_meeting_%s%s %s\n", name, end, help, name, end,
	    counter ? "counter" : "gauge");
}

static void put_counter(const char *name, uint64_t value, bool open_metrics, const char *help, FILE *to)
{
	put_head(name, true, open_metrics, help, to);
	fprintf(to, "squid_meeting_%s_total %" PRIu64 "\n", name, value);
}

static void put_gauge(const char *name, int64_t value, bool open_metrics, const char *help, FILE *to)
{
	put_head(name, false, open_metrics, help, to);
	fprintf(to, "squid_meeting_%s %" PRId64 "\n", name, value);
}

/* A time, in seconds since 1970. */
static void put_time(const char *name, int64_t milliseconds, bool open_metrics, const char *help, FILE *to)
{
	put_head(name, false, open_metrics, help, to);
	fprintf(to, "squid_meeting_%s %" PRId64 ".%03d\n", name, milliseconds / 1000, (int)(milliseconds % 1000));
}

static void put_decisions(const struct statistics *statistics, bool open_metrics, FILE *to)
{
	uint64_t bypass = 0;

	for (size_t i = COUNT_BY_CLIENT; i < COUNT_SERVICES + statistics->services; i++)
		bypass += statistics_read(statistics, i);
	put_head("decisions", true, open_metrics, "Requests that were recorded, by verdict.", to);
	fprintf(to, "squid_meeting_decisions_total{verdict=\"bypass\"} %" PRIu64 "\n", bypass);
	fprintf(to, "squid_meeting_decisions_total{verdict=\"normal\"} %" PRIu64 "\n",
	    statistics_read(statistics, COUNT_NORMAL));
	fprintf(to, "squid_meeting_decisions_total{verdict=\"shadow\"} %" PRIu64 "\n",
	    statistics_read(statistics, COUNT_SHADOW));
	put_head("bypasses", true, open_metrics,
	    "Requests that were exempt, by service; (by client): whoever they went to, (other): services that came later.", to);
	fprintf(to, "squid_meeting_bypasses_total{service=\"(by client)\"} %" PRIu64 "\n",
	    statistics_read(statistics, COUNT_BY_CLIENT));
	fprintf(to, "squid_meeting_bypasses_total{service=\"(other)\"} %" PRIu64 "\n",
	    statistics_read(statistics, COUNT_BY_OTHER));
	/* A service's name has no character that would need an escape. */
	for (size_t i = 0; i < statistics->services; i++)
		fprintf(to, "squid_meeting_bypasses_total{service=\"%s\"} %" PRIu64 "\n", statistics->service[i],
		    statistics_read(statistics, COUNT_SERVICES + i));
	put_counter("disagreements", statistics_read(statistics, COUNT_DISAGREEMENTS), open_metrics,
	    "Requests that the helper called exempt, and the module's own folders don't hold.", to);
	put_counter("journal_errors", statistics_read(statistics, COUNT_JOURNAL_ERRORS), open_metrics,
	    "Tries to write the journal that failed.", to);
	put_counter("records_lost", statistics_read(statistics, COUNT_LOST), open_metrics,
	    "Records that couldn't be written, and that the queue couldn't hold.", to);
	put_head("report_requests", true, open_metrics, "Requests for the report, by whether they were answered.", to);
	fprintf(to, "squid_meeting_report_requests_total{answered=\"yes\"} %" PRIu64 "\n",
	    statistics_read(statistics, COUNT_REPORTS));
	fprintf(to, "squid_meeting_report_requests_total{answered=\"no\"} %" PRIu64 "\n",
	    statistics_read(statistics, COUNT_REPORTS_REFUSED));
}

static void put_store(const struct page_sources *sources, bool open_metrics, FILE *to)
{
	struct ingest_state state = shared_ingest(sources->shared);
	int64_t size = journals_size(sources->journals, sources->journal_count);

	put_counter("ingested_records", state.records, open_metrics, "Records that came into the store.", to);
	put_counter("ingest_malformed_lines", state.malformed, open_metrics, "Lines of the journals that are no record.", to);
	put_counter("ingest_failures", state.failures, open_metrics, "Tries to fill the store that failed.", to);
	put_time("ingest_last_success_timestamp_seconds", state.last, open_metrics,
	    "When the store had all of the journals; 0: not yet.", to);
	put_gauge("store_lag_bytes", size > state.bytes ? size - state.bytes : 0, open_metrics,
	    "How much of the journals isn't in the store yet.", to);
}

static void put_category(const struct page_sources *sources, bool open_metrics, FILE *to)
{
	const struct category *category = sources->category;
	const int64_t a_day = INT64_C(24) * 60 * 60 * 1000;
	struct category_counts counts;
	int64_t expired = 0, oldest = INT64_MAX;

	category_count(category, &counts);
	for (size_t i = 0; i < category_sources(category); i++) {
		struct source_view view;
		int32_t day;

		category_source(category, i, (int32_t)(sources->now / a_day), &view);
		expired += view.expired;
		if (date_parse(text_of(view.date), &day) && day * a_day < oldest)
			oldest = day * a_day;
	}
	put_head("category", false, open_metrics, "The category in force, by the number made from its content.", to);
	fprintf(to, "squid_meeting_category{version=\"%016" PRIx64 "\"} 1\n", category_version(category));
	put_gauge("category_services", (int64_t)counts.services, open_metrics, "Services of the category.", to);
	put_gauge("category_addresses", (int64_t)counts.addresses, open_metrics, "Address ranges of the category.", to);
	put_gauge("category_names", (int64_t)counts.names, open_metrics, "Host names of the category.", to);
	put_gauge("category_clients", (int64_t)counts.clients, open_metrics, "Exempt clients.", to);
	put_gauge("category_files_refused", (int64_t)counts.refused_files, open_metrics,
	    "Files of the category that have an error.", to);
	put_gauge("category_sources_expired", expired, open_metrics, "Sources that are past their expiry.", to);
	put_time("category_oldest_source_timestamp_seconds", oldest == INT64_MAX ? 0 : oldest, open_metrics,
	    "The day of the oldest source that has a date; 0: none has.", to);
	if (sources->shared != NULL)
		put_time("category_loaded_timestamp_seconds", shared_category_since(sources->shared), open_metrics,
		    "When this category came into force.", to);
}

void metrics_write(const struct page_sources *sources, bool open_metrics, FILE *to)
{
	put_head("build", false, open_metrics, "The version of squid-meeting.", to);
	fputs("squid_meeting_build{version=\"" PACKAGE_VERSION "\"} 1\n", to);
	put_decisions(sources->statistics, open_metrics, to);
	if (sources->store != NULL && sources->shared != NULL)
		put_store(sources, open_metrics, to);
	if (sources->category != NULL)
		put_category(sources, open_metrics, to);
	if (open_metrics)
		fputs("# EOF\n", to);
}
