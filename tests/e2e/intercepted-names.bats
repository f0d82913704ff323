#!/usr/bin/env bats
# With names.conf, intercepted TLS is exempt by name as well, where DNS confirms the name; nobody else gets anywhere that
# way, and what is exempt by address is so as ever.

load story

setup_file() {
	LAB_SQUID="$lab_squid_usual
		include \$LAB/share/squid-conf/names.conf"
	LAB_HOSTS=$'203.0.113.10 cloud.example.com\n203.0.113.99 moved.example.com'
	start() {
		printf 'service cloud\nports tcp 443\nname cloud.example.com\nname moved.example.com\n' >"$LAB/etc/cloud.service" && lab_start
	}
	story_begins start
}
teardown_file() { story_ends; }

@test "a server without an address of the service is reached by name, and not decrypted" {
	ask --resolve cloud.example.com:443:203.0.113.10 https://cloud.example.com/
	is code "$code" 200
	is body "$body" 'reached 203.0.113.10'
	is certificate "$whose" server
	logged ' TCP_TUNNEL/[25]00 .* CONNECT cloud\.example\.com:443 .* verdict=bypass service=cloud rule=cloud\.example\.com evidence=name '
	recorded '.verdict == "bypass" and .service == "cloud" and .evidence == "name" and .rule == "cloud.example.com" and
		.dst == "203.0.113.10:443" and .sni == "cloud.example.com"'
}

@test "the same server is refused under another name" {
	ask --resolve other.example.com:443:203.0.113.10 https://other.example.com/
	is code "$code" 403
	is certificate "$whose" proxy
	logged ' TCP_DENIED/403 .* GET https://other\.example\.com/ .* verdict=normal '
	not_recorded '.verdict == "bypass"'
}

@test "a name of the service at an address that DNS doesn't give is refused" {
	ask --resolve moved.example.com:443:203.0.113.10 https://moved.example.com/
	is code "$code" 403
	is certificate "$whose" proxy
	logged ' TCP_DENIED/403 .* GET https://moved\.example\.com/ .* verdict=normal .* reason=name-refuted '
	not_recorded '.verdict == "bypass"'
}

@test "no name, and no TLS, are refused" {
	ask --insecure https://203.0.113.10/
	[[ $body != *reached* ]]
	speak 203.0.113.20 8200
	is answer "${heard%%$'\r'*}" 'HTTP/1.1 407 Proxy Authentication Required'
	logged ' TCP_DENIED/407 .* 203\.0\.113\.20:8200 .* verdict=normal '
	not_recorded '.verdict == "bypass"'
}

@test "by address all is as ever" {
	ask https://192.0.2.10:8200/
	is code "$code" 200
	is certificate "$whose" server
	recorded_bypass 192.0.2.10:8200 192.0.2.0/24 address
	speak 192.0.2.20 8200
	is answer "$heard" "$echoed"
}
