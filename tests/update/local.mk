# tests/update/: meetingctl update against real HTTPS servers, and all that may go wrong.
bats_tests += tests/update/update.bats tests/update/misbehaves.bats tests/update/guard.bats tests/update/vendors.bats \
	tests/update/bundle.bats tests/update/faults.bats
EXTRA_DIST += tests/update/server.bash tests/update/rude.sh tests/update/fault.c
