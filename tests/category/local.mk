# tests/category/: the units of category/, and the shipped services.
check_LTLIBRARIES = tests/category/libfixture.la
tests_category_libfixture_la_SOURCES = tests/category/fixture.c tests/category/fixture.h
tests_category_libfixture_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_libfixture_la_LIBADD = category/libcategory.la $(CMOCKA_LIBS)

unit_tests += \
	tests/category/address_test tests/category/name_test tests/category/ports_test \
	tests/category/date_test tests/category/scope_test tests/category/service_file_test \
	tests/category/service_error_test tests/category/load_test tests/category/keep_test \
	tests/category/prefixes_test tests/category/names_test tests/category/decide_test \
	tests/category/claims_test tests/category/clients_test tests/category/stale_test \
	tests/category/memory_test

bats_tests += tests/category/shipped.bats
EXTRA_DIST += tests/category/programs.bash

tests_category_address_test_SOURCES = tests/category/address_test.c
tests_category_address_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_address_test_LDADD = tests/category/libfixture.la

tests_category_name_test_SOURCES = tests/category/name_test.c
tests_category_name_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_name_test_LDADD = tests/category/libfixture.la

tests_category_ports_test_SOURCES = tests/category/ports_test.c
tests_category_ports_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_ports_test_LDADD = tests/category/libfixture.la

tests_category_date_test_SOURCES = tests/category/date_test.c
tests_category_date_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_date_test_LDADD = tests/category/libfixture.la

tests_category_scope_test_SOURCES = tests/category/scope_test.c
tests_category_scope_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_scope_test_LDADD = tests/category/libfixture.la

tests_category_service_file_test_SOURCES = tests/category/service_file_test.c
tests_category_service_file_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_service_file_test_LDADD = tests/category/libfixture.la

tests_category_service_error_test_SOURCES = tests/category/service_error_test.c
tests_category_service_error_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_service_error_test_LDADD = tests/category/libfixture.la

tests_category_load_test_SOURCES = tests/category/load_test.c
tests_category_load_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_load_test_LDADD = tests/category/libfixture.la

tests_category_keep_test_SOURCES = tests/category/keep_test.c
tests_category_keep_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_keep_test_LDADD = tests/category/libfixture.la

tests_category_prefixes_test_SOURCES = tests/category/prefixes_test.c
tests_category_prefixes_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_prefixes_test_LDADD = tests/category/libfixture.la

tests_category_names_test_SOURCES = tests/category/names_test.c
tests_category_names_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_names_test_LDADD = tests/category/libfixture.la

tests_category_decide_test_SOURCES = tests/category/decide_test.c
tests_category_decide_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_decide_test_LDADD = tests/category/libfixture.la

tests_category_claims_test_SOURCES = tests/category/claims_test.c
tests_category_claims_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_claims_test_LDADD = tests/category/libfixture.la

tests_category_clients_test_SOURCES = tests/category/clients_test.c
tests_category_clients_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_clients_test_LDADD = tests/category/libfixture.la

tests_category_stale_test_SOURCES = tests/category/stale_test.c
tests_category_stale_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_stale_test_LDADD = tests/category/libfixture.la

tests_category_memory_test_SOURCES = tests/category/memory_test.c
tests_category_memory_test_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_category_memory_test_LDADD = tests/category/libfixture.la
tests_category_memory_test_LDFLAGS = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray \
	-Wl,--wrap=posix_memalign,--wrap=strdup,--wrap=strndup,--wrap=free
