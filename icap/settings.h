/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What c-icap.conf says to the module; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_SETTINGS_H
#define SQUID_MEETING_ICAP_SETTINGS_H

#include "icap/c_icap.h"
#include "icap/page.h"

enum { SETTINGS_FOLDERS = 16, SETTINGS_JOURNALS = 16 };

struct settings {
	char *folder[SETTINGS_FOLDERS];
	size_t folders;
	char *journal[SETTINGS_JOURNALS]; /* the module's own one, and those that are read into the store, too */
	size_t journals;
	char *store; /* NULL: none is filled */
	char *chart;
	int64_t keep; /* milliseconds; 0: for ever */
	char host[NAME_SIZE]; /* of the report; "": there is none */
	struct report_clients clients;
	struct report_clients proxies; /* whose word on the client counts */
};

/* The directives, whose data is the settings. */
extern struct ci_conf_entry settings_directives[];
struct settings *settings_get(void);

/* Puts in what was left out. False if memory has run out. */
bool settings_complete(struct settings *settings) MUST_CHECK;
void settings_free(struct settings *settings);

#endif
