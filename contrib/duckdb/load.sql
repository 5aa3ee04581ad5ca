-- Loads lastack's NDJSON into DuckDB (1.1 or later), as often as wanted: a connection is known by its
-- flow_uid and an event by its id, so what comes again replaces itself.
--
--     duckdb lastack.duckdb -c "SET VARIABLE ndjson = 'records.ndjson'" -f load.sql
--     duckdb lastack.duckdb -f ../sql/questions.sql
--
-- ndjson may be a pattern, such as 'records.ndjson*', also of compressed files (.gz, .zst).

CREATE TABLE IF NOT EXISTS flows (
    flow_uid VARCHAR PRIMARY KEY, part BIGINT, final INTEGER, community_id VARCHAR,
    incarnation BIGINT, previous VARCHAR, started TIMESTAMP, ended TIMESTAMP,
    start_us BIGINT, end_us BIGINT,
    client_ip VARCHAR, client_port INTEGER, server_ip VARCHAR, server_port INTEGER,
    packets BIGINT, bytes BIGINT, close_kind VARCHAR, initiator VARCHAR,
    client_state VARCHAR, client_basis VARCHAR, server_state VARCHAR, server_basis VARCHAR,
    fin_to_fin BIGINT, close_wait BIGINT, fin_wait_2 BIGINT,
    time_wait_side VARCHAR, time_wait_until_us BIGINT, record JSON);

CREATE TABLE IF NOT EXISTS events (
    event_id VARCHAR PRIMARY KEY, action VARCHAR, happened TIMESTAMP, hour TIMESTAMP, level VARCHAR,
    severity INTEGER, confidence VARCHAR, blame VARCHAR, flow_uid VARCHAR, incarnation BIGINT,
    client_ip VARCHAR, client_port INTEGER, server_ip VARCHAR, server_port INTEGER,
    explanation VARCHAR, remedy VARCHAR, record JSON);

-- The census at the end of a run.
CREATE TABLE IF NOT EXISTS hosts (
    scope VARCHAR, source_ip VARCHAR, destination_ip VARCHAR, destination_port INTEGER,
    first TIMESTAMP, last TIMESTAMP, opened BIGINT, closed BIGINT,
    ports_most BIGINT, ports_most_at TIMESTAMP,
    time_wait_client_most BIGINT, time_wait_server_most BIGINT,
    close_wait_client_most BIGINT, close_wait_server_most BIGINT, record JSON,
    PRIMARY KEY (scope, source_ip, destination_ip, destination_port, first));

-- Every state that a side went through.
CREATE VIEW IF NOT EXISTS states AS
SELECT flow_uid, side, unnest(range(len(entries))) AS position,
       unnest(entries)->>'$.state' AS state, unnest(entries)->>'$.fact' AS fact,
       unnest(entries)->>'$.basis' AS basis, CAST(unnest(entries)->>'$.t' AS TIMESTAMP) AS t,
       CAST(unnest(entries)->>'$.packet' AS BIGINT) AS packet,
       CAST(CAST(unnest(entries)->>'$.revoked' AS BOOLEAN) AS INTEGER) AS revoked
FROM (SELECT flow_uid, 'client' AS side,
             CAST(record->'$.lastack.client.history' AS JSON[]) AS entries FROM flows
      UNION ALL
      SELECT flow_uid, 'server' AS side,
             CAST(record->'$.lastack.server.history' AS JSON[]) AS entries FROM flows) AS sides;

CREATE OR REPLACE TEMP TABLE raw AS
SELECT json AS line, json->>'$.event.dataset' AS dataset
FROM read_ndjson_objects(getvariable('ndjson'));

