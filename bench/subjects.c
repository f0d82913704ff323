/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks several tables the same questions: first whether they agree, then how long they take, in turns.
 * Each question's place in memory depends on the answer before, so that no two look-ups overlap, as in a helper that
 * reads a line, answers it, and reads the next. */
#include "bench/subject.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUBJECTS = 16 };

uint64_t chance(uint64_t limit)
{
	static uint64_t state = 0x9e3779b97f4a7c15u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % limit;
}

bits bits_of(const void *address, bool six)
{
	const uint8_t *at = address;
	bits number = 0;

	for (int i = 0; i < (six ? 16 : 4); i++) {
		number = number << 8 | at[i];
	}
	return number;
}

void bits_put(bits address, bool six, uint8_t *out)
{
	for (int i = six ? 16 : 4; i-- > 0; address >>= 8) {
		out[i] = (uint8_t)address;
	}
}

FILE *service_open(const char *folder, const char *name)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s.service", folder, name);
	file = fopen(path, "w");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	fprintf(file, "service %s\nsource A list of the benchmark's\nports tcp 80,443,8200\n", name);
	return file;
}

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static volatile uintptr_t nothing; /* 0, which the compiler doesn't know */
static volatile uint32_t sink;

static double ask(const struct subject *subject, const void *const *questions, size_t count)
{
	const uintptr_t none = nothing;
	uint32_t last = 0;
	double start = now_ns();

	for (size_t i = 0; i < count; i++) {
		last = subject->lookup((const char *)questions[i] + (last & none));
	}
	sink = last;
	return (now_ns() - start) / (double)count;
}

/* How many questions take about a fifth of a second. */
static size_t affordable(const struct subject *subject, const void *const *questions, size_t count)
{
	size_t few = 64 < count ? 64 : count;
	double each = ask(subject, questions, few);
	size_t much = (size_t)(2e8 / each) + 64;

	return much < count ? much : count;
}

static bool agree(const struct subject *subject, const struct subject *first, const void *const *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t expected = first->lookup(questions[i]), answer = subject->lookup(questions[i]);

		if (answer != expected) {
			fprintf(stderr, "%s and %s disagree about question %zu: %u and %u\n", first->name, subject->name, i,
			    expected, answer);
			return false;
		}
	}
	return true;
}

bool subjects_run(const char *group, const char *kase, const struct subject *const *subjects, const struct list *list,
    const void *const *questions, size_t count, unsigned rounds)
{
	const struct subject *made[SUBJECTS];
	size_t asked[SUBJECTS], number = 0;
	size_t entries = list->entries;

	for (size_t i = 0; subjects[i] != NULL && number < SUBJECTS; i++) {
		if (entries <= (list->six ? subjects[i]->most6 : subjects[i]->most4) && subjects[i]->make(list)) {
			made[number] = subjects[i];
			asked[number] = affordable(made[number], questions, count);
			if (strcmp(made[number]->name, "floor") != 0 && !agree(made[number], made[0], questions, asked[number])) {
				return false;
			}
			number++;
		} else {
			fprintf(stderr, "%s %s: without %s\n", group, kase, subjects[i]->name);
		}
	}
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < number; i++) {
			for (double start = now_ns(); now_ns() - start < 1e8;) { /* its own things back into the caches */
				(void)ask(made[i], questions, asked[i]);
			}
			printf("%s\t%s\t%s\tns\t%.2f\n", group, kase, made[i]->name, ask(made[i], questions, asked[i]));
			if (round == 0 && made[i]->bytes != NULL) {
				printf("%s memory\t%s\t%s\tMB\t%.4g\n", group, kase, made[i]->name, (double)made[i]->bytes() / 1e6);
			}
		}
		fflush(stdout);
	}
	return true;
}
