/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups of addresses: the category's own table beside a scan, bsearch, libmaxminddb, Judy and DPDK's tables.
 * Usage: tables FOLDER 4|6 ENTRIES ROUNDS. FOLDER is empty, and gets the list as a service file. */

/* The decision's own code, to ask it about an address that was read already. */
#include "category/decide.c"

#include "bench/subject.h"

#include <arpa/inet.h>
#include <libcidr.h>
#include <stdlib.h>

enum { QUESTIONS = 1 << 16 };

/* ---- The list ---- */

static bits mask_of(unsigned length, bool six)
{
	unsigned all = six ? 128 : 32;

	return length == all ? 0 : (~(bits)0 >> (128 - all)) >> length;
}

/* Lengths as in the tables of the Internet's routers: half of all are /24, or /48. */
static unsigned chance_length(bool six)
{
	static const uint8_t four[] = {16, 18, 19, 20, 20, 21, 22, 22, 23, 23, 24, 24, 24, 24, 24, 24, 24, 24, 28, 32};
	static const uint8_t long_ones[] = {29, 32, 32, 32, 36, 40, 40, 44, 47, 48, 48, 48, 48, 48, 48, 48, 48, 48, 56, 64};

	return six ? long_ones[chance(sizeof long_ones)] : four[chance(sizeof four)];
}

/* Public space: 11.0.0.0 to 99.255.255.255; the registries' blocks of IPv6. */
static bits chance_address(bool six)
{
	static const uint16_t blocks[] = {0x2001, 0x2003, 0x2400, 0x2401, 0x2402, 0x2403, 0x2404, 0x2405, 0x2406, 0x2407,
	    0x2408, 0x2409, 0x240a, 0x240e, 0x2600, 0x2601, 0x2602, 0x2603, 0x2604, 0x2605, 0x2606, 0x2607, 0x2620, 0x2800,
	    0x2803, 0x2804, 0x2a00, 0x2a01, 0x2a02, 0x2a03, 0x2a04, 0x2a05, 0x2a06, 0x2a09, 0x2a0c, 0x2a0e, 0x2c0f};

	if (!six) {
		return 0x0b000000 + (bits)chance(89u << 24);
	}
	bits rest = ((bits)chance(1u << 28) << 84 | (bits)chance(1u << 28) << 56 | (bits)chance(1u << 28) << 28 |
	    (bits)chance(1u << 28));
	return (bits)blocks[chance(sizeof blocks / sizeof blocks[0])] << 112 | rest;
}

static int entry_compare(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;

	if (a->first != b->first) {
		return a->first < b->first ? -1 : 1;
	}
	return (a->length > b->length) - (a->length < b->length);
}

/* What the vendor of GoToMeeting publishes: the small list. */
static const struct listed gotomeeting[] = {{0xd873d000, 20}, {0xd8db7000, 20}, {0x42979e00, 24}, {0x429796a0, 27},
    {0x42977380, 26}, {0x404a5000, 24}, {0xcaad1800, 21}, {0x43d94000, 19}, {0x4e6c7000, 20}, {0x44400000, 19},
    {0xceb76400, 22}};

static void make_entries(struct list *list, size_t count)
{
	size_t have = 0;

	list->entry = calloc(count + 1, sizeof *list->entry);
	if (list->entry == NULL) {
		exit(1);
	}
	if (!list->six && count == sizeof gotomeeting / sizeof gotomeeting[0]) {
		memcpy(list->entry + 1, gotomeeting, sizeof gotomeeting);
		qsort(list->entry + 1, count, sizeof *list->entry, entry_compare);
		have = count;
	}
	while (have < count) {
		for (size_t i = have + 1; i <= count; i++) {
			list->entry[i].length = chance_length(list->six);
			list->entry[i].first = chance_address(list->six) & ~mask_of(list->entry[i].length, list->six);
		}
		qsort(list->entry + 1, count, sizeof *list->entry, entry_compare);
		have = 0;
		for (size_t i = 1; i <= count; i++) {
			if (have == 0 || entry_compare(&list->entry[have], &list->entry[i]) != 0) {
				list->entry[++have] = list->entry[i];
			}
		}
	}
	list->entries = count;
}

static void put_range(struct list *list, bits start, uint32_t answer)
{
	if (list->ranges > 0 && list->range[list->ranges - 1].start == start) {
		list->ranges--;
	}
	list->range[list->ranges++] = (struct range){start, answer};
}

