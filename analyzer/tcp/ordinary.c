/* ordinary: see ordinary.h.  In the order of connection_segment_fully(). */
#include "ordinary.h"

#include "tallies.h"
#include "window.h"

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

/* Both sides are where they stay, and nothing is waited for. */
static bool is_settled(const struct connection *connection, int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    const unsigned spoken = SIDE_HEARD | SIDE_ACKED;
    bool third_awaited =
        from == 0 && !connection->acknowledged && connection->synack_t != NANOTIME_UNKNOWN;
    return x->state == STATE_ESTABLISHED && y->state == STATE_ESTABLISHED &&
           x->basis != BASIS_PRESUMED && connection->closing == NULL && !connection->corrupted &&
           (x->flags & y->flags & spoken) == spoken && !third_awaited && y->holes == 0;
}

/* Below the first number of a stream that is not so long that its numbers come round:
 * is_of_no_life() asks. */
static bool may_precede(const struct side *side, seq number)
{
    return seq_before(number, side->iss) && side->tally.payload_bytes < LONG_STREAM;
}

bool ordinary_fits(const struct connection *connection, const struct segment *segment, int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if (!is_plain(segment) || !is_settled(connection, from) || segment->sequence != x->snd_nxt ||
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
    tally->urgs += (segment->flags & TCP_URG) != 0;
}

static void take_stamps(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    if (!side_has(x, SIDE_TSVAL))
        x->tsval_first = x->tsval_last = segment->tsval;
    else if (seq_after(segment->tsval, x->tsval_last))
        x->tsval_last = segment->tsval;
    x->flags |= SIDE_TSVAL;
    if (side_has(x, SIDE_SYN_CUT) || !side_has(x, SIDE_SYN_SEEN)) { /* both SYNs had them */
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

/* segment_window(), of a segment that is no SYN. */
static uint32_t window_of(const struct connection *connection, const struct segment *segment,
                          int from)
{
    const struct side *side = connection->side;
    bool scaled = (side[0].flags & side[1].flags & SIDE_SCALED) != 0;
    return (uint32_t)segment->window << (scaled ? side[from].window_scale : 0);
}

static void take_window(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    x->window = window_of(connection, segment, from);
    x->last_window_field = segment->window;
    if (x->window > x->max_window)
        x->max_window = x->window;
    seq edge = seq_add(segment->acknowledgment, x->window);
    if (seq_after(edge, x->right_edge))
        x->right_edge = edge;
    x->flags &= (uint16_t)~SIDE_ZERO_WINDOW;
}

static void take_acknowledgment(struct connection *connection, const struct segment *segment,
                                int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    take_window(connection, segment, from);
    if (seq_after(segment->acknowledgment, x->rcv_nxt)) {
        x->rcv_nxt = segment->acknowledgment;
        x->rcv_nxt_packet = segment->packet;
        x->rcv_nxt_t = segment->time;
    }
    if (seq_after(segment->acknowledgment, y->snd_una))
        y->snd_una = segment->acknowledgment;
}

void ordinary_take(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    connection->last_t = time_later_of(connection->last_t, segment->time);
    count(&x->tally, segment);
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    zeek_view_ordinary(&connection->zeek, segment, from);
    if (segment->payload == 0 && segment->acknowledgment != x->rcv_nxt)
        x->duplicate_acks_now = 0;
    if (side_has(y, SIDE_TIMED) && seq_at_or_after(segment->acknowledgment, y->timed_end))
        tally_round_trip(connection, segment, from);
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (segment->payload > 0)
        take_payload(x, segment);
    take_acknowledgment(connection, segment, from);
    take_stamps(connection, segment, from);
}
