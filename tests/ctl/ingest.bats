#!/usr/bin/env bats
# meetingctl ingest: each line of the journal is counted exactly once, whatever dies, is rotated, truncated or runs beside.

load store

@test "a journal, and then what is new in it" {
	history_of 1000 >"$journal"
	run ingest
	same 0 "$status"
	same '1000 new records from 1 files' "$output"
	run ingest
	same '0 new records from 1 files' "$output"
	history_of 10 2 >>"$journal"
	run ingest
	same '10 new records from 1 files' "$output"
	holds_exactly "$journal"
}

@test "killed at random points, again and again" {
	history_of 60000 >"$journal"
	for i in {1..20}; do
		# The program itself: a function would be a shell that waits for it.
		"$top_builddir/ctl/meetingctl" ingest --journal="$journal" --to="sqlite:$store" 3>&- >/dev/null 2>&1 &
		a_moment
		kill -KILL $! 2>/dev/null || :
		wait $! 2>/dev/null || :
		history_of 500 "$((i + 10))" "$((1794000000 + i * 1000))" >>"$journal"
	done
	ingest
	holds_exactly "$journal"
	same ok "$(ask_store 'PRAGMA integrity_check')"
}

@test "several at once" {
	history_of 10 >"$journal"
	ingest
	history_of 60000 2 >>"$journal"
	pids=()
	for i in 1 2 3; do
		ingest >"$FOLDER/said.$i" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	same 60000 "$(cat "$FOLDER"/said.* | awk '{ sum += $1 } END { print sum }')"
	holds_exactly "$journal"
}

@test "rotated: the rest of the old file and the new one" {
	history_of 1000 1 >"$journal"
	ingest
	history_of 500 2 >>"$journal"
	mv "$journal" "$journal.1"
	history_of 300 3 >"$journal"
	run ingest
	same '800 new records from 2 files' "$output"
	mv "$journal.1" "$journal.2"
	mv "$journal" "$journal.1"
	history_of 7 4 >"$journal"
	run ingest
	same '7 new records from 3 files' "$output"
	holds_exactly "$journal" "$journal".[12]
}

@test "rotated again and again while it is read and written" {
	for i in {1..8}; do
		history_of 3000 "$i" "$((1793000000 + i * 10000))" >"$FOLDER/part.$i"
	done
	(
		for i in {1..8}; do
			for line in 1 1001 2001; do
				sed -n "$line,$((line + 999))p" "$FOLDER/part.$i" >>"$journal"
				a_moment
			done
			[[ $i == 8 ]] || mv "$journal" "$journal.$((9 - i))"
		done
		touch "$FOLDER/written"
	) 3>&- &
	until [[ -e $FOLDER/written ]]; do
		ingest --quiet 2>/dev/null || :
	done
	wait
	ingest
	holds_exactly "$FOLDER"/part.*
}

@test "copied and truncated, as logrotate's copytruncate does it" {
	history_of 1000 1 >"$journal"
	ingest
	history_of 500 2 >>"$journal"
	cp "$journal" "$journal.1"
	: >"$journal"
	history_of 300 3 >>"$journal"
	run ingest
	same '800 new records from 2 files' "$output"
	holds_exactly "$journal" "$journal.1"
}

@test "truncated, and grown larger than before" {
	history_of 100 1 >"$journal"
	ingest
	cp "$journal" "$FOLDER/first"
	history_of 200 2 >"$journal"
	run ingest
	same '200 new records from 1 files' "$output"
	: >"$journal"
	run ingest
	same '0 new records from 1 files' "$output"
	cp "$FOLDER/first" "$FOLDER/all"
	history_of 200 2 >>"$FOLDER/all"
	holds_exactly "$FOLDER/all"
}

@test "a torn last line waits until it is whole" {
	history_of 10 1 >"$FOLDER/all"
	head -c -20 "$FOLDER/all" >"$journal"
	run ingest
	same '9 new records from 1 files' "$output"
	run ingest
	same '0 new records from 1 files' "$output"
	tail -c 20 "$FOLDER/all" >>"$journal"
	run ingest
	same '1 new records from 1 files' "$output"
	holds_exactly "$FOLDER/all"
}

