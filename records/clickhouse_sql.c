/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's questions as ClickHouse's SQL.
 *
 * What costs is to count distinct connections: in one large set each look-up misses the processor's caches. So each group's
 * connections are listed, large groups' in several lists by the connection, and each list is counted by itself. Many texts
 * are cheaper to group by as one. */
#include <config.h>

#include "records/clickhouse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many of another question's groups, in how long a query, a server is told of. */
enum { TOLD_GROUPS = 1000, TOLD_BYTES = 128 * 1024 };

/* Into how many lists a group's connections are spread (their numbers are odd, so these are), and how many a list may have
 * that a shard sends; from how many dimensions on groups are small. */
enum { SPREAD_OF_FEW = 127, SPREAD = 7, LIST_MOST = 16 * 1000 * 1000, FINE = 4 };

/* Longer than any time that a record may have, in whole days: no remainder of a negative number. */
#define AFTER_ALL "86400000000000"

/* Equal records have the same time, so they are looked for by the minute. */
#define MINUTE_OF_TIME "intDiv(time, 60000)"

#define ALL "1"

/* A record without one is one by itself. */
#define CONNECTION "if(connection = 0, id, connection)"

static const char *const expressions[DIMENSIONS] = { [DIMENSION_VERDICT] = "toInt8(verdict)",
	[DIMENSION_SERVICE] = "if(service != '', service, would)", [DIMENSION_CLIENT] = "client", [DIMENSION_USER] = "user",
	[DIMENSION_RULE] = "rule", [DIMENSION_DST] = "dst", [DIMENSION_NAME] = "if(dst != '' AND sni != '', sni, host)",
	[DIMENSION_PORT] = "port", [DIMENSION_SNI] = "sni", [DIMENSION_EVIDENCE] = "evidence", [DIMENSION_STALE] = "stale",
	[DIMENSION_DISAGREES] = "disagrees" };

/* What tells the hours or days of local time apart; `offset` is how far it is ahead of UTC. */
static void write_dimension(enum dimension dimension, const char *offset, FILE *to)
{
	if (dimension == DIMENSION_HOUR)
		fprintf(to, "time - (time + " AFTER_ALL " + %s) %% 3600000", offset);
	else if (dimension == DIMENSION_DAY)
		fprintf(to, "intDiv(time + " AFTER_ALL " + %s, 86400000)", offset);
	else
		fputs(expressions[dimension], to);
}

static void write_literal(struct text text, FILE *to)
{
	fputc('\'', to);
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\'' || text.at[i] == '\\')
			fputc('\\', to);
		fputc(text.at[i], to);
	}
	fputc('\'', to);
}

/* The other question's groups, where they are few. */
static void write_within(const struct query *query, FILE *to)
{
	const struct question *within = query->question->within;

	if (within == NULL || query->wanted_count == 0 || query->wanted_count > TOLD_GROUPS)
		return;
	for (size_t k = 0; k < within->dimensions; k++) {
		fputs(k > 0 ? ", " : " AND (", to);
		write_dimension(within->dimension[k], "", to);
	}
	fprintf(to, ") %sIN (", query->question->outside ? "NOT " : "");
	for (size_t i = 0; i < query->wanted_count; i++) {
		fprintf(to, "%s(", i > 0 ? ", " : "");
		for (size_t k = 0; k < within->dimensions; k++) {
			int64_t key = query->wanted[i]->key[k];

			fputs(k > 0 ? ", " : "", to);
			if (dimension_is_text(within->dimension[k]))
				write_literal(text_of_number(query->store, key), to);
			else
				fprintf(to, "%" PRId64, key);
		}
		fputc(')', to);
	}
	fputc(')', to);
}

static void write_verdicts(unsigned verdicts, FILE *to)
{
	const char *before = " AND verdict IN (";

	if (verdicts == (1 << VERDICTS) - 1)
		return;
	for (int i = 0; i < VERDICTS; i++) {
		if ((verdicts & 1u << i) != 0) {
			fprintf(to, "%s'%s'", before, record_verdict_name((enum record_verdict)i));
			before = ", ";
		}
	}
	fputc(')', to);
}

/* How many records there are for which `which` holds. */
static void write_count(const struct query *query, const char *which, FILE *to)
{
	if (query->twice_since >= query->twice_until && strcmp(which, ALL) == 0)
		fputs("count()", to);
	else if (query->twice_since >= query->twice_until)
		fprintf(to, "countIf(%s)", which);
	else
		fprintf(to, "countIf(%s AND (time < %" PRId64 " OR time >= %" PRId64 ")) + "
		    "uniqExactIf(id, %s AND time >= %" PRId64 " AND time < %" PRId64 ")", which, query->twice_since,
		    query->twice_until, which, query->twice_since, query->twice_until);
}

static void write_range(int64_t since, int64_t until, FILE *to)
{
	fprintf(to, " FROM records WHERE time >= %" PRId64 " AND time < %" PRId64, since, until);
}

static unsigned spread_of(const struct query *query)
{
	const struct question *question = query->question;
	unsigned spread = question->dimensions >= FINE ? 1 : question->dimensions == 0 ||
	    question->dimension[0] == DIMENSION_VERDICT ? SPREAD_OF_FEW : SPREAD;
	uint64_t needed = (query->rows / LIST_MOST + 1) | 1;

	if (question->uncounted)
		return 1;
	return needed > spread ? (unsigned)needed : spread;
}

