/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions that wait for DNS. With channels an answer goes out when it is there; without, in the order of the questions. */
#include <config.h>

#include "helper/helper.h"

#include <stdlib.h>
#include <string.h>

/* Puts a waiter in; in order, it has to wait for those before it. */
static void put(struct waiting *waiting, struct waiter *waiter, bool in_order)
{
	waiting->count++;
	waiter->in_order = in_order;
	if (in_order) {
		waiter->previous = waiting->last;
		*(waiting->last == NULL ? &waiting->first : &waiting->last->next) = waiter;
		waiting->last = waiter;
	}
}

struct waiter *waiting_question(struct waiting *waiting, const struct question *question)
{
	struct waiter *waiter = waiting->count < WAITING_MOST ? calloc(1, sizeof *waiter + question->length) : NULL;

	if (waiter == NULL) {
		return NULL;
	}
	memcpy(waiter->line, question->line, question->length);
	waiter->question = *question;
	waiter->question.line = waiter->line;
	put(waiting, waiter, question->first == 0);
	return waiter;
}

bool waiting_answered(struct waiter *waiter, const char *reply, size_t length)
{
	waiter->reply = malloc(length);
	if (waiter->reply == NULL) {
		return false;
	}
	memcpy(waiter->reply, reply, length);
	waiter->reply_length = length;
	waiter->answered = true;
	return true;
}

bool waiting_reply(struct waiting *waiting, const char *reply, size_t length)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);

	if (waiter == NULL || !waiting_answered(waiter, reply, length)) {
		free(waiter);
		return false;
	}
	put(waiting, waiter, true);
	return true;
}

struct waiter *waiting_next(struct waiting *waiting)
{
	struct waiter *waiter = waiting->first;

	return waiter != NULL && waiter->answered ? waiter : NULL;
}

void waiting_free(struct waiting *waiting, struct waiter *waiter)
{
	if (waiter->in_order) {
		*(waiter->previous == NULL ? &waiting->first : &waiter->previous->next) = waiter->next;
		*(waiter->next == NULL ? &waiting->last : &waiter->next->previous) = waiter->previous;
	}
	waiting->count--;
	free(waiter->reply);
	free(waiter);
}
