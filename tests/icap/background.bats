#!/usr/bin/env bats
# The module reads the journals into the store in the background: each record once, whatever happens to the store and to
# c-icap, and no request waits for it.

# shellcheck disable=SC2154,SC2031,SC2030,SC2317 # module.bash and bats set them; wait_until calls functions by name
load module

setup_file() {
	make_place
	store=$place/store/decisions.db
	mkdir "$place/store"
	export store
	write_configuration "meeting.Store sqlite:$store" 'meeting.Keep 3650d' 'meeting.ReportHost meeting.report'
	start
}
teardown_file() { remove_place; }
setup() { command -v sqlite3 >/dev/null || { [[ ${MEETING_NO_SKIP-} != 1 ]] && skip 'there is no sqlite3'; }; }

dump() { "$top_builddir/tests/records/dump_store" "sqlite:$store"; }
log_has() { grep -qE -- "$1" "$place/server.log"; }

old_line='{"time":"2020-01-01T10:00:00.000Z","host":"old%s.example","verdict":"normal","decided_by":"helper"}\n'

# NAME COUNT: so many requests, to hosts of their own. c-icap closes a connection after a hundred.
decide() {
	request preview=0 "times=$2" "request=GET http://$1-{n}.example/ HTTP/1.1" header='X-Client-IP: 192.0.2.7' \
		header='X-Meeting-Verdict: normal' >"$place/answers-$1"
	is answers "$(grep -c 'ICAP/1.0 204' "$place/answers-$1")" "$2"
}

hosts_of_store() { dump | jq -r .host | sort; }

