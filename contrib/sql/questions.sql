-- Ten questions to the tables that contrib/sqlite, contrib/duckdb and contrib/clickhouse fill from
-- lastack's NDJSON.  The same text runs in all three.

-- 1. Who leaks CLOSE_WAIT: which host, for which service, how many sockets, since when?
SELECT CASE blame WHEN 'client' THEN client_ip ELSE server_ip END AS host, server_port,
       count(*) AS sockets, min(happened) AS first
FROM events
WHERE action = 'close_wait_leak'
GROUP BY 1, 2
ORDER BY sockets DESC, host, server_port;

-- 2. Which tuples collide: a SYN met an older connection on the same addresses and ports?
SELECT client_ip, client_port, server_ip, server_port, count(*) AS collisions,
       sum(CASE WHEN level = 'error' THEN 1 ELSE 0 END) AS failed, min(happened) AS first
FROM events
WHERE action IN ('incarnation_collision', 'syn_in_last_ack_rst', 'syn_in_last_ack_challenged',
                 'syn_in_synchronized_rst', 'syn_in_established_challenged', 'syn_unresolved',
                 'tw_reopen_refused_ack', 'challenge_loop', 'challenge_ack_dropped',
                 'tw_reopen_dropped', 'nat_port_collision')
GROUP BY client_ip, client_port, server_ip, server_port
ORDER BY collisions DESC, client_ip, client_port, server_ip, server_port;

-- 3. Who runs out of ports, and when: the most that a client held at once towards one service,
--    those in its own TIME_WAIT included, and when that was (microseconds since 1970)?
WITH moves AS (
    SELECT client_ip, server_ip, server_port, start_us AS t_us, 1 AS step FROM flows
    UNION ALL
    SELECT client_ip, server_ip, server_port,
           CASE WHEN time_wait_side IN ('client', 'both') THEN time_wait_until_us ELSE end_us END AS t_us,
           -1 AS step
    FROM flows),
held AS (
    SELECT client_ip, server_ip, server_port, t_us,
           sum(step) OVER (PARTITION BY client_ip, server_ip, server_port ORDER BY t_us, step DESC
                           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ports
    FROM moves),
ranked AS (
    SELECT client_ip, server_ip, server_port, t_us, ports,
           row_number() OVER (PARTITION BY client_ip, server_ip, server_port
                              ORDER BY ports DESC, t_us) AS place
    FROM held)
SELECT client_ip, server_ip, server_port, ports, t_us
FROM ranked
WHERE place = 1
ORDER BY ports DESC, client_ip, server_ip, server_port;

-- 4. Resets over time, by whose doing they probably were?
SELECT hour, blame, count(*) AS resets
FROM events
WHERE action IN ('close_abortive_app', 'close_reset_after_fin', 'half_open_reset', 'no_state_reset',
                 'data_after_close_reset', 'rst_to_retransmitted_fin', 'stray_rst_hit',
                 'rst_injected_suspected', 'idle_drop_rst', 'conntrack_invalid_rst',
                 'icmp_unreachable_reset', 'syn_in_last_ack_rst', 'syn_in_synchronized_rst',
                 'data_before_handshake_reset')
GROUP BY hour, blame
ORDER BY hour, blame;

-- 5. The story of a connection: states and events in the order of time.  Here of the one with the
--    worst event; put a flow_uid in the place of the two inner SELECTs for another.
SELECT happened, what, side, detail
FROM (SELECT t AS happened, position AS place, 'state' AS what, side, state AS detail
      FROM states
      WHERE revoked = 0 AND flow_uid IN
            (SELECT flow_uid FROM events ORDER BY severity DESC, happened, event_id LIMIT 1)
      UNION ALL
      SELECT happened, 1000 AS place, 'event' AS what, blame AS side, action AS detail
      FROM events
      WHERE flow_uid IN
            (SELECT flow_uid FROM events ORDER BY severity DESC, happened, event_id LIMIT 1)) AS story
ORDER BY happened, place, side, detail;

-- 6. Who closes first, service by service?
SELECT server_ip, server_port, initiator, count(*) AS connections
FROM flows
WHERE final = 1
GROUP BY server_ip, server_port, initiator
ORDER BY server_ip, server_port, initiator;

-- 7. How long do servers and clients stay in CLOSE_WAIT (ns): half of them, 95 % of them, the longest?
WITH ranked AS (
    SELECT server_ip, server_port, close_wait,
           row_number() OVER (PARTITION BY server_ip, server_port ORDER BY close_wait) AS place,
           count(*) OVER (PARTITION BY server_ip, server_port) AS many
    FROM flows
    WHERE close_wait >= 0)
SELECT server_ip, server_port, count(*) AS stays,
       min(CASE WHEN place * 2 >= many THEN close_wait END) AS half,
       min(CASE WHEN place * 100 >= many * 95 THEN close_wait END) AS most_of_them,
       max(close_wait) AS longest
FROM ranked
GROUP BY server_ip, server_port
ORDER BY longest DESC, server_ip, server_port;

-- 8. Which services cannot be reached: refused and unanswered among all attempts?
SELECT server_ip, server_port, count(*) AS attempts,
       sum(CASE WHEN close_kind = 'refused' THEN 1 ELSE 0 END) AS refused,
       sum(CASE WHEN close_kind = 'unanswered' THEN 1 ELSE 0 END) AS unanswered
FROM flows
WHERE final = 1
GROUP BY server_ip, server_port
HAVING sum(CASE WHEN close_kind IN ('refused', 'unanswered') THEN 1 ELSE 0 END) > 0
ORDER BY server_ip, server_port;

-- 9. Which services have the worst events?
SELECT server_ip, server_port,
       sum(CASE WHEN level = 'error' THEN 1 ELSE 0 END) AS errors,
       sum(CASE WHEN level = 'warning' THEN 1 ELSE 0 END) AS warnings,
       count(*) AS all_events
FROM events
GROUP BY server_ip, server_port
ORDER BY errors DESC, warnings DESC, all_events DESC, server_ip, server_port
LIMIT 20;

-- 10. Which states are sides left in, and how surely is that known?
SELECT side, state, basis, count(*) AS sides
FROM (SELECT 'client' AS side, client_state AS state, client_basis AS basis FROM flows WHERE final = 1
      UNION ALL
      SELECT 'server' AS side, server_state AS state, server_basis AS basis FROM flows WHERE final = 1) AS ends
GROUP BY side, state, basis
ORDER BY side, state, basis;