static void make_ranges(struct list *list)
{
	struct { bits last; uint32_t answer; } open[130] = {{~(bits)0, 0}};
	size_t depth = 1;

	list->range = calloc(2 * list->entries + 2, sizeof *list->range);
	if (list->range == NULL) {
		exit(1);
	}
	put_range(list, 0, 0);
	for (size_t i = 1; i <= list->entries + 1; i++) {
		bits first = i <= list->entries ? list->entry[i].first : ~(bits)0;

		while (depth > 1 && open[depth - 1].last < first) {
			depth--;
			put_range(list, open[depth].last + 1, open[depth - 1].answer);
		}
		if (i <= list->entries) {
			open[depth].last = first | mask_of(list->entry[i].length, list->six);
			open[depth++].answer = (uint32_t)i;
			put_range(list, first, (uint32_t)i);
		}
	}
}

static void write_list(const struct list *list)
{
	FILE *file = service_open(list->folder, "bench");

	for (size_t i = 1; i <= list->entries; i++) {
		uint8_t bytes[16];
		char text[INET6_ADDRSTRLEN];

		bits_put(list->entry[i].first, list->six, bytes);
		fprintf(file, "address %s/%u\n", inet_ntop(list->six ? AF_INET6 : AF_INET, bytes, text, sizeof text),
		    list->entry[i].length);
	}
	if (fclose(file) != 0) {
		exit(1);
	}
}

/* ---- Subjects of this file ---- */

static const struct list *asked;
static struct category *category;
static const struct policy policy = {.mode = MODE_INTERCEPT, .names = NAMES_IGNORE};
static char (*texts)[INET6_ADDRSTRLEN]; /* of the questions */
static const uint8_t *first_question;

static bool make_ours(const struct list *list)
{
	struct problems problems = {NULL, 0, 0, 0};

	if (category == NULL) {
		category = category_load(&list->folder, 1, NULL, &problems);
	}
	for (size_t i = 0; i < problems.count && i < 3; i++) {
		fprintf(stderr, "%u: %s\n", problems.list[i].line, problems.list[i].reason);
	}
	return category != NULL && problems.count == 0;
}

static size_t ours_bytes(void)
{
	struct category_counts counts;

	category_count(category, &counts);
	return counts.bytes;
}

/* Each of the list's entries is a node with one grant, and they are in order. */
static uint32_t number_of(const struct verdict *verdict)
{
	uint32_t words = verdict->node - NODE_FIRST;

	return asked->six ? words / (NODE_WORDS + GRANT_WORDS + 4) + 1 : words / (NODE_WORDS + GRANT_WORDS + 1) + 1;
}

/* As the helper has read it. */
static inline void put_address(const void *question, bool six, struct address *address)
{
	address->family = six ? IPV6 : IPV4;
	memcpy(address->bytes, question, six ? 16 : 4);
}

/* The entry, by port and service: all that decide() does about an address that was read. */
static inline uint32_t lookup_ours(const void *question, bool six)
{
	struct address address;
	struct question about;
	struct verdict verdict;
	put_address(question, six, &address);
	question_begin(&about, category, &policy);
	about.port = 443;
	verdict_begin(&verdict, category);
	return walk_address(&about, &address, &verdict) ? number_of(&verdict) : 0;
}

static uint32_t lookup_ours4(const void *question)
{
	return lookup_ours(question, false);
}

static uint32_t lookup_ours6(const void *question)
{
	return lookup_ours(question, true);
}

static uint32_t lookup_decide(const void *question)
{
	size_t number = (size_t)((const uint8_t *)question - first_question) / (asked->six ? 16 : 4);
	struct facts facts = {.client = {"10.1.2.3", 8}, .dport = {"443", 3}};
	struct verdict verdict;

	facts.dst = text_of(texts[number]);
	decide(category, &policy, &facts, NULL, 0, &verdict);
	return verdict.kind == VERDICT_BYPASS ? number_of(&verdict) : 0;
}

/* The longest prefix, whatever its ports, as the others give it. */
static inline uint32_t lookup_bare(const void *question, bool six)
{
	struct address address;
	struct verdict verdict;
	put_address(question, six, &address);
	verdict.node = lines_lookup(&category->address[six], &address).node;
	return verdict.node == NODE_NONE ? 0 : number_of(&verdict);
}

static uint32_t lookup_bare4(const void *question)
{
	return lookup_bare(question, false);
}

static uint32_t lookup_bare6(const void *question)
{
	return lookup_bare(question, true);
}

#ifndef WITHOUT_DPDK
/* DPDK's number, and then what ours does with the entry that it finds: a number alone says nothing of ports. */
static struct hit *hit_of;

