/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the readers share: a list, and what comes of it, as text. */
#ifndef SQUID_MEETING_TESTS_SAID_H
#define SQUID_MEETING_TESTS_SAID_H

#include "feeds/feeds.h"
#include "tests/category/fixture.h"

/* The entries with a blank behind each; then "told L:C REASON\n", then "refused L:C REASON\n". Valid until the next call. */
const char *said_of(enum feed_format format, const char *list, size_t length, const struct feed_options *options);

/* Asserts that all of it is so. */
void assert_list(enum feed_format format, const char *list, const char *said);

/* Asserts that the part is in what is said. */
void assert_list_has(enum feed_format format, const char *list, const char *part);

#endif
