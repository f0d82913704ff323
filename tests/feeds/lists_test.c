/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists as text, well written, oddly written as vendors do, and run together: what is taken, told and refused. */
#include <config.h>

#include "tests/feeds/said.h"

#include <stdlib.h>
#include <string.h>

static void takes_what_is_certain(void **state)
{
	static const char *const cases[][2] = {
	    {"1.2.3.0/24\n5.6.7.8\n", "1.2.3.0/24 5.6.7.8 "},
	    {"1.2.3.0/24", "1.2.3.0/24 "},
	    {"1.2.3.0/24\r\n5.6.7.8\r\n", "1.2.3.0/24 5.6.7.8 "},
	    {"\xef\xbb\xbf" "1.2.3.0/24\n", "1.2.3.0/24 "},
	    {"1.2.3.0/24, 5.6.7.0/24,\n8.8.8.8,", "1.2.3.0/24 5.6.7.0/24 8.8.8.8 "},
	    {"1.2.3.0/24\xc2\xa0" "5.6.7.0/24\xc2\xa0\n", "1.2.3.0/24 5.6.7.0/24 "},
	    {"# all\n1.2.3.0/24 # one\n; two\n// three\n\n", "1.2.3.0/24 "},
	    {"meet.example.com\n.example.org", "meet.example.com .example.org "},
	    {"2407:30C0::/32", "2407:30c0::/32 told 1:1 2407:30C0::/32 is written 2407:30c0::/32\n"},
	    {"2407:30c0:0:0:0:0:0:1", "2407:30c0::1 told 1:1 2407:30c0:0:0:0:0:0:1 is written 2407:30c0::1\n"},
	    {"80.81.128.0 255.255.240.0",
	        "80.81.128.0/20 told 1:1 a netmask: 80.81.128.0/255.255.240.0 is written 80.81.128.0/20\n"},
	    {"80.81.128.0/255.255.240.0", "80.81.128.0/20 told 1:1 80.81.128.0/255.255.240.0 is written 80.81.128.0/20\n"},
	    {"23.89.0.0 - 23.89.255.255", "23.89.0.0/16 told 1:1 a range: written as 1 block, the last is 23.89.0.0/16\n"},
	    {"9.9.9.1-9.9.9.4", "9.9.9.1 9.9.9.2/31 9.9.9.4 told 1:1 a range: written as 3 blocks, the last is 9.9.9.4\n"},
	    {"9.9.9.0 \xe2\x80\x93 9.9.9.1", "9.9.9.0/31 told 1:1 a range: written as 1 block, the last is 9.9.9.0/31\n"},
	    {"2407:30c0::-2407:30c0::3", "2407:30c0::/126 told 1:1 a range: written as 1 block, the last is 2407:30c0::/126\n"},
	    {"*.Zoom.us", ".zoom.us told 1:1 *.Zoom.us is written .zoom.us, which holds the domain itself, too\n"},
	    {"1.2.3.0/24\n\n1.2.3.0/24", "1.2.3.0/24 told 3:1 given twice: written once\n"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_list(FEED_CIDR, cases[i][0], cases[i][1]);
	}
}

static void refuses_what_is_not(void **state)
{
	static const char *const cases[][2] = {
	    {"202.173.24.0/2", "refused 1:13 202.173.24.0/2: /2 with bits set behind it: a prefix length that was cut short"},
	    {"170.114.46.0/243.7.35.0/25", "refused 1:1 170.114.46.0/243.7.35.0/25: two entries run together"},
	    {"4.152.214.0/24*", "write 4.152.214.0/24 alone"},
	    {"autodiscover.*.onmicrosoft.com", "refused 1:14 autodiscover.*.onmicrosoft.com: a wildcard in the middle"},
	    {"*cdn.onenote.net", "refused 1:1 *cdn.onenote.net: a wildcard in a part of a label"},
	    {"a*.onenote.net", "or .onenote.net for everything below it"},
	    {"*.*.onenote.net", "refused 1:3 *.*.onenote.net: a wildcard in the middle"},
	    {"https://155.190.254.0/23", "a URL: write the host or block alone, 155.190.254.0/23"},
	    {"https://meet.example.com/join", "a URL: write the host or block alone, meet.example.com"},
	    {"meet.example.com/join", "a path behind the name: write the name alone, meet.example.com"},
	    {"162.250.60.0/22l", "refused 1:16 162.250.60.0/22l: text behind the block"},
	    {"23.89.0.0/16 (CIDR) or 23.89.0.0 - 23.89.255.255 (net range)", "refused 1:14 (CIDR): prose"},
	    {"1.2.3.4:443", "refused 1:8 1.2.3.4:443: an address with a port: write 1.2.3.4 alone"},
	    {"[2407:30c0::1]:443", "brackets"},
	    {"meet.example.com:443", "a name with a port: write meet.example.com"},
	    {"<tenant>.example.com", "a placeholder"},
	    {"{region}.example.com", "a placeholder"},
	    {"5004 and 9000", "refused 1:1 5004: prose"},
	    {"1.2.3.4/24", "refused 1:1 1.2.3.4/24: bits are set behind"},
	    {"1.2.3.0/33", "refused 1:9 "},
	    {"01.2.3.0/24", "leading zeros"},
	    {"10.0.0.0/8", "private space"},
	    {"127.0.0.1", "loopback"},
	    {"64.0.0.0/7", "shorter than /8"},
	    {"2000::/18", "shorter than /19"},
	    {"0.0.0.0/0", "/0"},
	    {"9.9.9.9 - 9.9.9.1", "from the lower to the higher"},
	    {"9.9.9.9 - 2407::1", "one family"},
	    {"9.9.9.9 -", "a dash, but not between two addresses"},
	    {"1.0.0.0 - 255.255.255.255", "the range isn't allowed"},
	    {"80.81.128.1 255.255.240.0", "bits are set behind"},
	    {"80.81.128.0/255.0.240.0", "refused 1:13 "},
	    {"::ffff:1.2.3.4", "IPv4-mapped"},
	    {"*.com", "a whole top-level domain"},
	    {"", "refused 0:0 there is no entry in it"},
	    {"# nothing\n", "refused 0:0 there is no entry in it"},
	    {"1.2.3.0/24\n  x", "refused 2:3 x: prose"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_list_has(FEED_CIDR, cases[i][0], cases[i][1]);
	}
	assert_non_null(strstr(said_of(FEED_CIDR, "1.2.3.0/24\0x", 12, NULL), "refused"));
	assert_non_null(strstr(said_of(FEED_CIDR, "8.8.8.8 \xff\xfe", 10, NULL), "refused 1:9 ??: prose"));
}

static void reads_ports(void **state)
{
	static const char *const good[][2] = {{"tcp 80,443 udp 3478-3481", "tcp 80,443 udp 3478-3481"}, {"any", "any"},
	    {"udp 3478", "udp 3478"}};
	static const char *const bad[][2] = {{"tcp 5004 and 9000", "write 5004,9000 if"},
	    {"udp 19302\xe2\x80\x93" "19309", "write 19302-19309 if"}, {"udp 50,000 \xe2\x80\x93 53,000", "write 50000-53000 if"},
	    {"tcp 80, 443", "write 80,443 if"}, {"tcp", "ports are"}, {"", "ports are"}, {"443", "ports are"},
	    {"any tcp 1", "ports are"}, {"tcp 70000", "ports are"}};
	struct ports ports;
	struct refusal why;
	(void)state;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char text[256];

		assert_true(feed_ports_parse(text_of(good[i][0]), &ports, &why));
		ports_format(&ports, text, sizeof text);
		assert_string_equal(text, good[i][1]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(feed_ports_parse(text_of(bad[i][0]), &ports, &why));
		if (strstr(why.reason, bad[i][1]) == NULL) {
			fail_msg("%s: %s", bad[i][0], why.reason);
		}
	}
}

static void reads_pasted_ones(void **state)
{
	(void)state;

	/* eleven blocks, one broken across two lines */
	assert_list_has(FEED_PASTED, "216.115.208.0/20216.219.112.0/2066.151.158.0/2466.151.150.160/2766.151.115.128/2664.\n"
	                             "74.80.0/24202.173.24.0/2167.217.64.0/1978.108.112.0/2068.64.0.0/19206.183.100.0/22\n",
	    "216.115.208.0/20 216.219.112.0/20 66.151.158.0/24 66.151.150.160/27 66.151.115.128/26 64.74.80.0/24 "
	    "202.173.24.0/21 67.217.64.0/19 78.108.112.0/20 68.64.0.0/19 206.183.100.0/22 told 1:1 read as 216.115.208.0/20\n"
	    "told 1:17 read as 216.219.112.0/20\n");
	assert_list_has(FEED_PASTED, "66.151.115.128/2664.\n74.80.0/24", "told 1:18 read as 64.74.80.0/24, broken across lines\n");
	assert_list(FEED_PASTED, "1.2.3.0/24", "1.2.3.0/24 ");
	assert_list(FEED_PASTED, "1.2.3.0/24 5.6.7.0/24,8.8.8.0/24", "1.2.3.0/24 5.6.7.0/24 8.8.8.0/24 ");
	assert_list(FEED_PASTED, "2407:30c0::/322603:1063::/38", "2407:30c0::/32 2603:1063::/38 "
	                         "told 1:1 read as 2407:30c0::/32\ntold 1:15 read as 2603:1063::/38\n");
	/* /1 and 22.8.8.0/24, or /12 and 2.8.8.0/24 */
	assert_list(FEED_PASTED, "128.0.0.0/122.8.8.0/24",
	    "refused 1:1 more than one reading: 128.0.0.0/1 or 128.0.0.0/12; put a blank behind the one that is meant\n");
	assert_list_has(FEED_PASTED, "9.9.9.0/24128.0.0.0/122.8.8.0/24", "refused 1:11 more than one reading");
	assert_list_has(FEED_PASTED, "128.0.0.0/12 2.8.8.0/24", "128.0.0.0/12 2.8.8.0/24 ");
	assert_list_has(FEED_PASTED, "1.2.3.0/24x", "refused 1:11 no block can be read here: x");
	assert_list_has(FEED_PASTED, "1.2.3.0/245.6.7.0", "refused 1:11 no block can be read here: 5.6.7.0");
	assert_list_has(FEED_PASTED, "10.0.0.0/8", "private");
	assert_list_has(FEED_PASTED, "", "refused 0:0 there is no entry in it");
}

/* Each pair has two readings, so there are 2^2000 of them all. */
static void counts_readings_in_bounded_work(void **state)
{
	static const char pair[] = "128.0.0.0/122.8.8.0/24";
	size_t length = (sizeof pair - 1) * 2000;
	char *list = malloc(length);
	(void)state;

	assert_non_null(list);
	for (size_t i = 0; i < length; i++) {
		list[i] = pair[i % (sizeof pair - 1)];
	}
	assert_non_null(strstr(said_of(FEED_PASTED, list, length, NULL), "refused 1:1 more than one reading"));
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_what_is_certain),
	    cmocka_unit_test(refuses_what_is_not),
	    cmocka_unit_test(reads_ports),
	    cmocka_unit_test(reads_pasted_ones),
	    cmocka_unit_test(counts_readings_in_bounded_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
