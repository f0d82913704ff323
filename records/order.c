/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of an answer's groups, which is the same in every store.
 *
 * A text's number is a store's own affair, so groups that are alike otherwise are in the order of their texts' bytes. For
 * the time of sorting each number gives way to the rank of its text: then numbers are all there is to compare. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <stdlib.h>
#include <string.h>

struct ranked {
	int64_t number, rank;
	char *text;
	size_t length;
};

struct ranking {
	struct ranked *list; /* by number */
	int64_t *number;     /* by rank */
	size_t count;
};

bool dimension_is_text(enum dimension dimension)
{
	switch (dimension) {
	case DIMENSION_VERDICT:
	case DIMENSION_HOUR:
	case DIMENSION_DAY:
	case DIMENSION_PORT:
	case DIMENSION_STALE:
	case DIMENSION_DISAGREES:
		return false;
	default:
		return true;
	}
}

/* ---- Ranks ---- */

static int compare_numbers(const void *one, const void *other)
{
	const struct ranked *a = one, *b = other;

	return (a->number > b->number) - (a->number < b->number);
}

static int compare_texts(const void *one, const void *other)
{
	const struct ranked *a = one, *b = other;
	size_t length = a->length < b->length ? a->length : b->length;
	int order = length == 0 ? 0 : memcmp(a->text, b->text, length);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* Each number of these groups' texts, once. */
static bool collect(const struct question *question, size_t groups, struct ranking *ranking)
{
	size_t count = 0, kept = 0;

	ranking->list = calloc(groups * question->dimensions + 1, sizeof *ranking->list);
	if (ranking->list == NULL)
		return false;
	for (size_t i = 0; i < groups; i++)
		for (size_t k = 0; k < question->dimensions; k++)
			if (dimension_is_text(question->dimension[k]))
				ranking->list[count++].number = question->groups[i].key[k];
	qsort(ranking->list, count, sizeof *ranking->list, compare_numbers);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || ranking->list[i].number != ranking->list[kept - 1].number)
			ranking->list[kept++].number = ranking->list[i].number;
	ranking->count = kept;
	return true;
}

static bool rank(struct store *store, struct ranking *ranking)
{
	ranking->number = calloc(ranking->count + 1, sizeof *ranking->number);
	if (ranking->number == NULL)
		return false;
	for (size_t i = 0; i < ranking->count; i++) {
		struct text text = text_of_number(store, ranking->list[i].number);

		ranking->list[i].length = text.length;
		ranking->list[i].text = malloc(text.length + 1);
		if (ranking->list[i].text == NULL)
			return false;
		memcpy(ranking->list[i].text, text.at, text.length);
	}
	qsort(ranking->list, ranking->count, sizeof *ranking->list, compare_texts);
	for (size_t i = 0; i < ranking->count; i++) {
		ranking->list[i].rank = (int64_t)i;
		ranking->number[i] = ranking->list[i].number;
	}
	qsort(ranking->list, ranking->count, sizeof *ranking->list, compare_numbers);
	return true;
}

static void forget(struct ranking *ranking)
{
	for (size_t i = 0; ranking->list != NULL && i < ranking->count; i++)
		free(ranking->list[i].text);
	free(ranking->list);
	free(ranking->number);
}

/* From numbers to ranks, or back. */
static void replace(struct question *question, size_t groups, const struct ranking *ranking, bool back)
{
	for (size_t i = 0; i < groups; i++) {
		for (size_t k = 0; k < question->dimensions; k++) {
			int64_t *key = &question->groups[i].key[k];

			if (dimension_is_text(question->dimension[k]) && back) {
				*key = ranking->number[*key];
			} else if (dimension_is_text(question->dimension[k])) {
				struct ranked wanted = { .number = *key };
				const struct ranked *found = bsearch(&wanted, ranking->list, ranking->count, sizeof wanted, compare_numbers);

				*key = found->rank;
			}
		}
	}
}

/* ---- Groups ---- */

static int compare_keys(const void *one, const void *other)
{
	const struct group *a = one, *b = other;

	for (size_t i = 0; i < QUESTION_DIMENSIONS; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return 0;
}

static int compare_records(const void *one, const void *other)
{
	const struct group *a = one, *b = other;

	if (a->records != b->records)
		return a->records > b->records ? -1 : 1;
	return compare_keys(a, b);
}

static int compare_connections(const void *one, const void *other)
{
	const struct group *a = one, *b = other;

	if (a->connections != b->connections)
		return a->connections > b->connections ? -1 : 1;
	return compare_keys(a, b);
}

/* ---- The first ones ---- */

/* Moves the groups with at least so many records to the front; returns how many they are. */
static size_t move_to_front(struct question *question, bool wanted, uint64_t least)
{
	size_t count = 0;

	for (size_t i = 0; i < question->count; i++) {
		struct group group = question->groups[i];

		if (group.wanted < wanted || group.records < least)
			continue;
		question->groups[i] = question->groups[count];
		question->groups[count++] = group;
	}
	return count;
}

static size_t count_at_least(const struct question *question, size_t groups, uint64_t least)
{
	size_t count = 0;

	for (size_t i = 0; i < groups; i++)
		count += question->groups[i].records >= least;
	return count;
}

/* The wanted ones with most records come to the front, `limit` of them and those that have as many as the last of these. */
static size_t find_first(struct question *question, size_t limit)
{
	size_t wanted = move_to_front(question, true, 0);
	uint64_t low = 0, high = 0;

	if (limit == 0 || wanted <= limit)
		return wanted;
	for (size_t i = 0; i < wanted; i++)
		high = question->groups[i].records > high ? question->groups[i].records : high;
	while (low < high) {
		uint64_t middle = high - (high - low) / 2;

		if (count_at_least(question, wanted, middle) >= limit)
			low = middle;
		else
			high = middle - 1;
	}
	return move_to_front(question, true, low);
}

bool question_sort(struct store *store, struct question *question, enum question_order order, size_t limit)
{
	static int (*const compare[])(const void *, const void *) = { [ORDER_BY_RECORDS] = compare_records,
		[ORDER_BY_CONNECTIONS] = compare_connections, [ORDER_BY_KEY] = compare_keys };
	size_t groups = order == ORDER_BY_RECORDS ? find_first(question, limit) : question->count;
	struct ranking ranking = { .list = NULL };
	bool good = groups < 2 || (collect(question, groups, &ranking) && rank(store, &ranking));

	if (good && groups > 1) {
		replace(question, groups, &ranking, false);
		qsort(question->groups, groups, sizeof *question->groups, compare[order]);
		replace(question, groups, &ranking, true);
	}
	forget(&ranking);
	return good;
}
