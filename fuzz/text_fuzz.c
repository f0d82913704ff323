/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as an address, a block, a name, a service, ports, a day: what is taken comes back when written and read. */
#include <config.h>

#include "category/internal.h"
#include "fuzz/target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void check_refusal(const struct refusal *why, struct text text)
{
	MUST(why->reason[0] != '\0');
	MUST(memchr(why->reason, '\0', sizeof why->reason) != NULL);
	MUST(why->offset <= text.length);
}

static void check_address(struct text text)
{
	struct address address, again;
	struct refusal why = {"", SIZE_MAX};
	char out[ADDRESS_TEXT_SIZE];

	if (!address_parse(text, &address, &why)) {
		check_refusal(&why, text);
		if (text.length < sizeof out && (text.length == 0 || memchr(text.at, '\0', text.length) == NULL)) {
			uint8_t bytes[16];

			memcpy(out, text.at, text.length);
			out[text.length] = '\0';
			MUST(inet_pton(AF_INET, out, bytes) != 1 && inet_pton(AF_INET6, out, bytes) != 1);
		}
		return;
	}
	MUST(address.family == IPV4 || address.family == IPV6);
	size_t length = address_format(&address, out);
	MUST(length > 0 && out[length] == '\0');
	MUST(address_parse((struct text){out, length}, &again, &why));
	MUST(memcmp(&again, &address, sizeof address) == 0);
	MUST(address.family == IPV6 || memcmp(address.bytes + 4, (const uint8_t[12]){0}, 12) == 0);
	/* inet_pton reads the same, where it isn't in brackets; of an IPv4-mapped one the end is left. */
	if (text.at[0] != '[') {
		char copy[64];
		uint8_t bytes[16];

		MUST(text.length < sizeof copy);
		memcpy(copy, text.at, text.length);
		copy[text.length] = '\0';
		bool colon = memchr(copy, ':', text.length) != NULL;
		MUST(inet_pton(colon ? AF_INET6 : AF_INET, copy, bytes) == 1);
		MUST(memcmp(address.bytes, bytes + (colon && address.family == IPV4 ? 12 : 0), address.family == IPV4 ? 4 : 16) == 0);
	}
}

static void check_prefix(struct text text)
{
	struct prefix prefix, again;
	struct refusal why = {"", SIZE_MAX};
	char out[PREFIX_TEXT_SIZE], full[PREFIX_TEXT_SIZE + 8];

	if (!prefix_parse(text, &prefix, &why)) {
		check_refusal(&why, text);
		return;
	}
	MUST(prefix.length <= family_bits(prefix.address.family));
	MUST(prefix_holds(&prefix, &prefix.address));
	size_t length = prefix_format(&prefix, out);
	MUST(prefix_parse((struct text){out, length}, &again, &why));
	MUST(memcmp(&again, &prefix, sizeof prefix) == 0);
	/* The text is the canonical one, with or without the length of a single host. */
	int full_length = snprintf(full, sizeof full, "%s/%u", out, family_bits(prefix.address.family));
	MUST((text.length == length && memcmp(text.at, out, length) == 0) ||
	    (text.length == (size_t)full_length && memcmp(text.at, full, text.length) == 0));
	for (int words = 0; words < 4; words++) {
		why.reason[0] = '\0';
		MUST(prefix_allowed(&prefix, (words & 1) != 0, (words & 2) != 0, &why) == (why.reason[0] == '\0'));
	}
	if (prefix.length == 0) {
		MUST(!prefix_allowed(&prefix, true, true, &why));
	}
}

static void check_name(struct text text)
{
	char name[NAME_SIZE], again[NAME_SIZE];
	struct refusal why = {"", SIZE_MAX};
	struct address address;

	memset(name, 'x', sizeof name);
	if (!name_parse(text, name, &why)) {
		check_refusal(&why, text);
		return;
	}
	size_t length = strlen(name);
	MUST(length > 0 && length < NAME_SIZE);
	MUST(length == text.length || (length + 1 == text.length && text.at[length] == '.'));
	MUST(name_parse(text_of(name), again, &why));
	MUST(strcmp(name, again) == 0);
	MUST(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length);
	MUST(!address_parse(text_of(name), &address, &why)); /* nothing is both */
}

static void check_others(struct text text)
{
	char name[SERVICE_NAME_SIZE], out[512];
	struct refusal why = {"", SIZE_MAX};
	struct ports ports = {.any = false}, again = {.any = false};
	int32_t day;

	if (service_name_parse(text, name, &why)) {
		MUST(text_is(text, name));
	} else {
		check_refusal(&why, text);
	}
	if (ports_add_list(&ports, TCP, text, &why)) {
		MUST(ports.count[TCP] > 0 && ports.count[TCP] <= PORT_RANGES && ports.count[UDP] == 0);
		size_t length = ports_format(&ports, out, sizeof out);
		MUST(length > 4 && memcmp(out, "tcp ", 4) == 0);
		MUST(ports_add_list(&again, TCP, (struct text){out + 4, length - 4}, &why));
		MUST(again.count[TCP] == ports.count[TCP]);
		MUST(memcmp(again.range[TCP], ports.range[TCP], ports.count[TCP] * sizeof ports.range[TCP][0]) == 0);
	} else {
		check_refusal(&why, text);
	}
	if (date_parse(text, &day)) {
		MUST(text.length == 10 && day >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size, so that a byte behind it is noticed. */
	struct text text = {(const char *)data, size};

	check_address(text);
	check_prefix(text);
	check_name(text);
	check_others(text);
	return 0;
}
