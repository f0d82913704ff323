/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target without a fuzzer over its committed corpus, each input also cut short and with bytes changed.
 * Tells it by TAP, so that `make check` does it. */
#include <config.h>

#include "fuzz/target.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_SIZE = 1 << 20, VARIANTS = 20 };

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The names of the files in folder, in order; the caller frees all. */
static char **list(const char *folder, size_t *count)
{
	DIR *dir = opendir(folder);
	size_t room = 0;
	char **names = NULL;

	*count = 0;
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		if (*count == room) {
			room = room * 2 + 64;
			names = reallocarray(names, room, sizeof *names);
			MUST(names != NULL);
		}
		names[*count] = strdup(entry->d_name);
		MUST(names[*count] != NULL);
		++*count;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	if (*count > 0) {
		qsort(names, *count, sizeof *names, compare);
	}
	return names;
}

/* In memory of exactly its size, so that a look behind it is noticed. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	MUST(copy != NULL);
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
	uint32_t chance = 1;

	for (size_t i = 0; i < VARIANTS && size > 0; i++) {
		chance = chance * 1664525 + 1013904223;
		size_t at = (chance >> 8) % size;
		uint8_t before = data[at];

		data[at] = (uint8_t)(chance >> 24 ^ before);
		run(data, size);
		data[at] = before;
		run(data, at);
	}
}

int main(void)
{
	static uint8_t data[INPUT_SIZE];
	const char *source = getenv("top_srcdir");
	char folder[512], path[1024];
	size_t count;

	(void)snprintf(folder, sizeof folder, "%s/fuzz/corpus/" CORPUS, source == NULL ? "." : source);
	char **names = list(folder, &count);
	printf("1..%zu\n", count == 0 ? 1 : count);
	if (count == 0) {
		printf("not ok 1 - there is nothing in %s\n", folder);
	}
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		FILE *file = fopen(path, "re");
		MUST(file != NULL);
		size_t size = fread(data, 1, sizeof data, file);
		fclose(file);
		printf("# %s\n", names[i]);
		(void)fflush(stdout); /* what follows may abort */
		run(data, size);
		run_variants(data, size);
		printf("ok %zu - %s\n", i + 1, names[i]);
		free(names[i]);
	}
	free(names);
	return count == 0;
}
