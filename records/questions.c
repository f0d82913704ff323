/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers any number of questions in one pass over the store's blocks.
 *
 * One thread reads the next block and numbers its connections while another one counts the one before it; who is done
 * takes a question of those that are left. A question counts a block in one thread, so its groups need no lock; SQLite
 * and `wants` are for one thread at a time. */
#include <config.h>

#include "records/counting.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>

struct asking {
	struct store *store;
	int64_t since, until;
	struct question *questions;
	size_t count;
	bool by_time;  /* one of them asks for hours or days */
	uint64_t rows; /* that there is room for */
	struct sqlite3_stmt *statement;
	struct connections *connections;
	struct coder *coder;
	struct counted_block *block[2]; /* one is counted, one is read */
	struct counter *counter[2];
	struct turn turn;
	pthread_mutex_t turns; /* SQLite and wants */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	const struct counted_block *counted; /* NULL: none */
	size_t next, done; /* questions that were taken, and that are answered, for that block */
	bool end, out_of_memory;
};

static void begin_turn(void *context)
{
	pthread_mutex_lock(&((struct asking *)context)->turns);
}

static void end_turn(void *context)
{
	pthread_mutex_unlock(&((struct asking *)context)->turns);
}

/* Takes questions until none is left for the block. The lock is held. */
static void count_some(struct asking *asking, struct counter *counter)
{
	while (asking->next < asking->count) {
		struct question *question = &asking->questions[asking->next++];
		bool good;

		pthread_mutex_unlock(&asking->lock);
		good = question->within != NULL || question_count(question, asking->questions, asking->count, asking->counted,
		    counter, &asking->turn);
		pthread_mutex_lock(&asking->lock);
		asking->out_of_memory = asking->out_of_memory || !good;
		if (++asking->done == asking->count)
			pthread_cond_broadcast(&asking->changed);
	}
}

static void *help(void *context)
{
	struct asking *asking = context;

	pthread_mutex_lock(&asking->lock);
	while (!asking->end) {
		count_some(asking, asking->counter[1]);
		if (!asking->end)
			pthread_cond_wait(&asking->changed, &asking->lock);
	}
	pthread_mutex_unlock(&asking->lock);
	return NULL;
}

/* Helps until the block is counted, and puts the next one, if any, into its place. */
static bool hand_over(struct asking *asking, const struct counted_block *next)
{
	bool good;

	pthread_mutex_lock(&asking->lock);
	count_some(asking, asking->counter[0]);
	while (asking->done < asking->count)
		pthread_cond_wait(&asking->changed, &asking->lock);
	good = !asking->out_of_memory;
	if (next != NULL && good) {
		asking->counted = next;
		asking->next = asking->done = 0;
	}
	asking->end = next == NULL || !good;
	pthread_cond_broadcast(&asking->changed);
	pthread_mutex_unlock(&asking->lock);
	return good;
}

static bool tell_memory(struct store *store)
{
	snprintf(store->trouble, sizeof store->trouble, "out of memory");
	return false;
}

/* Reads the next block; false in *more where there is none. */
static bool read_block(struct asking *asking, struct counted_block *counted, bool *more)
{
	bool good = true;
	int result;

	begin_turn(asking);
	result = sqlite3_step(asking->statement);
	*more = result == SQLITE_ROW;
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		good = store_failed(asking->store);
	else if (*more && (!block_read(counted->block, asking->statement, 0, COLUMN_TIME, FIRST_DETAIL) ||
	    counted->block->rows > asking->rows))
		good = blocks_damaged(asking->store);
	if (good && store_is_late(asking->store)) {
		snprintf(asking->store->trouble, sizeof asking->store->trouble, "%s: interrupted", asking->store->path);
		good = false;
	}
	end_turn(asking);
	if (good && *more) {
		asking->rows -= counted->block->rows;
		counted_block_fill(counted, asking->since, asking->until, asking->connections, asking->coder,
		    asking->by_time);
	}
	return good;
}

