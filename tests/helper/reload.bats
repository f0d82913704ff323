#!/usr/bin/env bats
# The helper notices by itself that the category has changed: by every way of saving, in folders that come later, on
# SIGHUP; a broken file keeps its last good content, an empty one switches its service off, an expired one is told.

bats_require_minimum_version 1.5.0
load ../wait

setup() {
	DIR=$BATS_TEST_TMPDIR
	mkdir "$DIR/services"
	service 192.0.2.0/24
	coproc HELPER { exec "${top_builddir:-.}/helper/ext_meeting_acl" --config="$DIR/services" --config="$DIR/state/later/" \
		2>"$DIR/stderr" 3>&-; }
	TO=${HELPER[1]} FROM=${HELPER[0]} PROCESS=$HELPER_PID
	becomes 'grep -q "services with" "$DIR/stderr"'
}

teardown() {
	exec {TO}>&-
	wait "$PROCESS"
}

# CONDITION [SECONDS]: waits for it; says what the helper told if it doesn't come.
becomes() {
	wait_until "${2-20}" eval "$1" && return
	echo "waited in vain for: $1" >&2
	cat "$DIR/stderr" >&2
	return 1
}

service() {
	printf 'service meet\naddress %s\n' "$@" >"$DIR/services/meet.service"
}

# ADDRESS [ARGUMENT]: is it exempt?
exempt() {
	echo "10.0.0.1 $1 443 - - ${2-}" >&"$TO"
	read -rt 10 ANSWER <&"$FROM" && [[ $ANSWER == OK* ]]
}

# A line that begins with ! can't fail a test.
not_exempt() {
	if exempt "$@"; then
		return 1
	fi
	[[ $ANSWER == ERR* ]]
}

@test 'a file that is written anew' {
	exempt 192.0.2.1
	service 198.51.100.0/24
	becomes 'exempt 198.51.100.1'
	not_exempt 192.0.2.1
	becomes 'grep -q "ext_meeting_acl reloaded: 1 services with 1 address" "$DIR/stderr"'
}

@test 'a file that is moved over it, and one that is removed' {
	printf 'service meet\naddress 198.51.100.0/24\n' >"$DIR/new"
	mv "$DIR/new" "$DIR/services/meet.service"
	becomes 'exempt 198.51.100.1'
	rm "$DIR/services/meet.service"
	becomes '! exempt 198.51.100.1'
	[[ $ANSWER == *nothing-loaded ]]
}

@test 'a file that is edited in place, as by sed -i' {
	sed -i 's/192.0.2.0/198.51.100.0/' "$DIR/services/meet.service"
	becomes 'exempt 198.51.100.1'
}

@test 'a writer who takes his time is waited for' {
	exec 7>"$DIR/services/meet.service"
	printf 'service meet\naddress 192.0.2.1' >&7
	local turn
	for turn in {1..10}; do
		exempt 192.0.2.200 # the old content, not the half line
		read -rt 0.05 <> <(:) || true
	done
	printf '28/25\n' >&7
	exec 7>&-
	becomes '! exempt 192.0.2.1'
	exempt 192.0.2.200
}

@test 'a broken file keeps its last good content, until it is good again' {
	printf 'service meet\naddress 192.0.2.0/2\n' >"$DIR/services/meet.service"
	becomes 'grep -q "meet.service:2:9: " "$DIR/stderr"'
	becomes 'grep -q "reloaded.*1 FILES REFUSED" "$DIR/stderr"'
	exempt 192.0.2.1
	service 198.51.100.0/24
	becomes 'exempt 198.51.100.1'
	not_exempt 192.0.2.1
}

@test 'an empty file switches the service off' {
	: >"$DIR/services/meet.service"
	becomes '! exempt 192.0.2.1 meet'
	[[ $ANSWER == *nothing-loaded || $ANSWER == *service-off ]]
}

# Looking would take up to ten seconds.
@test 'a folder that comes later, goes and comes again is noticed at once; what is in it hides another' {
	mkdir "$DIR/state"
	mkdir "$DIR/state/later"
	printf 'service meet\naddress 203.0.113.0/24\n' >"$DIR/state/later/meet.service"
	becomes 'exempt 203.0.113.1' 4
	not_exempt 192.0.2.1
	mv "$DIR/state/later" "$DIR/aside"
	becomes 'exempt 192.0.2.1' 4
	mv "$DIR/aside" "$DIR/state/later"
	becomes 'exempt 203.0.113.1' 4
	rm -r "$DIR/state"
	becomes 'exempt 192.0.2.1' 4
	mkdir -p "$DIR/state/later"
	printf 'service meet\naddress 198.51.100.0/24\n' >"$DIR/state/later/meet.service"
	becomes 'exempt 198.51.100.1' 4
}

@test 'the target of a link, on SIGHUP' {
	printf 'service other\naddress 198.51.100.0/24\n' >"$DIR/elsewhere"
	ln -s "$DIR/elsewhere" "$DIR/services/other.service"
	becomes 'exempt 198.51.100.1'
	printf 'service other\naddress 203.0.113.0/24\n' >"$DIR/elsewhere"
	kill -HUP "$PROCESS"
	becomes 'exempt 203.0.113.1'
}

@test 'an editor that leaves other files about is no reason to reload' {
	: >"$DIR/services/meet.service~"
	: >"$DIR/services/.meet.service.swp"
	: >"$DIR/services/notes.txt"
	service 198.51.100.0/24
	becomes 'exempt 198.51.100.1'
	becomes 'grep -q reloaded "$DIR/stderr"'
	[ "$(grep -c reloaded "$DIR/stderr")" = 1 ]
}

@test 'entries past their expiry are told, and marked' {
	printf 'service meet\nsource https://example.com/list 2020-01-01\nexpires 2020-02-01\naddress 198.51.100.0/24\n' \
		>"$DIR/services/meet.service"
	becomes 'exempt 198.51.100.1'
	[[ $ANSWER == *' stale_=yes '* ]]
	becomes 'grep -q "meet: the entries from https://example.com/list have expired on 2020-02-01" "$DIR/stderr"'
}

@test 'a reply that was kept is not of the category before' {
	exempt 192.0.2.1
	exempt 192.0.2.1
	printf 'service meet\nsource another\naddress 192.0.2.0/24\n' >"$DIR/services/meet.service"
	becomes 'exempt 192.0.2.1; [[ $ANSWER == *" source_=another "* ]]'
	printf 'service meet\nsource another\naddress 192.0.2.0/25\n' >"$DIR/services/meet.service"
	becomes 'exempt 192.0.2.1; [[ $ANSWER == *" rule_=192.0.2.0/25 "* ]]'
}
