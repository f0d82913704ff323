#!/usr/bin/env bats
# meetingctl check: every file is read, hidden ones too; all errors with their place; what is odd is a warning.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	printf 'service meet\nsource https://meet.example/\naddress 192.0.2.0/24\n' | file meet.service
	printf 'client 10.0.0.0/8\n' | file clients
}

@test "good files: exit 0" {
	run meetingctl check --config="$FOLDER"
	same 0 "$status"
	same '2 files, no error' "$output"
	run meetingctl check "$FOLDER"
	same '2 files, no error' "$output"
}

@test "a folder that isn't there: no files, no error where it is one of the default ones" {
	run meetingctl check --config="$BATS_TEST_TMPDIR/nowhere"
	same 0 "$status"
	same '0 files, no error' "$output"
	run meetingctl check "$BATS_TEST_TMPDIR/nowhere"
	same 1 "$status"
}

@test "all errors of all files at once, on stdout: exit 1" {
	printf 'service bad\naddress 192.0.2.1/33\nname a_b.example\nbogus\n' | file bad.service
	printf 'client 10.0.0.1/8\nclient 0.0.0.0/0\n' | file clients
	run meetingctl check --config="$FOLDER"
	same 1 "$status"
	same "$FOLDER/bad.service:2:19: the prefix length is a number of 0 to 32, without leading zeros" "${lines[0]}"
	same "$FOLDER/bad.service:3:7: a name has letters, digits, hyphens and dots only" "${lines[1]}"
	has "${lines[2]}" "$FOLDER/bad.service:4:1: unknown directive"
	has "${lines[3]}" "$FOLDER/clients:1:8: "
	has "${lines[4]}" "$FOLDER/clients:2:8: "
	same '5 errors in 3 files' "${lines[5]}"
	same '' "$(meetingctl check --config="$FOLDER" 2>&1 >/dev/null)"
}

@test "a file that a later folder hides is read, too" {
	printf 'service meet\nbogus\n' | file meet.service
	printf 'service meet\naddress 192.0.2.1\n' | file ../later/meet.service
	run meetingctl check --config="$FOLDER" --config="$FOLDER/../later"
	same 1 "$status"
	has "${lines[0]}" "$FOLDER/meet.service:2:1: "
	same '1 error in 3 files' "${lines[1]}"
}

@test "single files" {
	printf 'service bad\nbogus\n' | file bad.service
	run meetingctl check "$FOLDER/meet.service" "$FOLDER/clients"
	same 0 "$status"
	same '2 files, no error' "$output"
	run meetingctl check "$FOLDER/bad.service"
	same 1 "$status"
	has "${lines[0]}" "$FOLDER/bad.service:2:1: "
}

@test "what can't be read is an error without a line" {
	mkfifo "$FOLDER/fifo.service"
	ln -s nowhere "$FOLDER/gone.service"
	run meetingctl check "$FOLDER"
	same 1 "$status"
	same "$FOLDER/fifo.service: not a regular file" "${lines[0]}"
	same "$FOLDER/gone.service: No such file or directory" "${lines[1]}"
}

@test "expired sources are warnings, one each" {
	file old.service <<-'END'
		service old
		source A
		expires 2020-01-01
		address 198.51.100.1
		address 198.51.100.3
		address 198.51.100.5
		name a.example
		source B
		expires 2020-02-02
		address 198.51.100.2
		address 198.51.100.4
		address 198.51.100.6
		name b.example
		source C
		expires 2999-01-01
		address 198.51.100.7
	END
	run meetingctl check "$FOLDER"
	same 0 "$status"
	same 1 "$(grep -c 'warning: the entries from A have expired on 2020-01-01' <<<"$output")"
	same 1 "$(grep -c 'warning: the entries from B have expired on 2020-02-02' <<<"$output")"
	lacks "$output" 'from C'
	has "$output" '3 files, no error'
}

@test "a client limited to a service that isn't here is a warning" {
	printf 'client 10.0.0.0/8 meet\nclient 11.0.0.0/8 meet zoon\n' | file clients
	run meetingctl check "$FOLDER"
	same 0 "$status"
	has "${lines[0]}" "$FOLDER/clients:2: warning: "
	has "${lines[0]}" zoon
	same '2 files, no error' "${lines[1]}"
}

@test "--json" {
	needs jq
	printf 'service bad\nbogus\n' | file bad.service
	printf 'client 11.0.0.0/8 zoon\n' | file clients
	run meetingctl check --json --config="$FOLDER"
	same 1 "$status"
	same '["error","warning"]' "$(jq -c 'map(.kind)' <<<"$output")"
	same "[\"$FOLDER/bad.service\",2,1]" "$(jq -c '.[0] | [.file, .line, .column]' <<<"$output")"
	has "$(jq -r '.[0].reason' <<<"$output")" 'unknown directive'
	rm "$FOLDER/bad.service"
	run meetingctl check --json --config="$FOLDER"
	same 0 "$status"
	rm "$FOLDER/clients"
	same '[]' "$(meetingctl check --json --config="$FOLDER")"
}

@test "wrong usage: exit 2; help: exit 0" {
	run meetingctl check --nonsense
	same 2 "$status"
	has "$output" 'meetingctl check --help'
	run meetingctl check --config
	same 2 "$status"
	run meetingctl check --help
	same 0 "$status"
	has "$output" 'Usage: meetingctl check'
	run meetingctl
	same 2 "$status"
	run meetingctl nonsense
	same 2 "$status"
	run meetingctl --help
	same 0 "$status"
	for command in check list explain; do
		has "$output" "$command"
	done
	run meetingctl --version
	has "$output" 'meetingctl '
}

@test "no colours where nobody looks" {
	lacks "$(meetingctl check "$FOLDER")" $'\033'
}

@test "a full disk for stdout is told" {
	[ -c /dev/full ] || skip 'there is no /dev/full'
	run bash -c "'$top_builddir/ctl/meetingctl' check '$FOLDER' >/dev/full"
	same 1 "$status"
	has "$output" 'standard output'
}
