/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed between two categories: entries, and the addresses that they cover.
 * The entries of both sides become rows, sorted by service and rule; those of one rule are compared as a whole, since a
 * rule may have several grants. Coverage is told by the union of each side and of both: what was gained is the union of
 * both without what was there before. */
#include <config.h>

#include "feeds/internal.h"

#include <stdlib.h>
#include <string.h>

struct row {
	const char *service, *expires;
	enum entry_kind kind;
	char *rule, *ports, *source;
	struct prefix prefix;
};

struct rows {
	struct row *list;
	size_t count, room;
	const char *const *services;
	bool out_of_memory;
};

/* What a diff keeps: both sides, and the texts of the changes. */
struct memory {
	struct rows side[2];
	char **text;
	size_t texts, text_room, change_room;
	bool out_of_memory;
};

static bool is_wanted(const char *const *services, const char *service)
{
	if (services == NULL) {
		return true;
	}
	for (size_t i = 0; service != NULL && services[i] != NULL; i++) {
		if (strcmp(services[i], service) == 0) {
			return true;
		}
	}
	return false;
}

/* The services that a client is limited to, as text; the caller frees it. */
static char *client_services(const struct entry *entry)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	for (size_t i = 0; to != NULL && entry->services != NULL && entry->services[i] != NULL; i++) {
		fprintf(to, "%s%s", i == 0 ? "" : " ", entry->services[i]);
	}
	return to == NULL || fclose(to) != 0 ? NULL : text;
}

static bool add_row(void *context, const struct entry *entry)
{
	struct rows *rows = context;
	char ports[1024];
	struct row row = {.service = entry->service == NULL ? "" : entry->service,
	    .expires = entry->expires, .kind = entry->kind, .prefix = entry->prefix};

	if (!is_wanted(rows->services, entry->service)) {
		return true;
	}
	if (entry->kind == ENTRY_CLIENT) {
		row.ports = client_services(entry);
		row.source = strdup("");
	} else {
		ports_format(entry->ports, ports, sizeof ports);
		row.ports = strdup(ports);
		size_t size = strlen(entry->source) + sizeof ": " + strlen(entry->date);
		/* without a source the file stands for it, and that is elsewhere on the other side */
		row.source = malloc(size);
		if (row.source != NULL) {
			bool own = strcmp(entry->source, entry->file) == 0;

			(void)snprintf(row.source, size, "%s%s%s", own ? "" : entry->source, entry->date[0] == '\0' ? "" : " ",
			    entry->date);
		}
	}
	row.rule = strdup(entry->rule);
	if (row.ports == NULL || row.source == NULL || row.rule == NULL ||
	    !grow(&rows->list, &rows->room, rows->count, sizeof *rows->list)) {
		free(row.ports);
		free(row.source);
		free(row.rule);
		rows->out_of_memory = true;
		return false;
	}
	rows->list[rows->count++] = row;
	return true;
}

/* Which entry it is. */
static int compare_key(const struct row *a, const struct row *b)
{
	int order = strcmp(a->service, b->service);

	if (order == 0) {
		order = (int)a->kind - (int)b->kind;
	}
	if (order == 0 && a->kind != ENTRY_NAME) {
		order = (int)a->prefix.address.family - (int)b->prefix.address.family;
		order = order != 0 ? order : memcmp(a->prefix.address.bytes, b->prefix.address.bytes, 16);
		return order != 0 ? order : (int)a->prefix.length - (int)b->prefix.length;
	}
	return order != 0 ? order : strcmp(a->rule, b->rule);
}

static int compare_row(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = compare_key(a, b);

	order = order != 0 ? order : strcmp(a->ports, b->ports);
	order = order != 0 ? order : strcmp(a->source, b->source);
	return order != 0 ? order : strcmp(a->expires, b->expires);
}

/* How many rows from the first on are of one entry. */
static size_t group(const struct rows *rows, size_t first)
{
	size_t count = 1;

	while (first + count < rows->count && compare_key(&rows->list[first], &rows->list[first + count]) == 0) {
		count++;
	}
	return count;
}

enum field { PORTS, SOURCE, EXPIRES };

static const char *field_of(const struct row *row, enum field field)
{
	return field == PORTS ? row->ports : field == SOURCE ? row->source : row->expires;
}

