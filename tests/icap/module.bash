# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of srv_meeting share: the real c-icap with the module on a loopback port, and looking at its journal.
# shellcheck disable=SC2154,SC2120,SC2119 # make sets top_srcdir and top_builddir

load ../wait

# For setup_file: what is missing skips the file, or fails it where MEETING_NO_SKIP=1.
need_tools() {
	local tool missing=
	for tool in c-icap c-icap-client jq perl nm; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	[[ -e $top_builddir/icap/.libs/srv_meeting.so ]] || missing+=' srv_meeting.so'
	[[ $missing ]] || return 0
	[[ ${MEETING_NO_SKIP-} != 1 ]] || { echo "missing:$missing"; return 1; }
	skip "missing:$missing"
}

# A folder with a category and a configuration; it is made for each file's tests.
make_place() {
	need_tools || return
	place=$(mktemp -d /tmp/srv_meeting.XXXXXX)
	journal=$place/journal/decisions.jsonl
	mkdir "$place/journal" "$place/services"
	cat >"$place/services/gotomeeting.service" <<-'END'
		service   gotomeeting
		source    https://vendor.example/addresses 2026-10-01
		ports     tcp 80,443,8200
		address   203.0.113.0/24
		address   2001:db8:5::/48
		name      .meet.example.com
	END
	export place journal
	write_configuration
}

# Directives are read in order, and later ones of the same name win. FakeAllow204 is c-icap's own echo of a body: off,
# the module must do it.
write_configuration() { # [LINE...]
	cat >"$place/c-icap.conf" <<-END
		PidFile $place/pid
		CommandsSocket $place/control
		Port 127.0.0.1:@port@
		StartServers 2
		MaxServers 4
		MinSpareThreads 1
		MaxSpareThreads 16
		ThreadsPerChild 5
		FakeAllow204 off
		TmpDir $place
		ServicesDir $top_builddir/icap/.libs
		ModulesDir ${icapmoduledir-/usr/lib/c_icap}
		LoadMagicFile /etc/c-icap/c-icap.magic
		ServerLog $place/server.log
		LogFormat meeting "%is %{meeting:verdict}Sa %{meeting:service}Sa %{meeting:rule}Sa"
		LogFormat evidence "%is %{meeting:evidence}Sa %{meeting:decided_by}Sa"
		AccessLog $place/access.log meeting
		AccessLog $place/evidence.log evidence
		Service meeting srv_meeting.so
		meeting.Config $place/services
		meeting.Journal $journal
	END
	printf '%s\n' "$@" >>"$place/c-icap.conf"
}

answers() { c-icap-client -i 127.0.0.1 -p "$port" -s meeting 2>&1 | grep -q 'ICAP/1.0 200 OK'; }
has_ended() { ! kill -0 "${1-$parent}" 2>/dev/null; } # [PID]
answers_or_has_ended() { answers || has_ended; }

# Some port that is free, which can turn out wrong: then another one.
start() {
	local tries=8
	while ((tries-- > 0)); do
		port=$((20000 + RANDOM % 12000))
		sed "s/@port@/$port/" "$place/c-icap.conf" >"$place/running.conf"
		# In a process group of its own, and without bats' descriptors, which it would keep open.
		setsid c-icap -N -D -f "$place/running.conf" >"$place/output" 2>&1 3>&- 4>&- &
		parent=$!
		export port parent
		wait_until 20 answers_or_has_ended
		! has_ended && return 0
	done
	cat "$place/output" "$place/server.log"
	return 1
}

stop() {
	[[ ${parent-} ]] || return 0
	kill -TERM "$parent" 2>/dev/null || :
	wait_until 20 has_ended || kill -KILL "$parent"
	parent=
}

remove_place() {
	stop
	[[ ! ${place-} ]] || rm -rf "$place"
}

processes() { pgrep -P "$parent"; }

# Sends one request; see there.
request() { perl "$top_srcdir/tests/icap/icap-request.pl" "$port" "$@"; }
status_of() { request "$@" | head -n 1 | cut -c 1-12; }

lines() { [[ -f $journal ]] && wc -l <"$journal" || echo 0; }
last_record() { tail -n 1 "$journal"; }

# WHAT GOT EXPECTED
is() {
	[[ $2 == "$3" ]] && return
	echo "$1 is '$2', not '$3'"
	return 1
}

# A counter of c-icap's statistics, summed over its processes.
counter() {
	c-icap-client -i 127.0.0.1 -p "$port" -s 'info?view=text&table=*' -req http://info/ 2>&1 |
		sed -n "s/^Service meeting $1 : //p"
}
