#!/usr/bin/env bats
# Every process of c-icap notices by itself that the category has changed, without c-icap's own reconfigure, and its ISTag
# changes with it.

# shellcheck disable=SC2154,SC2031,SC2030 # module.bash and bats set them
load module

setup_file() { make_place && start; }
teardown_file() { remove_place; }

istag() { c-icap-client -i 127.0.0.1 -p "$port" -s meeting 2>&1 | sed -n 's/.*ISTag: "\(.*\)".*/\1/p'; }
service() { printf 'service gotomeeting\nports tcp 443\naddress %s\n' "$1" >"$place/services/gotomeeting.service"; }
reloads() { grep -c 'meeting: reloaded' "$place/server.log"; }
each_has_reloaded() { (($(reloads) >= $1 * $(processes | wc -l))); }

# ADDRESS VERDICT: asked forty times, so that every process has its turn, each says so.
all_say() {
	local turn
	for turn in {1..40}; do
		status_of preview=0 header='X-Meeting-Mode: intercept' header="X-Meeting-Dst: $1:443" >/dev/null
	done
	[[ $(tail -n 40 "$journal" | jq -r .verdict | sort -u) == "$2" ]]
}

@test "a changed file counts in every process, and the ISTag is another one" {
	before=$(istag)
	all_say 203.0.113.5 bypass
	service 198.51.100.0/24
	wait_until 20 each_has_reloaded 1
	all_say 203.0.113.5 normal
	all_say 198.51.100.5 bypass
	after=$(istag)
	[[ $before && $after && $before != "$after" ]]
	grep -q 'meeting: reloaded, 1 services, 1 addresses' "$place/server.log"
}

@test "a broken file keeps its last good content in every process" {
	turns=$(($(reloads) / $(processes | wc -l)))
	service 198.51.100.0/2
	wait_until 20 each_has_reloaded $((turns + 1))
	all_say 198.51.100.5 bypass
	grep -qF "meeting: $place/services/gotomeeting.service:3:9: " "$place/server.log"
}
