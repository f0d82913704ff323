# shellcheck shell=bash disable=SC2317 # wait_until calls functions by name
# SPDX-License-Identifier: GPL-2.0-or-later
# What the end-to-end tests share, loaded by each of them: the category of the tests, and looking at what the client,
# access.log and the journal say. A test that fails prints the new lines of both, and keeps $LAB.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/lab.sh"

# REASON: skips all tests of the file, or fails it where MEETING_NO_SKIP=1.
story_lacks() {
	export LAB_LACKS=${1//$'\n'/, }
	[[ ${MEETING_NO_SKIP-} != 1 ]] || { echo "$1" && return 1; }
}

# For setup_file: everything runs when this returns, unless this machine can't do it.
story_begins() {
	local lacks
	lacks=$(lab_lacks) || { story_lacks "$lacks" && return; }
	[[ -e $top_builddir/icap/.libs/srv_meeting.so ]] || { story_lacks 'the ICAP module was not built' && return; }
	lab_make && story_category && "${@:-lab_start}"
}

story_category() {
	cat >"$LAB/etc/meet.service" <<-'END'
		service   meet
		title     Meet, a service of the tests
		source    https://meet.example.com/addresses 2026-11-01
		ports     tcp 80,443,8200
		address   192.0.2.0/24
		address   2001:db8:a::/48
		name      meet.example.com
	END
	cat >"$LAB/etc/huddle.service" <<-'END'
		service   huddle
		title     Huddle, another one
		source    https://huddle.example.com/addresses 2026-11-01
		address   203.0.113.128/25 tcp 443
	END
}

# For teardown_file.
story_ends() {
	lab_stop
	if [[ -e ${LAB-}/failed ]]; then
		echo "# what the programs wrote is in $LAB" >&3
	else
		lab_remove
	fi
}

setup() {
	[[ ! ${LAB_LACKS-} ]] || skip "$LAB_LACKS"
	seen_log=$(lines_of "$LAB/log/access.log")
	seen_journal=$(lines_of "$journal")
}

teardown() {
	[[ -z ${BATS_TEST_COMPLETED-} && ! ${BATS_TEST_SKIPPED-} ]] || return 0
	touch "$LAB/failed"
	echo '--- what the client got'
	echo "connect=${connect-} code=${code-} whose=${whose-} complaint=${complaint-} heard=${heard@Q} body=${body:0:200}"
	echo '--- access.log' && new_log
	echo '--- journal' && new_journal
	echo '--- cache.log' && tail -n 5 "$LAB/log/cache.log"
	echo '--- server.log of c-icap' && tail -n 3 "$LAB/log/c-icap-server.log"
}

journal=${LAB-}/state/journal/decisions.jsonl

lines_of() { [[ -e $1 ]] && wc -l <"$1" || echo 0; }
new_log() { tail -n "+$((seen_log + 1))" "$LAB/log/access.log"; }
new_journal() { [[ ! -e $journal ]] || tail -n "+$((seen_journal + 1))" "$journal"; }

# ---- Looking ---------------------------------------------------------------------------------------------------------

# What a test asserts. Each tells what it saw if that isn't so.
is() { # WHAT GOT EXPECTED
	[[ $2 == "$3" ]] && return
	echo "$1 is '$2', not '$3'"
	return 1
}

# EXTENDED-REGULAR-EXPRESSION: waits for a new line of access.log that matches. A tunnel that worked is TCP_TUNNEL/200, or
# 500 where one side had closed before the other's farewell came.
logged() {
	in_log() { new_log | grep -qE -- "$1"; }
	wait_until 10 in_log "$1" && return
	echo "access.log has no new line like: $1"
	return 1
}

# JQ-CONDITION: waits for a new record for which it holds.
recorded() {
	in_journal() { new_journal | jq -es "any(.[]; $1)"; }
	wait_until 10 in_journal "$1" && return
	echo "no new record with: $1"
	return 1
}

# JQ-CONDITION: there is no such new record. Look for something that comes later first.
not_recorded() {
	! new_journal | jq -es "any(.[]; $1)" >/dev/null && return
	echo "there is a record with: $1"
	return 1
}

# What is asserted of every request that was let through without authentication.
# DESTINATION RULE EVIDENCE [SERVICE]
recorded_bypass() {
	recorded ".verdict == \"bypass\" and .dst == \"$1\" and .rule == \"$2\" and .evidence == \"$3\" and
		.service == \"${4:-meet}\" and .source != null and .decided_by == \"helper\" and .client != null"
}
