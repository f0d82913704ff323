/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a service file, in which the blocks of a feed are replaced and all else stays as it is.
 * A block runs from its `source` line, with the comments right above it, to the next one's. All blocks with the same `feed`
 * line are one feed. `ports` reaches across blocks, so it is said again wherever a replaced block would change it. */
#include <config.h>

#include "feeds/update.h"

#include <stdlib.h>
#include <string.h>

enum kind { BARE, SOURCE, EXPIRES, PORTS, ENTRY, FEED, OTHER };

struct edit_line {
	struct text text; /* without its end */
	struct text rest; /* behind the directive, without comment and blanks at its ends */
	enum kind kind;
	bool name;        /* of an entry */
	bool pin;
};

struct edit_block {
	size_t first, source, end; /* lines; source is where its own line stands, or first */
	struct text ports;         /* in force at its start */
	int feed;                  /* -1: none */
};

static struct text trim(struct text text)
{
	while (text.length > 0 && is_blank(text.at[0])) {
		text.at++;
		text.length--;
	}
	while (text.length > 0 && is_blank(text.at[text.length - 1])) {
		text.length--;
	}
	return text;
}

static struct text first_word(struct text text)
{
	size_t length = 0;

	while (length < text.length && !is_blank(text.at[length])) {
		length++;
	}
	return (struct text){text.at, length};
}

static struct text behind(struct text text, size_t length)
{
	return trim((struct text){text.at + length, text.length - length});
}

static bool same_text(struct text a, struct text b)
{
	return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static bool last_word_is(struct text text, const char *word)
{
	size_t length = strlen(word);

	return text.length > length && is_blank(text.at[text.length - length - 1]) &&
	    memcmp(text.at + text.length - length, word, length) == 0;
}

static struct edit_line read_line(struct text text)
{
	static const struct {
		const char *word;
		enum kind kind;
	} kinds[] = {{"source", SOURCE}, {"expires", EXPIRES}, {"ports", PORTS}, {"address", ENTRY}, {"name", ENTRY}, {"feed", FEED}};
	struct edit_line line = {.text = text, .kind = OTHER};
	struct text plain = text;

	for (size_t i = 0; i < plain.length; i++) {
		if (plain.at[i] == '#' && (i == 0 || is_blank(plain.at[i - 1]))) {
			plain.length = i;
		}
	}
	plain = trim(plain);
	struct text word = first_word(plain);
	line.rest = behind(plain, word.length);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (text_is(word, kinds[i].word)) {
			line.kind = kinds[i].kind;
		}
	}
	line.kind = plain.length == 0 ? BARE : line.kind;
	line.name = text_is(word, "name");
	/* `pin` may stand among the words behind an entry; all that may follow it are these */
	for (struct text rest = line.rest; line.kind == ENTRY && rest.length > 0;) {
		line.pin = line.pin || last_word_is(rest, "pin");
		do {
			rest.length--;
		} while (rest.length > 0 && !is_blank(rest.at[rest.length]));
		rest = trim(rest);
	}
	return line;
}

static bool read_lines(struct edit *edit, struct text text)
{
	size_t room = 0;

	if (text.length >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0) {
		text.at += 3;
		text.length -= 3;
	}
	while (text.length > 0) {
		const char *newline = memchr(text.at, '\n', text.length);
		size_t length = newline == NULL ? text.length : (size_t)(newline - text.at), whole = length + (newline != NULL);

		if (!grow(&edit->line, &room, edit->lines, sizeof *edit->line)) {
			return false;
		}
		length -= length > 0 && text.at[length - 1] == '\r';
		edit->line[edit->lines++] = read_line((struct text){text.at, length});
		text.at += whole;
		text.length -= whole;
	}
	return true;
}

static bool add_block(struct edit *edit, size_t *room, size_t first, size_t source, struct text ports)
{
	if (!grow(&edit->block, room, edit->blocks, sizeof *edit->block)) {
		return false;
	}
	if (edit->blocks > 0) {
		edit->block[edit->blocks - 1].end = first;
	}
	edit->block[edit->blocks++] = (struct edit_block){first, source, edit->lines, ports, -1};
	return true;
}

/* Which feed the block at hand is of. Returns false, and why, if it can't be taken. */
static bool find_feed(struct edit *edit, size_t *room, struct edit_block *block, size_t line, struct refusal *why)
{
	struct edit_feed feed = {.text = edit->line[line].rest, .line = line, .block = (size_t)(block - edit->block)};
	size_t i = 0;

	if (block->feed >= 0) {
		return refuse(why, line + 1, "a second feed line in one block: it takes a `source` line in front of it");
	}
	while (i < edit->feeds && !same_text(edit->feed[i].text, feed.text)) {
		i++;
	}
	if (i == edit->feeds) {
		if (!grow(&edit->feed, room, edit->feeds, sizeof *edit->feed)) {
			return refuse(why, 0, "out of memory");
		}
		if (!feed_line_parse(feed.text, &feed.parsed, why)) {
			return false;
		}
		edit->feed[edit->feeds++] = feed;
	}
	block->feed = (int)i;
	return true;
}

