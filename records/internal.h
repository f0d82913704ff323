/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal is made of; for the files of this folder only. */
#ifndef SQUID_MEETING_RECORDS_INTERNAL_H
#define SQUID_MEETING_RECORDS_INTERNAL_H

#include "records/records.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A file that lines are appended to, opened by name again where another one has taken its place. Not thread-safe. */
struct appended_file {
	char *path;
	int fd; /* -1: not open */
	bool regular;
	dev_t device;
	ino_t inode;
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

#endif
