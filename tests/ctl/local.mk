# tests/ctl/: meetingctl as a program.
bats_tests += tests/ctl/ingest.bats
EXTRA_DIST += tests/ctl/history.awk tests/ctl/store.bash
