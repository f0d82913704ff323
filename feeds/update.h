/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of libupdate share; no other folder includes it. */
#ifndef SQUID_MEETING_FEEDS_UPDATE_H
#define SQUID_MEETING_FEEDS_UPDATE_H

#include "feeds/internal.h"

#include <time.h>

/* ---- file.c ---- */

char *path_join(const char *folder, const char *base); /* the caller frees it; NULL if memory has run out */
bool folder_make(const char *folder, struct refusal *why) MUST_CHECK;
bool folder_sync(const char *folder, struct refusal *why) MUST_CHECK;

/* Writes and syncs the content under a hidden name, and then, in one step, puts it in place of what was there. */
bool file_draft(const char *folder, const char *base, const char *bytes, size_t length, struct refusal *why) MUST_CHECK;
bool file_publish(const char *folder, const char *base, struct refusal *why) MUST_CHECK;
bool file_put(const char *folder, const char *base, const char *bytes, size_t length, struct refusal *why) MUST_CHECK;

/* ---- edit.c: the text of a service file, by lines ---- */

/* All blocks with the same `feed` line. The texts are parts of the file's. */
struct edit_feed {
	struct text text;        /* behind `feed` */
	struct feed_line parsed;
	size_t line, block;      /* the first with it */
	struct text source;      /* of the first block, without its date; missing if it has none */
	struct text ports;       /* of the first block's first entry */
};

struct edit {
	struct edit_line *line;
	struct edit_block *block;
	struct edit_feed *feed;
	size_t lines, blocks, feeds;
};

/* Takes the text of a file without errors apart; it has to outlive the edit. Returns false, and why (offset: the line); the
 * caller calls edit_close in either case. */
bool edit_open(struct edit *edit, struct text text, struct refusal *why) MUST_CHECK;
void edit_close(struct edit *edit);

/* An entry that has to be in every new list. */
struct edit_pin {
	struct text word;
	bool name;
	size_t line;  /* from 1 */
	size_t block; /* of the new list: whose entry holds it; set by the guard */
};

/* Those of a feed's blocks; feed -1: of all blocks. The caller frees them. Returns false if memory has run out. */
bool edit_pins(const struct edit *edit, int feed, struct edit_pin **pins, size_t *count) MUST_CHECK;

/* The feed's blocks alone, as a service file. The caller frees it; NULL if memory has run out. */
char *edit_feed_text(const struct edit *edit, int feed, const char *service) MUST_CHECK;

/* What takes a feed's place. */
struct edit_result {
	const struct feed *feed; /* NULL: it stays as it is */
	struct text source;      /* missing: as the list has it */
	char date[11];           /* of blocks that have none, "": none */
	char expires[11];        /* "": as it was */
	struct edit_pin *pin;
	size_t pins;
};

/* The file with a result for each feed. The caller frees it; NULL if memory has run out. */
char *edit_write(const struct edit *edit, const struct edit_result *result) MUST_CHECK;

/* ---- guard.c ---- */

struct guard {
	const struct guard_limits *limits;
	const char *file;         /* what the reasons name */
	struct problems *reasons; /* against the new list */
	json_t *withdrawn;        /* shipped entries that may be missing; those newly allowed are added */
	bool out_of_memory;
};

/* What a category holds, for asking whether an entry is covered, by however many others. */
struct holdings {
	struct range *range;
	char **name;
	size_t ranges, range_room, names, name_room;
	bool out_of_memory;
};
bool holdings_make(struct holdings *holdings, const struct category *category) MUST_CHECK;
bool holdings_add(void *context, const struct entry *entry); /* an entry_visit */
void holdings_free(struct holdings *holdings);

bool rule_holds(const char *rule, const char *other); /* of names: ".example.com" holds "a.example.com" */

/* Each adds its reasons, if any; false if memory has run out. */
bool guard_change(struct guard *guard, const struct diff *diff) MUST_CHECK;
bool guard_pins(struct guard *guard, const struct holdings *holdings, const struct edit_pin *pins, size_t count) MUST_CHECK;
bool guard_shipped(struct guard *guard, const struct holdings *holdings, const struct category *shipped) MUST_CHECK;

/* ---- announced.c ---- */

/* Takes out of the feed what by Microsoft's changes is to come after today, unless it is in before, and puts back what is
 * to go after today, if it is. pending, which the caller frees, gets these. What can't be read is told in the feed's
 * refused. Returns false if memory has run out. */
bool announced_apply(const char *bytes, size_t length, const char *file, const struct category *before, int32_t today,
    struct feed *feed, struct announced **pending, size_t *count) MUST_CHECK;

