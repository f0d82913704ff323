/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libmaxminddb, with a small writer of its format, and Judy. */
#include "bench/subject.h"

#include <Judy.h>
#include <arpa/inet.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>

/* ---- libmaxminddb: a binary tree of 32-bit records over the bits of an address ---- */

/* Before it is written, a record is another node's number, or ANSWER plus the answer. */
enum { ANSWER = 0x40000000u };
struct record_pair { uint32_t record[2]; };
static struct record_pair *tree;
static uint32_t tree_nodes, tree_room;

static bool tree_grow(uint32_t fill)
{
	if (tree_nodes == tree_room) {
		tree_room = tree_room * 2 + 1024;
		tree = reallocarray(tree, tree_room, sizeof *tree);
		if (tree == NULL) {
			return false;
		}
	}
	tree[tree_nodes++] = (struct record_pair){{fill, fill}};
	return true;
}

/* The list is sorted, so that what holds a prefix was put before it, and each leaf below inherits its answer. */
static bool tree_put(const struct listed *entry, uint32_t answer, bool six)
{
	uint32_t node = 0;

	for (unsigned depth = 0;; depth++) {
		unsigned bit = (unsigned)(entry->first >> ((six ? 128 : 32) - 1 - depth)) & 1;
		uint32_t next = tree[node].record[bit];

		if (depth + 1 == entry->length) {
			tree[node].record[bit] = ANSWER + answer;
			return true;
		}
		if (next >= ANSWER) {
			if (!tree_grow(next)) {
				return false;
			}
			tree[node].record[bit] = next = tree_nodes - 1;
		}
		node = next;
	}
}

static void put32(FILE *file, uint32_t number)
{
	uint32_t network = htonl(number);

	(void)fwrite(&network, sizeof network, 1, file);
}

/* A text, and a number of 16 bits under a key, as the data section has them. */
static void put_text(FILE *file, const char *text)
{
	fputc(0x40 + (int)strlen(text), file);
	fputs(text, file);
}

static void put_small(FILE *file, const char *key, int number)
{
	put_text(file, key);
	fputc(0xa2, file);
	fputc(number >> 8, file);
	fputc(number & 255, file);
}

static MMDB_s mmdb;
static size_t mmdb_size;

static bool make_mmdb(const struct list *list)
{
	char path[4096];
	bool fine = tree_grow(ANSWER);

	for (size_t i = 1; fine && i <= list->entries; i++) {
		fine = tree_put(&list->entry[i], (uint32_t)i, list->six);
	}
	(void)snprintf(path, sizeof path, "%s/list.mmdb", list->folder);
	FILE *file = fine ? fopen(path, "w") : NULL;
	if (file == NULL) {
		return false;
	}
	/* Behind the tree: 16 zeros, then the data, five bytes for each answer. A record above tree_nodes points there. */
	for (uint32_t i = 0; i < tree_nodes; i++) {
		for (int side = 0; side < 2; side++) {
			uint32_t record = tree[i].record[side];

			put32(file, record < ANSWER ? record
			    : record == ANSWER ? tree_nodes : tree_nodes + 16 + 5 * (record - ANSWER - 1));
		}
	}
	for (int i = 0; i < 16; i++) {
		fputc(0, file);
	}
	for (size_t i = 1; i <= list->entries; i++) {
		fputc(0xc4, file);
		put32(file, (uint32_t)i);
	}
	fputs("\xab\xcd\xefMaxMind.com", file);
	fputc(0xe9, file); /* a map of nine */
	put_text(file, "node_count");
	fputc(0xc4, file);
	put32(file, tree_nodes);
	put_small(file, "record_size", 32);
	put_small(file, "ip_version", list->six ? 6 : 4);
	put_small(file, "binary_format_major_version", 2);
	put_small(file, "binary_format_minor_version", 0);
	put_text(file, "database_type");
	put_text(file, "bench");
	put_text(file, "build_epoch");
	fputc(0x08, file);
	fputc(0x02, file);
	put32(file, 0);
	put32(file, 1);
	put_text(file, "languages");
	fputc(0x00, file);
	fputc(0x04, file);
	put_text(file, "description");
	fputc(0xe0, file);
	mmdb_size = (size_t)ftell(file);
	fine = fclose(file) == 0;
	free(tree);
	tree = NULL;
	int status = fine ? MMDB_open(path, MMDB_MODE_MMAP, &mmdb) : MMDB_IO_ERROR;
	if (status != MMDB_SUCCESS) {
		fprintf(stderr, "libmaxminddb: %s\n", MMDB_strerror(status));
	}
	return status == MMDB_SUCCESS;
}

static bool is_six;

static uint32_t lookup_mmdb(const void *question)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	MMDB_entry_data_s data;
	int error;

	if (is_six) {
		memcpy(&six.sin6_addr, question, 16);
	} else {
		memcpy(&four.sin_addr, question, 4);
	}
	MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&mmdb,
	    is_six ? (const struct sockaddr *)&six : (const struct sockaddr *)&four, &error);
	if (!result.found_entry || MMDB_get_value(&result.entry, &data, NULL) != MMDB_SUCCESS) {
		return 0;
	}
	return data.uint32;
}

static bool make_mmdb_of(const struct list *list)
{
	is_six = list->six;
	return make_mmdb(list);
}

static size_t mmdb_bytes(void)
{
	return mmdb_size;
}

const struct subject mmdb_subject = {"libmaxminddb", make_mmdb_of, lookup_mmdb, mmdb_bytes, SIZE_MAX, SIZE_MAX};

/* ---- Judy: the range that starts at or before an address; of IPv6 the upper half, where all boundaries are ---- */

static void *judy;

static bool make_judy(const struct list *list)
{
	is_six = list->six;
	for (size_t i = 0; i < list->ranges; i++) {
		Word_t *answer;

		JLI(answer, judy, (Word_t)(list->range[i].start >> (is_six ? 64 : 0)));
		*answer = list->range[i].answer;
	}
	return true;
}

static uint32_t lookup_judy(const void *question)
{
	Word_t index, *answer;
	uint64_t high;

	if (is_six) {
		memcpy(&high, question, sizeof high);
		index = __builtin_bswap64(high);
	} else {
		uint32_t word;

		memcpy(&word, question, sizeof word);
		index = ntohl(word);
	}
	JLL(answer, judy, index);
	return answer == NULL ? 0 : (uint32_t)*answer;
}

static size_t judy_bytes(void)
{
	Word_t bytes;

	JLMU(bytes, judy);
	return bytes;
}

const struct subject judy_subject = {"Judy", make_judy, lookup_judy, judy_bytes, SIZE_MAX, SIZE_MAX};
