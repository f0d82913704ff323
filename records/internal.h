/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal, the store and the report are made of; for the files of this folder only. */
#ifndef SQUID_MEETING_RECORDS_INTERNAL_H
#define SQUID_MEETING_RECORDS_INTERNAL_H

#include "records/records.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

/* Where lines of this process ended that stood alone, by file: the last ones, from all threads, in one line of the cache. */
struct line_ends {
	_Alignas(64) _Atomic uint64_t end[8];
};

/* A file that lines are appended to, opened by name again where another one has taken its place. Not thread-safe. */
struct appended_file {
	char *path;
	int fd; /* -1: not open */
	bool regular;
	dev_t device;
	ino_t inode;
	struct line_ends *ends; /* shared with others that append to it */
	off_t torn_at; /* where a line begins of which only torn_length bytes were taken */
	size_t torn_length;
	char torn[RECORD_SIZE];
};

/* Each returns 0, or what errno said. */

/* Makes sure that the file is open, and the one that `path` names now. */
int file_follow(struct appended_file *file) MUST_CHECK;

/* Appends the line whole, or nothing that a reader would take for a line. The file must be open. */
int file_append(struct appended_file *file, const char *line, size_t length) MUST_CHECK;

void file_close(struct appended_file *file);

/* ---- Hashes ---- */

struct hash_key {
	uint64_t word[2];
};

/* SipHash-2-4 of the bytes, which may be none. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length);

/* Texts' numbers, by a hash of the text with a key of the table's own: two texts of a million have the same one with a chance
 * of one to thirty million. */
struct numbered {
	uint64_t hash; /* 0: free */
	int64_t number;
	int32_t day; /* for the caller */
};

struct numbers {
	struct hash_key key;
	struct numbered *list;
	size_t count, room; /* the caller counts; at most half of the room may be taken */
};

/* `room` is a power of two. Returns false when memory, or the kernel's chance, has run out. The caller frees it in any case. */
bool numbers_begin(struct numbers *numbers, size_t room) MUST_CHECK;
void numbers_free(struct numbers *numbers);
uint64_t numbers_hash(const struct numbers *numbers, struct text text);
/* The text's place, or the free one where it belongs. */
struct numbered *numbers_find(const struct numbers *numbers, uint64_t hash);
/* Doubles the room; all stays as it was when memory has run out. */
bool numbers_grow(struct numbers *numbers) MUST_CHECK;

/* ---- Lines ---- */

