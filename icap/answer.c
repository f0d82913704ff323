/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An answer of the module itself: the head, in which each header says no to something. */
#include <config.h>

#include "icap/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool answer_is_wanted(const struct transaction_headers *headers, const char *host)
{
	return report_host_is(host, transaction_host(headers));
}

/* A proxy of ours says once who its client is. Whoever else can reach c-icap may say anything. */
static bool is_for_client(ci_request_t *request, const struct transaction_headers *headers, const struct settings *settings)
{
	static const char name[] = "X-Client-IP:";
	const ci_headers_list_t *list = request->request_header;
	char proxy[CI_IPLEN] = "";
	int found = 0;

	for (int i = 0; list != NULL && i < (int)list->used; i++)
		found += strncasecmp(list->headers[i], name, sizeof name - 1) == 0;
	return found == 1 && ci_conn_remote_ip(request->connection, proxy) != NULL &&
	    report_clients_hold(&settings->proxies, text_of(proxy)) &&
	    report_clients_hold(&settings->clients, text_trim(headers->client_ip));
}

/* Prometheus says which text it takes best by naming it. */
static bool accepts_open_metrics(ci_request_t *request)
{
	const char *accept = ci_http_request_get_header(request, "Accept");

	return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
}

bool answer_make(ci_request_t *request, const struct transaction_headers *headers, const struct settings *settings,
    const struct page_sources *sources, struct answer *answer)
{
	const struct target *target = &headers->target;
	struct refusal why;
	struct wish wish;
	int status;

	if (!is_for_client(request, headers, settings)) {
		page_refuse(403, "The report is not for this client.", answer);
		return text_is(target->method, "HEAD");
	}
	status = wish_read(target, sources->now, &wish, &why);
	wish.open_metrics = accepts_open_metrics(request);
	if (status == 200)
		page_answer(sources, &wish, answer);
	else
		page_refuse(status, why.reason, answer);
	return text_is(target->method, "HEAD");
}

/* What is ours may be loaded, from nowhere else and nothing inline. */
#define POLICY "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " \
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

static const char *phrase_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	default:
		return "Service Unavailable";
	}
}

bool answer_begin(ci_request_t *request, const struct answer *answer, bool head)
{
	static const char *const always[] = {
		POLICY,
		"X-Content-Type-Options: nosniff",
		"X-Frame-Options: DENY",
		"Referrer-Policy: no-referrer",
		"Cross-Origin-Resource-Policy: same-origin",
	};
	bool body = !head && answer->length > 0;
	char line[160];
	bool good = ci_http_response_create(request, 1, body) != 0;

	snprintf(line, sizeof line, "HTTP/1.1 %d %s", answer->status, phrase_of(answer->status));
	good = good && ci_http_response_add_header(request, line) != NULL;
	snprintf(line, sizeof line, "Content-Type: %s", answer->type);
	good = good && ci_http_response_add_header(request, line) != NULL;
	snprintf(line, sizeof line, "Content-Length: %zu", answer->length);
	good = good && ci_http_response_add_header(request, line) != NULL;
	/* What tells of people is nobody's to keep. */
	snprintf(line, sizeof line, "Cache-Control: %s", answer->may_be_kept ? "private, max-age=3600" : "no-store");
	good = good && ci_http_response_add_header(request, line) != NULL;
	if (answer->status == 405)
		good = good && ci_http_response_add_header(request, "Allow: GET, HEAD") != NULL;
	if (answer->status == 503)
		good = good && ci_http_response_add_header(request, "Retry-After: 5") != NULL;
	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		good = good && ci_http_response_add_header(request, always[i]) != NULL;
	return good;
}