/* One text of all dimensions. There is no NUL in any. */
static void write_joined(const struct query *query, FILE *to)
{
	fputs("concat(", to);
	for (size_t i = 0; i < query->question->dimensions; i++) {
		enum dimension dimension = query->question->dimension[i];

		fputs(i > 0 ? ", '\\0', " : "", to);
		fputs(dimension_is_text(dimension) ? "" : "toString(", to);
		write_dimension(dimension, query->offset, to);
		fputs(dimension_is_text(dimension) ? "" : ")", to);
	}
	fputs(") AS k, ", to);
}

static void write_group_by(const struct question *question, unsigned spread, FILE *to)
{
	const char *before = " GROUP BY ";

	if (question->dimensions >= FINE) {
		fprintf(to, "%sk", before);
		before = ", ";
	}
	for (size_t i = 0; i < question->dimensions && question->dimensions < FINE; i++) {
		fprintf(to, "%sk%zu", before, i);
		before = ", ";
	}
	if (spread > 1)
		fprintf(to, "%s" CONNECTION " %% %u", before, spread);
}

/* The lists. */
static void write_lists(const struct query *query, bool told, FILE *to)
{
	const struct question *question = query->question;
	char which[64];

	fputs("SELECT ", to);
	if (question->dimensions >= FINE)
		write_joined(query, to);
	for (size_t i = 0; i < question->dimensions && question->dimensions < FINE; i++) {
		write_dimension(question->dimension[i], query->offset, to);
		fprintf(to, " AS k%zu, ", i);
	}
	write_count(query, ALL, to);
	fprintf(to, " AS n, %s AS c, max(time) AS t", question->uncounted ? "0" : "groupArray(" CONNECTION ")");
	for (unsigned i = 0; i < query_verdict_left_out(question); i++) {
		if ((question->verdicts & 1u << i) != 0) {
			snprintf(which, sizeof which, "verdict = '%s'", record_verdict_name((enum record_verdict)i));
			fputs(", ", to);
			write_count(query, which, to);
			fprintf(to, " AS v%u", i);
		}
	}
	write_range(query->since, query->until, to);
	write_verdicts(question->verdicts, to);
	if (told)
		write_within(query, to);
	write_group_by(question, spread_of(query), to);
}

static void write_query(const struct query *query, bool told, FILE *to)
{
	const struct question *question = query->question;
	const unsigned spread = spread_of(query);
	const char *sum = spread > 1 ? "sum" : "";

	fputs("SELECT ", to);
	for (size_t i = 0; i < question->dimensions; i++)
		if (question->dimensions < FINE)
			fprintf(to, "k%zu, ", i);
		else
			fprintf(to, "splitByChar('\\0', k)[%zu], ", i + 1);
	fprintf(to, "%s(n), %s(%s), %s(t)", sum, sum, question->uncounted ? "c" : "arrayUniq(c)", spread > 1 ? "max" : "");
	for (unsigned i = 0; i < query_verdict_left_out(question); i++)
		if ((question->verdicts & 1u << i) != 0)
			fprintf(to, ", %s(v%u)", sum, i);
	fputs(" FROM (", to);
	write_lists(query, told, to);
	fputc(')', to);
	if (spread > 1)
		write_group_by(question, 1, to);
	fputs(" FORMAT TabSeparated", to);
}

unsigned query_verdict_left_out(const struct question *question)
{
	unsigned last = VERDICTS - 1;

	while ((question->verdicts & 1u << last) == 0 && last > 0)
		last--;
	return last;
}

char *query_of_question(const struct query *query)
{
	for (int told = 1; told >= 0; told--) {
		char *sql = NULL;
		size_t length = 0;
		FILE *to = open_memstream(&sql, &length);

		if (to == NULL)
			return NULL;
		write_query(query, told == 1, to);
		if (fclose(to) == 0 && (length <= TOLD_BYTES || told == 0))
			return sql;
		free(sql);
	}
	return NULL;
}

char *query_of_moment(int64_t since, int64_t until)
{
	char *sql = NULL;
	size_t length;
	FILE *to = open_memstream(&sql, &length);

	if (to == NULL)
		return NULL;
	fputs("SELECT min(first), max(last), sum(n), sum(u), minIf(first, n != u), maxIf(last, n != u)", to);
	for (int i = 0; i < VERDICTS; i++)
		fprintf(to, ", sum(v%d)", i);
	fputs(" FROM (SELECT min(time) AS first, max(time) AS last, count() AS n, arrayUniq(groupArray(id)) AS u", to);
	for (int i = 0; i < VERDICTS; i++)
		fprintf(to, ", countIf(verdict = '%s') AS v%d", record_verdict_name((enum record_verdict)i), i);
	write_range(since, until, to);
	/* Equal records are in the same shard: so each of them may count its own. */
	fputs(" GROUP BY " MINUTE_OF_TIME ") SETTINGS distributed_group_by_no_merge = 1 FORMAT TabSeparated", to);
	if (fclose(to) == 0)
		return sql;
	free(sql);
	return NULL;
}
