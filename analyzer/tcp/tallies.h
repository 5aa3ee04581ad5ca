/*
 * tallies: what is counted of a side, and what kind of segment this one is among those it sent:
 * new, sent again, late, a probe, a duplicate acknowledgment.
 */
#ifndef LASTACK_TCP_TALLIES_H
#define LASTACK_TCP_TALLIES_H

#include "connection.h"

/* Counts a packet of a side, whatever it means: packets, bytes, flags. */
static inline void tally_packet(struct side *side, const struct segment *segment)
{
    struct tally *tally = &side->tally;
    tally->packets++;
    tally->ip_bytes += segment->ip_length;
    tally->payload_bytes += segment->payload;
    tally->syns += (segment->flags & TCP_SYN) != 0;
    tally->fins += (segment->flags & TCP_FIN) != 0;
    tally->rsts += (segment->flags & TCP_RST) != 0;
    tally->pshs += (segment->flags & TCP_PSH) != 0;
    tally->urgs += (segment->flags & TCP_URG) != 0;
}

/* Classifies the segment (the flags of *step) and counts it.  Called before the side's sequence
 * numbers take the segment in. */
void tally_segment(struct connection *connection, const struct segment *segment, int from,
                   struct step *step);

/*
 * The round trip that ends with an acknowledgment which covers y's timed segment, in ns; unknown
 * where it is no sample.  y is timed no longer.
 */
static inline nanotime tally_end_trip(struct side *y, const struct segment *segment)
{
    y->flags &= (uint16_t)~SIDE_TIMED;
    bool echo = (segment->options & OPTION_TIMESTAMPS) != 0 && side_has(y, SIDE_TIMESTAMPS);
    bool earlier = echo && segment->tsecr != 0 && seq_before(segment->tsecr, y->timed_tsval);
    if (earlier || time_is_before(segment->time, y->timed_t))
        return NANOTIME_UNKNOWN; /* it answers an earlier segment; 0 is no echo */
    return time_since(segment->time, y->timed_t);
}

/* Takes an RTT sample when this acknowledgment covers the peer's timed segment (RFC 6298 3, Karn;
 * RFC 7323 4.1 with timestamps). */
void tally_round_trip(struct connection *connection, const struct segment *segment, int from);

#endif
