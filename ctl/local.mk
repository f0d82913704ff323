# ctl/: meetingctl, the administrator's door.
sbin_PROGRAMS += ctl/meetingctl
ctl_meetingctl_SOURCES = ctl/ctl.h ctl/meetingctl.c ctl/bundle.c ctl/check.c ctl/clickhouse.c ctl/diff.c ctl/explain.c \
	ctl/export.c ctl/feeds_seen.c ctl/import.c ctl/ingest.c ctl/list.c ctl/report.c ctl/rollback.c ctl/tail.c ctl/update.c
ctl_meetingctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
ctl_meetingctl_LDADD = feeds/libupdate.la feeds/libfeeds.la helper/libprotocol.la records/libclickhouse.la \
	records/librecords.la category/libcategory.la $(JANSSON_LIBS)
