#!/usr/bin/env bats
# Records in ClickHouse: the report is the one that SQLite gives, byte by byte; what is sent twice counts once; what is old goes.

load clickhouse

setup_file() {
	has_clickhouse || return 0
	start_servers 1
}
teardown_file() { stop_servers; }

setup() {
	need_clickhouse
	FOLDER=$BATS_TEST_TMPDIR
	journal=$FOLDER/decisions.jsonl
	store=$FOLDER/store.db
	database=test$BATS_TEST_NUMBER
	make_database 1 single "$database"
	to=$(clickhouse 1 "$database")
	mkdir "$FOLDER/etc"
}
teardown() {
	stand_aside
	[[ ! ${stopped-} ]] || ask_server 1 'SYSTEM START MERGES'
}

send() { meetingctl ingest --journal="$journal" --to="$to" --positions="$FOLDER/sent.db" "$@"; }
count() { ask_server 1 "SELECT count() FROM $database.records FINAL"; }

# Each record of the files is there once.
is_there_once() {
	same "$(cat "$@" | wc -l)" "$(count)"
	cat "$@" | jq -r '[.time, .conn, .verdict, .client, .dst // ""] | @tsv' | sort >"$FOLDER/wanted"
	ask_server 1 "SELECT concat(replaceOne(toString(toDateTime(intDiv(time, 1000), 'UTC')), ' ', 'T'), '.',
		substring(toString(1000 + time % 1000), 2), 'Z'), conn, verdict, client, dst FROM $database.records FINAL" |
		sort | diff "$FOLDER/wanted" -
}

# All that a text may have in it, and each kind of record that a section is made of.
hostile_history() {
	history_of 3000 5
	jq -nc --arg tab $'a\tb' --arg line $'a\nb\r\\n\\' --arg sql "'; DROP TABLE records; --" --arg zero $'\u0001\u0000x' '
		[$tab, $line, $sql, $zero, "\u0000", "é\u0085\u2028", "\\N", "NULL", "😀\u0007", " ", "a,b", "\"", "{}", "(", "\\\u0027"] as $texts |
		range($texts | length) | . as $i | $texts[$i] as $text |
		{time: "2026-11-01T12:30:0\($i % 10).\(100 + $i)Z", conn: "10.0.0.\($i):1", client: $text, user: $text, host: $text,
			sni: $text, rule: $text, service: $text, dst: "192.0.2.7:444", port: 444, verdict: "bypass", evidence: "address",
			decided_by: "icap", disagrees: true},
		{time: "2026-11-01T12:31:0\($i % 10).\(100 + $i)Z", conn: "10.0.0.\($i):2", client: $text, user: $text, host: $text,
			dst: "192.0.2.7:444", port: 444, verdict: "denied", decided_by: "squid", reason: $text},
		{time: "2026-11-01T12:32:0\($i % 10).\(100 + $i)Z", client: $text, user: $text, host: "a.meet.example", sni: $text,
			dst: $text, verdict: "bypass", service: "meet", rule: ".meet.example", evidence: "name", decided_by: "helper"},
		{time: "2026-11-01T12:33:0\($i % 10).\(100 + $i)Z", client: "10.0.0.1", sni: "a.meet.example", dst: "9.9.9.\($i):443",
			verdict: "bypass", service: "meet", rule: ".meet.example", evidence: "name", decided_by: "helper"}'
}

both_alike() {
	whole_report --from="sqlite:$store" "$@" >"$FOLDER/sqlite"
	whole_report --from="$to" "$@" >"$FOLDER/clickhouse"
	# But for the moment at which it was made.
	sed -i '/"made"/d' "$FOLDER/sqlite" "$FOLDER/clickhouse"
	[[ -s $FOLDER/sqlite ]]
	cmp "$FOLDER/sqlite" "$FOLDER/clickhouse" || { diff "$FOLDER/sqlite" "$FOLDER/clickhouse" | head -n 20 && return 1; }
}

@test "the report is SQLite's, whatever is in the texts" {
	file etc/meet.service <<-'END'
		service meet
		address 192.0.2.0/27 tcp 443
		address 198.51.100.0/24
		name .meet.example
		name meet.example.com
	END
	hostile_history >"$journal"
	ingest --quiet
	send --quiet
	for by in service client user rule hour day; do
		both_alike --format=json --by="$by"
	done
	cp "$FOLDER/clickhouse" "$FOLDER/json"
	same '[true]' "$(jq -c '[.failures, .unused, .candidates, .abuse] | map(length > 0) | unique' "$FOLDER/json")"
	for section in failures unused candidates abuse; do
		both_alike --format=csv --section="$section"
	done
	both_alike --format=text
	both_alike --format=json --limit=3 --by=user
	rm -r "$FOLDER/etc"
	both_alike --format=json
}

