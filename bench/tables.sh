#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Look-ups of addresses and names beside libraries: ns for each, and the memory that the tables take.
set -eu
. "$bench/common.bash"
build_tables
run() { # PROGRAM ARGUMENT...; DPDK says much on stdout
	local program=$1 folder
	shift
	folder=$(mktemp -d "$work/XXXXXX")
	"$work/$program" "$folder" "$@" "$rounds" 2>"$work/errors" | grep -aP '^(IP|names)[^\t]*\t' ||
		{ cat "$work/errors" >&2; exit 1; }
	rm -r "$folder"
}
for size in ${SIZES:-11 1000 100000 1000000}; do
	run tables 4 "$size"
	run tables 6 "$size"
done
for size in ${NAMES:-100 100000 1000000}; do
	run names "$size"
done
