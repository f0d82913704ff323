#!/usr/bin/env bats
# Meetings go on, without a record, while c-icap is there and doesn't answer, and when it is gone; and are recorded again when
# it is back.

load story

setup_file() {
	# Later lines win: icap.conf's thirty seconds are long for a test.
	LAB_SQUID=$lab_squid_usual$'\nicap_io_timeout 2 seconds\nicap_service_revival_delay 1'
	story_begins
}
teardown_file() { story_ends; }

signal_c_icap() { # SIGNAL
	local pid
	for pid in $(ip netns pids "$LAB_NAME-proxy"); do
		[[ $(<"/proc/$pid/comm") != c-icap ]] || kill "-$1" "$pid"
	done
}

goes_through() {
	ask_proxy http://192.0.2.30/
	is code "$code" 200
}
goes_through_recorded() {
	local before
	before=$(lines_of "$journal")
	ask_proxy http://192.0.2.30/
	[[ $code == 200 ]] && (($(lines_of "$journal") > before))
}

@test "icap.conf says how long a request waits" {
	grep -qx 'icap_io_timeout 30 seconds' "$LAB/share/squid-conf/icap.conf"
}

@test "c-icap hangs: a request waits for icap_io_timeout, and goes on" {
	goes_through_recorded
	signal_c_icap STOP
	goes_through
	signal_c_icap CONT
	wait_until 20 goes_through_recorded
}

@test "c-icap is gone: a request goes on" {
	signal_c_icap KILL
	goes_through
	lab_end c-icap
	lab_start_c_icap
	wait_until 20 goes_through_recorded
}
