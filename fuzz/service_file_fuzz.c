/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a service file and as `clients`: refused with places that exist, or whole, found again, and kept. */
#include <config.h>

#include "category/internal.h"
#include "fuzz/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MOST = 65536 };

/* ---- Problems ---- */

static void check_problems(const struct problems *problems, const uint8_t *data, size_t size)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < size; i++) {
		lines += data[i] == '\n';
	}
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		char text[1024];

		MUST(problem->line <= lines);
		MUST(problem->line == 0 || (problem->column >= 1 && problem->column <= size + 1));
		MUST(problem->reason[0] != '\0' && strchr(problem->reason, '\n') == NULL);
		MUST(problem_format(problem, text, sizeof text) == strlen(text));
		MUST(i == 0 || strcmp(problems->list[i - 1].file, problem->file) != 0 ||
		    problems->list[i - 1].line <= problem->line);
	}
}

/* ---- Entries ---- */

struct search {
	const struct entry *wanted;
	bool found;
	unsigned longest;
};

static bool look_for(void *context, const struct entry *entry)
{
	struct search *search = context;

	if (entry->kind != ENTRY_NAME) {
		MUST(entry->prefix.length <= search->longest);
		search->longest = entry->prefix.length;
	}
	search->found = search->found ||
	    (entry->line == search->wanted->line && strcmp(entry->rule, search->wanted->rule) == 0 &&
	        strcmp(entry->file, search->wanted->file) == 0);
	return true;
}

static void check_decision(const struct category *category, const struct entry *entry)
{
	struct policy policy = {.mode = MODE_EXPLICIT, .names = NAMES_IGNORE};
	struct facts facts = {.client = {NULL, 0}};
	char host[RULE_SIZE], port[8], rule[RULE_SIZE], source[SOURCE_SIZE];
	struct text argument = text_of(entry->service);
	struct verdict verdict;

	if (entry->ports->any) {
		facts.port = text_of("443");
	} else if (entry->ports->count[TCP] > 0) {
		(void)snprintf(port, sizeof port, "%u", entry->ports->range[TCP][0].first);
		facts.port = text_of(port);
	} else {
		return;
	}
	if (entry->kind == ENTRY_ADDRESS) {
		address_format(&entry->prefix.address, host);
	} else {
		(void)snprintf(host, sizeof host, "%s", entry->rule + (entry->rule[0] == '.'));
	}
	facts.host = text_of(host);
	decide(category, &policy, &facts, &argument, 1, &verdict);
	MUST(verdict.kind == VERDICT_BYPASS);
	MUST(strcmp(verdict.service, entry->service) == 0);
	MUST(verdict_rule(&verdict, rule) == strlen(rule) && rule[0] != '\0');
	MUST(verdict_source(&verdict, source, sizeof source) == strlen(source) && source[0] != '\0');
	policy.refuse_stale = true;
	policy.today = INT32_MAX - 1;
	decide(category, &policy, &facts, &argument, 1, &verdict);
	MUST(verdict.kind == VERDICT_BYPASS || verdict.miss == MISS_STALE);
}

static bool check_entry(void *context, const struct entry *entry)
{
	const struct category *category = context;
	struct search search = {entry, false, 128};
	char name[NAME_SIZE];
	struct prefix prefix;
	struct refusal why;
	int32_t day;

	MUST(entry->source[0] != '\0' && strlen(entry->source) < SOURCE_SIZE);
	MUST(entry->date[0] == '\0' || date_parse(text_of(entry->date), &day));
	MUST(entry->expires[0] == '\0' || date_parse(text_of(entry->expires), &day));
	if (entry->kind == ENTRY_NAME) {
		bool below = entry->rule[0] == '.';

		MUST(name_parse(text_of(entry->rule + below), name, &why));
		MUST(strcmp(name, entry->rule + below) == 0);
		category_entries_of_name(category, name, look_for, &search);
	} else {
		MUST(prefix_parse(text_of(entry->rule), &prefix, &why));
		MUST(memcmp(&prefix, &entry->prefix, sizeof prefix) == 0);
		MUST(prefix_allowed(&prefix, true, true, &why));
		(entry->kind == ENTRY_CLIENT ? category_entries_of_client : category_entries_of_address)(
		    category, &prefix.address, look_for, &search);
	}
	MUST(search.found);
	if (entry->kind != ENTRY_CLIENT) {
		check_decision(category, entry);
	}
	return true;
}

