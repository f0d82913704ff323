#!/usr/bin/env bats
# squidclient asks through the explicit port: a meeting server answers it, and anybody else wants a password first.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

ask_squidclient() { answer=$(lab_in client squidclient -h 198.51.100.1 -p 3128 -T 10 "$@") || :; }
status() { head -n 1 <<<"${answer//$'\r'/}"; }

@test "squidclient gets a page of a meeting server" {
	ask_squidclient http://192.0.2.30/
	is status "$(status)" 'HTTP/1.1 200 OK'
	is body "$(tail -n 1 <<<"$answer")" 'reached 192.0.2.30'
	logged ' TCP_MISS/200 .* GET http://192\.0\.2\.30/ - HIER_DIRECT/192\.0\.2\.30 .* verdict=bypass service=meet '
	recorded '.verdict == "bypass" and .service == "meet" and .method == "GET" and .host == "192.0.2.30"'
}

@test "squidclient gets 407 for anybody else" {
	ask_squidclient http://203.0.113.30/
	is status "$(status)" 'HTTP/1.1 407 Proxy Authentication Required'
	logged ' TCP_DENIED/407 .* GET http://203\.0\.113\.30/ - .* verdict=normal '
	not_recorded true
}

@test "squidclient with a password gets the page of anybody else" {
	ask_squidclient -u user -w secret http://203.0.113.30/
	is status "$(status)" 'HTTP/1.1 200 OK'
	logged ' TCP_MISS/200 .* GET http://203\.0\.113\.30/ user .* verdict=normal '
	recorded '.verdict == "normal" and .host == "203.0.113.30" and .user == "user"'
}
