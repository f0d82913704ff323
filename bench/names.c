/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups of names: the category's own table beside libpsl and a hash set that is walked label by label.
 * Usage: names FOLDER ENTRIES ROUNDS. FOLDER is empty, and gets the list as a service file. All entries are domains, since
 * that is all that libpsl knows. */
#include "category/decide.c"

#include "bench/subject.h"

#include <libpsl.h>
#include <stdlib.h>

enum { QUESTIONS = 1 << 16, QUESTION_SIZE = 96 };

/* ---- squid-meeting ---- */

static struct category *category;
static const struct policy policy = {.mode = MODE_EXPLICIT, .names = NAMES_IGNORE};

static bool make_ours(const struct list *list)
{
	struct problems problems = {NULL, 0, 0, 0};

	if (category == NULL) {
		category = category_load(&list->folder, 1, NULL, &problems);
	}
	return category != NULL && problems.count == 0;
}

static size_t ours_bytes(void)
{
	struct category_counts counts;

	category_count(category, &counts);
	return counts.bytes;
}

/* Without the dot in front. */
static uint32_t length_of(const struct verdict *verdict)
{
	return node_at(&category->names.nodes, verdict->node)->length - 1;
}

static uint32_t lookup_ours(const void *question)
{
	struct question about;
	struct verdict verdict;

	question_begin(&about, category, &policy);
	about.port = 443;
	verdict_begin(&verdict, category);
	return walk_name(&about, question, &verdict) ? length_of(&verdict) : 0;
}

static uint32_t lookup_decide(const void *question)
{
	struct facts facts = {.client = {"10.1.2.3", 8}, .host = text_of(question), .port = {"443", 3}};
	struct verdict verdict;

	decide(category, &policy, &facts, NULL, 0, &verdict);
	return verdict.kind == VERDICT_BYPASS ? length_of(&verdict) : 0;
}

/* ---- The least: every byte of the name is looked at ---- */

static bool make_nothing(const struct list *list)
{
	(void)list;
	return true;
}

static uint32_t lookup_floor(const void *question)
{
	uint32_t sum = 0;

	for (const unsigned char *at = question; *at != '\0'; at++) {
		sum += *at;
	}
	return sum;
}

/* ---- libpsl: each entry is a public suffix; all others have the last label alone as theirs ---- */

static psl_ctx_t *psl;

static bool make_psl(const struct list *list)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/list.psl", list->folder);
	FILE *file = fopen(path, "w");
	for (size_t i = 1; file != NULL && i <= list->entries; i++) {
		fprintf(file, "%s\n", list->name[i]);
	}
	psl = file != NULL && fclose(file) == 0 ? psl_load_file(path) : NULL;
	return psl != NULL;
}

static uint32_t lookup_psl(const void *question)
{
	const char *suffix = psl_unregistrable_domain(psl, question);

	return suffix == NULL || strchr(suffix, '.') == NULL ? 0 : (uint32_t)strlen(suffix);
}

/* ---- A set as in C++'s library: chains of elements that each have memory of their own; FNV-1a as the hash ---- */

struct element {
	struct element *next;
	uint64_t hash;
	char name[];
};
static struct element **bucket;
static size_t buckets, set_size;

static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *name != '\0'; name++) {
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	}
	return hash;
}

static bool make_set(const struct list *list)
{
	buckets = list->entries | 1;
	bucket = calloc(buckets, sizeof *bucket);
	set_size = buckets * sizeof *bucket;
	for (size_t i = 1; bucket != NULL && i <= list->entries; i++) {
		size_t length = strlen(list->name[i]);
		struct element *element = malloc(sizeof *element + length + 1);

		if (element == NULL) {
			return false;
		}
		memcpy(element->name, list->name[i], length + 1);
		element->hash = hash_of(element->name);
		element->next = bucket[element->hash % buckets];
		bucket[element->hash % buckets] = element;
		set_size += sizeof *element + length + 1;
	}
	return bucket != NULL;
}

static uint32_t lookup_set(const void *question)
{
	for (const char *name = question; name != NULL; name = strchr(name, '.'), name += name != NULL) {
		uint64_t hash = hash_of(name);

		for (const struct element *element = bucket[hash % buckets]; element != NULL; element = element->next) {
			if (element->hash == hash && strcmp(element->name, name) == 0) {
				return (uint32_t)strlen(name);
			}
		}
	}
	return 0;
}

static size_t set_bytes(void)
{
	return set_size;
}

/* ---- The list and the questions ---- */

static void chance_label(char *out, size_t most)
{
	size_t length = 4 + (size_t)chance(most - 4);

	for (size_t i = 0; i < length; i++) {
		out[i] = (char)('a' + chance(26));
	}
	out[length] = '\0';
}

/* Some entries are within others, as meet.example.com in example.com. */
static void make_list(struct list *list, size_t count)
{
	static const char *const ends[] = {"com", "net", "org", "de", "co.uk", "example", "io", "com.br"};
	FILE *file = service_open(list->folder, "bench");

	list->name = calloc(count + 1, sizeof *list->name);
	if (list->name == NULL) {
		exit(1);
	}
	for (size_t i = 1; i <= count; i++) {
		char label[16];

		chance_label(label, 13);
		if (i > 8 && chance(8) == 0) {
			const char *above = list->name[1 + chance(8)];

			(void)snprintf(list->name[i], sizeof list->name[i], "%s.%s", label, above);
		} else {
			(void)snprintf(list->name[i], sizeof list->name[i], "%s%zu.%s", label, i, ends[chance(8)]);
		}
		fprintf(file, "name .%s\n", list->name[i]);
	}
	if (fclose(file) != 0) {
		exit(1);
	}
	list->entries = count;
}

static const void **make_questions(const struct list *list)
{
	const void **question = calloc(QUESTIONS, sizeof *question);
	char (*text)[QUESTION_SIZE] = calloc(QUESTIONS, sizeof *text);

	if (question == NULL || text == NULL) {
		exit(1);
	}
	for (size_t i = 0; i < QUESTIONS; i++) {
		const char *entry = list->name[1 + chance(list->entries)];
		char label[16];

		chance_label(label, 10);
		/* What misses differs in the label that counts. */
		(void)snprintf(text[i], sizeof text[i], chance(2) == 0 ? "%s.%s" : "www.%s%s", label, entry);
		question[i] = text[i];
	}
	return question;
}

static const struct subject
    ours = {"squid-meeting", make_ours, lookup_ours, ours_bytes, SIZE_MAX, SIZE_MAX},
    whole = {"squid-meeting, decide() from text", make_ours, lookup_decide, NULL, SIZE_MAX, SIZE_MAX},
    psl_subject = {"libpsl", make_psl, lookup_psl, NULL, SIZE_MAX, SIZE_MAX},
    set_subject = {"hash set", make_set, lookup_set, set_bytes, SIZE_MAX, SIZE_MAX},
    floor_subject = {"floor", make_nothing, lookup_floor, NULL, SIZE_MAX, SIZE_MAX};

int main(int argc, char **argv)
{
	const struct subject *const all[] = {&ours, &whole, &psl_subject, &set_subject, &floor_subject, NULL};
	struct list list = {.folder = argv[1]};

	if (argc != 4) {
		fputs("Usage: names FOLDER ENTRIES ROUNDS\n", stderr);
		return 2;
	}

	make_list(&list, strtoul(argv[2], NULL, 10));
	const void **questions = make_questions(&list);
	return subjects_run("names", argv[2], all, &list, questions, QUESTIONS, (unsigned)strtoul(argv[3], NULL, 10)) ? 0 : 1;
}
