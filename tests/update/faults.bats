#!/usr/bin/env bats
# An update that is killed, or whose disk fails, at any of its steps: each file is the old one or the new one, whole, and the next
# update puts all right.

load server

setup_file() {
	needs nginx openssl faketime jq
	make_certificates
	if command -v "${CC-gcc}" >/dev/null; then
		"${CC-gcc}" -D_GNU_SOURCE -shared -fPIC -o "$BATS_FILE_TMPDIR/fault.so" "$top_srcdir/tests/update/fault.c" -ldl
	fi
}

setup() {
	FOLDER=$BATS_TEST_TMPDIR/shipped STATE=$BATS_TEST_TMPDIR/state
	start_server
	usual_service
}

teardown() {
	stop_server
}

# COMMAND...: with the fault.
faulted() {
	env LD_PRELOAD="$BATS_FILE_TMPDIR/fault.so" FAULT="$1" FAULT_AT="$2" FAULT_MARK="$BATS_TEST_TMPDIR/happened" \
		"$top_builddir/ctl/meetingctl" "${@:3}" >said 2>&1
}

# HOW: does it at every step of an update from version 22 to 23, until there is no such step.
at_every_step() {
	[ -e "$BATS_FILE_TMPDIR/fault.so" ] || needs "${CC-gcc}"
	cd "$BATS_TEST_TMPDIR"
	usual_list 22 >"$SITE/list"
	update --yes >/dev/null
	cp "$STATE/services/meet.service" old
	cp -a "$STATE" saved
	usual_list 23 >"$SITE/list"
	update --yes >/dev/null
	cp "$STATE/services/meet.service" new
	local step status
	for ((step = 1; step < 100; step++)); do
		rm -rf "$STATE" happened
		cp -a saved "$STATE"
		status=0
		faulted "$1" "$step" update --config="$FOLDER" --state="$STATE" --cafile="$BATS_FILE_TMPDIR/ca.pem" --yes || status=$?
		[ -e happened ] || break
		cmp -s "$STATE/services/meet.service" old || cmp "$STATE/services/meet.service" new
		[ "$1" = kill ] || [ "$status" = 1 ] || { cat said && echo "step $step: exit $status" && return 1; }
		[ "$1" = kill ] || grep -qE 'No space left|Input/output error' said || { cat said && return 1; }
		jq -e .files "$STATE/update.json" >/dev/null
		exempt 192.0.2.1
		update --yes >/dev/null
		cmp "$STATE/services/meet.service" new
		find "$STATE/history" -type f -exec cmp -s {} old \; -print | grep -q . # still to be had
		meetingctl rollback --state="$STATE" meet >/dev/null
		cmp "$STATE/services/meet.service" old
	done
	echo "$step steps"
	[ "$step" -gt 10 ]
	same 0 "$status"
}

@test "killed at any step" {
	at_every_step kill
}

@test "a disk that fills up at any step: told, exit 1" {
	at_every_step full
}

@test "a disk that breaks at any step: told, exit 1" {
	at_every_step broken
}

@test "what is renamed into place is on the disk before, and the folder after" {
	[ -e "$BATS_FILE_TMPDIR/fault.so" ] || needs "${CC-gcc}"
	cd "$BATS_TEST_TMPDIR"
	usual_list 22 >"$SITE/list"
	faulted trace 0 update --config="$FOLDER" --state="$STATE" --cafile="$BATS_FILE_TMPDIR/ca.pem" --yes
	[ "$(grep -cx rename happened)" -ge 4 ]
	same "$(grep -cx rename happened)" "$(paste -sd ' ' happened | grep -o 'write fsync rename fsync' | wc -l)"
}

@test "a rollback that is killed at any step" {
	[ -e "$BATS_FILE_TMPDIR/fault.so" ] || needs "${CC-gcc}"
	cd "$BATS_TEST_TMPDIR"
	for n in 22 23; do
		usual_list "$n" >"$SITE/list"
		update --yes >/dev/null
		cp "$STATE/services/meet.service" "$n"
	done
	cp -a "$STATE" saved
	local step
	for ((step = 1; step < 100; step++)); do
		rm -rf "$STATE" happened
		cp -a saved "$STATE"
		faulted kill "$step" rollback --state="$STATE" meet || true
		[ -e happened ] || break
		cmp -s "$STATE/services/meet.service" 22 || cmp "$STATE/services/meet.service" 23
		cmp -s "$STATE/services/meet.service" 22 || meetingctl rollback --state="$STATE" meet >/dev/null
		cmp "$STATE/services/meet.service" 22
	done
	[ "$step" -gt 3 ]
}

@test "a real disk that is full, and a folder that can't be written" {
	needs unshare mount
	unshare -m true 2>/dev/null || { [[ ${MEETING_NO_SKIP-} == 1 ]] && return 1; skip 'no mount namespace can be made (not root?)'; }
	cd "$BATS_TEST_TMPDIR"
	cat >inside <<-'END'
		set -e
		mount -t tmpfs -o size=24k none "$STATE"
		! update || exit 9
		[ ! -e "$STATE/services/meet.service" ] || exit 8
		umount "$STATE"
		mount -t tmpfs -o ro none "$STATE"
		! update || exit 7
	END
	usual_list 20 >large
	yes '# a comment that takes its place' | head -n 2000 >>large
	cp large "$SITE/list"
	run unshare -m env STATE="$STATE" bash -c "update() { $top_builddir/ctl/meetingctl update --yes --config='$FOLDER' \
		--state='$STATE' --cafile='$BATS_FILE_TMPDIR/ca.pem'; }; $(cat inside)"
	same 0 "$status"
	has "$output" 'No space left on device'
	has "$output" 'Read-only file system'
	exempt 192.0.2.1
}

@test "a folder for the state that isn't there, and a state that is damaged" {
	run meetingctl update --config="$FOLDER" --state="$BATS_TEST_TMPDIR/nowhere" --yes
	same 1 "$status"
	has "$output" "$BATS_TEST_TMPDIR/nowhere/update.lock: No such file or directory"
	echo '{"files": {' >"$STATE/update.json"
	run update --yes
	same 1 "$status"
	has "$output" "$STATE/update.json:"
	has "$output" 'remove it to begin anew'
	echo '{"files": 7, "lists": {"'"$URL/list"'": [], "x": 1}, "client_id": 9}' >"$STATE/update.json"
	run update --yes
	same 0 "$status"
}
