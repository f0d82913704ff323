#!/usr/bin/env bats
# The category changes while Squid runs: a service is switched off by an empty file, a file is broken, and mended. And two
# connections to one name at once are both exempt, with DNS asked for both.
# Squid keeps an answer for 60 seconds, so each test asks about destinations that weren't asked about before.

load story

setup_file() {
	LAB_SQUID="$lab_squid_usual
		include \$LAB/share/squid-conf/names.conf"
	LAB_HOSTS='203.0.113.10 cloud.example.com'
	start() {
		printf 'service cloud\nports tcp 443\nname cloud.example.com\n' >"$LAB/etc/cloud.service" && lab_start
	}
	story_begins start
}
teardown_file() { story_ends; }

reloads() { grep -c 'ext_meeting_acl reloaded' "$LAB/log/cache.log" || :; }
has_reloaded() { (($(reloads) > reloads_before)); }

# The new content of a service file comes from standard input; waits until the helper has it.
change() {
	reloads_before=$(reloads)
	cat >"$LAB/etc/$1.service"
	wait_until 20 has_reloaded
}

@test "two connections to the same name at once are both exempt" {
	for turn in 1 2; do
		lab_in client curl -q --silent --show-error --max-time 10 --cacert "$LAB/ca/trusted-by-client.pem" \
			--resolve cloud.example.com:443:203.0.113.10 --output "$LAB/both$turn" https://cloud.example.com/ &
	done
	wait
	[[ $(<"$LAB/both1") == *'reached 203.0.113.10'* && $(<"$LAB/both2") == *'reached 203.0.113.10'* ]]
	two_recorded() {
		[[ $(new_journal | jq -r 'select(.verdict == "bypass" and .evidence == "name") | .conn' | sort -u | wc -l) == 2 ]]
	}
	wait_until 10 two_recorded
}

@test "a broken file changes nothing, and is told in cache.log" {
	ask https://192.0.2.10/
	is certificate "$whose" server
	printf 'service meet\nports tcp 80,443,8200\naddress 192.0.2.0/2\n' | change meet
	grep -q "meet.service:3:9: .*host bits\|meet.service:3:9: bits are set" "$LAB/log/cache.log"
	ask https://192.0.2.10:8200/
	is code "$code" 200
	is certificate "$whose" server
	recorded_bypass 192.0.2.10:8200 192.0.2.0/24 address
}

@test "mended, with another range, it counts" {
	printf 'service meet\nports tcp 80,443,8200\naddress 192.0.2.0/24\naddress 203.0.113.10\n' | change meet
	ask https://203.0.113.10:8200/
	is code "$code" 200
	is certificate "$whose" server
	recorded_bypass 203.0.113.10:8200 203.0.113.10 address
}

@test "an empty file switches the service off" {
	change meet </dev/null
	ask http://192.0.2.30/
	is code "$code" 407
	[[ $body != *reached* ]]
	logged ' TCP_DENIED/407 .* dst=192\.0\.2\.30:80 .* verdict=normal '
	not_recorded '.verdict == "bypass" and .dst == "192.0.2.30:80"'
	# Another service goes on.
	ask --resolve cloud.example.com:443:203.0.113.10 https://cloud.example.com/
	is certificate "$whose" server
}
