/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the list of a service file was last fetched, for list and check: from the state that updates keep beside the folder. */
#include <config.h>

#include "ctl/ctl.h"

#include <string.h>

json_t *seen_read(const struct common *common)
{
	json_t *all = json_object();

	for (size_t i = 0; i < common->folders; i++) {
		const char *slash = strrchr(common->folder[i], '/');
		char folder[4096];
		struct refusal why;

		if (slash == NULL || strcmp(slash, "/services") != 0 ||
		    snprintf(folder, sizeof folder, "%.*s", (int)(slash - common->folder[i]), common->folder[i]) >= (int)sizeof folder) {
			continue;
		}
		json_t *state = update_state(folder[0] == '\0' ? "/" : folder, &why);
		if (state == NULL) {
			fprintf(stderr, "meetingctl: %s\n", why.reason);
		}
		(void)json_object_update(all, json_object_get(state, "files"));
		json_decref(state);
	}
	return all;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

bool seen_find(const json_t *states, const char *file, struct seen *seen)
{
	const char *slash = strrchr(file, '/');
	int32_t day;

	seen->json = json_object_get(states, slash == NULL ? file : slash + 1);
	if (json_object_get(seen->json, "checked") == NULL && json_object_get(seen->json, "failed") == NULL) {
		return false; /* never tried; what came with a bundle is told where that is */
	}
	seen->checked = text_at(seen->json, "checked");
	seen->error = text_at(seen->json, "error");
	seen->failures = (int)json_integer_value(json_object_get(seen->json, "failures"));
	seen->days = strlen(seen->checked) > 10 && date_parse((struct text){seen->checked, 10}, &day) ? date_today() - day : -1;
	return true;
}
