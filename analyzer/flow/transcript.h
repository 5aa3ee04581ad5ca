/*
 * transcript: a connection on the usual course (tcp/course.h), kept as the segments that passed.
 *
 * Until something unusual comes, all that is known of such a connection follows from its segments
 * alone; so each is written down, with the little that the next one is measured by, and nobody
 * brings an incarnation up to date that nobody asks.  Whoever asks has the segments read again.
 */
#ifndef LASTACK_FLOW_TRANSCRIPT_H
#define LASTACK_FLOW_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../dissect/dissect.h"
#include "../base/seq.h"
#include "../base/time.h"

enum {
    TRANSCRIPT_MOST = 16,   /* segments; a longer connection is worth an incarnation */
    TRANSCRIPT_COPIES = 8,  /* the last ones, of which the next may be a copy: copies.h */
    TRANSCRIPT_OPTIONS = 2, /* the segments that open: only their options are more than stamps */
};

/* How far the connection has come, and what the next segment is measured by; by side. */
struct progress {
    nanotime last_t; /* last segment: running maximum */
    seq iss[2], snd_nxt[2], rcv_nxt[2];
    uint16_t window[2];  /* last field of the header */
    uint32_t course : 3; /* enum course; at last COURSE_NONE: it is over */
    uint32_t count : 5;  /* segments written down */
    uint32_t client_end : 1;
    uint32_t first : 1; /* the side whose FIN came first, once one did */
    uint32_t none : 22;
};

/* A segment.  Its sequence number is what its sender had sent before. */
struct transcript_entry {
    uint32_t since_low; /* capture time since the connection's first segment, ns: 48 bits */
    uint16_t since_high;
    uint8_t flags;
    uint8_t ttl;
    uint32_t packets; /* its number less that of the first */
    uint32_t acknowledgment, tsval, tsecr, payload_hash;
    uint16_t payload, window, checksum, ip_id;
    uint8_t headers; /* octets of the IP packet without the payload */
    uint8_t payload_hashed;
    uint8_t origin; /* its side, and above that bit what interface it was seen on */
    uint8_t has;    /* enum transcript_bit */
};

/* What the segments do not tell one by one. */
struct transcript_head {
    uint64_t first_packet;
    nanotime started;
    nanotime seen_t;      /* as an incarnation's */
    uint32_t ip_bytes[2]; /* of the segments summed up so far, by side */
    uint32_t index;       /* slot in its pool */
    seq iss[2];
    uint16_t mss[2], options[2]; /* of the SYN and the SYN-ACK */
    uint8_t window_scale[2];
    uint8_t packets[2];         /* as ip_bytes */
    uint8_t told[2], told_once; /* as an incarnation's */
    uint8_t client_end;
    uint8_t count;
};

struct transcript {
    uint32_t print[TRANSCRIPT_MOST]; /* copies_print() of each: a line */
    _Alignas(64) struct transcript_head head;
    _Alignas(64) struct transcript_entry entry[TRANSCRIPT_MOST];
};

_Static_assert(sizeof(struct transcript_entry) == 40, "two thirds of a line");
_Static_assert(sizeof(struct transcript_head) <= 72, "");

/* Whether an entry holds all that matters of the segment, whose options are stamps alone or that
 * opens.  first: the connection's. */
static inline bool transcript_holds(nanotime started, uint64_t first_packet,
                                    const struct segment *segment)
{
    const uint64_t since = (uint64_t)segment->time - (uint64_t)started;
    const uint64_t packets = segment->packet - first_packet;
    return (since >> 48 | packets >> 32) == 0 && segment->payload <= UINT16_MAX &&
           segment->ip_length - segment->payload <= UINT8_MAX &&
           (segment->vlans | segment->around.tunnels) == 0;
}

/* Writes a segment of that side, which goes on from where the side stood, down as the next. */
void transcript_add(struct transcript *transcript, struct progress *progress,
                    const struct segment *segment, int from, uint32_t print);

/* Sums up what the sides sent, from the entry on up to which it was summed up before. */
void transcript_sum(struct transcript *transcript, uint32_t count);

/* Reading it again, from the first segment on. */
struct transcript_reader {
    const struct transcript_head *head;
    const struct transcript_entry *entry; /* the next */
    uint32_t left;
    seq next[2]; /* SND.NXT of each side */
};

struct transcript_reader transcript_reader_of(const struct transcript_head *head,
                                              const struct transcript_entry *entry);

struct flow_key;

/* The next segment, between the ends of that key, and which side sent it; false: no more. */
bool transcript_read(struct transcript_reader *reader, const struct flow_key *key,
                     struct segment *ret_segment, int *ret_from);

/* When that segment passed. */
static inline nanotime transcript_time(const struct transcript_head *head,
                                       const struct transcript_entry *entry)
{
    return head->started + (nanotime)((uint64_t)entry->since_high << 32 | entry->since_low);
}

static inline int transcript_side(const struct transcript_entry *entry)
{
    return entry->origin & 1;
}

#endif
