/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a journal is in, and how far each was read.
 *
 * A file is known by its device and inode, as long as its first bytes are those that were read, and it isn't shorter
 * than what was read. Else it is known by its first bytes alone: that is a file that was copied (copytruncate, a
 * restored backup). What neither finds is new. A line has a time in milliseconds and a client's port, so two journals
 * don't begin alike. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Files ---- */

/* "NAME.1", "NAME-20261101", "NAME-20261101.2"; not "NAME.1.gz". */
static bool is_rotated(const char *file, const char *name, size_t length)
{
	if (strncmp(file, name, length) != 0 || (file[length] != '.' && file[length] != '-'))
		return false;
	return file[length + 1] != '\0' && strspn(file + length, "0123456789.-") == strlen(file + length);
}

static bool add_file(struct journal_file **files, size_t *count, const char *folder, int folder_length, const char *name)
{
	struct journal_file *more = reallocarray(*files, *count + 1, sizeof **files);
	struct stat status;
	char *path = NULL;

	if (more == NULL)
		return false;
	*files = more;
	if (asprintf(&path, "%.*s%s", folder_length, folder, name) < 0)
		return false;
	if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
		free(path);
		return true;
	}
	more[*count].path = path;
	more[*count].modified = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
	(*count)++;
	return true;
}

static int compare_files(const void *one, const void *other)
{
	const struct journal_file *a = one, *b = other;

	if (a->modified != b->modified)
		return a->modified < b->modified ? -1 : 1;
	/* NAME.2 is older than NAME.1. */
	return -strcmp(a->path, b->path);
}

bool journal_files(const char *path, struct journal_file **files, size_t *count)
{
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	int folder_length = (int)(name - path);
	size_t length = strlen(name);
	struct dirent *entry;
	bool good = true;
	char *folder;
	DIR *list;

	*files = NULL;
	*count = 0;
	folder = folder_length == 0 ? strdup(".") : strndup(path, (size_t)folder_length);
	if (folder == NULL)
		return false;
	list = opendir(folder);
	free(folder);
	while (list != NULL && good && (entry = readdir(list)) != NULL)
		if (is_rotated(entry->d_name, name, length))
			good = add_file(files, count, path, folder_length, entry->d_name);
	if (list != NULL)
		closedir(list);
	if (*count > 1)
		qsort(*files, *count, sizeof **files, compare_files);
	return good && add_file(files, count, path, folder_length, name);
}

void journal_files_free(struct journal_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(files[i].path);
	free(files);
}

/* ---- Positions ---- */

static const struct hash_key head_key = { { 0x6a6f75726e616c73, 0x7468656972686561 } };

/* The bytes that the file begins with; the length may come out shorter. */
static uint64_t hash_head(int fd, int64_t *length)
{
	char head[HEAD_SIZE];
	ssize_t got = pread(fd, head, (size_t)*length, 0);

	*length = got < 0 ? 0 : got;
	return hash_bytes(&head_key, head, (size_t)*length);
}

uint64_t journal_identity(int fd)
{
	char line[RECORD_SIZE];
	ssize_t got = pread(fd, line, sizeof line, 0);
	const char *end = got <= 0 ? NULL : memchr(line, '\n', (size_t)got);

	return hash_bytes(&head_key, line, end != NULL ? (size_t)(end - line) : got < 0 ? 0 : (size_t)got);
}

static bool begins_alike(int fd, const struct position *position)
{
	int64_t length = position->head_length;

	if (length < 0 || length > HEAD_SIZE)
		return false;
	return hash_head(fd, &length) == position->head_hash && length == position->head_length;
}

static void read_row(struct sqlite3_stmt *statement, struct position *position)
{
	position->id = sqlite3_column_int64(statement, 0);
	position->device = (dev_t)sqlite3_column_int64(statement, 1);
	position->inode = (ino_t)sqlite3_column_int64(statement, 2);
	position->offset = sqlite3_column_int64(statement, 3);
	position->head_length = sqlite3_column_int64(statement, 4);
	position->head_hash = (uint64_t)sqlite3_column_int64(statement, 5);
	position->lines = sqlite3_column_int64(statement, 6);
	position->malformed = sqlite3_column_int64(statement, 7);
}

