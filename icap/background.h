/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journals are read into the store by a thread of one of c-icap's processes; for the files of this folder only. */
#ifndef SQUID_MEETING_ICAP_BACKGROUND_H
#define SQUID_MEETING_ICAP_BACKGROUND_H

#include "icap/shared.h"

#include <stddef.h>

struct background;

/* What it is to do. The texts have to outlive it. */
struct background_options {
	const char *store; /* "sqlite:PATH" */
	const char *const *journals;
	size_t journal_count;
	int64_t keep;          /* milliseconds; 0: for ever */
	struct shared *shared; /* may be NULL */
	void (*tell)(const char *text); /* a sentence for the log; called from the thread, and not often */
	void (*rest)(void); /* called from the thread, if it is the one that reads, after each look at the journals */
};

/* Starts the thread. NULL, when there is none to be had: then the journals wait for another process. */
struct background *background_start(const struct background_options *options) MUST_CHECK;

/* Ends it after the batch at hand, for which it doesn't wait long. */
void background_stop(struct background *background);

#endif