static int compare_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The field of a group, each text once, in order, joined; kept in memory. */
static const char *join(struct memory *memory, const struct row *row, size_t count, enum field field)
{
	char *text = NULL;
	size_t length;
	const char **list = reallocarray(NULL, count + 1, sizeof *list);
	FILE *to = list == NULL ? NULL : open_memstream(&text, &length);

	for (size_t i = 0; list != NULL && i < count; i++) {
		list[i] = field_of(&row[i], field);
	}
	if (list != NULL && count > 0) {
		qsort(list, count, sizeof *list, compare_text);
	}
	for (size_t i = 0; to != NULL && i < count; i++) {
		if (i == 0 || strcmp(list[i], list[i - 1]) != 0) {
			fprintf(to, "%s%s", i == 0 ? "" : "; ", list[i]);
		}
	}
	free(list);
	if (to == NULL || fclose(to) != 0 || !grow(&memory->text, &memory->text_room, memory->texts, sizeof *memory->text)) {
		free(text);
		memory->out_of_memory = true;
		return "";
	}
	memory->text[memory->texts++] = text;
	return text;
}

static void add_change(struct diff *diff, const struct row *before, size_t befores, const struct row *after, size_t afters)
{
	struct memory *memory = diff->memory;
	const struct row *any = befores > 0 ? before : after;
	struct change change = {.kind = befores == 0 ? CHANGE_ADDED : afters == 0 ? CHANGE_REMOVED : CHANGE_CHANGED,
	    .entry = any->kind, .service = any->service, .rule = any->rule};

	if (!grow(&diff->change, &memory->change_room, diff->changes, sizeof *diff->change)) {
		memory->out_of_memory = true;
		return;
	}
	change.before_ports = join(memory, before, befores, PORTS);
	change.after_ports = join(memory, after, afters, PORTS);
	change.before_source = join(memory, before, befores, SOURCE);
	change.after_source = join(memory, after, afters, SOURCE);
	change.before_expires = join(memory, before, befores, EXPIRES);
	change.after_expires = join(memory, after, afters, EXPIRES);
	change.ports = strcmp(change.before_ports, change.after_ports) != 0;
	change.source = strcmp(change.before_source, change.after_source) != 0;
	change.expires = strcmp(change.before_expires, change.after_expires) != 0;
	diff->added += befores == 0;
	diff->removed += afters == 0;
	diff->changed += befores > 0 && afters > 0;
	diff->change[diff->changes++] = change;
}

/* Two groups of one entry: is any row another? */
static bool groups_differ(const struct row *a, size_t as, const struct row *b, size_t bs)
{
	size_t i = 0, j = 0;

	while (i < as && j < bs && compare_row(&a[i], &b[j]) == 0) {
		do { /* the same line twice is the line once */
			i++;
		} while (i < as && compare_row(&a[i - 1], &a[i]) == 0);
		do {
			j++;
		} while (j < bs && compare_row(&b[j - 1], &b[j]) == 0);
	}
	return i < as || j < bs;
}

static void compare_rows(struct diff *diff)
{
	struct memory *memory = diff->memory;
	const struct rows *before = &memory->side[0], *after = &memory->side[1];

	for (size_t i = 0, j = 0; !memory->out_of_memory && (i < before->count || j < after->count);) {
		int order = i == before->count ? 1 : j == after->count ? -1 : compare_key(&before->list[i], &after->list[j]);
		size_t befores = order <= 0 ? group(before, i) : 0, afters = order >= 0 ? group(after, j) : 0;

		if (order != 0 || groups_differ(&before->list[i], befores, &after->list[j], afters)) {
			add_change(diff, before->list + i, befores, after->list + j, afters);
		}
		i += befores;
		j += afters;
	}
}

static size_t put_ranges(const struct rows *rows, struct range *ranges)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		if (rows->list[i].kind == ENTRY_ADDRESS) {
			ranges[count++] = range_of(&rows->list[i].prefix);
		}
	}
	return count;
}

static void set_coverage(struct coverage *coverage, struct wide before, struct wide after, struct wide both)
{
	coverage->before = before;
	coverage->after = after;
	coverage->gained = wide_subtract(both, before);
	coverage->lost = wide_subtract(both, after);
}