/* Whether one of eight bytes is a quote, a backslash, a control character below the space, or not ASCII. */
static inline bool eight_are_special(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
	uint64_t word, quote, backslash;

	memcpy(&word, at, sizeof word);
	quote = word ^ ones * '"';
	backslash = word ^ ones * '\\';
	return ((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops) != 0;
}

/* Whether one of eight bytes is the control character above ASCII's others; sometimes also if not. */
static inline bool eight_have_delete(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return (((word ^ ones * 0x7f) - ones) & tops) != 0;
}

/* A line's fields, before they are understood: of `record` the texts, the port and the flags are set. */
struct line_fields {
	struct text time, verdict, decided_by, squid;
	struct record record;
};

/* Reads a line of the journal's own shape. The texts point into it; missing and empty ones have at == NULL. False:
 * it may still be a record. */
bool line_read(const char *text, size_t length, struct line_fields *fields) MUST_CHECK;

/* ---- The store ---- */

struct sqlite3;
struct sqlite3_stmt;
struct known_texts;
struct rows;
struct recent_options;
struct question;

/* What the report needs of a store, whatever its kind is. */
struct store_kind {
	/* Answers as questions_ask says. It has to fill in each question's `groups` and `count`, which question_free frees. */
	bool (*ask)(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count);
	struct text (*text)(struct store *store, int64_t number); /* as text_of_number says */
	bool (*hold)(struct store *store); /* as store_hold says; NULL: it can't, as let_go then */
	void (*let_go)(struct store *store);
	/* As store_recent says; NULL: it can't. */
	bool (*recent)(struct store *store, const struct recent_options *options,
	    bool (*take)(void *context, const struct record *record), void *context);
	void (*close)(struct store *store);
};

extern const struct store_kind sqlite_kind;
void sqlite_close(struct store *store);
struct text sqlite_text(struct store *store, int64_t number);
bool sqlite_hold(struct store *store) MUST_CHECK;
void sqlite_let_go(struct store *store);
bool sqlite_recent(struct store *store, const struct recent_options *options,
    bool (*take)(void *context, const struct record *record), void *context) MUST_CHECK;

/* `kind`, `damaged` and `trouble` are of every kind, `place` is of one that isn't SQLite, the rest is SQLite's. */
struct store {
	const struct store_kind *kind;
	void *place;
	struct sqlite3 *db;
	char *path;
	int lock; /* -1: there is none, so the file must not be moved */
	bool damaged;
	dev_t device;
	ino_t inode;
	struct known_texts *texts;
	struct rows *rows; /* that were added and aren't in the database yet */
	struct sqlite3_stmt *text_find, *text_add, *text_touch, *text_get, *block_add, *details_add;
	struct kept_counts *kept; /* NULL: none */
	uint64_t about; /* what else the answers depend on */
	uint64_t rows_before; /* of the last answer: those that were counted before */
	int64_t text_at; /* the text that text_get is at; 0: none */
	int64_t generation;
	int64_t give_up_at; /* of CLOCK_MONOTONIC, in milliseconds; 0: never */
	char trouble[STORE_WHY_SIZE]; /* of the last failure */
};

/* Those below return false after a failure, whose reason is in `trouble`. */
/* Opens it, and makes it where it is not there. A damaged one of ours is returned as well: look at `damaged`, and move
 * it aside. NULL, and why, for all else that goes wrong. */
struct store *store_open_to_write(const char *place, char why[STORE_WHY_SIZE]) MUST_CHECK;

bool store_run(struct store *store, const char *sql) MUST_CHECK;
bool store_prepare(struct store *store, const char *sql, struct sqlite3_stmt **statement) MUST_CHECK;

/* The first column of the only row, and a number of the table `meta`. */
bool store_number(struct store *store, const char *sql, int64_t *number) MUST_CHECK;
bool store_set_number(struct store *store, const char *key, int64_t number) MUST_CHECK;

/* flock(2) on the store's lock. */
bool store_lock(struct store *store, int how) MUST_CHECK;

enum { PATH_ROOM = 1024 };

/* Notes what SQLite says, whether it means damage, and returns false. */
bool store_failed(struct store *store);

/* Begins and ends what is counted at once. After a failed commit nothing of it was done. */
bool store_begin(struct store *store) MUST_CHECK;
bool store_commit(struct store *store) MUST_CHECK;
void store_rollback(struct store *store);

/* Adds a row. */
bool store_add(struct store *store, const struct record *record) MUST_CHECK;

/* Deletes what is older than `oldest`, a time of a record, and the texts that nobody needs any more. Begins and ends
 * transactions of its own. Counts the rows. */
bool store_forget(struct store *store, int64_t oldest, uint64_t *forgotten) MUST_CHECK;

/* Whether SQLite finds fault with the file; looks at large ones once a day only, if `often` at all of them. False, too, after
 * a failure. */
bool store_is_sound(struct store *store, int64_t now, bool often) MUST_CHECK;

/* Renames a store that can't be used; told receives its new name. The caller has it open, and must close it then. */
bool store_move_aside(struct store *store, int64_t now, char told[STORE_WHY_SIZE]) MUST_CHECK;

/* The number of a text, which is added where it isn't there; 0 for a missing one. day is that of the record. */
bool text_number(struct store *store, struct text text, int32_t day, int64_t *number) MUST_CHECK;
struct known_texts *known_texts_new(void) MUST_CHECK;
void known_texts_forget(struct known_texts *texts);
void known_texts_free(struct known_texts *texts);

/* The number of the connection that a record belongs to, by conn and dst; 0 where it has no conn. */
int64_t connection_number(const struct record *record);

/* ---- Reading journals ---- */

/* A file that a journal is in, or was before it was rotated. */
struct journal_file {
	char *path;
	int64_t modified;
};

/* Finds the journal and its older files beside it (NAME.1, NAME-20261101), the oldest first. The caller frees both. */
bool journal_files(const char *path, struct journal_file **files, size_t *count) MUST_CHECK;
void journal_files_free(struct journal_file *files, size_t count);

enum { HEAD_SIZE = 1024 };

/* How far a journal was read. Two files with the same first bytes are the same journal. */
struct position {
	int64_t id; /* of its row; 0: not known yet */
	dev_t device;
	ino_t inode;
	int64_t offset;
	int64_t head_length;
	uint64_t head_hash;
	int64_t lines, malformed;
};

/* A hash of the journal's first line, which is whole. */
uint64_t journal_identity(int fd);

bool position_find(struct store *store, int fd, const char *path, struct position *position) MUST_CHECK;
bool position_keep(struct store *store, int fd, const char *path, struct position *position) MUST_CHECK;

/* Another place that records go to: then the store keeps only how far the journals were read. A batch is kept as read when
 * `send` has returned true, so it may come again: each record has an identity, the same whenever this line of this journal
 * is read, under whatever name the journal is then. Those that return bool return false, and why, after a failure. */
struct ingest_sink {
	bool (*add)(void *context, const struct record *record, uint64_t identity, char why[STORE_WHY_SIZE]);
	bool (*send)(void *context, char why[STORE_WHY_SIZE]); /* what was added since the last time, if anything */
	bool (*forget)(void *context, int64_t oldest, uint64_t *forgotten, char why[STORE_WHY_SIZE]);
	void *context;
};

/* ---- Questions to the store ---- */

/* What records are told apart by. Texts by their number, times by the begin of their day or hour. */
enum dimension {
	DIMENSION_VERDICT,
	DIMENSION_SERVICE, /* of a shadow: the one that it would have been */
	DIMENSION_CLIENT,
	DIMENSION_USER,
	DIMENSION_RULE,
	DIMENSION_HOUR,
	DIMENSION_DAY,
	DIMENSION_DST,
	DIMENSION_NAME, /* that the client claimed: SNI, or else host; without a dst, the host */
	DIMENSION_PORT,
	DIMENSION_SNI,
	DIMENSION_EVIDENCE,
	DIMENSION_STALE,
	DIMENSION_DISAGREES,
	DIMENSIONS
};

bool dimension_is_text(enum dimension dimension);

enum { QUESTION_DIMENSIONS = 6, VERDICTS = 4 };

/* The records that are alike in all dimensions of a question. */
struct group {
	int64_t key[QUESTION_DIMENSIONS];
	uint64_t records, connections, by_verdict[VERDICTS];
	int64_t last; /* the time of the last one */
	bool wanted;
};

struct group_index;

/* How many records and connections there are, by some dimensions: what SQL says with GROUP BY. */
struct question {
	enum dimension dimension[QUESTION_DIMENSIONS];
	size_t dimensions;
	unsigned verdicts; /* a bit for each that counts */
	/* Only records whose group of that question is wanted, or isn't. NULL: all. That one comes before this one and has no
	 * `within`; its dimensions are among this one's, and its verdicts hold this one's. */
	const struct question *within;
	bool outside;
	bool uncounted; /* nobody looks at its connections: a store need not count them */
	/* Whether a new group is wanted; NULL: each is. Any thread may ask, but only one at a time. */
	bool (*wants)(void *context, const int64_t *key);
	/* Instead, where each dimension can be judged by itself: some of seven bits for a value of dimension[place]. Wanted is
	 * what has one in common for all. Such a question is there for those within it, and a store need not count its groups. */
	unsigned (*bits)(void *context, size_t place, int64_t value);
	void *context;

	/* The answer. question_free frees it. */
	struct group *groups;
	size_t count;

	struct group_index *index;
};

/* Whether a group with that key is wanted. */
bool question_wants(const struct question *question, const int64_t *key);

/* Answers all questions in one pass over the records with since <= time < until. False after a failure; the questions
 * are to be freed then as well. Where others write, it is for between store_hold and store_let_go. */
bool questions_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count) MUST_CHECK;
void question_free(struct question *question);

