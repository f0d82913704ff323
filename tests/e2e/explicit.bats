#!/usr/bin/env bats
# A client that knows the proxy opens a tunnel to a meeting server, by address and by name, without a password; anywhere
# else it is asked for one, and decrypted when it gave it.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

@test "CONNECT to a meeting server by address is tunnelled without a password" {
	for port in 443 8200 80; do
		ask_proxy "https://192.0.2.10:$port/"
		is "connect on $port" "$connect" 200
		is "code on $port" "$code" 200
		is "certificate on $port" "$whose" server
		logged " TCP_TUNNEL/[25]00 .* CONNECT 192\.0\.2\.10:$port - HIER_DIRECT/192\.0\.2\.10 .* verdict=bypass service=meet rule=192\.0\.2\.0/24 evidence=address "
		recorded ".verdict == \"bypass\" and .service == \"meet\" and .rule == \"192.0.2.0/24\" and
			.evidence == \"address\" and .method == \"CONNECT\" and .host == \"192.0.2.10\" and .port == $port and
			.decided_by == \"helper\""
	done
}

@test "CONNECT to a meeting server by name is tunnelled without a password" {
	ask_proxy https://meet.example.com/
	is connect "$connect" 200
	is code "$code" 200
	is body "$body" 'reached 192.0.2.10'
	is certificate "$whose" server
	logged ' TCP_TUNNEL/[25]00 .* CONNECT meet\.example\.com:443 - HIER_DIRECT/192\.0\.2\.10 .* verdict=bypass service=meet rule=meet\.example\.com evidence=name '
	recorded '.verdict == "bypass" and .rule == "meet.example.com" and .evidence == "name" and
		.host == "meet.example.com" and .port == 443'
}

@test "GET from a meeting server needs no password" {
	ask_proxy http://192.0.2.30/join
	is code "$code" 200
	is body "$body" 'reached 192.0.2.30'
	recorded '.verdict == "bypass" and .method == "GET" and .host == "192.0.2.30"'
}

@test "CONNECT to any other gets 407 without a password" {
	ask_proxy https://other.example.com/
	is connect "$connect" 407
	is code "$code" 000
	is certificate "$whose" nobody
	logged ' TCP_DENIED/407 .* CONNECT other\.example\.com:443 - .* verdict=normal '
	not_recorded true
}

@test "CONNECT to any other with a password is decrypted" {
	ask_proxy --proxy-user user:secret https://other.example.com/
	is connect "$connect" 200
	is code "$code" 200
	is body "$body" 'reached 203.0.113.10'
	is certificate "$whose" proxy
	logged ' TCP_MISS/200 .* GET https://other\.example\.com/ user .* verdict=normal '
	recorded '.verdict == "normal" and .method == "GET" and .host == "other.example.com" and .user == "user"'
	not_recorded '.verdict == "bypass"'
}

@test "an exempt request exempts no other on the same connection" {
	ask_proxy http://192.0.2.30/first --next -q --silent --cacert "$LAB/ca/trusted-by-client.pem" \
		--proxy http://198.51.100.1:3128 --output "$LAB/second" --write-out '\nsecond %{http_code}\n' http://203.0.113.30/
	is code "$code" 200
	is 'second body' "$(grep -c 'reached' "$LAB/second")" 0
	logged ' TCP_DENIED/407 .* GET http://203\.0\.113\.30/ .* verdict=normal '
	ports=$(new_log | grep -oE '198\.51\.100\.10:[0-9]+' | sort -u | wc -l)
	is 'number of connections' "$ports" 1
}
