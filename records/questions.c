/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers any number of questions in one pass over the store's blocks, after one over their connections alone.
 *
 * What closed blocks came to before may have been kept (kept.c). Then the others are counted only, which takes two passes
 * more: over the kept blocks' connections, for those that the others have, too; and over the few blocks that have such, so
 * that none is counted twice.
 *
 * One thread reads the next block while another one makes the block before it ready and counts it; who is done takes a
 * question of those that are left. A question counts a block in one thread, so its groups need no lock; SQLite, `wants`
 * and `bits` are for one thread at a time. */
#include <config.h>

#include "records/counting.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>

enum pass { PASS_NOTE, PASS_SHARE, PASS_SEED, PASS_CLOSED, PASS_OTHERS };

/* Not fewer are kept. */
enum { LEAST_KEPT = 4 * BLOCK_ROWS };

struct asking {
	struct store *store;
	struct scope scope;
	struct question *questions;
	size_t count;
	struct block_list list;
	struct kept_key key;
	enum pass pass;
	size_t at; /* in the list */
	struct sqlite3_stmt *statement;
	struct connections *connections;
	struct coder *coder;
	struct counted_block *block[2]; /* one is counted, one is read */
	struct counter *counter[2];
	struct turn turn;
	pthread_mutex_t turns; /* SQLite, wants and bits */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	struct counted_block *counted; /* NULL: none */
	size_t tasks, next, done; /* for that block: to make it ready, then each question; taken so far, and done */
	bool end, out_of_memory;
	bool keeps; /* what closed blocks come to */
};

static void begin_turn(void *context)
{
	pthread_mutex_lock(&((struct asking *)context)->turns);
}

static void end_turn(void *context)
{
	pthread_mutex_unlock(&((struct asking *)context)->turns);
}

/* The first task makes the block ready; each of the others is a question. */
static bool do_task(struct asking *asking, size_t task, struct counter *counter)
{
	const struct coded *coded = &asking->counted->block->coded[COLUMN_CONNECTION];

	if (task > 0)
		return asking->questions[task - 1].within != NULL || question_count(&asking->questions[task - 1],
		    asking->questions, asking->count, asking->counted, counter, &asking->turn);
	switch (asking->pass) {
	case PASS_NOTE:
		if (asking->store->rows_before > 0)
			return connections_add(asking->connections, coded);
		connections_note(asking->connections, coded);
		return true;
	case PASS_SHARE:
		asking->counted->from->shared = connections_share(asking->connections, coded);
		return true;
	default:
		asking->counted->before = asking->pass == PASS_SEED;
		return counted_block_fill(asking->counted, &asking->scope, asking->connections, asking->coder);
	}
}

/* Takes tasks until none is left for the block. The lock is held. */
static void do_tasks(struct asking *asking, struct counter *counter)
{
	while (asking->next < asking->tasks) {
		bool good = !asking->out_of_memory;
		size_t task;

		if (asking->next > 0 && asking->done == 0) {
			pthread_cond_wait(&asking->changed, &asking->lock);
			continue;
		}
		task = asking->next++;
		pthread_mutex_unlock(&asking->lock);
		good = good && do_task(asking, task, counter);
		pthread_mutex_lock(&asking->lock);
		asking->out_of_memory = asking->out_of_memory || !good;
		if (++asking->done == asking->tasks || task == 0)
			pthread_cond_broadcast(&asking->changed);
	}
}

static void *help(void *context)
{
	struct asking *asking = context;

	pthread_mutex_lock(&asking->lock);
	while (!asking->end) {
		do_tasks(asking, asking->counter[1]);
		if (!asking->end)
			pthread_cond_wait(&asking->changed, &asking->lock);
	}
	pthread_mutex_unlock(&asking->lock);
	return NULL;
}

/* Helps until the block is done, and puts the next one, if any, into its place. */
static bool hand_over(struct asking *asking, struct counted_block *next)
{
	bool good;

	pthread_mutex_lock(&asking->lock);
	do_tasks(asking, asking->counter[0]);
	while (asking->done < asking->tasks)
		pthread_cond_wait(&asking->changed, &asking->lock);
	good = !asking->out_of_memory;
	asking->next = asking->done = 0;
	asking->tasks = next == NULL || !good ? 0 : asking->pass <= PASS_SHARE ? 1 : 1 + asking->count;
	asking->counted = next;
	asking->end = asking->tasks == 0;
	pthread_cond_broadcast(&asking->changed);
	pthread_mutex_unlock(&asking->lock);
	return good;
}

