#!/usr/bin/env bats
# The same over IPv6: TLS to a meeting server on all three ports needs no password and isn't decrypted, and anybody else
# is still denied.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "TLS on 443, 8200 and 80 reaches the meeting server" {
	for port in 443 8200 80; do
		ask "https://[2001:db8:a::10]:$port/"
		is "code on $port" "$code" 200
		is "certificate on $port" "$whose" server
		logged " TCP_TUNNEL/[25]00 .* \[2001:db8:a::10\]:$port - ORIGINAL_DST/2001:db8:a::10 .* verdict=bypass service=meet rule=2001:db8:a::/48 evidence=address "
		recorded ".verdict == \"bypass\" and .service == \"meet\" and .rule == \"2001:db8:a::/48\" and
			.evidence == \"address\" and .client == \"2001:db8:1::10\" and (.dst | endswith(\":$port\"))"
	done
}

@test "a foreign protocol and plain HTTP reach the meeting server" {
	speak 2001:db8:a::20 8200
	is answer "$heard" "$echoed"
	ask 'http://[2001:db8:a::30]/'
	is code "$code" 200
	recorded '.verdict == "bypass" and .method == "GET"'
}

@test "CONNECT to the meeting server needs no password at the explicit port" {
	ask --proxy 'http://[2001:db8:1::1]:3128' 'https://[2001:db8:a::10]/'
	is connect "$connect" 200
	is code "$code" 200
	is certificate "$whose" server
	recorded '.verdict == "bypass" and .rule == "2001:db8:a::/48" and .evidence == "address"'
}

@test "any other is denied on all three ports" {
	for port in 443 8200; do
		ask --resolve "other.example.com:$port:2001:db8:b::10" "https://other.example.com:$port/"
		is "code on $port" "$code" 407
		is "certificate on $port" "$whose" proxy
		logged " TCP_DENIED/[0-9]+ .* CONNECT \[2001:db8:b::10\]:$port .* verdict=normal "
	done
	ask 'https://[2001:db8:b::10]:80/'
	is 'code of TLS on 80' "$code" 000
	ask 'http://[2001:db8:b::30]/'
	is 'code of HTTP on 80' "$code" 407
	logged ' TCP_DENIED/407 .* GET http://\[2001:db8:b::30\]/ .* verdict=normal '
	not_recorded true
}
