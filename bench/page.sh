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
	local try
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
	for ((try = 0; try < 200; try++)); do
		! get /page.css >/dev/null 2>&1 || return 0
		read -rt 0.05 <> <(:) || :
	done
	cat "$work/c-icap.out" "$work/server.log" >&2
	return 1
}

# CASE RECORDS PATH: the first time, and then again.
ask() {
	row "$1" "$2" 'for the first time' ms "$(get "$3")"
	row "$1" "$2" 'again' ms "$(get "$3")"
}

for records in "${sizes[@]}"; do
	"$work/history" "$records" >"$work/journal"
	"$top_builddir/ctl/meetingctl" ingest --quiet --journal="$work/journal" --to="sqlite:$work/store.db"
	rm "$work/journal"
	start_icap
	for ((round = 0; round < rounds; round++)); do
		# Another number of rows is another answer.
		limit=$((20 + round))
		ask 'JSON of an hour' "$records" "/report.json?since=2026-11-24+23:00&until=2026-11-26&limit=$limit"
		ask 'JSON of a day' "$records" "/report.json?since=2026-11-24&until=2026-11-26&limit=$limit"
		ask 'page of a day' "$records" "/?since=2026-11-24&until=2026-11-26&limit=$limit"
		ask 'JSON of all' "$records" "/report.json?since=2026-11-01&until=2026-11-26&limit=$limit"
	done
	stop_icap
	rm -f "$work"/store.db*
done
