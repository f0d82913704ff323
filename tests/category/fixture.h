/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of category/ share: folders of files, what loading says of them, questions as one line, chance. */
#ifndef SQUID_MEETING_TESTS_FIXTURE_H
#define SQUID_MEETING_TESTS_FIXTURE_H

#include "category/category.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- A folder of its own for each test: cmocka's setup and teardown; *state is its path ---- */

int folder_setup(void **state);
int folder_teardown(void **state); /* removes it with all that is in it */

/* Writes (or replaces) folder/name; a name may be "sub/x.service", and the sub-folder is made. */
void put(const char *folder, const char *name, const char *text);
void put_bytes(const char *folder, const char *name, const void *bytes, size_t length);
void drop(const char *folder, const char *name); /* removes a file */

/* ---- Loading ---- */

/* Loads folder, and asserts that there was nothing to say of it. The caller frees the category. */
struct category *load_good(const char *folder);

/* Loads the folders (ended by NULL); fills said with "BASE:LINE:COLUMN: reason\n" for each problem. */
enum { SAID_SIZE = 65536 };
struct category *load_folders(const char *const *folders, const struct category *previous, char said[SAID_SIZE]);
struct category *load_folder(const char *folder, const struct category *previous, char said[SAID_SIZE]);

/* One file alone: what is said of it. */
void assert_said(const char *folder, const char *name, const char *text, const char *said);

/* All entries as "address RULE SERVICE PORTS SOURCE DATE EXPIRES BASE:LINE\n"; missing parts are `-`. */
const char *entries_of(const struct category *category);

/* "name state title addresses names BASE\n" for each service. */
const char *services_of(const struct category *category);

/* ---- Questions ---- */

struct asked {
	enum mode mode;
	enum name_policy names;
	bool refuse_stale;
	const char *today; /* NULL: 2026-11-23 */
	const char *client, *dst, *dport, *host, *port, *sni;
	enum confirmation confirmed;
	const char *arguments; /* with blanks between */
};

/* The verdict as text: "bypass SERVICE RULE EVIDENCE", with " stale" and " also A,B" where that is so; "normal MISS";
 * "undecided SERVICE RULE"; "unreadable MESSAGE". Valid until the next call. */
const char *answer_to(const struct category *category, const struct asked *asked);
#define ASK(category, ...) answer_to((category), &(struct asked){__VA_ARGS__})
#define INTERCEPTED .mode = MODE_INTERCEPT, .names = NAMES_IGNORE
#define EXPLICIT .mode = MODE_EXPLICIT, .names = NAMES_IGNORE

/* The sources of what the last answer_to decided. */
const char *source_of_answer(void);

/* ---- Chance ---- */

/* The seed is 1, or MEETING_SEED of the environment; it is said in the test's output. */
void chance_begin(void);
uint64_t chance(uint64_t below); /* 0 to below - 1 */

struct prefix chance_prefix(enum family family, unsigned shortest, unsigned longest);
struct address first_of(const struct prefix *prefix);
struct address last_of(const struct prefix *prefix);
bool before(struct address *address); /* the address before; false in front of the first one */
bool after(struct address *address);  /* the address after; false behind the last one */

#endif
