#!/usr/bin/env bats
# A server that isn't ClickHouse, or isn't well: nothing is taken for stored or answered that wasn't, and nothing goes on for ever.

load clickhouse

setup() {
	needs perl jq awk sqlite3
	FOLDER=$BATS_TEST_TMPDIR
	journal=$FOLDER/decisions.jsonl
	mkdir "$FOLDER/etc"
	history_of 10 >"$journal"
}
teardown() { stand_aside; }

send() {
	meetingctl ingest --journal="$journal" --to="clickhouse://127.0.0.1:$between/meeting" --positions="$FOLDER/sent.db" "$@"
}
report() { whole_report --from="clickhouse://127.0.0.1:$between/meeting" "$@"; }

# STATUS HEADER... : what ClickHouse says in front of an answer.
head_of() {
	printf 'HTTP/1.1 %s\r\n' "$1"
	shift
	printf '%s\r\n' "$@" ''
}
own='X-ClickHouse-Server-Display-Name: x'

# BODY: the answer, of the length that it says.
answer_with() {
	{ head_of '200 OK' "$own" "Content-Length: $(printf '%b' "$1" | wc -c)" && printf '%b' "$1"; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
}

row='1\t1\t5\t1\t0\t0\n'
end="\n$row$row"
moment='5\t5\t1\t1\t0\t0\t1\t0\t0\t0\n'

# What there is at the moment is answered as it should be.
knows_moment() {
	answer_with "$moment\n$moment$moment"
	stand_aside
	mv "$FOLDER/answer" "$FOLDER/answer.moment"
}

# REASON
refuses_report() {
	run report
	same 1 "$status"
	has "$output" "$1"
	stand_aside
}

@test "what there is at the moment can't be" {
	answer_with ''
	refuses_report 'it has no row'
	answer_with "$moment$moment\n$moment$moment"
	refuses_report 'too many rows'
	answer_with "5\t5\t1\t2\t0\t0\t1\t0\t0\t0\n\n$moment$moment"
	refuses_report 'contradict'
	answer_with "5\t5\t2\t1\t0\t0\t1\t0\t0\t0\n\n$moment$moment"
	refuses_report 'contradict'
	answer_with "5\t5\t1\t1\t0\t0\t1\t0\t0\tx\n\n$moment$moment"
	refuses_report 'a number is none'
	answer_with "$row$end"
	refuses_report 'too few columns'
}

@test "an answer that is cut off, or isn't one" {
	knows_moment
	answer_with "$row"
	refuses_report 'it is cut off'
	answer_with "$row\n$row"
	refuses_report 'it is cut off'
	answer_with "${row%??}"
	refuses_report 'it is cut off'
	answer_with "\n$row$row"
	refuses_report 'an end without a row before it'
	answer_with "$row$end$row"
	refuses_report 'behind its end'
	answer_with "$row$row$end"
	refuses_report 'too many rows'
	answer_with "${row}Code: 241, e.displayText() = DB::Exception: Memory limit exceeded, e.what() = DB::Exception\n"
	refuses_report 'too few columns'
	answer_with "1\t$row$end"
	refuses_report 'too many columns'
	answer_with "1\t1\t5\t1\t1\t0\n$end"
	refuses_report 'contradict'
	answer_with "1\t2\t5\t1\t0\t0\n$end"
	refuses_report 'contradict'
	answer_with "1\t1\t5\t18446744073709551616\t0\t0\n$end"
	refuses_report 'a number is none'
	answer_with "1\t1\t5\t\xff\t0\t0\n$end"
	refuses_report 'bytes that no text has'
}

@test "a connection that breaks, and an answer without a length" {
	knows_moment
	{ head_of '200 OK' "$own" 'Content-Length: 1000' && printf '%b' "$row$end"; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	refuses_report 'the connection broke'
	{ head_of '200 OK' "$own" 'Transfer-Encoding: chunked' && printf '7\r\n%b' 'abc'; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	refuses_report 'the connection broke'
	{ head_of '200 OK' "$own" && printf '%b' "$row$end"; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	refuses_report "that isn't how ClickHouse answers"
}

@test "something else that answers there" {
	{ head_of '200 OK' 'Content-Length: 26' && printf '<html>Please log in</html>'; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	refuses_report "that isn't how ClickHouse answers (HTTP 200: <html>Please log in</html>); is it the port of its HTTP interface?"
	head_of '302 Found' 'Location: http://127.0.0.1/' 'Content-Length: 0' >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	refuses_report "(HTTP 302)"
	printf 'SSH-2.0-OpenSSH\r\n' >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	refuses_report 'the connection broke'
}

@test "yes to everything from something else isn't taken for stored" {
	head_of '200 OK' 'Content-Length: 0' >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	for _ in 1 2; do
		run send
		same 1 "$status"
		has "$output" "that isn't how ClickHouse answers"
	done
	stand_aside
	{ head_of '200 OK' "$own" 'Content-Length: 60' &&
		printf 'Code: 252, e.displayText() = DB::Exception: Too many parts.  '; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	run send --timeout=1s
	same 1 "$status"
	has "$output" 'Too many parts'
	has "$output" 'trying again for 1 s'
	stand_aside
	head_of '200 OK' "$own" 'Content-Length: 0' >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	run send
	same '10 new records from 1 files' "$output"
	run send
	same '0 new records from 1 files' "$output"
}

@test "an error can't steer the terminal" {
	{ head_of '500 Internal Server Error' "$own" 'Content-Length: 70' &&
		printf 'Code: 241, e.displayText() = DB::Exception: \e[31mM\xc2\x9bemory limit\a\r\nx  '; } >"$FOLDER/answer"
	stand_between say "$FOLDER/answer"
	run report
	same 1 "$status"
	has "$output" 'emory limit'
	same 0 "$(LC_ALL=C grep -c '[^ -~]' <<<"$output")"
}

@test "an answer without end" {
	knows_moment
	{ head_of '200 OK' "$own" 'Transfer-Encoding: chunked' && printf '10000000\r\n' && head -c 100000 /dev/zero | tr '\0' x; } \
		>"$FOLDER/answer"
	stand_between endless "$FOLDER/answer"
	refuses_report 'a row is too long'
	{ head_of '200 OK' "$own" 'Transfer-Encoding: chunked' && printf '10000000\r\n%b' "$row"; } >"$FOLDER/answer"
	stand_between endless "$FOLDER/answer"
	refuses_report 'too many rows'
	{ head_of '500 Internal Server Error' "$own" 'Transfer-Encoding: chunked' && printf '10000000\r\n%b' 'Code: 1, x\n'; } \
		>"$FOLDER/answer"
	stand_between endless "$FOLDER/answer"
	refuses_report 'Code: 1, x'
}

@test "no answer, and no server" {
	stand_between mute
	run report --timeout=1s
	same 1 "$status"
	has "$output" "clickhouse://127.0.0.1:$between/meeting: no answer within 1 s"
	run send --timeout=2s
	same 1 "$status"
	has "$output" 'no answer within'
	stand_aside
	free_port
	between=$free
	run report
	same 1 "$status"
	has "$output" "clickhouse://127.0.0.1:$between/meeting: can't be reached"
	run send --timeout=1s
	same 1 "$status"
	has "$output" "can't be reached"
	has "$output" 'trying again for 1 s'
	same 1 "$(grep -c 'trying again' <<<"$output")"
}

@test "interrupted while it waits: it ends soon" {
	stand_between mute
	"$top_builddir/ctl/meetingctl" ingest --journal="$journal" --to="clickhouse://127.0.0.1:$between/meeting" \
		--positions="$FOLDER/sent.db" >"$FOLDER/said" 2>&1 3>&- &
	pid=$!
	is_open() { ls -l "/proc/$pid/fd" | grep -q socket; }
	wait_until 10 is_open
	kill -TERM "$pid"
	begin=$SECONDS
	status=0
	wait "$pid" || status=$?
	same 1 "$status"
	((SECONDS - begin < 5))
}

@test "places that are none" {
	for wrong in clickhouse://127.0.0.1 clickhouse://127.0.0.1/ clickhouse:///meeting clickhouse://127.0.0.1/a/b \
		clickhouse://127.0.0.1:0/meeting clickhouse://127.0.0.1:70000/meeting 'clickhouse://127.0.0.1/a?b=c' \
		'clickhouse://127.0.0.1/a;b' clickhouse://127.0.0.1/1a clickhouse:meeting; do
		run meetingctl ingest --journal="$journal" --to="$wrong" --positions="$FOLDER/sent.db"
		same 1 "$status"
		has "$output" '/DATABASE'
		run meetingctl report --from="$wrong"
		same 1 "$status"
	done
}

@test "the ICAP module loads no libcurl" {
	[[ -e $top_builddir/icap/.libs/srv_meeting.so ]] || skip 'the module isn'"'"'t built'
	libraries=$(ldd "$top_builddir/icap/.libs/srv_meeting.so")
	has "$libraries" libsqlite3
	lacks "$libraries" libcurl
}
