/*
 * key: what names a tuple: both endpoints in canonical order, so that both directions find it.
 *
 * End 0 is the lower endpoint (address, then port, as octets).  A tuple has ends; an incarnation
 * has a client and a server, and says which end is which.
 */
#ifndef LASTACK_FLOW_KEY_H
#define LASTACK_FLOW_KEY_H

#include <endian.h>
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
static inline int flow_key_identify(struct hash_key secret, const struct segment *segment,
                                    uint32_t context, struct flow_key *ret_key, uint64_t *ret_hash);
int flow_key_identify_ip6(struct hash_key secret, const struct segment *segment, uint32_t context,
                          struct flow_key *ret_key, uint64_t *ret_hash);

/*
 * flow_uid: a hash of tuple, client, client's ISN (0 if unknown) and first packet's time, so that a
 * rerun gives the same (RECORDS).
 */
uint64_t flow_key_uid(const struct flow_key *key, int client_end, uint32_t isn, int64_t first_ns);

static inline void flow_key_put_context(struct flow_key *key, uint32_t context)
{
    for (size_t i = 0; i < sizeof(key->context); i++)
        key->context[i] = (uint8_t)(context >> 8 * i);
}

/* An end of IPv4 as a number of 48 bits, in the order of the octets. */
static inline uint64_t flow_key_end_ip4(const uint8_t address[16], uint16_t port)
{
    const uint32_t number = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
                            (uint32_t)address[2] << 8 | address[3];
    return (uint64_t)number << 16 | port;
}

/* Of an IPv4 key the zeros are left out: two words instead of five, the lower end first. */
static inline uint64_t flow_key_hash_ip4(struct hash_key secret, uint64_t lower, uint64_t upper,
                                         uint32_t context)
{
    enum { ABOVE = 48 };
    return hash_two_words(secret, lower | (uint64_t)(context & 0xffff) << ABOVE,
                          upper | (uint64_t)(context >> 16) << ABOVE);
}

/* The address of such an end. */
static inline void flow_key_put_address_ip4(uint8_t address[16], uint64_t end)
{
    const uint64_t octets[2] = {htole64(__builtin_bswap32((uint32_t)(end >> 16))), 0};
    memcpy(address, octets, sizeof(octets));
}

/* What is hashed stands in registers: who reads what was just written in pieces waits.  No branch
 * asks which end is the lower one, as nobody can foresee it. */
static inline __attribute__((always_inline)) int
flow_key_identify_ip4(struct hash_key secret, const struct segment *segment, uint32_t context,
                      struct flow_key *ret_key, uint64_t *ret_hash)
{
    const uint64_t source = flow_key_end_ip4(segment->source, segment->source_port);
    const uint64_t other = flow_key_end_ip4(segment->destination, segment->destination_port);
    const int from = source > other;
    const uint64_t lower = from ? other : source, upper = from ? source : other;
    flow_key_put_address_ip4(ret_key->address[0], lower);
    flow_key_put_address_ip4(ret_key->address[1], upper);
    ret_key->port[0] = (uint16_t)lower;
    ret_key->port[1] = (uint16_t)upper;
    ret_key->ip_version = 4;
    flow_key_put_context(ret_key, context);
    *ret_hash = flow_key_hash_ip4(secret, lower, upper, context);
    return from;
}

static inline int flow_key_identify(struct hash_key secret, const struct segment *segment,
                                    uint32_t context, struct flow_key *ret_key, uint64_t *ret_hash)
{
    return segment->ip_version == 4
               ? flow_key_identify_ip4(secret, segment, context, ret_key, ret_hash)
               : flow_key_identify_ip6(secret, segment, context, ret_key, ret_hash);
}

#endif
