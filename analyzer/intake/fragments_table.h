/*
 * fragments_table: how fragments.c keeps what it holds; known to the files of fragments alone.
 */
#ifndef LASTACK_INTAKE_FRAGMENTS_TABLE_H
#define LASTACK_INTAKE_FRAGMENTS_TABLE_H

#include "../base/hash.h"
#include "fragments.h"

enum {
    FRAGMENTS_CHAINS = 4096, /* a power of 2 */
    FRAGMENTS_PIECES =
        256, /* of a packet: 64 KiB in datagrams of the least IPv4 MTU, 576, are 120 */
    FRAGMENTS_HEADER = 40, /* room before the payload: an IPv6 header */
    FRAGMENTS_PAST = 16,   /* whole packets remembered: what a capture delivers twice comes soon */
};

struct piece {
    uint32_t offset, end;
    uint32_t captured; /* octets from offset on that were captured */
};

/* What the fragments of a packet share (RFC 791 3.2; RFC 8200 4.5 leaves the protocol out). */
struct identity {
    uint8_t source[16], destination[16];
    uint32_t id;
    uint8_t ip_version, protocol;
    uint8_t zero[2];
};

struct whole {
    struct identity identity;
    struct whole *next; /* in its chain */
    struct whole *younger, *older;
    nanotime began;
    uint32_t chain;
    uint32_t end; /* octets of the packet's payload; 0 while the last piece is missing */
    uint32_t pieces;
    bool spoiled; /* its pieces overlap, or contradict each other: what comes is counted, no more */
    bool ports_known; /* the first piece is here, and is TCP */
    uint16_t port[2]; /* source's, destination's */
    uint8_t ttl;
    uint8_t protocol;                     /* of the first piece */
    uint8_t *data;                        /* owned: FRAGMENTS_HEADER octets, then the payload */
    uint32_t room;                        /* octets of payload that fit data */
    struct piece piece[FRAGMENTS_PIECES]; /* in order */
};

/* A packet that became whole. */
struct past {
    struct identity identity;
    nanotime time;
};

struct fragments {
    struct hash_key key;
    nanotime wait, copy_window;
    uint64_t most_octets, octets;
    uint32_t most_packets, packets;
    struct whole *chain[FRAGMENTS_CHAINS];
    struct whole *oldest, *youngest;
    struct whole *lost; /* given up, and not asked for yet; by next */
    struct past past[FRAGMENTS_PAST];
    uint32_t past_next;
    uint8_t *done; /* of the packet completed last; owned */
    struct fragment_counts counts;
    bool starved; /* memory ran out since fragments_starved() was asked */
};

/* Puts a packet whose identity is filled behind all others, as the youngest. */
void fragments_append(struct fragments *fragments, struct whole *whole);

#endif
