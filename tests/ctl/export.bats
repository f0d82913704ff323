#!/usr/bin/env bats
# meetingctl export: each format is taken by what it is made for, and holds just what the entries hold.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	cd "$BATS_TEST_TMPDIR"
	printf '%s\n' 'service meet' 'source A' 'ports tcp 443,8801-8802 udp 3478' 'address 8.8.8.0/25' 'address 8.8.8.128/25' \
		'address 8.8.8.8 tcp 80' 'address 9.9.9.0/24 any' 'address 2600::/32' 'address 2600::1 any' 'name .meet.example' \
		'name a.meet.example' 'name meet.example' 'name b.example tcp 8443' | file meet.service
	printf '%s\n' 'service other' 'source B' 'address 5.5.5.5' 'address 8.8.8.0/24 tcp 443' 'address 6.6.6.6 udp 99' \
		'name .example.org' | file other.service
}

teardown() {
	[ -z "${netns-}" ] || ip netns del "$netns"
}

export_to() {
	meetingctl export --config="$FOLDER" "$@"
}

# A line that begins with ! never fails a test.
misses() {
	if held "$@"; then
		echo "$* is held" && return 1
	fi
}

# A network namespace of the test's own.
needs_namespace() {
	needs ip "$@"
	netns=meeting-export-$$-$BATS_TEST_NUMBER
	if ! ip netns add "$netns" 2>/dev/null; then
		netns=
		[[ ${MEETING_NO_SKIP-} == 1 ]] && { echo 'no network namespace can be made' && return 1; }
		skip 'no network namespace can be made (not root?)'
	fi
}

@test "nft: loaded by nft -f, twice, and asked by nft get element" {
	needs_namespace nft
	export_to nft >sets
	ip netns exec "$netns" nft -f sets
	ip netns exec "$netns" nft -f sets
	held() { ip netns exec "$netns" nft get element inet squid_meeting "$1" "{ $2 }" >/dev/null 2>&1; }
	held meeting4 '8.8.8.8 . tcp . 80'
	held meeting4 '8.8.8.8 . tcp . 443'
	held meeting4 '8.8.8.255 . tcp . 8802'
	held meeting4 '8.8.8.0 . udp . 3478'
	held meeting4_any 9.9.9.255
	held meeting4_any 5.5.5.5
	held meeting6 '2600::2 . tcp . 443'
	held meeting6_any 2600::1
	misses meeting4 '8.8.8.9 . tcp . 80'
	misses meeting4 '8.8.9.0 . tcp . 443'
	misses meeting4 '8.8.8.8 . udp . 443'
	misses meeting4_any 9.9.10.0
	misses meeting6_any 2600::2
	printf 'table inet squid_meeting {\n\tchain c {\n\t\tip daddr @meeting4_any accept\n' >rules
	printf '\t\tip daddr . meta l4proto . th dport @meeting4 accept\n\t\tip6 daddr . meta l4proto . th dport @meeting6 accept\n\t}\n}\n' >>rules
	ip netns exec "$netns" nft -f rules
	export_to nft other | ip netns exec "$netns" nft -f -
	misses meeting4_any 9.9.9.255 # what isn't in the new sets has gone
	held meeting4_any 5.5.5.5
	meetingctl export --config="$top_srcdir/services" --table=own nft | ip netns exec "$netns" nft -f -
}

@test "ipset: restored, and asked by ipset test" {
	needs_namespace ipset
	export_to ipset >sets
	ip netns exec "$netns" ipset restore <sets
	held() { ip netns exec "$netns" ipset test "$1" "$2" 2>/dev/null; }
	held meeting4 8.8.8.8,tcp:80
	held meeting4 8.8.8.255,tcp:8802
	held meeting4 8.8.8.0,udp:3478
	held meeting4_any 9.9.9.255
	held meeting6 2600::2,tcp:443
	held meeting6_any 2600::1
	misses meeting4 8.8.8.9,tcp:80
	misses meeting4 8.8.9.0,tcp:443
	misses meeting4_any 9.9.10.0
	misses meeting6_any 2600::2
}

@test "ipset: restored again, into sets that are in use: what is new is in them, what is gone isn't" {
	needs_namespace ipset
	held() { ip netns exec "$netns" ipset test "$1" "$2" 2>/dev/null; }
	export_to ipset >sets
	ip netns exec "$netns" ipset restore <sets
	ip netns exec "$netns" ipset create all list:set
	ip netns exec "$netns" ipset add all meeting4
	ip netns exec "$netns" ipset restore <sets
	held meeting4 8.8.8.8,tcp:80
	export_to ipset other >others
	# as a run leaves it that was interrupted
	grep -v -e '^swap' -e '^destroy' sets | ip netns exec "$netns" ipset restore
	ip netns exec "$netns" ipset restore <others
	held meeting4_any 5.5.5.5
	held meeting4 6.6.6.6,udp:99
	misses meeting4 8.8.8.8,tcp:80
	misses meeting4_any 9.9.9.255
	same 'all meeting4 meeting4_any meeting6 meeting6_any' "$(ip netns exec "$netns" ipset list -n | sort | paste -sd ' ')"
}

