# tests/ctl/: meetingctl as a program.
bats_tests += tests/ctl/ingest.bats tests/ctl/recount.bats tests/ctl/report.bats tests/ctl/tail.bats
EXTRA_DIST += tests/ctl/history.awk tests/ctl/store.bash
