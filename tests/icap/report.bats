#!/usr/bin/env bats
# Whose word on the client counts where c-icap is asked directly, what HEAD and bodies get, and that a report without a store or
# a slow one is an answer, too.

# shellcheck disable=SC2154,SC2031,SC2030,SC2317 # module.bash and bats set them; wait_until calls functions by name
load module

setup_file() {
	make_place
	mkdir "$place/store"
	write_configuration "meeting.Store sqlite:$place/store/decisions.db" 'meeting.ReportHost Meeting.Report' \
		'meeting.ReportClients 192.0.2.0/24 2001:db8::7' 'meeting.ReportCharts /nonexistent'
	start
	made() { [[ -s $place/store/decisions.db ]]; }
	wait_until 10 made
}
teardown_file() { remove_place; }

# The HTTP status that the module answers with.
http_status() { request preview=0 allow204 "$@" | sed -n 's|^head: different: HTTP/1.1 ||p' | tr -d '\r'; }
report() { http_status 'request=GET http://meeting.report/ HTTP/1.1' "$@"; }

@test "a client of ReportClients, told by this machine's proxy" {
	for client in 192.0.2.7 2001:db8::7 2001:DB8:0:0::7 ::ffff:192.0.2.7; do
		is "status for $client" "$(report header="X-Client-IP: $client")" '200 OK'
	done
	for client in 127.0.0.1 192.0.3.1 2001:db8::8 '192.0.2.7, 192.0.3.1' '192.0.3.1, 192.0.2.7' - 'unknown' ''; do
		is "status for '$client'" "$(report header="X-Client-IP: $client")" '403 Forbidden'
	done
}

@test "none, or several of that header" {
	is status "$(report)" '403 Forbidden'
	is status "$(report header='X-Client-IP: 192.0.2.7' header='X-Client-IP: 192.0.2.7')" '403 Forbidden'
	is status "$(report header='X-Client-IP: 192.0.3.1' header='x-client-ip: 192.0.2.7')" '403 Forbidden'
	is status "$(report header='X-Client-IP: 192.0.2.7' header='X-Client-Ip: 192.0.3.1')" '403 Forbidden'
	is status "$(report header='X-Meeting-Conn: 192.0.2.7:5')" '403 Forbidden'
}

@test "another proxy's word doesn't count" {
	is status "$(report header='X-Client-IP: 192.0.2.7' from=127.0.0.2)" '403 Forbidden'
}

@test "it counts where ReportProxies names it" {
	place=$BATS_TEST_TMPDIR/other journal=$BATS_TEST_TMPDIR/other/decisions.jsonl
	mkdir -p "$place/services"
	write_configuration 'meeting.ReportHost meeting.report' 'meeting.ReportClients 192.0.2.7' 'meeting.ReportProxies 127.0.0.2'
	start
	is status "$(report header='X-Client-IP: 192.0.2.7')" '403 Forbidden'
	# Without a store there is no report, and it says why.
	is status "$(report header='X-Client-IP: 192.0.2.7' from=127.0.0.2)" '503 Service Unavailable'
	stop
}

@test "requests with bodies, and for all that isn't there" {
	me='X-Client-IP: 192.0.2.7'
	for body in 0 10 300000; do
		is "status with $body bytes" "$(http_status 'request=POST http://meeting.report/ HTTP/1.1' body=$body header="$me")" \
			'405 Method Not Allowed'
	done
	is status "$(http_status 'request=POST http://meeting.report/ HTTP/1.1' body=5000 preview=1024 header="$me")" \
		'405 Method Not Allowed'
	is status "$(http_status 'request=HEAD http://meeting.report/ HTTP/1.1' header="$me")" '200 OK'
	is status "$(http_status 'request=GET http://meeting.report/chart.js HTTP/1.1' header="$me")" '404 Not Found'
	is status "$(http_status 'request=GET http://meeting.report/x HTTP/1.1' header="$me")" '404 Not Found'
	is status "$(http_status 'request=GET / HTTP/1.1' host=meeting.report header="$me")" '200 OK'
}

@test "no preview, no 204: it is still answered" {
	is 'first line' "$(status_of 'request=GET http://meeting.report/ HTTP/1.1' header='X-Client-IP: 192.0.2.7')" 'ICAP/1.0 200'
	is 'first line' "$(status_of 'request=GET http://meeting.report/ HTTP/1.1')" 'ICAP/1.0 200'
}

# PATH: what is answered to a request for that part of the report.
answer_of() {
	local http="GET http://meeting.report/$1 HTTP/1.1"$'\r\nHost: meeting.report\r\n\r\n'
	exec 5<>"/dev/tcp/127.0.0.1/$port"
	printf 'REQMOD icap://127.0.0.1/meeting ICAP/1.0\r\nHost: 127.0.0.1\r\nX-Client-IP: 192.0.2.7\r\nConnection: close\r\n' >&5
	printf 'Encapsulated: req-hdr=0, null-body=%d\r\n\r\n%s' ${#http} "$http" >&5
	cat <&5
	exec 5>&-
}
made_at() { answer_of report.json | sed -n 's/.*"made": "\(.*\)".*/\1/p'; }

@test "an answer is given again, and made anew before it is old" {
	first=$(made_at)
	[[ $first ]]
	is 'when it was made' "$(made_at)" "$first"
	is_another() { [[ $(made_at) != "$first" ]]; }
	wait_until 20 is_another
}

@test "none of that is a record" {
	is records "$(grep -c meeting.report "$journal")" 0
}

@test "many at once: each is answered, and other requests aren't held up" {
	for i in {1..20}; do
		(for part in {1..5}; do report header='X-Client-IP: 192.0.2.7'; done) >"$place/answer-$i" &
		askers+=("$!")
	done
	is 'another request' "$(status_of preview=0)" 'ICAP/1.0 204'
	wait "${askers[@]}"
	is answers "$(cat "$place"/answer-* | grep -cE '^(200 OK|503 Service Unavailable)$')" 100
}

@test "the metrics are what all processors counted" {
	normal() { answer_of metrics | sed -n 's/^squid_meeting_decisions_total{verdict="normal"} \([0-9]*\).*/\1/p'; }
	before=$(normal)
	for ((processor = 0; processor < $(nproc); processor++)); do
		processes | xargs -n 1 taskset -acp "$processor"
		request preview=0 times=10
	done
	is 'normal ones' "$(normal)" $((before + 10 * processor))
}
