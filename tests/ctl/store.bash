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

rows_in_store() { ask_store 'SELECT total(rows) FROM blocks' | cut -d. -f1; }

# FILE...: each line of these files is in the store exactly once, as it was, and nothing else is.
holds_exactly() {
	cat "$@" | jq -cS . | sort >"$FOLDER/wanted"
	"${top_builddir:-.}/tests/records/dump_store" "sqlite:$store" | jq -cS . | sort >"$FOLDER/got"
	cmp "$FOLDER/wanted" "$FOLDER/got" && return
	diff "$FOLDER/wanted" "$FOLDER/got" | head -n 10
	return 1
}

# Waits for less than a third of a second, for another time each.
a_moment() { read -rt "0.$(printf %03d $((RANDOM % 300)))" <> <(:) || :; }
