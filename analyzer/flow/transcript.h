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
#include <string.h>

#include "../../dissect/dissect.h"
#include "../base/seq.h"
#include "../base/time.h"
#include "../tcp/connection.h"

enum {
    TRANSCRIPT_MOST = 16,      /* segments; a longer connection is worth an incarnation */
    TRANSCRIPT_LONG = 1 << 20, /* octets: the numbers of all are near */
    TRANSCRIPT_COPIES =
        RECENT_PACKETS,     /* the last ones, of which the next may be a copy: copies.h */
    TRANSCRIPT_OPTIONS = 2, /* the segments that open: only their options are more than stamps */
};

/* How far the connection has come, and what the next segment is measured by; by side. */
struct progress {
    uint32_t course : 3; /* enum course; at last COURSE_NONE: it is over */
    uint32_t count : 5;  /* segments written down; in the tuple's first line, as what it leads to */
    uint32_t client_end : 1;
    uint32_t first : 1; /* the side whose FIN came first, once one did */
    uint32_t none : 22;
    uint16_t window[2]; /* last field of the header */
    nanotime last_t;    /* last segment: running maximum */
    seq iss[2], snd_nxt[2], rcv_nxt[2];
};

/*
 * A segment: from its numbers on to the end of struct segment as it lies there, but for what the
 * rest of the transcript tells, where other things stand.  Its sequence number is what its sender
 * had sent before; of options it has time stamps or none, and it has no SACK blocks.
 */
struct transcript_entry {
    uint32_t packets; /* its number less that of the first; in the place of: sequence */
    uint32_t acknowledgment, payload, payload_hash, tsval, tsecr;
    uint16_t window, checksum;
    uint16_t since_high; /* of since_low; options */
    uint8_t flags;
    uint8_t headers; /* octets of the IP packet without the payload; ip_version */
    uint16_t ip_id;
    uint8_t origin; /* its side, and above that bit what interface it was seen on; sacks */
    uint8_t ttl, checksum_verdict;
    uint8_t stamped; /* vlans */
    uint8_t cut, payload_hashed;
    uint32_t since_low; /* capture time since the connection's first segment, ns: 48 bits */
};

enum { TRANSCRIPT_COPIED = offsetof(struct transcript_entry, since_low) };

#define TRANSCRIPT_LIES_AS(member, of_segment)                                                     \
    _Static_assert(offsetof(struct transcript_entry, member) ==                                    \
                       offsetof(struct segment, of_segment) - offsetof(struct segment, sequence),  \
                   "a segment is copied as it lies")

TRANSCRIPT_LIES_AS(acknowledgment, acknowledgment);
TRANSCRIPT_LIES_AS(payload, payload);
TRANSCRIPT_LIES_AS(payload_hash, payload_hash);
TRANSCRIPT_LIES_AS(tsval, tsval);
TRANSCRIPT_LIES_AS(tsecr, tsecr);
TRANSCRIPT_LIES_AS(window, window);
TRANSCRIPT_LIES_AS(checksum, checksum);
TRANSCRIPT_LIES_AS(since_high, options);
TRANSCRIPT_LIES_AS(flags, flags);
TRANSCRIPT_LIES_AS(headers, ip_version);
TRANSCRIPT_LIES_AS(ip_id, ip_id);
TRANSCRIPT_LIES_AS(origin, sacks);
TRANSCRIPT_LIES_AS(ttl, ttl);
TRANSCRIPT_LIES_AS(checksum_verdict, checksum_verdict);
TRANSCRIPT_LIES_AS(stamped, vlans);
TRANSCRIPT_LIES_AS(cut, cut);
TRANSCRIPT_LIES_AS(payload_hashed, payload_hashed);

/* What the segments do not tell one by one, and their sums; what moves a side asks for the first
 * half. */
struct transcript_head {
    uint64_t first_packet;
    nanotime started;
    uint32_t ip_bytes[2]; /* by side, as packets */
    uint8_t packets[2];
    uint8_t told[2], told_once; /* as an incarnation's */
    uint8_t client_end;
    uint8_t vlans; /* 1 or 0: none */
    uint8_t parts; /* records written while it was open */

    nanotime seen_t; /* as an incarnation's */
    uint32_t index;  /* slot in its pool */
    seq iss[2];
    uint16_t mss[2], options[2]; /* of the SYN and the SYN-ACK */
    uint16_t vlan;               /* that all came in; with vlans */
    uint8_t window_scale[2];
};

