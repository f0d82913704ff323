#!/usr/bin/env bats
# No acknowledged record is lost: not by killed processes, not by a journal that can't be written, not by rotation.

# shellcheck disable=SC2154,SC2031,SC2030 # module.bash and bats set them
load module

setup_file() { make_place && start; }
teardown_file() { remove_place; }

# FILE: whether any process has it open.
held() {
	local pid
	for pid in $(processes); do
		readlink "/proc/$pid/fd/"* || :
	done | grep -qxF -- "$1"
}
is_let_go() { ! held "$1"; }

# A folder in its place stops root too. Each process finds that out by itself, and appends to the old file until then.
block_journal() {
	mkdir "$place/journal/folder"
	blocked() { mv -f "$journal" "$place/journal/aside" && mv -T "$place/journal/folder" "$journal"; }
	wait_until 10 blocked
	wait_until 10 is_let_go "$place/journal/aside"
}
unblock_journal() { rmdir "$journal"; }
# NAME TIMES: requests to NAME.example.com.
named() { request request="GET http://$1.example.com/ HTTP/1.1" preview=0 times="$2"; }
log_has() { grep -qE -- "$1" "$place/server.log"; }
counter_is() { [[ $(counter "$1") == "$2" ]]; }
lines_are() { [[ $(lines) == "$1" ]]; }

@test "killing any process loses no acknowledged record" {
	for client in 1 2 3 4; do
		# A connection that was cut off is begun anew.
		for round in {1..15}; do
			named "c$client-$round-{n}" 200 2>/dev/null |
				sed -n "s/^\([0-9]*\) ICAP\/1.0 204 .*/c$client-$round-\1.example.com/p" || :
		done >"$place/acknowledged.$client" 3>&- &
		clients+=($!)
	done
	killed=0
	while ((killed < 8)); do
		some() { victim=$(processes | shuf -n 1) && [[ $victim ]] && kill -KILL "$victim"; }
		wait_until 10 some
		killed=$((killed + 1))
		grown=$(($(lines) + 200))
		has_grown() { (($(lines) > grown)) || ! kill -0 "${clients[@]}" 2>/dev/null; }
		wait_until 10 has_grown
	done
	wait "${clients[@]}"
	sort "$place"/acknowledged.* >"$place/acknowledged"
	jq -r .host "$journal" | sort >"$place/recorded"
	(($(wc -l <"$place/acknowledged") > 1000))
	is 'acknowledged, but not recorded' "$(comm -23 "$place/acknowledged" "$place/recorded" | wc -l)" 0
	is 'recorded twice' "$(uniq -d "$place/recorded" | wc -l)" 0
}

@test "a rotated journal is followed by every process, and let go of" {
	wait_until 10 answers
	mv "$journal" "$place/journal/decisions.jsonl.1"
	wait_until 10 is_let_go "$journal.1"
	wait_until 10 held "$journal"
	status_of preview=0
	is lines "$(lines)" 1
}

@test "a journal that can't be written is told, counted and caught up with" {
	errors=$(counter 'JOURNAL ERRORS')
	lost=$(counter 'RECORDS LOST')
	block_journal
	run named '{n}' 40
	is answers "$(grep -c ' ICAP/1.0 204 ' <<<"$output")" 40
	wait_until 10 log_has "meeting: $journal can't be written: Is a directory"
	have_counted() { (($(counter 'JOURNAL ERRORS') > errors)); }
	wait_until 10 have_counted
	unblock_journal
	# No request is needed for it.
	wait_until 10 lines_are 40
	is order "$(jq -r .host "$journal" | tr '\n' ' ')" "$(seq -f %g.example.com 40 | tr '\n' ' ')"
	is lost "$(counter 'RECORDS LOST')" "$lost"
	wait_until 10 log_has "meeting: $journal is written again"
	(($(grep -c "can't be written" "$place/server.log") <= $(processes | wc -l)))
}

@test "what the queue can't hold is counted as lost" {
	block_journal
	huge=$(printf 'x%.0s' {1..60000})
	headers=()
	for name in Service Rule Source Would Sni; do headers+=("header=X-Meeting-$name: $huge"); done
	lost() { (($(counter 'RECORDS LOST') > 0)); }
	for round in {1..20}; do
		run request preview=0 times=100 header='X-Meeting-Verdict: bypass' "${headers[@]}"
		is answers "$(grep -c ' ICAP/1.0 204 ' <<<"$output")" 100
		! lost || break
	done
	wait_until 10 lost
	unblock_journal
	all_there() { (($(lines) + $(counter 'RECORDS LOST') == 100 * round)); }
	wait_until 10 all_there
	jq -e . "$journal" >/dev/null
}

@test "a process that ends writes what waits" {
	wait_until 10 answers
	block_journal
	is answers "$(named '{n}' 10 | grep -c ' ICAP/1.0 204 ')" 10
	unblock_journal
	stop
	is records "$(jq -r .host "$journal" | wc -l)" 10
}