@test "more destinations near the category than the server is told" {
	file etc/meet.service <<-'END'
		service meet
		address 192.0.2.0/24 tcp 9
	END
	awk 'BEGIN {
		for (i = 0; i < 6000; i++)
			printf("{\"time\":\"2026-11-01T12:00:00.%03dZ\",\"conn\":\"10.0.0.1:%d\",\"client\":\"10.0.0.%d\",\"dst\":\"%s.%d:%d\"," \
				"\"verdict\":\"%s\",\"decided_by\":\"helper\"}\n", i % 1000, i, i % 7, i % 2 ? "192.0.2" : "203.0.113", i % 250, \
				1000 + i % 3000, i % 3 ? "normal" : "denied")
	}' >"$journal"
	ingest --quiet
	send --quiet
	both_alike --format=json
	same '["no-entry","other-port"]' "$(jq -c '[.failures[].why] | unique' "$FOLDER/clickhouse")"
}

@test "days and hours begin where they do locally" {
	# Three weeks in which the clock changes in Europe, in America, and on Lord Howe by half an hour.
	history_of 4000 7 1792000000.5 459.7 >"$journal"
	ingest --quiet
	send --quiet
	for zone in Europe/Berlin America/New_York Australia/Lord_Howe Asia/Kathmandu; do
		TZ=$zone both_alike --format=csv --by=hour
		TZ=$zone both_alike --format=csv --by=day
	done
}

@test "what is new in the journal, under whatever name it is" {
	history_of 1000 1 >"$journal"
	run send
	same '1000 new records from 1 files' "$output"
	history_of 500 2 1794000000 >>"$journal"
	mv "$journal" "$journal.1"
	history_of 300 3 1795000000 >"$journal"
	run send
	same '800 new records from 2 files' "$output"
	run send
	same '0 new records from 2 files' "$output"
	is_there_once "$journal" "$journal.1"
}

@test "sent again from the beginning: renamed, copied, or without what keeps the positions" {
	history_of 1000 1 >"$journal"
	send
	cp "$journal" "$journal.1"
	: >"$journal"
	history_of 300 3 1795000000 >"$journal"
	rm "$FOLDER"/sent.db*
	run send
	same '1300 new records from 2 files' "$output"
	mv "$journal.1" "$FOLDER/restored"
	meetingctl ingest --journal="$FOLDER/restored" --to="$to" --positions="$FOLDER/other.db"
	run send --rebuild
	has "$output" '300 new records from 1 files'
	is_there_once "$journal" "$FOLDER/restored"
	same 1300 "$(whole_report --from="$to" --format=json | jq '.totals[] | select(.verdict == "all").records')"
}

@test "the answer is swallowed: sent again, and counted once" {
	history_of 2000 1 >"$journal"
	stand_between swallow "$(<"$place/1.http")" 2
	run meetingctl ingest --journal="$journal" --to="clickhouse://127.0.0.1:$between/$database" --positions="$FOLDER/sent.db"
	same 0 "$status"
	has "$output" 'trying again'
	has "$output" '2000 new records from 1 files'
	same 2 "$(wc -l <"$FOLDER/between.said")"
	is_there_once "$journal"
}

@test "killed when the server has stored a batch, and before that is noted" {
	history_of 2000 1 >"$journal"
	stand_between hold "$(<"$place/1.http")" "$FOLDER/stored"
	"$top_builddir/ctl/meetingctl" ingest --journal="$journal" --to="clickhouse://127.0.0.1:$between/$database" \
		--positions="$FOLDER/sent.db" 3>&- &
	pid=$!
	wait_until 20 test -e "$FOLDER/stored"
	kill -KILL "$pid"
	wait "$pid" || :
	same 2000 "$(count)"
	run send
	same '2000 new records from 1 files' "$output"
	is_there_once "$journal"
}

# SQL: rows of the table that come a second time.
again() { echo "INSERT INTO $database.records SELECT * FROM $database.records FINAL WHERE $1"; }

stop_merges() { stopped=1 && ask_server 1 'SYSTEM STOP MERGES'; }

history_to_double() {
	hostile_history >"$journal"
	ingest --quiet
	send --quiet
	stop_merges
}

@test "some are there twice, in the middle, of all verdicts and without a connection" {
	history_to_double
	ask_server 1 "$(again 'time >= 1793001000000 AND time < 1793002000000 AND id % 2 = 0')"
	for by in client hour; do
		both_alike --format=json --by=$by
	done
	ask_server 1 "$(again 'connection = 0')"
	both_alike --format=json
	ask_server 1 "$(again 1)"
	ask_server 1 "$(again 1)"
	[[ $(ask_server 1 "SELECT count() FROM $database.records") -gt 9000 ]]
	both_alike --format=json --by=user
}

