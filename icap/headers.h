/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request's headers, as c-icap keeps them; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_HEADERS_H
#define SQUID_MEETING_ICAP_HEADERS_H

#include "icap/c_icap.h"
#include "icap/transaction.h"

/* The headers that count. They point into the request. Of one that comes twice the first one counts. */
void headers_collect(ci_request_t *request, struct transaction_headers *headers);

#endif
