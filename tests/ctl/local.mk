# tests/ctl/: meetingctl as a program.
bats_tests += tests/ctl/check.bats tests/ctl/list.bats tests/ctl/explain.bats tests/ctl/agrees.bats \
	tests/ctl/import.bats tests/ctl/diff.bats tests/ctl/export.bats tests/ctl/ingest.bats tests/ctl/recount.bats \
	tests/ctl/report.bats tests/ctl/systemd.bats tests/ctl/tail.bats
EXTRA_DIST += tests/ctl/history.awk tests/ctl/store.bash

# With ClickHouse.
bats_tests += tests/ctl/clickhouse.bats tests/ctl/clickhouse-misbehaves.bats tests/ctl/fleet.bats
EXTRA_DIST += tests/ctl/clickhouse.bash tests/ctl/between.pl