/* ---- state.c ---- */

enum { HASH_SIZE = 65, TIME_SIZE = 32 };

struct state {
	const char *folder;
	json_t *root;
	int lock;
	bool write;
};

/* Reads the state, and takes the lock if it is to be written; folder has to outlive it. Returns false, and why; the caller
 * calls state_close in either case. */
bool state_open(struct state *state, const char *folder, bool write, struct refusal *why) MUST_CHECK;
bool state_save(struct state *state, struct refusal *why) MUST_CHECK; /* does nothing if it isn't to be written */
void state_close(struct state *state);

json_t *state_at(struct state *state, const char *section, const char *key); /* borrowed; made if it isn't there */
const char *state_text(const json_t *object, const char *key); /* "" where there is none */
int64_t state_number(const json_t *object, const char *key);   /* 0 where there is none */
void state_set_text(json_t *object, const char *key, const char *text); /* "": removes it */
void state_set_number(json_t *object, const char *key, int64_t number);

/* Keeps what was fetched, and its hash in record under the name of what. */
bool state_keep(struct state *state, json_t *record, const char *key, const char *what, const char *bytes, size_t length,
    struct refusal *why) MUST_CHECK;
/* The same again, which the caller frees; NULL if it isn't there, or isn't the same. */
char *state_kept(const struct state *state, const json_t *record, const char *key, const char *what, size_t *length);

void hash_text(const void *bytes, size_t length, char out[HASH_SIZE]); /* SHA-256 in hex */
void time_text(time_t when, char out[TIME_SIZE]);
void day_text(int32_t day, char out[11]);

/* ---- obtain.c ---- */

/* What the obtaining of lists goes by. */
struct source {
	struct state *state;
	struct fetcher *fetcher;
	int32_t today;
	time_t now;
};

/* A list, fetched or kept from last time. */
struct obtained {
	char *list, *changes; /* changes: of Microsoft's; else NULL */
	size_t length, changes_length;
	char date[11];        /* of which day the list is, if it doesn't say itself */
	char *url;            /* what was asked for last */
};

/* Gets the list of a feed line, with what is known of it in record, which is brought up to date. Returns FETCH_NEW, even
 * where the list is the old one, or why not. The caller calls obtained_free in any case. */
enum fetch_result obtain(const struct source *source, json_t *record, const char *key, const struct feed_line *line,
    struct obtained *obtained, struct refusal *why) MUST_CHECK;
void obtained_free(struct obtained *obtained);

/* Has the server of the record asked not to be asked now? Then why says so. */
bool must_wait(const struct source *source, const json_t *record, struct refusal *why) MUST_CHECK;

/* ---- updater.c, update.c ---- */

/* A file with feeds. */
struct job {
	char *path, *base;
	char *text;
	size_t length;
	struct edit edit;
	char service[SERVICE_NAME_SIZE];
	char *shipped;      /* the first file of the same name that isn't one which updates write; NULL: none */
	const char *hidden; /* why what would be installed had no effect; NULL: it has */
	bool bundle, bundled;
};

struct updater {
	const struct update_options *options;
	struct state state;
	struct fetcher *fetcher;
	time_t now;
	char *target;         /* the folder of what is installed */
	const char **folder;  /* those of the options, and target */
	size_t folders;
	struct job *job;
	size_t jobs, room;
};

/* Adds a reason. Returns false if memory has run out. */
bool update_tell(struct update *update, const char *file, const char *reason) MUST_CHECK;

/* The hash of what is shipped; "" if nothing is. */
void hash_shipped(const struct job *job, char out[HASH_SIZE]);

/* Adds a file: what it is to become (NULL: removed), and what is in force (NULL: nothing). Takes ownership of text, even when
 * it fails. Errors in it become reasons, and then nothing is added. Returns false if memory has run out. */
bool update_add(struct update *update, const char *base, char *text, size_t length, const char *old, size_t old_length)
    MUST_CHECK;

/* ---- bundle_update.c ---- */

bool bundle_make_update(struct updater *updater, struct job *job, struct update *update) MUST_CHECK;
void bundle_note(struct updater *updater, const struct job *job, const struct update *update); /* what is now in force */

/* ---- install.c ---- */

/* The content of a file that is in force, or would be if no folder behind the one of updates hid it; the caller frees it.
 * NULL: there is none. */
char *updater_in_force(const struct updater *updater, const char *base, size_t *length);
char *updater_hides(const struct updater *updater, const char *base); /* the file that hides it; NULL: none */

/* Closes a stream of memory; its text, or NULL if something went wrong. */
char *stream_text(FILE *to, char **text);

#endif
