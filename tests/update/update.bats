#!/usr/bin/env bats
# meetingctl update against a real server that behaves: a new list is shown and installed, the helper answers by it, an unchanged
# one isn't fetched again, dry-run changes nothing, rollback goes back and stays there.

load server

setup_file() {
	needs nginx openssl faketime jq
	make_certificates
}

setup() {
	FOLDER=$BATS_TEST_TMPDIR/shipped STATE=$BATS_TEST_TMPDIR/state
	start_server
	usual_service
}

teardown() {
	stop_server
}

@test "a list with more: shown, installed, in force; all else of the file stays; the state tells when, from where, with which hash" {
	usual_list 24 >"$SITE/list"
	not_exempt 192.0.2.185
	run update --yes meet
	same 0 "$status"
	has "$output" '+ meet address 192.0.2.184/29  tcp 443'
	has "$output" '4 added, 0 removed'
	has "$output" 'IPv4 addresses: 160 before, 192 after (32 gained, 0 lost)'
	exempt 192.0.2.185
	today=$(date -u +%F)
	same "# shipped
service meet
title Meet

source    the vendor $today
feed cidr $URL/list 
ports     tcp 443
$(usual_list 24 | sed 's/^/address   /')

source by hand
ports tcp 80
name meet.example" "$(cat "$STATE/services/meet.service")"
	run meetingctl check "$STATE/services"
	same 0 "$status"
	same "[\"meet\",[\"$URL/list\"],\"$(sha256sum <"$STATE/services/meet.service" | cut -d ' ' -f 1)\"]" \
		"$(jq -c '.files["meet.service"] | [.service, .from, .sha256]' "$STATE/update.json")"
	same "$(sha256sum <"$SITE/list" | cut -d ' ' -f 1)" "$(jq -r '.lists[].list' "$STATE/update.json")"
	has "$(jq -r '.files["meet.service"].installed' "$STATE/update.json")" "${today%-*}"
	same '' "$(find "$STATE" -name '.*')"
}

@test "the helper that runs takes the new list by itself" {
	coproc HELPER { exec "$top_builddir/helper/ext_meeting_acl" --config="$FOLDER" --config="$STATE/services" 2>"$STATE/stderr" 3>&-; }
	local to=${HELPER[1]} from=${HELPER[0]} pid=$HELPER_PID
	asked() { echo '- 192.0.2.185 443 - -' >&"$to" && read -rt 10 answer <&"$from" && [[ $answer == "$1"* ]]; }
	asked ERR
	usual_list 24 >"$SITE/list"
	update --yes >/dev/null
	# A folder that wasn't there at its start, too: looking would take up to ten seconds.
	wait_until 5 eval 'asked OK' || { exec {to}>&-; return 1; }
	meetingctl rollback --state="$STATE" meet
	wait_until 5 eval 'asked ERR' || { exec {to}>&-; return 1; }
	exec {to}>&-
	wait "$pid"
}

@test "not changed: asked with what the server said last time, and answered 304" {
	usual_list 24 >"$SITE/list"
	update --yes >/dev/null
	run update --yes
	same 0 "$status"
	has "$output" 'meet: nothing has changed'
	has "$(tail -n 1 "$SERVER/access")" ' 304 '
	has "$(tail -n 1 "$SERVER/access")" 'meetingctl/'
	# a list that was meddled with counts as none
	echo 203.0.113.0/24 >>"$(echo "$STATE"/feeds/*.list)"
	run update --yes
	has "$output" 'meet: nothing has changed'
	has "$(tail -n 1 "$SERVER/access")" ' 200 -|'
}

@test "the same entries on another day: nothing to ask, and no version is used up for it" {
	run update --today=2026-12-24
	same 0 "$status"
	sed -i 's|/list.*|/list expires=30|' "$STATE/services/meet.service"
	run update --today=2026-12-24
	same 0 "$status"
	has "$output" 'meet: the same entries, confirmed'
	has "$(cat "$STATE/services/meet.service")" 'expires   2027-01-23'
	run update --today=2026-12-25
	has "$(cat "$STATE/services/meet.service")" 'expires   2027-01-24'
	same 1 "$(grep -c expires= "$STATE/services/meet.service")"
	[ ! -e "$STATE/history" ]
}

@test "dry-run: all is shown, nothing at all is written" {
	usual_list 24 >"$SITE/list"
	find "$BATS_TEST_TMPDIR/state" "$FOLDER" | sort >before
	run update --dry-run
	same 0 "$status"
	has "$output" '4 added'
	has "$output" 'meet: would be installed'
	find "$BATS_TEST_TMPDIR/state" "$FOLDER" | sort | diff before -
	not_exempt 192.0.2.185
}

@test "without a terminal and without --yes: not installed, exit 1; on a terminal y installs, and nothing else does" {
	usual_list 24 >"$SITE/list"
	run update </dev/null
	same 1 "$status"
	has "$output" '--yes'
	not_exempt 192.0.2.185
	needs script
	on_terminal() {
		script -qec "$top_builddir/ctl/meetingctl update --config=$FOLDER --state=$STATE --cafile=$BATS_FILE_TMPDIR/ca.pem" /dev/null
	}
	run on_terminal <<<n
	same 1 "$status"
	has "$output" '[y/N]'
	not_exempt 192.0.2.185
	run on_terminal <<<y
	same 0 "$status"
	exempt 192.0.2.185
}

@test "--json" {
	usual_list 24 >"$SITE/list"
	update --json --yes >said
	same '["meet","new","installed",[],4,"192"]' \
		"$(jq -c '.[0] | [.service, .status, .done, .reasons, .files[0].diff.added, .files[0].diff.ipv4.after]' said)"
	update --json --yes >said
	same '["same","nothing"]' "$(jq -c '.[0] | [.status, .done]' said)"
}