@test "some arrive a second time while the report is made" {
	history_to_double
	mine=$to
	for first in 2 3 6 9 12 14; do
		stand_between arrive "$(<"$place/1.http")" $first $first "$(again 'id % 30 = 0')"
		to=clickhouse://127.0.0.1:$between/$database
		both_alike --format=json
		same 1 "$(wc -l <"$FOLDER/between.said")"
		stand_aside
		# Nothing is there twice when the next one begins.
		to=$mine
		ask_server 1 'SYSTEM START MERGES'
		ask_server 1 "OPTIMIZE TABLE $database.records FINAL"
		ask_server 1 'SYSTEM STOP MERGES'
	done
	# Before each request those of another minute.
	minute="intDiv(time, 60000) = 29883333 + (SELECT count() FROM system.parts WHERE active AND database = '$database')"
	stand_between arrive "$(<"$place/1.http")" 2 1000 "$(again "$minute")"
	to=clickhouse://127.0.0.1:$between/$database
	both_alike --format=json
	[[ $(wc -l <"$FOLDER/between.said") -gt 30 ]]
}

@test "as many arrive a second time as were there twice before" {
	history_of 1000 | sed 's/"verdict":"[a-z]*"/"verdict":"normal"/' >"$journal"
	ingest --quiet
	send --quiet
	stop_merges
	ask_server 1 "$(again 'time < 1793000050000')"
	stand_between arrive "$(<"$place/1.http")" 2 2 "$(again 'time >= 1793000500000 AND time < 1793000550000')"
	to=clickhouse://127.0.0.1:$between/$database
	both_alike --format=json
}

@test "several at once" {
	history_of 20000 2 >"$journal"
	pids=()
	for i in 1 2 3; do
		send >"$FOLDER/said.$i" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	same 20000 "$(cat "$FOLDER"/said.* | awk '{ sum += $1 } END { print sum }')"
	same 20000 "$(count)"
}

@test "--keep: what is older isn't sent, and is deleted by whole days" {
	now=$(date +%s)
	history_of 100 1 $((now - 86400 * 10)) 60 >"$journal"
	history_of 50 2 $((now - 3600)) >>"$journal"
	send
	same 150 "$(count)"
	run send --keep=5d
	has "$output" 'forgotten: 100'
	only_50() { [[ $(count) == 50 ]]; }
	wait_until 20 only_50
	run send --keep=5d
	lacks "$output" forgotten
	run send --keep=5d --rebuild
	has "$output" '50 new records from 1 files; too old to be kept: 100'
	same 50 "$(count)"
}

@test "a password, from a file, the environment, or the place" {
	history_of 3 1 >"$journal"
	to=${to/127/meeting@127}
	echo s3cret >"$FOLDER/password"
	run send --password-file="$FOLDER/password"
	same '3 new records from 1 files' "$output"
	same 3 "$(MEETING_CLICKHOUSE_PASSWORD=s3cret whole_report --from="$to" --format=json | jq '.totals[-1].records')"
	same 3 "$(whole_report --from="${to/meeting@/meeting:s3cret@}" --format=json | jq '.totals[-1].records')"
	for wrong in "${to/meeting@/meeting:wr%6fng@}" "${to/meeting@/nobody@}"; do
		run whole_report --from="$wrong"
		same 1 "$status"
		has "$output" '--password-file'
		lacks "$output" wr
	done
	run send --password-file="$FOLDER/none"
	same 1 "$status"
	has "$output" "$FOLDER/none: No such file"
}

@test "by HTTPS, from a server whose certificate is believed" {
	history_of 3 1 >"$journal"
	to=clickhouses://127.0.0.1:$(<"$place/1.https")/$database
	run send
	same 1 "$status"
	has "$output" "$to: its certificate isn't believed"
	has "$output" CURL_CA_BUNDLE
	export CURL_CA_BUNDLE=$place/certificate.pem
	run send
	same '3 new records from 1 files' "$output"
	same 3 "$(whole_report --from="$to" --format=json | jq '.totals[-1].records')"
	run whole_report --from="${to/127.0.0.1/localhost}"
	same 1 "$status"
	has "$output" "isn't believed"
}

@test "what is missing is named, with the remedy, and not tried again" {
	history_of 3 1 >"$journal"
	to=$(clickhouse 1 nosuch)
	for command in send whole_report; do
		run $command --from="$to"
		[[ $command == whole_report ]] || run send
		same 1 "$status"
		has "$output" "$to: "
		has "$output" "nosuch"
		has "$output" 'single.sql'
		lacks "$output" 'trying again'
	done
	to=$(clickhouse 1 default)
	run send
	same 1 "$status"
	has "$output" "default.records"
	has "$output" 'single.sql'
	ask_server 1 "DROP TABLE $database.records"
	ask_server 1 "CREATE TABLE $database.records (id UInt64, time Int64) ENGINE = ReplacingMergeTree() ORDER BY (time, id)"
	to=$(clickhouse 1 "$database")
	run send
	same 1 "$status"
	has "$output" "compare its table with"
	run whole_report --from="$to"
	same 1 "$status"
	has "$output" "compare its table with"
	run whole_report --from="${to/127/reader@127}"
	same 1 "$status"
	has "$output" readonly=2
	[[ $(send --quiet 2>&1 | LC_ALL=C grep -c '[^ -~]') == 0 ]]
}
