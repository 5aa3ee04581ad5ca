/*
 * copies: packets that a mirror port, a router's `any` device or loopback delivers twice.
 *
 * A copy has an identical TCP header and payload, and follows within the window.  With an IP ID
 * that is not 0: the same one, and a TTL apart by 0 or 1.  Without (Linux sends SYN-ACKs,
 * TIME_WAIT's ACKs and RSTs with 0, IPv6 has none): a TTL apart by exactly 1 (OBSERVER 5), or
 * another interface than the one that the first was seen on: those of a bridge and of its ports
 * show the same packet.  What comes again on the first one's interface was sent again.
 *
 * Two files that overlap, or two interfaces of a file or of a live capture, may stand at two places
 * of the path, hops and milliseconds apart (captures of both ends, joined without --tap): there a
 * copy may have any TTL, and comes within what a path takes.
 */
#ifndef LASTACK_TCP_COPIES_H
#define LASTACK_TCP_COPIES_H

#include <string.h>

#include "connection.h"

/* Whether the segment is a copy of one of the last few; if not, it is remembered.  window in ns. */
bool copies_seen(struct connection *connection, const struct segment *segment, int from,
                 nanotime window);

/* What a fingerprint is made of. */
struct copies_words {
    uint64_t numbers, octets, stamps, fields;
};

static inline uint32_t copies_print_of(const struct copies_words *words)
{
    const uint64_t first = UINT64_C(0x9E3779B97F4A7C15), second = UINT64_C(0xC2B2AE3D27D4EB4F);
    uint64_t hash = (words->numbers ^ words->fields * first) * second;
    hash = ((hash ^ hash >> 32) + (words->octets ^ words->stamps * second)) * first;
    return (uint32_t)(hash >> 32);
}

/*
 * The same in steps: of all that a copy has in common with its original in the TCP header, and of
 * its payload, a fingerprint; a segment is no copy where none of the last few has its own, and is
 * remembered.
 */
static inline uint32_t copies_print(const struct segment *segment)
{
    /* words of the segment as they lie there: a load each */
    const struct copies_words words = {
        .numbers = (uint64_t)segment->acknowledgment << 32 | segment->sequence,
        .octets = (uint64_t)segment->payload_hash << 32 | segment->payload,
        .stamps = (uint64_t)segment->tsecr << 32 | segment->tsval,
        .fields = (uint64_t)segment->ip_version << 56 | (uint64_t)segment->flags << 48 |
                  (uint64_t)segment->options << 32 | (uint32_t)segment->checksum << 16 |
                  segment->window,
    };
    return copies_print_of(&words);
}

/* Whether one of the fingerprints is that one. */
static inline bool copies_among(const uint32_t prints[RECENT_PACKETS], uint32_t print)
{
    uint32_t known[RECENT_PACKETS / 2];
    for (int i = 0; i < RECENT_PACKETS / 2; i++) /* all at once: they are vectors */
        known[i] = (prints[i] == print ? UINT32_MAX : 0) |
                   (prints[i + RECENT_PACKETS / 2] == print ? UINT32_MAX : 0);
    uint64_t halves[RECENT_PACKETS / 4];
    memcpy(halves, known, sizeof(halves));
    return (halves[0] | halves[1]) != 0;
}

/* Whether one of the last few packets has that fingerprint. */
static inline bool copies_know(const struct connection *connection, uint32_t print)
{
    return copies_among(connection->recent_print, print);
}

/* Capture time modulo 2^32 us. */
static inline uint32_t copies_micros(const struct segment *segment)
{
    return (uint32_t)(segment->time / NANO_PER_MICRO);
}

static inline void copies_remember(struct connection *connection, const struct segment *segment,
                                   int from, uint32_t print)
{
    unsigned next = connection->recent_next;
    connection->recent_print[next] = print;
    connection->recent[next] = (struct recent_packet){
        .micros = copies_micros(segment),
        .ip_id = segment->ip_id,
        .ttl = segment->ttl,
        .origin = (uint8_t)(segment->around.seen_on << 1 | from),
    };
    connection->recent_next = (uint8_t)((next + 1) % RECENT_PACKETS);
}

#endif
