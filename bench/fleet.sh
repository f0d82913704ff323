#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A million records (or RECORDS) in SQLite, in ClickHouse, and in two shards (or STORES): bytes, ingest, report.
set -eu
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
top_builddir=${top_builddir:-$PWD}
records=${RECORDS:-1000000}
stores=${STORES:-sqlite clickhouse 2-shards}
work=$(mktemp -d)
load() { . "$top_srcdir/tests/ctl/$1.bash"; }
load clickhouse
has_clickhouse || { echo "missing:$missing" >&2; exit 1; }
trap 'stop_servers; rm -rf "$work"' EXIT

# Milliseconds of processor time that the servers have used so far.
servers_used() {
	local number pid
	for ((number = 1; number <= ${servers-0}; number++)); do
		pid=$(<"$place/$number.pid")
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk -v ticks="$(getconf CLK_TCK)" '{ sum += $12 + $13 } END { printf("%d", sum * 1000 / ticks) }'
}

# COMMAND...: its milliseconds in `took`, and those of processor time, the servers' with it, in `used`.
timed() {
	local TIMEFORMAT='%R %U %S' before
	before=$(servers_used)
	{ time "$@" >"$work/output"; } 2>"$work/time"
	took=$(awk '{ printf("%d", $1 * 1000) }' "$work/time")
	used=$(($(awk '{ printf("%d", ($2 + $3) * 1000) }' "$work/time") + $(servers_used) - before))
}
report() {
	meetingctl report --from="$1" --config="$top_srcdir/services" --since=2020-01-01 --until=2040-01-01 --by="$2" --format=json
}

# NAME PLACE BYTES-OF-THE-STORE: what is told of one store, if it is wanted.
measure() {
	local rate by times=() busy
	[[ " $stores " == *" $1 "* ]] || return 0
	timed meetingctl ingest --journal="$work/journal" --to="$2" --positions="$work/sent.$1.db" --quiet
	rate=$((records * 1000 / (took + 1)))
	busy=$((used * 1000 / (records / 1000)))
	for by in service client day; do
		timed report "$2" $by
		times+=("$took" "$used")
	done
	[[ $(jq '.totals[-1].records' "$work/output") == "$records" ]]
	printf "$form" "$1" "$(($($3) / records))" "$rate" "$busy" "${times[@]}"
}

form='%-10s  %12s  %8s  %8s  %10s  %6s  %10s  %6s  %10s  %6s\n'
sqlite_bytes() { du -cb "$work"/store.db* | awk 'END { print $1 }'; }
table_bytes() {
	local number
	for ((number = 1; number <= servers; number++)); do
		ask_server $number "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '$database'"
	done | awk '{ sum += $1 } END { print sum }'
}

# A month of it, so that a report has days.
awk -v count="$records" -v seed=1 -v start=1793000000.5 -v step="$(awk "BEGIN { print 2500000 / $records }")" \
	-f "$top_srcdir/tests/ctl/history.awk" >"$work/journal"
echo "$records records of a month; $(($(stat -c %s "$work/journal") / records)) bytes each in the journal"
printf "$form" store 'bytes/record' 'taken/s' 'ns each' 'by service' used 'by client' used 'by day' used
measure sqlite "sqlite:$work/store.db" sqlite_bytes
start_servers 2
database=single
make_database 1 single $database
measure clickhouse "$(clickhouse 1 $database)" table_bytes
ask_server 1 "DROP DATABASE $database"
database=sharded
make_database 1 sharded $database
make_database 2 sharded $database
measure 2-shards "$(clickhouse 1 $database)" table_bytes
echo '(reports in ms; `used` and `ns each`: of processor time, that of the servers with it)'
echo '(ClickHouse: the servers are on the same machine as meetingctl, and as each other)'