static bool take_blocks(struct asking *asking)
{
	bool more = true, good = true, memory = true;

	for (size_t i = 0; good && more && memory; i++) {
		good = read_block(asking, asking->block[i % 2], &more);
		memory = hand_over(asking, good && more ? asking->block[i % 2] : NULL);
	}
	return good && (memory || tell_memory(asking->store));
}

/* Small reports aren't worth a thread, and go without one, too, where there is none to be had. */
static bool take_with_help(struct asking *asking)
{
	sigset_t all, before;
	pthread_t helper;
	bool helped = false, good;

	if (asking->rows > BLOCK_ROWS) {
		/* Signals are for the program's own threads. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		helped = pthread_create(&helper, NULL, help, asking) == 0;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	good = take_blocks(asking);
	if (helped)
		pthread_join(helper, NULL);
	return good;
}

static bool prepare(struct asking *asking)
{
	bool good = (asking->connections = connections_new(asking->rows)) != NULL && (asking->coder = coder_new()) != NULL;

	for (size_t i = 0; good && i < 2; i++)
		good = (asking->block[i] = counted_block_new()) != NULL && (asking->counter[i] = counter_new()) != NULL;
	for (size_t i = 0; good && i < asking->count; i++)
		good = question_prepare(&asking->questions[i], asking->rows);
	return good || tell_memory(asking->store);
}

static bool ask_within(struct asking *asking)
{
	struct store *store = asking->store;
	bool good = blocks_rows(store, asking->since, asking->until, &asking->rows) &&
	    store_prepare(store, "SELECT columns FROM blocks WHERE last_time >= ?1 AND first_time < ?2", &asking->statement);

	if (good) {
		sqlite3_bind_int64(asking->statement, 1, asking->since);
		sqlite3_bind_int64(asking->statement, 2, asking->until);
	}
	good = good && prepare(asking) && take_with_help(asking);
	sqlite3_finalize(asking->statement);
	return good;
}

static bool sqlite_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	struct asking asking = { .store = store, .since = since, .until = until, .questions = questions, .count = count,
		.next = count, .done = count, .turn = { .begin = begin_turn, .end = end_turn, .context = &asking },
		.turns = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	bool good;

	for (size_t i = 0; i < count; i++) {
		questions[i].groups = NULL;
		questions[i].index = NULL;
		questions[i].count = 0;
		for (size_t j = 0; j < questions[i].dimensions; j++)
			asking.by_time = asking.by_time || questions[i].dimension[j] == DIMENSION_HOUR ||
			    questions[i].dimension[j] == DIMENSION_DAY;
	}
	good = ask_within(&asking);
	for (size_t i = 0; i < 2; i++) {
		counted_block_free(asking.block[i]);
		counter_free(asking.counter[i]);
	}
	connections_free(asking.connections);
	coder_free(asking.coder);
	pthread_mutex_destroy(&asking.turns);
	pthread_mutex_destroy(&asking.lock);
	pthread_cond_destroy(&asking.changed);
	return good;
}

bool sqlite_hold(struct store *store)
{
	return store_run(store, "BEGIN");
}

void sqlite_let_go(struct store *store)
{
	sqlite3_reset(store->text_get);
	if (sqlite3_get_autocommit(store->db) == 0)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}

struct text sqlite_text(struct store *store, int64_t number)
{
	struct text text = { .at = "", .length = 0 };

	sqlite3_reset(store->text_get);
	if (number == 0)
		return text;
	sqlite3_bind_int64(store->text_get, 1, number);
	if (sqlite3_step(store->text_get) == SQLITE_ROW) {
		const char *at = (const char *)sqlite3_column_text(store->text_get, 0);

		if (at != NULL) {
			text.at = at;
			text.length = (size_t)sqlite3_column_bytes(store->text_get, 0);
		}
	}
	return text;
}

const struct store_kind sqlite_kind = { .ask = sqlite_ask, .text = sqlite_text, .hold = sqlite_hold,
	.let_go = sqlite_let_go, .recent = sqlite_recent, .close = sqlite_close };
