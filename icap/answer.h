/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An answer of the module itself, in place of any server's; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_ANSWER_H
#define SQUID_MEETING_ICAP_ANSWER_H

#include "icap/c_icap.h"
#include "icap/page.h"
#include "icap/settings.h"

/* Whether the request is one for the report, whose host that is ("": there is none). Such a request must never go on. */
bool answer_is_wanted(const struct transaction_headers *headers, const char *host);

/* Makes the answer to it, which may be that it isn't for this client. Returns whether only the head is wanted. */
bool answer_make(ci_request_t *request, const struct transaction_headers *headers, const struct settings *settings,
    const struct page_sources *sources, struct answer *answer);

/* Puts the answer's head into c-icap's response. head: without the body. Returns false if memory has run out. */
bool answer_begin(ci_request_t *request, const struct answer *answer, bool head) MUST_CHECK;

#endif
