/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judgement of one transaction: the helper's verdict as Squid hands it on, or one of our own.
 *
 * Squid keeps the last answer of each helper key, so keys of an earlier answer may be beside the verdict of a later
 * one: a normal verdict keeps none of them. Where a key has several values they are joined by commas; the last one
 * that means something counts.
 * What decides is believed only where it is true: the destination in intercept mode, the host in explicit mode. In no
 * mode that we know only the client is left. So a mistake in squid.conf can cost a bypass, but never makes one. */
#include <config.h>

#include "icap/transaction.h"

#include <string.h>

static const struct text missing;

static bool is_missing(struct text text)
{
	return text.at == NULL;
}

/* ---- Header values ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Squid writes these bytes of a value as %XX, and no others: a "%2F" in it is the value's own. */
static bool is_escaped_by_squid(unsigned char byte)
{
	return byte <= ' ' || byte >= 0x7f || strchr("<>\"#{}|\\^~[]`'", byte) != NULL;
}

/* The value as it was before Squid escaped it; cut at size. */
static struct text unescape(struct text text, char *buffer, size_t size)
{
	size_t length = 0;

	text = text_trim(text);
	if (is_missing(text) || memchr(text.at, '%', text.length) == NULL)
		return text;
	for (size_t i = 0; i < text.length && length < size; i++) {
		int high = -1, low = -1;

		if (text.at[i] == '%' && text.length - i > 2) {
			high = hex_digit(text.at[i + 1]);
			low = hex_digit(text.at[i + 2]);
		}
		if (high >= 0 && low >= 0 && is_escaped_by_squid((unsigned char)(high << 4 | low))) {
			buffer[length++] = (char)(high << 4 | low);
			i += 2;
		} else {
			buffer[length++] = text.at[i];
		}
	}
	return text_trim((struct text){ .at = buffer, .length = length });
}

/* Takes the last value off a list that is joined by commas. Returns false when the list is empty. */
static bool take_last(struct text *list, struct text *value)
{
	size_t comma;

	if (is_missing(*list))
		return false;
	for (comma = list->length; comma > 0 && list->at[comma - 1] != ',';)
		comma--;
	*value = text_trim((struct text){ .at = list->at + comma, .length = list->length - comma });
	if (comma == 0)
		*list = missing;
	else
		list->length = comma - 1;
	return true;
}

/* The last value of a list that isn't missing. */
static struct text last_value(struct text list)
{
	struct text value = missing;

	while (take_last(&list, &value))
		if (!is_missing(value))
			return value;
	return missing;
}

/* The last value of a list that is one of the names; the names' count if there is none. */
static size_t last_name(struct text list, const char *const *names, size_t count)
{
	struct text value;

	while (take_last(&list, &value))
		for (size_t i = 0; i < count; i++)
			if (!is_missing(value) && text_is(value, names[i]))
				return i;
	return count;
}

/* ---- Facts ---- */

static int32_t day_of(int64_t milliseconds)
{
	const int64_t day = INT64_C(24) * 60 * 60 * 1000;
	int64_t days = milliseconds / day - (milliseconds % day < 0);

	return days < INT32_MIN ? INT32_MIN : days > INT32_MAX ? INT32_MAX : (int32_t)days;
}

struct text transaction_host(const struct transaction_headers *headers)
{
	return is_missing(headers->target.host) ? text_trim(headers->host) : headers->target.host;
}

static void collect(const struct transaction_headers *headers, int64_t now, struct transaction *transaction)
{
	struct record *record = &transaction->record;
	struct text mode = text_trim(headers->mode), address, port, conn_address, conn_port;

	endpoint_split(text_trim(headers->dst), &address, &port);
	endpoint_split(text_trim(headers->conn), &conn_address, &conn_port);

	transaction->mode_known = !is_missing(mode) && (text_is(mode, "intercept") || text_is(mode, "explicit"));
	transaction->policy.mode = transaction->mode_known && text_is(mode, "explicit") ? MODE_EXPLICIT : MODE_INTERCEPT;
	transaction->policy.names = NAMES_IGNORE;
	transaction->policy.today = day_of(now);
	record->client = text_trim(headers->client_ip);
	if (is_missing(record->client))
		record->client = conn_address;
	record->sni = unescape(headers->sni, transaction->sni, sizeof transaction->sni);
	transaction->facts.client = record->client;
	if (transaction->mode_known && transaction->policy.mode == MODE_EXPLICIT) {
		transaction->facts.host = headers->target.host;
		transaction->facts.port = headers->target.port;
	} else if (transaction->mode_known) {
		transaction->facts.dst = address;
		transaction->facts.dport = port;
		transaction->facts.sni = record->sni;
	}

	record->time = now;
	if (!is_missing(conn_address))
		record->conn = text_trim(headers->conn);
	record->user = user_name(headers->client_username, headers->authenticated_user, transaction->user,
	    sizeof transaction->user);
	record->method = headers->target.method;
	record->host = transaction_host(headers);
	record->port = port_number(headers->target.port);
	/* In explicit mode it would be the proxy's own address. */
	if (!is_missing(address) && transaction->policy.mode != MODE_EXPLICIT) {
		record->dst = text_trim(headers->dst);
		if (record->port == 0)
			record->port = port_number(port);
	}
}

/* ---- The verdict ---- */

