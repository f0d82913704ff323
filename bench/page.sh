#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The report as c-icap's module answers it, of a store of 1,000,000 and of 10,000,000 records.
set -eu
# SIZES are those numbers. 10,000,000 take 4 GB of disk meanwhile.
. "$bench/common.bash"
need_packages c-icap perl
read -ra sizes <<<"${SIZES:-1000000 10000000}"
module=$top_builddir/icap/.libs/srv_meeting.so
[[ -e $module ]] || { echo "bench/page.sh: $module isn't built" >&2; exit 1; }
LIBS="$top_builddir/records/.libs/librecords.a $top_builddir/category/.libs/libcategory.a -ljansson -lsqlite3 -lcidr -lcurl -lpthread" \
	build history bench/history.c
make_history_services
export TZ=UTC
icap=
stop_icap() {
	[[ ! $icap ]] || kill -TERM "$icap" 2>/dev/null || :
	wait
	icap=
}
trap 'stop_icap; rm -rf "$work"' EXIT

get() { perl "$bench/icap_get.pl" "$port" "$1"; }

start_icap() {
	port=$((20000 + RANDOM % 2000))
	cat >"$work/c-icap.conf" <<-END
	PidFile $work/pid
	CommandsSocket $work/control
	Port 127.0.0.1:$port
	StartServers 2
	MaxServers 2
	ThreadsPerChild 10
	TmpDir $work
	LoadMagicFile /etc/c-icap/c-icap.magic
	ServerLog $work/server.log
	AccessLog $work/access.log
	Service meeting $module
	meeting.Config $work/services
	meeting.Journal $work/decisions.jsonl
	meeting.Store sqlite:$work/store.db
	meeting.ReportHost meeting.report
	meeting.ReportClients 127.0.0.1
	END
	c-icap -N -D -f "$work/c-icap.conf" >"$work/c-icap.out" 2>&1 &
	icap=$!
	wait_until 20 get /page.css || { cat "$work/c-icap.out" "$work/server.log" >&2; return 1; }
}

# RECORDS ASKER: calls it for each case, as ASKER CASE RECORDS PATH.
each_case() {
	"$2" 'JSON of the last hour' "$1" '/report.json?since=1h'
	"$2" 'JSON of the last day' "$1" '/report.json?since=24h'
	"$2" 'page of the last day' "$1" '/?since=24h'
	"$2" 'JSON of all' "$1" '/report.json?since=30d'
}

ask_new() {
	start_icap
	row "$1" "$2" 'nothing counted before' ms "$(get "$3&limit=20")"
	stop_icap
}

ask_before() { get "$3&limit=20" >/dev/null; }

# Another number of rows is another answer.
ask() {
	row "$1" "$2" 'counted before' ms "$(get "$3&limit=$((21 + round))")"
	row "$1" "$2" 'again' ms "$(get "$3&limit=$((21 + round))")"
}

for records in "${sizes[@]}"; do
	# Up to now: the page has links to the last hour, day and month.
	"$work/history" "$records" 0 "$(date +%s)" >"$work/journal"
	"$top_builddir/ctl/meetingctl" ingest --quiet --journal="$work/journal" --to="sqlite:$work/store.db"
	rm "$work/journal"
	for ((round = 0; round < rounds; round++)); do
		each_case "$records" ask_new
	done
	start_icap
	each_case "$records" ask_before
	for ((round = 0; round < rounds; round++)); do
		each_case "$records" ask
	done
	stop_icap
	rm -f "$work"/store.db*
done
