-- Loads lastack's NDJSON into SQLite (3.38 or later), as often as wanted: a connection is known by
-- its flow_uid and an event by its id, so what comes again replaces itself.
--
--     NDJSON=records.ndjson sqlite3 lastack.db < load.sql
--     sqlite3 -box lastack.db < ../sql/questions.sql

CREATE TABLE IF NOT EXISTS flows (
    flow_uid TEXT PRIMARY KEY, part INTEGER, final INTEGER, community_id TEXT, incarnation INTEGER,
    previous TEXT, started TEXT, ended TEXT, start_us INTEGER, end_us INTEGER,
    client_ip TEXT, client_port INTEGER, server_ip TEXT, server_port INTEGER,
    packets INTEGER, bytes INTEGER, close_kind TEXT, initiator TEXT,
    client_state TEXT, client_basis TEXT, server_state TEXT, server_basis TEXT,
    fin_to_fin INTEGER, close_wait INTEGER, fin_wait_2 INTEGER,
    time_wait_side TEXT, time_wait_until_us INTEGER,
    record TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS flows_by_service ON flows (server_ip, server_port);
CREATE INDEX IF NOT EXISTS flows_by_tuple ON flows (community_id);

CREATE TABLE IF NOT EXISTS events (
    event_id TEXT PRIMARY KEY, action TEXT, happened TEXT, hour TEXT, level TEXT, severity INTEGER,
    confidence TEXT, blame TEXT, flow_uid TEXT, incarnation INTEGER,
    client_ip TEXT, client_port INTEGER, server_ip TEXT, server_port INTEGER,
    explanation TEXT, remedy TEXT, record TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_action ON events (action);
CREATE INDEX IF NOT EXISTS events_by_flow ON events (flow_uid);

-- The census at the end of a run.
CREATE TABLE IF NOT EXISTS hosts (
    scope TEXT, source_ip TEXT, destination_ip TEXT, destination_port INTEGER, first TEXT, last TEXT,
    opened INTEGER, closed INTEGER, ports_most INTEGER, ports_most_at TEXT,
    time_wait_client_most INTEGER, time_wait_server_most INTEGER,
    close_wait_client_most INTEGER, close_wait_server_most INTEGER, record TEXT,
    PRIMARY KEY (scope, source_ip, destination_ip, destination_port, first)) WITHOUT ROWID;

-- Every state that a side went through.
CREATE VIEW IF NOT EXISTS states AS
SELECT flow_uid, side.value AS side, entry.key AS position,
       json_extract(entry.value, '$.state') AS state, json_extract(entry.value, '$.fact') AS fact,
       json_extract(entry.value, '$.basis') AS basis, json_extract(entry.value, '$.t') AS t,
       json_extract(entry.value, '$.packet') AS packet,
       json_extract(entry.value, '$.revoked') AS revoked
FROM flows, json_each('["client","server"]') AS side,
     json_each(flows.record, '$.lastack.' || side.value || '.history') AS entry;

CREATE TEMP TABLE raw (line TEXT);
.mode ascii
.separator "\037" "\n"
.import '|cat "$NDJSON"' raw

BEGIN;
INSERT INTO flows
SELECT json_extract(line, '$.lastack.flow_uid'), json_extract(line, '$.lastack.part'),
       json_extract(line, '$.lastack.final'), json_extract(line, '$.network.community_id'),
       json_extract(line, '$.lastack.incarnation'), json_extract(line, '$.lastack.previous'),
       json_extract(line, '$.event.start'), json_extract(line, '$.event.end'),
       strftime('%s', substr(json_extract(line, '$.event.start'), 1, 19)) * 1000000
           + CAST(substr(json_extract(line, '$.event.start'), 21, 6) AS INTEGER),
       strftime('%s', substr(json_extract(line, '$.event.end'), 1, 19)) * 1000000
           + CAST(substr(json_extract(line, '$.event.end'), 21, 6) AS INTEGER),
       json_extract(line, '$.source.ip'), json_extract(line, '$.source.port'),
       json_extract(line, '$.destination.ip'), json_extract(line, '$.destination.port'),
       json_extract(line, '$.network.packets'), json_extract(line, '$.network.bytes'),
       json_extract(line, '$.lastack.close.kind'),
       coalesce(json_extract(line, '$.lastack.close.initiator'), 'none'),
       json_extract(line, '$.lastack.client.state'), json_extract(line, '$.lastack.client.basis'),
       json_extract(line, '$.lastack.server.state'), json_extract(line, '$.lastack.server.basis'),
       json_extract(line, '$.lastack.close.fin_to_fin'),
       json_extract(line, '$.lastack.close.close_wait'),
       json_extract(line, '$.lastack.close.fin_wait_2'),
       coalesce(json_extract(line, '$.lastack.close.time_wait.side'), 'none'),
       strftime('%s', substr(json_extract(line, '$.lastack.close.time_wait.until'), 1, 19)) * 1000000
           + CAST(substr(json_extract(line, '$.lastack.close.time_wait.until'), 21, 6) AS INTEGER),
       line
FROM raw
WHERE json_valid(line) AND json_extract(line, '$.event.dataset') = 'lastack.flow'
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
SELECT json_extract(line, '$.event.id'), json_extract(line, '$.event.action'),
       json_extract(line, '$."@timestamp"'),
       substr(json_extract(line, '$."@timestamp"'), 1, 13) || ':00:00Z',
       json_extract(line, '$.lastack.level'), json_extract(line, '$.event.severity'),
       json_extract(line, '$.lastack.confidence'),
       coalesce(json_extract(line, '$.lastack.blame'), 'none'),
       json_extract(line, '$.lastack.flow_uid'), json_extract(line, '$.lastack.incarnation'),
       json_extract(line, '$.source.ip'), json_extract(line, '$.source.port'),
       json_extract(line, '$.destination.ip'), json_extract(line, '$.destination.port'),
       json_extract(line, '$.lastack.explanation'), json_extract(line, '$.lastack.remedy'), line
FROM raw
WHERE json_valid(line) AND json_extract(line, '$.event.dataset') = 'lastack.event';

INSERT OR REPLACE INTO hosts
SELECT json_extract(line, '$.lastack.scope'), coalesce(json_extract(line, '$.source.ip'), ''),
       coalesce(json_extract(line, '$.destination.ip'), ''),
       coalesce(json_extract(line, '$.destination.port'), 0),
       json_extract(line, '$.event.start'), json_extract(line, '$.event.end'),
       json_extract(line, '$.lastack.connections.opened'),
       json_extract(line, '$.lastack.connections.closed'),
       json_extract(line, '$.lastack.ports.in_use.most'),
       json_extract(line, '$.lastack.ports.in_use.most_at'),
       json_extract(line, '$.lastack.time_wait.client.most'),
       json_extract(line, '$.lastack.time_wait.server.most'),
       json_extract(line, '$.lastack.close_wait.client.most'),
       json_extract(line, '$.lastack.close_wait.server.most'), line
FROM raw
WHERE json_valid(line) AND json_extract(line, '$.event.dataset') = 'lastack.host';
COMMIT;
DROP TABLE raw;
