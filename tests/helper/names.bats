#!/usr/bin/env bats
# Names that DNS confirms (--names=verify): a claimed SNI counts only if DNS lists the destination under that name.
# dnsmasq answers for the names; dns-misbehaves.pl is a server that doesn't.

bats_require_minimum_version 1.5.0
load ../wait

setup_file() {
	export DIR="$BATS_FILE_TMPDIR" PORT
	command -v dnsmasq >/dev/null && perl -MTime::HiRes -e 1 || return 0 # setup says so
	mkdir "$DIR/services"
	printf 'service meet\nports tcp 443\nname .meet.example\naddress 198.51.100.250\n' >"$DIR/services/meet.service"
	echo '203.0.113.5 moves.meet.example' >"$DIR/hosts"
	local many=() i
	for i in {1..100}; do
		many+=("--host-record=many.meet.example,198.51.100.$i")
	done
	for PORT in {5391..5399} none; do
		dnsmasq -k --user=root --port="$PORT" --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts --conf-file=/dev/null \
			--pid-file="$DIR/pid" --log-queries --log-facility="$DIR/log" --local=/meet.example/ --local-ttl=1 \
			--addn-hosts="$DIR/hosts" --host-record=one.meet.example,203.0.113.5,2001:db8::5,60 \
			--cname=c1.meet.example,c2.meet.example --cname=c2.meet.example,one.meet.example "${many[@]}" \
			3>&- >"$DIR/out" 2>&1 &
		SERVER=$!
		wait_until 10 eval "grep -q started '$DIR/log' || ! kill -0 $SERVER" && kill -0 "$SERVER" 2>/dev/null && break
	done
	echo "$SERVER" >"$DIR/server"
	[ "$PORT" != none ]
}

setup() {
	if [ ! -f "$DIR/server" ]; then
		[ -z "${MEETING_NO_SKIP:-}" ] || { echo 'dnsmasq or perl is missing'; return 1; }
		skip 'dnsmasq or perl is missing (apt-get install dnsmasq-base perl)'
	fi
}

teardown_file() {
	[ ! -f "$DIR/server" ] || kill "$(cat "$DIR/server")" || true
}

helper() {
	${RUN:-} "${top_builddir:-.}/helper/ext_meeting_acl" --config="$DIR/services" --resolver="127.0.0.1:$PORT" "$@" 2>"$DIR/stderr"
}

# QUESTION: the answer to it.
ask() {
	printf '%s\n' "$1" | helper "${@:2}"
}

@test 'an address that DNS lists under the name counts' {
	run ask '192.0.2.1 203.0.113.5 443 - one.meet.example'
	[[ $output == 'OK verdict_=bypass service_=meet rule_=.meet.example evidence_=name '* ]]
}

@test 'IPv6 is looked up as AAAA' {
	run ask '192.0.2.1 2001:db8::5 443 - one.meet.example'
	[[ $output == 'OK '* ]]
	run ask '192.0.2.1 2001:db8::6 443 - one.meet.example'
	[[ $output == 'ERR verdict_=normal reason_=name-refuted' ]]
}

@test 'another address does not, nor a name that does not exist' {
	run ask '192.0.2.1 203.0.113.6 443 - one.meet.example'
	[[ $output == 'ERR verdict_=normal reason_=name-refuted' ]]
	run ask '192.0.2.1 203.0.113.5 443 - none.meet.example'
	[[ $output == 'ERR verdict_=normal reason_=name-refuted' ]]
}

@test 'a chain of CNAMEs is followed, and a hundred addresses are all taken (over TCP)' {
	run ask '192.0.2.1 203.0.113.5 443 - c1.meet.example'
	[[ $output == 'OK '* ]]
	local i
	for i in {1..100}; do
		echo "$i 192.0.2.1 198.51.100.$i 443 - many.meet.example"
	done | helper >"$DIR/many"
	[ "$(grep -c ' OK ' "$DIR/many")" = 100 ]
}

@test 'a name of no service is never looked up, nor one where the address decides or the port does not fit' {
	: >"$DIR/log"
	ask '192.0.2.1 203.0.113.5 443 - one.other.example'
	ask '192.0.2.1 198.51.100.250 443 - one.meet.example'
	ask '192.0.2.1 203.0.113.5 80 - one.meet.example'
	run ! grep 'query\[' "$DIR/log"
}

