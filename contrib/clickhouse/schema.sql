-- Tables for lastack's NDJSON in ClickHouse (25.3 or later).  Lines go into the table raw, which keeps
-- nothing and feeds the others, so that a file, a pipe and Kafka come in by the same door:
--
--     clickhouse-client --multiquery < schema.sql
--     clickhouse-client -q "INSERT INTO lastack.raw FORMAT JSONAsString" < records.ndjson
--     clickhouse-client -d lastack --multiquery < ../sql/questions.sql
--
-- What comes again replaces itself: a connection is known by its flow_uid and an event by its id.  The
-- tables flows, events and hosts are views that show each once; what lies below ends in _all.

CREATE DATABASE IF NOT EXISTS lastack;

CREATE TABLE IF NOT EXISTS lastack.raw (json String) ENGINE = Null;

CREATE TABLE IF NOT EXISTS lastack.flows_all (
    flow_uid String, part UInt32, final UInt8, community_id String, incarnation UInt32,
    previous Nullable(String), started DateTime64(6, 'UTC'), ended DateTime64(6, 'UTC'),
    start_us Int64, end_us Int64,
    client_ip String, client_port UInt16, server_ip String, server_port UInt16,
    packets UInt64, bytes UInt64,
    close_kind LowCardinality(String), initiator LowCardinality(String),
    client_state LowCardinality(String), client_basis LowCardinality(String),
    server_state LowCardinality(String), server_basis LowCardinality(String),
    fin_to_fin Nullable(Int64), close_wait Nullable(Int64), fin_wait_2 Nullable(Int64),
    time_wait_side LowCardinality(String), time_wait_until_us Nullable(Int64),
    record String CODEC(ZSTD)
) ENGINE = ReplacingMergeTree(part) ORDER BY flow_uid;

CREATE TABLE IF NOT EXISTS lastack.events_all (
    event_id String, action LowCardinality(String), happened DateTime64(6, 'UTC'),
    hour DateTime('UTC'), level LowCardinality(String), severity UInt8,
    confidence LowCardinality(String), blame LowCardinality(String), flow_uid String,
    incarnation UInt32, client_ip String, client_port UInt16, server_ip String, server_port UInt16,
    explanation String CODEC(ZSTD), remedy String CODEC(ZSTD), record String CODEC(ZSTD)
) ENGINE = ReplacingMergeTree ORDER BY event_id;

-- The census at the end of a run.
CREATE TABLE IF NOT EXISTS lastack.hosts_all (
    scope LowCardinality(String), source_ip String, destination_ip String, destination_port UInt16,
    first DateTime64(6, 'UTC'), last DateTime64(6, 'UTC'), opened UInt64, closed UInt64,
    ports_most UInt64, ports_most_at Nullable(DateTime64(6, 'UTC')),
    time_wait_client_most UInt64, time_wait_server_most UInt64,
    close_wait_client_most UInt64, close_wait_server_most UInt64, record String CODEC(ZSTD)
) ENGINE = ReplacingMergeTree ORDER BY (scope, source_ip, destination_ip, destination_port, first);

CREATE VIEW IF NOT EXISTS lastack.flows AS SELECT * FROM lastack.flows_all FINAL;
CREATE VIEW IF NOT EXISTS lastack.events AS SELECT * FROM lastack.events_all FINAL;
CREATE VIEW IF NOT EXISTS lastack.hosts AS SELECT * FROM lastack.hosts_all FINAL;

-- Every state that a side went through.
CREATE VIEW IF NOT EXISTS lastack.states AS
SELECT flow_uid, side, toInt64(number - 1) AS position,
       JSONExtractString(entry, 'state') AS state, JSONExtractString(entry, 'fact') AS fact,
       JSONExtractString(entry, 'basis') AS basis,
       parseDateTime64BestEffort(JSONExtractString(entry, 't'), 6, 'UTC') AS t,
       JSONExtract(entry, 'packet', 'Nullable(UInt64)') AS packet,
       toUInt8(JSONExtractBool(entry, 'revoked')) AS revoked
FROM (SELECT flow_uid, side, JSONExtractArrayRaw(record, 'lastack', side, 'history') AS entries
      FROM lastack.flows ARRAY JOIN ['client', 'server'] AS side)
ARRAY JOIN entries AS entry, arrayEnumerate(entries) AS number;

