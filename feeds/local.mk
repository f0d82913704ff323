# feeds/: vendors' lists to service files, what changed, and what others are given.
noinst_LTLIBRARIES += feeds/libfeeds.la
feeds_libfeeds_la_SOURCES = feeds/feeds.h feeds/internal.h \
	feeds/aws.c feeds/cidr.c feeds/diff.c feeds/export.c feeds/export_filter.c feeds/export_list.c feeds/export_pac.c \
	feeds/feed.c feeds/json.c feeds/m365.c feeds/pasted.c feeds/ports.c feeds/ranges.c \
	feeds/service_text.c feeds/word.c
feeds_libfeeds_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
feeds_libfeeds_la_LIBADD = category/libcategory.la $(JANSSON_LIBS)
