/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DPDK's rte_lpm (IPv4) and rte_fib6. */
#include "bench/subject.h"

#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <string.h>

/* Without huge pages, devices or files of its own. */
static bool begin(void)
{
	static char *arguments[] = {"bench", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m",
	    "1600", "-l", "0", "--log-level=1", NULL};
	static int begun;

	if (begun == 0) {
		begun = rte_eal_init(sizeof arguments / sizeof arguments[0] - 1, arguments) < 0 ? -1 : 1;
	}
	return begun > 0;
}

static struct rte_lpm *lpm;
static struct rte_fib6 *fib;
static size_t bytes;

/* The groups of 256 addresses that have entries longer than the level above: at most one for each entry. */
static bool make_lpm(const struct list *list)
{
	uint32_t groups = 1024 + (uint32_t)list->entries;
	struct rte_lpm_config config = {.max_rules = (uint32_t)list->entries + 1, .number_tbl8s = groups};

	bytes = sizeof(uint32_t) * ((1u << 24) + 256 * (size_t)groups);
	lpm = begin() ? rte_lpm_create("bench", SOCKET_ID_ANY, &config) : NULL;
	for (size_t i = 1; lpm != NULL && i <= list->entries; i++) {
		if (rte_lpm_add(lpm, (uint32_t)list->entry[i].first, (uint8_t)list->entry[i].length, (uint32_t)i) < 0) {
			return false;
		}
	}
	return lpm != NULL;
}

static uint32_t lookup_lpm(const void *question)
{
	uint32_t address, answer;

	memcpy(&address, question, sizeof address);
	return rte_lpm_lookup(lpm, ntohl(address), &answer) == 0 ? answer : 0;
}

static bool make_fib6(const struct list *list)
{
	uint32_t groups = 4096 + 3 * (uint32_t)list->entries;
	struct rte_fib6_conf config = {
	    .type = RTE_FIB6_TRIE, .default_nh = 0, .max_routes = (int)list->entries + 1, .rib_ext_sz = 0,
	    .trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = groups}};

	bytes = sizeof(uint32_t) * ((1u << 24) + 256 * (size_t)groups);
	fib = begin() ? rte_fib6_create("bench", SOCKET_ID_ANY, &config) : NULL;
	for (size_t i = 1; fib != NULL && i <= list->entries; i++) {
		uint8_t address[16];

		bits_put(list->entry[i].first, true, address);
		if (rte_fib6_add(fib, address, (uint8_t)list->entry[i].length, i) < 0) {
			return false;
		}
	}
	return fib != NULL;
}

static uint32_t lookup_fib6(const void *question)
{
	uint8_t address[1][16];
	uint64_t answer;

	memcpy(address, question, 16);
	return rte_fib6_lookup_bulk(fib, address, &answer, 1) == 0 ? (uint32_t)answer : 0;
}

static size_t dpdk_bytes(void)
{
	return bytes;
}

const struct subject lpm_subject = {"DPDK rte_lpm", make_lpm, lookup_lpm, dpdk_bytes, 100000, 0};
const struct subject fib6_subject = {"DPDK rte_fib6", make_fib6, lookup_fib6, dpdk_bytes, 0, 100000};
