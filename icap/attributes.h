/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request's attributes, for c-icap's access log; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_ATTRIBUTES_H
#define SQUID_MEETING_ICAP_ATTRIBUTES_H

#include "icap/c_icap.h"
#include "records/records.h"

/* Their memory comes from pools that all threads of c-icap share: to be set only where formats_have_attributes(). A missing
 * text sets none. */
void attribute_set(ci_request_t *request, const char *name, struct text text);
void attributes_set(ci_request_t *request, const struct record *record);

#endif
