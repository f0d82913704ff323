/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share: failing, and a folder to load from. */
#include <config.h>

#include "fuzz/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 512 };

void must_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: doesn't hold: %s\n", file, line, condition);
	abort();
}

char *scratch_folder(void)
{
	/* fuzz/run names a place, and empties it: libFuzzer ends without a last word to the target. */
	const char *const places[] = {getenv("FUZZ_SCRATCH"), "/dev/shm", "/tmp"};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		char *folder = places[i] == NULL ? NULL : malloc(PATH_ROOM);

		if (folder != NULL && snprintf(folder, PATH_ROOM, "%s/meeting-XXXXXX", places[i]) < PATH_ROOM &&
		    mkdtemp(folder) != NULL) {
			return folder;
		}
		free(folder);
	}
	perror("a scratch folder");
	exit(1);
}

void scratch_put(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[PATH_ROOM];
	int file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(file >= 0);
	MUST(size == 0 || write(file, bytes, size) == (ssize_t)size);
	close(file);
}

void scratch_free(char *folder, const char *const *names)
{
	for (; *names != NULL; names++) {
		char path[PATH_ROOM];

		(void)snprintf(path, sizeof path, "%s/%s", folder, *names);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	free(folder);
}
