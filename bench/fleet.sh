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

# COMMAND...: its milliseconds, in `took`.
timed() {
	local begin=${EPOCHREALTIME/./}
	"$@" >"$work/output"
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
}
report() {
	meetingctl report --from="$1" --config="$top_srcdir/services" --since=2020-01-01 --until=2040-01-01 --by="$2" --format=json
}

# NAME PLACE BYTES-OF-THE-STORE: what is told of one store, if it is wanted.
measure() {
	local rate by times=()
	[[ " $stores " == *" $1 "* ]] || return 0
	timed meetingctl ingest --journal="$work/journal" --to="$2" --positions="$work/sent.$1.db" --quiet
	rate=$((records * 1000 / (took + 1)))
	for by in service client day; do
		timed report "$2" $by
		times+=("$took")
	done
	[[ $(jq '.totals[-1].records' "$work/output") == "$records" ]]
	printf '%-10s  %12s  %16s  %10s  %10s  %10s\n' "$1" "$(($($3) / records))" "$rate" "${times[@]}"
}

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
printf '%-10s  %12s  %16s  %10s  %10s  %10s\n' store 'bytes/record' 'records/s taken' 'by service' 'by client' 'by day (ms)'
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
echo '(ClickHouse: the servers are on the same machine as meetingctl, and as each other)'
