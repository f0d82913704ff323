# tests/: one folder a room, and the end-to-end tests.
EXTRA_DIST += tests/wait.bash tests/port.bash
include tests/category/local.mk
include tests/helper/local.mk
include tests/feeds/local.mk
include tests/ctl/local.mk
include tests/update/local.mk
include tests/records/local.mk
include tests/icap/local.mk
include tests/e2e/local.mk

# The benchmarks build, and compare like with like.
bats_tests += tests/bench/bench.bats

# Names that DNS confirms, and reload.
bats_tests += tests/helper/names.bats tests/helper/reload.bats
EXTRA_DIST += tests/helper/dns-misbehaves.pl
unit_tests += tests/helper/reload_test
tests_helper_reload_test_SOURCES = tests/helper/reload_test.c
tests_helper_reload_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_helper_reload_test_LDADD = $(CMOCKA_LIBS)
