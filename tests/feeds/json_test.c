/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Microsoft's and Amazon's lists: filters, missing keys, and where the value stands that wasn't taken. */
#include <config.h>

#include "tests/feeds/said.h"

#include <string.h>

#define M365 "https://endpoints.office.com/endpoints/worldwide (service area Skype, "
#define AWS "https://ip-ranges.amazonaws.com/ip-ranges.json (CHIME_MEETINGS) "

static void reads_microsoft(void **state)
{
	(void)state;

	assert_list(FEED_M365_JSON,
	    "[{\"id\": 11, \"serviceArea\": \"Skype\", \"ips\": [\"52.112.0.0/14\", \"2603:1063::/38\"], \"udpPorts\": "
	    "\"3478-3481\", \"required\": true},\n{\"id\": 1, \"serviceArea\": \"Exchange\", \"urls\": [\"a b\"]},\n"
	    "{\"id\": 12, \"serviceArea\": \"Skype\", \"urls\": [\"*.lync.com\"], \"tcpPorts\": \"80,443\", \"udpPorts\": \"443\"}]",
	    "[" M365 "set 11) |udp 3478-3481] 52.112.0.0/14 2603:1063::/38 [" M365 "set 12) |tcp 80,443 udp 443] .lync.com "
	    "told 3:46 *.lync.com is written .lync.com, which holds the domain itself, too\n");
}

