#!/usr/bin/env bats
# meetingctl report: text, JSON and CSV, from SQLite and from ClickHouse, have the figures that a plain recount of the journal by jq
# and awk comes to, on a random history of 100,000 records.

load clickhouse

setup_file() {
	command -v jq sqlite3 awk >/dev/null || return 0
	history=$BATS_FILE_TMPDIR/decisions.jsonl
	# Some three weeks.
	awk -v count=100000 -v seed=42 -v start=1793000000.123 -v step=18.317 -f "$BATS_TEST_DIRNAME/history.awk" >"$history"
	meetingctl ingest --journal="$history" --to="sqlite:$BATS_FILE_TMPDIR/store.db" >/dev/null
	stores=sqlite:$BATS_FILE_TMPDIR/store.db
	export stores
	has_clickhouse || { [[ ${MEETING_NO_SKIP-} != 1 ]] && return; }
	start_servers 1
	make_database 1 single meeting
	meetingctl ingest --journal="$history" --to="$(clickhouse 1 meeting)" --positions="$BATS_FILE_TMPDIR/sent.db" >/dev/null
	stores+=" $(clickhouse 1 meeting)"
}
teardown_file() { stop_servers; }

report() {
	TZ=${zone-UTC} COLUMNS=999 meetingctl report --from="${from-${stores%% *}}" --config="$FOLDER" \
		--since="${since-2026-01-01}" --until="${until-2027-06-01}" --limit=0 "$@"
}

# JQ-EXPRESSION OF THE KEY: each key with its records, connections, and records by verdict.
recount() {
	jq -r --arg since "${since_utc-2026}" --arg until "${until_utc-2028}" 'select(.time >= $since and .time < $until) |
		[('"$1"' | tojson), .conn + " " + (.dst // ""), .verdict] | join("\t")' "$BATS_FILE_TMPDIR/decisions.jsonl" |
		awk -F '\t' '{
				records[$1]++
				connections[$1] += !seen[$1, $2]++
				verdict[$1, $3]++
			}
			END {
				for (key in records)
					printf("[%s,%d,%d,%d,%d,%d,%d]\n", key, records[key], connections[key], verdict[key, "normal"],
						verdict[key, "bypass"], verdict[key, "shadow"], verdict[key, "denied"])
			}' | sort >"$FOLDER/wanted"
	[[ -s $FOLDER/wanted ]]
}

as_json() {
	report --format=json "$@" |
		jq -r --arg key "$2" '.table[] | [.[$key], .records, .connections, .normal, .bypass, .shadow, .denied] | @json' |
		sort >"$FOLDER/got"
	diff "$FOLDER/wanted" "$FOLDER/got"
}

as_csv() {
	report --format=csv "$@" >"$FOLDER/csv"
	[[ $(head -n 1 "$FOLDER/csv") == "$2,records,connections,normal,bypass,shadow,denied"$'\r' ]]
	jq -r 'def cell: if test("^[=+@\t\r-]") then "\"'"'"'" + gsub("\""; "\"\"") + "\""
			elif test("[\",\r\n]") then "\"" + gsub("\""; "\"\"") + "\"" else . end;
		[.[0] | cell] + (.[1:] | map(tostring)) | join(",") + "\r"' "$FOLDER/wanted" | sort >"$FOLDER/wanted.csv"
	tail -n +2 "$FOLDER/csv" | sort | diff "$FOLDER/wanted.csv" -
}

# Of the text, cells are told apart by two blanks.
as_text() {
	report "$@" | awk -v title="By $2" '$0 == title { on = 1 } on && /^$/ { on = 0 } on' | tail -n +2 |
		sed -n 's/   */\t/gp' | grep -vE "^$2\b" | sort >"$FOLDER/text"
	jq -r '[if .[0] == "" then "-" else .[0] end] + .[1:] | map(tostring | gsub("\t"; "?")) | join("\t")' "$FOLDER/wanted" |
		sort | diff - "$FOLDER/text"
}

all_forms() {
	for form in as_json as_csv as_text; do
		$form --by "$1" || { echo "$form --by $1" && return 1; }
	done
	# The forms are the same for any store.
	from=${stores##* } as_json --by "$1"
}

@test "by service" { recount '.service // .would // ""' && all_forms service; }
@test "by client" { recount '.client' && all_forms client; }
@test "by user" { recount '.user // ""' && all_forms user; }
@test "by rule" { recount '.rule // ""' && all_forms rule; }
@test "by hour" { recount '.time[:10] + " " + .time[11:13] + ":00 +0000"' && all_forms hour; }
@test "by day" { recount '.time[:10]' && all_forms day; }

@test "by day and hour of another zone" {
	zone=Asia/Kolkata
	local='(.time[:19] + "Z" | fromdate + 19800 | todate)'
	recount "$local[:10]" && all_forms day
	recount "$local | .[:10] + \" \" + .[11:13] + \":00 +0530\"" && all_forms hour
}

@test "a part of it: since counts, until doesn't" {
	first=$(sed -n 30000p "$BATS_FILE_TMPDIR/decisions.jsonl" | jq -r .time)
	last=$(sed -n 60000p "$BATS_FILE_TMPDIR/decisions.jsonl" | jq -r .time)
	since=$first until=$last since_utc=$first until_utc=$last
	recount '.service // .would // ""' && all_forms service
	same 30000 "$(report --format=json | jq '.totals[] | select(.verdict == "all").records')"
}

@test "the totals" {
	recount '.verdict'
	jq -c '[.[0], .[1], .[2]]' "$FOLDER/wanted" >"$FOLDER/verdicts"
	recount '"all"'
	jq -c '[.[0], .[1], .[2]]' "$FOLDER/wanted" >>"$FOLDER/verdicts"
	for from in $stores; do
		report --format=json | jq -c '.totals[] | [.verdict, .records, .connections]' | sort | diff <(sort "$FOLDER/verdicts") -
		report --format=csv --section=totals | tr -d '\r' | tail -n +2 | sort |
			diff <(jq -r 'map(tostring) | join(",")' "$FOLDER/verdicts" | sort) -
	done
}

@test "what was refused, and no entry holds" {
	jq -c 'select(.verdict == "denied") | [.client, .user // "", .dst, .sni]' "$BATS_FILE_TMPDIR/decisions.jsonl" | sort |
		uniq -c | sort >"$FOLDER/wanted"
	[[ -s $FOLDER/wanted ]]
	for from in $stores; do
		report --format=json | jq -r '.failures[] | (.records | tostring) + " " +
			([.client, .user, .destination, .name] | @json)' | awk '{ printf("%7s %s\n", $1, substr($0, length($1) + 2)) }' |
			sort | diff "$FOLDER/wanted" -
	done
}

@test "a limit tells how many there are beyond it" {
	all=$(report --by client --format=json | jq '.table | length')
	report --by client --limit=7 --format=json >"$FOLDER/seven"
	same "[7,$((all - 7))]" "$(jq -c '[(.table | length), .omitted.table]' "$FOLDER/seven")"
}
