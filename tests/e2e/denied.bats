#!/usr/bin/env bats
# What http_access refuses is recorded by Squid itself in the journal's form, once a connection in the report, and nothing that
# a client says breaks a line or makes one.

load story

setup_file() {
	# shellcheck disable=SC2016 # $LAB is filled in later
	LAB_SQUID="$lab_squid_usual"'include $LAB/share/squid-conf/denied.conf'
	story_begins start_with_denied
}
teardown_file() { story_ends; }

start_with_denied() {
	lab_in proxy nft -f "$LAB/share/squid-conf/meeting.nft" && lab_start_c_icap || return
	# As the README has it: c-icap's folder, and a file in it that is Squid's.
	install -o proxy -g proxy -m 640 /dev/null "$LAB/state/journal/denied.jsonl"
	lab_start_squid
}

denied=${LAB-}/state/journal/denied.jsonl

# Here recorded and new_journal look into Squid's file.
new_journal() { tail -n "+$((seen_denied + 1))" "$denied"; }

# Each line is an object of known keys, and the verdict is `denied`.
only_denied() {
	jq -es 'all(.[]; type == "object" and .verdict == "denied" and .decided_by == "squid" and (keys - ["time", "conn",
		"client", "user", "method", "host", "port", "dst", "sni", "verdict", "decided_by", "reason", "squid"] == []))' \
		"$denied" >/dev/null && return
	cat "$denied"
	return 1
}

look() { seen_denied=$(lines_of "$denied"); }

@test "intercepted HTTP" {
	look
	ask http://203.0.113.30/
	is code "$code" 407
	recorded '.dst == "203.0.113.30:80" and .port == 80 and .client == "198.51.100.10" and .reason == "no-entry" and
		(.conn | startswith("198.51.100.10:")) and (.time | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z$"))'
	only_denied
}

@test "intercepted TLS, with a name of the service" {
	look
	ask --resolve meet.example.com:443:203.0.113.10 https://meet.example.com/
	is code "$code" 407
	recorded '.method == "CONNECT" and .dst == "203.0.113.10:443" and .sni == "meet.example.com"'
	only_denied
}

@test "intercepted TLS of a client that trusts nobody" {
	look
	lab_in client timeout 10 openssl s_client -connect 203.0.113.10:8200 -servername meet.example.com -verify_return_error \
		-CAfile "$LAB/ca/servers-ca.pem" </dev/null >/dev/null 2>&1 || :
	recorded '.method == "CONNECT" and .dst == "203.0.113.10:8200" and .sni == "meet.example.com"'
	only_denied
}

@test "neither TLS nor HTTP" {
	look
	speak 203.0.113.20 8200
	recorded '.dst == "203.0.113.20:8200"'
	only_denied
}

@test "the explicit port: the host, and no destination" {
	look
	ask_proxy https://other.example.com/
	is connect "$connect" 407
	recorded '.host == "other.example.com" and .port == 443 and .dst == null'
	only_denied
}

@test "what was let through isn't in it" {
	look
	ask https://192.0.2.10/
	is code "$code" 200
	ask_proxy --proxy-user user:secret http://203.0.113.30/
	is code "$code" 200
	ask http://203.0.113.30/the-end
	recorded '.dst == "203.0.113.30:80"'
	is lines "$(new_journal | jq -c 'select(.dst != "203.0.113.30:80")')" ''
}

@test "hostile users" {
	look
	ask_proxy --proxy-user 'u","verdict":"bypass","x":"\:wrong' http://203.0.113.30/
	ask_proxy --proxy-user $'a\n{"time":"2026-11-01T00:00:00Z","verdict":"bypass","decided_by":"helper"}\n:wrong' http://203.0.113.30/
	ask_proxy --proxy-user $'\t\x01\x7f\xff\xc3\xbc\\u0041:wrong' http://203.0.113.30/
	recorded '.user == "%09%01%7F%FF%C3%BC%5Cu0041"'
	only_denied
	is lines "$(new_journal | wc -l)" 3
}

@test "hostile hosts and methods" {
	look
	for request in 'GET http://x","verdict":"bypass/ HTTP/1.1' $'GET http://a\\b"c\x01\xff%22%0a/ HTTP/1.1' \
		'CONNECT a"b\c:443 HTTP/1.1' "M'E|T^H~O\`D http://203.0.113.30/ HTTP/1.1"; do
		printf '%s\r\nHost: a"b\\\r\n\r\n' "$request" >"$LAB/request"
		lab_in client timeout 10 socat -T 5 - TCP:198.51.100.1:3128 <"$LAB/request" >/dev/null || :
		lab_in client timeout 10 socat -T 5 - TCP:203.0.113.30:80 <"$LAB/request" >/dev/null || :
	done
	ask http://203.0.113.30/the-end
	recorded '.method == "GET" and .host == "203.0.113.30"'
	only_denied
}

@test "hostile SNIs" {
	look
	for sni in 'a","verdict":"bypass' $'a\n{"verdict":"bypass"}\n' $'a\\b\x01\xff' '%22,%0a'; do
		lab_in client timeout 10 openssl s_client -quiet -connect 203.0.113.10:443 -servername "$sni" \
			<<<$'GET / HTTP/1.0\r\n\r\n' >/dev/null 2>&1 || :
	done
	recorded '.sni == "%2522,%250a"'
	recorded '.sni == "a%0A%7B%22verdict%22:%22bypass%22%7D%0A"'
	only_denied
}

@test "ingest reads both files, and undoes Squid's way of writing" {
	run "$top_builddir/ctl/meetingctl" ingest --journal="$LAB/state/journal/decisions.jsonl" --journal="$denied" \
		--to="sqlite:$LAB/store.db"
	is status "$status" 0
	[[ $output != *'no record'* ]]
	is 'texts of two lines' "$(sqlite3 "$LAB/store.db" "SELECT count(*) FROM texts WHERE text LIKE 'a' || char(10) || '{%'")" 1
	is 'texts with percents' "$(sqlite3 "$LAB/store.db" "SELECT count(*) FROM texts WHERE text = '%22,%0a'")" 1
	is 'missing ones' "$(sqlite3 "$LAB/store.db" "SELECT count(*) FROM texts WHERE text = '-'")" 0
	is 'complaints of Squid' "$(grep -E '(WARNING|ERROR).*meeting_' "$LAB/log/cache.log")" ''
	is 'exempted by forgery' "$("$top_builddir/tests/records/dump_store" "sqlite:$LAB/store.db" |
		jq -c 'select(.verdict == "bypass" and .decided_by == "squid")')" ''
}
