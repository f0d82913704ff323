# bench/: bench/run NAME, what it found, and the page and plots made of that.
EXTRA_DIST += bench/run bench/common.bash bench/document bench/plots.gp bench/results.awk bench/laws.awk \
	bench/users.awk bench/page.awk bench/draw.awk bench/packages bench/subject.h \
	bench/subjects.c bench/tables.c bench/tables-dpdk.c bench/tables-libraries.c bench/names.c bench/tables.sh \
	bench/lines.c bench/answerer.c bench/answerer.pl bench/answerer.py bench/helper.sh \
	bench/took.h bench/load.c bench/origin.c bench/squid.sh bench/reload.c bench/reload.sh bench/large.sh \
	bench/module.sh bench/icap_bound.c bench/icap_hurry.c bench/icap_load.c bench/store.sh bench/history.c bench/measure.c bench/fleet.sh \
	bench/page.sh bench/icap_get.pl bench/results \
	docs/PERFORMANCE.md docs/tables-ipv4.svg docs/tables-ipv6.svg docs/tables-names.svg docs/growth.svg \
	docs/helper.svg docs/squid.svg docs/records.svg
