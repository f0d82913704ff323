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
static bool has_channel(const struct options *options, const struct text *words, size_t count)
{
	return count > 0 && is_number(words[0]) &&
	    (options->fields == 0 || !may_be_number(options->field[0]) || count > options->fields);
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
static bool unescape(struct text *word)
{
	char *start = (char *)(uintptr_t)word->at, *to;
	const char *from = word->length == 0 ? NULL : memchr(start, '%', word->length), *end = start + word->length;

	if (from == NULL) {
		return true;
	}
	for (to = start + (from - start); from < end; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		int high = end - from > 2 ? hex_digit(from[1]) : -1, low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || (high == 0 && low == 0)) {
			return false;
		}
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	word->length = (size_t)(to - start);
	return true;
}

/* What the characters of a line are. They are looked at many at a time: a branch for each would cost more than all else. */
enum { BLOCK = 64 };
struct looked {
	uint64_t blank;    /* of the block looked at last; the first character's bit is the lowest */
	bool nul, percent; /* there was one, in any block */
};

#ifdef __SSE2__
static void look_at_block(const char block[BLOCK], struct looked *looked)
{
	__m128i nul = _mm_setzero_si128(), percent = nul;

	looked->blank = 0;
	for (int i = 0; i < BLOCK; i += 16) {
		__m128i text = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
		__m128i blank = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\t')));

		nul = _mm_or_si128(nul, _mm_cmpeq_epi8(text, _mm_setzero_si128()));
		percent = _mm_or_si128(percent, _mm_cmpeq_epi8(text, _mm_set1_epi8('%')));
		looked->blank |= (uint64_t)(unsigned)_mm_movemask_epi8(blank) << i;
	}
	looked->nul = looked->nul || _mm_movemask_epi8(nul) != 0;
	looked->percent = looked->percent || _mm_movemask_epi8(percent) != 0;
}
#else
static void look_at_block(const char block[BLOCK], struct looked *looked)
{
	looked->blank = 0;
	for (int i = 0; i < BLOCK; i++) {
		looked->blank |= (uint64_t)(block[i] == ' ' || block[i] == '\t') << i;
		looked->nul = looked->nul || block[i] == '\0';
		looked->percent = looked->percent || block[i] == '%';
	}
}
#endif

static void look(const char *at, size_t length, struct looked *looked)
{
	char block[BLOCK];

	if (length < BLOCK) {
		memset(block, ' ', sizeof block);
		memcpy(block, at, length);
		at = block;
	}
	look_at_block(at, looked);
}

/* The words of a line, WORDS at most; *more tells that there were others. */
static size_t split(const char *line, size_t length, struct text words[WORDS], struct looked *looked, bool *more)
{
	uint64_t before = 1; /* was the last character a blank? */
	size_t count = 0;
	bool inside = false;

	*more = false;
	for (size_t at = 0; at < length; at += BLOCK) {
		look(line + at, length - at < BLOCK ? length - at : BLOCK, looked);
		for (uint64_t edges = looked->blank ^ (looked->blank << 1 | before); edges != 0; edges &= edges - 1) {
			const char *edge = line + at + __builtin_ctzll(edges);

			if (inside) {
				words[count].length = (size_t)(edge - words[count].at);
				count++;
			} else if (count < WORDS) {
				words[count].at = edge;
			} else {
				*more = true;
				return count;
			}
			inside = !inside;
		}
		before = looked->blank >> 63;
	}
	if (inside) {
		words[count].length = (size_t)(line + length - words[count].at);
		count++;
	}
	return count;
}

void protocol_read(const struct options *options, char *line, size_t length, struct question *question)
{
	struct looked looked = {0, false, false};
	bool more;

	if (length > 0 && line[length - 1] == '\r') {
		length--;
	}
	question->words = split(line, length, question->word, &looked, &more);
	question->first = has_channel(options, question->word, question->words) ? 1 : 0;
	question->wrong = NULL;
	if (options->wrong[0] != '\0') {
		question->wrong = options->wrong;
	} else if (looked.nul) {
		question->wrong = "a NUL byte in the line";
	} else if (question->words - question->first < options->fields) {
		question->wrong = "fewer fields than --fields says";
	} else if (more) {
		question->wrong = "more than 64 arguments";
	}
	for (size_t i = question->first; looked.percent && i < question->words && question->wrong == NULL; i++) {
		if (!unescape(&question->word[i])) {
			question->wrong = "a broken %xx escape";
		}
	}
}

void protocol_facts(const struct options *options, const struct question *question, struct facts *facts)
{
	static const size_t place[] = {
		[FIELD_CLIENT] = offsetof(struct facts, client), [FIELD_DST] = offsetof(struct facts, dst),
		[FIELD_DPORT] = offsetof(struct facts, dport), [FIELD_HOST] = offsetof(struct facts, host),
		[FIELD_PORT] = offsetof(struct facts, port), [FIELD_SNI] = offsetof(struct facts, sni)};

	memset(facts, 0, sizeof *facts);
	for (size_t i = 0; i < options->fields; i++) {
		if (options->field[i] < FIELD_METHOD) {
			memcpy((char *)facts + place[options->field[i]], &question->word[question->first + i], sizeof(struct text));
		}
	}
}

size_t protocol_arguments(const struct options *options, const struct question *question, const struct text **arguments)
{
	size_t first = question->first + options->fields;

	*arguments = question->word + first;
	return question->words - first;
}

void protocol_decide(const struct options *options, const struct category *category, const struct question *question,
    enum confirmation sni_confirmed, struct verdict *verdict)
{
	const struct text *arguments;
	size_t count = protocol_arguments(options, question, &arguments);
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

static void put_channel(struct reply *reply, const struct text *word)
{
	put(reply, word->at, word->length);
	put_string(reply, " ");
}

size_t protocol_reply(const struct options *options, const struct question *question, const struct verdict *verdict,
    char out[REPLY_SIZE])
{
	struct reply reply = {out, 0};

	if (question->first > 0) {
		put_channel(&reply, &question->word[0]);
	}
	if (question->wrong != NULL) {
		put_sentence(&reply, "ERR verdict_=normal message=", question->wrong);
	} else {
		put_verdict(&reply, options, verdict);
	}
	return put_end(&reply);
}
