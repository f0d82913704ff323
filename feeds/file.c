/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files put in place whole: whoever reads one, or cuts the power, finds the old content or the new one. */
#include <config.h>

#include "feeds/update.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *path_join(const char *folder, const char *base)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", folder, base) < 0 ? NULL : path;
}

bool folder_sync(const char *folder, struct refusal *why)
{
	int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool fine = file >= 0 && fsync(file) == 0;

	if (!fine) {
		(void)refuse(why, 0, "%.150s: %s", folder, strerror(errno));
	}
	if (file >= 0) {
		close(file);
	}
	return fine;
}

bool folder_make(const char *folder, struct refusal *why)
{
	return mkdir(folder, 0755) == 0 || errno == EEXIST || refuse(why, 0, "%.150s: %s", folder, strerror(errno));
}

static bool write_all(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(file, bytes, length);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return false;
		}
		bytes += put;
		length -= (size_t)put;
	}
	return true;
}

/* The name of a file that is being written: hidden, so that nobody takes it for a service file. */
static char *draft_of(const char *folder, const char *base)
{
	char *path = NULL;

	return asprintf(&path, "%s/.%s.new", folder, base) < 0 ? NULL : path;
}

bool file_draft(const char *folder, const char *base, const char *bytes, size_t length, struct refusal *why)
{
	char *draft = draft_of(folder, base);
	int file = draft == NULL ? -1 : open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool fine = file >= 0 && write_all(file, bytes, length) && fchmod(file, 0644) == 0 && fsync(file) == 0;

	if (!fine) {
		(void)refuse(why, 0, "%.150s: %s", draft == NULL ? base : draft, strerror(errno));
	}
	if (file >= 0 && close(file) != 0 && fine) {
		fine = refuse(why, 0, "%.150s: %s", draft, strerror(errno));
	}
	if (!fine && draft != NULL) {
		(void)unlink(draft);
	}
	free(draft);
	return fine;
}

bool file_publish(const char *folder, const char *base, struct refusal *why)
{
	char *draft = draft_of(folder, base), *path = path_join(folder, base);
	bool fine = draft != NULL && path != NULL && rename(draft, path) == 0;

	if (!fine) {
		(void)refuse(why, 0, "%.150s: %s", path == NULL ? base : path, strerror(errno));
		if (draft != NULL) {
			(void)unlink(draft);
		}
	}
	free(draft);
	free(path);
	return fine && folder_sync(folder, why);
}

bool file_put(const char *folder, const char *base, const char *bytes, size_t length, struct refusal *why)
{
	return file_draft(folder, base, bytes, length, why) && file_publish(folder, base, why);
}
