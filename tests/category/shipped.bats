#!/usr/bin/env bats
# The shipped services: no mistake in any file, and GoToMeeting has its eleven original ranges on ports 80, 443 and 8200.

load programs

setup() {
	services=$top_srcdir/services
	# each range with its first and last address, and the addresses before and behind it
	ranges='
		216.115.208.0/20   216.115.208.0  216.115.223.255 216.115.207.255 216.115.224.0
		216.219.112.0/20   216.219.112.0  216.219.127.255 216.219.111.255 216.219.128.0
		66.151.158.0/24    66.151.158.0   66.151.158.255  66.151.157.255  66.151.159.0
		66.151.150.160/27  66.151.150.160 66.151.150.191  66.151.150.159  66.151.150.192
		66.151.115.128/26  66.151.115.128 66.151.115.191  66.151.115.127  66.151.115.192
		64.74.80.0/24      64.74.80.0     64.74.80.255    64.74.79.255    64.74.81.0
		202.173.24.0/21    202.173.24.0   202.173.31.255  202.173.23.255  202.173.32.0
		67.217.64.0/19     67.217.64.0    67.217.95.255   67.217.63.255   67.217.96.0
		78.108.112.0/20    78.108.112.0   78.108.127.255  78.108.111.255  78.108.128.0
		68.64.0.0/19       68.64.0.0      68.64.31.255    68.63.255.255   68.64.32.0
		206.183.100.0/22   206.183.100.0  206.183.103.255 206.183.99.255  206.183.104.0'
}

@test "meetingctl check finds no error in any shipped file" {
	run meetingctl check "$services"
	echo "$output"
	same 0 "$status"
	same "$(find "$services/" -name '*.service' | wc -l) files, no error" "${lines[-1]}"
}

@test "each file is named after its service, and has a title and a dated or named source for each block" {
	needs jq
	run meetingctl list --json --config="$services"
	same 0 "$status"
	same '[]' "$(jq -c 'map(select(.title == "" or .state != "on" or .addresses + .names == 0) | .service)' <<<"$output")"
	same '[]' "$(jq -c 'map(.service as $s | .sources[] | select(.file | endswith("/\($s).service") | not) | .file)' <<<"$output")"
	same '[]' "$(jq -c '[.[].sources[] | select(.source == .file) | .file]' <<<"$output")"
}

@test "GoToMeeting lists its eleven original ranges with ports 80, 443 and 8200" {
	needs jq
	run meetingctl list --json --config="$services" gotomeeting
	same 0 "$status"
	wanted=$(awk 'NF { print $1 }' <<<"$ranges" | sort)
	same 11 "$(wc -l <<<"$wanted")"
	same "$wanted" "$(jq -r '.[0].entries[] | select(.ports == "tcp 80,443,8200") | .rule' <<<"$output" | sort -u | grep -Fx "$wanted")"
}

@test "the helper exempts each of them from end to end, on these ports, and nothing beside them" {
	asked=0
	while read -r range first last before behind; do
		[ -n "$range" ] || continue
		for address in "$first" "$last"; do
			for port in 80 443 8200; do
				echo "$range yes - $address $port - - gotomeeting"
			done
			echo "$range no - $address 8080 - - gotomeeting"
			echo "$range no - $address - - - gotomeeting"
		done
		for port in 80 443 8200; do
			echo "$range no - $before $port - - gotomeeting"
			echo "$range no - $behind $port - - gotomeeting"
		done
	done <<<"$ranges" >"$BATS_TEST_TMPDIR/questions"
	cut -d ' ' -f 3- "$BATS_TEST_TMPDIR/questions" | helper --config="$services" 2>/dev/null >"$BATS_TEST_TMPDIR/answers"
	while read -r range wanted _ address port _ && read -r answer <&3; do
		case $wanted in
		yes) [[ $answer == "OK verdict_=bypass service_=gotomeeting rule_=$range evidence_=address "* ]] ;;
		no) [[ $answer == "ERR verdict_=normal reason_="* ]] ;;
		esac || { echo "$address port $port: $answer" && return 1; }
		asked=$((asked + 1))
	done <"$BATS_TEST_TMPDIR/questions" 3<"$BATS_TEST_TMPDIR/answers"
	same $((11 * 16)) "$asked"
}

@test "no shipped service holds an address that anybody may have" {
	for address in 8.8.8.8 1.1.1.1 192.0.2.1 198.51.100.1 203.0.113.1 2001:4860:4860::8888 2001:db8::1; do
		echo "- $address 443 - -"
	done | helper --config="$services" 2>/dev/null >"$BATS_TEST_TMPDIR/answers"
	same 7 "$(grep -c '^ERR verdict_=normal reason_=no-entry$' "$BATS_TEST_TMPDIR/answers")"
}
