/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap's access log asks for; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_FORMATS_H
#define SQUID_MEETING_ICAP_FORMATS_H

#include <stdbool.h>

/* Whether a LogFormat of c-icap's configuration has an attribute of requests, as in %{meeting:verdict}Sa. config is the path
 * of c-icap.conf; what it includes counts. True too where that can't be told. */
bool formats_have_attributes(const char *config);

#endif
