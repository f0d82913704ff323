/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what updates read; the first byte says as what: a key, a signature and its text, a bundle, a service file whose
 * feeds are replaced, Microsoft's announced changes. */
#include <config.h>

#include "feeds/update.h"
#include "fuzz/target.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MOST = 8192 };

/* A key whose secret half is gone. */
static const char public_key[] = "RWSoVRHL2WokFw0x+6XK/5d6GG6CivnGINgxLXpzF3184Usfb+jX4NfU";

static void check_refusal(const struct refusal *why, size_t size)
{
	MUST(why->reason[0] != '\0' && why->offset <= size);
}

static void try_key(struct text text)
{
	struct signature_key key;
	struct refusal why;

	if (!signature_key_parse(text, &key, &why)) {
		check_refusal(&why, text.length);
	}
}

/* A signature, a NUL, and the text that it should be of. */
static void try_signature(struct text text)
{
	const char *end = memchr(text.at, '\0', text.length);
	struct signature_key key;
	struct refusal why;
	char other[INPUT_MOST + 1];

	if (end == NULL) {
		return;
	}
	struct text signature = {text.at, (size_t)(end - text.at)}, message = {end + 1, text.length - signature.length - 1};
	MUST(signature_key_parse(text_of(public_key), &key, &why));
	if (!signature_verify(&key, message, signature, &why)) {
		check_refusal(&why, text.length);
		return;
	}
	memcpy(other, message.at, message.length);
	other[message.length] = 'x';
	MUST(!signature_verify(&key, (struct text){other, message.length + 1}, signature, &why));
	key.key[0] ^= 1;
	MUST(!signature_verify(&key, message, signature, &why));
}

/* What is taken is written in one way only. */
static void try_bundle(struct text text)
{
	struct bundle bundle;
	struct refusal why;
	size_t length;

	if (bundle_parse(text, &bundle, &why)) {
		char *again = bundle_write(&bundle, &length);

		MUST(again != NULL && length == text.length && memcmp(again, text.at, length) == 0);
		free(again);
	} else {
		check_refusal(&why, text.length);
	}
	bundle_free(&bundle);
}

/* The file's text with all feeds replaced by feed; NULL: they stay. */
static char *replaced(const struct edit *edit, const struct feed *feed, const char *expires)
{
	struct edit_result *results = calloc(edit->feeds + 1, sizeof *results);
	struct edit_pin *pins = NULL;
	size_t count = 0;

	MUST(results != NULL && edit_pins(edit, -1, &pins, &count));
	for (size_t i = 0; i < edit->feeds; i++) {
		results[i] = (struct edit_result){.feed = feed, .source = edit->feed[i].source, .date = "2026-11-25"};
		(void)snprintf(results[i].expires, sizeof results[i].expires, "%s", expires);
	}
	char *text = edit_write(edit, results);
	MUST(text != NULL);
	free(pins);
	free(results);
	return text;
}

static struct category *read_good(const char *text)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct category *category = category_read("x.service", text, strlen(text), &problems);

	MUST(category != NULL && problems.count == 0);
	return category;
}

static void must_be_same(const char *a, const char *b)
{
	struct category *left = read_good(a), *right = read_good(b);
	struct diff diff;

	MUST(diff_make(left, right, NULL, &diff) && diff.changes == 0);
	diff_free(&diff);
	category_free(left);
	category_free(right);
}

static void check_edit(const struct edit *edit, const char *whole)
{
	static const struct feed_options options = {.file = "list", .source = "S"};
	static const char list[] = "192.0.2.0/24 2001:db8::/32 .meet.example";
	struct feed some, none = {.entries = 0};
	struct refusal why;
	struct edit next;

	MUST(feed_read(FEED_CIDR, list, strlen(list), &options, &some));
	char *same = replaced(edit, NULL, ""), *rest = replaced(edit, &none, ""), *new = replaced(edit, &some, "2027-01-01");
	must_be_same(whole, same);
	MUST(edit_open(&next, text_of(new), &why) && next.feeds == edit->feeds);
	char *rest_again = replaced(&next, &none, ""), *again = replaced(&next, &some, "2027-01-01");
	must_be_same(rest, rest_again);
	must_be_same(new, again);
	edit_close(&next);
	feed_free(&some);
	free(same);
	free(rest);
	free(new);
	free(rest_again);
	free(again);
}

static void try_edit(struct text text)
{
	struct problems problems = {NULL, 0, 0, 0};
	struct category *category;
	struct edit edit;
	struct refusal why;
	bool fine = edit_open(&edit, text, &why);

	if (!fine) {
		check_refusal(&why, text.length + 1);
	}
	category = category_read("x.service", text.at, text.length, &problems);
	MUST(category != NULL);
	if (fine && problems.count == 0) {
		char *whole = strndup(text.at, text.length);

		MUST(whole != NULL);
		check_edit(&edit, whole);
		free(whole);
	}
	problems_free(&problems);
	category_free(category);
	edit_close(&edit);
}

static void try_announced(struct text text)
{
	static const struct feed_options options = {.file = "list", .source = "S", .area = "Skype"};
	static const char list[] = "[{\"id\":11,\"serviceArea\":\"Skype\",\"ips\":[\"192.0.2.0/24\",\"2001:db8::/32\"],\"tcpPorts\":\"443\"},"
	                           "{\"id\":12,\"serviceArea\":\"Skype\",\"urls\":[\"*.a.example\",\"b.example\"],\"tcpPorts\":\"443\"}]";
	static const char before[] = "service x\naddress 198.51.100.0/24\nname c.example\nname .a.example\n";
	struct category *category = read_good(before);
	struct announced *pending;
	struct feed feed;
	size_t count;

	MUST(feed_read(FEED_M365_JSON, list, strlen(list), &options, &feed) && feed.entries == 4);
	MUST(announced_apply(text.at, text.length, "changes", category, 20000, &feed, &pending, &count));
	for (size_t i = 0; i < count; i++) {
		MUST(pending[i].day > 20000 && pending[i].rule[0] != '\0' && (pending[i].set == 11 || pending[i].set == 12));
	}
	for (size_t i = 0; i < feed.entries; i++) {
		MUST(feed.entry[i].block < feed.blocks);
	}
	char *file = feed_service_file(&feed, "x", NULL, NULL);
	MUST(file != NULL);
	category_free(read_good(file));
	free(file);
	free(pending);
	feed_free(&feed);
	category_free(category);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct text text) = {try_key, try_signature, try_bundle, try_edit, try_announced};

	if (size == 0 || size > INPUT_MOST) {
		return 0;
	}
	tries[data[0] % (sizeof tries / sizeof tries[0])]((struct text){(const char *)data + 1, size - 1});
	return 0;
}
