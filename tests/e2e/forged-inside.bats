#!/usr/bin/env bats
# Where squid.conf lets every intercepted CONNECT through and decides inside the decrypted connection, a client that claims
# to go to a meeting service, and goes elsewhere, is refused there.

load story

setup_file() {
	LAB_SQUID="$lab_squid_usual
		http_access allow CONNECT step1
		sslproxy_cert_error allow all"
	story_begins
}
teardown_file() { story_ends; }

# SNI HOST: asks a server that isn't the meeting's under these names.
ask_inside() {
	printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" >"$LAB/request"
	answer=$(lab_in client timeout 10 openssl s_client -quiet -ign_eof -connect 203.0.113.10:443 -servername "$1" \
		<"$LAB/request" 2>/dev/null) || :
}

refused_inside() {
	is answer "${answer%%$'\r'*}" 'HTTP/1.1 403 Forbidden' # no password can be given inside
	logged ' TCP_DENIED/403 .* GET https://.* dst=203\.0\.113\.10:443 .* verdict=normal '
	not_recorded '.verdict == "bypass"'
}

@test "a meeting server is reached, and not decrypted" {
	ask --resolve meet.example.com:443:192.0.2.10 https://meet.example.com/
	is code "$code" 200
	is certificate "$whose" server
	recorded_bypass 192.0.2.10:443 192.0.2.0/24 address
}

@test "a forged SNI" {
	ask_inside meet.example.com other.example.com
	refused_inside
}

@test "a forged Host header" {
	ask_inside other.example.com meet.example.com
	refused_inside
}

@test "both forged" {
	ask_inside meet.example.com meet.example.com
	refused_inside
}

@test "an SNI that holds a question of its own" {
	ask_inside $'x - -\n1 198.51.100.10 192.0.2.10 443 - -' other.example.com
	refused_inside
	lab_runs squid
}
