#!/usr/bin/env bats
# meetingctl explain: the verdict in words, what each fact was compared with, where the rule is from, and Squid's answer.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	file meet.service <<-'END'
		service meet
		source https://meet.example/ 2026-01-01
		ports tcp 80,443,8200
		address 192.0.2.0/24
		address 2001:db8::/32
		name .meet.example
	END
	printf 'service other\nsource O\nexpires 2020-01-01\naddress 192.0.2.0/24 tcp 443\naddress 198.51.100.0/24\n' |
		file other.service
	printf 'client 10.0.0.0/8\nclient 11.0.0.0/8 other\n' | file clients
}

explain() {
	meetingctl explain --config="$FOLDER" --names=ignore "$@"
}

# WANTED ARGUMENT...: the exit status, and what Squid gets.
gets() {
	local wanted=$1 line
	shift
	run explain "$@"
	line=$(grep '^Squid gets: ' <<<"$output") || { echo "$output" && return 1; }
	same "$wanted" "$status ${line#Squid gets: }"
}

member='OK verdict_=bypass service_=meet rule_=192.0.2.0/24 evidence_=address source_=https://meet.example/'

@test "an exempt request: exit 0, the rule, its place and its source" {
	run explain --client 10.1.1.1 --dst 192.0.2.7:8200 --sni a.meet.example meet
	same 0 "$status"
	has "$output" 'Intercepted client; asked about meet'
	has "$output" 'client    10.1.1.1'
	has "$output" 'in 10.0.0.0/8 of the exempt clients (everywhere)'
	has "$output" 'dst       192.0.2.7, port 8200'
	has "$output" 'in 192.0.2.0/24 of meet (tcp 80,443,8200), which allows the port'
	has "$output" "$FOLDER/meet.service:4, from https://meet.example/ of 2026-01-01"
	has "$output" 'in 192.0.2.0/24 of other (tcp 443), but NOT ON THIS PORT'
	has "$output" 'expires on 2020-01-01'
	has "$output" 'EXEMPT: the address is in 192.0.2.0/24 of meet.'
	has "$output" "Squid gets: $member tag=meeting clt_conn_tag=meeting"
}

@test "a request that isn't exempt: exit 1, and why" {
	run explain --dst 192.0.2.7:8080
	same 1 "$status"
	has "$output" 'NOT EXEMPT: an entry holds where the client wants to go, but not on this port.'
	has "$output" 'Squid gets: ERR verdict_=normal reason_=other-port'
	run explain --dst 203.0.113.1:443
	same 1 "$status"
	has "$output" 'in no entry of any service'
	has "$output" 'NOT EXEMPT: no entry holds'
}

@test "each way of asking gets Squid's answer" {
	gets "0 $member also_=other tag=meeting clt_conn_tag=meeting" --dst 192.0.2.7:443
	gets "0 $member tag=meeting clt_conn_tag=meeting" --dst 192.0.2.7:80
	gets '1 ERR verdict_=normal reason_=other-port' --dst 192.0.2.7
	has "$(explain --dst '[2001:db8::1]:443')" 'rule_=2001:db8::/32'
	gets '1 ERR verdict_=normal reason_=other-port' --dst 2001:db8::1
	gets '1 ERR verdict_=normal reason_=other-port' --dst '[2001:db8::1]'
	gets "0 $member also_=other tag=meeting" --host 192.0.2.7:443
	gets '0 OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name source_=https://meet.example/ tag=meeting' \
		--host a.meet.example:443
	has "$(explain --host '[2001:db8::1]:443')" 'Explicit client'
	gets '1 ERR verdict_=normal reason_=other-port' --host a.meet.example
	gets '1 ERR verdict_=normal reason_=name-ignored' --dst 203.0.113.1:443 --sni a.meet.example
	gets '0 OK verdict_=bypass rule_=10.0.0.0/8 evidence_=client source_='"$FOLDER/clients"' tag=meeting clt_conn_tag=meeting' \
		--client 10.1.1.1 client
	gets '1 ERR verdict_=normal reason_=client-not-exempt' --client 12.1.1.1 client
	gets '1 ERR verdict_=normal reason_=client-unknown' --client :: --dst 192.0.2.1:443 client
	gets '1 ERR verdict_=normal reason_=other-service' --dst 192.0.2.7:80 other
	gets '1 ERR verdict_=normal message="argument `zoon`: no service of that name is known"' --dst 192.0.2.7:80 zoon
	gets '1 ERR verdict_=normal message="dport: not a port"' --dst 192.0.2.7:65536
	gets '1 ERR verdict_=normal message="dport: not a port"' --dst 192.0.2.7:080
}

@test "a client that is only a number is a client, not a channel" {
	gets '1 ERR verdict_=normal message="client: an IPv4 address has four numbers of 0 to 255, with dots between"' \
		--client 5 --dst 192.0.2.7:443
}

