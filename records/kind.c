/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store of any kind: what the report asks for is passed on to the kind that it is of. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

#include <stdio.h>

bool questions_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	return store->kind->ask(store, since, until, questions, count);
}

bool question_wants(const struct question *question, const int64_t *key)
{
	unsigned common = ~0u;

	for (size_t i = 0; question->bits != NULL && i < question->dimensions; i++)
		common &= question->bits(question->context, i, key[i]);
	return question->wants != NULL ? question->wants(question->context, key) : common != 0;
}

struct text text_of_number(struct store *store, int64_t number)
{
	return store->kind->text(store, number);
}

bool store_hold(struct store *store)
{
	return store->kind->hold == NULL || store->kind->hold(store);
}

void store_let_go(struct store *store)
{
	if (store->kind->let_go != NULL)
		store->kind->let_go(store);
}

bool store_recent(struct store *store, const struct recent_options *options,
    bool (*take)(void *context, const struct record *record), void *context, char why[STORE_WHY_SIZE])
{
	bool good = false;

	if (store->kind->recent == NULL) {
		snprintf(store->trouble, sizeof store->trouble, "this kind of store can't show single records");
	} else if (store_hold(store)) {
		good = store->kind->recent(store, options, take, context);
		store_let_go(store);
	}
	snprintf(why, STORE_WHY_SIZE, "%s", store->trouble);
	return good;
}

void store_use_counts(struct store *store, struct kept_counts *kept)
{
	store->kept = kept;
}

bool store_is_damaged(const struct store *store)
{
	return store->damaged;
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->kind->close(store);
}
