#!/usr/bin/env bats
# A fleet: three proxies' journals into two shards of ClickHouse behind a Distributed table, while a server is killed and started
# again: nothing is lost, nothing is doubled, and the report is that of one store with all the journals.

load clickhouse

setup_file() {
	has_clickhouse || return 0
	start_servers 2
}
teardown_file() { stop_servers; }

setup() {
	need_clickhouse
	FOLDER=$BATS_TEST_TMPDIR
	store=$FOLDER/store.db
	database=fleet$BATS_TEST_NUMBER
	make_database 1 sharded "$database"
	make_database 2 sharded "$database"
	mkdir "$FOLDER/etc"
}

# PROXY SHARD: its journal goes to that server.
send() {
	meetingctl ingest --journal="$FOLDER/$1/decisions.jsonl" --to="$(clickhouse "$2" "$database")" \
		--positions="$FOLDER/$1/sent.db" --timeout=60s "${@:3}"
}

# SHARD: how many rows it has, doubled ones too.
rows_of() { ask_server "$1" "SELECT count() FROM $database.records_local"; }
has_rows() { [[ $(rows_of "$1") -gt "$2" ]]; }

# Each line of the journals once, whichever server is asked.
all_is_there_once() {
	local shard
	cat "$FOLDER"/*/decisions.jsonl* | jq -r '[.time, .conn, .verdict, .client, .dst // ""] | @tsv' | sort >"$FOLDER/wanted"
	for shard in 1 2; do
		ask_server $shard "SELECT concat(replaceOne(toString(toDateTime(intDiv(time, 1000), 'UTC')), ' ', 'T'), '.',
			substring(toString(1000 + time % 1000), 2), 'Z'), conn, verdict, client, dst FROM $database.records FINAL" |
			sort >"$FOLDER/got"
		cmp "$FOLDER/wanted" "$FOLDER/got" || { diff "$FOLDER/wanted" "$FOLDER/got" | head -n 10 && return 1; }
	done
}

# The report of the fleet is SQLite's of all the journals.
report_is_that_of_one_store() {
	meetingctl ingest $(printf -- '--journal=%s ' "$FOLDER"/*/decisions.jsonl) --to="sqlite:$store" --quiet
	whole_report --from="sqlite:$store" --format=json "$@" | sed '/"made"/d' >"$FOLDER/sqlite"
	whole_report --from="$(clickhouse 2 "$database")" --format=json "$@" | sed '/"made"/d' >"$FOLDER/clickhouse"
	cmp "$FOLDER/sqlite" "$FOLDER/clickhouse"
}

@test "a server is killed and started again in the middle" {
	for proxy in 1 2 3; do
		mkdir "$FOLDER/$proxy"
		history_of 40000 $proxy $((1793000000 + proxy)).5 7.3 >"$FOLDER/$proxy/decisions.jsonl"
	done
	# As the timer does it, while the journals grow and are rotated. Server 2 is killed in the middle of the first two parts, and
	# server 1 before the last: each is missed, since a part comes when it is dead, and a sender tells once of each batch.
	senders=()
	for proxy in 1 2 3; do
		(
			part=$FOLDER/$proxy/part
			mv "$FOLDER/$proxy/decisions.jsonl" "$part"
			for from in 1 10001 20001 30001; do
				case $from in
				20001) wait_until 60 test -e "$FOLDER/killed.2" || exit ;;
				30001) touch "$FOLDER/$proxy/ready" && wait_until 60 test -e "$FOLDER/killed.1" || exit ;;
				esac
				sed -n "$from,$((from + 9999))p" "$part" >>"$FOLDER/$proxy/decisions.jsonl"
				send $proxy $((proxy % 2 + 1)) || exit
				((from != 20001)) || mv "$FOLDER/$proxy/decisions.jsonl" "$FOLDER/$proxy/decisions.jsonl.1"
			done
			send $proxy $((proxy % 2 + 1)) || exit
			rm "$part"
			touch "$FOLDER/$proxy/done"
		) >"$FOLDER/$proxy/said" 2>&1 3>&- &
		senders+=($!)
	done
	told() { cat "$FOLDER"/*/said | grep -c 'trying again' || :; }
	more_told() { [[ $(told) -gt $before ]]; }
	kill_and_start() {
		before=$(told)
		end_server "$1" KILL
		touch "$FOLDER/killed.$1"
		wait_until 30 more_told
		start_server "$1"
	}
	wait_until 30 has_rows 2 1000
	kill_and_start 2
	wait_until 60 ls "$FOLDER"/{1,2,3}/ready
	kill_and_start 1
	wait "${senders[@]}"
	ls "$FOLDER"/[123]/done || { tail "$FOLDER"/*/said && return 1; }
	rm -f "$FOLDER"/[123]/{ready,done,said}
	all_is_there_once
	# Both have a fair part of it.
	has_rows 1 50000
	has_rows 2 50000
	report_is_that_of_one_store --by=user
}

@test "a shard is down: nothing is taken for stored, and the report says so" {
	mkdir "$FOLDER/1"
	history_of 1000 1 >"$FOLDER/1/decisions.jsonl"
	end_server 2 KILL
	run send 1 1 --timeout=1s
	same 1 "$status"
	has "$output" "$(clickhouse 1 "$database"): "
	has "$output" "127.0.0.1:$(<"$place/2.tcp")"
	run whole_report --from="$(clickhouse 1 "$database")"
	same 1 "$status"
	has "$output" 'All connection tries failed'
	start_server 2
	run send 1 1
	same '1000 new records from 1 files' "$output"
	all_is_there_once
	report_is_that_of_one_store --by=client
}

@test "records that are there twice in the shards count once" {
	mkdir "$FOLDER/1"
	history_of 3000 1 >"$FOLDER/1/decisions.jsonl"
	send 1 1 --quiet
	for shard in 1 2; do
		ask_server $shard 'SYSTEM STOP MERGES'
		before=$(rows_of $shard)
		ask_server $shard "INSERT INTO $database.records_local SELECT * FROM $database.records_local WHERE id % 5 = $shard"
		has_rows $shard $((before + 100))
	done
	report_is_that_of_one_store --by=client
	for shard in 1 2; do
		ask_server $shard 'SYSTEM START MERGES'
	done
}

@test "each server deletes its own old records" {
	mkdir "$FOLDER/1" "$FOLDER/2"
	now=$(date +%s)
	history_of 500 1 $((now - 86400 * 10)) 60 >"$FOLDER/1/decisions.jsonl"
	history_of 300 2 $((now - 3600)) >"$FOLDER/2/decisions.jsonl"
	send 1 1
	send 2 2
	before=$(rows_of 2)
	send 1 1 --keep=5d
	same "$before" "$(rows_of 2)"
	send 2 2 --keep=5d
	only_300() { [[ $(ask_server 1 "SELECT count() FROM $database.records") == 300 ]]; }
	wait_until 20 only_300
	rm -r "$FOLDER/1"
	all_is_there_once
}
