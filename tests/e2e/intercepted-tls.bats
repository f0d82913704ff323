#!/usr/bin/env bats
# An intercepted client of a meeting service speaks TLS to it on 443, 8200 and 80: nobody asks it for a password, and
# nothing is decrypted.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "TLS on 443 reaches the meeting server by address" {
	ask https://192.0.2.10/
	is code "$code" 200
	is body "$body" 'reached 192.0.2.10'
	is certificate "$whose" server
	logged ' TCP_TUNNEL/[25]00 .* CONNECT 192\.0\.2\.10:443 - ORIGINAL_DST/192\.0\.2\.10 .* verdict=bypass service=meet rule=192\.0\.2\.0/24 evidence=address '
	recorded_bypass 192.0.2.10:443 192.0.2.0/24 address
}

@test "TLS on 443 reaches the meeting server by name" {
	ask --resolve meet.example.com:443:192.0.2.10 https://meet.example.com/
	is code "$code" 200
	is certificate "$whose" server
	logged ' TCP_TUNNEL/[25]00 .* CONNECT 192\.0\.2\.10:443 .* verdict=bypass service=meet '
	recorded_bypass 192.0.2.10:443 192.0.2.0/24 address
}

@test "TLS on 8200 reaches the meeting server" {
	ask https://192.0.2.10:8200/
	is code "$code" 200
	is certificate "$whose" server
	logged ' TCP_TUNNEL/[25]00 .* CONNECT 192\.0\.2\.10:8200 .* verdict=bypass service=meet rule=192\.0\.2\.0/24 evidence=address '
	recorded_bypass 192.0.2.10:8200 192.0.2.0/24 address
}

@test "TLS on 80 reaches the meeting server" {
	ask https://192.0.2.10:80/
	is code "$code" 200
	is certificate "$whose" server
	logged ' TCP_TUNNEL/[25]00 .* - 192\.0\.2\.10:80 .* verdict=bypass service=meet rule=192\.0\.2\.0/24 evidence=address '
	recorded_bypass 192.0.2.10:80 192.0.2.0/24 address
}
