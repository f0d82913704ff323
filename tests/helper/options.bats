#!/usr/bin/env bats
# The command line of ext_meeting_acl: each option does what it says, and a wrong one never leaves Squid without answers.

load ../category/programs

setup() {
	FOLDER=$BATS_TEST_TMPDIR/services
	file meet.service <<-'END'
		service meet
		source https://meet.example/ 2026-01-01
		ports tcp 80,443,8200
		address 192.0.2.0/24
		name .meet.example
	END
	file old.service <<-'END'
		service old
		source O
		expires 2020-01-01
		address 198.51.100.0/24
	END
	printf 'client 10.0.0.0/8\n' | file clients
}

# LINE OPTION...: the answer to one line.
ask() {
	local line=$1
	shift
	printf '%s\n' "$line" | helper --config="$FOLDER" "$@" 2>"$BATS_TEST_TMPDIR/stderr"
}

said() {
	cat "$BATS_TEST_TMPDIR/stderr"
}

member='OK verdict_=bypass service_=meet rule_=192.0.2.0/24 evidence_=address source_=https://meet.example/'

@test "--help explains every option, on stdout" {
	run helper --help
	[ "$status" -eq 0 ]
	for option in --mode --fields --names --resolver --dns-timeout --stale --shadow --config --debug --help --version; do
		has "$output" "$option"
	done
	helper --help 2>&1 >/dev/null | same '' "$(cat)"
}

@test "--version says it, on stdout" {
	same "ext_meeting_acl $(sed -n 's/^PACKAGE_VERSION = //p' "$top_builddir/Makefile")" "$(helper --version)"
}

@test "one line on stderr at the start, and nothing on stdout" {
	same '' "$(ask '' --names=ignore </dev/null | sed /^ERR/d)"
	run helper --config="$FOLDER" --config="$BATS_TEST_TMPDIR/nowhere" </dev/null
	[ "$status" -eq 0 ]
	# that an entry has expired may be told before it
	start=$(grep 'services with' <<<"$output")
	[[ $start =~ ^ext_meeting_acl\ [0-9][^:]*:\ 2\ services ]]
	has "$start" '2 services with 2 address ranges and 1 names, 1 client ranges; mode intercept, names verify; from '
	has "$start" "from $FOLDER $BATS_TEST_TMPDIR/nowhere"
	same '' "$(helper --config="$FOLDER" 2>/dev/null </dev/null)"
}

@test "without --config, the shipped services, the updated ones and the administrator's" {
	helper 2>"$BATS_TEST_TMPDIR/stderr" </dev/null
	[[ $(said) =~ from\ [^\ ]*/share/squid-meeting/services\ [^\ ]*/lib/squid-meeting/services\ [^\ ]*/squid-meeting$ ]]
}

@test "no data at all: every answer is ERR" {
	run bash -c "printf '5 10.1.1.1 192.0.2.1 443 - -\n6 10.1.1.1 192.0.2.1 443 - - client\n' |
		'$top_builddir/helper/ext_meeting_acl' --config='$BATS_TEST_TMPDIR/nowhere' 2>/dev/null"
	[ "$status" -eq 0 ]
	same '5 ERR verdict_=normal reason_=nothing-loaded' "${lines[0]}"
	same '6 ERR verdict_=normal reason_=client-not-exempt' "${lines[1]}"
}

@test "a refused file is told with its place, and the others work" {
	printf 'service bad\naddress 192.0.2.1/33\nbogus\n' | file bad.service
	same "$member tag=meeting clt_conn_tag=meeting" "$(ask '10.1.1.1 192.0.2.1 443 - -')"
	has "$(said)" "ext_meeting_acl: $FOLDER/bad.service:2:19: "
	has "$(said)" "ext_meeting_acl: $FOLDER/bad.service:3:1: "
	has "$(said)" '1 FILES REFUSED'
	same 'ERR verdict_=normal reason_=service-off' "$(ask '10.1.1.1 203.0.113.1 443 - - bad')"
}

