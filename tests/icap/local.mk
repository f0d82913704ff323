# Tests of icap/: the judgement alone, and the module in the real c-icap.
unit_tests += tests/icap/formats_test tests/icap/header_test tests/icap/kept_test tests/icap/page_test tests/icap/transaction_test
bats_tests += tests/icap/answers.bats tests/icap/background.bats tests/icap/journal.bats tests/icap/reload.bats tests/icap/report.bats tests/icap/start.bats tests/icap/verdicts.bats \
	tests/icap/watching.bats
EXTRA_DIST += tests/icap/module.bash tests/icap/icap-request.pl

tests_icap_formats_test_SOURCES = tests/icap/formats_test.c icap/formats.c icap/formats.h
tests_icap_formats_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_icap_formats_test_LDADD = tests/category/libfixture.la

judgement = icap/transaction.c icap/transaction.h icap/target.c icap/user.c

tests_icap_header_test_SOURCES = tests/icap/header_test.c $(judgement)
tests_icap_header_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_icap_header_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

tests_icap_transaction_test_SOURCES = tests/icap/transaction_test.c $(judgement)
tests_icap_transaction_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_icap_transaction_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

tests_icap_page_test_SOURCES = tests/icap/page_test.c $(icap_page)
tests_icap_page_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_icap_page_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS) -lpthread

tests_icap_kept_test_SOURCES = tests/icap/kept_test.c $(icap_page) $(journal_place)
tests_icap_kept_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_icap_kept_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS) -lpthread
