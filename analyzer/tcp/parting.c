/* parting: see parting.h.  In the order of connection_segment_fully(). */
#include "parting.h"

#include "closing.h"
#include "moves.h"
#include "shown.h"
#include "tallies.h"
#include "window.h"
#include "zeek_usual.h"

enum {
    SPOKEN = SIDE_HEARD | SIDE_ACKED | SIDE_ISS_KNOWN | SIDE_SYN_SEEN,
    LONG_STREAM = 1 << 30, /* octets: its numbers may have come round */
};

static bool is_plain(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK && segment->window != 0 &&
           (segment->payload == 0 || (segment->flags & TCP_FIN) != 0) &&
           (segment->options & ~OPTION_TIMESTAMPS) == 0 &&
           segment->checksum_verdict != CHECKSUM_BAD;
}

/* Sides whose streams passed from their SYNs on without a hole, and that reset nothing. */
static bool are_whole(const struct side *x, const struct side *y)
{
    return (x->flags & y->flags & SPOKEN) == SPOKEN &&
           ((x->flags | y->flags) & SIDE_SYN_CUT) == 0 && (x->holes | y->holes) == 0 &&
           (x->sack_edge_known | y->sack_edge_known) == 0 && (x->tally.rsts | y->tally.rsts) == 0 &&
           (x->tally.payload_bytes | y->tally.payload_bytes) < LONG_STREAM; /* a power of 2 */
}

static bool is_straight(const struct connection *connection)
{
    return connection->acknowledged && !connection->midstream && !connection->corrupted &&
           !connection->refusing_syn && !connection->simultaneous_open &&
           connection->history.count <= HISTORY_INLINE && /* as is read below */
           are_whole(&connection->side[0], &connection->side[1]);
}

/* What was never sent before, and acknowledges what was sent: the numbers go on. */
static bool is_in_order(const struct connection *connection, const struct segment *segment,
                        int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    return segment->sequence == x->snd_nxt && !seq_before(segment->sequence, x->iss) &&
           !seq_before(segment->acknowledgment, y->iss) &&
           !seq_after(segment->acknowledgment, y->snd_nxt) &&
           !seq_before(segment->acknowledgment, x->rcv_nxt) &&
           segment->sequence - y->rcv_nxt < LONG_STREAM; /* a wild ACK is half the space away */
}

/* The entry of a side is presumed, by that fact. */
static bool is_presumed(const struct history_entry *entry, int side, enum fact fact)
{
    return entry->side == (unsigned)side && entry->fact == (unsigned)fact &&
           entry->basis == BASIS_PRESUMED && !entry->revoked;
}

/* Whether nothing of the side is presumed before entry `end`. */
static bool is_proven_up_to(const struct history *history, int side, int end)
{
    for (int i = 0; i < end; i++) {
        const struct history_entry *entry = &history->first[i];
        if (entry->side == (unsigned)side && entry->basis == BASIS_PRESUMED && !entry->revoked)
            return false;
    }
    return true;
}

/* Where FIN_WAIT_2 stands, which the peer's FIN followed: its ACK came with it, or before; -1. */
static int find_fin_acked(const struct history *history, int side)
{
    for (int i = history->count - 2; i >= 0 && i >= history->count - 3; i--) {
        if (is_presumed(&history->first[i], side, FACT_FIN_ACKED))
            return i;
    }
    return -1;
}

static bool fits_first_fin(const struct connection *connection, const struct segment *segment,
                           int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    return connection->closing == NULL && (segment->flags & TCP_FIN) != 0 &&
           x->basis != BASIS_PRESUMED && y->state == STATE_ESTABLISHED &&
           ((x->flags | y->flags) & SIDE_FIN_SENT) == 0;
}

/* Whether it acknowledges the one FIN of the peer, and no more than that was sent. */
static bool acks_fin(const struct connection *connection, const struct segment *segment, int from)
{
    int peer = side_other(from);
    const struct side *y = &connection->side[peer];
    return connection->closing != NULL && connection->closing->fins[peer] == 1 &&
           side_has(y, SIDE_FIN_SENT) && y->snd_nxt == seq_add(y->fin_seq, 1) &&
           segment->acknowledgment == y->snd_nxt;
}

/* The first one to acknowledge it: until now the FIN was presumed to have arrived. */
static bool takes_fin(const struct connection *connection, const struct segment *segment, int from)
{
    const struct side *x = &connection->side[from];
    const struct history *history = &connection->history;
    return history->count > 0 && x->basis == BASIS_PRESUMED &&
           seq_before(x->rcv_nxt, segment->acknowledgment) &&
           is_presumed(&history->first[history->count - 1], from, FACT_GOT_FIN);
}

