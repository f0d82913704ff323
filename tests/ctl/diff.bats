#!/usr/bin/env bats
# meetingctl diff: entries added, removed and changed, and addresses counted exactly, in both families.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR
	printf '%s\n' 'service x' 'source A 2026-01-01' 'ports tcp 443' 'address 1.2.3.0/24' 'address 2600::/32' \
		'address 9.9.9.9' 'name .x.example' 'name a.x.example' | file old/x.service
	printf '%s\n' 'service x' 'source A 2026-01-01' 'ports tcp 443' 'address 1.2.2.0/23' 'address 2600::/32 tcp 80' \
		'address 2600::/33' 'source A 2026-02-02' 'expires 2999-01-01' 'address 9.9.9.9' 'name a.x.example' | file new/x.service
}

@test "the same: exit 0, whatever its order" {
	run meetingctl diff "$FOLDER/old/x.service" "$FOLDER/old/x.service"
	same 0 "$status"
	printf '%s\n' 'service x' '# other order' 'source A 2026-01-01' 'name a.x.example tcp 443' 'name .x.example tcp 443' \
		'address 9.9.9.9 tcp 443' 'address 2600::/32 tcp 443' 'address 1.2.3.0/24 tcp 443' | file other/x.service
	run meetingctl diff "$FOLDER/old" "$FOLDER/other"
	same 0 "$status"
	has "$output" '0 added, 0 removed, 0 changed'
}

@test "what differs: exit 1" {
	run meetingctl diff "$FOLDER/old" "$FOLDER/new"
	same 1 "$status"
	has "$output" '+ x address 1.2.2.0/23  tcp 443'
	has "$output" '- x address 1.2.3.0/24  tcp 443'
	has "$output" '! x address 9.9.9.9
      source: A 2026-01-01 -> A 2026-02-02
      expires: none -> 2999-01-01'
	has "$output" '! x address 2600::/32
      ports: tcp 443 -> tcp 80'
	has "$output" '+ x address 2600::/33  tcp 443'
	has "$output" '- x name .x.example  tcp 443'
	has "$output" '2 added, 2 removed, 3 changed'
	has "$output" 'IPv4 addresses: 257 before, 513 after (256 gained, 0 lost)'
	has "$output" 'IPv6 addresses: 79228162514264337593543950336 before, 79228162514264337593543950336 after (0 gained, 0 lost)'
	has "$output" 'names: 1 before, 1 after (0 gained, 1 lost)'
}

@test "installed against new: of a file only its services, of a folder all; --json" {
	needs jq
	printf 'service other\naddress 5.5.5.5\n' | file old/other.service
	run meetingctl diff --json --config="$FOLDER/old" "$FOLDER/new/x.service"
	same 1 "$status"
	same '[2,2,3]' "$(jq -c '[.added, .removed, .changed]' <<<"$output")"
	same '["257","513","256","0"]' "$(jq -c '.ipv4 | [.before, .after, .gained, .lost]' <<<"$output")"
	same '["79228162514264337593543950336","0"]' "$(jq -c '.ipv6 | [.after, .gained]' <<<"$output")"
	same '["tcp 443","tcp 80"]' \
		"$(jq -c '.entries[] | select(.rule == "2600::/32") | [.before.ports, .after.ports]' <<<"$output")"
	run meetingctl diff --json --config="$FOLDER/old" "$FOLDER/new"
	same '[2,3,3]' "$(jq -c '[.added, .removed, .changed]' <<<"$output")"
}

@test "gained and lost at once" {
	printf 'service x\naddress 8.8.8.0/24\naddress 2600::/127\nname a.example\n' | file a/x.service
	printf 'service x\naddress 8.8.8.128/25\naddress 9.9.9.9\naddress 2600::2\nname b.example\nname c.example\n' | file b/x.service
	run meetingctl diff "$FOLDER/a" "$FOLDER/b"
	has "$output" 'IPv4 addresses: 256 before, 129 after (1 gained, 128 lost)'
	has "$output" 'IPv6 addresses: 2 before, 1 after (1 gained, 2 lost)'
	has "$output" 'names: 1 before, 2 after (2 gained, 1 lost)'
}

@test "clients are compared, too" {
	printf 'client 10.0.0.0/8\n' | file old/clients
	printf 'client 10.0.0.0/8 x\nclient 11.0.0.0/8\n' | file new/clients
	run meetingctl diff "$FOLDER/old/clients" "$FOLDER/new/clients"
	same 1 "$status"
	has "$output" '! client 10.0.0.0/8
      services: none -> x'
	has "$output" '+ client 11.0.0.0/8'
	has "$output" 'IPv4 addresses: 0 before, 0 after'
}

@test "a file with an error, or that isn't there, or wrong usage: exit 2" {
	printf 'service x\nbogus\n' | file bad/x.service
	run meetingctl diff "$FOLDER/old" "$FOLDER/bad"
	same 2 "$status"
	has "$output" "$FOLDER/bad/x.service:2:1: "
	for arguments in "$FOLDER/old $FOLDER/nowhere" '' 'a b c' '--nonsense'; do
		# shellcheck disable=SC2086
		run meetingctl diff $arguments
		same 2 "$status"
	done
	run meetingctl diff --help
	same 0 "$status"
}
