# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the bats files of the programs share: where they are, and what to do without a tool.

load ../wait

top_builddir=${top_builddir:-$PWD}
top_srcdir=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}

helper() {
	"$top_builddir/helper/ext_meeting_acl" "$@"
}

meetingctl() {
	"$top_builddir/ctl/meetingctl" "$@"
}

# TOOL...: a missing one skips the test, or fails it where nothing may be skipped.
needs() {
	local tool
	for tool in "$@"; do
		if ! command -v "$tool" >/dev/null; then
			[[ ${MEETING_NO_SKIP-} == 1 ]] && { echo "$tool is missing" && return 1; }
			skip "$tool is missing"
		fi
	done
}

# FILE: writes standard input there, in a folder of the test's own, $FOLDER.
file() {
	mkdir -p "$(dirname "$FOLDER/$1")" && cat >"$FOLDER/$1"
}

# WANTED GOT: says both where they differ.
same() {
	[[ $1 == "$2" ]] || { printf 'wanted: %s\ngot:    %s\n' "$1" "$2" && return 1; }
}

# TEXT PART: says both where the part isn't in the text.
has() {
	[[ $1 == *"$2"* ]] || { printf 'no:  %s\nin:  %s\n' "$2" "$1" && return 1; }
}

lacks() {
	[[ $1 != *"$2"* ]] || { printf 'there is: %s\nin:       %s\n' "$2" "$1" && return 1; }
}
