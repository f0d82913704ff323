#!/usr/bin/env bats
# A client claims to go to a meeting service, and goes elsewhere: a Host header, an SNI and a request line that name the
# service exempt nothing.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "a forged Host header, intercepted" {
	ask --header 'Host: meet.example.com' http://203.0.113.30/
	is code "$code" 407
	logged ' TCP_DENIED/407 .* GET http://meet\.example\.com/ .* dst=203\.0\.113\.30:80 .* verdict=normal '
	not_recorded true
}

@test "a forged request line, intercepted" {
	ask --request-target http://meet.example.com/ --header 'Host: meet.example.com' http://203.0.113.30/
	is code "$code" 407
	logged ' TCP_DENIED/407 .* GET http://meet\.example\.com/ .* dst=203\.0\.113\.30:80 .* verdict=normal '
	not_recorded true
}

@test "a meeting server's address in the Host header, intercepted" {
	ask --header 'Host: 192.0.2.30' http://203.0.113.30/
	is code "$code" 407
	not_recorded true
}

@test "a forged SNI, intercepted" {
	for port in 443 8200; do
		ask --resolve "meet.example.com:$port:203.0.113.10" "https://meet.example.com:$port/"
		is "code on $port" "$code" 407
		is "certificate on $port" "$whose" proxy
		logged " TCP_DENIED/[0-9]+ .* CONNECT 203\.0\.113\.10:$port .* sni=meet\.example\.com verdict=normal "
	done
	not_recorded true
}

@test "a forged SNI on 80, intercepted" {
	ask --resolve meet.example.com:80:203.0.113.10 https://meet.example.com:80/
	is code "$code" 000
	is certificate "$whose" nobody
	not_recorded true
}

@test "a forged Host header at the explicit port" {
	ask_proxy --header 'Host: meet.example.com' http://203.0.113.30/
	is code "$code" 407
	ask_proxy --proxy-header 'Host: meet.example.com:443' https://other.example.com/
	is connect "$connect" 407
	not_recorded true
}

@test "a forged SNI at the explicit port" {
	ask_proxy --connect-to meet.example.com:443:203.0.113.10:443 https://meet.example.com/
	is connect "$connect" 407
	not_recorded true
}

@test "a name that only looks like the meeting server's, at the explicit port" {
	for name in meet.example.com.evil.example evil-meet.example.com meet.example.com@other.example.com \
		meet%2eexample.com 203.0.113.10/192.0.2.10; do
		printf 'CONNECT %s:443 HTTP/1.1\r\nHost: meet.example.com:443\r\n\r\n' "$name" >"$LAB/request"
		answer=$(lab_in client timeout 10 socat -T 5 - TCP:198.51.100.1:3128 <"$LAB/request") || :
		[[ $answer != *' 200 '* ]] || { echo "CONNECT $name got through" && return 1; }
	done
	not_recorded '.verdict == "bypass"'
}
