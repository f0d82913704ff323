/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line from Squid, one line back.
 *
 * A line is [CHANNEL] FIELD... ARGUMENT..., with blanks between and %xx escapes inside. A reply without the channel number
 * that Squid gave makes Squid 5.7 abort, so a line that starts like one is answered with it even if all else is wrong.
 * An answer is never BH: Squid would ask again twice, and then splice. */
#include <config.h>

#include "helper/helper.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- Writing ---- */

struct reply {
	char *out;
	size_t length;
};

static void put(struct reply *reply, const char *text, size_t length)
{
	/* Room for the line end is always kept. What REPLY_SIZE doesn't hold is cut: no reply comes near it. */
	if (length > REPLY_SIZE - 1 - reply->length) {
		length = REPLY_SIZE - 1 - reply->length;
	}
	memcpy(reply->out + reply->length, text, length);
	reply->length += length;
}

static void put_string(struct reply *reply, const char *text)
{
	put(reply, text, strlen(text));
}

/* A value that Squid takes as one word: all but plain characters as %xx. */
static void put_value(struct reply *reply, const char *key, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";

	put_string(reply, key);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c > 0x20 && c < 0x7f && c != '%' && c != '"' && c != '\\') {
			put(reply, value, 1);
		} else {
			char escape[3] = {'%', hex[c >> 4], hex[c & 15]};

			put(reply, escape, 3);
		}
	}
}

/* A sentence in quotes; what isn't printable becomes `?`. */
static void put_sentence(struct reply *reply, const char *key, const char *text)
{
	put_string(reply, key);
	put_string(reply, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			put_string(reply, "\\");
		}
		put(reply, (unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ? "?" : text, 1);
	}
	put_string(reply, "\"");
}

static size_t put_end(struct reply *reply)
{
	reply->out[reply->length++] = '\n';
	return reply->length;
}

/* ---- Reading ---- */

static bool is_number(struct text word)
{
	if (word.length == 0 || word.length >= CHANNEL_SIZE) {
		return false;
	}
	for (size_t i = 0; i < word.length; i++) {
		if (word.at[i] < '0' || word.at[i] > '9') {
			return false;
		}
	}
	return true;
}

/* Whether a field can be a number, so that a number in its place need not be a channel. */
static bool may_be_number(enum field field)
{
	return field != FIELD_CLIENT && field != FIELD_DST;
}

/* A number in front of the expected fields is the channel. Where the first field may be a number itself, it is one only if
 * all the fields follow. */
