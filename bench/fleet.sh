#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A month's records in SQLite, in ClickHouse, and in two shards (or STORES): bytes, ingest, report; docs/FLEET.md shows it.
set -eu
# SIZES are the numbers of records. The servers are on the same machine as meetingctl, and as each other.
. "$bench/common.bash"
top_srcdir=$top
read -ra sizes <<<"${SIZES:-100000 1000000 3000000 10000000}"
stores=${STORES:-SQLite ClickHouse two-shards}
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

# STORE PLACE BYTES-OF-THE-STORE
measure() {
	timed meetingctl ingest --journal="$work/journal" --to="$2" --positions="$work/sent.db" --quiet
	rm -f "$work"/sent.db*
	row ingest "$records" "$1" records/s "$((records * 1000 / (took + 1)))"
	row 'ingest, CPU' "$records" "$1" us/record "$(awk "BEGIN { print $used * 1000 / $records }")"
	timed meetingctl report --from="$2" --config="$top_srcdir/services" --since=2020-01-01 --until=2040-01-01 --by=client --format=json
	[[ $(jq '.totals[-1].records' "$work/output") == "$records" ]]
	row 'report by client' "$records" "$1" ms "$took"
	row 'report by client, CPU' "$records" "$1" ms "$used"
	row size "$records" "$1" bytes/record "$(($($3) / records))"
}
sqlite_bytes() { du -cb "$work"/store.db* | awk 'END { print $1 }'; }
table_bytes() {
	local number
	for ((number = 1; number <= servers; number++)); do
		ask_server $number "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '$database'"
	done | awk '{ sum += $1 } END { print sum }'
}

start_servers 2
for records in "${sizes[@]}"; do
	# A month of it, so that a report has days.
	awk -v count="$records" -v seed=1 -v start=1793000000.5 -v step="$(awk "BEGIN { print 2500000 / $records }")" \
		-f "$top_srcdir/tests/ctl/history.awk" >"$work/journal"
	row size "$records" journal bytes/record $(($(stat -c %s "$work/journal") / records))
	for ((round = 0; round < rounds; round++)); do
		for store in $stores; do
			case $store in
			SQLite)
				measure "$store" "sqlite:$work/store.db" sqlite_bytes
				rm -f "$work"/store.db*
				;;
			ClickHouse)
				database=single
				make_database 1 single $database
				measure "$store" "$(clickhouse 1 $database)" table_bytes
				ask_server 1 "DROP DATABASE $database"
				;;
			two-shards)
				database=sharded
				make_database 1 sharded $database
				make_database 2 sharded $database
				measure "${store/-/ }" "$(clickhouse 1 $database)" table_bytes
				ask_server 1 "DROP DATABASE $database"
				ask_server 2 "DROP DATABASE $database"
				;;
			esac
		done
	done
done
