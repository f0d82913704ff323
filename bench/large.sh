#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A million addresses and a million names: how long loading and reloading take, in what memory, and that they answer.
set -eu
helper=${top_builddir:-.}/helper/ext_meeting_acl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/none" "$work/addresses" "$work/names" "$work/both"

# Every prefix once, in an order that is none: 7919 and 2^20 have no common divisor.
awk 'BEGIN {
	print "service large\nports tcp 443"
	for (i = 0; i < 1000000; i++) {
		n = (i * 7919) % 1048576
		printf "address %d.%d.%d.%d/28\n", 11 + int(n / 1048576), int(n / 4096) % 256, int(n / 16) % 256, n % 16 * 16
	}
}' >"$work/addresses/large.service"
awk 'BEGIN {
	print "service named\nports tcp 443"
	for (i = 0; i < 1000000; i++)
		printf "name %sh%d.d%d.example\n", i % 2 ? "." : "", i, (i * 7919) % 1000
}' >"$work/names/named.service"
cp "$work"/*/*.service "$work/both"

median() { sort -n | sed -n 3p; }

printf '%-10s  %10s  %10s  %12s\n' category 'load ms' 'reload ms' 'resident MiB'
for kind in none addresses names both; do
	loads=() reloads=()
	for turn in 1 2 3 4 5; do
		begin=${EPOCHREALTIME/./}
		coproc HELPER { exec "$helper" --config="$work/$kind" --names=trust 2>"$work/stderr"; }
		to=${HELPER[1]} from=${HELPER[0]} process=$HELPER_PID
		echo '1 192.0.2.1 11.0.0.1 443 - -' >&"$to"
		read -r answer <&"$from"
		loads+=($(((${EPOCHREALTIME/./} - begin) / 1000)))
		begin=${EPOCHREALTIME/./}
		kill -HUP "$process"
		# The old category answers meanwhile.
		until grep -q reloaded "$work/stderr"; do
			read -rt 0.005 <> <(:) || :
		done
		reloads+=($(((${EPOCHREALTIME/./} - begin) / 1000)))
		echo '2 192.0.2.1 198.51.100.1 443 - x.h999999.d81.example' >&"$to"
		read -r name_answer <&"$from"
		resident=$(awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$process/status")
		exec {to}>&-
		wait "$process"
	done
	case $kind in
	addresses | both) [[ $answer == '1 OK '* ]] ;;
	esac
	case $kind in
	names | both) [[ $name_answer == '2 OK '* ]] ;;
	esac
	printf '%-10s  %10s  %10s  %12s\n' "$kind" "$(printf '%s\n' "${loads[@]}" | median)" \
		"$(printf '%s\n' "${reloads[@]}" | median)" "$resident"
done
echo '(medians of five; a reload includes the 100 ms in which a burst of changes settles; resident: after a reload)'
