/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store of any kind: what the report asks for is passed on to the kind that it is of. */
#include <config.h>

#include "records/records.h"

#include "records/internal.h"

bool questions_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	return store->kind->ask(store, since, until, questions, count);
}

struct text text_of_number(struct store *store, int64_t number)
{
	return store->kind->text(store, number);
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
