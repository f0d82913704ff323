/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an answer of ClickHouse, of as many columns as the first byte says: it is read alike in one piece and in many, and
 * every text is UTF-8 without a NUL. */
#include <config.h>

#include "fuzz/target.h"
#include "records/clickhouse.h"

#include <string.h>

static struct answer answer;
static uint64_t sum;

static bool take_row(void *context, const struct text *fields)
{
	(void)context;
	for (size_t i = 0; i < answer.fields; i++) {
		uint64_t number;
		int64_t with_sign;

		MUST(fields[i].length <= ANSWER_LINE);
		for (size_t at = 0; at < fields[i].length;) {
			size_t length = utf8_length(fields[i].at + at, fields[i].length - at);

			MUST(length > 0 && fields[i].at[at] != '\0');
			sum = sum * 31 + (unsigned char)fields[i].at[at];
			at += length;
		}
		if (answer_signed(fields[i], &with_sign)) {
			MUST(with_sign < 0 || (answer_number(fields[i], &number) && number == (uint64_t)with_sign));
		}
	}
	return sum % 97 != 0;
}

/* Returns what came of it, as one number. */
static uint64_t read_it(const char *bytes, size_t size, size_t part, size_t fields)
{
	bool more = true;

	sum = 1;
	answer_begin(&answer, fields, take_row, NULL);
	for (size_t at = 0; more && at < size; at += part) {
		more = answer_take(&answer, bytes + at, part < size - at ? part : size - at);
	}
	bool whole = answer_end(&answer);
	MUST(whole || answer.stopped || answer.wrong != NULL);
	return sum * 2 + whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	const char *bytes = (const char *)data + 1;
	size_t fields = 1 + data[0] % ANSWER_FIELDS;
	uint64_t once = read_it(bytes, size - 1, size, fields);

	MUST(read_it(bytes, size - 1, 1, fields) == once);
	MUST(read_it(bytes, size - 1, 7, fields) == once);
	return 0;
}