@test "rollback: one version back each time, five at most, and the timer doesn't undo it" {
	local n
	for n in 21 22 23 24 25 26 27; do
		usual_list "$n" >"$SITE/list"
		update --yes >/dev/null
	done
	same 5 "$(find "$STATE/history/meet.service" -type f | wc -l)"
	run meetingctl update rollback --state="$STATE" meet
	same 0 "$status"
	has "$output" 'meet: in force again is what was replaced on 20'
	same 26 "$(grep -c ^address "$STATE/services/meet.service")"
	run update --yes
	same 0 "$status"
	has "$output" 'this was rolled back'
	same 26 "$(grep -c ^address "$STATE/services/meet.service")"
	for n in 25 24 23 22; do
		meetingctl rollback --state="$STATE" meet
		same "$n" "$(grep -c ^address "$STATE/services/meet.service")"
	done
	run meetingctl rollback --state="$STATE" meet
	same 1 "$status"
	has "$output" 'no older version'
	run update --yes --again --max-growth=any
	same 27 "$(grep -c ^address "$STATE/services/meet.service")"
	meetingctl rollback --state="$STATE" meet
	usual_list 28 >"$SITE/list"
	update --yes >/dev/null
	same 28 "$(grep -c ^address "$STATE/services/meet.service")"
}

@test "rolled back before the first update is what is shipped" {
	usual_list 24 >"$SITE/list"
	update --yes >/dev/null
	meetingctl rollback --state="$STATE" meet
	cmp "$FOLDER/meet.service" "$STATE/services/meet.service"
}

@test "another file is shipped by now: told, until the installed one is made of that" {
	usual_list 24 >"$SITE/list"
	update --yes >/dev/null
	echo 'name new.meet.example' >>"$FOLDER/meet.service"
	usual_list 25 >"$SITE/list"
	for _ in 1 2; do
		run update --yes
		has "$output" "$FOLDER/meet.service has changed since this file was made of it"
	done
	rm "$STATE/services/meet.service"
	run update --yes
	lacks "$output" 'has changed since'
	has "$(cat "$STATE/services/meet.service")" new.meet.example
	run update --yes
	lacks "$output" 'has changed since'
}

@test "several services: one that fails doesn't hold up the others; exit 1" {
	sed "s/service meet/service broken/; s|/list|/nowhere|" "$FOLDER/meet.service" | file broken.service
	usual_list 24 >"$SITE/list"
	run update --yes
	same 1 "$status"
	has "$output" "broken: $URL/nowhere: the server answers 404"
	has "$output" 'broken: not fetched; what was in force stays'
	has "$output" 'meet: installed'
	run update --yes meet
	same 0 "$status"
	run update --yes nothing
	same 1 "$status"
	has "$output" 'nothing: no service file with a feed line'
	printf 'service bad\nbogus\nfeed cidr %s/list\n' "$URL" | file bad.service
	run update --yes meet
	same 1 "$status"
	has "$output" 'bad.service:2:1: unknown directive'
}

@test "list tells when a list was fetched and what fails; check warns of one that is old" {
	local folders="--config=$FOLDER --config=$STATE/services"
	run meetingctl list $folders
	lacks "$output" 'list fetched'
	update --yes >/dev/null
	run meetingctl list $folders
	has "$output" 'list fetched 0 days ago'
	mv "$SITE/list" saved
	update --yes >/dev/null || true
	run meetingctl list $folders meet
	has "$output" "list fetched 0 days ago; 1 failure since, the last: $URL/list: the server answers 404"
	meetingctl list --json $folders | jq -e '.[0].update.failures == 1'
	run meetingctl check $folders
	lacks "$output" warning
	jq '.files["meet.service"].checked = "2026-01-02T03:04:05Z"' "$STATE/update.json" >changed && cp changed "$STATE/update.json"
	run meetingctl check $folders
	same 0 "$status"
	has "$output" "meet.service: warning: its list hasn't been fetched since 2026-01-02, 1 failures since then; the last: $URL/list"
}

@test "two updates at once: the second one says so, and changes nothing" {
	exec {lock}<>"$STATE/update.lock"
	flock "$lock"
	run update --yes
	same 1 "$status"
	has "$output" 'another update is under way'
	exec {lock}>&-
	run update --yes
	same 0 "$status"
}

@test "a file of the administrator's that would hide the update is told" {
	mkdir "$BATS_TEST_TMPDIR/etc"
	cp "$FOLDER/meet.service" "$BATS_TEST_TMPDIR/etc"
	run meetingctl update --yes --config="$STATE/services" --config="$BATS_TEST_TMPDIR/etc" --state="$STATE" \
		--cafile="$BATS_FILE_TMPDIR/ca.pem"
	same 1 "$status"
	has "$output" 'this file hides what update would install'
	[ ! -e "$STATE/services/meet.service" ]
}

@test "wrong usage: exit 2; help: exit 0" {
	local arguments
	for arguments in --nonsense --max-growth=x --max-shrink=-1 --today=1 --timeout=0 --max-bytes --config= rollback \
		'rollback --nonsense x'; do
		# shellcheck disable=SC2086
		run update $arguments
		[ "$arguments" = rollback ] && run meetingctl update rollback
		[ "$arguments" = 'rollback --nonsense x' ] && run meetingctl rollback --nonsense x
		same 2 "$status"
	done
	run update --help
	same 0 "$status"
	run meetingctl rollback --help
	same 0 "$status"
	run meetingctl rollback --state="$STATE" ../../etc
	same 1 "$status"
}
