/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long things took, in microseconds: of each length, how many. */
#ifndef SQUID_MEETING_BENCH_TOOK_H
#define SQUID_MEETING_BENCH_TOOK_H

#include <stdint.h>
#include <time.h>

enum { SLOWEST = 10000000 };

static uint32_t took[SLOWEST + 1];

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void took_note(int64_t us)
{
	took[us < SLOWEST ? us : SLOWEST]++;
}

/* Of so many that were noted, what this share took at most; 1: all. */
static unsigned took_percentile(uint64_t of, double share)
{
	uint64_t sum = 0;
	unsigned us = 0;

	while (us < SLOWEST && (sum += took[us]) < share * (double)of) {
		us++;
	}
	return us;
}

#endif
