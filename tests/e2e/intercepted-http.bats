#!/usr/bin/env bats
# An intercepted client of a meeting service speaks plain HTTP to it on 80: it gets its answer, and isn't asked for a
# password.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "GET on 80 is answered by the meeting server" {
	ask http://192.0.2.30/join
	is code "$code" 200
	is body "$body" 'reached 192.0.2.30'
	logged ' TCP_MISS/200 .* GET http://192\.0\.2\.30/join - ORIGINAL_DST/192\.0\.2\.30 .* verdict=bypass service=meet rule=192\.0\.2\.0/24 evidence=address '
	recorded_bypass 192.0.2.30:80 192.0.2.0/24 address
	recorded '.method == "GET"'
}

@test "POST with a body of 1 MiB on 80 is answered by the meeting server" {
	head -c 1048576 /dev/zero >"$BATS_TEST_TMPDIR/zeros"
	ask --data-binary "@$BATS_TEST_TMPDIR/zeros" http://192.0.2.30/upload
	is code "$code" 200
	is body "$body" 'reached 192.0.2.30'
	logged ' TCP_MISS/200 .* POST http://192\.0\.2\.30/upload .* verdict=bypass '
	recorded '.method == "POST" and .verdict == "bypass" and .dst == "192.0.2.30:80"'
}

@test "whatever the Host header says, the destination decides" {
	ask --header 'Host: other.example.com' http://192.0.2.30/
	is code "$code" 200
	is body "$body" 'reached 192.0.2.30'
	logged ' TCP_MISS/200 .* GET http://other\.example\.com/ - ORIGINAL_DST/192\.0\.2\.30 .* verdict=bypass '
	recorded_bypass 192.0.2.30:80 192.0.2.0/24 address
}
