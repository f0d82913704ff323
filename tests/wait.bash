# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How tests wait: for a condition, and never for a time.

# SECONDS COMMAND...: waits until the command succeeds; fails when it didn't within that time.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		read -rt 0.05 <> <(:) || :
	done
}