CREATE MATERIALIZED VIEW IF NOT EXISTS lastack.raw_to_flows TO lastack.flows_all AS
SELECT JSONExtractString(json, 'lastack', 'flow_uid') AS flow_uid,
       JSONExtractUInt(json, 'lastack', 'part') AS part,
       toUInt8(JSONExtractBool(json, 'lastack', 'final')) AS final,
       JSONExtractString(json, 'network', 'community_id') AS community_id,
       JSONExtractUInt(json, 'lastack', 'incarnation') AS incarnation,
       JSONExtract(json, 'lastack', 'previous', 'Nullable(String)') AS previous,
       parseDateTime64BestEffort(JSONExtractString(json, 'event', 'start'), 6, 'UTC') AS started,
       parseDateTime64BestEffort(JSONExtractString(json, 'event', 'end'), 6, 'UTC') AS ended,
       toUnixTimestamp64Micro(started) AS start_us, toUnixTimestamp64Micro(ended) AS end_us,
       JSONExtractString(json, 'source', 'ip') AS client_ip,
       JSONExtractUInt(json, 'source', 'port') AS client_port,
       JSONExtractString(json, 'destination', 'ip') AS server_ip,
       JSONExtractUInt(json, 'destination', 'port') AS server_port,
       JSONExtractUInt(json, 'network', 'packets') AS packets,
       JSONExtractUInt(json, 'network', 'bytes') AS bytes,
       JSONExtractString(json, 'lastack', 'close', 'kind') AS close_kind,
       ifNull(JSONExtract(json, 'lastack', 'close', 'initiator', 'Nullable(String)'), 'none') AS initiator,
       JSONExtractString(json, 'lastack', 'client', 'state') AS client_state,
       JSONExtractString(json, 'lastack', 'client', 'basis') AS client_basis,
       JSONExtractString(json, 'lastack', 'server', 'state') AS server_state,
       JSONExtractString(json, 'lastack', 'server', 'basis') AS server_basis,
       JSONExtract(json, 'lastack', 'close', 'fin_to_fin', 'Nullable(Int64)') AS fin_to_fin,
       JSONExtract(json, 'lastack', 'close', 'close_wait', 'Nullable(Int64)') AS close_wait,
       JSONExtract(json, 'lastack', 'close', 'fin_wait_2', 'Nullable(Int64)') AS fin_wait_2,
       ifNull(JSONExtract(json, 'lastack', 'close', 'time_wait', 'side', 'Nullable(String)'), 'none') AS time_wait_side,
       toUnixTimestamp64Micro(parseDateTime64BestEffortOrNull(
           JSONExtractString(json, 'lastack', 'close', 'time_wait', 'until'), 6, 'UTC')) AS time_wait_until_us,
       json AS record
FROM lastack.raw
WHERE JSONExtractString(json, 'event', 'dataset') = 'lastack.flow';

CREATE MATERIALIZED VIEW IF NOT EXISTS lastack.raw_to_events TO lastack.events_all AS
SELECT JSONExtractString(json, 'event', 'id') AS event_id,
       JSONExtractString(json, 'event', 'action') AS action,
       parseDateTime64BestEffort(JSONExtractString(json, '@timestamp'), 6, 'UTC') AS happened,
       toStartOfHour(happened) AS hour,
       JSONExtractString(json, 'lastack', 'level') AS level,
       JSONExtractUInt(json, 'event', 'severity') AS severity,
       JSONExtractString(json, 'lastack', 'confidence') AS confidence,
       ifNull(JSONExtract(json, 'lastack', 'blame', 'Nullable(String)'), 'none') AS blame,
       JSONExtractString(json, 'lastack', 'flow_uid') AS flow_uid,
       JSONExtractUInt(json, 'lastack', 'incarnation') AS incarnation,
       JSONExtractString(json, 'source', 'ip') AS client_ip,
       JSONExtractUInt(json, 'source', 'port') AS client_port,
       JSONExtractString(json, 'destination', 'ip') AS server_ip,
       JSONExtractUInt(json, 'destination', 'port') AS server_port,
       JSONExtractString(json, 'lastack', 'explanation') AS explanation,
       JSONExtractString(json, 'lastack', 'remedy') AS remedy,
       json AS record
FROM lastack.raw
WHERE JSONExtractString(json, 'event', 'dataset') = 'lastack.event';

CREATE MATERIALIZED VIEW IF NOT EXISTS lastack.raw_to_hosts TO lastack.hosts_all AS
SELECT JSONExtractString(json, 'lastack', 'scope') AS scope,
       JSONExtractString(json, 'source', 'ip') AS source_ip,
       JSONExtractString(json, 'destination', 'ip') AS destination_ip,
       JSONExtractUInt(json, 'destination', 'port') AS destination_port,
       parseDateTime64BestEffort(JSONExtractString(json, 'event', 'start'), 6, 'UTC') AS first,
       parseDateTime64BestEffort(JSONExtractString(json, 'event', 'end'), 6, 'UTC') AS last,
       JSONExtractUInt(json, 'lastack', 'connections', 'opened') AS opened,
       JSONExtractUInt(json, 'lastack', 'connections', 'closed') AS closed,
       JSONExtractUInt(json, 'lastack', 'ports', 'in_use', 'most') AS ports_most,
       parseDateTime64BestEffortOrNull(
           JSONExtractString(json, 'lastack', 'ports', 'in_use', 'most_at'), 6, 'UTC') AS ports_most_at,
       JSONExtractUInt(json, 'lastack', 'time_wait', 'client', 'most') AS time_wait_client_most,
       JSONExtractUInt(json, 'lastack', 'time_wait', 'server', 'most') AS time_wait_server_most,
       JSONExtractUInt(json, 'lastack', 'close_wait', 'client', 'most') AS close_wait_client_most,
       JSONExtractUInt(json, 'lastack', 'close_wait', 'server', 'most') AS close_wait_server_most,
       json AS record
FROM lastack.raw
WHERE JSONExtractString(json, 'event', 'dataset') = 'lastack.host';
