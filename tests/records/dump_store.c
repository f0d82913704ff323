/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints all records of a store as lines of the journal, the latest first: dump_store sqlite:PATH. */
#include <config.h>

#include "records/records.h"

#include <stdio.h>

static bool print(void *context, const struct record *record)
{
	char line[RECORD_SIZE];

	(void)context;
	fwrite(line, 1, record_format(record, line), stdout);
	return true;
}

int main(int argc, char **argv)
{
	const struct recent_options all = { .since = INT64_MIN, .until = INT64_MAX, .limit = SIZE_MAX };
	char why[STORE_WHY_SIZE];
	struct store *store = argc == 2 ? store_open(argv[1], why) : NULL;
	bool good = store != NULL && store_recent(store, &all, print, NULL, why);

	if (argc != 2 || !good)
		fprintf(stderr, "%s\n", argc != 2 ? "Usage: dump_store sqlite:PATH" : why);
	store_close(store);
	return good ? 0 : 1;
}
