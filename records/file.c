/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's file: one write(2) per line in append mode, and what follows when that goes wrong.
 *
 * A file system that runs full may take the first part of a line only, and so may a write whose process is killed.
 * Other processes append to the same file, so such a part can neither be finished later nor cut off: either could hit
 * a line of theirs. But a process knows the bytes that it wrote itself, and they are nobody else's. It overwrites
 * them in place by newlines and blanks: blank lines, that readers of JSON lines skip, and that never run into the
 * next line. Overwriting needs no new space. Where even that fails it is tried again before anything else is written.
 * The part that a killed process left is noticed by whoever writes next: the byte before its line is no newline. It
 * then blanks its own line out and writes it again. All that holds on local file systems; NFS has no append mode. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes from one buffer, whole or not; returns what was written, or -1. */
static ssize_t append(int fd, const char *bytes, size_t length)
{
	ssize_t written;

	do
		written = write(fd, bytes, length);
	while (written < 0 && errno == EINTR);
	return written;
}

static int open_file(struct appended_file *file)
{
	struct stat status;

	/* Without O_NONBLOCK the open of a pipe would wait for its reader. */
	file->fd = open(file->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (file->fd < 0)
		return errno;
	if (fstat(file->fd, &status) != 0) {
		int error = errno;

		file_close(file);
		return error;
	}
	file->regular = S_ISREG(status.st_mode);
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->torn_length = 0;
	return 0;
}

void file_close(struct appended_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* Blanks out what is torn, if it is still there: the file may have been truncated. O_APPEND is taken away for that
 * moment, since Linux appends under it even with a position; the descriptor is this process's own, and its lock is
 * held. */
static int mend(struct appended_file *file)
{
	char there[RECORD_SIZE];
	ssize_t done;
	int error = 0;

	if (file->torn_length == 0)
		return 0;
	done = pread(file->fd, there, file->torn_length, file->torn_at);
	if (done != (ssize_t)file->torn_length || memcmp(there, file->torn, file->torn_length) != 0) {
		file->torn_length = 0;
		return 0;
	}
	memset(there, ' ', file->torn_length);
	there[0] = there[file->torn_length - 1] = '\n';
	if (fcntl(file->fd, F_SETFL, O_NONBLOCK) != 0)
		return errno;
	do
		done = pwrite(file->fd, there, file->torn_length, file->torn_at);
	while (done < 0 && errno == EINTR);
	if (done == (ssize_t)file->torn_length) {
		file->torn_length = 0;
	} else {
		error = done < 0 ? errno : ENOSPC;
		memcpy(file->torn, there, done < 0 ? 0 : (size_t)done);
	}
	if (fcntl(file->fd, F_SETFL, O_APPEND | O_NONBLOCK) != 0) {
		/* Never write without O_APPEND: it could hit the lines of others. */
		error = errno;
		file_close(file);
	}
	return error;
}

int file_follow(struct appended_file *file)
{
	struct stat status;

	if (file->fd >= 0 && (stat(file->path, &status) != 0 || status.st_dev != file->device ||
	    status.st_ino != file->inode)) {
		(void)mend(file);
		file_close(file);
	}
	return file->fd >= 0 ? 0 : open_file(file);
}

/* What stands for a place in this very file. */
static uint64_t end_key(const struct appended_file *file, off_t end)
{
	return (uint64_t)end ^ (uint64_t)file->inode * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)file->device << 48;
}

static _Atomic uint64_t *end_place(const struct appended_file *file, off_t end)
{
	return &file->ends->end[(uint64_t)end / 64 % (sizeof file->ends->end / sizeof file->ends->end[0])];
}

static bool note_end(const struct appended_file *file, off_t end)
{
	atomic_store_explicit(end_place(file, end), end_key(file, end), memory_order_relaxed);
	return true;
}

/* Whether a line of this process ended there. */
static bool is_end(const struct appended_file *file, off_t end)
{
	return atomic_load_explicit(end_place(file, end), memory_order_relaxed) == end_key(file, end);
}

/* Whether what was just written, `length` bytes of it, is a line of its own. If not, it is noted as torn. */
static bool stands_alone(struct appended_file *file, const char *line, size_t length, bool whole)
{
	off_t end, at;
	char before = '\n';

	if (!file->regular)
		return whole;
	end = lseek(file->fd, 0, SEEK_CUR);
	at = end - (off_t)length;
	/* Truncated in the meantime: there is nothing to look at. */
	if (at < 0)
		return whole;
	if (whole && (at == 0 || is_end(file, at) || pread(file->fd, &before, 1, at - 1) != 1 || before == '\n'))
		return note_end(file, end);
	file->torn_at = at;
	file->torn_length = length;
	memcpy(file->torn, line, length);
	return false;
}

int file_append(struct appended_file *file, const char *line, size_t length)
{
	enum { TRIES = 3 };

	for (int i = 0; i < TRIES; i++) {
		int error = mend(file);
		ssize_t written;

		if (error != 0)
			return error;
		written = append(file->fd, line, length);
		if (written < 0) {
			error = errno;
			/* Where it isn't the space that lacks, another try may need another descriptor. */
			if (error != ENOSPC && error != EDQUOT && error != EFBIG && error != EAGAIN)
				file_close(file);
			return error;
		}
		if (stands_alone(file, line, (size_t)written, (size_t)written == length))
			return 0;
		if ((size_t)written < length) {
			/* What can't be mended now is tried again by the next call. */
			(void)mend(file);
			return ENOSPC;
		}
	}
	return EIO;
}
