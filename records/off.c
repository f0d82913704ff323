/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The services that are switched off, as they would be: so a report can say that this is why a meeting failed. */
#include <config.h>

#include "records/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MOST = 64 };

/* The last file that a service would have, were it not switched off by an empty one. Returns false if there is none. */
static bool find_hidden(const char *const *folders, size_t count, const char *service, char **path)
{
	char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		struct stat status;
		char *file;

		if (asprintf(&file, "%s/%s.service", folders[i], service) < 0)
			break;
		if (stat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
			free(found);
			found = file;
		} else {
			free(file);
		}
	}
	*path = found;
	return found != NULL;
}

struct category *category_load_off(const char *const *folders, size_t count, const struct category *category)
{
	struct problems problems = { .list = NULL };
	struct category *off = NULL;
	char *paths[MOST];
	size_t found = 0;

	for (size_t i = 0; i < category_services(category) && found < MOST; i++) {
		struct service_view view;

		category_service(category, i, &view);
		if (view.state == SERVICE_OFF && find_hidden(folders, count, view.name, &paths[found]))
			found++;
	}
	if (found > 0)
		off = category_load((const char *const *)paths, found, NULL, &problems);
	/* They are told where they are in force. */
	problems_free(&problems);
	for (size_t i = 0; i < found; i++)
		free(paths[i]);
	return off;
}
