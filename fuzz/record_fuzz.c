/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a line of the journal: read in one pass or by jansson, it means the same, and what it means can be written. */
#include <config.h>

#include "fuzz/target.h"
#include "records/records.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MOST = 8192 };

static void check_alike(const struct record *one, const struct record *other)
{
	char line[RECORD_SIZE], again[RECORD_SIZE];
	size_t length = record_format(one, line);

	MUST(one->time == other->time);
	MUST(record_format(other, again) == length && memcmp(line, again, length) == 0);
}

/* A blank behind the brace changes nothing, and isn't as the journal has it: jansson reads that. */
static void check_line(const char *text, size_t size)
{
	static struct record_line quick, slow;
	char why[RECORD_WHY_SIZE] = "", other_why[RECORD_WHY_SIZE] = "";
	char *spread = malloc(size + 1);

	MUST(spread != NULL);
	spread[0] = text[0];
	spread[1] = ' ';
	memcpy(spread + 2, text + 1, size - 1);
	bool taken = record_parse(text, size, &quick, why);
	MUST(record_parse(spread, size + 1, &slow, other_why) == taken);
	MUST(taken || (why[0] != '\0' && other_why[0] != '\0'));
	if (taken) {
		MUST(quick.passed_over == slow.passed_over);
		check_alike(&quick.record, &slow.record);
		record_line_free(&quick);
		record_line_free(&slow);
	}
	free(spread);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && size <= INPUT_MOST && data[0] == '{') {
		check_line((const char *)data, size);
	}
	return 0;
}
