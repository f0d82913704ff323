# The record as a line, and the journal.
noinst_LTLIBRARIES += records/librecords.la
records_librecords_la_SOURCES = records/records.h records/internal.h records/record.c records/file.c records/journal.c