/* The next block of this pass; NULL: there is none. */
static struct listed_block *next_block(struct asking *asking)
{
	for (; asking->at < asking->list.count; asking->at++) {
		struct listed_block *block = &asking->list.block[asking->at];
		bool ours = asking->pass == PASS_NOTE ? !block->before : asking->pass == PASS_SHARE ? block->before :
		    asking->pass == PASS_SEED ? block->shared : !block->before && block->closed == (asking->pass == PASS_CLOSED);

		if (ours)
			return block;
	}
	return NULL;
}

static bool step(struct asking *asking, const struct listed_block *block)
{
	struct store *store = asking->store;
	int result;

	sqlite3_reset(asking->statement);
	sqlite3_bind_int64(asking->statement, 1, block->id);
	result = sqlite3_step(asking->statement);
	if (result != SQLITE_ROW)
		return result == SQLITE_DONE ? blocks_damaged(store) : store_failed(store);
	if (!store_is_late(store))
		return true;
	snprintf(store->trouble, sizeof store->trouble, "%s: interrupted", store->path);
	return false;
}

/* Reads the next block; false in *more where there is none. */
static bool read_block(struct asking *asking, struct counted_block *counted, bool *more)
{
	struct sqlite3_stmt *statement = asking->statement;
	struct listed_block *listed = next_block(asking);
	struct block *block = counted->block;
	bool good = true;

	*more = listed != NULL;
	if (listed == NULL)
		return true;
	counted->from = listed;
	asking->at++;
	begin_turn(asking);
	good = step(asking, listed);
	if (good && (!block_read(block, statement, 0, COLUMN_CONNECTION, COLUMN_TIME) || block->rows != listed->rows ||
	    (asking->pass > PASS_SHARE && (!block_read(block, statement, 1, COLUMN_TIME, FIRST_DETAIL) ||
	    block->rows != listed->rows))))
		good = blocks_damaged(asking->store);
	end_turn(asking);
	return good;
}

static bool take_blocks(struct asking *asking)
{
	bool more = true, good = true, memory = true;

	for (size_t i = 0; good && more && memory; i++) {
		good = read_block(asking, asking->block[i % 2], &more);
		memory = hand_over(asking, good && more ? asking->block[i % 2] : NULL);
	}
	return good && (memory || blocks_tell_memory(asking->store));
}