BEGIN;
-- Of the parts of a connection the last one; a statement may touch a row only once.
INSERT INTO flows
SELECT line->>'$.lastack.flow_uid', CAST(line->>'$.lastack.part' AS BIGINT),
       CAST(CAST(line->>'$.lastack.final' AS BOOLEAN) AS INTEGER), line->>'$.network.community_id',
       CAST(line->>'$.lastack.incarnation' AS BIGINT), line->>'$.lastack.previous',
       CAST(line->>'$.event.start' AS TIMESTAMP), CAST(line->>'$.event.end' AS TIMESTAMP),
       epoch_us(CAST(line->>'$.event.start' AS TIMESTAMP)),
       epoch_us(CAST(line->>'$.event.end' AS TIMESTAMP)),
       line->>'$.source.ip', CAST(line->>'$.source.port' AS INTEGER),
       line->>'$.destination.ip', CAST(line->>'$.destination.port' AS INTEGER),
       CAST(line->>'$.network.packets' AS BIGINT), CAST(line->>'$.network.bytes' AS BIGINT),
       line->>'$.lastack.close.kind', coalesce(line->>'$.lastack.close.initiator', 'none'),
       line->>'$.lastack.client.state', line->>'$.lastack.client.basis',
       line->>'$.lastack.server.state', line->>'$.lastack.server.basis',
       CAST(line->>'$.lastack.close.fin_to_fin' AS BIGINT),
       CAST(line->>'$.lastack.close.close_wait' AS BIGINT),
       CAST(line->>'$.lastack.close.fin_wait_2' AS BIGINT),
       coalesce(line->>'$.lastack.close.time_wait.side', 'none'),
       epoch_us(CAST(line->>'$.lastack.close.time_wait.until' AS TIMESTAMP)), line
FROM raw
WHERE dataset = 'lastack.flow'
QUALIFY row_number() OVER (PARTITION BY line->>'$.lastack.flow_uid'
                           ORDER BY CAST(line->>'$.lastack.part' AS BIGINT) DESC) = 1
ON CONFLICT (flow_uid) DO UPDATE SET
    part = excluded.part, final = excluded.final, ended = excluded.ended, end_us = excluded.end_us,
    packets = excluded.packets, bytes = excluded.bytes, close_kind = excluded.close_kind,
    initiator = excluded.initiator, client_state = excluded.client_state,
    client_basis = excluded.client_basis, server_state = excluded.server_state,
    server_basis = excluded.server_basis, fin_to_fin = excluded.fin_to_fin,
    close_wait = excluded.close_wait, fin_wait_2 = excluded.fin_wait_2,
    time_wait_side = excluded.time_wait_side, time_wait_until_us = excluded.time_wait_until_us,
    record = excluded.record
WHERE excluded.part >= flows.part;

INSERT OR REPLACE INTO events
SELECT line->>'$.event.id', line->>'$.event.action', CAST(line->>'$."@timestamp"' AS TIMESTAMP),
       date_trunc('hour', CAST(line->>'$."@timestamp"' AS TIMESTAMP)), line->>'$.lastack.level',
       CAST(line->>'$.event.severity' AS INTEGER), line->>'$.lastack.confidence',
       coalesce(line->>'$.lastack.blame', 'none'), line->>'$.lastack.flow_uid',
       CAST(line->>'$.lastack.incarnation' AS BIGINT),
       line->>'$.source.ip', CAST(line->>'$.source.port' AS INTEGER),
       line->>'$.destination.ip', CAST(line->>'$.destination.port' AS INTEGER),
       line->>'$.lastack.explanation', line->>'$.lastack.remedy', line
FROM raw
WHERE dataset = 'lastack.event'
QUALIFY row_number() OVER (PARTITION BY line->>'$.event.id') = 1;

INSERT OR REPLACE INTO hosts
SELECT line->>'$.lastack.scope', coalesce(line->>'$.source.ip', ''),
       coalesce(line->>'$.destination.ip', ''),
       coalesce(CAST(line->>'$.destination.port' AS INTEGER), 0),
       CAST(line->>'$.event.start' AS TIMESTAMP), CAST(line->>'$.event.end' AS TIMESTAMP),
       CAST(line->>'$.lastack.connections.opened' AS BIGINT),
       CAST(line->>'$.lastack.connections.closed' AS BIGINT),
       CAST(line->>'$.lastack.ports.in_use.most' AS BIGINT),
       CAST(line->>'$.lastack.ports.in_use.most_at' AS TIMESTAMP),
       CAST(line->>'$.lastack.time_wait.client.most' AS BIGINT),
       CAST(line->>'$.lastack.time_wait.server.most' AS BIGINT),
       CAST(line->>'$.lastack.close_wait.client.most' AS BIGINT),
       CAST(line->>'$.lastack.close_wait.server.most' AS BIGINT), line
FROM raw
WHERE dataset = 'lastack.host'
QUALIFY row_number() OVER (PARTITION BY line->>'$.lastack.scope', line->>'$.source.ip',
                           line->>'$.destination.ip', line->>'$.destination.port',
                           line->>'$.event.start') = 1;
COMMIT;
DROP TABLE raw;
