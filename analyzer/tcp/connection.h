/*
 * connection: one incarnation of a TCP connection as an observer knows it, two sides.
 *
 * Side 0 is the client (it sent the SYN, or is taken for the initiator), side 1 the server.  What a
 * side sent is certain; what reached it is presumed until it shows it (OBSERVER 1).  Sequence
 * numbers are absolute and modulo 2^32; windows are octets, scaled.
 *
 * Invariant: side.state is the state of the side's newest history entry that is not revoked, or the
 * initial state (CLOSED; UNKNOWN where the beginning was not captured).
 */
#ifndef LASTACK_TCP_CONNECTION_H
#define LASTACK_TCP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../dissect/dissect.h"
#include "../base/seq.h"
#include "../base/time.h"
#include "history.h"
#include "names.h"
#include "rtt.h"
#include "zeek.h"

enum { SIDES = 2, SIDE_HOLES = 3, FIN_COPIES = 4, RECENT_PACKETS = 8 };

/* What is known of a side, one bit each. */
enum side_flag {
    SIDE_HEARD = 0x0001,        /* it sent something */
    SIDE_ISS_KNOWN = 0x0002,    /* its SYN, or the SYN-ACK that acknowledges it, was captured */
    SIDE_SYN_SEEN = 0x0004,     /* its SYN or SYN-ACK itself was captured */
    SIDE_ACKED = 0x0008,        /* it sent an acknowledgment: rcv_nxt holds */
    SIDE_FIN_SENT = 0x0010,     /* fin_seq holds */
    SIDE_SCALED = 0x0020,       /* its SYN carried a window scale */
    SIDE_SACK = 0x0040,         /* its SYN permitted SACK */
    SIDE_TIMESTAMPS = 0x0080,   /* its SYN carried timestamps */
    SIDE_MSS = 0x0100,          /* its SYN carried an MSS */
    SIDE_ZERO_WINDOW = 0x0200,  /* its last window was 0 */
    SIDE_GOOD_SUM = 0x0400,     /* a segment of it had a right checksum: a wrong one means damage */
    SIDE_TIMED = 0x0800,        /* a segment is being timed for the RTT */
    SIDE_TSVAL = 0x1000,        /* tsval_first and tsval_last hold */
    SIDE_FIN_IN_ORDER = 0x2000, /* everything before its FIN passed the observer */
    SIDE_PROBED = 0x4000,       /* its last segment was a keep-alive or window probe */
    SIDE_SYN_CUT = 0x8000,      /* the capture cut the options of its SYN: some are not known */
};

/* A range of a side's stream that did not pass the observer. */
struct hole {
    seq left, right;
    nanotime since;
};

/* A packet that a later deduction may have to name. */
struct packet_ref {
    uint64_t packet; /* 0: none */
    nanotime t;
    seq sequence, acknowledgment;
    uint32_t payload;
    uint8_t flags;
    uint8_t from;  /* side */
    uint16_t none; /* zero, not padding: parked connections are made of whole words */
};

/* Counters of a side (RECORDS, flow); what every segment counts stands first. */
struct tally {
    uint64_t packets, ip_bytes, payload_bytes;
    uint32_t pshs, in_flight_max;
    uint32_t duplicate_acks, syns, fins, rsts, urgs;
    uint32_t retransmitted, fast, timeout, spurious;
    uint32_t out_of_order, sack_blocks, dsack_blocks;
    uint32_t zero_windows, window_probes, keep_alives;
    uint64_t retransmitted_bytes;
};

/*
 * One side, by cache lines, of which many processors fetch two together: what an ordinary segment
 * asks and changes of both sides, and the round trips of the other; what it writes of its own
 * alone, and its counters; then what is seldom needed.
 */
struct side {
    seq iss;             /* initial sequence number; without SIDE_ISS_KNOWN one below the first */
    seq snd_nxt;         /* highest END it sent */
    seq snd_una;         /* highest acceptable ACK the peer sent */
    seq rcv_nxt;         /* highest ACK it sent */
    seq right_edge;      /* highest ACK + window it advertised */
    uint32_t window;     /* last advertised, scaled */
    uint32_t max_window; /* largest advertised, scaled */
    uint32_t tsval_last; /* highest TSval it sent */
    uint32_t ts_recent;  /* highest TSval of the peer in order (RFC 7323 4.3) */
    uint16_t flags;      /* enum side_flag */
    uint16_t last_window_field; /* as in the header */
    uint16_t mss;               /* with SIDE_MSS */
    uint8_t window_scale;
    uint8_t state;              /* enum tcp_state */
    uint8_t basis;              /* enum basis of that state */
    uint8_t holes;              /* in hole[] */
    uint8_t duplicate_acks_now; /* in a row, of the acknowledgment it repeats */
    uint8_t last_data_flags;    /* control bits of its last segment that occupies sequence space */
    nanotime timed_t;           /* with SIDE_TIMED, and so: */
    seq timed_end;
    uint32_t timed_tsval;

