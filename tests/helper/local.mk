# tests/helper/: ext_meeting_acl as a program, over a socket as Squid has it and over pipes.
unit_tests += tests/helper/protocol_test tests/helper/stream_test tests/helper/garbage_test

check_LTLIBRARIES += tests/helper/libasker.la
tests_helper_libasker_la_SOURCES = tests/helper/asker.c tests/helper/asker.h
tests_helper_libasker_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_helper_libasker_la_LIBADD = tests/category/libfixture.la

tests_helper_protocol_test_SOURCES = tests/helper/protocol_test.c
tests_helper_protocol_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_helper_protocol_test_LDADD = tests/helper/libasker.la

tests_helper_stream_test_SOURCES = tests/helper/stream_test.c
tests_helper_stream_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_helper_stream_test_LDADD = tests/helper/libasker.la

tests_helper_garbage_test_SOURCES = tests/helper/garbage_test.c
tests_helper_garbage_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_helper_garbage_test_LDADD = tests/helper/libasker.la

unit_tests += tests/helper/resolver_test
tests_helper_resolver_test_SOURCES = tests/helper/resolver_test.c
tests_helper_resolver_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_helper_resolver_test_LDADD = helper/libprotocol.la tests/category/libfixture.la

bats_tests += tests/helper/options.bats tests/helper/burst.bats