# The store has each record of the journals once, and nothing else.
is_whole() {
	diff <(cat "$place"/journal/*.jsonl* | jq -r .host | sort) <(hosts_of_store) >"$place/difference"
}
becomes_whole() {
	wait_until 20 is_whole && return
	cat "$place/difference"
	return 1
}

@test "records are in the store within seconds, each once" {
	for group in a b c; do
		(for part in 1 2 3; do decide $group$part 90 || exit; done) &
		groups+=("$!")
	done
	wait "${groups[@]}"
	becomes_whole
	is records "$(hosts_of_store | wc -l)" 810
}

@test "Squid's own journal beside it is read, too" {
	printf '{"time":"2026-11-01T10:00:00.000Z","client":"192.0.2.9","host":"denied%s.example","verdict":"denied",%s}\n' \
		1 '"decided_by":"squid","squid":"TCP_DENIED/407"' 2 '"decided_by":"squid","squid":"TCP_DENIED/403"' \
		>>"$place/journal/denied.jsonl"
	becomes_whole
	is 'denied ones' "$(dump | grep -c '"verdict":"denied"')" 2
}

holder() { # the process that has the lock
	awk -v inode="$(stat -c %i "$store.ingest")" '$2 == "FLOCK" && $6 ~ ":" inode "$" { print $5 }' /proc/locks
}

@test "one process does it, and another one goes on when that is killed" {
	first=$(holder)
	is 'processes with the lock' "$(wc -w <<<"$first")" 1
	kill -KILL "$first"
	wait_until 20 answers
	decide killed 50
	another() { [[ $(holder) && $(holder) != "$first" ]]; }
	wait_until 20 another
	becomes_whole
}

@test "while the store is locked, requests are answered, and nothing is lost" {
	mkfifo "$place/hold"
	sqlite3 -batch "$store" <"$place/hold" >"$place/locked" 2>&1 3>&- 4>&- &
	exec {hold}>"$place/hold"
	printf "BEGIN IMMEDIATE; SELECT 'held';\n" >&"$hold"
	held() { [[ -s $place/locked ]]; }
	wait_until 10 held
	before=$(hosts_of_store | wc -l)
	started=${EPOCHREALTIME/./}
	decide locked 90
	((${EPOCHREALTIME/./} - started < 5000000))
	is 'records meanwhile' "$(hosts_of_store | wc -l)" "$before"
	printf 'ROLLBACK;\n' >&"$hold"
	exec {hold}>&-
	becomes_whole
}

@test "a store that is gone is made anew" {
	rm -f "$store" "$store-wal" "$store-shm"
	becomes_whole
}

@test "and so it is when its locks are gone, too; still one process does it" {
	rm "$store"*
	becomes_whole
	is 'processes with a lock' "$(wc -w <<<"$(holder)")" 1
	sole() { [[ $(for process in $(processes); do
		find "/proc/$process/fd" -lname "$store.ingest*"
	done | wc -l) == 1 ]]; }
	wait_until 10 sole
}

@test "a store that is no database any more is moved aside, and made anew" {
	rm -f "$store-wal" "$store-shm"
	head -c 4096 /dev/urandom | dd of="$store" conv=notrunc status=none
	decide damaged 20
	becomes_whole
	log_has 'meeting: .*moved to .*decisions\.db\.aside-'
	ls "$store".aside-*
}

@test "a store that the report finds damaged is made anew" {
	rm -f "$store".aside-* "$store-wal" "$store-shm"
	size=$(stat -c %s "$store")
	# All but the first page, which says what it is.
	head -c "$((size - 4096))" /dev/zero | tr '\0' '\377' | dd of="$store" bs=4096 seek=1 conv=notrunc status=none
	asked_for_it() {
		request preview=0 'request=GET http://meeting.report/report.json?since=1h HTTP/1.1' header='X-Client-IP: 127.0.0.1'
		compgen -G "$store.aside-*"
	}
	wait_until 20 asked_for_it
	becomes_whole
}

@test "a journal that is rotated is read to its end" {
	decide before 40
	mv "$journal" "$journal.1"
	parts=0
	followed() { decide "after$((++parts))" 10 && [[ -s $journal ]]; }
	wait_until 20 followed
	becomes_whole
}

@test "c-icap is killed in the middle of it, and nothing is lost or doubled" {
	for round in 1 2 3; do
		(for part in {1..99}; do decide "round$round-$part" 90 || exit 0; done) >"$place/broken" 2>&1 3>&- 4>&- &
		sender=$!
		some() { (($(cat "$place/answers-round$round"* | wc -l) > 200 * round)); }
		wait_until 10 some
		for process in $(processes) "$parent"; do
			kill -KILL "$process" 2>/dev/null || :
		done
		wait "$sender" || :
		rm -f "$place/pid"
		start
		acknowledged=$(cat "$place/answers-round$round"* | grep -c 'ICAP/1.0 204')
		((acknowledged < 99 * 90))
		((acknowledged <= $(cat "$place"/journal/decisions.jsonl* | jq -r .host | grep -c "^round$round-")))
	done
	becomes_whole
	# Left for the next test.
	# shellcheck disable=SC2059 # a format
	printf "$old_line" 1 2 3 >>"$journal"
	becomes_whole
	stop
}

# What follows starts c-icap anew.
@test "what is older than meeting.Keep is forgotten" {
	write_configuration "meeting.Store sqlite:$store" 'meeting.Keep 30d'
	# The first tests' store keeps ten years.
	is 'old ones' "$(hosts_of_store | grep -c '^old')" 3
	start
	decide new 1
	forgotten() { [[ $(hosts_of_store | grep -c '^old') == 0 ]]; }
	wait_until 20 forgotten
	printf "$old_line" late >>"$journal"
	decide newer 1
	came() { [[ $(hosts_of_store | grep -c '^newer') == 1 ]]; }
	wait_until 20 came
	is 'old ones' "$(hosts_of_store | grep -c '^old')" 0
	stop
}

@test "it tells a trouble once, and not at every try" {
	rm -f "$place/server.log"
	write_configuration "meeting.Store sqlite:$store"
	printf 'no record\n%.0s' {1..50} >>"$journal"
	start
	decide malformed 10
	told() { log_has 'at byte [0-9]+: not a record'; }
	wait_until 20 told
	decide malformed 10
	is 'lines about it' "$(grep -c 'not a record' "$place/server.log")" 1
	stop
}
