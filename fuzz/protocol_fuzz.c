/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a line from Squid: one line back, with its channel, that Squid can read, and never a BH.
 * The first byte chooses the helper's options. */
#include <config.h>

#include "fuzz/target.h"
#include "helper/helper.h"

#include <stdlib.h>
#include <string.h>

static struct category *category;

static void free_category(void)
{
	category_free(category);
}

static void begin(void)
{
	static const char meet[] = "service meet\nsource https://meet.example/ \"x\" 2026-01-01\nports tcp 80,443\naddress "
	                           "192.0.2.0/24\naddress 2001:db8::/32\nname .meet.example\nname meet.example any\n";
	static const char old[] =
	    "service old\nexpires 2020-01-01\naddress 192.0.2.0/25\naddress 198.51.100.0/24\nname .old.example\n";
	static const char clients[] = "client 10.0.0.0/8\nclient 11.0.0.0/8 meet\n";
	static const char *const files[] = {"meet.service", "old.service", "off.service", "clients", NULL};
	struct problems problems = {NULL, 0, 0, 0};
	char *folder = scratch_folder();

	scratch_put(folder, "meet.service", meet, sizeof meet - 1);
	scratch_put(folder, "old.service", old, sizeof old - 1);
	scratch_put(folder, "off.service", "", 0);
	scratch_put(folder, "clients", clients, sizeof clients - 1);
	category = category_load((const char *const *)&folder, 1, NULL, &problems);
	MUST(category != NULL && problems.count == 0);
	scratch_free(folder, files);
	(void)atexit(free_category);
}

static void choose_options(uint8_t choice, struct options *options)
{
	static const char *const fields[] = {
	    NULL, "client,dst,dport,host,port,sni", "dport,dst", "-,method,host,port,client"};

	options_begin(options);
	options_take(options, 'm', (choice & 1) != 0 ? "explicit" : "intercept");
	options_take(options, 'n', (choice & 2) != 0 ? "trust" : (choice & 4) != 0 ? "ignore" : "verify");
	options_take(options, 's', (choice & 8) != 0 ? "refuse" : "accept");
	if ((choice & 16) != 0) {
		options_take(options, 'S', NULL);
	}
	if (fields[choice >> 5 & 3] != NULL) {
		options_take(options, 'f', fields[choice >> 5 & 3]);
	}
	if ((choice & 128) != 0) {
		options_take(options, 'm', "\"both\\\x01");
	}
	options_end(options);
	options->policy.today = 20000;
}

/* The channel by its own reading: digits, 1 to 20, in front of a blank or the end. */
static size_t channel_of(const struct options *options, const char *line, size_t length, const char **channel)
{
	size_t start = 0, end, words = 0;

	length -= length > 0 && line[length - 1] == '\r';
	while (start < length && (line[start] == ' ' || line[start] == '\t')) {
		start++;
	}
	for (end = start; end < length && line[end] >= '0' && line[end] <= '9';) {
		end++;
	}
	for (size_t at = 0; at < length; at++) {
		words += line[at] != ' ' && line[at] != '\t' && (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t');
	}
	*channel = line + start;
	if (end == start || end - start > 20 || (end < length && line[end] != ' ' && line[end] != '\t')) {
		return 0;
	}
	bool may_be_number = options->fields > 0 && options->field[0] != FIELD_CLIENT && options->field[0] != FIELD_DST;
	return may_be_number && words <= options->fields ? 0 : end - start;
}

static void check_reply(
    const struct options *options, const char *line, size_t length, const char *reply, size_t reply_length)
{
	const char *channel;
	size_t channel_length = channel_of(options, line, length, &channel);
	bool quoted = false;

	MUST(reply_length > 0 && reply_length <= REPLY_SIZE);
	MUST(memchr(reply, '\n', reply_length) == reply + reply_length - 1);
	if (channel_length > 0) {
		MUST(reply_length > channel_length && memcmp(reply, channel, channel_length) == 0 &&
		    reply[channel_length] == ' ');
		reply += channel_length + 1;
		reply_length -= channel_length + 1;
	}
	bool ok = reply_length > 18 && memcmp(reply, "OK verdict_=bypass", 18) == 0;
	MUST(ok || (reply_length > 18 && memcmp(reply, "ERR verdict_=", 13) == 0));
	MUST(!ok || (options->wrong[0] == '\0' && !options->shadow));
	for (size_t i = 0; i + 1 < reply_length; i++) {
		MUST(reply[i] >= 0x20 && reply[i] < 0x7f);
		if (reply[i] == '\\') {
			MUST(quoted && (reply[i + 1] == '"' || reply[i + 1] == '\\'));
			i++;
		} else if (reply[i] == '"') {
			quoted = !quoted;
		}
	}
	MUST(!quoted);
}

static void ask(const struct options *options, const char *line, size_t length, enum confirmation confirmation)
{
	static char reply[REPLY_SIZE];
	char *copy = malloc(length + 1);
	struct question question;
	struct verdict verdict;
	struct lines lines;

	MUST(copy != NULL);
	memcpy(copy, line, length);
	protocol_begin(&lines, copy, length);
	protocol_read(options, &lines, &question);
	if (question.wrong == NULL) {
		protocol_decide(options, category, &question, CONFIRM_UNASKED, &verdict);
		if (verdict.kind == VERDICT_UNDECIDED) {
			char name[NAME_SIZE];
			struct address dst;

			MUST(options->policy.names == NAMES_VERIFY && options->policy.mode == MODE_INTERCEPT);
			protocol_claim(options, &question, name, &dst);
			MUST(name[0] != '\0');
			protocol_decide(options, category, &question, confirmation, &verdict);
			MUST((verdict.kind == VERDICT_BYPASS) == (confirmation == CONFIRM_YES));
			MUST(verdict.kind != VERDICT_UNDECIDED);
		}
	}
	size_t reply_length = protocol_reply(options, &question, &verdict, reply);
	check_reply(options, line, length, reply, reply_length);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options options;
	const char *line = (const char *)data + 1;

	if (size == 0 || size > LINE_SIZE || memchr(line, '\n', size - 1) != NULL) {
		return 0;
	}
	if (category == NULL) {
		begin();
	}
	choose_options(data[0], &options);
	for (int confirmation = CONFIRM_YES; confirmation <= CONFIRM_REFUSED; confirmation++) {
		ask(&options, line, size - 1, (enum confirmation)confirmation);
	}
	return 0;
}
