#!/usr/bin/env bats
# An intercepted client of a meeting service speaks a protocol that is neither TLS nor HTTP: bytes go through both ways on
# 80 and on 8200.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "a foreign protocol on 80 goes through both ways" {
	speak 192.0.2.20 80
	is answer "$heard" "$echoed"
	logged ' TCP_TUNNEL/[25]00 .* - 192\.0\.2\.20:80 - ORIGINAL_DST/192\.0\.2\.20 .* verdict=bypass service=meet '
	recorded_bypass 192.0.2.20:80 192.0.2.0/24 address
}

@test "a foreign protocol on 8200 goes through both ways" {
	speak 192.0.2.20 8200
	is answer "$heard" "$echoed"
	logged ' TCP_TUNNEL/[25]00 .* CONNECT 192\.0\.2\.20:8200 - ORIGINAL_DST/192\.0\.2\.20 .* verdict=bypass service=meet '
	recorded_bypass 192.0.2.20:8200 192.0.2.0/24 address
}

@test "a server of any other is still denied, whatever is spoken" {
	for port in 80 443 8200; do
		speak 203.0.113.20 $port
		is "answer on $port" "${heard%%$'\r'*}" 'HTTP/1.1 407 Proxy Authentication Required'
		logged " TCP_DENIED/407 .* 203\.0\.113\.20:$port .* verdict=normal "
	done
	not_recorded '.dst | strings | startswith("203.0.113.")'
}
