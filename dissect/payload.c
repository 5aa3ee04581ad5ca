/*
 * payload: a fingerprint of what a segment carries, to know a packet again.
 *
 * Add and multiply, eight octets at a time in two lanes that do not wait for each other, and mix at
 * the end.  It is no secret and no digest: who wants two payloads to collide can have that, and
 * gains a packet taken for a copy only where sequence number and length agree, too.  Not the same
 * on machines of different byte order, so it is never written out.
 */
#include "tcp.h"

enum { FINGERPRINT_OCTETS = 128 };

/* Odd numbers with bits set all over: the fractions of the golden ratio and of the root of 3. */
static const uint64_t golden = 0x9e3779b97f4a7c15;
static const uint64_t root = 0xbb67ae8584caa73b;

struct lanes {
    uint64_t one, two;
};

static inline uint64_t take(uint64_t lane, uint64_t word, uint64_t factor)
{
    return (lane + word) * factor;
}

static inline struct lanes take_pair(struct lanes lanes, struct view view, size_t offset)
{
    return (struct lanes){take(lanes.one, view_memory64(view, offset), golden),
                          take(lanes.two, view_memory64(view, offset + 8), root)};
}

/* Of as many octets as are ever looked at: nearly all payloads that are not small. */
static inline struct lanes take_most(struct lanes lanes, struct view payload)
{
#pragma GCC unroll 8
    for (size_t offset = 0; offset < FINGERPRINT_OCTETS; offset += 16)
        lanes = take_pair(lanes, payload, offset);
    return lanes;
}

/* The last octets are taken together with those before them, which then count twice. */
static inline struct lanes take_some(struct lanes lanes, struct view payload)
{
    if (view_holds(payload, 16)) {
        const struct view last = view_after(payload, payload.octets - 16);
        for (; view_holds(payload, 17); payload = view_after(payload, 16))
            lanes = take_pair(lanes, payload, 0);
        return take_pair(lanes, last, 0);
    }
    if (!view_holds(payload, 8))
        return (struct lanes){lanes.one, take(lanes.two, view_memory_few(payload), root)};
    return (struct lanes){
        take(lanes.one, view_memory64(payload, 0), golden),
        take(lanes.two, view_memory64(payload, payload.octets - 8), root),
    };
}

/* The upper half depends on every bit of both. */
static inline uint64_t mix(struct lanes lanes)
{
    uint64_t both = (lanes.one ^ lanes.one >> 29) * root + (lanes.two ^ lanes.two >> 32);
    both = (both ^ both >> 32) * golden;
    return both ^ both >> 29;
}

uint32_t payload_fingerprint(struct view payload, uint8_t *ret_octets)
{
    payload = view_first(payload, FINGERPRINT_OCTETS);
    *ret_octets = (uint8_t)payload.octets;
    if (payload.octets == 0)
        return 0;

    struct lanes lanes = {golden ^ payload.octets, root};
    lanes = view_holds(payload, FINGERPRINT_OCTETS) ? take_most(lanes, payload)
                                                    : take_some(lanes, payload);
    uint32_t fingerprint = (uint32_t)(mix(lanes) >> 32);
    return fingerprint != 0 ? fingerprint : 1;
}
