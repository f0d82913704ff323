/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of ctl/ share. */
#ifndef SQUID_MEETING_CTL_H
#define SQUID_MEETING_CTL_H

#include "category/category.h"
#include "feeds/feeds.h"

#include <jansson.h>
#include <stdio.h>

enum { EXIT_YES = 0, EXIT_NO = 1, EXIT_USAGE = 2, CTL_FOLDERS = 32 };

/* The options that every command takes, and the folders. */
struct common {
	const char *folder[CTL_FOLDERS];
	size_t folders;
	bool json;
};

/* Each command gets its own arguments, its name in argv[0], and returns the exit status. */
int command_bundle(int argc, char **argv);
int command_check(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_ingest(int argc, char **argv);
int command_export(int argc, char **argv);
int command_import(int argc, char **argv);
int command_list(int argc, char **argv);
int command_report(int argc, char **argv);
int command_rollback(int argc, char **argv);
int command_tail(int argc, char **argv);
int command_update(int argc, char **argv);

/* Where records are, if nothing else is said. */
enum { DEFAULT_JOURNALS = 2 };
extern const char *const default_store;
extern const char *const default_journals[DEFAULT_JOURNALS];

/* The password that is in the file, or else in MEETING_CLICKHOUSE_PASSWORD; NULL where there is none. Returns false, with a
 * message, if the file can't be read. */
enum { CTL_PASSWORD_SIZE = 512 };
bool clickhouse_password(const char *command, const char *file, char out[CTL_PASSWORD_SIZE], const char **password)
    MUST_CHECK;

/* ---- meetingctl.c ---- */

/* Adds a folder; false, with a message, if it can't be taken. */
bool common_folder(struct common *common, const char *folder) MUST_CHECK;
void common_defaults(struct common *common); /* the default folders, if none was given */

/* Reads --config, --json and --help; optind is then the first argument. Returns -1, or the exit status to end with. */
int common_options(struct common *common, int argc, char **argv, const char *help) MUST_CHECK;

/* Tells what is wrong with the command line. Returns EXIT_USAGE. */
int usage(const char *command, const char *what, const char *value);

/* Loads the category and tells its problems on stderr. NULL, with a message, if memory has run out. */
struct category *load(const struct common *common);

/* Writes the value to stdout, and frees it. */
void print_json(json_t *json);

/* Writes a text that may hold anything, with a ? in place of all that would steer a terminal. */
void print_plain(FILE *to, struct text text);

/* Writes the words for bold, green, red, dim and plain if stdout is a terminal and NO_COLOR isn't set; else nothing. */
enum colour { PLAIN, BOLD, GREEN, RED, DIM };
const char *colour(enum colour colour);

/* ---- feeds_seen.c: what updates have left of each file ---- */

/* What the state beside the folder of a service file says of it. */
struct seen {
	json_t *json;        /* the file's part of the state, borrowed; NULL: none */
	const char *checked; /* the day of the last good answer; "" if there was none */
	int days;            /* since then; -1 */
	int failures;        /* since then */
	const char *error;   /* "" */
};

/* The states beside the folders, read once: DIR/../update.json of each. The caller calls json_decref. */
json_t *seen_read(const struct common *common);

/* Looks the file up; false if no update has ever been tried for it. */
bool seen_find(const json_t *states, const char *file, struct seen *seen);

/* ---- diff.c ---- */

/* Writes the changes, and what is covered before and after; brief leaves out entries of which only the source or day differ. */
void print_diff(const struct diff *diff, bool brief);
json_t *diff_json(const struct diff *diff);

#endif
