# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of ingest and report share: a journal with a random history, the store, and looking into it.

load ../category/programs

setup() {
	needs sqlite3 jq awk
	FOLDER=$BATS_TEST_TMPDIR
	journal=$FOLDER/decisions.jsonl
	store=$FOLDER/store.db
}

# COUNT [SEED [START [STEP]]]: a random history on standard output.
history_of() {
	awk -v count="$1" -v seed="${2:-1}" -v start="${3:-1793000000}" -v step="${4:-1}" \
		-f "$top_srcdir/tests/ctl/history.awk"
}

ingest() {
	meetingctl ingest --journal="$journal" --to="sqlite:$store" "$@"
}

ask_store() { sqlite3 -batch -noheader "$store" "$1"; }

# FILE...: each line of these files is in the store exactly once, and nothing else is.
holds_exactly() {
	cat "$@" | jq -r '[.time, .conn, .verdict, .client, .user // "", .dst // "", .service // ""] | @tsv' | sort >"$FOLDER/wanted"
	sqlite3 -batch -noheader -json "$store" "SELECT t.id >> 20 AS ms, t.conn, t.verdict, c.text AS client, u.text AS user,
		d.text AS dst, s.text AS service FROM transactions t LEFT JOIN texts c ON c.id = t.client
		LEFT JOIN texts u ON u.id = t.user LEFT JOIN texts d ON d.id = t.dst LEFT JOIN texts s ON s.id = t.service" |
		jq -r '.[] | [(.ms / 1000 | floor | todate | rtrimstr("Z")) + "." + ("00" + (.ms % 1000 | tostring))[-3:] + "Z", .conn,
			["normal", "bypass", "shadow", "denied"][.verdict], .client, .user // "", .dst // "", .service // ""] | @tsv' |
		sort >"$FOLDER/got"
	cmp "$FOLDER/wanted" "$FOLDER/got" && return
	diff "$FOLDER/wanted" "$FOLDER/got" | head -n 10
	return 1
}

# Waits for less than a third of a second, for another time each.
a_moment() { read -rt "0.$(printf %03d $((RANDOM % 300)))" <> <(:) || :; }
