/*
 * sheet: a sink that writes to memory, its lines as trees, and records to give it.
 */
#ifndef LASTACK_TESTS_SHEET_H
#define LASTACK_TESTS_SHEET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../../analyzer/sink/sinks.h"

/* 2026-11-20T15:00:00.000140Z */
#define T0 INT64_C(1795186800000140000)
typedef enum status sink_maker(const struct sink_options *options, FILE *stream,
                               struct sink **ret_sink);

/* A sink that writes to memory. */
struct sheet {
    struct sink *sink;
    FILE *stream;
    char *text;
    size_t length;
};

static inline struct flow_identity some_identity(const char *client, const char *server,
                                                 uint16_t port)
{
    struct flow_identity who = {.ip_version = 4, .flow_uid = 0xabcdef, .incarnation = 2};
    inet_pton(AF_INET, client, who.end[CLIENT].address);
    inet_pton(AF_INET, server, who.end[SERVER].address);
    who.end[CLIENT].port = 40000;
    who.end[SERVER].port = port;
    who.end[CLIENT].packets = 8;
    who.end[SERVER].packets = 6;
    who.end[CLIENT].ip_bytes = 620;
    who.end[SERVER].ip_bytes = 560;
    who.previous = 0xfedcba;
    who.vlan[0] = 100;
    who.vlans = 1;
    memcpy(who.tunnel, "vxlan", sizeof "vxlan");
    return who;
}

/* Every count has a value of its own, from first on. */
static inline void number_counts(struct side_record *side, uint64_t first)
{
    uint64_t *const counts[] = {
        &side->history_dropped,
        &side->payload_bytes,
        &side->syn_count,
        &side->fin_count,
        &side->rst_count,
        &side->psh_count,
        &side->urg_count,
        &side->retransmitted_packets,
        &side->retransmitted_bytes,
        &side->retransmitted_fast,
        &side->retransmitted_timeout,
        &side->retransmitted_spurious,
        &side->out_of_order,
        &side->duplicate_acks,
        &side->sack_blocks,
        &side->dsack_blocks,
        &side->zero_windows,
        &side->window_probes,
        &side->keep_alives,
        &side->bytes_in_flight_max,
        &side->rtt_samples,
        &side->fin_packet,
        &side->fin_copies,
        &side->fin_acked_by,
        &side->rst_packet,
        &side->rst_copies,
    };
    for (size_t count = 0; count < sizeof counts / sizeof counts[0]; count++)
        *counts[count] = first + count;
}

static inline struct side_record some_side(uint64_t first)
{
    struct side_record side = {.state = STATE_TIME_WAIT, .basis = BASIS_ACKED, .history_count = 2};
    side.history[0] = (struct history_record){.t = T0,
                                              .packet = first + 1,
                                              .proof = first + 2,
                                              .state = STATE_FIN_WAIT_2,
                                              .fact = FACT_FIN_ACKED,
                                              .basis = BASIS_ACKED};
    side.history[1] = (struct history_record){.t = T0 + 900000,
                                              .packet = first + 3,
                                              .proof = first + 4,
                                              .state = STATE_TIME_WAIT,
                                              .fact = FACT_GOT_FIN,
                                              .basis = BASIS_ACKED};
    number_counts(&side, first + 10);
    side.iss_known = side.mss_known = side.window_scale_known = true;
    side.sack_known = side.timestamps_known = side.sack = true;
    side.iss = (uint32_t)first + 5;
    side.mss = (uint16_t)(first + 6);
    side.window_scale = (uint8_t)(first + 7);
    side.ttl = (uint8_t)(first + 8);
    side.rtt_min = 120000;
    side.rtt_mean = 150000;
    side.rtt_p95 = 800000;
    side.rtt_max = 900000;
    side.fin_time = T0 + 1000;
    side.rst_time = T0 + 2000;
    side.rst_form = RST_ACTIVE;
    side.rst_fit = RST_FIT_EXACT;
    return side;
}

