#!/usr/bin/env bats
# meetingctl import: a vendor's list becomes a service file that check passes; a list with a mistake becomes nothing.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	mkdir -p "$FOLDER"
	cd "$BATS_TEST_TMPDIR"
}

# FILE SERVICE: check passes it, with its name.
passes() {
	cp "$1" "$FOLDER/$2.service"
	run meetingctl check "$FOLDER/$2.service"
	same 0 "$status"
	same '1 files, no error' "$output"
}

@test "cidr: a service file with title, source, date and ports" {
	printf '\xef\xbb\xbf1.2.3.0/24,\r\n*.Meet.example' >list
	meetingctl import --service=meet --title='Meet, of the tests' --source=https://meet.example/ --date=2026-10-01 \
		--ports='tcp 80,443 udp 3478' cidr list >out 2>err
	same 'service   meet
title     Meet, of the tests

source    https://meet.example/ 2026-10-01
ports     tcp 80,443 udp 3478
address   1.2.3.0/24
name      .meet.example' "$(cat out)"
	same 'list:2:1: note: *.Meet.example is written .meet.example, which holds the domain itself, too' "$(cat err)"
	passes out meet
}

@test "pasted: eleven blocks run together, one broken across two lines" {
	printf '%s\n' 216.115.208.0/20216.219.112.0/2066.151.158.0/2466.151.150.160/2766.151.115.128/2664. \
		74.80.0/24202.173.24.0/2167.217.64.0/1978.108.112.0/2068.64.0.0/19206.183.100.0/22 >list
	meetingctl import --service=gotomeeting pasted list >out 2>err
	same 11 "$(grep -c '^address' out)"
	has "$(cat err)" 'list:1:82: note: read as 64.74.80.0/24, broken across lines'
	passes out gotomeeting
	meetingctl import --service=gotomeeting pasted <list 2>/dev/null | grep -qx 'source    standard input'
}

@test "m365-json and aws-json" {
	echo '[{"id":11,"serviceArea":"Skype","ips":["52.112.0.0/14"],"udpPorts":"3478-3481","required":true}]' >m365
	meetingctl import m365-json m365 >out
	has "$(cat out)" 'source    https://endpoints.office.com/endpoints/worldwide (service area Skype, set 11)'
	passes out teams
	run meetingctl import --area=Exchange --service=x m365-json m365
	same 1 "$status"
	has "$output" 'm365: no set of the service area Exchange'
	echo '[{"id":12,"serviceArea":"Skype","urls":["a.example"],"tcpPorts":"443"},
		{"id":16,"serviceArea":"Skype","urls":["aka.ms"],"tcpPorts":"443"}]' >m365
	run meetingctl import --exclude-set=16,27 m365-json m365
	same 0 "$status"
	has "$output" 'm365:2:3: note: left out: set 16'
	lacks "$output" aka.ms
	run meetingctl import --exclude-set=a m365-json m365
	same 2 "$status"
	echo '{"createDate":"2026-11-20-18-13-07","prefixes":[{"ip_prefix":"99.77.128.0/18","service":"CHIME_MEETINGS"}]}' >aws
	meetingctl import aws-json aws >out
	has "$(cat out)" '(CHIME_MEETINGS) 2026-11-20'
	passes out chime
}

@test "anything refused: its place on stderr, exit 1, and the file says so; --whole writes nothing" {
	printf '1.2.3.0/24\n202.173.24.0/2\n' >list
	run meetingctl import --service=x cidr list
	same 1 "$status"
	has "${lines[0]}" 'list:2:13: 202.173.24.0/2: '
	has "${lines[1]}" '1 of the list refused, 1 taken; the service file is'
	meetingctl import --service=x cidr list >out 2>/dev/null || true
	same '# Not whole: 1 of the list were refused.' "$(head -n 1 out)"
	has "$(cat out)" 'address   1.2.3.0/24'
	passes out x
	run meetingctl import --whole --service=x cidr list
	same 1 "$status"
	has "${lines[1]}" '1 of the list refused, 1 taken; nothing is written'
	same '' "$(meetingctl import --whole --service=x cidr list 2>/dev/null)"
}

@test "a list without any entry writes nothing, since an empty file switches a service off" {
	: >empty
	run meetingctl import --service=x cidr empty
	same 1 "$status"
	same 'empty: there is no entry in it' "${lines[0]}"
	same '' "$(meetingctl import --service=x cidr empty 2>/dev/null)"
	echo 202.173.24.0/2 >bad
	same '' "$(meetingctl import --service=x cidr bad 2>/dev/null)"
}

@test "without --service the file's name is the service's, if it can be one" {
	for row in 'ZoomMeetings.txt zoommeetings' 'a b.txt imported' '.x imported'; do
		file=${row% *}
		printf '1.2.3.0/24\n' >"$file"
		meetingctl import cidr "$PWD/$file" >out 2>err
		passes out "${row##* }"
		has "$(cat err)" "the service is called ${row##* } here"
	done
	same 'service   imported' "$(meetingctl import cidr <ZoomMeetings.txt 2>/dev/null | head -n 1)"
}

@test "--json" {
	needs jq
	printf '1.2.3.0/24\nhttps://a.example/b\n' >list
	run meetingctl import --json --whole --service=x cidr list
	same 1 "$status"
	same '["list",2,1,null]' "$(jq -c '[.refused[0].file, .refused[0].line, .refused[0].column, .file]' <<<"$output")"
	printf '1.2.3.0/24\n' >list
	meetingctl import --json --service=x cidr list | jq -r .file >out
	passes out x
}

@test "a title or source can't bring lines or comments of its own" {
	printf '1.2.3.0/24\n' >list
	for text in $'a\naddress 8.8.8.8' 'a #b' '#b' '' ' a' $'\xff' 2026-10-01 'a 2026-13-01'; do
		for option in --title --source; do
			run meetingctl import --service=x "$option=$text" cidr list
			same 2 "$status"
		done
	done
	run meetingctl import --service=x --source='a#b' cidr list
	same 0 "$status"
}

@test "wrong usage: exit 2; a file that isn't there: exit 1; help: exit 0" {
	printf '1.2.3.0/24\n' >list
	for arguments in '' 'nonsense list' '--service=x cidr list list' '--service=X cidr list' '--service=x --date=x cidr list' \
		'--service=x --ports=443 cidr list' '--nonsense cidr list' '--service'; do
		# shellcheck disable=SC2086
		run meetingctl import $arguments </dev/null
		same 2 "$status"
	done
	run meetingctl import --service=x cidr nowhere
	same 1 "$status"
	run meetingctl import --help
	same 0 "$status"
	has "$output" 'Usage: meetingctl import'
}