    struct rtt rtt; /* of its segments */

    nanotime last_t;      /* of its last segment */
    nanotime last_data_t; /* as last_data_flags, and so: */
    uint64_t last_data_packet;
    seq last_data_sequence, last_data_acknowledgment;
    uint32_t last_data_payload;
    seq acked_with_data;     /* the acknowledgment in its last segment with payload */
    uint64_t rcv_nxt_packet; /* of the segment with which it first sent rcv_nxt */
    nanotime rcv_nxt_t;
    uint32_t tsval_first; /* first TSval it sent */
    uint16_t last_ip_id;  /* of its last segment: written, seldom read */
    uint16_t syn_payload; /* with SIDE_SYN_SEEN: of its SYN or SYN-ACK, first copy: octets
                             it carried (RFC 7413) */

    struct tally tally;
    nanotime round_trip; /* tap, side, tap, from the handshake; 0 unknown */
    seq fin_seq;         /* of its FIN octet */
    seq sack_edge;       /* right edge of the highest block it selectively acknowledged */
    bool sack_edge_known;
    uint8_t ttl;            /* of its first packet */
    uint8_t syn_flags;      /* as syn_payload: control bits */
    seq syn_acknowledgment; /* its acknowledgment field */
    uint64_t syn_packet;
    nanotime syn_t;
    struct hole hole[SIDE_HOLES];
};

_Static_assert(offsetof(struct side, rtt) == 64 && offsetof(struct side, last_t) == 128 &&
                   offsetof(struct side, tally) == 192 && sizeof(struct side) % 128 == 0,
               "cache lines, in pairs");

/* A copy of a FIN: which of them arrived is told by the echo of its time stamp. */
struct fin_copy {
    uint64_t packet;
    nanotime t;
    uint32_t tsval;
};

/* What followed a side's first reset: whether the side meant it, and whether it was heeded. */
struct aftermath {
    struct packet_ref latest;    /* its latest reset after the first */
    struct packet_ref went_on;   /* its first segment since that is no reset */
    struct packet_ref challenge; /* the peer's first pure ACK since, but for what was under way */
    struct packet_ref exact;     /* its reset at the challenge's acknowledgment */
    seq snd_nxt[SIDES];          /* of both sides when the first reset passed; with `numbered` */
    bool numbered[SIDES];        /* the side had sent by then, or the peer had acknowledged it */
    uint8_t before[SIDES];       /* enum tcp_state of both sides when the first reset passed */
    uint8_t before_basis;        /* enum basis of the side's own */
};

/* Kept from the first FIN or RST on. */
struct closing {
    /* what nearly every close has */
    uint32_t fins[SIDES];
    seq carrier_end[SIDES]; /* END of the peer's first occupying segment that acked the FIN */
    bool carrier[SIDES];
    bool time_wait_acked[SIDES];
    uint8_t copies[SIDES];
    uint8_t rst_form[SIDES], rst_fit[SIDES];
    uint32_t time_wait_restarts[SIDES];
    nanotime time_wait_started[SIDES];     /* last (re)start of 2MSL */
    struct packet_ref fin_ack[SIDES];      /* first segment that acknowledges the side's FIN */
    struct packet_ref fin_ack_last[SIDES]; /* latest such segment */
    struct packet_ref fin[SIDES];          /* first FIN of the side */
    struct fin_copy copy[SIDES][FIN_COPIES];
    /* and what few have */
    struct packet_ref fin_again[SIDES]; /* latest repetition of the FIN */
    struct packet_ref rst[SIDES];       /* first RST of the side */
    struct packet_ref to_time_wait;     /* latest segment that reached a side in TIME_WAIT */
    struct packet_ref time_wait_ack;    /* latest ACK that a side in TIME_WAIT sent */
    struct aftermath aftermath[SIDES];  /* of rst[] */
    uint64_t none;                      /* zero: parked ones are made of whole groups of words */
};

