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

unit_tests += tests/records/parse_test tests/records/time_test tests/records/store_test

tests_records_parse_test_SOURCES = tests/records/parse_test.c
tests_records_parse_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_parse_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

tests_records_time_test_SOURCES = tests/records/time_test.c
tests_records_time_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_time_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

tests_records_store_test_SOURCES = tests/records/store_test.c $(journal_place)
tests_records_store_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_store_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/records/dump_store
tests_records_dump_store_SOURCES = tests/records/dump_store.c
tests_records_dump_store_LDADD = records/librecords.la category/libcategory.la

unit_tests += tests/records/blocks_test
tests_records_blocks_test_SOURCES = tests/records/blocks_test.c $(journal_place)
tests_records_blocks_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_blocks_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

unit_tests += tests/records/kept_test
tests_records_kept_test_SOURCES = tests/records/kept_test.c $(journal_place)
tests_records_kept_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_records_kept_test_LDADD = records/librecords.la category/libcategory.la $(CMOCKA_LIBS)

unit_tests += tests/records/clickhouse_test
tests_records_clickhouse_test_SOURCES = tests/records/clickhouse_test.c
tests_records_clickhouse_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
tests_records_clickhouse_test_LDADD = records/libclickhouse.la records/librecords.la category/libcategory.la $(CMOCKA_LIBS) \
	$(JANSSON_LIBS)
