# SPDX-License-Identifier: GPL-2.0-or-later
# The plots of docs/PERFORMANCE.md, of bench/results: medians, with the lowest and highest.
set datafile separator "\t"
set terminal svg size 640,400 font "sans-serif,12" background "#ffffff"
set key outside right top vertical
set grid lc rgb "#dddddd"
set style data yerrorlines
set pointsize 0.6
pick(file, group, subject) = sprintf("< awk -F '\t' '$1 == \"%s\" && $3 == \"%s\" && $2 != \"0\" { print $2 FS $5 FS $6 FS $7 }' results/%s.tsv", group, subject, file)

set logscale xy
set xlabel "entries"
set ylabel "ns a look-up"
array four[6] = ["squid-meeting", "libc bsearch", "DPDK rte_lpm", "libmaxminddb", "Judy", "libcidr scan"]
array six[6] = ["squid-meeting", "libc bsearch", "DPDK rte_fib6", "libmaxminddb", "Judy", "libcidr scan"]
array named[3] = ["squid-meeting", "hash set", "libpsl"]
set output "../docs/tables-ipv4.svg"
plot for [i=1:6] pick("tables", "IPv4", four[i]) using 1:2:3:4 title four[i]
set output "../docs/tables-ipv6.svg"
plot for [i=1:6] pick("tables", "IPv6", six[i]) using 1:2:3:4 title six[i]
set output "../docs/tables-names.svg"
plot for [i=1:3] pick("tables", "names", named[i]) using 1:2:3:4 title named[i]

set output "../docs/helper.svg"
set xlabel "questions outstanding"
set ylabel "lines a second"
array lines[6] = ["bound", "ext_meeting_acl", "C with stdio", "ext_file_userip_acl", "Perl", "Python"]
plot for [i=1:6] "< awk -F '\t' '$1 == \"lines a second\" && $2 != \"unlimited\" && $3 == \"".lines[i]."\" { print $2 FS $5 FS $6 FS $7 }' results/helper.tsv" \
	using 1:2:3:4 title lines[i]

# Growth: what was measured, and its law as a line (bench/laws.awk); where there is none, straight from one to the next.
drawn(of) = sprintf("< awk -v 'of=%s' -f results.awk -f laws.awk -f draw.awk", of)
growth = "plot for [i=1:|of|] drawn(of[i]) index 0 using 1:2:3:4 with yerrorbars lc i pt 7 title called[i], \
	for [i=1:|of|] drawn(of[i]) index 1 with lines lc i notitle"
set key inside left top vertical
set pointsize 0.5
set format "10^{%T}"
set linetype 5 lc rgb "#d62728"

set terminal svg size 900,400 font "sans-serif,12" background "#ffffff"
set output "../docs/growth.svg"
set multiplot layout 1,2
set xlabel "entries"
set ylabel "ms"
set yrange [1:100000]
array of[4] = ["large;load;addresses", "large;load;names", "large;reload;addresses", "large;reload;names"]
array called[4] = ["load, IPv4", "load, names", "reload, IPv4", "reload, names"]
@growth
set ylabel "MB"
set yrange [1:10000]
array of[4] = ["large;resident;addresses", "large;resident;names", "large;peak;addresses", "large;peak;names"]
array called[4] = ["resident, IPv4", "resident, names", "while loading, IPv4", "while loading, names"]
@growth
unset multiplot

set terminal svg size 1100,400 font "sans-serif,12" background "#ffffff"
set output "../docs/squid.svg"
set multiplot layout 1,3
set xlabel "connections"
set xrange [1:4096]
set ylabel "us of CPU a request"
set yrange [0.1:100000]
array of[6] = ["squid;CPU of Squid;no acl;32", "squid;CPU of Squid;helper, no cache;32", "squid;CPU of Squid;helper, cache=262144, full;32", \
	"module;through Squid, CPU of Squid;srv_meeting;32", "module;through Squid, CPU of c-icap;srv_meeting;32", "squid;CPU of the helper;helper, no cache"]
array called[6] = ["Squid, no acl", "Squid, helper, no cache", "Squid, helper, full cache", "Squid, helper, record", "c-icap", "the helper"]
@growth
set ylabel "us latency, p50"
set yrange [50:10000000]
array of[4] = ["squid;latency, p50;no acl", "squid;latency, p50;helper, no cache", "squid;latency, p50;helper, cache=262144, full", \
	"module;through Squid, p50;srv_meeting"]
array called[4] = ["no acl", "helper, no cache", "helper, full cache", "helper, record"]
@growth
set ylabel "MB at most"
set yrange [1:3000]
array of[5] = ["squid;memory of Squid;no acl", "squid;memory of Squid;helper, no cache", "module;memory;Squid, srv_meeting", "module;memory;c-icap", \
	"squid;memory of the helper;helper, no cache"]
array called[5] = ["Squid, no acl", "Squid, helper, no cache", "Squid, helper, record", "c-icap", "the helper"]
@growth
unset multiplot

set output "../docs/records.svg"
set multiplot layout 1,3
set xlabel "records"
set xrange [*:*]
set ylabel "seconds"
set yrange [0.01:1000]
array of[4] = ["store;ingest;meetingctl", "store;report;meetingctl;0;0.001", "fleet;ingest;ClickHouse", "fleet;report by client;ClickHouse;0;0.001"]
array called[4] = ["ingest, SQLite", "report, SQLite", "ingest, ClickHouse", "report, ClickHouse"]
@growth
set ylabel "MB of disk"
set yrange [0.1:100000]
array of[3] = ["store;size;journal;0;1e-6", "store;size;store;0;1e-6", "fleet;size;ClickHouse;0;1e-6"]
array called[3] = ["journal", "SQLite", "ClickHouse"]
@growth
set ylabel "MiB of memory"
set yrange [1:1000]
array of[2] = ["store;ingest, memory;meetingctl", "store;report, memory;meetingctl"]
array called[2] = ["ingest, SQLite", "report, SQLite"]
@growth
unset multiplot
