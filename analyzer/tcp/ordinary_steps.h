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

/* New data or a new ACK, by its own header alone. */
static inline bool ordinary_is_plain(const struct segment *segment)
{
    return (segment->flags & (ORDINARY_NOT | TCP_ACK)) == TCP_ACK && segment->window != 0 &&
           segment->payload != 1 && (segment->options & ~OPTION_TIMESTAMPS) == 0 &&
           segment->checksum_verdict != CHECKSUM_BAD;
}

/* Below the first number of a stream that is not so long that its numbers come round:
 * is_of_no_life() asks. */
static inline bool ordinary_may_precede(const struct side *side, seq number)
{
    return seq_before(number, side->iss) && side->tally.payload_bytes < ORDINARY_LONG;
}

static inline bool ordinary_is_next(const struct side *x, const struct side *y,
                                    const struct segment *segment)
{
    if (!ordinary_is_plain(segment) || segment->sequence != x->snd_nxt ||
        ordinary_may_precede(x, segment->sequence) ||
        ordinary_may_precede(y, segment->acknowledgment) ||
        seq_after(segment->acknowledgment, y->snd_nxt))
        return false;
    int32_t progress = seq_distance(segment->acknowledgment, x->rcv_nxt);
    bool repeated = progress == 0 && segment->payload == 0 &&
                    segment->window == x->last_window_field &&
                    segment->acknowledgment != y->snd_nxt;
    return progress >= 0 && !repeated;
}

static inline void ordinary_count(struct tally *tally, const struct segment *segment)
{
    tally->packets++;
    tally->ip_bytes += segment->ip_length;
    tally->payload_bytes += segment->payload;
    tally->pshs += (segment->flags & TCP_PSH) != 0;
    if ((segment->flags & TCP_URG) != 0)
        tally->urgs++;
}

static inline void ordinary_take_stamps(struct side *x, struct side *y,
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
    x->snd_nxt = seq_add(segment->sequence, segment->payload);
    shown_data(x, segment);
    if (!side_has(x, SIDE_TIMED))
        shown_begins_trip(x, segment, x->snd_nxt);
    shown_in_flight(x);
}

/* As segment_window() has it of a segment that is no SYN. */
static inline void ordinary_take_window(struct side *x, const struct side *y,
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

/*
 * Whether the segment follows, where one may come, ends no silence of least_idle ns, and is no
 * copy; then it is remembered as one of the last few.
 */
static inline bool ordinary_fits(struct connection *connection, const struct segment *segment,
                                 int from, nanotime least_idle)
{
    const struct side *x = connection->side + from, *y = connection->side + side_other(from);
    return ordinary_is_next(x, y, segment) &&
           time_since(segment->time, connection->last_t) < least_idle &&
           ordinary_is_new(connection, segment, from);
}

/* All that is done for one that fits, but for Zeek's view. */
static inline void ordinary_take(struct connection *connection, const struct segment *segment,
                                 int from)
{
    struct side *x = connection->side + from, *y = connection->side + side_other(from);
    connection->last_t = time_later_of(connection->last_t, segment->time);
    ordinary_count(&x->tally, segment);
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    if (segment->payload == 0 && segment->acknowledgment != x->rcv_nxt)
        x->duplicate_acks_now = 0;
    if (side_has(y, SIDE_TIMED) && seq_at_or_after(segment->acknowledgment, y->timed_end))
        tally_round_trip(connection, segment, from);
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (segment->payload > 0)
        ordinary_take_payload(x, segment);
    ordinary_take_window(x, y, segment);
    shown_acknowledgment(x, y, segment);
    ordinary_take_stamps(x, y, segment);
}

#endif
