/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meetingctl update, from files with `feed` lines to what may be installed: each list is fetched, read and guarded by itself,
 * then the file is written anew, and compared as a whole. */
#include <config.h>

#include "feeds/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *update_status_name(enum update_status status)
{
	static const char *const names[] = {"same", "new", "renewed", "held", "refused", "failed"};

	return names[status];
}

bool update_tell(struct update *update, const char *file, const char *reason)
{
	return problem_add(&update->reasons, file, 0, 0, reason);
}

static bool move_problems(struct problems *to, const struct problems *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct problem *problem = &from->list[i];

		if (!problem_add(to, problem->file, problem->line, problem->column, problem->reason)) {
			return false;
		}
	}
	to->omitted += from->omitted;
	return true;
}

/* One feed of a file while it is worked on. */
struct work {
	struct updater *updater;
	struct job *job;
	struct update *update;
	const struct edit_feed *feed;
	int index;
	struct edit_result *result;
	char *url, *source;
	struct ports ports;
};

/* What the feed's lines say, as options for the reader. */
static bool set_options(struct work *work, struct feed_options *options, struct refusal *why)
{
	const struct feed_line *line = &work->feed->parsed;

	*options = (struct feed_options){.file = work->url, .source = work->url, .required_only = line->required,
	    .exclude = line->exclude, .excludes = line->excludes};
	options->area = line->area.at == NULL ? strdup("Skype") : strndup(line->area.at, line->area.length);
	options->aws_service =
	    line->aws_service.at == NULL ? strdup("CHIME_MEETINGS") : strndup(line->aws_service.at, line->aws_service.length);
	if (options->area == NULL || options->aws_service == NULL) {
		return refuse(why, 0, "out of memory");
	}
	if (!text_is(work->feed->ports, "any") && !text_is(line->format, "m365-json")) {
		options->ports = &work->ports;
		return feed_ports_parse(work->feed->ports, &work->ports, why);
	}
	return true;
}

static bool pin_blocks(struct work *work, const struct feed *feed)
{
	for (size_t p = 0; p < work->result->pins; p++) {
		struct edit_pin *pin = &work->result->pin[p];
		char rule[RULE_SIZE];
		struct prefix prefix;
		struct refusal why;

		(void)snprintf(rule, sizeof rule, "%.*s", (int)pin->word.length, pin->word.at);
		if (!pin->name && !prefix_parse(pin->word, &prefix, &why)) {
			return false;
		}
		for (size_t i = feed->entries; i-- > 0;) {
			const struct feed_entry *entry = &feed->entry[i];

			if (pin->name ? entry->name != NULL && rule_holds(entry->name, rule)
			              : entry->name == NULL && prefix_holds(&entry->prefix, &prefix.address)) {
				pin->block = entry->block;
			}
		}
	}
	return true;
}

/* The shipped entries of the same feed; NULL if there are none. */
static struct category *shipped_of(const struct work *work)
{
	size_t length;
	const char *why;
	char *text = work->job->shipped == NULL ? NULL : file_read(work->job->shipped, &length, &why), *alone = NULL;
	struct edit edit = {NULL, NULL, NULL, 0, 0, 0};
	struct problems problems = {NULL, 0, 0, 0};
	struct category *category = NULL;
	struct refusal refusal;

	if (text != NULL && edit_open(&edit, (struct text){text, length}, &refusal)) {
		for (size_t i = 0; i < edit.feeds && alone == NULL; i++) {
			const struct text *a = &edit.feed[i].text, *b = &work->feed->text;

			if (a->length == b->length && memcmp(a->at, b->at, a->length) == 0) {
				alone = edit_feed_text(&edit, (int)i, work->job->service);
			}
		}
	}
	category = alone == NULL ? NULL : category_read(work->job->base, alone, strlen(alone), &problems);
	problems_free(&problems);
	edit_close(&edit);
	free(alone);
	free(text);
	return category;
}