/* The ports of the first entry, else at the end of the block. */
static struct text ports_of(const struct edit *edit, const struct edit_block *block)
{
	struct text ports = block->ports;

	for (size_t i = block->first; i < block->end && edit->line[i].kind != ENTRY; i++) {
		ports = edit->line[i].kind == PORTS ? edit->line[i].rest : ports;
	}
	return ports;
}

bool edit_open(struct edit *edit, struct text text, struct refusal *why)
{
	size_t block_room = 0, feed_room = 0, bare = 0;
	struct text ports = text_of("any");

	memset(edit, 0, sizeof *edit);
	if (!read_lines(edit, text) || !add_block(edit, &block_room, 0, 0, ports)) {
		return refuse(why, 0, "out of memory");
	}
	for (size_t i = 0; i < edit->lines; i++) {
		const struct edit_line *line = &edit->line[i];

		if (line->kind == SOURCE && !add_block(edit, &block_room, i - bare, i, ports)) {
			return refuse(why, 0, "out of memory");
		}
		bare = line->kind == BARE ? bare + 1 : 0;
		ports = line->kind == PORTS ? line->rest : ports;
		if (line->kind == FEED && !find_feed(edit, &feed_room, &edit->block[edit->blocks - 1], i, why)) {
			return false;
		}
	}
	for (size_t i = 0; i < edit->feeds; i++) {
		const struct edit_block *block = &edit->block[edit->feed[i].block];
		const struct edit_line *source = &edit->line[block->source];
		int32_t day;

		edit->feed[i].ports = ports_of(edit, block);
		if (source->kind == SOURCE) {
			struct text name = source->rest;
			struct text last = {name.at + name.length - 10, 10};

			if (name.length > 11 && is_blank(last.at[-1]) && date_parse(last, &day)) {
				name.length -= 11;
			}
			edit->feed[i].source = trim(name);
		}
	}
	return true;
}

void edit_close(struct edit *edit)
{
	free(edit->line);
	free(edit->block);
	free(edit->feed);
	memset(edit, 0, sizeof *edit);
}

bool edit_pins(const struct edit *edit, int feed, struct edit_pin **pins, size_t *count)
{
	size_t room = 0;

	*pins = NULL;
	*count = 0;
	for (size_t b = 0; b < edit->blocks; b++) {
		for (size_t i = edit->block[b].first; (feed < 0 || edit->block[b].feed == feed) && i < edit->block[b].end; i++) {
			if (!edit->line[i].pin) {
				continue;
			}
			if (!grow(pins, &room, *count, sizeof **pins)) {
				return false;
			}
			(*pins)[(*count)++] = (struct edit_pin){first_word(edit->line[i].rest), edit->line[i].name, i + 1, 0};
		}
	}
	return true;
}

static void put_line(FILE *to, struct text text)
{
	fprintf(to, "%.*s\n", (int)text.length, text.at);
}

char *edit_feed_text(const struct edit *edit, int feed, const char *service)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (to == NULL) {
		return NULL;
	}
	fprintf(to, "service %s\n", service);
	for (size_t b = 0; b < edit->blocks; b++) {
		const struct edit_block *block = &edit->block[b];

		if (block->feed != feed) {
			continue;
		}
		fprintf(to, "ports %.*s\n", (int)block->ports.length, block->ports.at);
		for (size_t i = block->first; i < block->end; i++) {
			if (edit->line[i].kind != OTHER && edit->line[i].kind != FEED) {
				put_line(to, edit->line[i].text);
			}
		}
	}
	return stream_text(to, &text);
}

char *stream_text(FILE *to, char **text)
{
	bool bad = ferror(to) != 0;

	if (fclose(to) != 0 || bad) {
		free(*text);
		*text = NULL;
	}
	return *text;
}

/* ---- Writing ---- */

struct writing {
	const struct edit *edit;
	FILE *to;
	struct text ports; /* in force where we are */
	char made[1024];   /* what ports points to, where a list gave them */
};

static void write_ports(struct writing *writing, struct text ports)
{
	fprintf(writing->to, "ports     %.*s\n", (int)ports.length, ports.at);
	writing->ports = ports;
}