@test 'the same name asked a thousand times at once is looked up once, and from then on known' {
	: >"$DIR/log"
	local i
	for i in {1..1000}; do
		echo "$i 192.0.2.1 203.0.113.5 443 - one.meet.example"
	done | helper >"$DIR/thousand"
	[ "$(grep -c ' OK ' "$DIR/thousand")" = 1000 ]
	[ "$(cut -d' ' -f1 "$DIR/thousand" | sort -u | wc -l)" = 1000 ]
	wait_until 10 eval "grep -q 'query\[A\] one' '$DIR/log'"
	[ "$(grep -c 'query\[A\] one' "$DIR/log")" = 1 ]
}

# Starts a helper to talk with, and sets TO, FROM and HELPER_PROCESS.
start_helper() {
	coproc HELPER { RUN="exec" helper "$@" 3>&-; }
	TO=${HELPER[1]} FROM=${HELPER[0]} HELPER_PROCESS=$HELPER_PID
}

# Sends a line and reads one.
talk() {
	echo "$1" >&"$TO"
	read -rt 10 ANSWER <&"$FROM"
}

@test 'an address that changes is noticed once its time to live is over' {
	start_helper
	talk '192.0.2.1 203.0.113.5 443 - moves.meet.example'
	[[ $ANSWER == 'OK '* ]]
	echo '203.0.113.77 moves.meet.example' >"$DIR/hosts"
	kill -HUP "$(cat "$DIR/server")"
	wait_until 10 eval 'talk "192.0.2.1 203.0.113.77 443 - moves.meet.example" && [[ $ANSWER == "OK "* ]]'
	wait_until 10 eval 'talk "192.0.2.1 203.0.113.5 443 - moves.meet.example" && [[ $ANSWER == *name-refuted ]]'
	exec {TO}>&-
	wait "$HELPER_PROCESS"
}

# Starts the server that misbehaves, and takes its port.
start_misbehaving() {
	coproc BAD { perl "${top_srcdir:-.}/tests/helper/dns-misbehaves.pl" 3>&-; }
	read -r _ PORT <&"${BAD[0]}"
	BAD_PROCESS=$BAD_PID BAD_END=${BAD[1]}
}

@test 'silence is an ERR after a bounded wait, and holds up nobody' {
	start_misbehaving
	start_helper --dns-timeout=1
	local begin=${EPOCHREALTIME/./}
	printf '%s\n' '1 192.0.2.1 203.0.113.5 443 - silent.meet.example' '2 192.0.2.1 198.51.100.250 443 - -' >&"$TO"
	read -rt 10 ANSWER <&"$FROM"
	[[ $ANSWER == '2 OK '* ]]
	read -rt 10 ANSWER <&"$FROM"
	[[ $ANSWER == '1 ERR verdict_=normal reason_=name-unanswered' ]]
	local waited=$((${EPOCHREALTIME/./} - begin))
	echo "waited $waited us"
	((waited >= 900000 && waited < 3000000))
	exec {TO}>&- {BAD_END}>&-
	wait "$HELPER_PROCESS"
}

