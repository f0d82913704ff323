#!/usr/bin/env bats
# Three hundred requests at once, while c-icap has just started: all are answered and recorded. A process of c-icap 0.5.10 with
# fewer threads than Squid keeps connections leaves one of them without an answer in some of these rounds.

load story

setup_file() { story_begins; }
teardown_file() { story_ends; }

all_recorded() { (($(tail -n +"$((seen_journal + 1))" "$journal" | grep -c '"host":"192.0.2.30"') == asked)); }

@test "300 at once are all answered, and all recorded" {
	asked=0
	for round in 1 2 3 4; do
		lab_in client curl -sS --parallel --parallel-immediate --parallel-max 300 --max-time 20 -o /dev/null \
			-w '%{http_code}\n' -x http://198.51.100.1:3128 "http://192.0.2.30/$round-[1-300]" >"$BATS_TEST_TMPDIR/codes"
		is answers "$(sort "$BATS_TEST_TMPDIR/codes" | uniq -c | tr -s ' ')" ' 300 200'
		((asked += 300))
		wait_until 10 all_recorded
		lab_end squid
		lab_end c-icap
		lab_start_c_icap
		lab_start_squid
	done
}
