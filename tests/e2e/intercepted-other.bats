#!/usr/bin/env bats
# An intercepted client that goes anywhere else is denied for lack of authentication, as before, on all three ports.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "TLS on 443 gets 407 under the proxy's certificate" {
	ask --resolve other.example.com:443:203.0.113.10 https://other.example.com/
	is code "$code" 407
	is certificate "$whose" proxy
	logged ' TCP_DENIED/[0-9]+ .* CONNECT 203\.0\.113\.10:443 .* verdict=normal '
	not_recorded true
}

@test "TLS on 8200 gets 407 under the proxy's certificate" {
	ask --resolve other.example.com:8200:203.0.113.10 https://other.example.com:8200/
	is code "$code" 407
	is certificate "$whose" proxy
	logged ' TCP_DENIED/[0-9]+ .* CONNECT 203\.0\.113\.10:8200 .* verdict=normal '
	not_recorded true
}

@test "TLS on 80 gets no connection" {
	ask https://203.0.113.10:80/
	is code "$code" 000
	is certificate "$whose" nobody
	logged ' TCP_DENIED/407 .* - 203\.0\.113\.10:80 .* verdict=normal '
	not_recorded true
}

@test "plain HTTP on 80 gets 407" {
	ask http://203.0.113.30/
	is code "$code" 407
	logged ' TCP_DENIED/407 .* GET http://203\.0\.113\.30/ .* verdict=normal '
	not_recorded true
}