/* A block that stays as it is. */
static void write_kept(struct writing *writing, const struct edit_block *block)
{
	bool said = same_text(writing->ports, block->ports);

	for (size_t i = block->first; i < block->end; i++) {
		const struct edit_line *line = &writing->edit->line[i];

		if (line->kind == ENTRY && !said) {
			write_ports(writing, block->ports);
			said = true;
		}
		put_line(writing->to, line->text);
		if (line->kind == PORTS) {
			writing->ports = line->rest;
			said = true;
		}
	}
}

/* What stands in front of the block's entries, and isn't replaced. */
static void write_head(struct writing *writing, const struct edit_block *block, const struct edit_result *result)
{
	for (size_t i = block->source; i < block->end && writing->edit->line[i].kind != ENTRY; i++) {
		const struct edit_line *line = &writing->edit->line[i];

		if ((line->kind == BARE && line->text.length > 0 && i != block->source) ||
		    (line->kind == EXPIRES && result->expires[0] == '\0')) {
			put_line(writing->to, line->text);
		}
	}
}

static bool is_entry(const struct feed_entry *entry, struct text word)
{
	char text[RULE_SIZE];

	if (entry->name != NULL) {
		return text_is(word, entry->name);
	}
	prefix_format(&entry->prefix, text);
	return text_is(word, text);
}

static void write_entries(struct writing *writing, const struct edit_result *result, size_t block)
{
	const struct feed *feed = result->feed;
	char text[PREFIX_TEXT_SIZE];

	for (size_t p = 0; p < result->pins; p++) { /* those that the list has within another entry */
		bool listed = false;

		for (size_t i = 0; i < feed->entries; i++) {
			listed = listed || is_entry(&feed->entry[i], result->pin[p].word);
		}
		if (result->pin[p].block == block && !listed) {
			fprintf(writing->to, "%s   %.*s pin\n", result->pin[p].name ? "name   " : "address", (int)result->pin[p].word.length,
			    result->pin[p].word.at);
		}
	}
	for (size_t i = 0; i < feed->entries; i++) {
		const struct feed_entry *entry = &feed->entry[i];
		bool pin = false;

		if (entry->block != block) {
			continue;
		}
		for (size_t p = 0; p < result->pins; p++) {
			pin = pin || is_entry(entry, result->pin[p].word);
		}
		if (entry->name == NULL) {
			prefix_format(&entry->prefix, text);
		}
		fprintf(writing->to, "%s   %s%s\n", entry->name == NULL ? "address" : "name   ", entry->name == NULL ? text : entry->name,
		    pin ? " pin" : "");
	}
}

static bool has_entries(const struct edit_result *result, size_t block)
{
	for (size_t i = 0; i < result->feed->entries; i++) {
		if (result->feed->entry[i].block == block) {
			return true;
		}
	}
	return false;
}

static void write_feed(struct writing *writing, const struct edit_feed *feed, const struct edit_result *result)
{
	const struct edit_block *block = &writing->edit->block[feed->block];
	bool first = true;

	for (size_t i = block->first; i < block->end; i++) {
		const struct edit_line *line = &writing->edit->line[i];

		if (i < block->source || (line->kind == OTHER && block->source == block->first)) {
			put_line(writing->to, line->text);
		}
	}
	for (size_t i = 0; i < result->feed->blocks; i++) {
		const struct feed_block *new = &result->feed->block[i];
		const char *date = new->date[0] == '\0' ? result->date : new->date;

		if (!has_entries(result, i)) {
			continue;
		}
		fprintf(writing->to, "%ssource    %.*s%s%s\n", first ? "" : "\n",
		    (int)(result->source.at == NULL ? strlen(new->source) : result->source.length),
		    result->source.at == NULL ? new->source : result->source.at, date[0] == '\0' ? "" : " ", date);
		if (first) {
			write_head(writing, block, result);
		}
		if (result->expires[0] != '\0') {
			fprintf(writing->to, "expires   %s\n", result->expires);
		}
		put_line(writing->to, writing->edit->line[feed->line].text);
		ports_format(&new->ports, writing->made, sizeof writing->made);
		write_ports(writing, text_of(writing->made));
		write_entries(writing, result, i);
		first = false;
	}
}

char *edit_write(const struct edit *edit, const struct edit_result *result)
{
	char *text = NULL;
	size_t length;
	struct writing writing = {edit, open_memstream(&text, &length), text_of("any"), ""};

	if (writing.to == NULL) {
		return NULL;
	}
	for (size_t b = 0; b < edit->blocks; b++) {
		const struct edit_block *block = &edit->block[b];

		if (block->feed < 0 || result[block->feed].feed == NULL) {
			write_kept(&writing, block);
		} else if (edit->feed[block->feed].block == b) {
			write_feed(&writing, &edit->feed[block->feed], &result[block->feed]);
		}
	}
	return stream_text(writing.to, &text);
}
