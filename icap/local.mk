# icap/: srv_meeting, c-icap's interface around category/ and records/.
if HAVE_CICAP
icapmodule_LTLIBRARIES += icap/srv_meeting.la
dist_man_MANS += man/srv_meeting.8
endif

icap_srv_meeting_la_SOURCES = \
	icap/c_icap.h icap/srv_meeting.c icap/statistics.c icap/statistics.h icap/target.c icap/transaction.c \
	icap/transaction.h icap/user.c
# c-icap's headers have a struct member SERVICES_DIR.
icap_srv_meeting_la_CPPFLAGS = $(AM_CPPFLAGS) -USERVICES_DIR $(CICAP_CPPFLAGS)
# What a module exports is c-icap's to see: `service` before its release 0.6, and two functions from there on.
icap_srv_meeting_la_LDFLAGS = -module -avoid-version -shared \
	-export-symbols-regex '^(service|__ci_service_build|__ci_build_for)$$'
icap_srv_meeting_la_LIBADD = records/librecords.la category/libcategory.la -lpthread
