# The record as a line, the journal, the store, the report.
noinst_LTLIBRARIES += records/librecords.la
records_librecords_la_SOURCES = records/records.h records/internal.h records/record.c records/file.c records/journal.c \
	records/figures.c records/hash.c records/ingest.c records/near.c records/parse.c records/position.c \
	records/questions.c records/recent.c records/report.c records/report_csv.c records/report_html.c records/report_json.c \
	records/report_text.c records/sections.c records/store.c records/texts.c records/time.c records/upkeep.c
records_librecords_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
records_librecords_la_LIBADD = $(JANSSON_LIBS) $(SQLITE_LIBS)
records_librecords_la_SOURCES += records/kind.c records/order.c
records_librecords_la_SOURCES += records/limit.c records/off.c
