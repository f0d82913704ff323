#!/usr/bin/env bats
# The report's page in headless Chromium, through the real proxy. Screenshots go to $MEETING_SCREENSHOTS, or below the build
# folder to tests/browser/screenshots.

load report

modules=$top_builddir/tests/browser
sources=$top_srcdir/tests/browser

setup_file() {
	local lacks=
	for program in node npm chromium; do
		command -v "$program" >/dev/null || lacks+="there is no $program "
	done
	[[ ! $lacks ]] || { story_lacks "$lacks" && return; }
	[[ -e /usr/share/javascript/chart.js/chart.min.js ]] || { story_lacks 'there is no libjs-chart.js' && return; }
	if [[ ! -e $modules/node_modules/axe-core || ! -e $modules/node_modules/playwright-core ]]; then
		[[ ${MEETING_NO_SKIP-} == 1 ]] ||
			{ story_lacks "no playwright-core: cp $sources/package*.json $modules && npm --prefix $modules ci" && return; }
		mkdir -p "$modules"
		[[ $sources -ef $modules ]] || cp "$sources"/package*.json "$modules"
		npm --prefix "$modules" ci --ignore-scripts --no-audit --no-fund
	fi
	export SCREENSHOTS=${MEETING_SCREENSHOTS:-$modules/screenshots} MODULES=$modules PROXY=198.51.100.1:3128
	mkdir -p "$SCREENSHOTS"
	LAB_C_ICAP='meeting.ReportClients 198.51.100.10'
	LAB_HOSTS='192.0.2.30 fresh.meet.example.com
192.0.2.30 again.meet.example.com'
	story_begins starts
}
teardown_file() { story_ends; }

starts() {
	cp "$top_srcdir"/services/*.service "$LAB/share/services/"
	printf 'name .meet.example.com\n' >>"$LAB/etc/meet.service"
	report_starts || return
	node "$sources/history.mjs" hostile >>"$LAB/state/journal/decisions.jsonl"
	wait_until 20 all_ingested
}

look() {
	lab_in client env -u http_proxy -u https_proxy -u all_proxy HOME="$LAB/log" timeout 90 node "$sources/report.mjs" "$1" 2>&1
}

@test "it loads, with nothing to complain of, and nothing from elsewhere" { look loads; }
@test "the policy lets nothing else run" { look policy; }
@test "texts of clients are texts" { look hostile; }
@test "the filter" { look filter; }
@test "another period, and another table" { look choose; }
@test "a new decision comes by itself" { look refreshes; }
@test "so do all other figures, and the focus stays where it is" { look refreshes_all; }
@test "it can be paused" { look pauses; }
@test "it tells that it can't be refreshed, and goes on" { look tells_trouble; }
@test "with the keyboard alone" { look keyboard; }
@test "on a phone" { look phone; }
@test "in the dark" { look dark; }
@test "axe finds nothing" { look accessible; }
@test "without scripts all is in tables" { look without_scripts; }
@test "without the library for charts, too" { look without_charts; }
