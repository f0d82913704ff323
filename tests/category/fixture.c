/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of files, what loading says of them, questions as one line, chance. */
#include <config.h>

#include "tests/category/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Folders ---- */

int folder_setup(void **state)
{
	const char *base = getenv("TMPDIR");
	size_t size = strlen(base == NULL ? "/tmp" : base) + sizeof "/meeting-XXXXXX";
	char *path = malloc(size);

	if (path == NULL) {
		return -1;
	}
	(void)snprintf(path, size, "%s/meeting-XXXXXX", base == NULL ? "/tmp" : base);
	if (mkdtemp(path) == NULL) {
		perror(path);
		free(path);
		return -1;
	}
	*state = path;
	return 0;
}

/* depth keeps it from running away. */
static void empty_folder(int folder, int depth)
{
	DIR *dir = fdopendir(folder);

	if (dir == NULL) {
		close(folder);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0 && depth > 0) {
			int below = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

			if (below >= 0) {
				empty_folder(below, depth - 1);
			}
			(void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		}
	}
	closedir(dir);
}

int folder_teardown(void **state)
{
	char *path = *state;
	int folder = open(path, O_RDONLY | O_DIRECTORY);

	if (folder >= 0) {
		empty_folder(folder, 4);
	}
	int result = rmdir(path);
	free(path);
	return result;
}

static void path_in(const char *folder, const char *name, char path[512])
{
	assert_in_range(snprintf(path, 512, "%s/%s", folder, name), 1, 511);
}

void put_bytes(const char *folder, const char *name, const void *bytes, size_t length)
{
	const char *slash = strchr(name, '/');
	char path[512];
	FILE *file;

	if (slash != NULL) {
		path_in(folder, name, path);
		path[strlen(folder) + 1 + (size_t)(slash - name)] = '\0';
		(void)mkdir(path, 0700);
	}
	path_in(folder, name, path);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

void put(const char *folder, const char *name, const char *text)
{
	put_bytes(folder, name, text, strlen(text));
}

void drop(const char *folder, const char *name)
{
	char path[512];

	path_in(folder, name, path);
	assert_int_equal(unlink(path), 0);
}

/* ---- Loading ---- */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

struct category *load_folders(const char *const *folders, const struct category *previous, char said[SAID_SIZE])
{
	struct problems problems = {NULL, 0, 0, 0};
	size_t count = 0, at = 0;

	while (folders[count] != NULL) {
		count++;
	}
	struct category *category = category_load(folders, count, previous, &problems);
	assert_non_null(category);
	said[0] = '\0';
	for (size_t i = 0; i < problems.count; i++) {
		static char text[8192];

		problem_format(&problems.list[i], text, sizeof text);
		assert_memory_equal(text, problems.list[i].file, strlen(problems.list[i].file));
		at += (size_t)snprintf(
		    said + at, SAID_SIZE - at, "%s%s\n", base_of(problems.list[i].file), text + strlen(problems.list[i].file));
		assert_true(at < SAID_SIZE);
	}
	problems_free(&problems);
	return category;
}

struct category *load_folder(const char *folder, const struct category *previous, char said[SAID_SIZE])
{
	const char *folders[] = {folder, NULL};

	return load_folders(folders, previous, said);
}

struct category *load_good(const char *folder)
{
	static char said[SAID_SIZE];
	struct category *category = load_folder(folder, NULL, said);

	assert_string_equal(said, "");
	return category;
}

void assert_said(const char *folder, const char *name, const char *text, const char *expected)
{
	static char said[SAID_SIZE];

	put(folder, name, text);
	struct category *category = load_folder(folder, NULL, said);
	assert_string_equal(said, expected);
	category_free(category);
	drop(folder, name);
}

/* ---- What is in a category ---- */

struct listing {
	char text[SAID_SIZE];
	size_t length;
};

static bool list_entry(void *context, const struct entry *entry)
{
	static const char *const kinds[] = {"address", "name", "client"};
	struct listing *listing = context;
	char ports[256] = "";
	size_t at = 0;

	if (entry->ports != NULL) {
		ports_format(entry->ports, ports, sizeof ports);
	} else if (entry->services == NULL) {
		(void)snprintf(ports, sizeof ports, "everywhere");
	} else {
		for (size_t i = 0; entry->services[i] != NULL; i++) {
			at += (size_t)snprintf(ports + at, sizeof ports - at, "%s%s", i == 0 ? "" : " ", entry->services[i]);
		}
	}
	const char *source = entry->source == entry->file ? "-" : entry->source;
	listing->length += (size_t)snprintf(listing->text + listing->length, sizeof listing->text - listing->length,
	    "%s %s %s (%s) %s %s %s %s:%" PRIu32 "\n", kinds[entry->kind], entry->rule,
	    entry->service == NULL ? "-" : entry->service, ports, source, entry->date[0] == '\0' ? "-" : entry->date,
	    entry->expires[0] == '\0' ? "-" : entry->expires, base_of(entry->file), entry->line);
	assert_true(listing->length < sizeof listing->text);
	return true;
}

const char *entries_of(const struct category *category)
{
	static struct listing listing;

	listing.length = 0;
	listing.text[0] = '\0';
	category_entries(category, list_entry, &listing);
	return listing.text;
}

const char *services_of(const struct category *category)
{
	static const char *const states[] = {"on", "off", "refused", "kept"};
	static char text[SAID_SIZE];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < category_services(category); i++) {
		struct service_view view;

		category_service(category, i, &view);
		at += (size_t)snprintf(text + at, sizeof text - at, "%s %s (%s) %zu %zu %s\n", view.name, states[view.state],
		    view.title, view.addresses, view.names, base_of(view.file));
		assert_true(at < sizeof text);
	}
	return text;
}

