#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From a thousand to a million addresses and names: how long loading and reloading take, in what memory, and that they answer.
set -eu
. "$bench/common.bash"

# Every prefix once, in an order that is none: 7919 and 2^20 have no common divisor.
addresses() {
	awk -v entries="$1" 'BEGIN {
		print "service large\nports tcp 443"
		for (i = 0; i < entries; i++) {
			n = (i * 7919) % 1048576
			printf "address %d.%d.%d.%d/28\n", 11 + int(n / 1048576), int(n / 4096) % 256, int(n / 16) % 256, n % 16 * 16
		}
	}'
}
names() {
	awk -v entries="$1" 'BEGIN {
		print "service named\nports tcp 443"
		for (i = 0; i < entries; i++)
			printf "name %sh%d.d%d.example\n", i % 2 ? "." : "", i, (i * 7919) % 1000
	}'
}

measure() { # ENTRIES KIND FOLDER
	local begin load reload resident peak answer process to from
	begin=${EPOCHREALTIME/./}
	coproc HELPER { exec "$helper" --config="$3" --names=trust 2>"$work/stderr"; }
	to=${HELPER[1]} from=${HELPER[0]} process=$HELPER_PID
	echo '1 192.0.2.1 11.0.0.1 443 - x.h1.d919.example' >&"$to"
	read -r answer <&"$from"
	load=$(((${EPOCHREALTIME/./} - begin) / 1000))
	[[ $2 == none || $answer == '1 OK '* ]] || { echo "$2: $answer" >&2; exit 1; }
	begin=${EPOCHREALTIME/./}
	kill -HUP "$process"
	# The old category answers meanwhile.
	until grep -q reloaded "$work/stderr"; do
		read -rt 0.005 <> <(:) || :
	done
	reload=$(((${EPOCHREALTIME/./} - begin) / 1000))
	read -rt 0.2 <> <(:) || : # what building took is given back just behind
	resident=$(awk '/^VmRSS/ { print $2 / 1000 * 1.024 }' "/proc/$process/status")
	peak=$(peak_of "$process")
	exec {to}>&-
	wait "$process"
	row 'load' "$1" "$2" ms "$load"
	row 'reload' "$1" "$2" ms "$reload"
	row 'resident' "$1" "$2" MB "$resident"
	row 'peak' "$1" "$2" MB "$peak"
}

sizes='1000 10000 30000 100000 300000 1000000'
for size in $sizes; do
	mkdir -p "$work/$size/addresses" "$work/$size/names" "$work/$size/both"
	addresses $size >"$work/$size/addresses/large.service"
	names $size >"$work/$size/names/named.service"
	cp "$work/$size"/*/*.service "$work/$size/both"
done
mkdir "$work/empty"
for ((round = 0; round < rounds; round++)); do
	measure 0 none "$work/empty"
	for size in $sizes; do
		for kind in addresses names both; do
			measure $size $kind "$work/$size/$kind"
		done
	done
done
