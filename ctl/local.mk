# ctl/: meetingctl, the administrator's door.
sbin_PROGRAMS += ctl/meetingctl
ctl_meetingctl_SOURCES = ctl/ctl.h ctl/meetingctl.c ctl/check.c ctl/diff.c ctl/explain.c ctl/export.c ctl/import.c ctl/list.c
ctl_meetingctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
ctl_meetingctl_LDADD = feeds/libfeeds.la helper/libprotocol.la category/libcategory.la $(JANSSON_LIBS)
