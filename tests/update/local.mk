# tests/update/: meetingctl update against real HTTPS servers, and all that may go wrong.
bats_tests += tests/update/update.bats tests/update/misbehaves.bats tests/update/guard.bats tests/update/vendors.bats \
	tests/update/bundle.bats tests/update/faults.bats
EXTRA_DIST += tests/update/server.bash tests/update/rude.sh tests/update/fault.c

unit_tests += tests/update/edit_test
tests_update_edit_test_SOURCES = tests/update/edit_test.c
tests_update_edit_test_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_update_edit_test_LDADD = feeds/libupdate.la $(CMOCKA_LIBS)
