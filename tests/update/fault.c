/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded by tests/update/faults.bats: the call with the number FAULT_AT, of those that change files, doesn't come to pass. FAULT
 * says what happens in its stead: `kill`, or an error (`full`, `broken`). FAULT_MARK names a file that is made when it happens.
 * With `trace` nothing happens, and the file gets the name of each call. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is it this call's turn? */
static bool faulty(const char *name)
{
	static int calls;
	const char *at = getenv("FAULT_AT"), *how = getenv("FAULT");

	if (how != NULL && strcmp(how, "trace") == 0) {
		FILE *file = fopen(getenv("FAULT_MARK"), "a");

		fprintf(file, "%s\n", name);
		fclose(file);
		return false;
	}
	if (at == NULL || how == NULL || ++calls != strtol(at, NULL, 10)) {
		return false;
	}
	int file = open(getenv("FAULT_MARK"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	close(file); /* it has happened */
	if (strcmp(how, "kill") == 0) {
		raise(SIGKILL);
	}
	errno = strcmp(how, "full") == 0 ? ENOSPC : EIO;
	return true;
}

static bool is_file(int file)
{
	struct stat status;

	return fstat(file, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

int rename(const char *from, const char *to)
{
	return faulty("rename") ? -1 : REAL(int, rename, const char *, const char *)(from, to);
}

int fsync(int file)
{
	return is_file(file) && faulty("fsync") ? -1 : REAL(int, fsync, int)(file);
}

int unlink(const char *path)
{
	return faulty("unlink") ? -1 : REAL(int, unlink, const char *)(path);
}

int mkdir(const char *path, mode_t mode)
{
	return faulty("mkdir") ? -1 : REAL(int, mkdir, const char *, mode_t)(path, mode);
}

ssize_t write(int file, const void *bytes, size_t length)
{
	if (is_file(file) && faulty("write")) {
		if (length > 1 && errno == ENOSPC) { /* half of it fits */
			(void)!REAL(ssize_t, write, int, const void *, size_t)(file, bytes, length / 2);
			errno = ENOSPC;
		}
		return -1;
	}
	return REAL(ssize_t, write, int, const void *, size_t)(file, bytes, length);
}
