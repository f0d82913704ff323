#!/usr/bin/env bats
# What c-icap's own statistics and access log say of the verdicts.

# shellcheck disable=SC2154,SC2031,SC2030 # module.bash and bats set them
load module

setup_file() { make_place && start; }
teardown_file() { remove_place; }

# EXPECTED LABEL...
counted() {
	local label
	for label in "${@:2}"; do
		is "$label" "$(counter "$label")" "$1"
	done
}

@test "info counts verdicts" {
	request preview=0 times=3 header='X-Meeting-Verdict: normal'
	request preview=0 times=2 header='X-Meeting-Verdict: shadow' header='X-Meeting-Would: gotomeeting'
	request preview=0 times=4 header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:443'
	request preview=0 times=5 header='X-Meeting-Verdict: bypass' header='X-Meeting-Service: unheard-of'
	request preview=0 times=6 header='X-Meeting-Verdict: bypass' header='X-Meeting-Evidence: client'
	# The helper knows of an entry that isn't here.
	request preview=0 times=7 header='X-Meeting-Verdict: bypass' header='X-Meeting-Service: gotomeeting' \
		header='X-Meeting-Evidence: address' header='X-Meeting-Mode: intercept' \
		header='X-Meeting-Dst: 192.0.2.200:443'
	counted 27 DECISIONS
	counted 3 NORMAL
	counted 2 SHADOW
	counted 11 'BYPASS gotomeeting'
	counted 5 'BYPASS (other service)'
	counted 6 'BYPASS (by client)'
	counted 7 DISAGREEMENTS
	is records "$(jq -s 'map(select(.disagrees)) | length' "$journal")" 7
	counted 0 'JOURNAL ERRORS' 'RECORDS LOST'
}

@test "the counts outlive the processes" {
	processes | xargs kill -TERM
	gone() { counted 27 DECISIONS; }
	wait_until 20 gone
}

@test "the access log has verdict, service and rule" {
	wait_until 10 answers
	status_of preview=0 header='X-Meeting-Mode: intercept' header='X-Meeting-Dst: 203.0.113.5:443'
	logged() { [[ $(grep -v '^200' "$place/access.log" | tail -n 1) == "$1" ]]; }
	wait_until 10 logged '204 bypass gotomeeting 203.0.113.0/24'
	status_of preview=0 header='X-Meeting-Verdict: normal'
	wait_until 10 logged '204 normal - -'
	# Blanks and controls of a header can't make up a line.
	status_of preview=0 header='X-Meeting-Verdict: bypass' header='X-Meeting-Service: a%0Ab' \
		header='X-Meeting-Rule: x%20y%FF'
	wait_until 10 logged '204 bypass a?b x?y?'
	status_of preview=0 header='X-Meeting-Verdict: bypass' header='X-Meeting-Evidence: name'
	wait_until 10 grep -q ' name helper$' "$place/evidence.log"
}

@test "attributes are bounded" {
	huge=$(printf 'x%.0s' {1..9000})
	status_of preview=0 header='X-Meeting-Verdict: bypass' header="X-Meeting-Service: $huge" \
		header="X-Meeting-Rule: $huge"
	run grep 'Not enough space' "$place/server.log"
	is status "$status" 1
}
