#!/usr/bin/env bats
# Decryption stays on and only authentication is skipped (splice.conf is left out): the meeting works without a password,
# and the client sees the proxy's certificate.

load story

setup_file() {
	LAB_SQUID=${lab_squid_usual/include \$LAB\/share\/squid-conf\/splice.conf/}
	story_begins
}
teardown_file() { story_ends; }

@test "intercepted TLS to a meeting server works under the proxy's certificate" {
	for port in 443 8200; do
		ask --resolve "meet.example.com:$port:192.0.2.10" "https://meet.example.com:$port/join"
		is "code on $port" "$code" 200
		is "body on $port" "$body" 'reached 192.0.2.10'
		is "certificate on $port" "$whose" proxy
		logged " TCP_MISS/200 .* GET https://meet\.example\.com(:$port)?/join - ORIGINAL_DST/192\.0\.2\.10 .* verdict=bypass service=meet "
		recorded ".verdict == \"bypass\" and .method == \"CONNECT\" and .dst == \"192.0.2.10:$port\""
		recorded ".verdict == \"bypass\" and .method == \"GET\" and .dst == \"192.0.2.10:$port\" and
			.sni == \"meet.example.com\""
	done
}

@test "CONNECT to a meeting server works under the proxy's certificate" {
	ask_proxy https://meet.example.com/join
	is connect "$connect" 200
	is code "$code" 200
	is certificate "$whose" proxy
	logged ' TCP_MISS/200 .* GET https://meet\.example\.com/join - .* verdict=bypass service=meet rule=meet\.example\.com evidence=name '
	recorded '.verdict == "bypass" and .method == "GET" and .host == "meet.example.com"'
}

@test "a foreign protocol to a meeting server still goes through" {
	for port in 80 443 8200; do
		speak 192.0.2.20 $port
		is "answer on $port" "$heard" "$echoed"
		recorded ".verdict == \"bypass\" and .dst == \"192.0.2.20:$port\""
	done
}

@test "any other is still denied" {
	ask --resolve other.example.com:443:203.0.113.10 https://other.example.com/
	is code "$code" 407
	is certificate "$whose" proxy
	ask_proxy https://other.example.com/
	is connect "$connect" 407
	speak 203.0.113.20 8200
	is 'foreign answer' "${heard%%$'\r'*}" 'HTTP/1.1 407 Proxy Authentication Required'
	not_recorded true
}

@test "a request inside a meeting's tunnel that names another host isn't exempt" {
	printf 'GET https://other.example.com/ HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n' >"$LAB/inside"
	answer=$(lab_in client timeout 10 openssl s_client -quiet -proxy 198.51.100.1:3128 -connect meet.example.com:443 \
		-servername meet.example.com -ign_eof <"$LAB/inside" 2>/dev/null) || :
	is answer "${answer%%$'\r'*}" 'HTTP/1.1 403 Forbidden' # no password can be given inside
	logged ' TCP_DENIED/403 .* GET https://other\.example\.com/ .* verdict=normal '
}