/* Sorts the groups: most records first, or most connections first, and else by their keys, texts by their bytes. By
 * records, those that aren't wanted come last, and from `limit` on (0: never) all are in no order: a text is looked up for
 * each that is sorted. Returns false when memory has run out. */
enum question_order { ORDER_BY_RECORDS, ORDER_BY_CONNECTIONS, ORDER_BY_KEY };
bool question_sort(struct store *store, struct question *question, enum question_order order, size_t limit) MUST_CHECK;

/* Whether store_give_up_after's time is over. SQLite asks by itself; what takes long elsewhere has to. */
bool store_is_late(const struct store *store) MUST_CHECK;

/* What is read between these two is of one moment. */
bool store_hold(struct store *store) MUST_CHECK;
void store_let_go(struct store *store);

/* The text of a number: "" for 0 and where there is none. It stays good until the next call. */
struct text text_of_number(struct store *store, int64_t number);

/* ---- Nearness ---- */

enum near {
	NEAR_NOT,
	NEAR_HELD,       /* the category as it is now holds it */
	NEAR_OTHER_PORT, /* an entry holds it, but not on this port */
	NEAR_NAME_ONLY,  /* the name belongs to a service, the address to none */
	NEAR_OFF         /* it would be held, but the service is switched off */
};

struct nearness {
	enum near near;
	const char *service; /* lives as long as the category */
	char rule[RULE_SIZE];
	char ports[128];
};