static bool count_addresses(struct diff *diff)
{
	struct memory *memory = diff->memory;
	size_t most = memory->side[0].count + memory->side[1].count + 1, count[3];
	struct range *ranges = reallocarray(NULL, most, sizeof *ranges);
	struct wide sum[3][2];

	if (ranges == NULL) {
		return false;
	}
	for (size_t set = 0; set < 3; set++) {
		count[set] = set == 1 ? 0 : put_ranges(&memory->side[0], ranges);
		count[set] += set == 0 ? 0 : put_ranges(&memory->side[1], ranges + count[set]);
		count[set] = ranges_unite(ranges, count[set]);
		sum[set][0] = ranges_count(ranges, count[set], IPV4);
		sum[set][1] = ranges_count(ranges, count[set], IPV6);
	}
	set_coverage(&diff->ipv4, sum[0][0], sum[1][0], sum[2][0]);
	set_coverage(&diff->ipv6, sum[0][1], sum[1][1], sum[2][1]);
	free(ranges);
	return true;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_listed(const char **list, size_t count, const char *name)
{
	return bsearch(&name, list, count, sizeof *list, compare_names) != NULL;
}

/* Is a name of the list held by another one: by `.example.com`, or one above it? */
static bool is_held(const char **list, size_t count, const char *name)
{
	char below[RULE_SIZE];

	if (name[0] != '.') {
		(void)snprintf(below, sizeof below, ".%s", name);
		if (is_listed(list, count, below)) {
			return true;
		}
	}
	for (const char *dot = strchr(name + 1, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		if (is_listed(list, count, dot)) {
			return true;
		}
	}
	return false;
}

/* The names of the rows, in order, each once. */
static size_t put_names(const struct rows *rows, const char **list)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < rows->count; i++) {
		if (rows->list[i].kind == ENTRY_NAME) {
			list[count++] = rows->list[i].rule;
		}
	}
	if (count > 0) {
		qsort(list, count, sizeof *list, compare_names);
	}
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(list[kept - 1], list[i]) != 0) {
			list[kept++] = list[i];
		}
	}
	return kept;
}

static bool count_names(struct diff *diff)
{
	struct memory *memory = diff->memory;
	const char **list[2];
	size_t count[2];
	uint64_t held[2] = {0, 0}, only[2] = {0, 0};

	for (size_t side = 0; side < 2; side++) {
		list[side] = reallocarray(NULL, memory->side[side].count + 1, sizeof *list[side]);
		memory->out_of_memory = memory->out_of_memory || list[side] == NULL;
		count[side] = list[side] == NULL ? 0 : put_names(&memory->side[side], list[side]);
	}
	for (size_t side = 0; side < 2 && !memory->out_of_memory; side++) {
		for (size_t i = 0; i < count[side]; i++) {
			const char *name = list[side][i];

			if (!is_held(list[side], count[side], name)) {
				held[side]++;
				only[side] += !is_listed(list[!side], count[!side], name) && !is_held(list[!side], count[!side], name);
			}
		}
	}
	diff->names = (struct coverage){{0, held[0]}, {0, held[1]}, {0, only[1]}, {0, only[0]}};
	free(list[0]);
	free(list[1]);
	return !memory->out_of_memory;
}

bool diff_make(const struct category *before, const struct category *after, const char *const *services, struct diff *diff)
{
	struct memory *memory = calloc(1, sizeof *memory);

	memset(diff, 0, sizeof *diff);
	diff->memory = memory;
	for (size_t side = 0; memory != NULL && side < 2; side++) {
		struct rows *rows = &memory->side[side];

		rows->services = services;
		category_entries(side == 0 ? before : after, add_row, rows);
		memory->out_of_memory = memory->out_of_memory || rows->out_of_memory;
		if (rows->count > 0) {
			qsort(rows->list, rows->count, sizeof *rows->list, compare_row);
		}
	}
	if (memory == NULL || memory->out_of_memory) {
		return false;
	}
	compare_rows(diff);
	return !memory->out_of_memory && count_addresses(diff) && count_names(diff);
}

void diff_free(struct diff *diff)
{
	struct memory *memory = diff->memory;

	for (size_t side = 0; memory != NULL && side < 2; side++) {
		for (size_t i = 0; i < memory->side[side].count; i++) {
			free(memory->side[side].list[i].ports);
			free(memory->side[side].list[i].source);
			free(memory->side[side].list[i].rule);
		}
		free(memory->side[side].list);
	}
	for (size_t i = 0; memory != NULL && i < memory->texts; i++) {
		free(memory->text[i]);
	}
	free(memory == NULL ? NULL : memory->text);
	free(memory);
	free(diff->change);
	memset(diff, 0, sizeof *diff);
}
