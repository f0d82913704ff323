# feeds/: vendors' lists to service files, what changed, and what others are given; and, apart, all that updates them.
noinst_LTLIBRARIES += feeds/libfeeds.la
feeds_libfeeds_la_SOURCES = feeds/feeds.h feeds/internal.h \
	feeds/aws.c feeds/cidr.c feeds/diff.c feeds/export.c feeds/export_filter.c feeds/export_list.c feeds/export_pac.c \
	feeds/feed.c feeds/json.c feeds/m365.c feeds/pasted.c feeds/ports.c feeds/ranges.c \
	feeds/service_text.c feeds/word.c
feeds_libfeeds_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
feeds_libfeeds_la_LIBADD = category/libcategory.la $(JANSSON_LIBS)

# Whoever only reads lists needs neither libcurl nor libsodium.
noinst_LTLIBRARIES += feeds/libupdate.la
feeds_libupdate_la_SOURCES = feeds/update.h feeds/announced.c feeds/bundle.c feeds/bundle_update.c feeds/edit.c \
	feeds/fetch.c feeds/file.c feeds/guard.c feeds/install.c feeds/obtain.c feeds/signature.c feeds/state.c \
	feeds/update.c feeds/updater.c
feeds_libupdate_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS) $(SODIUM_CFLAGS)
feeds_libupdate_la_LIBADD = feeds/libfeeds.la $(CURL_LIBS) $(SODIUM_LIBS)
