#!/usr/bin/env bats
# How the module comes up: one exported symbol, its directives, and a category with errors or with nothing in it.

# shellcheck disable=SC2154,SC2031,SC2030 # module.bash and bats set them
load module

setup_file() { make_place; }
teardown_file() { remove_place; }
setup() { rm -f "$place/server.log"; }
teardown() { stop; }

log_has() { grep -qF -- "$1" "$place/server.log"; }
starts() { answered=$(status_of preview=0) && is status "$answered" 'ICAP/1.0 204'; }

@test "it exports what c-icap looks for, and nothing else" {
	run nm -D --defined-only --format=posix "$top_builddir/icap/.libs/srv_meeting.so"
	case $(c-icap -V 2>&1) in
	*0.[1-5].*) expected='__c_icap_module_disable_force_unload service' ;;
	*) expected='__c_icap_module_disable_force_unload __ci_build_for __ci_service_build' ;;
	esac
	is symbols "$(awk '{ print $1 }' <<<"$output" | sort | tr '\n' ' ')" "$expected "
}

# LINE: c-icap reads it, and doesn't start.
refused() {
	write_configuration "$1"
	sed -i 's/@port@/1/' "$place/c-icap.conf"
	run timeout 10 c-icap -N -D -f "$place/c-icap.conf"
	[[ $status != 124 ]]
	grep -qF "The line is: $1" <<<"$output"
	[[ ! $2 ]] || grep -qF "$2" <<<"$output"
}

@test "wrong directives are refused" {
	refused 'meeting.Journal decisions.jsonl' 'meeting.Journal: decisions.jsonl: not an absolute path'
	refused 'meeting.Journal' 'meeting.Journal: the path is missing'
	refused 'meeting.Journal /a /b' 'meeting.Journal: more than one path'
	refused 'meeting.Config' 'meeting.Config: the path is missing'
	refused 'meeting.Config services' 'meeting.Config: services: not an absolute path'
	refused "meeting.Config $(printf '/a%.0s ' {1..17})" 'meeting.Config: /a: more than 16 of them'
	refused 'meeting.Nonsense on' ''
	refused 'meeting.Store' 'meeting.Store: the store is missing'
	refused 'meeting.Store /var/lib/decisions.db' 'meeting.Store: /var/lib/decisions.db: is given as sqlite:PATH'
	refused 'meeting.Store sqlite:decisions.db' 'meeting.Store: decisions.db: not an absolute path'
	refused 'meeting.Store clickhouse://192.0.2.1:8123/x' 'is given as sqlite:PATH'
	refused 'meeting.Keep 90' 'meeting.Keep: 90: takes a number and s, m, h, d or w'
	refused 'meeting.Keep 0d' 'meeting.Keep: 0d: takes a number'
	refused 'meeting.StoreJournals denied.jsonl' 'meeting.StoreJournals: denied.jsonl: not an absolute path'
	refused 'meeting.ReportHost' 'meeting.ReportHost: the host is missing'
	refused 'meeting.ReportHost meeting..report' 'meeting.ReportHost: meeting..report: '
	refused 'meeting.ReportHost 192.0.2.1' 'meeting.ReportHost: 192.0.2.1: '
	refused 'meeting.ReportClients' 'meeting.ReportClients: the address is missing'
	refused 'meeting.ReportClients 192.0.2.1/24' 'meeting.ReportClients: 192.0.2.1/24: '
	refused 'meeting.ReportClients 127.0.0.1 all' 'meeting.ReportClients: all: '
	refused 'meeting.ReportCharts chart.js' 'meeting.ReportCharts: chart.js: not an absolute path'
}

@test "a store that can't be filled is told, and c-icap starts" {
	write_configuration "meeting.Store sqlite:$place/no/such/folder/decisions.db"
	start
	starts
	wait_until 10 log_has "meeting: $place/no/such/folder/decisions.db.ingest: No such file or directory; no store is filled"
}

