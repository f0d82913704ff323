/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: a SQLite database in WAL mode.
 *
 * Beside it is PATH.lock. Who writes holds it shared, and alone while a store that can't be used is moved aside. That it
 * is there says, too, that the file is a store of ours: another file is never moved. */
#include <config.h>

#include "records/records.h"

#include "records/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	APPLICATION = 0x6d656574,
	SCHEMA = 4,
	BUSY_MS = 60 * 1000
};

static const char schema[] =
    "CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, day INTEGER NOT NULL);"
    "CREATE TABLE blocks (id INTEGER PRIMARY KEY, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL,"
    " rows INTEGER NOT NULL, connections BLOB NOT NULL, columns BLOB NOT NULL);"
    "CREATE INDEX blocks_by_time ON blocks (last_time, first_time, rows);"
    "CREATE TABLE details (id INTEGER PRIMARY KEY, columns BLOB NOT NULL);"
    "CREATE TABLE journals (id INTEGER PRIMARY KEY, path TEXT NOT NULL, device INTEGER, inode INTEGER,"
    " offset INTEGER NOT NULL, head_length INTEGER NOT NULL, head_hash INTEGER NOT NULL, lines INTEGER NOT NULL,"
    " malformed INTEGER NOT NULL);"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('generation', 0), ('checked', 0);";

bool store_failed(struct store *store)
{
	int code = sqlite3_errcode(store->db) & 0xff;

	store->damaged = store->damaged || code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
	snprintf(store->trouble, sizeof store->trouble, "%s: %s", store->path, sqlite3_errmsg(store->db));
	return false;
}

bool store_run(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_failed(store);
}

bool store_prepare(struct store *store, const char *sql, struct sqlite3_stmt **statement)
{
	return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK ||
	    store_failed(store);
}

bool store_number(struct store *store, const char *sql, int64_t *number)
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, sql, &statement);

	if (good) {
		int result = sqlite3_step(statement);

		good = result == SQLITE_ROW;
		if (good) {
			*number = sqlite3_column_int64(statement, 0);
		} else if (result == SQLITE_DONE) {
			store->damaged = true;
			snprintf(store->trouble, sizeof store->trouble, "%s: a row is missing", store->path);
		} else {
			store_failed(store);
		}
	}
	sqlite3_finalize(statement);
	return good;
}

bool store_set_number(struct store *store, const char *key, int64_t number)
{
	struct sqlite3_stmt *statement = NULL;
	bool good = store_prepare(store, "UPDATE meta SET value = ?1 WHERE key = ?2", &statement) &&
	    sqlite3_bind_int64(statement, 1, number) == SQLITE_OK &&
	    sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC) == SQLITE_OK &&
	    (sqlite3_step(statement) == SQLITE_DONE || store_failed(store));

	sqlite3_finalize(statement);
	return good;
}

/* ---- Opening ---- */

static const char *path_of(const char *place, char why[STORE_WHY_SIZE])
{
	static const char prefix[] = "sqlite:";

	if (strncmp(place, "clickhouse:", 11) == 0) {
		snprintf(why, STORE_WHY_SIZE, "%s: only meetingctl knows ClickHouse; use sqlite:PATH", place);
		return NULL;
	}
	if (strncmp(place, prefix, sizeof prefix - 1) != 0 || place[sizeof prefix - 1] == '\0') {
		snprintf(why, STORE_WHY_SIZE, "%s: a store is given as sqlite:PATH", place);
		return NULL;
	}
	return place + sizeof prefix - 1;
}

