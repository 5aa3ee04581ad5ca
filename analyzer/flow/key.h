/*
 * key: what names a tuple: both endpoints in canonical order, so that both directions find it.
 *
 * End 0 is the lower endpoint (address, then port, as octets).  A tuple has ends; an incarnation
 * has a client and a server, and says which end is which.
 */
#ifndef LASTACK_FLOW_KEY_H
#define LASTACK_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../../dissect/dissect.h"
#include "../base/hash.h"

struct flow_key {
    uint8_t address[2][16]; /* network order; IPv4 in the first four octets */
    uint16_t port[2];
    uint8_t ip_version;
    uint8_t context[3]; /* of VLANs and tunnel, where they are part of the identity; else zero */
};

/* Fills *ret_key from a segment; returns the end (0 or 1) that sent it. */
int flow_key_of(const struct segment *segment, struct flow_key *ret_key);

/*
 * The context of a segment as part of its identity, 24 bits; 0 for none.  Up to two VLANs, or one
 * tunnel's own number (a VNI, a GRE key below 2^24), are told apart for certain; more tags, other
 * numbers, and tunnels without a number that both directions share (then the two outer addresses
 * count) by a hash.
 */
uint32_t flow_key_context(const struct segment *segment, bool vlans, bool tunnels);

static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0; /* five words: the compiler inlines it */
}

uint64_t flow_key_hash(struct hash_key secret, const struct flow_key *key);

/* The key of a segment in that context, its hash, and the end that sent it, which is returned. */
int flow_key_identify(struct hash_key secret, const struct segment *segment, uint32_t context,
                      struct flow_key *ret_key, uint64_t *ret_hash);

/*
 * flow_uid: a hash of tuple, client, client's ISN (0 if unknown) and first packet's time, so that a
 * rerun gives the same (RECORDS).
 */
uint64_t flow_key_uid(const struct flow_key *key, int client_end, uint32_t isn, int64_t first_ns);

#endif
