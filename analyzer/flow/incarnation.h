/*
 * incarnation: one life of a tuple (RFC 9293 3.4.1), and the tuple that holds them.
 *
 * A tuple has at most one current incarnation, one candidate (a SYN whose answer decides, OBSERVER
 * 3), one retiring (its successor was accepted; its last proof may still come) and tombstones.
 */
#ifndef LASTACK_FLOW_INCARNATION_H
#define LASTACK_FLOW_INCARNATION_H

#include <stddef.h>

#include "../base/fetch.h"
#include "../tcp/connection.h"
#include "key.h"
#include "story.h"
#include "tombstone.h"
#include "transcript.h"

/* How a responder answered a candidate SYN. */
enum syn_answer {
    ANSWER_NONE,
    ANSWER_SYNACK,  /* SYN-ACK of the new ISN */
    ANSWER_RST_NEW, /* RST that acknowledges the SYN: SEQ 0, ACK = ISN + 1 */
    ANSWER_RST_OLD, /* RST at the old SND.NXT */
};

/*
 * A SYN into a tuple whose previous incarnation may be alive: the case that the collision's
 * detectors decide.  Everything about the old incarnation is copied here, as it was when the SYN
 * passed: the old one may be gone by the time of the answer.
 */
struct collision {
    uint64_t old_uid;
    uint32_t old_number;
    bool old_synchronized;
    bool old_midstream;     /* its beginning was not captured */
    bool old_gapped;        /* nor all that was acknowledged */
    int old_side_of[SIDES]; /* role in the old incarnation of the candidate's client and server */
    struct tombstone_side old[SIDES];   /* by the candidate's roles */
    enum tcp_state state_before[SIDES]; /* of the old sides, by the candidate's roles */
    enum basis basis_before[SIDES];
    enum tcp_state state_after;   /* of the old responder, after what its answer revoked */
    nanotime old_last_t;          /* last segment of the old incarnation */
    nanotime old_time_wait_since; /* responder's, when it was in TIME_WAIT */
    uint32_t responder_ts_recent;
    seq responder_right_edge;
    bool fin_after_syn;    /* the responder repeated its FIN after the SYN: LAST_ACK for certain */
    bool rst_by_initiator; /* the initiator reset the challenged old connection */
    bool syn_repeated;     /* the SYN was sent again */
    uint32_t challenges;   /* ACKs in the old numbers */
    uint32_t rounds;       /* of these, those with a SYN since the one before */
    uint32_t resets;       /* of the initiator, one a round */
    uint32_t syns;         /* copies of the SYN after the first */
    enum syn_answer answer;
    bool decided;                             /* the events are raised */
    struct packet_ref old_fin, old_final_ack; /* of the responder's close, if any */
    struct packet_ref syn;                    /* first copy */
    struct packet_ref syn_last;               /* latest copy */
    struct packet_ref peer_syn;               /* the responder's own: both opened at once */
    struct packet_ref challenge;              /* first ACK in the old numbers */
    struct packet_ref challenge_last;
    struct packet_ref reset; /* the initiator's RST to it */
    struct packet_ref reset_last;
    struct packet_ref fin_again; /* with fin_after_syn */
    struct packet_ref reply;     /* the SYN-ACK or RST */
    enum rst_form reply_form;
    bool resumed; /* its sender went on in the old numbers: the SYN was nobody's */
    uint32_t syn_tsval, syn_tsecr;
    bool syn_timestamps;
    bool syn_cut;      /* the capture cut its options: whether it had timestamps is not known */
    nanotime deadline; /* when a challenged case is decided at the latest; unknown: none */
};

/* The final ACK's story: lost or missing, until it is repaired. */
struct final_ack_story {
    bool open, told;
    bool missing; /* no ACK of the FIN had passed */
    bool echoed;  /* missing: the repair echoes the FIN's first copy, so that one had arrived */
    bool new_syn; /* missing: the peer sent a new SYN since, so it is there */
    uint8_t side; /* in LAST_ACK */
    uint8_t peer_state; /* enum tcp_state of the other side when the first loss showed */
    uint32_t losses, repairs;
    struct packet_ref final_ack, again; /* the ACK that was lost, what showed it */
    struct packet_ref repair;           /* the latest ACK since */
    nanotime deadline;
};