@test "many mistakes don't fill cache.log" {
	{ echo 'service bad' && yes bogus | head -n 500; } | file bad.service
	ask '- - - - -' >/dev/null
	[ "$(said | wc -l)" -lt 30 ]
	has "$(said)" 'and 480 more; `meetingctl check` tells all'
}

@test "--config may be given several times, later ones win" {
	printf 'service meet\naddress 203.0.113.0/24\n' | file ../later/meet.service
	same 'ERR verdict_=normal reason_=no-entry' "$(ask '- 192.0.2.1 443 - -' --config="$FOLDER/../later")"
	has "$(ask '- 203.0.113.1 443 - -' --config="$FOLDER/../later")" 'OK verdict_=bypass service_=meet'
	has "$(ask '- 192.0.2.1 443 - -' --config="$FOLDER/../later" --config="$FOLDER")" 'OK verdict_=bypass service_=meet'
}

@test "--mode=explicit takes client, host and port, and no destination" {
	same "${member/clt_conn/} tag=meeting" "$(ask '10.1.1.1 192.0.2.1 443' --mode=explicit)"
	has "$(ask '10.1.1.1 a.meet.example 443' --mode=explicit)" 'rule_=.meet.example evidence_=name'
	lacks "$(ask '10.1.1.1 a.meet.example 443' --mode=explicit)" clt_conn_tag
	has "$(said)" 'mode explicit'
	same 'ERR verdict_=normal reason_=no-entry' "$(ask '192.0.2.1 - 443' --mode=explicit --fields=dst,host,port)"
}

@test "--mode=intercept is what it is by itself" {
	same "$(ask '10.1.1.1 192.0.2.1 443 - -')" "$(ask '10.1.1.1 192.0.2.1 443 - -' --mode=intercept)"
}

@test "--fields says what each word is" {
	wanted="$member tag=meeting clt_conn_tag=meeting"
	same "$wanted" "$(ask '192.0.2.1 443' --fields=dst,dport)"
	same "7 $wanted" "$(ask '7 192.0.2.1 443 meet' --fields=dst,dport)"
	same "$wanted" "$(ask 'CONNECT 192.0.2.1 what%20ever 443' --fields=method,dst,-,dport)"
	same "$wanted" "$(ask 'a b c 192.0.2.1 443' --fields=-,-,-,dst,dport)"
	same 'ERR verdict_=normal reason_=other-port' "$(ask '192.0.2.1' --fields=dst)"
	same 'ERR verdict_=normal reason_=no-entry' "$(ask '192.0.2.1 443' --fields=host,port)"
	same 'ERR verdict_=normal reason_=name-ignored' "$(ask 'a.meet.example 443 1.2.3.4' --fields=sni,dport,dst --names=ignore)"
}

@test "--names says what an SNI counts" {
	question='- 203.0.113.1 443 - a.meet.example'
	same 'ERR verdict_=normal reason_=name-ignored' "$(ask "$question" --names=ignore)"
	has "$(said)" 'names ignore'
	has "$(ask "$question" --names=trust)" 'OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name'
	has "$(said)" 'names trust'
	same 'ERR verdict_=normal reason_=name-unanswered' \
		"$(ask "$question" --names=verify --resolver=127.0.0.1:9 --dns-timeout=0.1)"
	has "$(said)" 'names verify'
}

@test "--stale says what an expired entry counts" {
	same 'OK verdict_=bypass service_=old rule_=198.51.100.0/24 evidence_=address source_=O stale_=yes tag=meeting clt_conn_tag=meeting' \
		"$(ask '- 198.51.100.1 443 - -')"
	same "$(ask '- 198.51.100.1 443 - -')" "$(ask '- 198.51.100.1 443 - -' --stale=accept)"
	same 'ERR verdict_=normal reason_=stale' "$(ask '- 198.51.100.1 443 - -' --stale=refuse)"
	has "$(ask '- 192.0.2.1 443 - -' --stale=refuse)" OK
}