@test "it says at the start what it has loaded" {
	write_configuration
	start
	starts
	log_has 'meeting: version'
	log_has '1 services, 2 addresses, 1 names'
}

@test "threads that Squid's connections can use up are told" {
	max_conn=$(grep -o 'max-conn=[0-9]*' "$top_srcdir/squid-conf/icap.conf")
	write_configuration "ThreadsPerChild ${max_conn#*=}"
	start
	starts
	log_has "meeting: ThreadsPerChild is ${max_conn#*=}: requests can hang"
	log_has "$max_conn;"
	stop
	rm "$place/server.log"
	write_configuration "$(grep ^ThreadsPerChild "$top_builddir/squid-conf/c-icap-meeting.conf")"
	start
	starts
	run log_has ThreadsPerChild
	((status == 1))
}

@test "a file with an error is told, and the others count" {
	printf 'service bad\naddress 10.0.0.0/8\naddress 1.2.3.4/-1\n' >"$place/services/bad.service"
	write_configuration
	start
	starts
	log_has "meeting: $place/services/bad.service:2:"
	log_has "meeting: $place/services/bad.service:3:"
	log_has 'files refused: 1'
	status_of preview=0 header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:443'
	last_record | jq -e '.verdict == "bypass"'
	rm "$place/services/bad.service"
}

@test "a folder given later hides the earlier one's files" {
	mkdir "$place/later"
	: >"$place/later/gotomeeting.service"
	write_configuration "meeting.Config $place/later"
	start
	status_of preview=0 header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:443'
	last_record | jq -e '.verdict == "normal"'
	rm -r "$place/later"
}

@test "with nothing loaded it answers, and nothing is a member" {
	mv "$place/services" "$place/aside"
	write_configuration
	start
	status_of preview=0 header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:443'
	last_record | jq -e '.verdict == "normal" and .reason == "nothing-loaded"'
	mv "$place/aside" "$place/services"
}

@test "a journal that can't be written is told at the start" {
	write_configuration "meeting.Journal $place/no/such/folder/journal"
	start
	wait_until 10 log_has "meeting: $place/no/such/folder/journal can't be written: No such file or directory"
}

@test "c-icap's reconfigure takes a changed category" {
	write_configuration
	start
	sed -i 's/203.0.113.0/192.0.2.0/' "$place/services/gotomeeting.service"
	for round in 1 2 3; do
		# It ignores one while processes from before the last one are still there.
		reread() {
			printf reconfigure >"$place/control"
			(($(grep -c 'meeting: version' "$place/server.log") > round))
		}
		wait_until 20 reread
	done
	changed() {
		status_of preview=0 header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 192.0.2.5:443'
		last_record | jq -e '.verdict == "bypass"'
	}
	wait_until 20 changed
	kill -0 "$parent"
}

@test "a log format in an included file has attributes, too" {
	write_configuration
	grep '^LogFormat' "$place/c-icap.conf" >"$place/formats.conf"
	sed -i -e '/^LogFormat/d' -e "1i Include $place/formats.conf" "$place/c-icap.conf"
	start
	status_of preview=0 header='X-Meeting-Verdict: shadow'
	wait_until 10 grep -q '^204 shadow - -$' "$place/access.log"
}

# Threads of the module can still be running when c-icap unloads its modules.
@test "the module's code stays where it is until the process ends" {
	write_configuration
	LD_DEBUG=files LD_DEBUG_OUTPUT=$place/loader start
	process=$(processes | head -n 1)
	kill -TERM "$process"
	wait_until 20 has_ended "$process"
	# The program comes to its end first.
	is 'the ends' "$(sed -nE "s/^ *$process:\tcalling fini: (<main program>|.*c-icap)? \[.*/program/p
		s/^ *$process:\tcalling fini: .*\/srv_meeting\.so .*/module/p" "$place/loader.$parent")" $'program\nmodule'
}
