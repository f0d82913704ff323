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

# As above, and waits until it has counted ahead: until it takes no time for 20 seconds, as it rests between two such.
start_quiet_icap() {
	local last=-1 now=0
	start_icap
	# shellcheck disable=SC2046 # a list of numbers
	while ((now - last > 100 * 1000 * 1000 || last < 0)); do
		last=$now
		read -rt 20 <> <(:) || :
		now=$(cpu_of "$icap" $(pgrep -P "$icap"))
	done
}

# CASE RECORDS PATH: before anything was counted.
ask_at_once() {
	start_icap
	row "$1" "$2" 'at once after the start' ms "$(get "$3&limit=$limit")"
	stop_icap
}

# CASE RECORDS PATH: the first time, then with another number of rows, which is another answer, and then the same again.
ask() {
	row "$1" "$2" 'for the first time' ms "$(get "$3&limit=$limit")"
	row "$1" "$2" 'with other rows' ms "$(get "$3&limit=$((limit + 1))")"
	row "$1" "$2" 'again' ms "$(get "$3&limit=$((limit + 1))")"
}

limit=20
for records in "${sizes[@]}"; do
	# Up to now: the page has links to the last hour, day and month.
	now=$(date +%s)
	"$work/history" "$records" 0 "$now" >"$work/journal"
	"$top_builddir/ctl/meetingctl" ingest --quiet --journal="$work/journal" --to="sqlite:$work/store.db"
	rm "$work/journal"
	earlier="since=$(date -d "@$((now - 3 * 86400))" +%FT%T)&until=$(date -d "@$((now - 2 * 86400))" +%FT%T)"
	for ((round = 0; round < rounds; round++)); do
		ask_at_once 'JSON of the last hour' "$records" '/report.json?since=1h'
		ask_at_once 'JSON of the last day' "$records" '/report.json?since=24h'
		ask_at_once 'page of the last day' "$records" '/?since=24h'
		ask_at_once 'JSON of all' "$records" '/report.json?since=30d'
		start_quiet_icap
		ask 'JSON of the last hour' "$records" '/report.json?since=1h'
		ask 'JSON of the last day' "$records" '/report.json?since=24h'
		ask 'page of the last day' "$records" '/?since=24h'
		ask 'JSON of all' "$records" '/report.json?since=30d'
		((records < 10000000)) || ask 'JSON of an earlier day' "$records" "/report.json?$earlier"
		stop_icap
	done
	rm -f "$work"/store.db*
done
