# icap/: srv_meeting, c-icap's interface around category/ and records/.
if HAVE_CICAP
icapmodule_LTLIBRARIES += icap/srv_meeting.la
dist_man_MANS += man/srv_meeting.8
endif

# The page, which knows nothing of c-icap.
icap_page = icap/access.c icap/metrics.c icap/page.c icap/page.h icap/page_html.c icap/shared.c icap/shared.h icap/target.c \
	icap/transaction.h icap/wish.c
icap_srv_meeting_la_SOURCES = $(icap_page) \
	icap/answer.c icap/answer.h icap/attributes.c icap/attributes.h icap/background.c icap/background.h icap/c_icap.h \
	icap/formats.c icap/formats.h icap/headers.c icap/headers.h icap/settings.c icap/settings.h icap/srv_meeting.c \
	icap/statistics.c icap/statistics.h icap/transaction.c icap/user.c
nodist_icap_srv_meeting_la_SOURCES = icap/assets.c
# c-icap's headers have a struct member SERVICES_DIR.
icap_srv_meeting_la_CPPFLAGS = $(AM_CPPFLAGS) -USERVICES_DIR $(CICAP_CPPFLAGS) -DCHART_FILE='"$(chartjs)"'
# What a module exports is c-icap's to see: `service` before its release 0.6, and two functions from there on; and that it
# isn't to be unloaded.
icap_srv_meeting_la_LDFLAGS = -module -avoid-version -shared \
	-export-symbols-regex '^(service|__ci_service_build|__ci_build_for|__c_icap_module_disable_force_unload)$$'
icap_srv_meeting_la_LIBADD = records/librecords.la category/libcategory.la -lpthread

# The page's files become bytes in the module: then there is no path that could be wrong.
icap_assets = icap/page/page.css icap/page/page.js icap/page/icon.svg
EXTRA_DIST += $(icap_assets) icap/page/embed
CLEANFILES += icap/assets.c
icap/assets.c: $(icap_assets) icap/page/embed
	$(AM_V_GEN)$(MKDIR_P) icap && $(SHELL) $(top_srcdir)/icap/page/embed $(top_srcdir)/icap/page > $@.tmp && mv $@.tmp $@