/* Small reports aren't worth a thread, and go without one, too, where there is none to be had. */
static bool take_with_help(struct asking *asking, uint64_t rows)
{
	sigset_t all, before;
	pthread_t helper;
	bool helped = false, good;

	asking->end = false;
	if (rows > BLOCK_ROWS) {
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

static uint64_t rows_in(struct asking *asking, enum pass pass)
{
	const struct listed_block *block;
	uint64_t rows = 0;

	asking->pass = pass;
	for (asking->at = 0; (block = next_block(asking)) != NULL; asking->at++)
		rows += block->rows;
	asking->at = 0;
	return rows;
}

/* ---- What was counted before ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* Of all that tells what the questions' groups are, but for what their functions know. */
static uint64_t hash_questions(const struct question *questions, size_t count)
{
	uint64_t hash = count;

	for (size_t i = 0; i < count; i++) {
		const struct question *question = &questions[i];

		hash = mix(mix(hash, question->dimensions), question->verdicts);
		for (size_t j = 0; j < question->dimensions; j++)
			hash = mix(hash, question->dimension[j]);
		hash = mix(hash, question->within == NULL ? count : (uint64_t)(question->within - questions));
		hash = mix(mix(hash, question->outside), question->uncounted);
		hash = mix(mix(hash, (uintptr_t)question->wants), (uintptr_t)question->bits);
	}
	return hash;
}

static bool take_up(struct asking *asking)
{
	struct store *store = asking->store;

	store->rows_before = 0;
	if (store->kept == NULL || rows_in(asking, PASS_CLOSED) < LEAST_KEPT || !blocks_sum(store, &asking->list))
		return true;
	asking->key = (struct kept_key){ .questions = hash_questions(asking->questions, asking->count), .about = store->about,
		.device = store->device, .inode = store->inode };
	asking->keeps = true;
	if (!kept_counts_take(store->kept, &asking->key, &asking->list, asking->questions, asking->count))
		return blocks_tell_memory(store);
	store->rows_before = rows_in(asking, PASS_SHARE);
	return true;
}

static void keep(struct asking *asking)
{
	if (asking->keeps && rows_in(asking, PASS_CLOSED) > 0)
		kept_counts_put(asking->store->kept, &asking->key, &asking->list, asking->questions, asking->count);
}

/* ---- All of it ---- */

static bool prepare(struct asking *asking)
{
	int64_t texts = 0;
	uint64_t rows = 0;
	bool good = (asking->coder = coder_new()) != NULL;

	for (size_t i = 0; i < asking->list.count; i++)
		rows += asking->list.block[i].rows;
	for (size_t i = 0; good && i < 2; i++)
		good = (asking->block[i] = counted_block_new()) != NULL && (asking->counter[i] = counter_new()) != NULL;
	if (good && !store_number(asking->store, "SELECT max(2, ifnull(max(id), 0) + 1) FROM texts", &texts))
		return false;
	for (size_t i = 0; good && i < asking->count; i++)
		good = question_prepare(&asking->questions[i], rows, (uint64_t)texts);
	if (good && !take_up(asking))
		return false;
	rows = rows_in(asking, PASS_NOTE);
	/* With more places, fewer of the many that were counted before are looked up. */
	good = good && (asking->connections = connections_new(asking->store->rows_before > 0 ? rows * 4 : rows)) != NULL;
	return good || blocks_tell_memory(asking->store);
}

static bool pass(struct asking *asking, enum pass pass)
{
	uint64_t rows = rows_in(asking, pass);
	bool good = rows == 0 || store_prepare(asking->store, pass <= PASS_SHARE ? "SELECT connections FROM blocks WHERE id = ?1" :
	    "SELECT connections, columns FROM blocks WHERE id = ?1", &asking->statement);

	good = good && (rows == 0 || take_with_help(asking, rows));
	sqlite3_finalize(asking->statement);
	asking->statement = NULL;
	return good;
}

static bool ask_within(struct asking *asking)
{
	bool good = blocks_list(asking->store, &asking->scope, &asking->list) && prepare(asking) && pass(asking, PASS_NOTE) &&
	    (rows_in(asking, PASS_NOTE) == 0 || pass(asking, PASS_SHARE)) && pass(asking, PASS_SEED) &&
	    pass(asking, PASS_CLOSED);

	if (good)
		keep(asking);
	return good && pass(asking, PASS_OTHERS);
}

static bool sqlite_ask(struct store *store, int64_t since, int64_t until, struct question *questions, size_t count)
{
	struct asking asking = { .store = store, .scope = { since, until, 1 << DIMENSION_VERDICT }, .questions = questions,
		.count = count, .turn = { .begin = begin_turn, .end = end_turn, .context = &asking },
		.turns = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	bool good;

	for (size_t i = 0; i < count; i++) {
		questions[i].groups = NULL;
		questions[i].index = NULL;
		questions[i].count = 0;
		for (size_t j = 0; j < questions[i].dimensions; j++)
			asking.scope.dimensions |= 1u << questions[i].dimension[j];
	}
	good = ask_within(&asking);
	for (size_t i = 0; i < 2; i++) {
		counted_block_free(asking.block[i]);
		counter_free(asking.counter[i]);
	}
	free(asking.list.block);
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
	store->text_at = 0;
	if (sqlite3_get_autocommit(store->db) == 0)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}

/* Moves text_get to the first text from that number on. Who asks in the order of numbers mostly finds it a few steps ahead,
 * in a tenth of the time. */
static void seek_text(struct store *store, int64_t number)
{
	enum { STEPS = 16 };
	bool ahead = store->text_at > 0 && number > store->text_at && number - store->text_at <= STEPS;

	if (!ahead) {
		sqlite3_reset(store->text_get);
		sqlite3_bind_int64(store->text_get, 1, number);
	}
	do
		store->text_at = sqlite3_step(store->text_get) == SQLITE_ROW ? sqlite3_column_int64(store->text_get, 0) : 0;
	while (store->text_at != 0 && store->text_at < number);
}

struct text sqlite_text(struct store *store, int64_t number)
{
	struct text text = { .at = "", .length = 0 };

	if (number <= 0)
		return text;
	if (number != store->text_at)
		seek_text(store, number);
	if (number == store->text_at) {
		const char *at = (const char *)sqlite3_column_text(store->text_get, 1);

		if (at != NULL) {
			text.at = at;
			text.length = (size_t)sqlite3_column_bytes(store->text_get, 1);
		}
	}
	return text;
}

const struct store_kind sqlite_kind = { .ask = sqlite_ask, .text = sqlite_text, .hold = sqlite_hold,
	.let_go = sqlite_let_go, .recent = sqlite_recent, .close = sqlite_close };