static inline struct flow_record some_flow(void)
{
    struct flow_record flow = {.start = T0, .end = T0 + 7200000000, .final = true, .part = 1};
    flow.who = some_identity("10.0.0.1", "10.0.0.2", 443);
    flow.vantage = VANTAGE_NEAR_CLIENT;
    flow.midstream = true;
    flow.capture_gaps = 3;
    flow.direction = DIRECTION_PORTS;
    flow.side[CLIENT] = some_side(100);
    flow.side[SERVER] = some_side(200);
    flow.handshake_complete = true;
    flow.syn_to_synack = 140000;
    flow.synack_to_ack = 20000;
    flow.close_kind = CLOSE_ORDERLY;
    flow.initiator = INITIATOR_SERVER;
    flow.fin_to_fin = 1000000;
    flow.close_wait = 900000;
    flow.fin_wait_2 = 800000;
    flow.time_wait = true;
    flow.time_wait_side = SERVER;
    flow.time_wait_since = T0 + 3000;
    flow.time_wait_until = T0 + 60000003000;
    flow.time_wait_restarts = 2;
    flow.icmp_errors = 3;
    flow.icmp_last = (struct icmp_record){
        .packet = 12,
        .t = T0 + 12000,
        .ip_version = 4,
        .from = {192, 0, 2, 9},
        .type = 3,
        .code = 4,
        .mtu = 1300,
        .quoted = SERVER,
    };
    flow.zeek_state = "SF";
    snprintf(flow.zeek_history, sizeof flow.zeek_history, "ShADadFf");
    flow.caveats = UINT64_C(1) << NOTE_capture_drop | UINT64_C(1) << NOTE_midstream_start;
    flow.events[0] = EVENT_final_ack_lost;
    flow.event_count = 1;
    return flow;
}

static inline struct event_record some_event(enum event_id id, enum level level)
{
    struct event_record event = {
        .id = id, .level = level, .outcome = -1, .t = T0, .decided = T0 + 1000};
    event.who = some_identity("10.0.0.1", "10.0.0.2", 443);
    event.confidence = CONFIDENCE_PROBABLE;
    event.event_uid = 0x1234;
    event.numbers[0] = (struct number_record){"age_ns", 1200000000};
    event.numbers[1] = (struct number_record){"syn_in_window", 0};
    event.number_count = 2;
    event.details[0] = (struct detail_record){"rst_form", "reply_ack"};
    event.detail_count = 1;
    event.blame = BLAME_CLOSER;
    event.caveats = UINT64_C(1) << NOTE_one_sided;
    event.suppresses[0] = EVENT_tw_assassination;
    event.suppress_count = 1;
    event.change[CLIENT] = (struct side_change){2, STATE_SYN_SENT, STATE_CLOSED};
    event.change[SERVER] = (struct side_change){1, STATE_LAST_ACK, STATE_CLOSED};
    event.evidence[0] = (struct evidence_record){.packet = 9,
                                                 .t = T0,
                                                 .incarnation = 1,
                                                 .from = SERVER,
                                                 .flags = 0x11,
                                                 .relative_known = true,
                                                 .ack_relative_known = true,
                                                 .seq = 1,
                                                 .ack = 2,
                                                 .seq_abs = 3,
                                                 .ack_abs = 4,
                                                 .payload = 5,
                                                 .role = ROLE_REFERENCE};
    event.evidence_count = 1;
    snprintf(event.evidence[0].says, sizeof event.evidence[0].says, "the server's FIN");
    snprintf(event.explanation, sizeof event.explanation, "10.0.0.1:40000 connected again");
    snprintf(event.remedy, sizeof event.remedy, "keep TIME_WAIT");
    return event;
}

/* sheet must not move: the stream holds the address of its text. */
static inline void sheet_open(struct sheet *sheet, sink_maker *maker, struct sink_options options)
{
    options.version = "0";
    sheet->text = NULL;
    sheet->stream = open_memstream(&sheet->text, &sheet->length);
    assert_int_equal(maker(&options, sheet->stream, &sheet->sink), STATUS_OK);
}

static inline void sheet_add_flow(struct sheet *sheet, const struct flow_record *flow)
{
    assert_int_equal(sheet->sink->ops->flow(sheet->sink, flow), STATUS_OK);
}

static inline void sheet_add_event(struct sheet *sheet, const struct event_record *event)
{
    assert_int_equal(sheet->sink->ops->event(sheet->sink, event), STATUS_OK);
}

static inline void sheet_finish(struct sheet *sheet)
{
    static const struct run_summary empty = {.first = NANOTIME_UNKNOWN, .last = NANOTIME_UNKNOWN};
    assert_int_equal(sheet->sink->ops->finish(sheet->sink, &empty), STATUS_OK);
    sheet->sink->ops->free(sheet->sink);
    fclose(sheet->stream);
}

/* The n-th line of NDJSON, or of the report the only one, as a tree. */
static inline struct json_object *sheet_parse(const struct sheet *sheet, int line)
{
    const char *start = sheet->text;
    for (; line > 0; line--)
        start = strchr(start, '\n') + 1;
    size_t length = strcspn(start, "\n");
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(tokener, start, (int)length + 1);
    json_tokener_free(tokener);
    assert_non_null(root);
    return root;
}

/* The value at a path such as "lastack.client.fin"; it must be there. */
static inline struct json_object *get(struct json_object *root, const char *path)
{
    char words[256];
    snprintf(words, sizeof words, "%s", path);
    for (char *word = strtok(words, "."); word != NULL; word = strtok(NULL, ".")) {
        if (!json_object_object_get_ex(root, word, &root))
            fail_msg("no %s in %s", word, path);
    }
    return root;
}

#endif