static bool judge(struct work *work, const struct category *before, const struct category *after, json_t *withdrawn)
{
	struct guard guard = {&work->updater->options->guard, work->url, &work->update->reasons, withdrawn, false};
	struct category *shipped = shipped_of(work);
	struct holdings holdings;
	struct diff diff;
	bool fine = holdings_make(&holdings, after) && diff_make(before, after, NULL, &diff);

	if (fine) {
		fine = guard_change(&guard, &diff) && guard_pins(&guard, &holdings, work->result->pin, work->result->pins) &&
		    (shipped == NULL || guard_shipped(&guard, &holdings, shipped));
		diff_free(&diff);
	}
	holdings_free(&holdings);
	category_free(shipped);
	return fine;
}

/* Compares the feed's blocks alone, before and after. Returns false if memory has run out. */
static bool guard_feed(struct work *work, const struct category *before, struct feed *feed)
{
	struct problems problems = {NULL, 0, 0, 0};
	char *text = feed_service_file(feed, work->job->service, NULL, NULL);
	struct category *after = text == NULL ? NULL : category_read(work->job->base, text, strlen(text), &problems);
	bool fine = after != NULL && move_problems(&work->update->reasons, &problems) &&
	    edit_pins(&work->job->edit, work->index, &work->result->pin, &work->result->pins) &&
	    judge(work, before, after, work->update->withdrawn) && pin_blocks(work, feed);

	problems_free(&problems);
	category_free(after);
	free(text);
	return fine;
}

/* Reads the list into feed, and judges it. Returns false if memory has run out. */
static bool take_list(struct work *work, const struct obtained *obtained, struct feed *feed)
{
	const struct feed_line *line = &work->feed->parsed;
	struct update *update = work->update;
	struct feed_options options;
	enum feed_format format = FEED_CIDR;
	struct refusal why;
	char name[16], place[2100];
	bool fine;

	(void)snprintf(name, sizeof name, "%.*s", (int)line->format.length, line->format.at);
	if (!feed_format_parse(name, &format) || !set_options(work, &options, &why)) {
		fine = update_tell(update, work->job->path, why.reason);
		memset(feed, 0, sizeof *feed);
	} else {
		struct problems problems = {NULL, 0, 0, 0};
		char *alone = edit_feed_text(&work->job->edit, work->index, work->job->service);
		struct category *before = alone == NULL ? NULL : category_read(work->job->base, alone, strlen(alone), &problems);

		fine = before != NULL && feed_read(format, obtained->list, obtained->length, &options, feed);
		if (fine && obtained->changes != NULL && feed->refused.count == 0) {
			struct announced *pending;
			size_t count;

			(void)snprintf(place, sizeof place, "announced for %s", work->url);
			fine = announced_apply(obtained->changes, obtained->changes_length, place, before,
			    work->updater->options->today, feed, &pending, &count);
			free(update->pending);
			update->pending = pending;
			update->pendings = count;
			if (fine && feed->entries == 0 && feed->refused.count == 0) {
				fine = update_tell(update, work->url, "there is no entry in it yet");
			}
		}
		fine = fine && move_problems(line->partial && feed->entries > 0 ? &update->notes : &update->reasons, &feed->refused) &&
		    move_problems(&update->told, &feed->told);
		if (fine && feed->entries > 0 && (feed->refused.count == 0 || line->partial)) {
			fine = guard_feed(work, before, feed);
		}
		problems_free(&problems);
		category_free(before);
		free(alone);
	}
	free((char *)options.area);
	free((char *)options.aws_service);
	return fine;
}

/* Fetches and reads one feed; status and reasons say what has become of it. Returns false if memory has run out. */
static bool work_on(struct work *work, struct feed *feed)
{
	const struct feed_line *line = &work->feed->parsed;
	json_t *record = state_at(&work->updater->state, "lists", work->url);
	struct source source = {&work->updater->state, work->updater->fetcher, work->updater->options->today,
	    work->updater->now};
	struct obtained obtained;
	struct refusal why;
	bool fine = true;

	memset(feed, 0, sizeof *feed);
	if (obtain(&source, record, work->url, line, &obtained, &why) != FETCH_NEW) {
		work->update->status = UPDATE_FAILED;
		fine = update_tell(work->update, obtained.url == NULL ? work->url : obtained.url, why.reason);
	} else {
		fine = take_list(work, &obtained, feed);
		work->result->feed = feed;
		if (!text_is(line->format, "m365-json")) {
			work->result->source = work->feed->source;
		}
		memcpy(work->result->date, obtained.date, sizeof obtained.date);
		if (line->expires > 0) {
			day_text(work->updater->options->today + (int32_t)line->expires, work->result->expires);
		}
	}
	obtained_free(&obtained);
	return fine;
}

