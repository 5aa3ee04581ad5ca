/*
 * ordinary_steps: what ordinary.h does, inline for whom every packet passes (brief.c) and for
 * ordinary.c.  In the order of connection_segment_fully().  Of this nearly every packet is made:
 * what is asked and done stands in one function of the compiler's, without calls.
 */
#ifndef LASTACK_TCP_ORDINARY_STEPS_H
#define LASTACK_TCP_ORDINARY_STEPS_H

#include "copies.h"
#include "ordinary.h"
#include "shown.h"
#include "tallies.h"

enum {
    ORDINARY_NOT = TCP_SYN | TCP_FIN | TCP_RST,
    ORDINARY_LONG = 1 << 30, /* octets: its numbers may have come round */
};

/* New data or a new ACK, by its own header alone: its control bits and options in one word. */
static inline bool ordinary_is_plain(const struct segment *segment, bool data)
{
    const uint32_t asked = (uint32_t)(ORDINARY_NOT | TCP_ACK) << 16 | (uint16_t)~OPTION_TIMESTAMPS;
    uint32_t head =
        (uint32_t)segment->ip_version << 24 | (uint32_t)segment->flags << 16 | segment->options;
    return (head & asked) == (uint32_t)TCP_ACK << 16 && segment->window != 0 &&
           !(data && segment->payload == 1) && segment->checksum_verdict != CHECKSUM_BAD;
}

/* Below the first number of a stream that is not so long that its numbers come round:
 * is_of_no_life() asks. */
static inline bool ordinary_may_precede(const struct side *side, seq number)
{
    return seq_before(number, side->iss) && side->tally.payload_bytes < ORDINARY_LONG;
}

/* Whether the numbers lie where those of a stream of less than 2^31 octets do: no distance is
 * negative, so that one comparison asks for all. */
static inline bool ordinary_is_near(const struct side *x, const struct side *y,
                                    const struct segment *segment)
{
    const seq acknowledgment = segment->acknowledgment;
    return (seq_distance(segment->sequence, x->iss) | seq_distance(acknowledgment, y->iss) |
            seq_distance(y->snd_nxt, acknowledgment) | seq_distance(acknowledgment, x->rcv_nxt)) >=
           0;
}

/* Whether they lie where they may. */
static inline bool ordinary_is_within(const struct side *x, const struct side *y,
                                      const struct segment *segment)
{
    return !ordinary_may_precede(x, segment->sequence) &&
           !ordinary_may_precede(y, segment->acknowledgment) &&
           seq_at_or_before(segment->acknowledgment, y->snd_nxt) &&
           seq_at_or_after(segment->acknowledgment, x->rcv_nxt);
}

/* Without data, and the same as the one before while something is in flight. */
static inline bool ordinary_is_repeated(const struct side *x, const struct side *y,
                                        const struct segment *segment)
{
    return segment->acknowledgment == x->rcv_nxt && segment->window == x->last_window_field &&
           segment->acknowledgment != y->snd_nxt;
}

/* Whether the segment is the next one of side x, but for where its numbers lie.  data: it carries
 * some. */
static inline bool ordinary_continues(const struct side *x, const struct side *y,
                                      const struct segment *segment, bool data)
{
    return ordinary_is_plain(segment, data) && segment->sequence == x->snd_nxt &&
           (data || !ordinary_is_repeated(x, y, segment));
}

static inline bool ordinary_is_next(const struct side *x, const struct side *y,
                                    const struct segment *segment)
{
    return ordinary_continues(x, y, segment, segment->payload > 0) &&
           ordinary_is_within(x, y, segment);
}

/* But for its payload. */
static inline void ordinary_count(struct tally *tally, const struct segment *segment)
{
    tally->packets++;
    if ((segment->flags & TCP_URG) != 0) /* between two sums, of which a vector is no gain */
        tally->urgs++;
    tally->ip_bytes += segment->ip_length;
    tally->pshs += segment->flags / TCP_PSH % 2;
}

static inline void ordinary_take_stamps(struct side *restrict x, struct side *restrict y,
                                        const struct segment *segment)
{
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    shown_stamps(x, segment);
    if ((x->flags & (SIDE_SYN_CUT | SIDE_SYN_SEEN)) != SIDE_SYN_SEEN) { /* both SYNs had them */
        x->flags |= SIDE_TIMESTAMPS;
        y->flags |= SIDE_TIMESTAMPS;
    }
    bool newer = y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent);
    if (newer && seq_at_or_before(segment->sequence, y->rcv_nxt))
        y->ts_recent = segment->tsval;
}

static inline void ordinary_take_payload(struct side *x, const struct segment *segment)
{
    x->tally.payload_bytes += segment->payload;
    x->snd_nxt = seq_add(segment->sequence, segment->payload);
    shown_data(x, segment);
    if (!side_has(x, SIDE_TIMED))
        shown_begins_trip(x, segment, x->snd_nxt);
    shown_in_flight(x);
}

/* As segment_window() has it of a segment that is no SYN. */
static inline void ordinary_take_window(struct side *restrict x, const struct side *restrict y,
                                        const struct segment *segment)
{
    bool scaled = (x->flags & y->flags & SIDE_SCALED) != 0;
    shown_window(x, segment, (uint32_t)segment->window << (scaled ? x->window_scale : 0));
}

/* Remembers the segment among the last few; false where it may be a copy of one. */
static inline bool ordinary_is_new(struct connection *connection, const struct segment *segment,
                                   int from)
{
    uint32_t print = copies_print(segment);
    if (copies_know(connection, print))
        return false;
    copies_remember(connection, segment, from, print);
    return true;
}

/* What is known of both sides goes on.  x sends; the compiler is to know that y is the other. */
static inline __attribute__((always_inline)) void
ordinary_take_between(struct side *restrict x, struct side *restrict y,
                      const struct segment *restrict segment, bool data)
{
    ordinary_count(&x->tally, segment);
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (data)
        ordinary_take_payload(x, segment);
    else if (segment->acknowledgment != x->rcv_nxt)
        x->duplicate_acks_now = 0;
    ordinary_take_window(x, y, segment);
    shown_acknowledgment(x, y, segment);
    ordinary_take_stamps(x, y, segment);
}

/*
 * All that is done for one that fits, but for Zeek's view, and for the round trip of side y that it
 * ends: rtt_add() takes what is returned; unknown: none.  data: it carries some.
 */
static inline __attribute__((always_inline)) nanotime ordinary_take(struct connection *connection,
                                                                    struct side *x, struct side *y,
                                                                    const struct segment *segment,
                                                                    bool data)
{
    bool arrives =
        side_has(y, SIDE_TIMED) && seq_at_or_after(segment->acknowledgment, y->timed_end);
    nanotime trip = arrives ? tally_end_trip(y, segment) : NANOTIME_UNKNOWN;
    connection->last_t = time_later_of(connection->last_t, segment->time);
    ordinary_take_between(x, y, segment, data);
    return trip;
}

#endif
