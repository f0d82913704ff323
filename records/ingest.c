/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the journals to the store, each line exactly once.
 *
 * A batch is one transaction: it takes the write lock, looks up how far the file was read, reads on from there, adds the
 * rows and keeps the new position. Whatever dies, both are there or neither is; and of two that run at once, the second
 * begins where the first one's batch ended. What is behind the last newline isn't a line yet.
 *
 * Where the records go elsewhere the batch is sent before the position is kept, and what dies between is sent again: there
 * it counts once, by the records' identities. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_BYTES = 16 * 1024 * 1024, PASSES = 3, REBUILDS = 2 };

struct run {
	const struct ingest_options *options;
	struct ingest_counts *counts;
	struct store *store;
	char *buffer;
	struct record_line line; /* large, so not on the stack */
	int64_t oldest;
	int64_t bytes_before; /* of the files that are done */
	uint64_t journal;     /* its identity, where records have one */
	bool read_any, stopped;
};

/* ---- Lines ---- */

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

static bool sink_failed(struct run *run, const char *why)
{
	snprintf(run->store->trouble, sizeof run->store->trouble, "%s", why);
	return false;
}

static bool add_record(struct run *run, int64_t offset)
{
	static const struct hash_key key = { { 0x7265636f7264206f, 0x66206a6f75726e61 } };
	const struct ingest_sink *sink = run->options->sink;
	const uint64_t place[] = { run->journal, (uint64_t)offset };
	char why[STORE_WHY_SIZE];

	if (sink == NULL)
		return store_add(run->store, &run->line.record);
	return sink->add(sink->context, &run->line.record, hash_bytes(&key, place, sizeof place), why) ||
	    sink_failed(run, why);
}

static bool take_line(struct run *run, const char *path, struct position *position, int64_t offset, const char *text,
    size_t length, struct ingest_counts *counts)
{
	char why[RECORD_WHY_SIZE];
	bool good = true;

	if (is_blank(text, length))
		return true;
	position->lines++;
	if (!record_parse(text, length, &run->line, why)) {
		position->malformed++;
		counts->malformed++;
		run->options->tell(run->options->context, INGEST_MALFORMED, path, offset, why);
		return true;
	}
	if (run->line.record.time < run->oldest) {
		counts->expired++;
	} else if (!run->line.passed_over) {
		good = add_record(run, offset);
		counts->records++;
	}
	record_line_free(&run->line);
	return good;
}

/* Takes the whole lines of the buffer. Returns how many bytes they are, or -1. */
static int64_t take_lines(struct run *run, const char *path, struct position *position, size_t length,
    struct ingest_counts *counts)
{
	size_t at = 0;

	while (at < length) {
		const char *end = memchr(run->buffer + at, '\n', length - at);
		size_t line;

		if (end == NULL)
			break;
		line = (size_t)(end - (run->buffer + at));
		if (!take_line(run, path, position, position->offset + (int64_t)at, run->buffer + at, line, counts))
			return -1;
		at += line + 1;
	}
	if (at == 0 && length == BATCH_BYTES) {
		/* Not a line of ours, however long it gets. */
		position->malformed++;
		counts->malformed++;
		run->options->tell(run->options->context, INGEST_MALFORMED, path, position->offset, "the line is too long");
		return BATCH_BYTES;
	}
	return (int64_t)at;
}

/* ---- Batches ---- */

enum outcome { MORE, END, FAILED };

static ssize_t read_block(struct run *run, int fd, int64_t offset)
{
	ssize_t got;
	size_t length = 0;

	do {
		got = pread(fd, run->buffer + length, BATCH_BYTES - length, offset + (int64_t)length);
		if (got > 0)
			length += (size_t)got;
	} while ((got > 0 && length < BATCH_BYTES) || (got < 0 && errno == EINTR));
	return got < 0 ? -1 : (ssize_t)length;
}

/* What is done between begin and commit. */
static enum outcome take_batch(struct run *run, int fd, const char *path, struct position *position,
    struct ingest_counts *counts)
{
	const struct ingest_sink *sink = run->options->sink;
	char why[STORE_WHY_SIZE];
	ssize_t length;
	int64_t taken;

	if (!position_find(run->store, fd, path, position))
		return FAILED;
	if (sink != NULL)
		run->journal = journal_identity(fd);
	length = read_block(run, fd, position->offset);
	if (length < 0) {
		/* The file's trouble, not the store's: others may do. */
		run->options->tell(run->options->context, INGEST_UNREADABLE, path, position->offset, strerror(errno));
		return END;
	}
	taken = take_lines(run, path, position, (size_t)length, counts);
	if (taken < 0)
		return FAILED;
	if (taken == 0)
		return END;
	if (sink != NULL && !sink->send(sink->context, why)) {
		(void)sink_failed(run, why);
		return FAILED;
	}
	position->offset += taken;
	return position_keep(run->store, fd, path, position) ? MORE : FAILED;
}

static enum outcome do_batch(struct run *run, int fd, const char *path)
{
	struct ingest_counts counts = { .records = 0 };
	struct position position;
	enum outcome outcome;

