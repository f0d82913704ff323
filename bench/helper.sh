#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The helper's line protocol over a loopback TCP socket, beside a bound, a stdio helper, Perl, Python and Squid's own helpers.
set -eu
. "$bench/common.bash"
seconds=${SECONDS_EACH:-0.5}
build lines bench/lines.c
build answerer bench/answerer.c
make_services
userip=/usr/lib/squid/ext_file_userip_acl storeid=/usr/lib/squid/storeid_file_rewrite
echo '10.1.0.0/255.255.0.0 user1' >"$work/userip"
printf '%s\t%s\n' '^http://host[0-9]+\.example\.com/path' 'http://store.internal/path' >"$work/storeid"

measure() { # OUTSTANDING SUBJECT FORM PROGRAM ARGUMENT...
	local outstanding=$1 subject=$2 form=$3 lines cpu name=$1
	shift 3
	IFS=$'\t' read -r lines cpu < <("$work/lines" "$outstanding" "$seconds" "$form" "$@")
	[ "$outstanding" != 0 ] || name=unlimited
	row 'lines a second' "$name" "$subject" /s "$lines"
	row 'CPU of the helper' "$name" "$subject" 'ns a line' "$cpu"
}
for ((round = 0; round < rounds; round++)); do
	for outstanding in 1 100 1000 0; do
		measure "$outstanding" bound meeting "$work/answerer" bound
		measure "$outstanding" ext_meeting_acl meeting "$helper" --config="$work/services" --names=trust
		measure "$outstanding" echo meeting "$work/answerer" echo
		measure "$outstanding" 'C with stdio' meeting "$work/answerer" stdio
		measure "$outstanding" Perl meeting "$bench/answerer.pl"
		measure "$outstanding" Python meeting "$bench/answerer.py"
		[ ! -x "$storeid" ] || measure "$outstanding" storeid_file_rewrite url "$storeid" "$work/storeid"
		[ ! -x "$userip" ] || measure "$outstanding" ext_file_userip_acl userip "$userip" -f "$work/userip"
	done
done
