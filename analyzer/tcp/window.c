/* window: see window.h. */
#include "window.h"

bool connection_uses_timestamps(const struct connection *connection)
{
    return side_has(&connection->side[0], SIDE_TIMESTAMPS) &&
           side_has(&connection->side[1], SIDE_TIMESTAMPS);
}

bool connection_knows_scale(const struct connection *connection)
{
    return side_has(&connection->side[0], SIDE_SYN_SEEN) &&
           side_has(&connection->side[1], SIDE_SYN_SEEN);
}

bool window_accepts_sequence(const struct connection *connection, int to, seq sequence,
                             uint32_t length)
{
    const struct side *y = &connection->side[to];
    seq next = y->rcv_nxt;
    uint32_t window = seq_after(y->right_edge, next) ? (uint32_t)(y->right_edge - next) : 0;
    if (window == 0)
        return length == 0 && sequence == next;
    seq last_in = seq_add(next, window - 1);
    if (length == 0)
        return seq_within(sequence, next, last_in);
    return seq_within(sequence, next, last_in) ||
           seq_within(seq_add(sequence, length - 1), next, last_in);
}

bool window_accepts_ack(const struct connection *connection, int to, seq acknowledgment)
{
    const struct side *y = &connection->side[to];
    uint32_t reach = connection->side[side_other(to)].max_window;
    return seq_within(acknowledgment, y->snd_una - reach, y->snd_nxt);
}

enum paws window_paws(const struct connection *connection, int to, const struct segment *segment)
{
    if (!connection_uses_timestamps(connection) || (segment->flags & TCP_RST) != 0)
        return PAWS_ABSENT;
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return PAWS_NO_OPTION;
    const struct side *y = &connection->side[to];
    const struct side *x = &connection->side[side_other(to)];
    nanotime stale = (nanotime)24 * 24 * 3600 * NANO_PER_SECOND;
    if (!side_has(x, SIDE_TSVAL) || time_since(segment->time, x->last_t) > stale)
        return PAWS_PASS;
    return seq_before(segment->tsval, y->ts_recent) ? PAWS_REJECT : PAWS_PASS;
}

bool window_is_foreign_ttl(const struct side *sender, const struct segment *segment)
{
    if (!side_has(sender, SIDE_HEARD))
        return false;
    int apart = (int)sender->ttl - (int)segment->ttl;
    return apart > 1 || apart < -1;
}

enum rst_form window_rst_form(const struct connection *connection, const struct segment *segment,
                              int from)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    bool has_ack = (segment->flags & TCP_ACK) != 0;
    bool bare = segment->window == 0 && (segment->options & OPTION_TIMESTAMPS) == 0;
    bool unknown = !side_has(x, SIDE_HEARD) && !side_has(y, SIDE_HEARD);
    if (unknown && connection->midstream) /* nothing to compare with: the shape alone */
        return has_ack ? RST_ACTIVE : bare ? RST_REPLY_NO_ACK : RST_FOREIGN;
    if (window_is_foreign_ttl(x, segment))
        return RST_FOREIGN;
    if (!has_ack && bare && side_has(y, SIDE_ACKED) &&
        (segment->sequence == y->rcv_nxt || seq_within(segment->sequence, x->iss, y->rcv_nxt)))
        return RST_REPLY_NO_ACK;
    bool own_numbers =
        side_has(x, SIDE_HEARD) && seq_within(segment->sequence, x->snd_una, x->snd_nxt);
    bool peers = seq_within(segment->acknowledgment, seq_add(y->iss, 1), y->snd_nxt);
    if (has_ack && segment->sequence == 0 && (bare || !own_numbers) &&
        (!side_is_numbered(y) || peers))
        return RST_REPLY_ACK;
    if (!has_ack || !side_has(x, SIDE_HEARD))
        return RST_FOREIGN;
    peers |= !side_has(y, SIDE_HEARD);
    return own_numbers && peers ? RST_ACTIVE : RST_FOREIGN;
}

/* Linux tcp_reset_check(): a reset one below RCV.NXT after the peer's FIN was received. */
static bool window_is_linux_reset(const struct side *y, const struct segment *segment)
{
    switch ((enum tcp_state)y->state) {
    case STATE_CLOSE_WAIT:
    case STATE_LAST_ACK:
    case STATE_CLOSING:
        return segment->sequence == y->rcv_nxt - 1;
    case STATE_CLOSED:
    case STATE_LISTEN:
    case STATE_SYN_SENT:
    case STATE_SYN_RCVD:
    case STATE_ESTABLISHED:
    case STATE_FIN_WAIT_1:
    case STATE_FIN_WAIT_2:
    case STATE_TIME_WAIT:
    case STATE_UNKNOWN:
    case TCP_STATES:
        return false;
    }
    return false;
}

enum rst_fit window_rst_fit(const struct connection *connection, const struct segment *segment,
                            int from)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if (y->state == STATE_SYN_SENT) {
        bool acks_syn = (segment->flags & TCP_ACK) != 0 &&
                        seq_within(segment->acknowledgment, seq_add(y->iss, 1), y->snd_nxt);
        return acks_syn ? RST_FIT_EXACT : RST_FIT_OUTSIDE;
    }
    if (side_has(x, SIDE_HEARD) && segment->sequence == x->snd_nxt)
        return RST_FIT_EXACT;
    if (!side_has(y, SIDE_ACKED))
        return RST_FIT_UNKNOWN;
    if (segment->sequence == y->rcv_nxt || window_is_linux_reset(y, segment))
        return RST_FIT_EXACT;
    if (y->sack_edge_known && segment->sequence == y->sack_edge &&
        seq_after(y->sack_edge, y->rcv_nxt))
        return RST_FIT_EXACT;
    if (!connection_knows_scale(connection))
        return RST_FIT_UNKNOWN;
    return window_accepts_sequence(connection, side_other(from), segment->sequence, 0)
               ? RST_FIT_IN_WINDOW
               : RST_FIT_OUTSIDE;
}
