#!/usr/bin/env bats
# The report's page through the real proxy: who is let in, who isn't and can't trick his way in, and that no such request ever
# goes to any server.

load report

setup_file() {
	LAB_C_ICAP='meeting.ReportClients 198.51.100.10 2001:db8:1::10'
	# A server that would be glad to get what isn't for it.
	LAB_HOSTS='203.0.113.30 meeting.report'
	story_begins report_starts
	lab_in client ip addr add 198.51.100.11/25 dev eth0
}
teardown_file() { story_ends; }

stranger=(--interface 198.51.100.11)
headers() { ask_report "$@" --dump-header "$LAB/headers" && tr -d '\r' <"$LAB/headers"; }
nobody_was_asked() {
	is 'what went to a server' "$(new_log | grep -c 'HIER_DIRECT.*meeting.report\|meeting.report.*HIER_DIRECT')" 0
	not_recorded '.host == "meeting.report"'
}

@test "a client of ReportClients sees it, through the explicit port" {
	ask_report /
	is code "$code" 200
	[[ $body == *'<h1>Meetings through Squid</h1>'* && $body == *'</html>' ]]
	ask_report /report.json
	is code "$code" 200
	jq -e '.by == "service" and (.totals | length) == 5 and (.also | keys) == ["client", "hour", "service"]' <<<"$body"
	ask_report /recent.json
	jq -e '.records | type == "array"' <<<"$body"
	nobody_was_asked
}

@test "and intercepted, whatever address the name has" {
	ask --resolve meeting.report:80:203.0.113.30 $report_url/
	is code "$code" 200
	[[ $body == *'Meetings through Squid'* ]]
	ask -6 --resolve 'meeting.report:80:[2001:db8:b::30]' $report_url/
	is code "$code" 200
	nobody_was_asked
}

@test "anybody else gets 403, and nothing of it" {
	ask_report / "${stranger[@]}"
	is code "$code" 403
	is body "$body" 'The report is not for this client.'
	for path in /report.json /recent.json /metrics /page.css /no-such-page '/?since=nonsense'; do
		ask_report "$path" "${stranger[@]}"
		is "code of $path" "$code" 403
	done
	ask_report / "${stranger[@]}" --request POST --data a=b
	is code "$code" 403
	ask --resolve meeting.report:80:203.0.113.30 "${stranger[@]}" $report_url/
	is code "$code" 403
	# Neither does a password help.
	ask_report / "${stranger[@]}" --proxy-user user:secret
	is code "$code" 403
	nobody_was_asked
}

@test "no header makes a stranger somebody else" {
	for header in 'X-Client-IP: 198.51.100.10' 'X-Forwarded-For: 198.51.100.10' 'Forwarded: for=198.51.100.10' \
		'X-Real-IP: 127.0.0.1' 'Client-IP: ::1' $'X-A: b\r\nX-Client-IP: 127.0.0.1' 'Via: 1.0 198.51.100.10'; do
		ask_report / "${stranger[@]}" --header "$header" --proxy-header "$header"
		is "code with $header" "$code" 403
		ask --resolve meeting.report:80:203.0.113.30 "${stranger[@]}" --header "$header" $report_url/
		is "code with $header, intercepted" "$code" 403
	done
	nobody_was_asked
}

@test "however the host is written, it is the report, and goes nowhere" {
	for url in http://MEETING.REPORT/ http://meeting.report./ http://Meeting.Report.:80/ http://meeting.report:8080/ \
		ftp://meeting.report/ http://name:word@meeting.report/; do
		ask_proxy "$url"
		is "code of $url" "$code" 200
		ask_proxy "$url" "${stranger[@]}"
		is "code of $url for a stranger" "$code" 403
	done
	# The target counts, not the Host header beside it.
	ask_report / --header 'Host: other.example.com' "${stranger[@]}"
	is code "$code" 403
	for host in MEETING.REPORT. meeting.report:80 meeting.report:8080; do
		ask --header "Host: $host" http://203.0.113.30/
		is "code with Host: $host" "$code" 200
		ask --header "Host: $host" "${stranger[@]}" http://203.0.113.30/
		is "code with Host: $host for a stranger" "$code" 403
	done
	ask --request-target $report_url/ --header 'Host: other.example.com' "${stranger[@]}" http://203.0.113.30/
	is code "$code" 403
	nobody_was_asked
}

