#!/usr/bin/env bats
# Three hundred requests at once: all are answered and recorded, though c-icap has the hundred threads that Debian gives it,
# and each connection that Squid keeps to it takes one.

load story

setup_file() {
	export LAB_C_ICAP='MaxServers 10'
	story_begins
}
teardown_file() { story_ends; }

@test "300 at once are all answered, and all recorded" {
	for round in 1 2; do
		lab_in client curl -sS --parallel --parallel-immediate --parallel-max 300 --max-time 20 -o /dev/null \
			-w '%{http_code}\n' -x http://198.51.100.1:3128 "http://192.0.2.30/$round-[1-300]" >"$BATS_TEST_TMPDIR/codes"
		is answers "$(sort "$BATS_TEST_TMPDIR/codes" | uniq -c | tr -s ' ')" ' 300 200'
	done
	all_recorded() { (($(tail -n +"$((seen_journal + 1))" "$journal" | grep -c '"host":"192.0.2.30"') == 600)); }
	wait_until 10 all_recorded
}
