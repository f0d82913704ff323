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

# Both grow with the number of entries, from what an empty helper takes.
set output "../docs/growth.svg"
set ylabel "ms to load; MB resident"
plot pick("large", "load", "addresses") using 1:2:3:4 title "load, IPv4", \
	pick("large", "load", "names") using 1:2:3:4 title "load, names", \
	pick("large", "resident", "addresses") using 1:2:3:4 title "memory, IPv4", \
	pick("large", "resident", "names") using 1:2:3:4 title "memory, names"

set output "../docs/helper.svg"
set xlabel "questions outstanding"
set ylabel "lines a second"
array lines[6] = ["bound", "ext_meeting_acl", "C with stdio", "ext_file_userip_acl", "Perl", "Python"]
plot for [i=1:6] "< awk -F '\t' '$1 == \"lines a second\" && $2 != \"unlimited\" && $3 == \"".lines[i]."\" { print $2 FS $5 FS $6 FS $7 }' results/helper.tsv" \
	using 1:2:3:4 title lines[i]

set output "../docs/squid.svg"
set xlabel "connections"
set ylabel "us of Squid's CPU a request"
set yrange [1:*]
array through[5] = ["no acl", "acl dst", "helper, no cache", "helper, cache=10000, 4 destinations a client", "helper, cache=262144, full"]
plot for [i=1:5] pick("squid", "CPU of Squid", through[i]) using 1:2:3:4 title (i == 4 ? "helper, cache=10000" : i == 5 ? "helper, full cache" : through[i])