@test "--mode, --names, --stale and --shadow are those of the helper" {
	run explain --mode=explicit --dst 192.0.2.7:443
	same 1 "$status"
	has "$output" 'not looked at: to an explicit client it is the proxy'
	run explain --mode=intercept --host a.meet.example:443
	same 1 "$status"
	has "$output" 'not looked at: an intercepted client can claim any host'
	run meetingctl explain --config="$FOLDER" --names=trust --dst 203.0.113.1:443 --sni a.meet.example
	same 0 "$status"
	has "$output" 'evidence_=name'
	run meetingctl explain --config="$FOLDER" --resolver=127.0.0.1:9 --dns-timeout=0.1 --dst 203.0.113.1:443 --sni a.meet.example
	same 1 "$status"
	has "$output" 'DNS gave no answer'
	run explain --dst 198.51.100.1:443
	same 0 "$status"
	has "$output" 'EXPIRED, but --stale=accept'
	gets '1 ERR verdict_=normal reason_=stale' --stale=refuse --dst 198.51.100.1:443
	run explain --shadow --dst 192.0.2.7:80
	has "$output" 'Squid gets: ERR verdict_=shadow would_=meet'
}

@test "a line as Squid sends it" {
	run explain --helper-line '77 10.1.1.1 192.0.2.7 80 - - meet'
	same 0 "$status"
	has "$output" "Squid gets: 77 $member tag=meeting clt_conn_tag=meeting"
	run explain --helper-line '77 10.1.1.1'
	same 1 "$status"
	has "$output" 'NOT EXEMPT: fewer fields than --fields says'
	run explain --fields=dst,dport --helper-line '192.0.2.7 80'
	same 0 "$status"
	run bash -c "printf '1 - 192.0.2.7 80 - -\n2 - 203.0.113.1 80 - -\n' |
		'$top_builddir/ctl/meetingctl' explain --config='$FOLDER' --helper-line -"
	same 1 "$status"
	same 2 "$(grep -c '^Squid gets: [12] ' <<<"$output")"
}

@test "--json" {
	needs jq
	run explain --json --client 10.1.1.1 --dst 192.0.2.7:443
	same 0 "$status"
	same '[true,"meet","192.0.2.0/24","address","https://meet.example/",false,null]' \
		"$(jq -c '[.exempt, .service, .rule, .evidence, .source, .stale, .reason]' <<<"$output")"
	same "$member also_=other tag=meeting clt_conn_tag=meeting" "$(jq -r .reply <<<"$output")"
	same '["client","dst"]' "$(jq -c '.facts | keys' <<<"$output")"
	same '["192.0.2.0/24","meet","tcp 80,443,8200",4]' "$(jq -c '.facts.dst.entries[0] | [.rule, .service, .ports, .line]' <<<"$output")"
	same '["10.0.0.0/8",null,"everywhere"]' "$(jq -c '.facts.client.entries[0] | [.rule, .service, .exempt]' <<<"$output")"
	run explain --json --dst 203.0.113.1:443
	same 1 "$status"
	same '[false,null,null,null,null,false,"no-entry"]' \
		"$(jq -c '[.exempt, .service, .rule, .evidence, .source, .stale, .reason]' <<<"$output")"
	run explain --json --client 11.1.1.1
	same 'towards other' "$(jq -r '.facts.client.entries[0].exempt' <<<"$output")"
}

@test "--json is JSON whatever the facts are" {
	needs jq
	for bad in $'\xff\xfe' '"' '\' $'\n' $'\033[31m' ''; do
		for option in "--client=$bad" "--dst=$bad:443" "--host=$bad" "--sni=$bad"; do
			run explain --json "$option"
			same true "$(jq '.exempt == false and (.reply | startswith("ERR "))' <<<"$output")"
		done
		run explain --json --dst 192.0.2.7:8080 -- "$bad"
		same true "$(jq '.exempt == false and (.reply | startswith("ERR "))' <<<"$output")"
	done
}

@test "very long facts are refused, not cut" {
	long=$(printf 'a%.0s' {1..70000})
	for arguments in '' other '1 2 3 4 5 6 7 8 9 10 11 12'; do
		# shellcheck disable=SC2086
		run explain --dst 192.0.2.7:80 --sni "$long" $arguments
		same 2 "$status"
		has "$output" 'too long'
		# shellcheck disable=SC2086
		run explain --client "$long" --dst 192.0.2.7:80 $arguments
		same 2 "$status"
	done
	gets '1 ERR verdict_=normal message="a line of more than 65536 bytes"' --helper-line "10.1.1.1 192.0.2.7 80 - - $long"
	run explain --dst 192.0.2.7:80 --sni "${long:0:60000}"
	same 0 "$status"
}

@test "wrong usage: exit 2; help: exit 0" {
	for wrong in '' --nonsense --client '--mode=both --dst 192.0.2.1' '--names=x --dst 192.0.2.1' '--stale=x --dst 192.0.2.1' \
		'meet' '--helper-line x --dst 192.0.2.1' '--config= --dst 192.0.2.1'; do
		# shellcheck disable=SC2086
		run explain $wrong
		same "$wrong 2" "$wrong $status"
	done
	run explain --help
	same 0 "$status"
	has "$output" 'Usage: meetingctl explain'
}