/* Only days and sources differ, if anything. */
static bool is_renewal(const struct diff *diff)
{
	for (size_t i = 0; i < diff->changes; i++) {
		if (diff->change[i].kind != CHANGE_CHANGED || diff->change[i].ports) {
			return false;
		}
	}
	return true;
}

bool update_add(struct update *update, const char *base, char *text, size_t length, const char *old, size_t old_length)
{
	struct problems problems = {NULL, 0, 0, 0}, none = {NULL, 0, 0, 0};
	struct update_part part = {.base = strdup(base), .text = text, .length = length};

	part.before = category_read(base, old == NULL ? "" : old, old == NULL ? 0 : old_length, &none);
	part.after = category_read(base, text == NULL ? "" : text, text == NULL ? 0 : length, &problems);
	bool fine = part.base != NULL && part.before != NULL && part.after != NULL &&
	    move_problems(&update->reasons, &problems) && diff_make(part.before, part.after, NULL, &part.diff) &&
	    grow(&update->part, &update->part_room, update->parts, sizeof *update->part);
	if (fine && problems.count == 0) {
		update->part[update->parts++] = part;
	} else {
		diff_free(&part.diff);
		category_free(part.before);
		category_free(part.after);
		free(part.base);
		free(text);
	}
	problems_free(&problems);
	problems_free(&none);
	return fine;
}

/* What the file was made of: the feed lines and the hashes of their lists. */
static void hash_basis(struct updater *updater, const struct job *job, char **urls, char out[HASH_SIZE])
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	out[0] = '\0';
	for (size_t i = 0; to != NULL && i < job->edit.feeds; i++) {
		const json_t *record = state_at(&updater->state, "lists", urls[i]);

		fprintf(to, "%.*s %s %s\n", (int)job->edit.feed[i].text.length, job->edit.feed[i].text.at, state_text(record, "list"),
		    state_text(record, "changes"));
	}
	if (to != NULL && stream_text(to, &text) != NULL) {
		hash_text(text, length, out);
	}
	free(text);
}

/* Puts the new text beside the old one. Returns false if memory has run out. */
static bool compose(struct updater *updater, struct job *job, const struct edit_result *results, char **urls,
    struct update *update)
{
	char *text = edit_write(&job->edit, results);

	if (text == NULL || !update_add(update, job->base, text, strlen(text), job->text, job->length)) {
		return false;
	}
	if (update->parts == 0) { /* it can't be, and isn't taken */
		update->status = UPDATE_REFUSED;
		return true;
	}
	struct update_part *part = &update->part[0];
	const json_t *known = state_at(&updater->state, "files", job->base);
	hash_basis(updater, job, urls, part->basis);
	if (update->reasons.count > 0) {
		update->status = UPDATE_REFUSED;
	} else if (part->diff.changes == 0) {
		update->status = UPDATE_SAME;
	} else if (!updater->options->again && strcmp(part->basis, state_text(known, "held")) == 0) {
		update->status = UPDATE_HELD;
	} else {
		update->status = is_renewal(&part->diff) ? UPDATE_RENEWED : UPDATE_NEW;
	}
	return true;
}

/* Tells if squid-meeting ships another file by now than the one that this was once made of. */
static bool look_at_shipped(struct update *update, const struct job *job, const json_t *known)
{
	char hash[HASH_SIZE], reason[1024];

	hash_shipped(job, hash);
	if (hash[0] == '\0' || strcmp(job->path, job->shipped) == 0 || state_text(known, "shipped")[0] == '\0' || strcmp(hash, state_text(known, "shipped")) == 0) {
		return true;
	}
	(void)snprintf(reason, sizeof reason, "%.400s has changed since this file was made of it: remove this one and update, to "
	    "begin with that anew", job->shipped);
	return problem_add(&update->notes, job->path, 0, 0, reason);
}

void hash_shipped(const struct job *job, char out[HASH_SIZE])
{
	const char *why;
	size_t length;
	char *text = job->shipped == NULL ? NULL : file_read(job->shipped, &length, &why);

	out[0] = '\0';
	if (text != NULL) {
		hash_text(text, length, out);
	}
	free(text);
}

