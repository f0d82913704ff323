/* SPDX-License-Identifier: GPL-2.0-or-later */
/* c-icap tells no module its formats, so its configuration is read a second time, in the form that cfg_param.c of
 * c-icap 0.5.10 reads. What isn't understood is taken for an attribute. */
#include <config.h>

#include "icap/formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define SPACES " \t\n\v\f\r"

static bool file_has_attributes(const char *path, unsigned levels);

static bool is_directive(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strcspn(line, SPACES) == length && strncasecmp(line, name, length) == 0;
}

/* The directive's first argument, cut off from what follows. */
static char *argument_of(char *line)
{
	line += strcspn(line, SPACES);
	line += strspn(line, SPACES);
	line[strcspn(line, SPACES)] = '\0';
	return line;
}

static bool line_has_attributes(char *line, unsigned levels)
{
	line += strspn(line, SPACES);
	if (line[0] == '#')
		return false;
	if (strstr(line, "}Sa") != NULL)
		return true;
	if (is_directive(line, "Include")) {
		const char *path = argument_of(line);

		/* Others are relative to a folder that c-icap was compiled with. */
		return path[0] != '/' || file_has_attributes(path, levels - 1);
	}
	if (is_directive(line, "Logger")) {
		const char *logger = argument_of(line);

		return strcmp(logger, "file_logger") != 0 && strcmp(logger, "sys_logger") != 0;
	}
	return false;
}

static bool file_has_attributes(const char *path, unsigned levels)
{
	struct stat status;
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	bool found = false;

	/* Anything else, as a pipe, can't be read twice. */
	if (levels == 0 || stat(path, &status) != 0 || !S_ISREG(status.st_mode) || (file = fopen(path, "re")) == NULL)
		return true;
	while (!found && getline(&line, &size, file) > 0)
		found = line_has_attributes(line, levels);
	found = found || !feof(file);
	free(line);
	fclose(file);
	return found;
}

bool formats_have_attributes(const char *config)
{
	enum { INCLUDE_LEVELS = 5 }; /* c-icap's own limit */

	return config == NULL || file_has_attributes(config, INCLUDE_LEVELS);
}