@test "names that only look like it are no report" {
	for host in evil.meeting.report meeting.report.example.com meeting-report; do
		ask_proxy --proxy-user user:secret "http://$host/"
		[[ $body != *'Meetings through Squid'* ]]
		is "first digit of the code of $host" "${code:0:1}" 5
	done
	ask_proxy --proxy-user user:secret 'http://203.0.113.30/?meeting.report'
	is code "$code" 200
	[[ $body != *'Meetings through Squid'* ]]
}

@test "no tunnel leads to a server of that name" {
	for who in "${stranger[*]}" '--noproxy none'; do
		# shellcheck disable=SC2086 # words
		ask_proxy --proxy-user user:secret $who https://meeting.report/
		# Squid tells it inside, under a certificate of its own.
		is code "$code" 403
		is certificate "$whose" proxy
	done
	ask --insecure --resolve meeting.report:443:203.0.113.10 "${stranger[@]}" https://meeting.report/
	[[ $code == 000 || $code == 40[37] ]]
	nobody_was_asked
}

@test "methods and paths" {
	headers / --head >"$LAB/told"
	is code "$code" 200
	[[ $body != *'<'* ]]
	grep -q '^Content-Length: [1-9][0-9]*$' "$LAB/told"
	ask_report / --request POST --data 'since=1h'
	is code "$code" 405
	headers / --request DELETE >"$LAB/told"
	is code "$code" 405
	grep -qx 'Allow: GET, HEAD' "$LAB/told"
	head -c 300000 /dev/zero | ask_report / --request PUT --data-binary @- --header 'Expect:'
	is code "$code" 405
	ask_report /no-such-page
	is code "$code" 404
	ask_report / --path-as-is --request-target "$report_url/../../etc/passwd"
	is code "$code" 404
	for query in since=x 'since=1h&since=1h' limit=9999 by=x y=1 since=9999d; do
		ask_report "/?$query"
		is "code of $query" "$code" 400
	done
}

@test "each answer says what a browser must not do with it" {
	for path in / /report.json /recent.json /metrics /no-such-page; do
		headers "$path" >"$LAB/told"
		grep -qx 'Cache-Control: no-store' "$LAB/told"
		grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'; " "$LAB/told"
		grep -qx 'X-Content-Type-Options: nosniff' "$LAB/told"
		grep -qx 'Referrer-Policy: no-referrer' "$LAB/told"
		grep -qx 'X-Frame-Options: DENY' "$LAB/told"
	done
	is 'inline things' "$(ask_report / && grep -ciE '<script[^>]*>[^<]|<style| style=| on[a-z]+=' <<<"$body")" 0
	headers /page.js >"$LAB/told"
	grep -qx 'Cache-Control: private, max-age=3600' "$LAB/told"
	grep -qx 'Content-Type: text/javascript; charset=utf-8' "$LAB/told"
	headers /metrics >"$LAB/told"
	grep -qx 'Content-Type: text/plain; version=0.0.4; charset=utf-8' "$LAB/told"
	headers /metrics --header 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' >"$LAB/told"
	grep -qx 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$LAB/told"
	is 'last line' "$(tail -n 1 <<<"$body")" '# EOF'
}