/* An old segment that the receiver would accept; whether it did is seen by its next ACK. */
struct hazard {
    bool open;
    uint8_t to; /* side that may have taken it */
    bool rst;
    uint32_t matched_number; /* incarnation it comes from */
    uint64_t matched_uid;
    struct packet_ref original; /* the segment of which it is a copy; packet 0: unknown */
    seq old_iss[SIDES];         /* of the matched incarnation, by this one's sides */
    uint32_t strength;          /* enum stray_match */
    struct packet_ref stray;
    bool at_edge;    /* it begins at RCV.NXT: a cumulative ACK would show its octets */
    seq left, right; /* octets that nobody of this incarnation had sent */
    enum tcp_state state[SIDES];
    nanotime age;
};

/* What of a connection is being decided, or was told: most have nothing of it. */
struct doubts {
    struct hazard hazard;
    struct final_ack_story final_ack;
};

enum { RAISED_WORDS = 2 }; /* room for 128 kinds of events */

enum incarnation_flag {
    INCARNATION_SYNCHRONIZED = 0x01, /* the responder answered: there is, or was, a connection */
    INCARNATION_COLLIDED = 0x02,     /* a SYN of the next connection met it */
};

struct icmp_story;

/* First what every segment needs, as the connection itself begins. */
struct incarnation {
    _Alignas(64) uint8_t client_end; /* end of the tuple that is side 0 */
    uint8_t flags;                   /* enum incarnation_flag */
    uint8_t last_next;
    uint8_t vlans;
    uint8_t told[SIDES]; /* enum holding: what the census was told last */
    uint8_t told_once;   /* bits of enum delta_what that it was told for good */
    bool superseded;     /* a new incarnation was accepted while this one was not closed */
    uint64_t notes;      /* bits of the integrity notes that its packets gave */
    struct connection connection;
    uint16_t vlan[SEGMENT_VLANS];
    struct encapsulation *around; /* its first packet's tunnels, the client's end as source; NULL
                                     for none; owned */
    struct last_segment last[LAST_SEGMENTS];
    struct collision *collision; /* NULL, or owned */
    struct story *story;         /* NULL, or owned: what an ordinary connection has not */
    struct doubts *doubts;       /* the same: incarnation_doubts() */
    uint32_t watched; /* bits of the rows of watches.def whose deadline has passed since */
    uint32_t strays;  /* old segments that came to it */
    uint64_t uid, previous;
    uint32_t index;                /* slot in its pool */
    uint32_t number;               /* incarnation of the tuple, from 1 */
    uint64_t raised[RAISED_WORDS]; /* bits of enum event_id: incarnation_raised() */
    uint64_t first_packet;
    nanotime seen_t;         /* its last packet when the eviction looked at it */
    struct icmp_story *icmp; /* NULL, or owned: ICMP errors about its segments */
    uint32_t part;           /* records written at active timeouts */
    uint32_t owner;          /* the tuple that it is of: its slot in its pool */
    uint32_t beside;         /* octets of what it owns beside itself, as they were counted last */
};

_Static_assert(offsetof(struct incarnation, connection) == CONNECTION_HEAD, "by cache lines");
_Static_assert(offsetof(struct incarnation, last) % 64 == 0, "none lies in two");

/* The one SYN of a tuple that has seen nothing else (embryo.h). */
struct embryo {
    nanotime time;
    uint64_t packet;
    seq sequence;
    uint32_t tsval, tsecr;
    uint16_t window, ip_id, checksum, mss, ip_length, options, vlan;
    uint8_t flags, window_scale, ttl, seen_on;
    uint8_t checksum_verdict : 2, cut : 1, vlans : 1, end : 1;
};

enum { FORETOLD_STAYS = 4 };

/*
 * What is counted and told of a parked connection when it ends, if nothing comes of it before: so
 * that it need not be brought back for its end (foretold.h).  It lies in the room that its tuple
 * has; struct parked has the rest.
 */