/* One slot of the memory against packets that a mirror port delivers twice (OBSERVER 5). */
struct recent_packet {
    uint32_t micros; /* capture time modulo 2^32 us */
    uint16_t ip_id;
    uint8_t ttl;
    uint8_t origin; /* who sent it, and above that bit what interface it was seen on */
};

/* By side, how far Zeek's view is behind (zeek_trail.h). */
struct zeek_trail {
    uint8_t follows[SIDES]; /* enum zeek_trail_bit, and of enum zeek_seen; both 0: it is not */
    uint16_t silent[SIDES]; /* gaps in its stream that may be counted before one is a letter */
};

/* By cache lines: what every segment needs, and whoever holds a connection has something of its own
 * before that; the copies; the sides; then what ordinary segments do not need.
 */
struct connection {
    nanotime last_t; /* last segment */
    struct zeek_trail trail;
    uint8_t recent_next;                   /* slot of recent[] that is taken next */
    uint32_t recent_print[RECENT_PACKETS]; /* of the TCP headers of recent[] */
    struct recent_packet recent[RECENT_PACKETS];
    struct side side[SIDES];
    struct zeek_view zeek;
    nanotime started;         /* first segment */
    nanotime syn_t, synack_t; /* handshake; NANOTIME_UNKNOWN */
    struct closing *closing;  /* NULL until the first FIN or RST; owned */
    nanotime closed_at; /* when both sides had become CLOSED; NANOTIME_UNKNOWN while one is not */
    uint64_t capture_gaps;
    uint64_t caveats;    /* bits of the integrity notes, as the flow's record has them */
    uint8_t third_flags; /* of the ACK of the SYN-ACK, where it carried nothing */
    uint8_t direction;   /* 0 SYN, 1 SYN-ACK, 2 ports, 3 first packet */
    bool midstream : 1;
    bool refusing_syn : 1; /* set by the caller: this segment answers a SYN that TIME_WAIT refuses
                          for its sequence number, which does not start 2MSL anew */
    bool corrupted : 1;    /* set by the caller: its receiver took octets that nobody of it sent,
                          so an ACK beyond SND.NXT is no gap of the capture */
    bool synack_repeated : 1; /* before its ACK: which one that answers is not known */
    bool acknowledged : 1;    /* the SYN-ACK was, by the client */
    bool reordered : 1;       /* the capture swapped a SYN-ACK and its SYN, or an ACK and its FIN */
    bool simultaneous_open : 1;
    uint8_t course : 3;    /* enum course: how far it came that took the usual one */
    seq third_sequence;    /* as third_flags */
    nanotime ack_t;        /* as synack_t */
    uint64_t third_packet; /* as third_flags; 0: none */
    struct history history;
};

/* Octets of the cache line in which a connection begins that are its holder's. */
enum { CONNECTION_HEAD = 16 };

_Static_assert(offsetof(struct connection, recent) + CONNECTION_HEAD == 64, "a cache line");
_Static_assert(offsetof(struct connection, side) + CONNECTION_HEAD == 128, "a pair of them");

/* What a segment did to a side. */
enum change_kind {
    CHANGE_MOVED,     /* an arrow of figure 5 */
    CHANGE_CONFIRMED, /* a presumed state is proven */
    CHANGE_REVOKED,   /* a presumed state never was: the segment was lost */
    CHANGE_CROSSED,   /* a presumed state comes later: the segments crossed */
};

struct change {
    enum change_kind kind;
    uint8_t side;
    enum tcp_state before, after;
    enum fact fact;
    uint64_t packet; /* of the segment whose arrival is confirmed or denied */
    nanotime t;
};

enum { STEP_CHANGES = 12, STEP_CELLS = 12 };

/* A cell of the grid that has no arrow: (state, fact) of a side. */
struct cell {
    uint8_t side, state, fact;
    bool unexpected; /* neither an arrow nor a harmless repeat */
};

