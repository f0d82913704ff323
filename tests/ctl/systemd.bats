#!/usr/bin/env bats
# The units of systemd/: systemd finds no mistake in them, and they are locked up as far as it goes.

load ../category/programs

setup() {
	needs systemd-analyze
	cd "$BATS_TEST_TMPDIR"
	mkdir units
	for unit in "$top_srcdir"/systemd/*.timer "$top_builddir"/systemd/*.service; do
		# what isn't installed here can't be found either
		sed -e 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' -e '/^Documentation=/d' "$unit" >"units/${unit##*/}"
	done
}

@test "systemd-analyze verify has nothing to say" {
	run systemd-analyze verify units/*
	echo "$output"
	same 0 "$status"
	same '' "$output"
}

@test "the update may write where updates are kept, and nowhere else; its exposure is below 2" {
	run systemd-analyze security --offline=true --threshold=20 "$PWD/units/meetingctl-update.service"
	same 0 "$status"
	grep -qx 'ExecStart=.*/meetingctl update --yes' "$top_builddir/systemd/meetingctl-update.service"
	grep -qx 'ReadWritePaths=.*/squid-meeting' "$top_builddir/systemd/meetingctl-update.service"
}