@test 'without channels the answers keep the order of the questions' {
	start_misbehaving
	printf '%s\n' '192.0.2.1 203.0.113.5 443 - slow.meet.example' '192.0.2.1 198.51.100.250 443 - -' \
		'192.0.2.1 192.0.2.2 443 - -' '192.0.2.1 203.0.113.6 443 - slow.meet.example' | helper --dns-timeout=5 >"$DIR/order"
	mapfile -t lines <"$DIR/order"
	[[ ${#lines[@]} == 4 ]]
	[[ ${lines[0]} == 'OK '*'evidence_=name '* ]]
	[[ ${lines[1]} == 'OK '*'evidence_=address '* ]]
	[[ ${lines[2]} == *no-entry ]]
	[[ ${lines[3]} == *name-refuted ]]
	exec {BAD_END}>&-
}

@test 'SERVFAIL, a cut reply, no data and a CNAME loop exempt nobody' {
	start_misbehaving
	run ask '192.0.2.1 203.0.113.5 443 - servfail.meet.example'
	[[ $output == 'ERR verdict_=normal reason_=name-unanswered' ]]
	run ask '192.0.2.1 203.0.113.5 443 - short.meet.example' --dns-timeout=0.5
	[[ $output == 'ERR verdict_=normal reason_=name-'* ]]
	run ask '192.0.2.1 203.0.113.5 443 - nodata.meet.example'
	[[ $output == 'ERR verdict_=normal reason_=name-refuted' ]]
	run ask '192.0.2.1 203.0.113.5 443 - loop.meet.example'
	[[ $output == 'ERR verdict_=normal reason_=name-'* ]]
	exec {BAD_END}>&-
}

# HOW FROM TO: questions about names, with these channels.
name_questions() {
	local i
	for ((i = $2; i <= $3; i++)); do
		echo "$i 192.0.2.1 203.0.113.5 443 - $1.n$i.meet.example"
	done
}

# TIMES REGEX: reads so many answers into `heard`, each of which has to match.
hear() {
	local i line
	for ((i = 0; i < $1; i++)); do
		read -rt 30 line <&"$FROM"
		echo "$line"
		heard+=("$line")
		[[ $line =~ $2 ]]
	done
}

# FROM TO: `heard` has one answer for each of these channels.
each_once() {
	diff <(seq "$1" "$2") <(printf '%s\n' "${heard[@]}" | cut -d' ' -f1 | sort -n)
}

@test 'look-ups under way are bounded: past that, an ERR with its reason at once' {
	start_misbehaving
	name_questions silent 1 300 >"$DIR/questions" # a file: all come at once
	helper --dns-timeout=0.5 <"$DIR/questions" >"$DIR/bounded"
	diff <(seq 257 300) <(head -44 "$DIR/bounded" | cut -d' ' -f1)
	diff <(seq 1 300) <(cut -d' ' -f1 "$DIR/bounded" | sort -n)
	# Of the 256 that are asked, all but 48 are given up as DNS is silent.
	[ "$(grep -c 'reason_=name-unasked$' "$DIR/bounded")" = $((300 - 48)) ]
	[ "$(grep -c 'reason_=name-unanswered$' "$DIR/bounded")" = 48 ]
	exec {BAD_END}>&-
}

# Squid asks no more than its places allow: the next question comes when one is answered. Silence is a tenth of the time-out.
@test 'with DNS silent, questions that need none find a place long before the time-out' {
	local heard=() i places rest line=
	places=$(sed -n 's/^external_acl_type .*concurrency=\([0-9]*\) .*/\1/p' "$top_srcdir/squid-conf/intercept.conf.in")
	start_misbehaving
	start_helper --dns-timeout=15
	name_questions silent 1 "$places" >&"$TO"
	hear $((places - 48)) 'ERR verdict_=normal reason_=name-unasked$'
	diff <(seq $((places - 48))) <(printf '%s\n' "${heard[@]}" | cut -d' ' -f1) # the oldest
	for ((i = places + 1; i <= places + 50; i++)); do
		echo "$i 192.0.2.1 198.51.100.250 443 - -" >&"$TO"
		hear 1 "^$i OK "
	done
	name_questions silent "$i" "$i" >&"$TO"
	hear 1 "^$i ERR verdict_=normal reason_=name-unasked$"
	until [[ $line == "asked silent.n$i."* ]]; do # its look-up begins, though
		read -rt 10 line <&"${BAD[0]}"
	done
	echo >&"$BAD_END" # DNS is back
	hear 48 '^[0-9]+ OK .*evidence_=name '
	each_once 1 "$i"
	# Those who were refused are known, or soon.
	talk "$(name_questions silent 1 1)"
	[[ $ANSWER == '1 OK '* ]]
	talk "$(name_questions silent "$i" "$i")"
	[[ $ANSWER == "$i OK "* ]]
	exec {rest}<&"$FROM" # bash closes FROM as soon as it knows that the helper has ended
	exec {TO}>&- {BAD_END}>&-
	run ! read -rt 10 ANSWER <&"$rest"
	wait "$HELPER_PROCESS"
}

@test 'SERVFAIL ends no silence' {
	local heard=() i
	start_misbehaving
	start_helper --dns-timeout=7
	cat <&"${BAD[0]}" >/dev/null &
	name_questions silent 1 60 >&"$TO"
	for ((i = 61; ; i++)); do
		name_questions servfail "$i" "$i" >&"$TO"
		hear 1 'ERR verdict_=normal reason_=name-una'
		[[ ${heard[-1]} == "$i "*name-unanswered ]] || break
	done
	[[ ${heard[-1]} == *name-unasked ]]
	exec {TO}>&- {BAD_END}>&-
	wait "$HELPER_PROCESS"
}

@test 'DNS that is slow but answers is waited for, by however many' {
	local heard=()
	start_misbehaving
	start_helper --dns-timeout=20
	name_questions steady 1 250 >&"$TO"
	hear 250 '^[0-9]+ OK .*evidence_=name '
	each_once 1 250
	exec {TO}>&- {BAD_END}>&-
	wait "$HELPER_PROCESS"
}

@test 'answers that came while the helper itself was held up count' {
	local heard=() line= until
	start_misbehaving
	start_helper --dns-timeout=20
	name_questions slow 1 60 >&"$TO"
	for ((line = 0; line < 60; line++)); do
		read -rt 10 _ <&"${BAD[0]}"
	done
	kill -STOP "$HELPER_PROCESS"
	until=$((${EPOCHREALTIME/./} + 2100000)) # silence would be 2 seconds
	until [[ $line == done ]]; do
		read -rt 10 line <&"${BAD[0]}"
	done
	name_questions slow 61 61 >&"$TO"
	wait_until 10 eval "((\${EPOCHREALTIME/./} > $until))"
	kill -CONT "$HELPER_PROCESS"
	hear 61 '^[0-9]+ OK .*evidence_=name '
	each_once 1 61
	exec {TO}>&- {BAD_END}>&-
	wait "$HELPER_PROCESS"
}

@test 'with DNS silent and no channels, each has its one answer in its turn' {
	start_misbehaving
	local i
	for i in {1..100}; do
		echo "192.0.2.1 203.0.113.5 443 - silent.n$i.meet.example"
		echo "192.0.2.1 198.51.100.250 443 - -"
	done >"$DIR/questions"
	helper --dns-timeout=1 <"$DIR/questions" >"$DIR/turns"
	[ "$(sed -n '1~2p' "$DIR/turns" | grep -c 'ERR .*name-unasked$')" = 52 ]
	[ "$(sed -n '1~2p' "$DIR/turns" | grep -c 'ERR .*name-unanswered$')" = 48 ]
	[ "$(sed -n '2~2p' "$DIR/turns" | grep -c '^OK .*evidence_=address')" = 100 ]
	[ "$(wc -l <"$DIR/turns")" = 200 ]
	exec {BAD_END}>&-
}

@test 'with no DNS server to be had, nobody is exempt by name, and the rest works' {
	PORT=1
	run ask '192.0.2.1 203.0.113.5 443 - one.meet.example' --dns-timeout=0.5
	[[ $output == 'ERR verdict_=normal reason_=name-unanswered' ]]
	run ask '192.0.2.1 198.51.100.250 443 - -'
	[[ $output == 'OK '* ]]
}

@test 'trust takes the claim as it is, ignore takes none; neither asks DNS' {
	: >"$DIR/log"
	run ask '192.0.2.1 203.0.113.6 443 - one.meet.example' --names=trust
	[[ $output == 'OK '*'evidence_=name '* ]]
	run ask '192.0.2.1 203.0.113.5 443 - one.meet.example' --names=ignore
	[[ $output == 'ERR verdict_=normal reason_=name-ignored' ]]
	run ! grep 'query\[' "$DIR/log"
}

@test 'meetingctl explain asks DNS as the helper does, and comes to the same answers' {
	local i
	for i in {1..40}; do
		echo "$i 192.0.2.1 203.0.113.$((i % 10)) 443 - $(printf '%s\n' one c1 none many moves | sed -n "$((i % 5 + 1))p").meet.example"
	done >"$DIR/lines"
	helper <"$DIR/lines" | sort -n >"$DIR/answers"
	"${top_builddir:-.}/ctl/meetingctl" explain --config="$DIR/services" --resolver="127.0.0.1:$PORT" --helper-line - \
		<"$DIR/lines" | sed -n 's/^Squid gets: //p' >"$DIR/explained"
	[ "$(grep -c 'OK .*evidence_=name' "$DIR/answers")" -ge 4 ]
	diff "$DIR/answers" "$DIR/explained"
}