/* Everything one segment meant; plain value, valid until the next segment. */
struct step {
    const struct segment *segment;
    int from;
    seq end;       /* SEQ + LEN + SYN + FIN */
    nanotime idle; /* how long nothing had passed either way; 0 for the first segment */
    struct packet_ref occupied; /* the side's last segment before that occupies sequence space */
    enum tcp_state before[SIDES];
    enum basis before_basis[SIDES];
    /* from here on 0 at first */
    uint8_t verdict; /* enum segment_verdict of event/record.h, as the analyzer sets it */
    bool retransmission, out_of_order, spurious, keep_alive, window_probe, duplicate_ack;
    bool fin_repeated; /* the side's FIN again, the same sequence number */
    bool damaged;      /* a wrong checksum, or no memory: it was counted and moves nobody */
    bool acks_unsent;  /* acknowledges what the peer is not known to have sent */
    bool stray;        /* answers a connection before this one: it was counted and moves nobody */
    bool injected;     /* an RST that its alleged sender most likely did not send */
    bool ordinary;     /* new data or a new ACK, in order; it moved nobody (ordinary.h) */
    enum rst_form rst_form;
    enum rst_fit rst_fit;
    uint32_t changes, cells;
    struct change change[STEP_CHANGES]; /* the first `changes` hold */
    struct cell cell[STEP_CELLS];       /* the first `cells` hold */
};

/* The side opposite. */
static inline int side_other(int side)
{
    return side ^ 1;
}

static inline bool side_has(const struct side *side, enum side_flag flag)
{
    return (side->flags & flag) != 0;
}

/* Whether its own words, or its SYN's acknowledgment, tell its numbers: else iss, snd_nxt and
 * snd_una are what the peer acknowledged, once the peer has SIDE_ACKED, and mean nothing before. */
static inline bool side_is_numbered(const struct side *side)
{
    return (side->flags & (SIDE_HEARD | SIDE_ISS_KNOWN)) != 0;
}

/* Whether a segment is a SYN or a SYN-ACK: with RST it is a reset alone (RFC 9293 3.10.7). */
static inline bool segment_opens(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_RST)) == TCP_SYN;
}

/* Sequence numbers that a segment takes. */
static inline uint32_t segment_occupies(const struct segment *segment)
{
    return segment->payload + ((segment->flags & TCP_SYN) != 0) + ((segment->flags & TCP_FIN) != 0);
}

/* Starts an incarnation with its first segment, from side `from`; the memory is zeroed here. */
void connection_start(struct connection *connection, const struct segment *first, int from);

/*
 * Takes one segment of this incarnation and says in *ret_step what it meant.
 * two_msl: 2MSL in ns.  Returns false when memory for the closing block ran out (the segment is
 * then counted but moves nobody).  Sources: RFC 9293 3.10.7, RFC 5961, RFC 7323 4.3.
 */
bool connection_segment(struct connection *connection, const struct segment *segment, int from,
                        struct step *ret_step);

/* The same for every segment, without the short way that ordinary.h is: a test compares them. */
bool connection_segment_fully(struct connection *connection, const struct segment *segment,
                              int from, struct step *ret_step);

/* Applies 2MSL to a side in TIME_WAIT at `deadline`. */
void connection_two_msl(struct connection *connection, int side, nanotime deadline,
                        struct step *step);

/*
 * The end of a side's old incarnation that shows elsewhere on the tuple: its own candidate SYN
 * (fact SND_SYN, presumed) or its SYN-ACK of a new one (fact SND_SYNACK, sent).
 */
void connection_forget(struct connection *connection, int side, enum fact fact, enum basis basis,
                       const struct segment *segment, struct step *step);

/* Confirms, or revokes, a presumed end that connection_forget(SND_SYN) or an RST had brought. */
void connection_confirm_end(struct connection *connection, int side, const struct segment *by,
                            struct step *step);
void connection_revoke_forget(struct connection *connection, int side, const struct segment *by,
                              struct step *step);
/* A side presumed CLOSED by the ACK of its FIN shows its old socket (an RST at its SND.NXT). */
void connection_revoke_last_ack(struct connection *connection, int side, const struct segment *by,
                                struct step *step);

/* When TIME_WAIT of that side ends, or NANOTIME_UNKNOWN when it is not in TIME_WAIT. */
nanotime connection_time_wait_end(const struct connection *connection, int side, nanotime two_msl);

/* Whether both sides are CLOSED (or were never there), presumed or not. */
static inline bool connection_is_closed(const struct connection *connection)
{
    return connection->side[0].state == STATE_CLOSED && connection->side[1].state == STATE_CLOSED;
}

/* Takes a reference of a segment. */
static inline struct packet_ref packet_ref_of(const struct segment *segment, int from)
{
    return (struct packet_ref){
        .packet = segment->packet,
        .t = segment->time,
        .sequence = segment->sequence,
        .acknowledgment = segment->acknowledgment,
        .payload = segment->payload,
        .flags = segment->flags,
        .from = (uint8_t)from,
    };
}

void connection_clear(struct connection *connection); /* frees what it owns */

#endif