/* A row that was read may be this file's: by its inode, or else by its first bytes, which must be enough to tell. */
static bool matches(int fd, const struct stat *status, const struct position *row, bool by_inode)
{
	if (by_inode && (row->device != status->st_dev || row->inode != status->st_ino || row->offset > status->st_size))
		return false;
	return (by_inode || row->head_length > 0) && begins_alike(fd, row);
}

static bool look(struct store *store, int fd, const struct stat *status, bool by_inode, struct position *position)
{
	struct sqlite3_stmt *statement = NULL;
	struct position row = { .id = 0 };
	int result = SQLITE_ROW;

	if (!store_prepare(store, "SELECT id, device, inode, offset, head_length, head_hash, lines, malformed FROM journals"
	    " ORDER BY id DESC", &statement))
		return false;
	while (position->id == 0 && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		read_row(statement, &row);
		if (matches(fd, status, &row, by_inode))
			*position = row;
	}
	sqlite3_finalize(statement);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return store_failed(store);
	return true;
}

bool position_find(struct store *store, int fd, const char *path, struct position *position)
{
	struct stat status;

	memset(position, 0, sizeof *position);
	if (fstat(fd, &status) != 0) {
		snprintf(store->trouble, sizeof store->trouble, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!look(store, fd, &status, true, position) ||
	    (position->id == 0 && !look(store, fd, &status, false, position)))
		return false;
	position->device = status.st_dev;
	position->inode = status.st_ino;
	/* A copy may have been cut short; what it lacks isn't read from elsewhere. */
	if (position->offset > status.st_size)
		position->offset = status.st_size;
	return true;
}

static bool step_once(struct store *store, struct sqlite3_stmt *statement)
{
	bool good = sqlite3_step(statement) == SQLITE_DONE || store_failed(store);

	sqlite3_finalize(statement);
	return good;
}

/* A file that has taken another one's inode ends the old row's claim to it. */
static bool disown(struct store *store, const struct position *position)
{
	struct sqlite3_stmt *statement = NULL;

	if (!store_prepare(store, "UPDATE journals SET device = NULL, inode = NULL WHERE device = ?1 AND inode = ?2"
	    " AND id <> ?3", &statement))
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)position->device);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)position->inode);
	sqlite3_bind_int64(statement, 3, position->id);
	return step_once(store, statement);
}

bool position_keep(struct store *store, int fd, const char *path, struct position *position)
{
	struct sqlite3_stmt *statement = NULL;

	/* Not more than was read: what is behind it may still change. */
	if (position->head_length < HEAD_SIZE) {
		position->head_length = position->offset < HEAD_SIZE ? position->offset : HEAD_SIZE;
		position->head_hash = hash_head(fd, &position->head_length);
	}
	if (!disown(store, position))
		return false;
	if (!store_prepare(store, "INSERT OR REPLACE INTO journals (id, path, device, inode, offset, head_length, head_hash,"
	    " lines, malformed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", &statement))
		return false;
	if (position->id != 0)
		sqlite3_bind_int64(statement, 1, position->id);
	sqlite3_bind_text(statement, 2, path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)position->device);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)position->inode);
	sqlite3_bind_int64(statement, 5, position->offset);
	sqlite3_bind_int64(statement, 6, position->head_length);
	sqlite3_bind_int64(statement, 7, (sqlite3_int64)position->head_hash);
	sqlite3_bind_int64(statement, 8, position->lines);
	sqlite3_bind_int64(statement, 9, position->malformed);
	if (!step_once(store, statement))
		return false;
	if (position->id == 0)
		position->id = sqlite3_last_insert_rowid(store->db);
	return true;
}
