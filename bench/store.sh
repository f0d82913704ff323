#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Journal to store to report: ingest and reports of 10,000 to 10,000,000 records, beside sqlite3 and jq.
set -eu
# SIZES are those numbers; of the largest but one, the others are asked too. 10,000,000 take 4 GB of disk meanwhile.
. "$bench/common.bash"
need_packages sqlite3 jq
meetingctl=$top_builddir/ctl/meetingctl
read -ra sizes <<<"${SIZES:-10000 100000 1000000 3000000 10000000}"
beside=1000000
LIBS="$top_builddir/records/.libs/librecords.a $top_builddir/category/.libs/libcategory.a -ljansson -lsqlite3 -lcidr -lcurl -lpthread" \
	build history bench/history.c
build measure bench/measure.c
export TZ=UTC

make_history_services

per_second() { awk -v records="$1" -v seconds="$2" 'BEGIN { printf "%.0f", records / seconds }'; }

# CASE SUBJECT RECORDS COMMAND...: how many records a second.
rate() {
	local case=$1 subject=$2 records=$3 seconds cpu memory
	shift 3
	read -r seconds cpu memory < <("$work/measure" "$@")
	row "$case" "$records" "$subject" 'records/s' "$(per_second "$records" "$seconds")"
	row "$case, CPU" "$records" "$subject" 'us/record' "$(awk -v n="$records" -v s="$cpu" 'BEGIN { print s / n * 1e6 }')"
	row "$case, memory" "$records" "$subject" MiB "$memory"
}

# CASE RECORDS COMMAND...: how long it takes.
time_of() {
	local case=$1 records=$2 seconds cpu memory
	shift 2
	read -r seconds cpu memory < <("$work/measure" "$@")
	row "$case" "$records" meetingctl ms "$(awk -v s="$seconds" 'BEGIN { print s * 1000 }')"
	row "$case, CPU" "$records" meetingctl ms "$(awk -v s="$cpu" 'BEGIN { print s * 1000 }')"
	row "$case, memory" "$records" meetingctl MiB "$memory"
}

report() { # CASE RECORDS SINCE [OPTION...]
	local case=$1 records=$2 since=$3
	shift 3
	time_of "$case" "$records" "$meetingctl" report --from="sqlite:$work/store.db" --config="$work/services" \
		--since="$since" --until=2026-11-26 --format=json "$@"
}

# The same columns, as rows of a table whose texts are in it.
columns='time,proxy,conn,client,user,method,host,port,dst,sni,verdict,service,rule,evidence,source,stale,decided_by,would,reason'

for records in "${sizes[@]}"; do
	"$work/history" "$records" >"$work/journal"
	sync
	for ((round = 0; round < rounds; round++)); do
		rm -f "$work"/store.db*
		rate ingest meetingctl "$records" "$meetingctl" ingest --quiet --journal="$work/journal" --to="sqlite:$work/store.db"
		report report "$records" 2026-01-01
		report 'report by user' "$records" 2026-01-01 --by user
		report 'report of the last day' "$records" 2026-11-24
		report 'report of the last hour' "$records" '2026-11-24 23:00'
		[[ $records == "$beside" ]] || continue
		if ((round == 0)); then
			jq -r '[.time,.proxy,.conn,.client,.user,.method,.host,.port,.dst,.sni,.verdict,.service,.rule,.evidence,.source,
				.stale,.decided_by,.would,.reason] | @csv' "$work/journal" >"$work/rows.csv"
		fi
		rm -f "$work/plain.db"
		sqlite3 "$work/plain.db" "PRAGMA journal_mode = WAL; CREATE TABLE records (${columns})" >"$work/said"
		rate ingest 'sqlite3 .import of CSV' "$records" sqlite3 -csv "$work/plain.db" 'PRAGMA synchronous = NORMAL' \
			".import $work/rows.csv records"
		rate ingest 'jq alone, to CSV' "$records" jq -r '[.time, .client, .user, .verdict] | @csv' "$work/journal"
		seconds=$("$work/measure" sqlite3 "$work/plain.db" 'SELECT service, count(*), count(DISTINCT conn || dst) FROM records
			GROUP BY service' | cut -d ' ' -f 1)
		row report "$records" 'sqlite3, one of its questions' ms "$(awk -v s="$seconds" 'BEGIN { print s * 1000 }')"
	done
	row size "$records" 'journal' bytes/record "$(per_second "$(stat -c %s "$work/journal")" "$records")"
	row size "$records" 'store' bytes/record "$(per_second "$(stat -c %s "$work/store.db")" "$records")"
	[[ ! -e $work/plain.db ]] || row size "$records" 'sqlite3, plain rows' bytes/record \
		"$(per_second "$(stat -c %s "$work/plain.db")" "$records")"
	rm -f "$work"/store.db* "$work"/plain.db* "$work/rows.csv" "$work/journal"
done