static bool make_hits(const struct list *list)
{
	hit_of = calloc(list->entries + 1, sizeof *hit_of);
	if (hit_of == NULL) {
		return false;
	}
	for (size_t i = 0; i < list->ranges; i++) {
		struct address address = {.family = list->six ? IPV6 : IPV4};

		bits_put(list->range[i].start, list->six, address.bytes);
		hit_of[list->range[i].answer] = lines_lookup(&category->address[list->six], &address);
	}
	return true;
}

static inline uint32_t with_ports(uint32_t number, enum table kind)
{
	struct question about;
	struct verdict verdict;
	question_begin(&about, category, &policy);
	about.port = 443;
	verdict_begin(&verdict, category);
	return walk_hit(&about, kind, hit_of[number], &verdict) ? number_of(&verdict) : 0;
}

static uint32_t lookup_lpm_ports(const void *question)
{
	return with_ports(lpm_subject.lookup(question), TABLE_ADDRESS4);
}

static uint32_t lookup_fib6_ports(const void *question)
{
	return with_ports(fib6_subject.lookup(question), TABLE_ADDRESS6);
}
#endif

static bool make_nothing(const struct list *list)
{
	(void)list;
	return true;
}

static uint32_t lookup_floor(const void *question)
{
	uint32_t word[4];

	memcpy(word, question, asked->six ? 16 : 4);
	return asked->six ? word[0] + word[1] + word[2] + word[3] : word[0];
}

static int range_compare4(const void *key, const void *element)
{
	const uint32_t wanted = *(const uint32_t *)key, *range = element; /* first, last, answer */

	return wanted < range[0] ? -1 : wanted > range[1];
}

static int range_compare6(const void *key, const void *element)
{
	const bits wanted = *(const bits *)key, *range = element;

	return wanted < range[0] ? -1 : wanted > range[1];
}

struct span4 { uint32_t first, last, answer; };
struct span6 { bits first, last; uint32_t answer; };
static void *sorted;

static bool make_sorted(const struct list *list)
{
	struct span4 *four = calloc(list->ranges, sizeof *four);
	struct span6 *six = calloc(list->ranges, sizeof *six);

	if (four == NULL || six == NULL) {
		return false;
	}
	for (size_t i = 0; i < list->ranges; i++) {
		bits last = i + 1 < list->ranges ? list->range[i + 1].start - 1 : ~(bits)0;

		four[i] = (struct span4){(uint32_t)list->range[i].start, (uint32_t)last, list->range[i].answer};
		six[i] = (struct span6){list->range[i].start, last, list->range[i].answer};
	}
	sorted = list->six ? (void *)six : (void *)four;
	free(list->six ? (void *)four : (void *)six);
	return true;
}

static uint32_t lookup_sorted(const void *question)
{
	bits wanted = bits_of(question, asked->six);
	uint32_t wanted4 = (uint32_t)wanted;

	if (asked->six) {
		const struct span6 *found = bsearch(&wanted, sorted, asked->ranges, sizeof(struct span6), range_compare6);
		return found == NULL ? 0 : found->answer;
	}
	const struct span4 *found = bsearch(&wanted4, sorted, asked->ranges, sizeof(struct span4), range_compare4);
	return found == NULL ? 0 : found->answer;
}

static size_t sorted_bytes(void)
{
	return asked->ranges * (asked->six ? sizeof(struct span6) : sizeof(struct span4));
}

static struct scanned { CIDR *block; uint32_t answer; unsigned length; } *scan;

static int scanned_compare(const void *left, const void *right)
{
	return (int)((const struct scanned *)right)->length - (int)((const struct scanned *)left)->length;
}

/* The longest first, so that the first that holds the address is the answer. */
static bool make_scan(const struct list *list)
{
	scan = calloc(list->entries, sizeof *scan);
	for (size_t i = 1; scan != NULL && i <= list->entries; i++) {
		char text[INET6_ADDRSTRLEN + 4], address[INET6_ADDRSTRLEN];
		uint8_t bytes[16];

		bits_put(list->entry[i].first, list->six, bytes);
		(void)snprintf(text, sizeof text, "%s/%u", inet_ntop(list->six ? AF_INET6 : AF_INET, bytes, address, sizeof address),
		    list->entry[i].length);
		scan[i - 1] = (struct scanned){cidr_from_str(text), (uint32_t)i, list->entry[i].length};
	}
	qsort(scan, list->entries, sizeof *scan, scanned_compare);
	return true;
}