/* Asks about one service, about `client`, or, with no argument, about any service. */
static bool is_bypass(const struct category *category, const struct policy *policy, const struct facts *facts,
    struct text argument, struct verdict *verdict)
{
	decide(category, policy, facts, &argument, is_missing(argument) ? 0 : 1, verdict);
	return verdict->kind == VERDICT_BYPASS;
}

static void judge_ourselves(const struct category *category, struct transaction *transaction)
{
	const struct policy *policy = &transaction->policy;
	const struct facts *facts = &transaction->facts;
	struct record *record = &transaction->record;
	struct verdict verdict, client;

	record->verdict = RECORD_NORMAL;
	if (category == NULL) {
		record->reason = text_of(miss_name(MISS_NOTHING_LOADED));
		return;
	}
	if (!transaction->mode_known) {
		if (!is_bypass(category, policy, facts, text_of("client"), &client)) {
			record->reason = text_of("mode-unknown");
			return;
		}
		verdict = client;
	} else if (!is_bypass(category, policy, facts, missing, &verdict) &&
	    is_bypass(category, policy, facts, text_of("client"), &client)) {
		verdict = client;
	}
	if (verdict.kind == VERDICT_UNREADABLE)
		record->reason = text_of("unreadable");
	else if (verdict.kind != VERDICT_BYPASS)
		record->reason = text_of(miss_name(verdict.miss));
	if (verdict.kind != VERDICT_BYPASS)
		return;
	record->verdict = RECORD_BYPASS;
	record->service = text_of(verdict.service);
	record->rule.at = transaction->rule;
	record->rule.length = verdict_rule(&verdict, transaction->rule);
	record->evidence = text_of(evidence_name(verdict.evidence));
	record->source.at = transaction->source;
	record->source.length = verdict_source(&verdict, transaction->source, sizeof transaction->source);
	record->stale = verdict.stale;
}

/* Whether the helper's bypass can't be understood with our category. Its arguments aren't known, so a verdict of
 * normal is never doubted: it may be about another service. Nor is what isn't known here as it was there. */
static bool is_doubtful(const struct category *category, const struct transaction *transaction)
{
	const struct record *record = &transaction->record;
	const struct facts *facts = &transaction->facts;
	struct policy policy = transaction->policy;
	struct verdict verdict;

	if (category == NULL || is_missing(record->evidence))
		return false;
	if (text_is(record->evidence, "client") && is_missing(record->service))
		return !is_missing(facts->client) && !is_bypass(category, &policy, facts, text_of("client"), &verdict);
	if (!transaction->mode_known || is_missing(record->service))
		return false;
	if (policy.mode == MODE_EXPLICIT ? is_missing(facts->host) : is_missing(facts->dst))
		return false;
	if (text_is(record->evidence, "name") && policy.mode == MODE_INTERCEPT) {
		if (is_missing(facts->sni))
			return false;
		policy.names = NAMES_TRUST;
	}
	return !is_bypass(category, &policy, facts, record->service, &verdict);
}

/* Takes the verdict from the headers. Returns false if they have none. */
static bool judge_by_headers(const struct transaction_headers *headers, struct transaction *transaction)
{
	static const char *const verdicts[] = { "normal", "bypass", "shadow" };
	static const enum record_verdict verdict[] = { RECORD_NORMAL, RECORD_BYPASS, RECORD_SHADOW };
	static const char *const evidences[] = { "address", "name", "client" };
	enum { COUNT = 3 };
	size_t verdict_at = last_name(text_trim(headers->verdict), verdicts, COUNT);
	size_t evidence_at = last_name(text_trim(headers->evidence), evidences, COUNT);
	struct record *record = &transaction->record;
	struct text would = last_value(unescape(headers->would, transaction->would, sizeof transaction->would));

	if (verdict_at == COUNT && evidence_at == COUNT)
		return false;
	record->decided_by = RECORD_BY_HELPER;
	/* Only a member has an evidence. */
	record->verdict = verdict_at < COUNT ? verdict[verdict_at] : is_missing(would) ? RECORD_BYPASS : RECORD_SHADOW;
	if (record->verdict == RECORD_NORMAL)
		return true;
	if (record->verdict == RECORD_SHADOW)
		record->would = would;
	else
		record->service =
		    last_value(unescape(headers->service, transaction->service, sizeof transaction->service));
	record->rule = last_value(unescape(headers->rule, transaction->rule, sizeof transaction->rule));
	if (evidence_at < COUNT)
		record->evidence = text_of(evidences[evidence_at]);
	record->source = unescape(headers->source, transaction->source, sizeof transaction->source);
	record->stale = !is_missing(headers->stale) && text_is(last_value(text_trim(headers->stale)), "yes");
	return true;
}

bool transaction_read(const struct transaction_headers *headers, struct text proxy, int64_t now,
    struct transaction *transaction)
{
	struct record *record = &transaction->record;

	memset(&transaction->policy, 0, sizeof transaction->policy);
	memset(&transaction->facts, 0, sizeof transaction->facts);
	memset(record, 0, sizeof *record);
	record->proxy = proxy;
	record->decided_by = RECORD_BY_ICAP; /* unless there is a verdict */
	collect(headers, now, transaction);
	return !judge_by_headers(headers, transaction) || record->verdict == RECORD_BYPASS;
}

void transaction_ask(const struct category *category, struct transaction *transaction)
{
	if (transaction->record.decided_by == RECORD_BY_HELPER)
		transaction->record.disagrees = is_doubtful(category, transaction);
	else
		judge_ourselves(category, transaction);
}