@test "--shadow always says ERR, and what would have been" {
	same 'ERR verdict_=shadow would_=meet rule_=192.0.2.0/24 evidence_=address source_=https://meet.example/' \
		"$(ask '- 192.0.2.1 443 - -' --shadow)"
	same 'ERR verdict_=normal reason_=no-entry' "$(ask '- 203.0.113.1 443 - -' --shadow)"
	has "$(ask '10.1.1.1 203.0.113.1 443 - - client' --shadow)" 'ERR verdict_=shadow would_=client rule_=10.0.0.0/8 evidence_=client'
	has "$(said)" shadow
}

@test "--debug and -d tell every question and answer on stderr, and change no answer" {
	for option in -d --debug; do
		same "$(ask '5 - 192.0.2.1 443 - -')" "$(ask '5 - 192.0.2.1 443 - -' $option)"
		has "$(said)" '5 - 192.0.2.1 443 - -'
		has "$(said)" "5 $member"
	done
}

@test "complaints are limited in rate" {
	yes '5 nonsense' | head -n 2000 | helper --config="$FOLDER" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/stderr"
	same 2000 "$(grep -c '^5 ERR verdict_=normal message=' "$BATS_TEST_TMPDIR/out")"
	[ "$(said | grep -c 'fewer fields')" -le 20 ]
	[ "$(said | grep -c 'fewer fields')" -ge 1 ]
}

@test "a wrong command line answers ERR until the end, and then exits 2" {
	fields=dst,dport,host,port,sni,client,method$(printf ',-%.0s' {1..10})
	for wrong in --nonsense --mode=both --mode= --fields=dst,bogus --fields=dst,dst --fields= --fields=dst, "--fields=$fields" \
		--names=maybe --stale=no --dns-timeout=0 --dns-timeout=x --dns-timeout=31 --config= extra -x --help=yes --mode; do
		run bash -c "printf '7 10.1.1.1 192.0.2.1 443 - -\n8 10.1.1.1 192.0.2.1 443 - -\n' |
			'$top_builddir/helper/ext_meeting_acl' --config='$FOLDER' $wrong 2>'$BATS_TEST_TMPDIR/stderr'"
		same "$wrong 2" "$wrong $status"
		same "$wrong 2" "$wrong ${#lines[@]}"
		has "${lines[0]}" '7 ERR verdict_=normal message="'
		has "${lines[1]}" '8 ERR verdict_=normal message="'
		has "$(said)" '(see --help)'
	done
	has "$(said)" 'a value is missing: --mode'
}

@test "too many folders are a wrong command line, too" {
	run bash -c "echo '7 - 192.0.2.1 443 - -' |
		'$top_builddir/helper/ext_meeting_acl' $(printf -- '--config=/nowhere%.0s ' {1..33}) 2>/dev/null"
	[ "$status" -eq 2 ]
	has "$output" '7 ERR verdict_=normal message="more than 32'
}

@test "a person at a terminal is told at once" {
	needs script timeout
	run timeout 20 script -qec "'$top_builddir/helper/ext_meeting_acl' --nonsense" /dev/null
	same 2 "$status"
	has "$output" 'unknown option --nonsense (see --help)'
}

@test "--help and --version go before what is wrong" {
	run helper --nonsense --help </dev/null
	[ "$status" -eq 0 ]
	has "$output" Usage
	run helper --version --mode=both </dev/null
	[ "$status" -eq 0 ]
}

@test "streams that are closed or take nothing do no harm" {
	needs timeout
	has "$(echo '5 nonsense' | helper --config="$FOLDER" 2>/dev/full)" '5 ERR'
	has "$(echo '5 - 192.0.2.1 443 - -' | helper --config="$FOLDER" 2>&-)" '5 OK'
	for closed in '>&-' '<&-' '<&- >&- 2>&-' '>/dev/full'; do
		run bash -c "echo '5 - 192.0.2.1 443 - -' |
			timeout 20 '$top_builddir/helper/ext_meeting_acl' --config='$FOLDER' 2>/dev/null $closed"
		[ "$status" -le 1 ]
	done
}