/* What every segment asks is the first line. */
struct transcript {
    _Alignas(64) uint32_t print[TRANSCRIPT_COPIES]; /* copies_print() of the last ones, in turn */
    struct transcript_head head;
    struct transcript_entry entry[TRANSCRIPT_MOST];
};

_Static_assert(offsetof(struct transcript, head.seen_t) == 64, "a line");
_Static_assert(sizeof(struct transcript) == 832, "thirteen lines");

/* How many segments there are. */
static inline uint32_t transcript_count(const struct transcript_head *head)
{
    return (uint32_t)head->packets[0] + head->packets[1];
}

/* Whether an entry holds all that matters of the segment, whose options are stamps alone or that
 * opens, but for its VLAN. */
static inline bool transcript_holds(nanotime started, uint64_t first_packet,
                                    const struct segment *segment)
{
    const uint64_t since = (uint64_t)segment->time - (uint64_t)started;
    const uint64_t packets = segment->packet - first_packet;
    return (since >> 48 | packets >> 32) == 0 && segment->payload < TRANSCRIPT_LONG &&
           segment->ip_length - segment->payload <= UINT8_MAX && segment->around.tunnels == 0;
}

/* Whether the segment came in that VLAN, or in none as the first one; where in none, *vlan is not
 * looked at, which may lie far away. */
static inline bool transcript_is_beside(unsigned vlans, const uint16_t *vlan,
                                        const struct segment *segment)
{
    return segment->vlans == vlans && (vlans == 0 || segment->vlan[0] == *vlan);
}

/* Sequence numbers that a segment takes. */
static inline uint32_t transcript_occupies(unsigned flags, uint32_t payload)
{
    return payload + flags / TCP_SYN % 2 + flags / TCP_FIN % 2;
}

/* Writes a segment of that side, which goes on from where the side stood, down as the next. */
static inline void transcript_add(struct transcript *transcript, struct progress *progress,
                                  const struct segment *segment, int from, uint32_t print)
{
    struct transcript_head *head = &transcript->head;
    const uint64_t since = (uint64_t)segment->time - (uint64_t)head->started;
    const uint32_t place = progress->count;
    struct transcript_entry *entry = &transcript->entry[place];
    transcript->print[place % TRANSCRIPT_COPIES] = print;
    memcpy(entry, &segment->sequence, TRANSCRIPT_COPIED);
    entry->packets = (uint32_t)(segment->packet - head->first_packet);
    entry->since_low = (uint32_t)since;
    entry->since_high = (uint16_t)(since >> 32);
    entry->headers = (uint8_t)(segment->ip_length - segment->payload);
    entry->origin = (uint8_t)(segment->around.seen_on << 1 | from);
    entry->stamped = (segment->options & OPTION_TIMESTAMPS) != 0;
    head->ip_bytes[from] += segment->ip_length;
    head->packets[from]++;
    progress->count = (place + 1) & 31;
    progress->last_t = time_later_of(progress->last_t, segment->time);
    progress->snd_nxt[from] =
        seq_add(segment->sequence, transcript_occupies(segment->flags, segment->payload));
    progress->rcv_nxt[from] = segment->acknowledgment; /* never before the one before it */
    progress->window[from] = segment->window;
}

struct flow_key;

/* Reading it again, from the first segment on. */
struct transcript_reader {
    const struct transcript_head *head;
    const struct transcript_entry *entry; /* the next */
    uint32_t left;
    uint8_t ip_version;
    struct segment segment[2]; /* the latest of each side; its number: where the next begins */
};

void transcript_begin(struct transcript_reader *reader, const struct transcript_head *head,
                      const struct transcript_entry *entry, const struct flow_key *key);

/* The next segment, and which side sent it; NULL: no more.  It holds until the next of that side.
 */
const struct segment *transcript_read(struct transcript_reader *reader, int *ret_from);

/*
 * What the next segment is measured by, of a transcript of an open connection of which nothing else
 * was kept: *ret_progress and the prints of the last segments.  snd_nxt: what follows the last
 * octet of each side.
 */
void transcript_measure(struct transcript *transcript, const struct flow_key *key,
                        const seq snd_nxt[2], struct progress *ret_progress);

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
