#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A million entries replaced every second under full load: the slowest answers, beside those without a reload.
set -eu
. "$bench/common.bash"
build reload bench/reload.c
seconds=${SECONDS_EACH:-8}
mkdir "$work/category"
for turn in 0 1; do
	awk -v turn=$turn -v entries="${ENTRIES:-1000000}" 'BEGIN {
		print "service large\nsource list-" turn "\nports tcp 443"
		for (i = 0; i < entries; i++)
			printf "address %d.%d.%d.%d/28\n", 11 + int(i / 1048576), int(i / 4096) % 256, int(i / 16) % 256, i % 16 * 16
	}' >"$work/list.$turn"
done
measure() { # OUTSTANDING PERIOD SUBJECT
	local rate p50 p99 p999 slowest lists
	ln -sfn "$work/list.0" "$work/category/large.service"
	IFS=$'\t' read -r rate p50 p99 p999 slowest lists < <("$work/reload" "$helper" "$work/category" "$work/list" \
		"$seconds" "$2" "$1" 2>"$work/errors") || { cat "$work/errors" >&2; exit 1; }
	row 'round trip, p50' "$1" "$3" us "$p50"
	row 'round trip, p99' "$1" "$3" us "$p99"
	row 'round trip, p99.9' "$1" "$3" us "$p999"
	row 'round trip, slowest' "$1" "$3" us "$slowest"
	row 'answers a second' "$1" "$3" /s "$rate"
	row 'lists in force' "$1" "$3" lists "$lists"
}
for ((round = 0; round < rounds; round++)); do
	for outstanding in 1 100 1000; do
		measure $outstanding 0 'no reload'
		measure $outstanding 1 'a reload every second'
	done
done