bool store_lock(struct store *store, int how)
{
	int result;

	do
		result = flock(store->lock, how);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

/* A lock is never given to a file that is there already, unless it is known to be a store. */
static bool open_lock(struct store *store, bool known)
{
	char name[PATH_ROOM];
	struct stat status;

	if ((size_t)snprintf(name, sizeof name, "%s.lock", store->path) >= sizeof name) {
		snprintf(store->trouble, sizeof store->trouble, "the path is too long");
		return false;
	}
	if (!known && stat(name, &status) != 0 && stat(store->path, &status) == 0 && status.st_size > 0)
		return true;
	store->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (store->lock < 0 || !store_lock(store, LOCK_SH)) {
		snprintf(store->trouble, sizeof store->trouble, "%s: %s", name, strerror(errno));
		return false;
	}
	return true;
}

static bool open_database(struct store *store, int flags)
{
	struct stat status;

	if (sqlite3_open_v2(store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return store_failed(store);
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	if (stat(store->path, &status) == 0) {
		store->device = status.st_dev;
		store->inode = status.st_ino;
	}
	return store_run(store, "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -65536");
}

/* Makes the tables in an empty file. */
static bool make_tables(struct store *store)
{
	char pragmas[128];
	int64_t version = 0;

	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION, SCHEMA);
	/* Somebody else may have made them in the meantime. */
	if (!store_run(store, "BEGIN IMMEDIATE"))
		return false;
	if (store_number(store, "PRAGMA user_version", &version) &&
	    (version != 0 || (store_run(store, schema) && store_run(store, pragmas))) && store_run(store, "COMMIT"))
		return true;
	store_rollback(store);
	return false;
}

static bool is_known(struct store *store)
{
	int64_t application = 0, version = 0;

	if (!store_number(store, "PRAGMA application_id", &application) ||
	    !store_number(store, "PRAGMA user_version", &version))
		return false;
	if (application != APPLICATION) {
		store->damaged = true;
		snprintf(store->trouble, sizeof store->trouble, "%s: not a store of squid-meeting", store->path);
		return false;
	}
	/* An older one is made anew from the journals. */
	if (version != SCHEMA) {
		store->damaged = version < SCHEMA;
		snprintf(store->trouble, sizeof store->trouble, "%s: of version %d, and this program knows %d only",
		    store->path, (int)version, (int)SCHEMA);
		return false;
	}
	return true;
}

static struct store *store_new(const char *path, char why[STORE_WHY_SIZE])
{
	struct store *store = calloc(1, sizeof *store);

	snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (store == NULL)
		return NULL;
	store->kind = &sqlite_kind;
	store->lock = -1;
	store->path = strdup(path);
	if (store->path == NULL) {
		free(store);
		return NULL;
	}
	return store;
}

struct store *store_open(const char *place, char why[STORE_WHY_SIZE])
{
	const char *path = path_of(place, why);
	struct store *store = path == NULL ? NULL : store_new(path, why);

	if (store == NULL)
		return NULL;
	/* Each block is read once: a larger cache would only take memory. */
	if (open_database(store, SQLITE_OPEN_READWRITE) && is_known(store) &&
	    store_run(store, "PRAGMA query_only = ON; PRAGMA cache_size = -4096") &&
	    store_prepare(store, "SELECT id, text FROM texts WHERE id >= ?1 ORDER BY id", &store->text_get))
		return store;
	snprintf(why, STORE_WHY_SIZE, "%.1900s%s", store->trouble,
	    access(path, F_OK) != 0 ? " (meetingctl ingest makes it)" : store->damaged ? " (meetingctl ingest mends it)" : "");
	store_close(store);
	return NULL;
}

struct store *store_open_to_write(const char *place, char why[STORE_WHY_SIZE])
{
	const char *path = path_of(place, why);
	struct store *store = path == NULL ? NULL : store_new(path, why);
	int64_t version = 0;
	mode_t mask;
	bool good;

	if (store == NULL)
		return NULL;
	/* Who was where is nobody else's business. */
	mask = umask(027);
	store->texts = known_texts_new();
	store->rows = rows_new();
	good = store->texts != NULL && store->rows != NULL && open_lock(store, false) &&
	    open_database(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) &&
	    (store->lock >= 0 || (is_known(store) && open_lock(store, true))) &&
	    store_run(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL") &&
	    store_number(store, "PRAGMA user_version", &version) && (version != 0 || make_tables(store)) && is_known(store);
	umask(mask);
	good = good && store_prepare(store, "SELECT id, day FROM texts WHERE text = ?1", &store->text_find) &&
	    store_prepare(store, "INSERT INTO texts (text, day) VALUES (?1, ?2)", &store->text_add) &&
	    store_prepare(store, "UPDATE texts SET day = ?1 WHERE id = ?2", &store->text_touch) &&
	    store_prepare(store, "INSERT INTO blocks (first_time, last_time, rows, connections, columns)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)", &store->block_add) &&
	    store_prepare(store, "INSERT INTO details (id, columns) VALUES (?1, ?2)", &store->details_add);
	if (good)
		return store;
	snprintf(why, STORE_WHY_SIZE, "%s", store->trouble);
	/* A damaged store of ours is for the caller to move aside. */
	if (store->damaged && store->lock >= 0)
		return store;
	store_close(store);
	return NULL;
}

void sqlite_close(struct store *store)
{
	sqlite3_finalize(store->text_find);
	sqlite3_finalize(store->text_add);
	sqlite3_finalize(store->text_touch);
	sqlite3_finalize(store->text_get);
	sqlite3_finalize(store->block_add);
	sqlite3_finalize(store->details_add);
	sqlite3_close(store->db);
	if (store->lock >= 0)
		close(store->lock);
	known_texts_free(store->texts);
	rows_free(store->rows);
	free(store->path);
	free(store);
}

/* ---- Writing ---- */

bool store_begin(struct store *store)
{
	int64_t generation = 0;

	if (!store_run(store, "BEGIN IMMEDIATE"))
		return false;
	if (!store_number(store, "SELECT value FROM meta WHERE key = 'generation'", &generation)) {
		store_rollback(store);
		return false;
	}
	/* Somebody has deleted texts. */
	if (generation != store->generation)
		known_texts_forget(store->texts);
	store->generation = generation;
	return true;
}

bool store_commit(struct store *store)
{
	if (blocks_flush(store) && store_run(store, "COMMIT"))
		return true;
	store_rollback(store);
	return false;
}

void store_rollback(struct store *store)
{
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	if (store->rows != NULL)
		rows_clear(store->rows);
	/* They may have been of what is undone. */
	if (store->texts != NULL)
		known_texts_forget(store->texts);
}

int64_t connection_number(const struct record *record)
{
	static const struct hash_key key = { { 0x6d656574696e6773, 0x636f6e6e65637473 } };
	char both[512];
	size_t conn = record->conn.length, dst = record->dst.at == NULL ? 0 : record->dst.length;

	if (record->conn.at == NULL)
		return 0;
	if (conn > 255)
		conn = 255;
	if (dst > 255)
		dst = 255;
	memcpy(both, record->conn.at, conn);
	both[conn] = '\n';
	if (dst > 0)
		memcpy(both + conn + 1, record->dst.at, dst);
	return (int64_t)(hash_bytes(&key, both, conn + 1 + dst) | 1);
}

/* Notes the texts' numbers in the next row. */
static bool put_texts(struct store *store, const struct record *record)
{
	const struct {
		enum column column;
		struct text text;
	} texts[] = { { COLUMN_CLIENT, record->client }, { COLUMN_USER, record->user }, { COLUMN_RULE, record->rule },
		{ COLUMN_DST, record->dst }, { COLUMN_SNI, record->sni }, { COLUMN_EVIDENCE, record->evidence },
		{ COLUMN_PROXY, record->proxy }, { COLUMN_METHOD, record->method }, { COLUMN_HOST, record->host },
		{ COLUMN_OWN_SERVICE, record->service }, { COLUMN_SOURCE, record->source }, { COLUMN_WOULD, record->would },
		{ COLUMN_REASON, record->reason } };
	const int64_t a_day = INT64_C(24) * 60 * 60 * 1000;
	int32_t day = (int32_t)(record->time / a_day - (record->time % a_day < 0));

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!text_number(store, texts[i].text, day, &store->rows->value[texts[i].column][store->rows->count]))
			return false;
	return true;
}

/* A client's connection mostly begins with the client. */
static bool begins_with_client(const struct record *record)
{
	return record->client.length > 0 && record->conn.length >= record->client.length &&
	    memcmp(record->conn.at, record->client.at, record->client.length) == 0;
}

bool store_add(struct store *store, const struct record *record)
{
	struct rows *rows = store->rows;
	uint32_t row = rows->count;
	struct text conn = record->conn;
	bool cut = begins_with_client(record);

	if (!put_texts(store, record))
		return false;
#define VALUE(column) rows->value[COLUMN_##column][row]
	VALUE(TIME) = record->time;
	VALUE(CONNECTION) = connection_number(record);
	VALUE(VERDICT) = (int64_t)record->verdict;
	VALUE(STALE) = record->stale;
	VALUE(DISAGREES) = record->disagrees;
	VALUE(PORT) = record->port;
	VALUE(DECIDER) = (int64_t)record->decided_by;
	VALUE(SERVICE) = VALUE(OWN_SERVICE) != 0 ? VALUE(OWN_SERVICE) : VALUE(WOULD);
	VALUE(NAME) = VALUE(DST) != 0 && VALUE(SNI) != 0 ? VALUE(SNI) : VALUE(HOST);
	VALUE(CONN_CUT) = cut;
#undef VALUE
	if (cut) {
		conn.at += record->client.length;
		conn.length -= record->client.length;
	}
	rows_add(rows, conn.at, conn.length);
	return rows->count < BLOCK_ROWS || blocks_flush(store);
}
