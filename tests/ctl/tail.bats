#!/usr/bin/env bats
# meetingctl tail: records as they come, also when the journal is rotated; readable, or as they are.

load store

teardown() {
	[[ ! ${follower-} ]] || kill "$follower" 2>/dev/null || :
}

shown() { [[ $(wc -l <"$FOLDER/shown") == "$1" ]]; }

follow() {
	"$top_builddir/ctl/meetingctl" tail --journal="$journal" "$@" >"$FOLDER/shown" 2>"$FOLDER/complaint" 3>&- &
	follower=$!
}

@test "the last lines" {
	history_of 100 >"$journal"
	for count in 0 1 7 100 1000; do
		same "$(tail -n $count "$journal")" "$(meetingctl tail --journal="$journal" -n $count --json --no-follow)"
	done
	history_of 3000 >"$journal"
	same "$(tail -n 2500 "$journal")" "$(meetingctl tail --journal="$journal" -n 2500 --json --no-follow)"
}

@test "a readable line" {
	cat >"$journal" <<-'END'
		{"time":"2026-11-01T10:00:00.000Z","client":"10.0.0.1","user":"an\u001bna","dst":"192.0.2.1:443","sni":"meet.example","verdict":"bypass","service":"meet","rule":"192.0.2.0/24","evidence":"address","stale":true,"decided_by":"helper"}
		{"time":"2026-11-01T10:00:01.000Z","client":"10.0.0.2","host":"other.example","port":80,"verdict":"denied","decided_by":"squid","user":"-","sni":"-","reason":"no-entry","squid":"TCP_DENIED/407"}
		{"time":"2026-11-01T10:00:01.000Z","client":"10.0.0.3","verdict":"denied","decided_by":"squid","squid":"NONE_NONE/000"}
		not a record
	END
	wanted='2026-11-01T10:00:00  bypass  10.0.0.1 (an?na) -> 192.0.2.1:443 meet.example  meet by 192.0.2.0/24 (stale)
2026-11-01T10:00:01  denied  10.0.0.2 -> other.example:80  no-entry'
	same "$wanted" "$(TZ=UTC meetingctl tail --journal="$journal" --no-follow)"
}

@test "what comes is shown, through torn lines, rotation and truncation" {
	history_of 5 1 >"$journal"
	follow -n 2 --json
	wait_until 10 shown 2
	history_of 3 2 >>"$journal"
	wait_until 10 shown 5
	line=$(history_of 1 3)
	printf '%s' "${line:0:50}" >>"$journal"
	printf '%s\n' "${line:50}" >>"$journal"
	wait_until 10 shown 6
	same "$line" "$(tail -n 1 "$FOLDER/shown")"
	history_of 1 4 >>"$journal"
	mv "$journal" "$journal.1"
	history_of 2 5 >"$journal"
	wait_until 10 shown 9
	: >"$journal"
	wait_until 10 shown 9
	kill -INT "$follower"
	wait "$follower"
	same '' "$(cat "$FOLDER/complaint")"
}

@test "a journal that isn't there yet" {
	follow --json
	wait_until 10 grep -q 'waiting for one' "$FOLDER/complaint"
	history_of 2 1 >"$journal"
	wait_until 10 shown 2
	kill -TERM "$follower"
	wait "$follower"
}

@test "who reads goes away" {
	history_of 5000 1 >"$journal"
	run bash -o pipefail -c "'$top_builddir/ctl/meetingctl' tail --journal='$journal' -n 5000 | head -n 1"
	same 0 "$status"
	same 1 "${#lines[@]}"
}

@test "wrong usage" {
	for wrong in '-n x' '-n' --bogus surplus; do
		# shellcheck disable=SC2086 # several words
		run meetingctl tail $wrong
		same 2 "$status"
	done
}
