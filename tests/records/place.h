/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the journal share. */
#ifndef SQUID_MEETING_TESTS_RECORDS_PLACE_H
#define SQUID_MEETING_TESTS_RECORDS_PLACE_H

#include "records/records.h"

#include <sys/types.h>

/* Each look and each try at once, so that no test waits for a clock. */
extern const struct journal_options eager;

/* The test's folder, the journal in it, and the name that the journal is rotated to. */
extern char folder[64], path[96], other[96];

int make_folder(void **state);
int remove_folder(void **state);

/* A store at sqlite:PATH, and what is beside it. */
void remove_store(const char *place);

/* The file's content, which the caller frees. */
char *content(const char *name);
void expect_content(const char *name, const char *expected);

enum journal_result put(struct journal *journal, const char *line) MUST_CHECK;
enum journal_result put_record(struct journal *journal, const struct record *record) MUST_CHECK;
void expect_counts(struct journal *journal, uint64_t written, uint64_t lost, uint64_t waiting);

/* Waits for the process, whose status must be 0. */
void expect_good_end(pid_t child);

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
