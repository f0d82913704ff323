# Tests of records/.
unit_tests += tests/records/record_test tests/records/journal_test tests/records/whole_lines_test

tests_records_record_test_SOURCES = tests/records/record_test.c
tests_records_record_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_record_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

journal_place = tests/records/place.c tests/records/place.h

tests_records_journal_test_SOURCES = tests/records/journal_test.c $(journal_place)
tests_records_journal_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_journal_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

tests_records_whole_lines_test_SOURCES = tests/records/whole_lines_test.c $(journal_place)
tests_records_whole_lines_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_whole_lines_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS) -lpthread
