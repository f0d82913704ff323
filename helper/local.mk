# helper/: ext_meeting_acl, Squid's line protocol around category/.
# The protocol itself is a library, so that `meetingctl explain` shows the very answer that Squid gets.
noinst_LTLIBRARIES += helper/libprotocol.la
helper_libprotocol_la_SOURCES = helper/helper.h helper/options.c helper/protocol.c helper/resolver.c
helper_libprotocol_la_CFLAGS = $(AM_CFLAGS) $(CARES_CFLAGS)
helper_libprotocol_la_LIBADD = category/libcategory.la $(CARES_LIBS)

helper_PROGRAMS += helper/ext_meeting_acl
helper_ext_meeting_acl_SOURCES = helper/ext_meeting_acl.c helper/replies.c helper/stream.c helper/waiting.c
helper_ext_meeting_acl_LDADD = helper/libprotocol.la