static bool fits_close_wait(const struct connection *connection, const struct segment *segment,
                            int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if (side_has(x, SIDE_FIN_SENT) || !acks_fin(connection, segment, from))
        return false;
    if (y->state == STATE_FIN_WAIT_1)
        return takes_fin(connection, segment, from) &&
               is_proven_up_to(&connection->history, from, connection->history.count - 1);
    return y->state == STATE_FIN_WAIT_2 && x->basis == BASIS_ACKED &&
           (segment->flags & TCP_FIN) != 0 && x->rcv_nxt == segment->acknowledgment &&
           y->snd_una == segment->acknowledgment;
}

static bool fits_last_ack(const struct connection *connection, const struct segment *segment,
                          int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    const struct closing *closing = connection->closing;
    bool fits = (segment->flags & TCP_FIN) == 0 && y->state == STATE_LAST_ACK &&
                side_has(x, SIDE_FIN_SENT) && x->snd_nxt == seq_add(x->fin_seq, 1) &&
                acks_fin(connection, segment, from) && takes_fin(connection, segment, from) &&
                closing->carrier[from] &&
                seq_at_or_after(segment->acknowledgment, closing->carrier_end[from]);
    int fin_acked = fits ? find_fin_acked(&connection->history, from) : -1;
    return fin_acked >= 0 && is_proven_up_to(&connection->history, from, fin_acked);
}

bool parting_fits(const struct connection *connection, const struct segment *segment, int from)
{
    const struct side *x = &connection->side[from];
    if (!is_plain(segment) || !is_straight(connection) || !is_in_order(connection, segment, from))
        return false;
    if (x->state == STATE_ESTABLISHED)
        return fits_first_fin(connection, segment, from);
    if (x->state == STATE_CLOSE_WAIT)
        return fits_close_wait(connection, segment, from);
    return x->state == STATE_TIME_WAIT && fits_last_ack(connection, segment, from);
}

/* What the acknowledgment shows to have arrived, and what it brings the peer. */
static void move_by_ack(struct connection *connection, int from, struct step *step)
{
    const struct history *history = &connection->history;
    int newest = history->count - 1;
    if (connection->side[from].state == STATE_TIME_WAIT)
        shown_proof(connection, from, find_fin_acked(history, from), false, step);
    shown_proof(connection, from, newest, true, step);
}

static void move(struct connection *connection, const struct segment *segment, int from,
                 struct step *step)
{
    int peer = side_other(from);
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[peer];
    bool fin = (segment->flags & TCP_FIN) != 0;
    bool fin_acked = y->state == STATE_FIN_WAIT_1 || y->state == STATE_LAST_ACK;
    if (fin_acked)
        move_by_ack(connection, from, step);
    if (fin) {
        x->fin_seq = step->end - 1;
        x->flags |= SIDE_FIN_SENT;
        shown_fact(connection, from, FACT_SND_FIN, BASIS_SENT, step);
    }
    if (fin_acked)
        shown_fact(connection, peer, FACT_FIN_ACKED, BASIS_PRESUMED, step);
    if (fin)
        shown_fact(connection, peer, FACT_GOT_FIN, BASIS_PRESUMED, step);
}

static void take_stamps(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    shown_stamps(x, segment);
    bool newer = y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent);
    if (newer && seq_at_or_before(segment->sequence, y->rcv_nxt))
        y->ts_recent = segment->tsval;
}

static void take_fin(struct side *x, const struct segment *segment, const struct step *step)
{
    x->snd_nxt = step->end;
    shown_data(x, segment);
    if (!side_has(x, SIDE_TIMED))
        shown_begins_trip(x, segment, step->end);
    shown_in_flight(x);
}

static void take_acknowledgment(struct connection *connection, const struct segment *segment,
                                int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    shown_window(x, segment, segment_window(connection, segment, from));
    shown_acknowledgment(x, y, segment);
}

bool parting_take(struct connection *connection, const struct segment *segment, int from,
                  struct step *step)
{
    struct side *x = &connection->side[from];
    bool fin = (segment->flags & TCP_FIN) != 0;
    connection->last_t = time_later_of(connection->last_t, segment->time);
    tally_packet(x, segment);
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    zeek_usual_packet(&connection->zeek, segment, from);
    if (!closing_ensure(connection, segment)) {
        step->damaged = true;
        return false;
    }
    if (!fin)
        x->duplicate_acks_now = 0;
    tally_round_trip(connection, segment, from);
    move(connection, segment, from, step);
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (fin)
        take_fin(x, segment, step);
    take_acknowledgment(connection, segment, from);
    take_stamps(connection, segment, from);
    closing_take(connection, segment, from, step);
    return true;
}
