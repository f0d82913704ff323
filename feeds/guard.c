/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a new list may take the place of the present one: what it covers is measured in addresses, not in lines, since
 * vendors aggregate and split. All that speaks against it is told at once. */
#include <config.h>

#include "feeds/update.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD_MISSING = 10 };

/* A list that covers as much as this is no meeting service's: an IPv4 /8, an IPv6 /19. */
static const struct wide wide_limits[2] = {{0, 1u << 24}, {(uint64_t)1 << 45, 0}};

static long double number(struct wide wide)
{
	return (long double)wide.high * 18446744073709551616.0L + (long double)wide.low;
}

static void tell(struct guard *guard, const char *format, ...) FORMAT_LIKE(2, 3);
static void tell(struct guard *guard, const char *format, ...)
{
	char reason[512];
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(reason, sizeof reason, format, arguments) < 0) {
		reason[0] = '\0';
	}
	va_end(arguments);
	guard->out_of_memory = !problem_add(guard->reasons, guard->file, 0, 0, reason) || guard->out_of_memory;
}

static bool is_none(struct wide wide)
{
	return wide.high == 0 && wide.low == 0;
}

static void judge_change(struct guard *guard, const char *what, struct wide before, struct wide change, bool more,
    uint32_t most)
{
	char old[WIDE_TEXT_SIZE], new[WIDE_TEXT_SIZE];
	const char *option = more ? "--max-growth" : "--max-shrink";

	wide_format(before, old);
	wide_format(change, new);
	if (most == GUARD_ANY || is_none(change)) {
		return;
	}
	if (is_none(before)) {
		tell(guard, "%s: %s, where there was none (%s=any takes it)", what, new, option);
	} else if (number(change) * 100 > number(before) * most) {
		tell(guard, "%s: %s %s, of %s, is %.0Lf %%, more than %s=%u", what, new, more ? "gained" : "lost", old,
		    number(change) * 100 / number(before), option, most);
	}
}

/* Where there was nothing at all before, there is nothing to compare with. */
bool guard_change(struct guard *guard, const struct diff *diff)
{
	const struct coverage *coverage[] = {&diff->ipv4, &diff->ipv6, &diff->names};
	static const char *const what[] = {"IPv4 addresses", "IPv6 addresses", "names"};
	bool first = is_none(diff->ipv4.before) && is_none(diff->ipv6.before) && is_none(diff->names.before);

	for (size_t i = 0; i < 3; i++) {
		if (!first) {
			judge_change(guard, what[i], coverage[i]->before, coverage[i]->gained, true, guard->limits->growth);
			judge_change(guard, what[i], coverage[i]->before, coverage[i]->lost, false, guard->limits->shrink);
		}
		if (i < 2 && wide_compare(coverage[i]->after, wide_limits[i]) >= 0) {
			char text[WIDE_TEXT_SIZE];

			wide_format(coverage[i]->after, text);
			tell(guard, "%s: %s in all, as many as %s, which is no meeting service's", what[i], text,
			    i == 0 ? "a /8" : "a /19");
		}
	}
	return !guard->out_of_memory;
}

/* ---- Entries that have to be there ---- */

bool holdings_make(struct holdings *holdings, const struct category *category)
{
	memset(holdings, 0, sizeof *holdings);
	category_entries(category, holdings_add, holdings);
	holdings->ranges = holdings->out_of_memory ? 0 : ranges_unite(holdings->range, holdings->ranges);
	return !holdings->out_of_memory;
}

bool holdings_add(void *context, const struct entry *entry)
{
	struct holdings *holdings = context;

	if (entry->kind == ENTRY_ADDRESS) {
		if (!grow(&holdings->range, &holdings->range_room, holdings->ranges, sizeof *holdings->range)) {
			holdings->out_of_memory = true;
			return false;
		}
		holdings->range[holdings->ranges++] = range_of(&entry->prefix);
	} else if (entry->kind == ENTRY_NAME) {
		char *copy = strdup(entry->rule);

		if (copy == NULL || !grow(&holdings->name, &holdings->name_room, holdings->names, sizeof *holdings->name)) {
			free(copy);
			holdings->out_of_memory = true;
			return false;
		}
		holdings->name[holdings->names++] = copy;
	}
	return true;
}

void holdings_free(struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->names; i++) {
		free(holdings->name[i]);
	}
	free(holdings->name);
	free(holdings->range);
	memset(holdings, 0, sizeof *holdings);
}

bool rule_holds(const char *rule, const char *other)
{
	size_t length = strlen(rule), other_length = strlen(other);

	if (strcmp(rule, other) == 0) {
		return true;
	}
	return rule[0] == '.' && (strcmp(rule + 1, other) == 0 ||
	    (other_length > length && strcmp(other + other_length - length, rule) == 0));
}

static bool holds_range(const struct holdings *holdings, const struct prefix *prefix)
{
	struct range wanted = range_of(prefix);

	for (size_t i = 0; i < holdings->ranges; i++) {
		const struct range *range = &holdings->range[i];

		if (range->family == wanted.family && wide_compare(range->first, wanted.first) <= 0 &&
		    wide_compare(range->last, wanted.last) >= 0) {
			return true;
		}
	}
	return false;
}

static bool holds(const struct holdings *holdings, const struct entry *entry)
{
	if (entry->kind == ENTRY_ADDRESS) {
		return holds_range(holdings, &entry->prefix);
	}
	for (size_t i = 0; i < holdings->names; i++) {
		if (rule_holds(holdings->name[i], entry->rule)) {
			return true;
		}
	}
	return entry->kind == ENTRY_CLIENT;
}

bool guard_pins(struct guard *guard, const struct holdings *holdings, const struct edit_pin *pins, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct entry entry = {.kind = pins[i].name ? ENTRY_NAME : ENTRY_ADDRESS};
		struct refusal why;

		(void)snprintf(entry.rule, sizeof entry.rule, "%.*s", (int)pins[i].word.length, pins[i].word.at);
		if (!pins[i].name && !prefix_parse(pins[i].word, &entry.prefix, &why)) {
			continue; /* the file has no errors */
		}
		if (!holds(holdings, &entry)) {
			tell(guard, "the pinned entry %s (line %zu) is missing", entry.rule, pins[i].line);
		}
	}
	return !guard->out_of_memory;
}

struct missing {
	struct guard *guard;
	const struct holdings *holdings;
	size_t count;
};

static bool look_for(void *context, const struct entry *entry)
{
	struct missing *missing = context;
	struct guard *guard = missing->guard;

	if (holds(missing->holdings, entry)) {
		return true;
	}
	for (size_t i = 0; i < json_array_size(guard->withdrawn); i++) {
		if (strcmp(json_string_value(json_array_get(guard->withdrawn, i)), entry->rule) == 0) {
			return true;
		}
	}
	if (guard->limits->allow_withdrawn) {
		guard->out_of_memory = json_array_append_new(guard->withdrawn, json_string(entry->rule)) != 0;
		return !guard->out_of_memory;
	}
	if (missing->count++ < TOLD_MISSING) {
		tell(guard, "the shipped entry %s is missing (--allow-withdrawn takes it)", entry->rule);
	}
	return true;
}

bool guard_shipped(struct guard *guard, const struct holdings *holdings, const struct category *shipped)
{
	struct missing missing = {guard, holdings, 0};

	category_entries(shipped, look_for, &missing);
	if (missing.count > TOLD_MISSING) {
		tell(guard, "and %zu more of the shipped entries are missing", missing.count - TOLD_MISSING);
	}
	return !guard->out_of_memory;
}