static uint32_t lookup_scan(const void *question)
{
	struct in_addr four;
	struct in6_addr six;
	uint32_t answer = 0;
	CIDR *wanted;

	if (asked->six) {
		memcpy(&six, question, sizeof six);
		wanted = cidr_from_in6addr(&six);
	} else {
		memcpy(&four, question, sizeof four);
		wanted = cidr_from_inaddr(&four);
	}
	for (size_t i = 0; i < asked->entries && answer == 0; i++) {
		answer = cidr_contains(scan[i].block, wanted) == 0 ? scan[i].answer : 0;
	}
	cidr_free(wanted);
	return answer;
}

static const struct subject
    ours4 = {"squid-meeting", make_ours, lookup_ours4, ours_bytes, SIZE_MAX, 0},
    ours6 = {"squid-meeting", make_ours, lookup_ours6, ours_bytes, 0, SIZE_MAX},
    bare4 = {"squid-meeting, without ports", make_ours, lookup_bare4, NULL, SIZE_MAX, 0},
    bare6 = {"squid-meeting, without ports", make_ours, lookup_bare6, NULL, 0, SIZE_MAX},
    whole = {"squid-meeting, decide() from text", make_ours, lookup_decide, NULL, SIZE_MAX, SIZE_MAX},
    floor_subject = {"floor", make_nothing, lookup_floor, NULL, SIZE_MAX, SIZE_MAX},
    sorted_subject = {"libc bsearch", make_sorted, lookup_sorted, sorted_bytes, SIZE_MAX, SIZE_MAX},
    scan_subject = {"libcidr scan", make_scan, lookup_scan, NULL, 100000, 100000};

/* Every second question is about an address that some entry holds. */
static const void **make_questions(const struct list *list)
{
	size_t size = list->six ? 16 : 4;
	const void **question = calloc(QUESTIONS, sizeof *question);
	uint8_t *bytes = calloc(QUESTIONS, size);

	texts = calloc(QUESTIONS, sizeof *texts);
	if (question == NULL || bytes == NULL || texts == NULL) {
		exit(1);
	}
	first_question = bytes;
	for (size_t i = 0; i < QUESTIONS; i++) {
		bits address;

		if (chance(2) == 0) {
			const struct listed *entry = &list->entry[1 + chance(list->entries)];

			address = entry->first | (chance_address(list->six) & mask_of(entry->length, list->six));
		} else {
			size_t low, high;

			do { /* in the same space, but held by none */
				address = chance_address(list->six);
				for (low = 0, high = list->ranges; high - low > 1;) {
					size_t middle = (low + high) / 2;

					*(list->range[middle].start <= address ? &low : &high) = middle;
				}
			} while (list->range[low].answer != 0);
		}
		bits_put(address, list->six, bytes + i * size);
		question[i] = bytes + i * size;
		(void)inet_ntop(list->six ? AF_INET6 : AF_INET, question[i], texts[i], sizeof texts[i]);
	}
	return question;
}

int main(int argc, char **argv)
{
#ifdef WITHOUT_DPDK
	const struct subject lpm_subject = {.name = "DPDK rte_lpm"}, fib6_subject = {.name = "DPDK rte_fib6"};
	const struct subject lpm_ports = {.name = "DPDK rte_lpm, then ports"}, fib6_ports = {.name = "DPDK rte_fib6, then ports"};
#else
	const struct subject lpm_ports = {"DPDK rte_lpm, then ports", make_hits, lookup_lpm_ports, NULL, lpm_subject.most4, 0};
	const struct subject fib6_ports = {"DPDK rte_fib6, then ports", make_hits, lookup_fib6_ports, NULL, 0, fib6_subject.most6};
#endif
	const struct subject *const four[] = {&ours4, &bare4, &whole, &sorted_subject, &lpm_subject, &lpm_ports, &mmdb_subject,
	    &judy_subject, &scan_subject, &floor_subject, NULL};
	const struct subject *const six[] = {&ours6, &bare6, &whole, &sorted_subject, &fib6_subject, &fib6_ports, &mmdb_subject,
	    &judy_subject, &scan_subject, &floor_subject, NULL};
	struct list list = {.folder = argv[1]};

	if (argc != 5) {
		fputs("Usage: tables FOLDER 4|6 ENTRIES ROUNDS\n", stderr);
		return 2;
	}
	list.six = argv[2][0] == '6';
	asked = &list;
	make_entries(&list, strtoul(argv[3], NULL, 10));
	make_ranges(&list);
	write_list(&list);
	const void **questions = make_questions(&list);
	return subjects_run(list.six ? "IPv6" : "IPv4", argv[3], list.six ? six : four, &list, questions, QUESTIONS,
	    (unsigned)strtoul(argv[4], NULL, 10)) ? 0 : 1;
}