struct foretold {
    uint32_t ip_bytes[SIDES];
    uint32_t length[FORETOLD_STAYS]; /* of its stays (dwell.h), ns: the lower 32 bits */
    uint16_t packets[SIDES];
    uint8_t length_above[FORETOLD_STAYS]; /* those above */
    uint8_t stay[FORETOLD_STAYS];         /* enum foretold_stay */
    uint32_t known : 1;                   /* else nothing here holds */
    uint32_t rests : 1;                   /* its deadline is the end of its only TIME_WAIT */
    uint32_t stays : 3;
    uint32_t kind : 4, initiator : 2; /* as in struct outcome */
    uint32_t handshake_complete : 1, answered : 1, is_closed : 1, client_end : 1;
    uint32_t told_client : 3, told_server : 3; /* incarnation.told */
    uint32_t told_once : 8;
    uint32_t presumed_client : 1, presumed_server : 1; /* how the side was left */
    uint32_t recorded : 1; /* its record is wanted, and made of its segments: account.h; no stays */
};

_Static_assert(sizeof(struct foretold) == 40, "it fits beside the pointer");

/* What goes first when memory is short (DESIGN): queues of tuples, the oldest in front.  Of a crowd
 * of embryos those that came later stand in the nest (nest.h). */
enum tuple_queue {
    QUEUE_NONE,
    QUEUE_GRAVES,
    QUEUE_EMBRYOS,
    QUEUE_CLOSED,
    QUEUE_LIVE,
    QUEUE_PACKED, /* open ones, packed: stow.h */
    QUEUE_NOTED,  /* open ones, kept as their segments */
    QUEUE_STOWED, /* the same, packed */
    QUEUES,
    QUEUE_NEST = QUEUES
};

struct parked;

/* What names it, and leads to what an ordinary segment needs, is its first cache line. */
struct tuple {
    struct flow_key key;
    uint32_t index : 31;   /* slot in its pool */
    uint32_t resting : 1;  /* nothing is left but the count of its incarnations, until `armed` */
    uint32_t numbers : 21; /* incarnations so far */
    uint32_t queue : 4;    /* enum tuple_queue */
    uint32_t embryonic : 1;
    uint32_t is_parked : 1;      /* the current incarnation is, and there is nothing else */
    uint32_t is_transcribed : 1; /* the current incarnation is kept as its segments, and so */
    uint32_t calm : 4;           /* what may come of which end without moving anything: brief.h */
    union {
        struct {
            struct incarnation *current;
            uint8_t client_end; /* of the current one, while it is calm */
            bool has_past;      /* the same: tombstones were remembered when it became so */
            struct incarnation *candidate, *retiring;
            struct tombstone *tombstones; /* newest first; owned */
        };
        struct embryo embryo;      /* while embryonic */
        struct {                   /* while is_parked */
            struct parked *parked; /* owned */
            union {
                struct foretold foretold;
                uint32_t stowed_index; /* while tuple_is_stowed(): its slot */
            };
        };
        struct {                           /* while is_transcribed */
            struct transcript *transcript; /* owned, in the table's pool */
            struct progress progress;
        };
    };
    nanotime armed;    /* earliest deadline on the agenda; NANOTIME_UNKNOWN none */
    uint64_t last_uid; /* flow_uid of the newest incarnation, or of the embryo's */
    union {
        seq rest[2];  /* while resting: SND.NXT of each end when it ended */
        nanotime due; /* while is_parked: its deadline, which may lie behind `armed` */
    };
    uint32_t next, previous; /* in its queue; 0 none; or in QUEUE_NEST, `previous`: its place */
};

_Static_assert(sizeof(struct tuple) <= 128, "a lone SYN costs 128 octets");

enum { TUPLE_LINE = 64 }; /* octets of a cache line */

_Static_assert(offsetof(struct tuple, has_past) < TUPLE_LINE,
               "an ordinary segment needs the first line alone");

/* Fetches the line of a tuple that every segment needs, and the one that any other needs as well.
 */
static inline __attribute__((always_inline)) void tuple_fetch_first(const struct tuple *tuple)
{
    __builtin_prefetch(tuple);
}

static inline __attribute__((always_inline)) void tuple_fetch_second(const struct tuple *tuple)
{
    __builtin_prefetch((const char *)tuple + TUPLE_LINE);
}

/* Fetches a tuple that is needed soon, both its cache lines. */
static inline __attribute__((always_inline)) void tuple_fetch(const struct tuple *tuple)
{
    tuple_fetch_first(tuple);
    tuple_fetch_second(tuple);
}