static bool has_channel(const struct options *options, const struct question *question)
{
	return question->words > 0 && is_number(question_word(question, 0)) &&
	    (options->fields == 0 || !may_be_number(options->field[0]) || question->words > options->fields);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %xx in place. Returns false for a broken escape, or one that hides a NUL. */
static bool unescape(char *line, uint32_t start, uint32_t *end)
{
	char *to = line + start;
	const char *from = to, *stop = line + *end;

	for (; from < stop; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		int high = stop - from > 2 ? hex_digit(from[1]) : -1, low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || (high == 0 && low == 0)) {
			return false;
		}
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*end = (uint32_t)(to - line);
	return true;
}

enum { BLOCK = 64 };

/* Looks at the next block, all of it at once, and once: a branch a character would cost more than all else. Behind the text
 * are line ends. */
static inline void look(struct lines *lines)
{
	char last[BLOCK];

	lines->block += BLOCK;
	const char *block = lines->text + lines->block;
	size_t left = lines->length - lines->block;
	if (left < BLOCK) {
		memset(last, '\n', sizeof last);
		memcpy(last, block, left);
		block = last;
	}
	uint64_t blank = 0, newline = 0;
#ifdef __SSE2__
	__m128i special = _mm_setzero_si128();

#pragma GCC unroll 4
	for (int i = 0; i < BLOCK; i += 16) {
		__m128i part = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
		__m128i newlines = _mm_cmpeq_epi8(part, _mm_set1_epi8('\n')), blanks = _mm_or_si128(newlines,
		    _mm_or_si128(_mm_cmpeq_epi8(part, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(part, _mm_set1_epi8('\t'))));

		blank |= (uint64_t)(unsigned)_mm_movemask_epi8(blanks) << i;
		newline |= (uint64_t)(unsigned)_mm_movemask_epi8(newlines) << i;
		special = _mm_or_si128(special, _mm_cmpeq_epi8(part, _mm_set1_epi8('%')));
		special = _mm_or_si128(special, _mm_cmpeq_epi8(part, _mm_setzero_si128()));
	}
	lines->special = _mm_movemask_epi8(special) != 0;
#else
	lines->special = false;
	for (int i = 0; i < BLOCK; i++) {
		blank |= (uint64_t)(block[i] == ' ' || block[i] == '\t' || block[i] == '\n') << i;
		newline |= (uint64_t)(block[i] == '\n') << i;
		lines->special = lines->special || block[i] == '\0' || block[i] == '%';
	}
#endif
	lines->blank = blank;
	lines->newline = newline;
	lines->unread = UINT64_MAX;
}

void protocol_begin(struct lines *lines, char *text, size_t length)
{
	*lines = (struct lines){.text = text, .length = length, .block = (size_t)-BLOCK};
}

/* Drops words that are empty; the last of edge is where the next one begins. Returns its place. */
static uint32_t *drop_empty(uint32_t *edge, const uint32_t *last)
{
	uint32_t *to = edge;

	for (; edge < last; edge += 2) {
		to[0] = edge[0];
		to[1] = edge[1];
		to += edge[0] == edge[1] ? 0 : 2;
	}
	*to = *last;
	return to;
}

/* Finds the next line's end, and its words. Returns whether there may be a NUL or a % in it. */
static inline bool split(struct lines *lines, struct question *question)
{
	uint32_t *edge = question->edge;
	uint64_t begin = lines->unread == 0 ? 1 : lines->unread & -lines->unread; /* where no word has begun yet */
	uint64_t behind; /* the line's end, and what follows */
	bool special = false;

	*edge = 0;
	do {
		if (lines->unread == 0) {
			look(lines);
		}
		uint32_t *before = edge, from = (uint32_t)(lines->block - lines->next);
		uint64_t newline = lines->newline & lines->unread;
		behind = newline | -newline;
		uint64_t ends = lines->blank & lines->unread & ~(behind << 1);
		bool any_empty = (ends & (ends << 1 | begin)) != 0;

		special = special || lines->special;
		begin = ends >> 63;
		for (; ends != 0; ends &= ends - 1, edge += 2) {
			edge[1] = from + (uint32_t)__builtin_ctzll(ends);
			edge[2] = edge[1] + 1;
		}
		if (any_empty) {
			edge = drop_empty(before, edge);
		}
		if (edge > question->edge + EDGES) {
			edge = question->edge + EDGES;
		}
		lines->unread = behind << 1;
	} while (behind == 0);
	question->line = lines->text + lines->next;
	question->length = lines->block + (size_t)__builtin_ctzll(behind) - lines->next;
	question->words = (size_t)(edge - question->edge) / 2;
	lines->next += question->length + 1;
	return special;
}

void protocol_read(const struct options *options, struct lines *lines, struct question *question)
{
	char *line = lines->text + lines->next;
	bool special = split(lines, question);

	if (question->length > 0 && line[question->length - 1] == '\r') {
		uint32_t *last = question->edge + 2 * question->words - 2;

		last[1]--;
		question->words -= last[0] == last[1];
	}
	question->first = has_channel(options, question) ? 1 : 0;
	question->wrong = NULL;
	if (options->wrong[0] != '\0') {
		question->wrong = options->wrong;
	} else if (special && memchr(line, '\0', question->length) != NULL) {
		question->wrong = "a NUL byte in the line";
	} else if (question->words - question->first < options->fields) {
		question->wrong = "fewer fields than --fields says";
	} else if (question->words > WORDS) {
		question->wrong = "more than 64 arguments";
	}
	for (size_t i = question->first; special && i < question->words && question->wrong == NULL; i++) {
		if (!unescape(line, question->edge[2 * i], &question->edge[2 * i + 1])) {
			question->wrong = "a broken %xx escape";
		}
	}
}

inline void protocol_facts(const struct options *options, const struct question *question, struct facts *facts)
{
	static const uint8_t place[] = {
		[FIELD_CLIENT] = offsetof(struct facts, client), [FIELD_DST] = offsetof(struct facts, dst),
		[FIELD_DPORT] = offsetof(struct facts, dport), [FIELD_HOST] = offsetof(struct facts, host),
		[FIELD_PORT] = offsetof(struct facts, port), [FIELD_SNI] = offsetof(struct facts, sni)};
	static const struct text missing = {NULL, 0};

	*facts = (struct facts){missing, missing, missing, missing, missing, missing, CONFIRM_UNASKED};
	for (size_t i = 0; i < options->fields; i++) {
		if (options->field[i] < FIELD_METHOD) {
			*(struct text *)(void *)((char *)facts + place[options->field[i]]) = question_word(question, question->first + i);
		}
	}
}

size_t protocol_arguments(const struct options *options, const struct question *question, struct text arguments[WORDS])
{
	size_t first = question->first + options->fields;

	for (size_t i = first; i < question->words; i++) {
		arguments[i - first] = question_word(question, i);
	}
	return question->words - first;
}

void protocol_decide(const struct options *options, const struct category *category, const struct question *question,
    enum confirmation sni_confirmed, struct verdict *verdict)
{
	struct text arguments[WORDS];
	size_t count = protocol_arguments(options, question, arguments);
	struct facts facts;

	protocol_facts(options, question, &facts);
	facts.sni_confirmed = sni_confirmed;
	decide(category, &options->policy, &facts, arguments, count, verdict);
}

void protocol_claim(const struct options *options, const struct question *question, char name[NAME_SIZE],
    struct address *dst)
{
	struct facts facts;
	struct refusal why;

	protocol_facts(options, question, &facts);
	if (!name_parse(facts.sni, name, &why) || !address_parse(facts.dst, dst, &why)) {
		name[0] = '\0'; /* no question about these is undecided */
	}
}

/* ---- Answering ---- */

static void put_verdict(struct reply *reply, const struct options *options, const struct verdict *verdict)
{
	char rule[RULE_SIZE], source[SOURCE_SIZE], also[SOURCE_SIZE];

	if (verdict->kind != VERDICT_BYPASS) {
		put_string(reply, "ERR verdict_=normal");
		if (verdict->kind == VERDICT_UNREADABLE) {
			put_sentence(reply, " message=", verdict->message);
		} else if (verdict->miss != MISS_NONE) {
			put_value(reply, " reason_=", miss_name(verdict->miss));
		}
		return;
	}
	if (options->shadow) {
		put_value(reply, "ERR verdict_=shadow would_=", verdict->service == NULL ? "client" : verdict->service);
	} else {
		put_string(reply, "OK verdict_=bypass");
		if (verdict->service != NULL) {
			put_value(reply, " service_=", verdict->service);
		}
	}
	verdict_rule(verdict, rule);
	put_value(reply, " rule_=", rule);
	put_value(reply, " evidence_=", evidence_name(verdict->evidence));
	verdict_source(verdict, source, sizeof source);
	put_value(reply, " source_=", source);
	if (verdict->stale) {
		put_string(reply, " stale_=yes");
	}
	if (verdict_also(verdict, also, sizeof also) > 0) {
		put_value(reply, " also_=", also);
	}
	if (!options->shadow) {
		put_string(reply, " tag=meeting");
		if (options->policy.mode == MODE_INTERCEPT) {
			put_string(reply, " clt_conn_tag=meeting"); /* an intercepted connection has one destination */
		}
	}
}

size_t protocol_reply(const struct options *options, const struct question *question, const struct verdict *verdict,
    char out[REPLY_SIZE])
{
	struct reply reply = {out, 0};

	if (question->first > 0) {
		struct text channel = question_word(question, 0);

		put(&reply, channel.at, channel.length);
		put_string(&reply, " ");
	}
	if (question->wrong != NULL) {
		put_sentence(&reply, "ERR verdict_=normal message=", question->wrong);
	} else {
		put_verdict(&reply, options, verdict);
	}
	return put_end(&reply);
}
