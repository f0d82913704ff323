/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the table benchmarks share: a list, questions about it, and subjects that answer them. */
#ifndef SQUID_MEETING_BENCH_SUBJECT_H
#define SQUID_MEETING_BENCH_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned __int128 bits; /* an address as a number; IPv4 in its lowest 32 bits */

/* One distinct prefix. Its number in the sorted list, from 1, is the answer that all have to give. */
struct listed {
	bits first;
	unsigned length;
};

/* From start on, answer is the number of the longest prefix; 0: there is none. */
struct range {
	bits start;
	uint32_t answer;
};

struct list {
	bool six;
	struct listed *entry; /* sorted; [0] is unused */
	struct range *range; /* sorted; the first starts at 0 */
	size_t entries, ranges;
	char (*name)[64];    /* of a list of names, in place of the others: "d17.example.com", from 1 */
	const char *folder;  /* the same list as a category's folder */
};

/* lookup gets an address in network order, or a name ended by NUL, and returns the answer: the entry's number, of names
 * the length of the longest name of the list that ends the name asked about. */
struct subject {
	const char *name;
	bool (*make)(const struct list *list); /* false: it can't be had at this size */
	uint32_t (*lookup)(const void *question);
	size_t (*bytes)(void); /* that the table takes; NULL: unknown */
	size_t most4, most6;   /* entries that it is asked to hold; beyond, making or asking takes minutes */
};

bits bits_of(const void *address, bool six);
void bits_put(bits address, bool six, uint8_t *out);

extern const struct subject mmdb_subject, judy_subject, lpm_subject, fib6_subject; /* tables-libraries.c, tables-dpdk.c */

/* Asks each subject the same questions, round by round, and prints a line for each round of each:
 * GROUP CASE SUBJECT UNIT VALUE. Before that, all have to give the same answers. Returns whether they did. */
bool subjects_run(const char *group, const char *kase, const struct subject *const *subjects, const struct list *list,
    const void *const *questions, size_t count, unsigned rounds);

/* A repeatable number below limit. */
uint64_t chance(uint64_t limit);

/* Writes FOLDER/NAME.service, part after part: opens it, and exits if it can't. */
#include <stdio.h>
FILE *service_open(const char *folder, const char *name);

#endif