@test "lines that are no record are told with their place, and counted" {
	{
		history_of 2 1
		echo 'no JSON'
		echo '{"time":"2026-11-01T00:00:00Z","verdict":"maybe","decided_by":"helper"}'
		printf '\n   \n'
		echo '{"time":"2026-11-01T00:00:00Z","verdict":"normal","decided_by":"helper","port":"80"}'
		echo '{"time":"2026-11-01T00:00:00Z","verdict":"normal","decided_by":"helper","of a later version":[1,{}]}'
		printf '{"\033[31m'"'"'\n'
	} >"$journal"
	run ingest
	same 0 "$status"
	has "$output" '3 new records from 1 files; lines that are no record: 4'
	has "$output" "decisions.jsonl, at byte $(head -n 2 "$journal" | wc -c): not a record: "
	has "$output" '`verdict` is none of those that are known'
	has "$output" '`port` is no port'
	lacks "$output" $'\033'
	run ingest
	same '0 new records from 1 files' "$output"
}

@test "a damaged store is moved aside, and made anew from the journals" {
	history_of 2000 1 >"$journal.1"
	# So few that the others aren't rewritten with them: free pages can't be damaged.
	history_of 900 2 >"$journal"
	for part in 0 1 2 3 4; do
		ingest >/dev/null
		size=$(stat -c %s "$store")
		dd if=/dev/urandom of="$store" bs=1 seek=$((part * size / 5)) count=6000 conv=notrunc status=none
		run ingest
		same 0 "$status"
		has "$output" "moved to $store.aside-"
		has "$output" '2900 new records from 2 files'
		holds_exactly "$journal" "$journal.1"
	done
}

@test "emptied to nothing, or cut off" {
	history_of 2000 1 >"$journal"
	ingest
	truncate -s 20000 "$store"
	run ingest
	has "$output" '2000 new records'
	: >"$store"
	rm -f "$store"-*
	run ingest
	has "$output" '2000 new records'
	holds_exactly "$journal"
}

@test "what isn't a store is left alone" {
	history_of 20 1 >"$journal"
	echo 'somebody else, and longer than a few bytes: 1234567890123456789012345678901234567890123456789012345' >"$store"
	cp "$store" "$FOLDER/before"
	run ingest
	same 1 "$status"
	cmp "$store" "$FOLDER/before"
	rm "$store"
	sqlite3 "$store" 'CREATE TABLE precious (x); INSERT INTO precious VALUES (1)'
	cp "$store" "$FOLDER/before"
	run ingest --rebuild
	same 1 "$status"
	has "$output" 'not a store of squid-meeting'
	cmp "$store" "$FOLDER/before"
}

@test "--rebuild keeps the old store under another name" {
	history_of 20 1 >"$journal"
	ingest
	run ingest --rebuild
	same 0 "$status"
	has "$output" '20 new records from 1 files'
	same 20 "$(sqlite3 "$store".aside-*Z 'SELECT sum(rows) FROM blocks')"
}

@test "--keep forgets old records, and the texts that only they had" {
	now=$(date +%s)
	history_of 100 1 $((now - 86400 * 10)) 60 >"$journal"
	sed -i 's/"user":"[^"]*"/"user":"long gone"/; s/"user":"long gone"b"/"user":"long gone"/' "$journal"
	history_of 50 2 $((now - 3600)) >>"$journal"
	ingest
	same 150 "$(rows_in_store)"
	same 1 "$(ask_store "SELECT count(*) FROM texts WHERE text = 'long gone'")"
	run ingest --keep=2d
	has "$output" 'forgotten: 100'
	same 50 "$(rows_in_store)"
	same 0 "$(ask_store "SELECT count(*) FROM texts WHERE text = 'long gone'")"
	run ingest --keep=2d --rebuild
	has "$output" '50 new records from 1 files; too old to be kept: 100'
	tail -n 50 "$journal" >"$FOLDER/kept"
	holds_exactly "$FOLDER/kept"
}

@test "wrong usage" {
	for wrong in --keep=ninety --timeout=0s surplus "sqlite:$store surplus"; do
		# shellcheck disable=SC2086 # several words
		run ingest $wrong
		same 2 "$status"
	done
	run meetingctl ingest --journal="$journal" --to="$store"
	same 1 "$status"
	has "$output" 'sqlite:PATH'
}

@test "the place without --to" {
	history_of 3 >"$journal"
	run meetingctl ingest --journal="$journal" "sqlite:$store"
	same '3 new records from 1 files' "$output"
	holds_exactly "$journal"
}

@test "nobody else may read the store" {
	history_of 2 1 >"$journal"
	ingest
	same 640 "$(stat -c %a "$store")"
}
