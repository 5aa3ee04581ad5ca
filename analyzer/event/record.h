/*
 * record: what leaves the engine, as plain values.
 *
 * A flow, an event, a transition and a segment are expanded into one of these structs at the moment
 * they are written; sinks read them and know nothing of how the engine keeps its tables.  Strings
 * are static or live in the record; a record is valid for the call that hands it over.
 *
 * Durations and moments are ns (base/time.h); NANOTIME_UNKNOWN is null in JSON.  Packet number 0 is
 * null.  side_index 0 is the client (ECS source), 1 the server (ECS destination).
 */
#ifndef LASTACK_EVENT_RECORD_H
#define LASTACK_EVENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/time.h"
#include "../tcp/names.h"
#include "catalogue.h"
#include "passage.h"
#include "spelled.h"

enum {
    CLIENT = 0,
    SERVER = 1,
    RECORD_HISTORY = 64, /* entries of a side's history at most (RECORDS, flow) */
    RECORD_VLANS = 4,
    RECORD_TUNNEL = 160, /* octets of the path of encapsulation, NUL included */
    RECORD_EVENTS = 32,  /* distinct event ids named by a flow at most */
    RECORD_NUMBERS = 24,
    RECORD_DETAILS = 16,
    RECORD_EVIDENCE = 16,
    RECORD_SUPPRESSES = 4,
    RECORD_ZEEK_HISTORY = 64,
    RECORD_PASSAGES = 7 /* other taps */
};

enum direction { DIRECTION_SYN, DIRECTION_SYNACK, DIRECTION_PORTS, DIRECTION_FIRST_PACKET };

enum vantage { VANTAGE_UNKNOWN, VANTAGE_NEAR_CLIENT, VANTAGE_NEAR_SERVER, VANTAGE_MIDDLE };

/* RECORDS, close.kind. */
enum close_kind {
    CLOSE_REFUSED,
    CLOSE_UNANSWERED,
    CLOSE_SUPERSEDED,
    CLOSE_RESET,
    CLOSE_SIMULTANEOUS,
    CLOSE_ORDERLY,
    CLOSE_TIMED_OUT,
    CLOSE_HALF_CLOSED,
    CLOSE_OPEN,
    CLOSE_KINDS
};

enum initiator { INITIATOR_NONE, INITIATOR_CLIENT, INITIATOR_SERVER, INITIATOR_BOTH };

struct history_record {
    nanotime t;
    uint64_t packet;     /* the segment that moved the side; 0 for a timer */
    uint64_t proof;      /* the side's own packet that proves it; 0 while presumed */
    uint64_t revoked_by; /* 0 unless revoked */
    bool revoked;        /* beside it: both are nearly always zero, and looked at together */
    enum tcp_state state;
    enum fact fact;
    enum basis basis;
};

struct endpoint_record {
    uint8_t address[16]; /* network order, IPv4 in the first four octets */
    uint16_t port;
    uint64_t packets;
    uint64_t ip_bytes;
};

struct side_record {
    enum tcp_state state; /* the last state, and how it is known */
    enum basis basis;
    struct history_record history[RECORD_HISTORY];
    uint32_t history_count;
    uint64_t history_dropped;
    bool iss_known; /* false: null */
    uint32_t iss;
    uint64_t payload_bytes; /* retransmissions included */
    uint64_t syn_count, fin_count, rst_count, psh_count, urg_count;
    uint64_t retransmitted_packets, retransmitted_bytes;
    uint64_t retransmitted_fast, retransmitted_timeout, retransmitted_spurious;
    uint64_t out_of_order, duplicate_acks, sack_blocks, dsack_blocks;
    uint64_t zero_windows, window_probes, keep_alives;
    uint64_t bytes_in_flight_max;
    bool mss_known, window_scale_known, sack_known,
        timestamps_known; /* from its SYN; false: null */
    bool sack, timestamps;
    uint8_t window_scale;
    uint8_t ttl; /* of its first packet; 0: null (it sent nothing) */
    uint16_t mss;
    uint64_t rtt_samples;                         /* 0: the other rtt fields are unknown */
    nanotime rtt_min, rtt_mean, rtt_p95, rtt_max; /* from the side's segments to their ACKs */
    uint64_t fin_packet;                          /* first FIN; 0: "fin" is null */
    nanotime fin_time;
    uint64_t fin_copies;
    uint64_t fin_acked_by; /* 0: null */
    uint64_t rst_packet;   /* first RST; 0: "rst" is null */
    nanotime rst_time;
    uint64_t rst_copies;
    enum rst_form rst_form;
    enum rst_fit rst_fit;
};

/* What a flow and everything said about it share: who spoke to whom. */
struct flow_identity {
    uint8_t ip_version;
    struct endpoint_record end[2]; /* [CLIENT], [SERVER] */
    uint64_t flow_uid;
    uint32_t incarnation;
    uint64_t previous; /* flow_uid of the incarnation before; 0: null */
    uint8_t vlans;
    uint16_t vlan[RECORD_VLANS];
    char tunnel[RECORD_TUNNEL]; /* path of encapsulation; empty: null */
};

/* An ICMP error about a segment of the flow. */
struct icmp_record {
    uint64_t packet;
    nanotime t;
    uint8_t ip_version; /* 4: type and code are of ICMP; 6: of ICMPv6 */
    uint8_t from[16];   /* who reported it */
    uint8_t type, code;
    uint32_t mtu; /* 0: null */
    int quoted;   /* side_index of the sender of the quoted segment */
};

