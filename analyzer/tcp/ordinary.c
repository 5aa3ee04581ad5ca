/*
 * ordinary: see ordinary.h.  In the order of connection_segment_fully().  Of this nearly every
 * packet is made: what is asked and done stands in one function of the compiler's, without calls.
 */
#include "ordinary.h"

#include "copies.h"
#include "tallies.h"

enum {
    CONTROL = TCP_SYN | TCP_FIN | TCP_RST,
    LONG_STREAM = 1 << 30, /* octets: its numbers may have come round */
};

/* New data or a new ACK, by its own header alone. */
static bool is_plain(const struct segment *segment)
{
    return (segment->flags & (CONTROL | TCP_ACK)) == TCP_ACK && segment->window != 0 &&
           segment->payload != 1 && (segment->options & ~OPTION_TIMESTAMPS) == 0 &&
           segment->checksum_verdict != CHECKSUM_BAD;
}

/* Below the first number of a stream that is not so long that its numbers come round:
 * is_of_no_life() asks. */
static bool may_precede(const struct side *side, seq number)
{
    return seq_before(number, side->iss) && side->tally.payload_bytes < LONG_STREAM;
}

bool ordinary_may_come(const struct connection *connection, int from)
{
    const struct side *x = connection->side + from, *y = connection->side + side_other(from);
    const unsigned spoken = SIDE_HEARD | SIDE_ACKED;
    bool third_awaited =
        from == 0 && !connection->acknowledged && connection->synack_t != NANOTIME_UNKNOWN;
    return x->state == STATE_ESTABLISHED && y->state == STATE_ESTABLISHED &&
           x->basis != BASIS_PRESUMED && connection->closing == NULL && !connection->corrupted &&
           (x->flags & y->flags & spoken) == spoken && !third_awaited && y->holes == 0;
}

static inline bool follows(const struct side *x, const struct side *y,
                           const struct segment *segment)
{
    if (!is_plain(segment) || segment->sequence != x->snd_nxt ||
        may_precede(x, segment->sequence) || may_precede(y, segment->acknowledgment) ||
        seq_after(segment->acknowledgment, y->snd_nxt))
        return false;
    int32_t progress = seq_distance(segment->acknowledgment, x->rcv_nxt);
    bool repeated = progress == 0 && segment->payload == 0 &&
                    segment->window == x->last_window_field &&
                    segment->acknowledgment != y->snd_nxt;
    return progress >= 0 && !repeated;
}

static void count(struct tally *tally, const struct segment *segment)
{
    tally->packets++;
    tally->ip_bytes += segment->ip_length;
    tally->payload_bytes += segment->payload;
    tally->pshs += (segment->flags & TCP_PSH) != 0;
    if ((segment->flags & TCP_URG) != 0)
        tally->urgs++;
}

static void take_stamps(struct side *x, struct side *y, const struct segment *segment)
{
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    if (!side_has(x, SIDE_TSVAL))
        x->tsval_first = x->tsval_last = segment->tsval;
    else if (seq_after(segment->tsval, x->tsval_last))
        x->tsval_last = segment->tsval;
    x->flags |= SIDE_TSVAL;
    if ((x->flags & (SIDE_SYN_CUT | SIDE_SYN_SEEN)) != SIDE_SYN_SEEN) { /* both SYNs had them */
        x->flags |= SIDE_TIMESTAMPS;
        y->flags |= SIDE_TIMESTAMPS;
    }
    bool newer = y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent);
    if (newer && seq_at_or_before(segment->sequence, y->rcv_nxt))
        y->ts_recent = segment->tsval;
}

static void take_payload(struct side *x, const struct segment *segment)
{
    x->snd_nxt = seq_add(segment->sequence, segment->payload);
    x->last_data_t = segment->time;
    x->last_data_packet = segment->packet;
    x->last_data_sequence = segment->sequence;
    x->last_data_acknowledgment = segment->acknowledgment;
    x->last_data_payload = segment->payload;
    x->last_data_flags = segment->flags;
    x->acked_with_data = segment->acknowledgment;
    if (!side_has(x, SIDE_TIMED)) {
        x->flags |= SIDE_TIMED;
        x->timed_t = segment->time;
        x->timed_end = x->snd_nxt;
        x->timed_tsval = segment->tsval;
    }
    uint32_t in_flight = (uint32_t)(x->snd_nxt - x->snd_una);
    if (seq_after(x->snd_nxt, x->snd_una) && in_flight > x->tally.in_flight_max)
        x->tally.in_flight_max = in_flight;
}

/* As segment_window() has it of a segment that is no SYN. */
static void take_window(struct side *x, const struct side *y, const struct segment *segment)
{
    bool scaled = (x->flags & y->flags & SIDE_SCALED) != 0;
    x->window = (uint32_t)segment->window << (scaled ? x->window_scale : 0);
    x->last_window_field = segment->window;
    if (x->window > x->max_window)
        x->max_window = x->window;
    seq edge = seq_add(segment->acknowledgment, x->window);
    if (seq_after(edge, x->right_edge))
        x->right_edge = edge;
    x->flags &= (uint16_t)~SIDE_ZERO_WINDOW;
}

static void take_acknowledgment(struct side *x, struct side *y, const struct segment *segment)
{
    if (seq_after(segment->acknowledgment, x->rcv_nxt)) {
        x->rcv_nxt = segment->acknowledgment;
        x->rcv_nxt_packet = segment->packet;
        x->rcv_nxt_t = segment->time;
    }
    if (seq_after(segment->acknowledgment, y->snd_una))
        y->snd_una = segment->acknowledgment;
}

bool ordinary_follows(const struct connection *connection, const struct segment *segment, int from)
{
    return follows(connection->side + from, connection->side + side_other(from), segment);
}

/* Remembers the segment among the last few; false where it may be a copy of one. */
static bool is_new(struct connection *connection, const struct segment *segment, int from)
{
    uint32_t print = copies_print(segment);
    if (copies_know(connection, print))
        return false;
    copies_remember(connection, segment, from, print);
    return true;
}

bool ordinary_segment(struct connection *connection, const struct segment *segment, int from,
                      nanotime least_idle)
{
    struct side *x = connection->side + from, *y = connection->side + side_other(from);
    bool asked = least_idle == NANOTIME_UNKNOWN;
    if (!asked &&
        (!follows(x, y, segment) || time_since(segment->time, connection->last_t) >= least_idle ||
         !is_new(connection, segment, from)))
        return false;
    connection->last_t = time_later_of(connection->last_t, segment->time);
    count(&x->tally, segment);
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    if (segment->payload == 0 && segment->acknowledgment != x->rcv_nxt)
        x->duplicate_acks_now = 0;
    if (side_has(y, SIDE_TIMED) && seq_at_or_after(segment->acknowledgment, y->timed_end))
        tally_round_trip(connection, segment, from);
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (segment->payload > 0)
        take_payload(x, segment);
    take_window(x, y, segment);
    take_acknowledgment(x, y, segment);
    take_stamps(x, y, segment);
    return true;
}
