#!/usr/bin/env bats
# A meeting client opens 8200, 443 and 80 at once, goes on with the first that answers and drops the others: that works,
# and what was dropped leaves no broken record.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

rounds=20

# Every new line of the journal is a whole record of a bypass to the meeting server.
whole_records() {
	new_journal | jq -e '.verdict == "bypass" and .service == "meet" and .client == "198.51.100.10" and
		(.dst | startswith("192.0.2.")) and .conn != null' >"$LAB/whole" &&
		! grep -qv '^true$' "$LAB/whole" || { echo 'there is a broken record' && return 1; }
}

@test "TLS on three ports at once" {
	# shellcheck disable=SC2016 # expanded by the inner shell
	race='
		for port in 8200 443 80; do
			curl -q --silent --max-time 10 --cacert "$1" "https://192.0.2.10:$port/" &
		done
		wait -n && kill $(jobs -p) 2>/dev/null
		wait'
	for ((round = 0; round < rounds; round++)); do
		got=$(lab_in client bash -c "$race" race "$LAB/ca/trusted-by-client.pem" 2>&1)
		is "answer of round $round" "${got%%$'\n'*}" 'reached 192.0.2.10'
	done
	answered() { (($(new_log | grep -cE ' TCP_TUNNEL/[25]00 .* verdict=bypass ') >= rounds)); }
	wait_until 10 answered
	recorded_bypass 192.0.2.10:8200 192.0.2.0/24 address
	whole_records
}

@test "a foreign protocol on three ports at once, dropped before and after the first byte" {
	# shellcheck disable=SC2016 # expanded by the inner shell
	race='
		exec 5<>/dev/tcp/192.0.2.20/8200 6<>/dev/tcp/192.0.2.20/443 7<>/dev/tcp/192.0.2.20/80
		for port in 5 6 7; do
			(($1 % 3 == 0)) || printf "\1knock %s\n" $port >&$port
		done
		(($1 % 3 == 0)) && printf "\1knock 5\n" >&5
		exec 6>&- 7>&-
		IFS= read -rt 5 -u 5 first
		printf "\2and on\n" >&5
		IFS= read -rt 5 -u 5 second
		printf "%s|%s" "$first" "$second"'
	for ((round = 0; round < rounds; round++)); do
		got=$(lab_in client bash -c "$race" race $round 2>&1)
		is "answer of round $round" "$got" $'\1knock 5|\2and on'
	done
	answered() { (($(new_log | grep -cE ' TCP_TUNNEL/[25]00 .* CONNECT 192\.0\.2\.20:8200 .* verdict=bypass ') >= rounds)); }
	wait_until 10 answered
	whole_records
}

@test "afterwards everything works as before" {
	lab_runs squid
	lab_runs c-icap
	ask https://192.0.2.10:8200/
	is code "$code" 200
	is certificate "$whose" server
	ask http://203.0.113.30/
	is code "$code" 407
}
