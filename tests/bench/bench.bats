#!/usr/bin/env bats
# The benchmarks' programs build, and before anything is timed all that is compared gives the same answers: the tables beside
# bsearch, libcidr, libmaxminddb, Judy and libpsl; the helper beside the bound that it is measured by.

setup() {
	bench=$top_srcdir/bench
	export bench ROUNDS=1 WITHOUT_DPDK=1
}

@test "tables: all give the same answers" {
	for header in maxminddb.h Judy.h libpsl.h; do
		echo "#include <$header>" | cc -E - >/dev/null 2>&1 || {
			[[ ! ${MEETING_NO_SKIP-} ]] || { echo "$header is missing" >&2; return 1; }
			skip "$header is missing"
		}
	done
	SIZES='11 3000' NAMES=300 run bash "$bench/tables.sh"
	echo "$output"
	[[ $status -eq 0 ]]
	for subject in squid-meeting 'libc bsearch' 'libcidr scan' libmaxminddb Judy; do
		grep -q "^IPv4	3000	$subject	ns	[0-9.]*$" <<<"$output" || { echo "IPv4 without $subject"; false; }
		grep -q "^IPv6	3000	$subject	ns	[0-9.]*$" <<<"$output" || { echo "IPv6 without $subject"; false; }
	done
	for subject in squid-meeting libpsl 'hash set'; do
		grep -q "^names	300	$subject	ns	[0-9.]*$" <<<"$output" || { echo "names without $subject"; false; }
	done
}

@test "helper: the programs build, and all are answered" {
	SECONDS_EACH=0.02 run bash "$bench/helper.sh"
	echo "$output"
	[[ $status -eq 0 ]]
	[[ $(grep -c '^lines a second	.*	ext_meeting_acl	/s	[1-9][0-9]*$' <<<"$output") -eq 4 ]]
}

@test "helper: the bound answers just as the helper does" {
	( # common.bash removes its folder at the end of a shell
		. "$bench/common.bash"
		build answerer bench/answerer.c
		make_services
		printf '%s\n' '1 10.1.2.3 216.115.208.17 443 - -' '2 10.1.2.3 198.51.100.17 443 - -' >"$work/lines"
		"$helper" --config="$work/services" --names=trust <"$work/lines" >"$work/ours"
		"$work/answerer" bound <"$work/lines" >"$work/bound"
		"$work/answerer" stdio <"$work/lines" >"$work/stdio"
		diff "$work/ours" "$work/bound"
		diff "$work/ours" "$work/stdio"
	)
}

@test "reload: lists are replaced while answers go on" {
	ENTRIES=1000 SECONDS_EACH=1.5 run bash "$bench/reload.sh"
	echo "$output"
	[[ $status -eq 0 ]]
	[[ $output =~ 'lists in force	1	a reload every second	lists	2' ]]
}

@test "fleet: each store tells what it took" {
	for tool in clickhouse-server clickhouse-client jq curl openssl; do
		command -v $tool >/dev/null || {
			[[ ! ${MEETING_NO_SKIP-} ]] || { echo "$tool is missing" >&2; return 1; }
			skip "$tool is missing"
		}
	done
	SIZES=3000 ROUNDS=1 run bash "$bench/fleet.sh"
	echo "$output"
	[[ $status -eq 0 ]]
	for store in SQLite ClickHouse 'two shards'; do
		for group in ingest 'report by client' size; do
			grep -q "^$group	3000	$store	[a-z/]*	[1-9][0-9]*$" <<<"$output" || { echo "no $group of $store"; false; }
		done
	done
}

# A copy of the benchmarks and pages, whose results can be others.
copy_of_the_pages() {
	cp -r "$top_srcdir/bench" "$top_srcdir/docs" "$BATS_TEST_TMPDIR"
	chmod -R u+w "$BATS_TEST_TMPDIR"
	results=$BATS_TEST_TMPDIR/bench/results
}

# GROUP SUBJECT UNIT CASE=MEDIAN...: rows of results.
rows_of() {
	local point
	for point in "${@:4}"; do
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t5\n' "$1" "${point%=*}" "$2" "$3" "${point#*=}" "${point#*=}" "${point#*=}"
	done
}

# BLOCK: what the page's script makes of it.
made_of() {
	printf '%s\n<!-- end -->\n' "<!-- $1 -->" >"$BATS_TEST_TMPDIR/page"
	(cd "$BATS_TEST_TMPDIR/bench" && awk -f results.awk -f laws.awk -f users.awk -f page.awk "$BATS_TEST_TMPDIR/page")
}