/* Whether it met an earlier connection of its tuple, and how that was answered is not known yet. */
static inline bool incarnation_is_colliding(const struct incarnation *incarnation)
{
    return incarnation->collision != NULL && !incarnation->collision->decided;
}

/*
 * Nothing but one open connection, without a case, and without a deadline but for what is
 * remembered of earlier ones: packets move none.
 */
static inline bool tuple_is_ordinary(const struct tuple *tuple)
{
    if (tuple->queue != QUEUE_LIVE || tuple->current == NULL || tuple->candidate != NULL ||
        tuple->retiring != NULL || (tuple->armed != NANOTIME_UNKNOWN && tuple->tombstones == NULL))
        return false;
    const struct incarnation *current = tuple->current;
    return current->connection.closing == NULL && current->story == NULL &&
           !incarnation_is_colliding(current);
}

/* Whether what is parked of it is an open connection. */
static inline bool tuple_is_stowed(const struct tuple *tuple)
{
    return tuple->queue == QUEUE_STOWED || tuple->queue == QUEUE_PACKED;
}

/* The side of an incarnation that an end of the tuple is. */
static inline int incarnation_side(const struct incarnation *incarnation, int end)
{
    return end ^ incarnation->client_end;
}

static inline int incarnation_end(const struct incarnation *incarnation, int side)
{
    return side ^ incarnation->client_end;
}

/* Whether an event of that kind was raised on the incarnation; and notes that one was. */
static inline bool incarnation_raised(const struct incarnation *incarnation, unsigned event_id)
{
    return (incarnation->raised[event_id / 64] >> event_id % 64 & 1) != 0;
}

static inline void incarnation_raise(struct incarnation *incarnation, unsigned event_id)
{
    incarnation->raised[event_id / 64] |= UINT64_C(1) << event_id % 64;
}

/* Whether the segment came in other VLANs, or through other tunnels, than the first one. */
static inline bool incarnation_in_other_vlan(const struct incarnation *incarnation,
                                             const struct segment *segment)
{
    return segment->vlans != incarnation->vlans ||
           memcmp(segment->vlan, incarnation->vlan, segment->vlans * sizeof(segment->vlan[0])) != 0;
}

/* Its doubts, to be read: without a hazard and a story where it has none. */
extern const struct doubts doubts_none;

static inline const struct doubts *incarnation_doubts(const struct incarnation *incarnation)
{
    return incarnation->doubts != NULL ? incarnation->doubts : &doubts_none;
}

/* Its doubts, to be written; NULL when memory ran out. */
struct doubts *incarnation_begin_doubts(struct incarnation *incarnation);

/* Gives them up where nothing is left of them. */
void incarnation_end_doubts(struct incarnation *incarnation);

bool incarnation_in_other_tunnel(const struct incarnation *incarnation,
                                 const struct segment *segment);

/* Keeps the tunnels of the first segment, from that end.  False: no memory, nothing is kept. */
bool incarnation_keep_tunnels(struct incarnation *incarnation, const struct segment *segment,
                              int end);

/* Fetches, to be written, the place that the next segment with payload takes: where that is, is
 * not known before the incarnation is here. */
static inline __attribute__((always_inline)) void
incarnation_fetch_last(const struct incarnation *incarnation)
{
    fetch_to_write(&incarnation->last[incarnation->last_next]);
}

/* Remembers a segment, one with payload, in the ring of the last ones. */
static inline void incarnation_remember(struct incarnation *incarnation,
                                        const struct segment *segment, int end)
{
    struct last_segment *last = &incarnation->last[incarnation->last_next];
    last->t = segment->time;
    last->marks =
        last_segment_marks(segment->packet, (unsigned)end, segment->payload_hashed, segment->flags);
    memcpy((char *)last + LAST_NUMBERS_AT, &segment->sequence, LAST_NUMBERS);
    incarnation->last_next = (uint8_t)((incarnation->last_next + 1) % LAST_SEGMENTS);
}

/* A tombstone of the incarnation, owned by the caller; NULL when memory ran out. */
struct tombstone *incarnation_bury(const struct incarnation *incarnation, nanotime closed_at);

/* Copies what a tombstone keeps of a side. */
struct tombstone_side incarnation_keep_side(const struct incarnation *incarnation, int side);

#endif