	if (!store_begin(run->store))
		return FAILED;
	outcome = take_batch(run, fd, path, &position, &counts);
	if (outcome != MORE) {
		store_rollback(run->store);
		if (outcome == END)
			run->counts->bytes = run->bytes_before + position.offset;
		return outcome;
	}
	if (!store_commit(run->store))
		return FAILED;
	run->read_any = true;
	run->counts->records += counts.records;
	run->counts->malformed += counts.malformed;
	run->counts->expired += counts.expired;
	run->counts->bytes = run->bytes_before + position.offset;
	return MORE;
}

static bool must_stop(struct run *run)
{
	run->stopped = run->stopped || (run->options->stop != NULL && run->options->stop(run->options->context));
	return run->stopped;
}

/* ---- Files ---- */

static bool take_file(struct run *run, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum outcome outcome = MORE;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0) {
		if (errno != ENOENT)
			run->options->tell(run->options->context, INGEST_UNREADABLE, path, 0, strerror(errno));
		if (fd >= 0)
			close(fd);
		return true;
	}
	while (outcome == MORE && !must_stop(run)) {
		outcome = do_batch(run, fd, path);
		if (run->options->progress != NULL)
			run->options->progress(run->options->context, run->counts);
	}
	run->bytes_before += status.st_size;
	run->counts->files++;
	close(fd);
	return outcome != FAILED;
}

static int64_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : 0;
}

int64_t journals_size(const char *const *journals, size_t count)
{
	int64_t size = 0;

	for (size_t i = 0; i < count; i++) {
		struct journal_file *files;
		size_t parts;

		if (journal_files(journals[i], &files, &parts))
			for (size_t k = 0; k < parts; k++)
				size += size_of(files[k].path);
		journal_files_free(files, parts);
	}
	return size;
}

static bool take_journal(struct run *run, const char *path)
{
	struct journal_file *files;
	size_t count;
	bool good = journal_files(path, &files, &count);

	if (!good)
		snprintf(run->store->trouble, sizeof run->store->trouble, "out of memory");
	for (size_t i = 0; i < count; i++)
		run->counts->all_bytes += size_of(files[i].path);
	if (count == 0)
		run->options->tell(run->options->context, INGEST_UNREADABLE, path, 0, "there is no such file");
	for (size_t i = 0; good && i < count && !must_stop(run); i++)
		good = take_file(run, files[i].path);
	journal_files_free(files, count);
	return good;
}

static bool forget(struct run *run)
{
	const struct ingest_sink *sink = run->options->sink;
	char why[STORE_WHY_SIZE];

	if (sink == NULL)
		return store_forget(run->store, run->oldest, &run->counts->forgotten);
	return sink->forget(sink->context, run->oldest, &run->counts->forgotten, why) || sink_failed(run, why);
}

/* A journal may be rotated while it is read: then the rest of it is found by another pass. */
static bool take_journals(struct run *run)
{
	for (int pass = 0; pass < PASSES && !must_stop(run); pass++) {
		run->read_any = false;
		run->bytes_before = run->counts->all_bytes = run->counts->bytes = 0;
		run->counts->files = 0;
		for (size_t i = 0; i < run->options->journal_count; i++)
			if (!take_journal(run, run->options->journals[i]))
				return false;
		if (!run->read_any)
			break;
	}
	return run->options->keep == 0 || run->stopped || forget(run);
}

/* ---- The store ---- */

static bool move_aside(struct run *run, const char *reason)
{
	char to[STORE_WHY_SIZE], text[2 * STORE_WHY_SIZE];

	if (run->store->lock < 0)
		return false;
	if (!store_move_aside(run->store, run->options->now, to))
		return false;
	if (to[0] != '\0') {
		snprintf(text, sizeof text, "%s; moved to %s, and made anew from the journals", reason, to);
		run->options->tell(run->options->context, INGEST_MOVED_ASIDE, NULL, 0, text);
	}
	run->counts->rebuilt = true;
	return true;
}

/* With the store open, until all is read or the store turns out to be damaged. */
static bool use_store(struct run *run, bool rebuild, bool *again)
{
	struct store *store = run->store;

	*again = false;
	if (!rebuild && !store->damaged && store_is_sound(store, run->options->now, run->options->often) && take_journals(run))
		return true;
	if (!rebuild && !store->damaged)
		return false;
	*again = move_aside(run, rebuild ? "it is to be rebuilt" : store->trouble);
	return false;
}

bool ingest(const char *place, const struct ingest_options *options, struct ingest_counts *counts,
    char why[STORE_WHY_SIZE])
{
	struct run *run = calloc(1, sizeof *run);
	bool good = false, again = true, rebuild = options->rebuild;

	memset(counts, 0, sizeof *counts);
	snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (run == NULL)
		return false;
	run->options = options;
	run->counts = counts;
	run->oldest = options->keep > 0 ? options->now - options->keep : INT64_MIN;
	run->buffer = malloc(BATCH_BYTES);
	for (int i = 0; i <= REBUILDS && again && run->buffer != NULL; i++) {
		again = false;
		run->store = store_open_to_write(place, why);
		if (run->store == NULL)
			break;
		good = use_store(run, rebuild, &again);
		rebuild = false;
		if (!good)
			snprintf(why, STORE_WHY_SIZE, "%s", run->store->trouble);
		if (again) {
			counts->records = counts->malformed = counts->expired = 0;
		}
		store_close(run->store);
	}
	free(run->buffer);
	free(run);
	return good;
}