@test "ipset: more elements than it should keep are refused" {
	printf 'service meet\naddress 8.8.8.1/32 tcp 1-65535 udp 1-65535\n' | file meet.service
	for i in {1..40}; do echo "address 9.9.$((i * 2)).0/24 tcp 1-65535 udp 1-65535" >>"$FOLDER/meet.service"; done
	run export_to ipset
	same 1 "$status"
	has "$output" 'use nft'
}

@test "squid-dst and squid-dstdomain: squid -k parse has nothing to say" {
	needs squid
	export_to squid-dst >dst
	same '5.5.5.5
6.6.6.6
8.8.8.0/24
9.9.9.0/24
2600::/32' "$(cat dst)"
	export_to squid-dstdomain >dstdomain
	same '.example.org
.meet.example
b.example' "$(cat dstdomain)"
	printf 'http_port 3128\nacl a dst "%s"\nacl n dstdomain "%s"\nhttp_access allow a\nhttp_access allow n\n' "$PWD/dst" \
		"$PWD/dstdomain" >squid.conf
	run squid -k parse -f "$PWD/squid.conf"
	same 0 "$status"
	lacks "$output" WARNING
	lacks "$output" ERROR
}

@test "pac: a JavaScript engine answers for addresses, names and ports" {
	needs node
	export_to --proxy='PROXY p.example:3128; DIRECT' pac >pac.js
	cat >>pac.js <<-'END'
		for (const [url, host] of [["https://8.8.8.8/", "8.8.8.8"], ["http://8.8.8.8/", "8.8.8.8"], ["http://8.8.8.9/", "8.8.8.9"],
			["https://8.8.9.0/", "8.8.9.0"], ["https://8.8.8.0:8802/x", "8.8.8.0"], ["https://8.8.8.0:8803/x", "8.8.8.0"],
			["http://9.9.9.9:7/", "9.9.9.9"], ["https://[2600::2]/", "2600::2"], ["http://[2600::2]/", "2600::2"],
			["http://[2600::1]:81/", "[2600::1]"], ["https://[2601::]/", "2601::"], ["https://a.meet.example/", "a.meet.example"],
			["https://MEET.example./", "MEET.example."], ["https://x.b.example:8443/", "x.b.example"],
			["https://b.example:8443/", "b.example"], ["https://b.example/", "b.example"], ["https://ameet.example/", "ameet.example"],
			["https://010.8.8.8/", "010.8.8.8"], ["https://6.6.6.6:99/", "6.6.6.6"], ["https://toString/", "toString"],
			["https://u:p@8.8.8.0:8801/", "8.8.8.0"], ["nonsense", "8.8.8.8"], ["wss://meet.example?x", "meet.example"],
			["http://x.meet.example/", "x.meet.example"]])
			console.log(FindProxyForURL(url, host) === "DIRECT" ? "y" : "n", url);
	END
	node pac.js >answers
	same 'y y n n y n y y n y n y y n y n n n n n y n y n' "$(cut -c1 answers | paste -sd ' ')" || { cat answers && return 1; }
}

@test "edl: addresses, or names" {
	same "$(export_to squid-dst)" "$(export_to edl)"
	same 'example.org
*.example.org' "$(export_to --names edl other)"
}

@test "json: every entry with its source" {
	needs jq
	same 14 "$(export_to json | jq length)"
	same '["B","tcp 443"]' "$(export_to json other | jq -c '.[] | select(.rule == "8.8.8.0/24") | [.source, .ports]')"
}

@test "round trip: exported and imported again, not an address is gained or lost" {
	needs jq
	for folder in "$FOLDER" "$top_srcdir/services"; do
		meetingctl export --config="$folder" edl >list
		meetingctl export --config="$folder" squid-dstdomain >>list
		mkdir -p again
		meetingctl import --service=all cidr list >again/all.service
		meetingctl diff --json "$folder" again >said || true
		same '["0","0","0","0","0","0"]' \
			"$(jq -c '[.ipv4.gained, .ipv4.lost, .ipv6.gained, .ipv6.lost, .names.gained, .names.lost]' said)"
	done
}

@test "a service that isn't there, a file with an error: nothing, exit 1; wrong usage: exit 2; help: exit 0" {
	run export_to edl nothing
	same 1 "$status"
	has "$output" 'no service `nothing`'
	for arguments in '' nonsense '--nonsense edl' '--table=a-b nft'; do
		# shellcheck disable=SC2086
		run export_to $arguments
		same 2 "$status"
	done
	printf 'service bad\nbogus\n' | file bad.service
	same '' "$(export_to edl 2>/dev/null || echo)"
	run export_to edl
	same 1 "$status"
	run meetingctl export --help
	same 0 "$status"
}