@test "what a client says is text, in the page and in JSON" {
	ask_proxy --proxy-user '<img src=x onerror=alert(1)>:wrong' http://203.0.113.30/
	lab_in client timeout 10 openssl s_client -connect 203.0.113.10:443 -servername '"><script>alert(2)</script>.example.com' \
		</dev/null >/dev/null 2>&1 || :
	printf 'GET http://<svg/onload=alert(3)>/ HTTP/1.1\r\nHost: x\r\n\r\n' >"$LAB/request"
	lab_in client timeout 10 socat -T 5 - TCP:198.51.100.1:3128 <"$LAB/request" >/dev/null || :
	told() {
		ask_report '/recent.json?limit=200'
		jq -e '(any(.records[]; .user == "<img src=x onerror=alert(1)>")) and
			any(.records[]; .sni == "\"><script>alert(2)</script>.example.com")' <<<"$body"
	}
	wait_until 20 told
	ask_report '/?limit=200&by=user'
	[[ $body == *'&lt;img src=x onerror=alert(1)&gt;'* && $body == *'&lt;script&gt;alert(2)&lt;/script&gt;'* ]]
	[[ $body != *'<img'* && $body != *'<script>'* && $body != *'<svg'* ]]
}

@test "promtool accepts the metrics" {
	command -v promtool >/dev/null || { is MEETING_NO_SKIP "${MEETING_NO_SKIP-}" ''; skip 'there is no promtool'; }
	ask_report /metrics
	run promtool check metrics <<<"$body"
	is status "$status" 0
	is 'what it has to say' "$output" ''
}

@test "the real Prometheus scrapes it, through the proxy" {
	command -v prometheus >/dev/null || { is MEETING_NO_SKIP "${MEETING_NO_SKIP-}" ''; skip 'there is no prometheus'; }
	mkdir -p "$LAB/prometheus"
	cat >"$LAB/prometheus.yml" <<-END
		global: { scrape_interval: 1s, scrape_timeout: 1s }
		scrape_configs:
		  - job_name: meeting
		    proxy_url: http://198.51.100.1:3128
		    static_configs: [ { targets: [ 'meeting.report' ] } ]
	END
	lab_spawn prometheus client prometheus --config.file="$LAB/prometheus.yml" --storage.tsdb.path="$LAB/prometheus" \
		--web.listen-address=127.0.0.1:9090 --log.level=warn
	value() {
		lab_in client curl -q --silent --max-time 5 --get --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
			jq -r '.data.result[0].value[1] // empty'
	}
	is_up() { [[ $(value 'up{job="meeting"}') == 1 ]]; }
	wait_until 30 is_up
	is version "$(lab_in client curl -q -s 'http://127.0.0.1:9090/api/v1/metadata?metric=squid_meeting_decisions' |
		jq -r '.data.squid_meeting_decisions[0].type')" counter
	counted() { (($(value 'squid_meeting_report_requests_total{answered="yes"}') > 0)); }
	wait_until 10 counted
	lab_end prometheus
}

@test "requests for it are no decisions, and c-icap counts them" {
	before=$(metric 'decisions_total{verdict="normal"}')
	asked=$(metric 'report_requests_total{answered="yes"}')
	refused=$(metric 'report_requests_total{answered="no"}')
	ask_report / "${stranger[@]}"
	is 'decisions' "$(metric 'decisions_total{verdict="normal"}')" "$before"
	# Three times metric itself, before this one.
	is 'answered ones' "$(metric 'report_requests_total{answered="yes"}')" "$((asked + 3))"
	is 'refused ones' "$(metric 'report_requests_total{answered="no"}')" "$((refused + 1))"
	nobody_was_asked
}

@test "what c-icap doesn't answer goes nowhere" {
	# Not by its end, for which Squid's connections would let it take long.
	kill -STOP "$(<"$LAB/pid/c-icap")"
	lab_end squid
	for pid in $(ip netns pids "$LAB_NAME-proxy"); do
		[[ $(<"/proc/$pid/comm") != c-icap ]] || kill -KILL "$pid"
	done
	LAB_SQUID=$report_squid
	lab_start_squid
	ask_report /
	[[ $code == 403 || $code == 500 ]]
	ask_proxy --proxy-user user:secret https://meeting.report/
	is code "$code" 403
	ask --resolve meeting.report:80:203.0.113.30 $report_url/
	[[ $code == 403 || $code == 500 ]]
	nobody_was_asked
	# What has nothing to do with it goes on.
	ask https://192.0.2.10/
	is code "$code" 200
}