struct flow_record {
    struct flow_identity who;
    nanotime start, end;
    bool final;
    uint32_t part; /* from 1 */
    enum vantage vantage;
    bool midstream, one_sided;
    uint64_t capture_gaps;
    enum direction direction;
    struct side_record side[2];
    bool handshake_complete;
    nanotime syn_to_synack, synack_to_ack;
    enum close_kind close_kind;
    enum initiator initiator;
    nanotime fin_to_fin, close_wait, fin_wait_2;
    bool time_wait;      /* false: close.time_wait is null */
    bool time_wait_both; /* both sides held it: "side" is "both" */
    int time_wait_side;  /* side_index */
    nanotime time_wait_since, time_wait_until;
    uint64_t time_wait_restarts;
    const char *zeek_state; /* conn_state */
    char zeek_history[RECORD_ZEEK_HISTORY];
    uint64_t icmp_errors; /* 0: "icmp" is null */
    struct icmp_record icmp_last;
    uint64_t caveats; /* bits of enum note_id */
    enum event_id events[RECORD_EVENTS];
    uint32_t event_count;
    const struct spelled *spelled; /* NULL; valid for the call only, as the record is */
};

/* One packet that a deduction stands on. */
struct evidence_record {
    uint64_t packet;
    int tap; /* which of several taps saw it, from 0; 0 without taps */
    nanotime t;
    uint32_t incarnation;
    int from; /* side_index in the event's own flow */
    uint8_t flags;
    bool relative_known, ack_relative_known; /* false: seq, or ack, is null */
    uint32_t seq, ack;                       /* relative to the ISNs of its incarnation */
    uint32_t seq_abs, ack_abs;
    uint32_t payload;
    enum evidence_role role;
    char says[160];
};

struct number_record {
    const char *name; /* ends in _ns for a duration */
    int64_t value;
};

struct detail_record {
    const char *name;
    const char *value;
};

struct side_change {
    uint32_t incarnation;
    enum tcp_state before, after;
};

struct event_record {
    struct flow_identity who; /* packets and bytes are those up to now */
    enum event_id id;
    enum level level; /* may differ from the row's usual level */
    enum confidence confidence;
    enum blame blame;
    uint64_t event_uid;
    uint64_t caused_by; /* event_uid; 0: null */
    int outcome;        /* enum event_id; -1: null */
    uint64_t caveats;
    nanotime t; /* of the trigger */
    nanotime decided;
    struct side_change change[2];
    struct number_record numbers[RECORD_NUMBERS];
    uint32_t number_count;
    struct detail_record details[RECORD_DETAILS];
    uint32_t detail_count;
    struct evidence_record evidence[RECORD_EVIDENCE];
    uint32_t evidence_count;
    enum event_id suppresses[RECORD_SUPPRESSES];
    uint32_t suppress_count;
    char explanation[1536];
    char remedy[768];
};

struct transition_record {
    struct flow_identity who;
    int side;
    enum tcp_state from;
    struct history_record entry;
};

/* What was made of a segment. */
enum segment_verdict {
    VERDICT_NEW,
    VERDICT_RETRANSMISSION,
    VERDICT_OUT_OF_ORDER,
    VERDICT_DUPLICATE_ACK,
    VERDICT_KEEP_ALIVE,
    VERDICT_WINDOW_PROBE,
    VERDICT_COPY, /* the capture delivered the packet twice */
    VERDICT_BAD_CHECKSUM,
    VERDICT_STRAY, /* from an earlier incarnation, or from nowhere */
    VERDICT_UNEXPECTED,
    VERDICT_ELSEWHERE, /* another tap alone shows it: it had no part in the deductions */
    SEGMENT_VERDICTS
};

struct segment_record {
    struct flow_identity who;
    uint64_t packet;
    nanotime t;
    int from; /* side_index */
    uint8_t flags;
    bool relative_known, ack_relative_known; /* false: seq, or ack, is null */
    uint32_t seq, ack, seq_abs, ack_abs;
    uint32_t payload;
    uint64_t window; /* scaled */
    bool timestamps; /* false: tsval and tsecr are null */
    uint32_t tsval, tsecr;
    enum tcp_state after[2];
    enum basis after_basis[2];
    enum segment_verdict verdict;
    int tap;                              /* the one whose packet it is; 0 without taps */
    struct passage path[RECORD_PASSAGES]; /* with several taps: one for each other tap */
    uint32_t path_count;
};

/* Of a piece of a capture: the segments of a tuple whose meaning other pieces decide. */
struct tape_record {
    struct flow_identity who; /* the tuple's ends, whichever is the client; nothing else of it */
    nanotime t;               /* of the earliest */
    uint64_t first_packet;    /* that holds one */
    uint64_t items;
    const uint8_t *octets; /* as analyzer_replay() takes them */
    size_t count;
};

/* Of a piece of a capture: what its census of hosts was told, in order. */
struct deltas_record {
    nanotime t; /* of the first */
    uint64_t items;
    const uint8_t *octets; /* one behind the other, as told_unpack() takes them */
    size_t count;
};

const char *direction_name(enum direction direction);
const char *vantage_name(enum vantage vantage); /* NULL for VANTAGE_UNKNOWN */
const char *close_kind_name(enum close_kind kind);
const char *initiator_name(enum initiator initiator); /* NULL for INITIATOR_NONE */
const char *segment_verdict_name(enum segment_verdict verdict);

#endif
