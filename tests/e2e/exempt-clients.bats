#!/usr/bin/env bats
# A client that is named in the file `clients` connects anywhere its line allows without authentication; another one
# doesn't. Here nothing else is exempt: the lines for the destinations are left out of squid.conf.

load story

setup_file() {
	# shellcheck disable=SC2016 # $LAB is filled in by lab.sh
	LAB_SQUID='
		include $LAB/share/squid-conf/intercept.conf
		include $LAB/share/squid-conf/explicit.conf
		include $LAB/share/squid-conf/log.conf
		include $LAB/share/squid-conf/icap.conf
		acl rooms src 198.51.100.64/28
		ssl_bump splice step1 rooms
		http_access allow meeting_client'
	start() {
		cat >"$LAB/etc/clients" <<-'END'
			client 198.51.100.64/28
			client 198.51.100.80/28 huddle
			client 2001:db8:1::40
		END
		ip -n "$LAB_NAME-client" addr add 198.51.100.70/25 dev eth0 &&
			ip -n "$LAB_NAME-client" addr add 198.51.100.85/25 dev eth0 &&
			ip -n "$LAB_NAME-client" addr add 2001:db8:1::40/64 dev eth0 nodad && lab_start
	}
	story_begins start
}
teardown_file() { story_ends; }

other=(--resolve other.example.com:443:203.0.113.10 https://other.example.com/)
huddle=(--resolve huddle.example.com:443:203.0.113.138 https://huddle.example.com/)
meet=(--resolve meet.example.com:443:192.0.2.10 https://meet.example.com/)

@test "an exempt client goes anywhere, and isn't decrypted where squid.conf says so" {
	ask --interface 198.51.100.70 "${other[@]}"
	is code "$code" 200
	is certificate "$whose" server
	logged ' 198\.51\.100\.70:[0-9]+ TCP_TUNNEL/[25]00 .* CONNECT 203\.0\.113\.10:443 .* verdict=bypass service=- rule=198\.51\.100\.64/28 evidence=client '
	recorded '.verdict == "bypass" and .evidence == "client" and .rule == "198.51.100.64/28" and
		.client == "198.51.100.70" and .dst == "203.0.113.10:443" and .service == null'
}

@test "an exempt client speaks plain HTTP with anybody" {
	ask --interface 198.51.100.70 http://203.0.113.30/
	is code "$code" 200
	logged ' TCP_MISS/200 .* GET http://203\.0\.113\.30/ .* evidence=client '
	recorded '.evidence == "client" and .method == "GET"'
}

@test "an exempt client needs no password at the explicit port either" {
	ask_proxy --interface 198.51.100.70 https://other.example.com/
	is connect "$connect" 200
	is code "$code" 200
	recorded '.evidence == "client" and .method == "CONNECT" and .host == "other.example.com"'
}

@test "an exempt client over IPv6" {
	ask --interface 2001:db8:1::40 'http://[2001:db8:b::30]/'
	is code "$code" 200
	recorded '.evidence == "client" and .rule == "2001:db8:1::40" and .client == "2001:db8:1::40"'
}

@test "a client whose line names a service goes to that service" {
	ask --interface 198.51.100.85 "${huddle[@]}"
	is code "$code" 200
	is body "$body" 'reached 203.0.113.138'
	logged ' 198\.51\.100\.85:[0-9]+ .* CONNECT 203\.0\.113\.138:443 .* verdict=bypass service=huddle '
	recorded '.verdict == "bypass" and .service == "huddle" and .client == "198.51.100.85"'
}

@test "a client whose line names a service goes nowhere else" {
	ask --interface 198.51.100.85 "${other[@]}"
	is 'code of any other' "$code" 407
	ask --interface 198.51.100.85 "${meet[@]}"
	is 'code of another service' "$code" 407
	logged ' 198\.51\.100\.85:[0-9]+ .* CONNECT 192\.0\.2\.10:443 .* verdict=normal '
	not_recorded true
}

@test "another client is denied everywhere" {
	for to in other huddle meet; do
		declare -n arguments=$to
		ask "${arguments[@]}"
		is "code of $to" "$code" 407
		is "certificate of $to" "$whose" proxy
	done
	ask --interface 2001:db8:1::10 'http://[2001:db8:b::30]/'
	is 'code over IPv6' "$code" 407
	logged ' 198\.51\.100\.10:[0-9]+ .* CONNECT 192\.0\.2\.10:443 .* verdict=normal '
	not_recorded true
}