/* Where a request went to, as the record has it: dst "ADDRESS:PORT" or missing, the claimed or asked name, the port. */
struct went_to {
	struct text dst, name;
	uint16_t port;
};

/* How near a destination is to the category, and to the services that are switched off (NULL: none are). */
void near_find(const struct category *category, const struct category *off, const struct went_to *to,
    struct nearness *nearness);

/* A destination is near at all, that is not NEAR_NOT, if the bits of its dst and of its name have one in common. */
unsigned near_bits_of_dst(const struct category *category, const struct category *off, struct text dst);
unsigned near_bits_of_name(const struct category *category, const struct category *off, struct text name);

/* The parts of "ADDRESS:PORT", IPv6 with or without brackets. */
bool dst_parse(struct text dst, struct address *address, uint16_t *port) MUST_CHECK;

/* ---- Making a report ---- */

enum { ASK_ALL, ASK_VERDICT, ASK_RULE, ASK_STALE, ASK_CLIENT, ASK_DISAGREES, ASK_DOUBTED,
	ASK_NEAR, ASK_FAILURE, ASK_REFUSED, ASK_CANDIDATE, ASK_FOREIGN, ASK_ABUSE, ASK_COUNT };

struct making {
	struct store *store;
	const struct report_options *options;
	struct report *report;
	struct question question[ASK_COUNT + REPORT_BYS];
	struct question *by[REPORT_BYS]; /* NULL: not asked for */
	size_t questions;
	bool failed; /* memory has run out */

	/* Texts at hand. */
	char dst[512], name[512], service[128];
	bool seen;
};

/* Fills the sections from the answered questions. */
void report_fill(struct making *making);

/* A new row, or NULL when the section is full or memory has run out. Then what puts something into it does nothing. */
struct report_row *report_add(struct making *making, enum report_section_number number) MUST_CHECK;
void report_put(struct making *making, struct report_row *row, size_t column, struct text text);
void report_put_number(struct making *making, struct report_row *row, size_t column, int64_t number);
void report_count(struct report_row *row, const struct group *group);

/* The texts of these numbers, good until the next call; missing ones have at == NULL. */
void report_went_to(struct making *making, int64_t dst, int64_t name, int64_t port, struct went_to *to);

/* A copy that lives as long as the report. */
bool report_keep(struct report *report, struct text text, const char **kept) MUST_CHECK;

/* The figures of a section's row, for all forms alike: their names, and what they are in a row. */
enum { FIGURES = 7 };
extern const char figure_last[]; /* the name of the one that is a time */
size_t figure_names(const struct report_section *section, const char *names[FIGURES]);
void figure_values(const struct report_section *section, const struct report_row *row, uint64_t values[FIGURES]);

#endif
