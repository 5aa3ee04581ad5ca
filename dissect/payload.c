/*
 * payload: a fingerprint of what a segment carries, to know a packet again.
 *
 * Multiply and mix, eight octets at a time in two lanes that do not wait for each other.  It is
 * no secret and no digest: who wants two payloads to collide can have that, and gains a packet
 * taken for a copy only where sequence number and length agree, too.  Not the same on machines of
 * different byte order, so it is never written out.
 */
#include "tcp.h"

enum { FINGERPRINT_OCTETS = 128 };

/* Odd numbers with bits set all over: the fractions of the golden ratio and of the root of 3. */
static const uint64_t golden = 0x9e3779b97f4a7c15;
static const uint64_t root = 0xbb67ae8584caa73b;

static uint64_t mix(uint64_t state, uint64_t word, uint64_t factor)
{
    state = (state ^ word) * factor;
    return state ^ state >> 29;
}

uint32_t payload_fingerprint(struct view payload, uint8_t *ret_octets)
{
    payload = view_first(payload, FINGERPRINT_OCTETS);
    *ret_octets = (uint8_t)payload.octets;
    if (payload.octets == 0)
        return 0;

    uint64_t one = golden ^ payload.octets;
    uint64_t two = root;
    for (; view_holds(payload, 16); payload = view_after(payload, 16)) {
        one = mix(one, view_memory64(payload, 0), golden);
        two = mix(two, view_memory64(payload, 8), root);
    }
    if (view_holds(payload, 8)) {
        one = mix(one, view_memory64(payload, 0), golden);
        payload = view_after(payload, 8);
    }
    struct view_tail tail = view_memory_tail(payload);
    two = mix(two, (uint64_t)tail.four << 32 | (uint32_t)tail.two << 16 | tail.one, root);
    uint64_t both = mix(one, two, golden);
    uint32_t fingerprint = (uint32_t)(both >> 32);
    return fingerprint != 0 ? fingerprint : 1;
}
