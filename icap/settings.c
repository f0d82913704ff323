/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directives of the module in c-icap.conf. */
#include <config.h>

#include "icap/settings.h"

#include "icap/c_icap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct settings settings;

struct settings *settings_get(void)
{
	return &settings;
}

/* ---- What directives have in common ---- */

static int complain(const char *directive, const char *value, const char *what)
{
	ci_debug_printf(1, "meeting.%s: %s%s%s\n", directive, value, value[0] != '\0' ? ": " : "", what);
	return 0;
}

/* c-icap hands over one empty argument where there is none. */
static bool is_given(const char **arguments)
{
	return arguments != NULL && arguments[0] != NULL && arguments[0][0] != '\0';
}

static bool is_alone(const char *directive, const char **arguments, const char *what)
{
	char text[64];

	if (is_given(arguments) && arguments[1] == NULL)
		return true;
	snprintf(text, sizeof text, is_given(arguments) ? "more than one %s" : "the %s is missing", what);
	return complain(directive, "", text);
}

/* c-icap changes to / as a daemon, so a relative path would mean something else there. */
static bool is_absolute(const char *directive, const char *path)
{
	return path[0] == '/' || complain(directive, path, "not an absolute path");
}

static bool keep_text(char **kept, const char *text)
{
	free(*kept);
	*kept = strdup(text);
	return *kept != NULL;
}

static int add_paths(const char *directive, const char **arguments, char **list, size_t *count, size_t most)
{
	char text[64];

	if (!is_given(arguments))
		return complain(directive, "", "the path is missing");
	snprintf(text, sizeof text, "more than %zu of them", most);
	for (; *arguments != NULL; arguments++) {
		if (!is_absolute(directive, *arguments))
			return 0;
		if (*count == most)
			return complain(directive, *arguments, text);
		list[*count] = strdup(*arguments);
		if (list[*count] == NULL)
			return 0;
		++*count;
	}
	return 1;
}

/* ---- The directives ---- */

static int set_config(const char *directive, const char **arguments, void *data)
{
	(void)data;
	return add_paths(directive, arguments, settings.folder, &settings.folders, SETTINGS_FOLDERS);
}

static int set_journal(const char *directive, const char **arguments, void *data)
{
	(void)data;
	return is_alone(directive, arguments, "path") && is_absolute(directive, arguments[0]) &&
	    keep_text(&settings.journal[0], arguments[0]);
}

static int add_journals(const char *directive, const char **arguments, void *data)
{
	size_t own = settings.journals == 0 ? 1 : settings.journals;
	int good;

	(void)data;
	good = add_paths(directive, arguments, settings.journal, &own, SETTINGS_JOURNALS);
	settings.journals = own;
	return good;
}

static int set_store(const char *directive, const char **arguments, void *data)
{
	static const char kind[] = "sqlite:";

	(void)data;
	if (!is_alone(directive, arguments, "store"))
		return 0;
	if (strncmp(arguments[0], kind, sizeof kind - 1) != 0)
		return complain(directive, arguments[0], "is given as sqlite:PATH; for others, see meetingctl ingest");
	return is_absolute(directive, arguments[0] + sizeof kind - 1) && keep_text(&settings.store, arguments[0]);
}

static int set_keep(const char *directive, const char **arguments, void *data)
{
	(void)data;
	if (!is_alone(directive, arguments, "time"))
		return 0;
	return (duration_parse(text_of(arguments[0]), &settings.keep) && settings.keep > 0) ||
	    complain(directive, arguments[0], "takes a number and s, m, h, d or w");
}

static int set_chart(const char *directive, const char **arguments, void *data)
{
	(void)data;
	return is_alone(directive, arguments, "path") && is_absolute(directive, arguments[0]) &&
	    keep_text(&settings.chart, arguments[0]);
}

static int set_host(const char *directive, const char **arguments, void *data)
{
	struct refusal why;

	(void)data;
	if (!is_alone(directive, arguments, "host"))
		return 0;
	return name_parse(text_of(arguments[0]), settings.host, &why) || complain(directive, arguments[0], why.reason);
}

static int add_addresses(const char *directive, const char **arguments, void *data)
{
	struct refusal why;

	if (!is_given(arguments))
		return complain(directive, "", "the address is missing");
	for (; *arguments != NULL; arguments++)
		if (!report_clients_add(data, text_of(*arguments), &why))
			return complain(directive, *arguments, why.reason);
	return 1;
}

struct ci_conf_entry settings_directives[] = {
	{ "Config", NULL, set_config, "Folders of the category's files" },
	{ "Journal", NULL, set_journal, "The file that records are appended to" },
	{ "Store", NULL, set_store, "sqlite:PATH, which the journals are read into" },
	{ "StoreJournals", NULL, add_journals, "Files that are read into the store, too" },
	{ "Keep", NULL, set_keep, "How long the store keeps a record" },
	{ "ReportHost", NULL, set_host, "The host under which the report is seen" },
	{ "ReportClients", &settings.clients, add_addresses, "Who may see the report" },
	{ "ReportProxies", &settings.proxies, add_addresses, "Whose word on the client counts" },
	{ "ReportCharts", NULL, set_chart, "The file of the library that draws charts" },
	{ NULL, NULL, NULL, NULL }
};

/* ---- All of them ---- */

/* The journal of Squid's refusals beside our own, where squid-conf/denied.conf puts it. */
static bool add_denied(void)
{
	const char *slash = strrchr(settings.journal[0], '/');

	settings.journals = 2;
	return asprintf(&settings.journal[1], "%.*s/denied.jsonl", (int)(slash - settings.journal[0]), settings.journal[0]) >= 0;
}

static bool this_machine_if_none(struct report_clients *clients)
{
	struct refusal why;

	return clients->count > 0 || (report_clients_add(clients, text_of("127.0.0.1"), &why) &&
	    report_clients_add(clients, text_of("::1"), &why));
}

bool settings_complete(struct settings *all)
{
	if (all->journal[0] == NULL && !keep_text(&all->journal[0], LOG_DIR "/decisions.jsonl"))
		return false;
	if (all->journals == 0 && !add_denied())
		return false;
	if (all->chart == NULL && !keep_text(&all->chart, CHART_FILE))
		return false;
	return this_machine_if_none(&all->clients) && this_machine_if_none(&all->proxies);
}

void settings_free(struct settings *all)
{
	for (size_t i = 0; i < all->folders; i++)
		free(all->folder[i]);
	for (size_t i = 0; i < SETTINGS_JOURNALS; i++)
		free(all->journal[i]);
	free(all->store);
	free(all->chart);
	report_clients_free(&all->clients);
	report_clients_free(&all->proxies);
	memset(all, 0, sizeof *all);
}
