/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A feed's blocks are replaced, and all else of the file stays: comments, order, and what ports the other entries have. */
#include <config.h>

#include "feeds/update.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void replaces(const char *before, const char *list, const char *expires, const char *wanted)
{
	struct edit edit;
	struct refusal why;
	struct feed feed;

	assert_true(edit_open(&edit, text_of(before), &why));
	assert_true(edit.feeds == 1);
	struct ports ports = {.any = true};
	if (!text_is(edit.feed[0].ports, "any")) {
		assert_true(feed_ports_parse(edit.feed[0].ports, &ports, &why));
	}
	struct feed_options options = {.file = "list", .source = "the list", .ports = &ports};
	assert_true(feed_read(FEED_CIDR, list, strlen(list), &options, &feed));
	struct edit_result result = {.feed = &feed, .source = edit.feed[0].source, .date = "2026-11-25"};
	(void)snprintf(result.expires, sizeof result.expires, "%s", expires);
	assert_true(edit_pins(&edit, 0, &result.pin, &result.pins));
	char *text = edit_write(&edit, &result);
	assert_string_equal(text, wanted);
	free(text);
	free(result.pin);
	feed_free(&feed);
	edit_close(&edit);
}

static void a_block_without_source(void **state)
{
	(void)state;

	replaces("service x\nfeed cidr https://x.example/\nports tcp 443\n", "192.0.2.0/24", "",
	    "service x\nsource    the list 2026-11-25\nfeed cidr https://x.example/\nports     tcp 443\naddress   192.0.2.0/24\n");
}

static void comments_and_order(void **state)
{
	(void)state;

	replaces("# top\nservice x\ntitle T # of it\n\n# lead\n#\nsource S 2026-01-01 # c\n# head\nfeed cidr https://x.example/ # f\nports any\n"
	         "# inside\naddress 192.0.2.1 # lost\n# lost\naddress 192.0.2.2\n\n# of B\nsource B\naddress 192.0.2.3 # kept\n# end\n",
	    "192.0.2.4", "",
	    "# top\nservice x\ntitle T # of it\n\n# lead\n#\nsource    S 2026-11-25\n# head\n# inside\nfeed cidr https://x.example/ # f\n"
	    "ports     any\naddress   192.0.2.4\n\n# of B\nsource B\naddress 192.0.2.3 # kept\n# end\n");
}

static void ports_reach_no_further_than_before(void **state)
{
	(void)state;

	replaces("service x\nports tcp 1\nsource A\nname a.example\nsource S\nfeed cidr https://x.example/\nports tcp 2\naddress 192.0.2.1\n"
	         "ports tcp 3\naddress 192.0.2.2\nsource B\nname b.example\nsource C\nports tcp 4\nname c.example\n",
	    "192.0.2.4", "",
	    "service x\nports tcp 1\nsource A\nname a.example\nsource    S 2026-11-25\nfeed cidr https://x.example/\nports     tcp 2\n"
	    "address   192.0.2.4\nsource B\nports     tcp 3\nname b.example\nsource C\nports tcp 4\nname c.example\n");
}

static void blocks_of_one_feed(void **state)
{
	(void)state;

	replaces("service x\nsource S 2026-01-01\nfeed cidr https://x.example/\naddress 192.0.2.1\nsource B\nname b.example\n"
	         "# of the second\nsource S 2026-02-02\nfeed  cidr https://x.example/\nports tcp 1\naddress 192.0.2.2\nsource C\nname c.example",
	    "192.0.2.4 a.example", "",
	    "service x\nsource    S 2026-11-25\nfeed cidr https://x.example/\nports     any\naddress   192.0.2.4\nname      a.example\n"
	    "source B\nname b.example\nsource C\nports     tcp 1\nname c.example\n");
}

static void expiry(void **state)
{
	(void)state;

	replaces("service x\nsource S\nexpires 2026-01-01\nfeed cidr https://x.example/\naddress 192.0.2.1\n", "192.0.2.4", "",
	    "service x\nsource    S 2026-11-25\nexpires 2026-01-01\nfeed cidr https://x.example/\nports     any\naddress   192.0.2.4\n");
	replaces("service x\nsource S\nexpires 2026-01-01\nfeed cidr https://x.example/\naddress 192.0.2.1\n", "192.0.2.4", "2027-01-01",
	    "service x\nsource    S 2026-11-25\nexpires   2027-01-01\nfeed cidr https://x.example/\nports     any\naddress   192.0.2.4\n");
}

static void pins(void **state)
{
	(void)state;

	replaces("service x\nsource S\nfeed cidr https://x.example/\naddress 192.0.2.1 tcp 1 pin # p\naddress 192.0.2.8/29 pin wide\n"
	         "name pin.example\nname a.b.example pin\naddress 192.0.2.3 # pin\n",
	    "192.0.2.0/28 192.0.2.1 .b.example", "",
	    "service x\nsource    S 2026-11-25\nfeed cidr https://x.example/\nports     any\naddress   192.0.2.8/29 pin\nname      a.b.example pin\n"
	    "address   192.0.2.0/28\naddress   192.0.2.1 pin\nname      .b.example\n");
}

static void line_ends_and_marks(void **state)
{
	(void)state;

	replaces("\xef\xbb\xbfservice x\r\nsource S\t2026-01-01\r\n\tfeed cidr https://x.example/\r\naddress\t192.0.2.1\tpin\r\nsource B\r\nname b.example",
	    "192.0.2.1", "",
	    "service x\nsource    S 2026-11-25\n\tfeed cidr https://x.example/\nports     any\naddress   192.0.2.1 pin\nsource B\nname b.example\n");
}

static void two_feeds_in_one_block(void **state)
{
	struct edit edit;
	struct refusal why;
	(void)state;

	assert_false(edit_open(&edit, text_of("service x\nfeed cidr https://x.example/\nfeed cidr https://y.example/\n"), &why));
	assert_int_equal(why.offset, 3);
	edit_close(&edit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_block_without_source),
	    cmocka_unit_test(comments_and_order),
	    cmocka_unit_test(ports_reach_no_further_than_before),
	    cmocka_unit_test(blocks_of_one_feed),
	    cmocka_unit_test(expiry),
	    cmocka_unit_test(pins),
	    cmocka_unit_test(line_ends_and_marks),
	    cmocka_unit_test(two_feeds_in_one_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
