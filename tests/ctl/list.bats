#!/usr/bin/env bats
# meetingctl list: the services with their sources, how many entries each gave, how old, when they expire.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	file meet.service <<-'END'
		service meet
		title Meet, of the tests
		source https://meet.example/a 2026-01-01
		expires 2999-12-31
		ports tcp 443
		address 192.0.2.0/24
		address 2001:db8::/32
		name .meet.example
		source https://meet.example/b
		expires 2020-02-02
		address 192.0.2.0/24 udp 3478
		address 198.51.100.7
	END
	printf 'service own\naddress 10.0.0.1 private\n' | file own.service
	printf '' | file off.service
	printf 'service bad\nbogus\n' | file bad.service
	printf 'client 10.0.0.0/8\nclient 11.0.0.0/8 meet\n' | file clients
}

list() {
	meetingctl list --config="$FOLDER" "$@" 2>"$BATS_TEST_TMPDIR/stderr"
}

@test "each service, its sources, age and expiry" {
	run list
	same 0 "$status"
	days=$((($(date -u +%s) / 86400) - ($(date -u -d 2026-01-01 +%s) / 86400)))
	has "$output" 'meet  Meet, of the tests'
	has "$output" "    2 addresses, 1 names, from https://meet.example/a
      of 2026-01-01 ($days days old), expires on 2999-12-31; $FOLDER/meet.service"
	has "$output" "    2 addresses, 0 names, from https://meet.example/b
      undated, EXPIRED on 2020-02-02; $FOLDER/meet.service"
	has "$output" "    1 addresses, 0 names, from $FOLDER/own.service"
	has "$output" '2 exempt client ranges'
}

@test "services that are off or refused say so; errors go to stderr" {
	run list
	[[ $output =~ (^|$'\n')off\ [^$'\n']*off ]]
	[[ $output =~ (^|$'\n')bad\ [^$'\n']*refused ]]
	list >/dev/null
	has "$(cat "$BATS_TEST_TMPDIR/stderr")" "$FOLDER/bad.service:2:1: unknown directive"
}

@test "a service by name, with all its entries" {
	run list meet
	same 0 "$status"
	[[ $output =~ 'address'\ +'192.0.2.0/24'\ +'tcp 443'\ +"$FOLDER/meet.service:6" ]]
	[[ $output =~ 'address'\ +'192.0.2.0/24'\ +'udp 3478'\ +"$FOLDER/meet.service:11" ]]
	[[ $output =~ 'name'\ +'.meet.example'\ +'tcp 443'\ +"$FOLDER/meet.service:8" ]]
	lacks "$output" own
	lacks "$output" 'exempt client'
}

@test "a service that isn't there: exit 1" {
	run list nothing
	same 1 "$status"
	run list meet nothing
	same 1 "$status"
	has "$(cat "$BATS_TEST_TMPDIR/stderr")" 'no service `nothing`'
}

@test "--json" {
	needs jq
	run list --json
	same 0 "$status"
	same '["bad","meet","off","own"]' "$(jq -c 'map(.service)' <<<"$output")"
	same '["refused","on","off","on"]' "$(jq -c 'map(.state)' <<<"$output")"
	same '{"addresses":3,"names":1}' "$(jq -c '.[1] | {addresses, names}' <<<"$output")"
	same '[["https://meet.example/a","2026-01-01","2999-12-31",false,2,1],["https://meet.example/b","","2020-02-02",true,2,0]]' \
		"$(jq -c '.[1].sources | sort_by(.source) | map([.source, .date, .expires, .stale, .addresses, .names])' <<<"$output")"
	same null "$(jq -c '.[1].entries' <<<"$output")"
	run list --json meet
	same 5 "$(jq '.[0].entries | length' <<<"$output")"
	run list --json off
	same '[]' "$(jq -c '.[0].entries' <<<"$output")"
}

@test "wrong usage: exit 2; help: exit 0" {
	run list --nonsense
	same 2 "$status"
	run list --help
	same 0 "$status"
	has "$output" 'Usage: meetingctl list'
}