/* ---- Loading ---- */

static const char x_service[] = "service x\nsource S 2026-01-01\naddress 192.0.2.0/24 tcp 443\nname .x.example\n";
static const char clients[] = "client 10.0.0.0/8\nclient 11.0.0.0/8 x y\nclient 11.0.0.0/16 x y\n";
static const char *const files[] = {"x.service", "clients", "kept.service", NULL};
static char *folder;
static struct category *good; /* with a good content of each file */
static size_t good_entries;

static bool count_entry(void *context, const struct entry *entry)
{
	(void)entry;
	++*(size_t *)context;
	return true;
}

static size_t count_entries(const struct category *category)
{
	size_t count = 0;

	category_entries(category, count_entry, &count);
	return count;
}

static void remove_folder(void)
{
	category_free(good);
	scratch_free(folder, files);
}

static void begin(void)
{
	static const char kept[] = "service kept\naddress 198.51.100.0/24\n";
	struct problems problems = {NULL, 0, 0, 0};

	folder = scratch_folder();
	scratch_put(folder, "x.service", x_service, sizeof x_service - 1);
	scratch_put(folder, "clients", clients, sizeof clients - 1);
	scratch_put(folder, "kept.service", kept, sizeof kept - 1);
	good = category_load((const char *const *)&folder, 1, NULL, &problems);
	MUST(good != NULL && problems.count == 0);
	good_entries = count_entries(good);
	(void)atexit(remove_folder);
}

/* Loads the folder with the input as one of its files. Returns whether that was refused. */
static bool load_with(const char *name, const struct category *previous, const uint8_t *data, size_t size)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct category_counts counts;
	struct category *category = category_load((const char *const *)&folder, 1, previous, &problems);

	MUST(category != NULL);
	category_count(category, &counts);
	MUST((problems.count == 0) == (counts.refused_files == 0));
	MUST(counts.refused_files <= 1);
	check_problems(&problems, data, size);
	for (size_t i = 0; i < problems.count; i++) {
		MUST(strcmp(strrchr(problems.list[i].file, '/') + 1, name) == 0);
	}
	category_entries(category, check_entry, category);
	if (counts.refused_files > 0 && previous != NULL) {
		MUST(count_entries(category) == good_entries);
		MUST(category_version(category) == category_version(previous));
	}
	bool refused = counts.refused_files > 0;
	problems_free(&problems);
	category_free(category);
	return refused;
}

/* Reads the input alone, without any table. Returns whether it was refused. */
static bool read_alone(bool as_clients, const uint8_t *data, size_t size)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct builder builder = {.problems = &problems};
	struct client_set everywhere = {0, NULL, NULL};

	MUST(builder_client_set(&builder, &everywhere) == 0);
	MUST(builder_file(&builder, as_clients ? "/clients" : "/x.service") == 0);
	bool fine = (as_clients ? clients_file_parse : service_file_parse)(&builder, 0, (const char *)data, size);
	MUST(!builder.out_of_memory);
	MUST(fine == (problems.count == 0));
	check_problems(&problems, data, size);
	builder_free(&builder);
	problems_free(&problems);
	return !fine;
}

static void load_as(const char *name, const char *before, size_t before_size, const uint8_t *data, size_t size)
{
	bool refused = read_alone(strcmp(name, "clients") == 0, data, size);

	/* Tables take their time: of what is refused, the loading is tried with every eighth input. */
	if (refused && (size == 0 || (data[size / 2] & 7) != 0)) {
		return;
	}
	scratch_put(folder, name, data, size);
	MUST(load_with(name, good, data, size) == refused);
	if (!refused) {
		MUST(!load_with(name, NULL, data, size));
	}
	scratch_put(folder, name, before, before_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MOST) {
		return 0;
	}
	if (folder == NULL) {
		begin();
	}
	load_as("x.service", x_service, sizeof x_service - 1, data, size);
	load_as("clients", clients, sizeof clients - 1, data, size);
	return 0;
}
