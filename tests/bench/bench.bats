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
	. "$bench/common.bash"
	build answerer bench/answerer.c
	make_services
	printf '%s\n' '1 10.1.2.3 216.115.208.17 443 - -' '2 10.1.2.3 198.51.100.17 443 - -' >"$work/lines"
	"$helper" --config="$work/services" --names=trust <"$work/lines" >"$work/ours"
	"$work/answerer" bound <"$work/lines" >"$work/bound"
	"$work/answerer" stdio <"$work/lines" >"$work/stdio"
	diff "$work/ours" "$work/bound"
	diff "$work/ours" "$work/stdio"
}

@test "reload: lists are replaced while answers go on" {
	ENTRIES=1000 SECONDS_EACH=1.5 run bash "$bench/reload.sh"
	echo "$output"
	[[ $status -eq 0 ]]
	[[ $output =~ 'lists in force	1	a reload every second	lists	2' ]]
}

@test "the page's tables are those of the results" {
	cp -r "$top_srcdir/bench" "$top_srcdir/docs" "$BATS_TEST_TMPDIR"
	chmod -R u+w "$BATS_TEST_TMPDIR"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run bash "$BATS_TEST_TMPDIR/bench/document"
	diff "$top_srcdir/docs/PERFORMANCE.md" "$BATS_TEST_TMPDIR/docs/PERFORMANCE.md"
}
