/*
 * tombstone: what is kept of a closed incarnation for 2MSL, so that its late segments are known.
 *
 * Kept by the ends of the tuple, not by role: the old responder may be the one who reconnects.
 */
#ifndef LASTACK_FLOW_TOMBSTONE_H
#define LASTACK_FLOW_TOMBSTONE_H

#include "../tcp/connection.h"

enum { LAST_SEGMENTS = 8 };

enum { LAST_PACKET_BITS = 47 }; /* of a packet's number: at ten million a second, half a year */

/* One of the last segments with payload: enough to know it again, in half a cache line. */
struct last_segment {
    nanotime t;
    uint64_t
        marks; /* number of the packet, end, octets hashed, control bits: last_segment_marks() */
    seq sequence, acknowledgment;
    uint32_t payload;
    uint32_t payload_hash;
};

_Static_assert(sizeof(struct last_segment) == 32, "half a cache line");

/* Octets from `sequence` on that are copied of a segment as they lie there. */
enum {
    LAST_NUMBERS_AT = offsetof(struct last_segment, sequence),
    LAST_NUMBERS = sizeof(struct last_segment) - LAST_NUMBERS_AT
};

#define LAST_LIES_AS(member)                                                                       \
    _Static_assert(offsetof(struct last_segment, member) - LAST_NUMBERS_AT ==                      \
                       offsetof(struct segment, member) - offsetof(struct segment, sequence),      \
                   "a segment is copied as it lies")

LAST_LIES_AS(acknowledgment);
LAST_LIES_AS(payload);
LAST_LIES_AS(payload_hash);

enum { LAST_END_AT = LAST_PACKET_BITS, LAST_HASHED_AT = 48, LAST_FLAGS_AT = 56 };

/* One word, written as one: compilers read what stands there when they write members of so many
 * bits, and it is far away.  end: of the tuple, which sent it. */
static inline uint64_t last_segment_marks(uint64_t packet, unsigned end, uint8_t hashed,
                                          uint8_t flags)
{
    return (packet & ((UINT64_C(1) << LAST_PACKET_BITS) - 1)) | (uint64_t)(end & 1) << LAST_END_AT |
           (uint64_t)hashed << LAST_HASHED_AT | (uint64_t)flags << LAST_FLAGS_AT;
}

/* Its number in the capture; 0: an empty slot. */
static inline uint64_t last_segment_packet(const struct last_segment *last)
{
    return last->marks & ((UINT64_C(1) << LAST_PACKET_BITS) - 1);
}

static inline int last_segment_end(const struct last_segment *last)
{
    return (int)(last->marks >> LAST_END_AT & 1);
}

static inline uint8_t last_segment_hashed(const struct last_segment *last)
{
    return (uint8_t)(last->marks >> LAST_HASHED_AT);
}

static inline uint8_t last_segment_flags(const struct last_segment *last)
{
    return (uint8_t)(last->marks >> LAST_FLAGS_AT);
}

/* A side of the closed incarnation. */
struct tombstone_side {
    seq iss, snd_nxt, rcv_nxt;
    uint32_t tsval_first, tsval_last;
    uint32_t window;
    uint16_t flags;       /* enum side_flag */
    uint8_t state, basis; /* it was left in */
    uint8_t ttl;
    uint8_t window_scale; /* of its SYN */
    uint16_t mss;         /* likewise */
};

/* Whether snd_nxt holds: not of a side that sent nothing but resets. */
static inline bool tombstone_side_knows_next(const struct tombstone_side *side)
{
    return (side->flags & (SIDE_HEARD | SIDE_ISS_KNOWN)) != 0;
}

struct tombstone {
    struct tombstone *next; /* older; owned */
    uint64_t uid;
    uint32_t incarnation;
    uint8_t client_end;
    bool midstream, gapped;           /* not all of it was captured */
    bool synchronized;                /* the responder had answered: there was a connection */
    nanotime closed_at;               /* 2MSL from here it is forgotten */
    nanotime last_t;                  /* of its last segment */
    struct tombstone_side end[SIDES]; /* by end of the tuple */
    struct last_segment last[LAST_SEGMENTS];
};

/* Whether iss and snd_nxt of an end tell anything: its own words did, or the other end's ACKs. */
static inline bool tombstone_end_is_numbered(const struct tombstone *tombstone, int end)
{
    return tombstone_side_knows_next(&tombstone->end[end]) ||
           (tombstone->end[1 - end].flags & SIDE_ACKED) != 0;
}

/* A remembered segment as reference, sent by that side. */
struct packet_ref last_segment_ref(const struct last_segment *last, int from);

void tombstone_list_free(struct tombstone *list);

#endif
