# category/: text to address, the tables, service files, the decision.
noinst_LTLIBRARIES += category/libcategory.la
category_libcategory_la_SOURCES = \
	category/category.h category/internal.h category/lines.h category/quick.h \
	category/address.c category/builder.c category/category.c category/decide.c category/feed_line.c category/keep.c \
	category/lines.c category/live.c category/load.c category/name.c category/names.c category/nodes.c category/pages.c category/ports.c \
	category/prefixes.c category/problems.c \
	category/scope.c category/service_file.c category/text.c category/utf8.c category/verdict.c
category_libcategory_la_LIBADD = $(CIDR_LIBS)