@test "the pages' tables, laws and numbers of users are those of the results" {
	copy_of_the_pages
	bash "$BATS_TEST_TMPDIR/bench/document"
	diff "$top_srcdir/docs/PERFORMANCE.md" "$BATS_TEST_TMPDIR/docs/PERFORMANCE.md"
	diff "$top_srcdir/docs/FLEET.md" "$BATS_TEST_TMPDIR/docs/FLEET.md"
}

@test "a law is found where there is one, and none where there isn't" {
	copy_of_the_pages
	{
		rows_of time line ms 1000=7 10000=25 100000=205
		rows_of time power ms 100=20 10000=200 1000000=2000
		rows_of time doubling ms 1=10 8=16 64=22
		rows_of time stairs ms 1=10 10=10 100=100 1000=100
		rows_of time few ms 1=10 10=20
		rows_of rate taken records/s 1000=500 10000=1000 100000=1111.11
		rows_of size kept bytes/record 1000=40 10000=40 100000=40
		rows_of cpu upwards us 1=900 32=42 64=74 128=138
	} >"$results/store.tsv"
	run made_of 'laws store time; rate; size; cpu from 32/upwards; nothing'
	echo "$output"
	wanted='| time, line | 5 ms + 2 ms for each 1,000 | 1 % | 3, 1,000 to 100,000 |
| time, power | 2 ms x n^0.50: 3.16 times as much for ten times n | 1 % | 3, 100 to 1 M |
| time, doubling | 10 ms + 2 ms for each doubling | 1 % | 3, 1 to 64 |
| time, stairs | none of the three | * % | 4, 1 to 1,000 |
| rate, taken | 1.11 s + 889 s for each 1 M | 1 % | 3, 1,000 to 100,000 |
| size, kept | 40 bytes for each | 1 % | 3, 1,000 to 100,000 |
| cpu, upwards | 10 us + 1 us for each | 1 % | 3, 32 to 128 |
| nothing | not measured yet at three sizes: `bench/run store` | - | - |'
	# shellcheck disable=SC2053 # a pattern
	[[ $(grep '^| [a-z]*,\|^| nothing' <<<"$output") == $wanted ]]
}

@test "users are computed from the results, and what is full first comes first" {
	copy_of_the_pages
	{
		rows_of 'through Squid, CPU of Squid' srv_meeting us/request 1=1 512=1000
		rows_of 'through Squid, CPU of c-icap' srv_meeting us/request 512=70
	} >"$results/module.tsv"
	{
		rows_of 'CPU of Squid' 'helper, no cache' 'us a request' 512=100
		rows_of 'CPU of the helper' 'helper, no cache' 'us a request' 512=0.5
	} >"$results/squid.tsv"
	{
		rows_of ingest meetingctl records/s 10=1 1000=1000000
		rows_of size journal bytes/record 1000=100
		rows_of size store bytes/record 1000=50
		rows_of report meetingctl ms 1000=1 2000=2 3000=3
		rows_of 'report, memory' meetingctl MiB 1000=1 2000=2 3000=3
	} >"$results/store.tsv"
	{
		rows_of ingest ClickHouse records/s 1000=200000
		rows_of size ClickHouse bytes/record 1000=60
		rows_of 'report by client' ClickHouse ms 1000=1 2000=3 3000=5
	} >"$results/fleet.tsv"
	run made_of 'users full'
	echo "$output"
	[[ $(grep -c '^|.*|$' <<<"$output") -eq 13 ]]
	[[ $output == *'| Squid, one process, with the record | 1,000 us of a core | 700 | requests wait | module |'* ]]
	[[ $output == *'| the helper, one process | 0.5 us of a core | 1.4 M | requests wait | squid |'* ]]
	[[ $output == *"| SQLite, a day's report in 60 s | - | 2,000 |"* && $output == *"| ClickHouse, a day's report in 60 s | - | 1,200 |"* ]]
	[[ $(sed -n 's/^| \([^|]*\) |.*/\1/p' <<<"$output" | sed -n '3p;$p') == $'SQLite, a day\'s report in 4 GiB\nthe helper, one process' ]]
	run made_of 'users table'
	echo "$output"
	[[ $output == *'| 1 M | 1 M | 1,429 | 1,000 + 70 + 0.5 | 2.88 TB | 130 TB; 156 TB | 100% | 8 | 8 h; 13.3 h |'* ]]
	run made_of 'users example'
	[[ $output == *'What users feel first: **Squid, one process, with the record**, at 700 users.'* ]]
}