static bool make_feeds(struct updater *updater, struct job *job, struct update *update)
{
	size_t count = job->edit.feeds;
	struct edit_result *results = calloc(count, sizeof *results);
	struct feed *feeds = calloc(count, sizeof *feeds);
	char **urls = calloc(count, sizeof *urls);
	json_t *known = state_at(&updater->state, "files", job->base);
	bool fine = results != NULL && feeds != NULL && urls != NULL;

	update->withdrawn = json_deep_copy(json_object_get(known, "withdrawn"));
	if (update->withdrawn == NULL) {
		update->withdrawn = json_array();
	}
	fine = fine && look_at_shipped(update, job, known);
	for (size_t i = 0; fine && i < count; i++) {
		const struct edit_feed *feed = &job->edit.feed[i];
		struct work work = {.updater = updater, .job = job, .update = update, .feed = feed, .index = (int)i,
		    .result = &results[i]};

		urls[i] = work.url = strndup(feed->parsed.url.at, feed->parsed.url.length);
		if (text_is(feed->parsed.format, "bundle")) {
			fine = update_tell(update, job->path, "a bundle's line stands in a file of its own");
		} else {
			fine = work.url != NULL && work_on(&work, &feeds[i]);
		}
	}
	if (fine && update->status != UPDATE_FAILED) {
		if (update->reasons.count > 0) {
			update->status = UPDATE_REFUSED;
		} else {
			fine = compose(updater, job, results, urls, update);
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (results != NULL) {
			free(results[i].pin);
		}
		if (feeds != NULL) {
			feed_free(&feeds[i]);
		}
		if (urls != NULL) {
			free(urls[i]);
		}
	}
	free(results);
	free(feeds);
	free(urls);
	return fine;
}

/* Notes in the state how it went. */
static void note(struct updater *updater, const struct job *job, const struct update *update)
{
	json_t *known = state_at(&updater->state, "files", job->base);
	bool good = update->status != UPDATE_FAILED && update->status != UPDATE_REFUSED;
	char now[TIME_SIZE], reason[512] = "";

	time_text(updater->now, now);
	if (update->reasons.count > 0) {
		(void)problem_format(&update->reasons.list[0], reason, sizeof reason);
	}
	state_set_text(known, "service", job->service);
	state_set_text(known, good ? "checked" : "failed", now);
	state_set_text(known, "error", good ? "" : reason);
	state_set_number(known, "failures", good ? 0 : state_number(known, "failures") + 1);
	if (!good) {
		return;
	}
	json_t *pending = json_array();
	for (size_t i = 0; i < update->pendings; i++) {
		const struct announced *announced = &update->pending[i];

		(void)json_array_append_new(pending, json_pack("{s:s, s:s, s:I, s:s}", "day", announced->date, "change",
		    announced->add ? "add" : "remove", "set", (json_int_t)announced->set, "rule", announced->rule));
	}
	(void)json_object_set_new(known, "pending", pending);
}

bool update_make(struct updater *updater, size_t index, struct update *update, struct refusal *why)
{
	struct job *job = &updater->job[index];
	bool fine;

	memset(update, 0, sizeof *update);
	if (job->hidden != NULL) {
		update->status = UPDATE_REFUSED;
		fine = update_tell(update, job->path, job->hidden);
	} else {
		fine = job->bundle ? bundle_make_update(updater, job, update) : make_feeds(updater, job, update);
	}
	if (!fine) {
		return refuse(why, 0, "out of memory");
	}
	note(updater, job, update);
	return state_save(&updater->state, why);
}

void update_free(struct update *update)
{
	for (size_t i = 0; i < update->parts; i++) {
		diff_free(&update->part[i].diff);
		category_free(update->part[i].before);
		category_free(update->part[i].after);
		free(update->part[i].base);
		free(update->part[i].text);
	}
	free(update->part);
	free(update->pending);
	json_decref(update->withdrawn);
	json_decref(update->files);
	problems_free(&update->reasons);
	problems_free(&update->notes);
	problems_free(&update->told);
	memset(update, 0, sizeof *update);
}
