# The record as a line, the journal, the store, the report.
noinst_LTLIBRARIES += records/librecords.la
records_librecords_la_SOURCES = records/records.h records/internal.h records/blocks.h records/counting.h \
	records/block.c records/block_list.c records/blocks.c records/connections.c records/counted_block.c records/counting.c records/figures.c \
	records/file.c records/groups.c records/hash.c records/ingest.c records/journal.c records/kept.c records/kind.c records/limit.c \
	records/mutex.c records/near.c records/off.c records/order.c records/parse.c records/position.c records/questions.c records/quick.c \
	records/recent.c records/record.c records/report.c records/report_csv.c records/report_html.c records/report_json.c \
	records/report_text.c records/sections.c records/store.c records/texts.c records/time.c records/upkeep.c
records_librecords_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
records_librecords_la_LIBADD = $(JANSSON_LIBS) $(SQLITE_LIBS)

# A store in ClickHouse: apart, since the ICAP module must not load libcurl.
noinst_LTLIBRARIES += records/libclickhouse.la
records_libclickhouse_la_SOURCES = records/clickhouse.h records/clickhouse_answer.c records/clickhouse_ask.c \
	records/clickhouse_http.c records/clickhouse_ingest.c records/clickhouse_place.c records/clickhouse_row.c \
	records/clickhouse_sql.c records/clickhouse_time.c
records_libclickhouse_la_CPPFLAGS = $(AM_CPPFLAGS) -DCLICKHOUSE_DIR='"$(clickhousedir)"'
records_libclickhouse_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
records_libclickhouse_la_LIBADD = $(CURL_LIBS)

clickhousedir = $(datadir)/squid-meeting/clickhouse
dist_clickhouse_DATA = records/clickhouse/single.sql records/clickhouse/sharded.sql