/* ---- Questions ---- */

static char answered_source[SOURCE_SIZE];

static size_t split(const char *line, struct text *words, size_t room)
{
	size_t count = 0;

	for (const char *at = line; at != NULL && *at != '\0';) {
		size_t length = strcspn(at, " ");

		if (length > 0) {
			assert_true(count < room);
			words[count++] = (struct text){at, length};
		}
		at += length + (at[length] == ' ');
	}
	return count;
}

const char *answer_to(const struct category *category, const struct asked *asked)
{
	static char text[1024];
	char rule[RULE_SIZE], also[512];
	struct policy policy = {asked->mode, asked->names, asked->refuse_stale, 0};
	struct facts facts = {text_of(asked->client), text_of(asked->dst), text_of(asked->dport), text_of(asked->host),
	    text_of(asked->port), text_of(asked->sni), asked->confirmed};
	struct text arguments[100];
	struct verdict verdict;
	size_t at = 0;

	assert_true(date_parse(text_of(asked->today == NULL ? "2026-11-23" : asked->today), &policy.today));
	decide(category, &policy, &facts, arguments, split(asked->arguments, arguments, 100), &verdict);
	size_t rule_length = verdict_rule(&verdict, rule);
	size_t also_length = verdict_also(&verdict, also, sizeof also);
	assert_int_equal(rule_length, strlen(rule));
	assert_int_equal(also_length, strlen(also));
	size_t source_length = verdict_source(&verdict, answered_source, sizeof answered_source);
	assert_int_equal(source_length, strlen(answered_source));
	switch (verdict.kind) {
	case VERDICT_NORMAL:
		assert_string_equal(rule, "");
		assert_string_equal(answered_source, "");
		assert_null(evidence_name(verdict.evidence));
		assert_null(verdict.service);
		(void)snprintf(text, sizeof text, "normal %s", miss_name(verdict.miss));
		break;
	case VERDICT_BYPASS:
		assert_int_equal(verdict.miss, MISS_NONE);
		assert_string_not_equal(answered_source, "");
		at = (size_t)snprintf(text, sizeof text, "bypass %s %s %s%s", verdict.service == NULL ? "-" : verdict.service,
		    rule, evidence_name(verdict.evidence), verdict.stale ? " stale" : "");
		if (also_length > 0) {
			(void)snprintf(text + at, sizeof text - at, " also %s", also);
		}
		break;
	case VERDICT_UNDECIDED: (void)snprintf(text, sizeof text, "undecided %s %s", verdict.service, rule); break;
	case VERDICT_UNREADABLE: (void)snprintf(text, sizeof text, "unreadable %s", verdict.message); break;
	}
	return text;
}

const char *source_of_answer(void)
{
	return answered_source;
}

/* ---- Chance ---- */

static uint64_t chance_state;

void chance_begin(void)
{
	const char *seed = getenv("MEETING_SEED");

	chance_state = seed == NULL || seed[0] == '\0' ? 1 : strtoull(seed, NULL, 10);
	printf("# MEETING_SEED=%" PRIu64 "\n", chance_state);
	(void)fflush(stdout);
}

uint64_t chance(uint64_t below)
{
	uint64_t z = chance_state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

static unsigned bits_of(const struct address *address)
{
	return address->family == IPV4 ? 32 : 128;
}

static void set_host_bits(struct prefix *prefix, bool to)
{
	for (unsigned bit = prefix->length; bit < bits_of(&prefix->address); bit++) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

		prefix->address.bytes[bit / 8] = (uint8_t)(to ? prefix->address.bytes[bit / 8] | mask
		                                              : prefix->address.bytes[bit / 8] & ~mask);
	}
}

struct prefix chance_prefix(enum family family, unsigned shortest, unsigned longest)
{
	struct prefix prefix = {{family, {0}}, shortest + (unsigned)chance(longest - shortest + 1)};

	for (unsigned i = 0; i < bits_of(&prefix.address) / 8; i++) {
		prefix.address.bytes[i] = (uint8_t)chance(256);
	}
	set_host_bits(&prefix, false);
	return prefix;
}

struct address first_of(const struct prefix *prefix)
{
	struct prefix copy = *prefix;

	set_host_bits(&copy, false);
	return copy.address;
}

struct address last_of(const struct prefix *prefix)
{
	struct prefix copy = *prefix;

	set_host_bits(&copy, true);
	return copy.address;
}

bool before(struct address *address)
{
	for (unsigned i = bits_of(address) / 8; i > 0; i--) {
		if (address->bytes[i - 1]-- != 0) {
			return true;
		}
	}
	return false;
}

bool after(struct address *address)
{
	for (unsigned i = bits_of(address) / 8; i > 0; i--) {
		if (++address->bytes[i - 1] != 0) {
			return true;
		}
	}
	return false;
}
