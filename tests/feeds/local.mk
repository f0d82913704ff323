# tests/feeds/: the readers of vendors' lists, sets of addresses, what others are given.
unit_tests += tests/feeds/lists_test tests/feeds/json_test tests/feeds/ranges_test \
	tests/feeds/export_test

tests_feeds_lists_test_SOURCES = tests/feeds/lists_test.c tests/feeds/said.c tests/feeds/said.h
tests_feeds_lists_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_feeds_lists_test_LDADD = feeds/libfeeds.la tests/category/libfixture.la

tests_feeds_json_test_SOURCES = tests/feeds/json_test.c tests/feeds/said.c tests/feeds/said.h
tests_feeds_json_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_feeds_json_test_LDADD = feeds/libfeeds.la tests/category/libfixture.la

tests_feeds_ranges_test_SOURCES = tests/feeds/ranges_test.c
tests_feeds_ranges_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_feeds_ranges_test_LDADD = feeds/libfeeds.la tests/category/libfixture.la

tests_feeds_export_test_SOURCES = tests/feeds/export_test.c
tests_feeds_export_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
tests_feeds_export_test_LDADD = feeds/libfeeds.la tests/category/libfixture.la