static void refuses_of_microsoft(void **state)
{
	static const char *const cases[][2] = {
	    {"[{\"serviceArea\": \"Skype\",\n\"tcpPorts\": \"443\",\n \"urls\": [\"a.example.com\", \"*cdn.onenote.net\"]}]",
	        "refused 3:29 *cdn.onenote.net: a wildcard"},
	    {"[{\"notes\": \"\\\"]}\\\\\",\n\"serviceArea\": \"Skype\", \"tcpPorts\": \"443\",\n\"urls\": [\"a*.b.c\"]}]", "refused 3:11 a*.b.c"},
	    {"[{\"serviceArea\": \"Skype\", \"tcpPorts\": \"443\", \"urls\": [7]}]", "urls holds texts"},
	    {"[{\"serviceArea\": \"Skype\", \"tcpPorts\": \"443\", \"urls\": \"a.example.com\"}]", "urls is a list"},
	    {"[{\"serviceArea\": \"Skype\", \"tcpPorts\": 443, \"ips\": [\"8.8.8.8\"]}]", "refused 1:39 tcpPorts is a text"},
	    {"[{\"serviceArea\": \"Skype\", \"tcpPorts\": \"5004 and 9000\", \"ips\": [\"8.8.8.8\"]}]", "write 5004,9000"},
	    {"[{\"serviceArea\": \"Skype\", \"ips\": [\"8.8.8.8\"]}]", "refused 1:2 a set without ports"},
	    {"[{\"ips\": [\"8.8.8.8\"]}]", "a set without serviceArea"},
	    {"[{\"serviceArea\": \"Exchange\"}]", "refused 0:0 no set of the service area Skype"},
	    {"[8]", "a set is an object"},
	    {"[]", "no set"},
	    {"{}", "are a list of sets"},
	    {"[{\"serviceArea\": \"Skype\",\n \"a\": }]", "refused 2:"},
	    {"[{\"serviceArea\": \"Skype\", \"serviceArea\": \"Exchange\"}]", "not JSON"},
	    {"", "not JSON"},
	    {"<html>", "not JSON"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_list_has(FEED_M365_JSON, cases[i][0], cases[i][1]);
	}
}

static void filters_microsoft(void **state)
{
	static const char list[] = "[{\"serviceArea\": \"A\", \"tcpPorts\": \"1\", \"ips\": [\"8.8.8.8\"], \"required\": false},"
	                           "{\"serviceArea\": \"A\", \"tcpPorts\": \"1\", \"ips\": [\"9.9.9.9\"], \"required\": true}]";
	struct feed_options options = {.file = "list", .source = "S", .area = "A"};
	(void)state;

	assert_string_equal(said_of(FEED_M365_JSON, list, strlen(list), &options),
	    "[S (service area A) |tcp 1] 8.8.8.8 [S (service area A) |tcp 1] 9.9.9.9 ");
	options.required_only = true;
	assert_string_equal(said_of(FEED_M365_JSON, list, strlen(list), &options), "[S (service area A) |tcp 1] 9.9.9.9 ");
}

static void leaves_sets_out(void **state)
{
	static const char list[] = "[{\"id\": 11, \"serviceArea\": \"A\", \"tcpPorts\": \"1\", \"ips\": [\"8.8.8.8\"]},\n"
	                           "{\"id\": 16, \"serviceArea\": \"A\", \"tcpPorts\": \"1\", \"urls\": [\"aka.ms\"]},"
	                           "{\"id\": 17, \"serviceArea\": \"B\"}]";
	static const uint32_t sets[] = {17, 16};
	struct feed_options options = {.file = "list", .source = "S", .area = "A", .exclude = sets, .excludes = 2};
	(void)state;

	assert_string_equal(said_of(FEED_M365_JSON, list, strlen(list), &options),
	    "[S (service area A, set 11) |tcp 1] 8.8.8.8 told 2:1 left out: set 16\n");
	options.excludes = 1;
	assert_non_null(strstr(said_of(FEED_M365_JSON, list, strlen(list), &options), "aka.ms"));
}

static void reads_amazon(void **state)
{
	(void)state;

	assert_list(FEED_AWS_JSON,
	    "{\"syncToken\": \"1\", \"createDate\": \"2026-11-20-18-13-07\", \"prefixes\": [{\"ip_prefix\": \"99.77.128.0/18\", "
	    "\"service\": \"CHIME_MEETINGS\"}, {\"ip_prefix\": \"3.5.140.0/22\", \"service\": \"AMAZON\"}], \"ipv6_prefixes\": "
	    "[{\"ipv6_prefix\": \"2600:F0F0::/32\", \"service\": \"CHIME_MEETINGS\"}]}",
	    "[" AWS "2026-11-20|any] 99.77.128.0/18 2600:f0f0::/32 told 1:220 2600:F0F0::/32 is written 2600:f0f0::/32\n");
	assert_list_has(FEED_AWS_JSON, "{\"prefixes\": []}", "refused 0:0 no block of the service CHIME_MEETINGS");
	assert_list_has(FEED_AWS_JSON, "{\"prefixes\": [{\"ip_prefix\": \"8.8.8.8\"}]}", "refused 1:15 a record without a service");
	assert_list_has(FEED_AWS_JSON, "{\"prefixes\": [{\"service\": \"CHIME_MEETINGS\"}]}", "a record without ip_prefix");
	assert_list_has(FEED_AWS_JSON, "{\"prefixes\": [{\"ip_prefix\": \"8.8.8.1/24\", \"service\": \"CHIME_MEETINGS\"}]}",
	    "refused 1:30 8.8.8.1/24: bits are set");
	assert_list_has(FEED_AWS_JSON, "{\"prefixes\": [{\"ip_prefix\": \"a.example\", \"service\": \"CHIME_MEETINGS\"}]}",
	    "not a block of addresses");
	assert_list_has(FEED_AWS_JSON, "{\"createDate\": \"today\", \"prefixes\": []}", "createDate is a day");
	assert_list_has(FEED_AWS_JSON, "{\"prefixes\": 7}", "prefixes is a list");
	assert_list_has(FEED_AWS_JSON, "[]", "are an object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_microsoft),
	    cmocka_unit_test(refuses_of_microsoft),
	    cmocka_unit_test(filters_microsoft), cmocka_unit_test(leaves_sets_out),
	    cmocka_unit_test(reads_amazon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
