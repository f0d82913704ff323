/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The password for a store in ClickHouse: from a file or the environment, as a command line is there for all to see. */
#include <config.h>

#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_first_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0) {
		close(fd);
	}
	if (got < 0) {
		return false;
	}
	out[got] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

bool clickhouse_password(const char *command, const char *file, char out[CTL_PASSWORD_SIZE], const char **password)
{
	*password = getenv("MEETING_CLICKHOUSE_PASSWORD");
	if (file == NULL) {
		return true;
	}
	if (!read_first_line(file, out, CTL_PASSWORD_SIZE)) {
		fprintf(stderr, "meetingctl %s: %s: %s\n", command, file, strerror(errno));
		return false;
	}
	*password = out;
	return true;
}
