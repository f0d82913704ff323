-- SPDX-License-Identifier: GPL-2.0-or-later
-- The records of squid-meeting on several ClickHouse servers (shards): clickhouse-client --multiquery < sharded.sql, on each.
-- The servers' configuration has to name them as a cluster `meeting` (remote_servers; see docs/FLEET.md).
-- Tested with ClickHouse 18.16.1 (Debian 12). The database's name is yours to choose: it stands in the place that
-- `meetingctl ingest --to=clickhouse://HOST/meeting` is given. Its tables have to have these names and columns.

CREATE DATABASE IF NOT EXISTS meeting;

-- What is sent twice has the same time and id, and is one row when parts are merged; the report counts it once before, too.
-- So the ORDER BY must not change, and has to be within one partition: that is a month of the record's own time.
-- Texts may be LowCardinality(String) from ClickHouse 19 on.
CREATE TABLE IF NOT EXISTS meeting.records_local
(
    id UInt64,          -- of the line in its journal
    time Int64,         -- milliseconds since 1970-01-01 00:00 UTC
    connection UInt64,  -- made of conn and dst; 0: it has no conn
    proxy String,
    conn String,
    client String,
    user String,
    method String,
    host String,
    port UInt16,
    dst String,
    sni String,
    verdict Enum8('normal' = 0, 'bypass' = 1, 'shadow' = 2, 'denied' = 3),
    service String,
    rule String,
    evidence String,
    source String,
    stale UInt8,
    disagrees UInt8,
    decided_by Enum8('helper' = 0, 'icap' = 1, 'squid' = 2),
    would String,
    reason String,
    at DateTime ALIAS toDateTime(intDiv(time, 1000))
)
ENGINE = ReplacingMergeTree()
PARTITION BY toYYYYMM(toDateTime(intDiv(time, 1000), 'UTC'))
ORDER BY (time, id);

-- What meetingctl writes to and asks, at any of the servers. By the id a record that is sent twice comes to the same shard
-- both times: with another sharding key it could count twice.
CREATE TABLE IF NOT EXISTS meeting.records AS meeting.records_local
ENGINE = Distributed(meeting, meeting, records_local, id);

-- Retention: `meetingctl ingest --keep=90d` deletes what is older on the server that it is given:
-- have it run for each of them. From ClickHouse 19.6 on the server can do it by itself
-- (not tested):
-- ALTER TABLE meeting.records_local MODIFY TTL toDateTime(intDiv(time, 1000)) + INTERVAL 90 DAY;
