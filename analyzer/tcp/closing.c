/* closing: see closing.h. */
#include "closing.h"

#include <stdlib.h>

#include "facts.h"

static const nanotime swap_reach = 3 * (nanotime)NANO_PER_MILLI; /* OBSERVER 5 */

bool closing_ensure(struct connection *connection, const struct segment *segment)
{
    if (connection->closing != NULL || (segment->flags & (TCP_FIN | TCP_RST)) == 0)
        return true;
    connection->closing = calloc(1, sizeof(*connection->closing));
    return connection->closing != NULL;
}

static void remember_fin(struct connection *connection, const struct segment *segment, int from,
                         const struct step *step)
{
    struct closing *closing = connection->closing;
    const struct side *x = &connection->side[from];
    bool is_fin = (segment->flags & TCP_FIN) != 0 && side_has(x, SIDE_FIN_SENT);
    if (!is_fin || step->end - 1 != x->fin_seq)
        return;
    closing->fins[from]++;
    if (closing->fins[from] == 1)
        closing->fin[from] = packet_ref_of(segment, from);
    else
        closing->fin_again[from] = packet_ref_of(segment, from);
    if (closing->copies[from] < FIN_COPIES && (segment->options & OPTION_TIMESTAMPS) != 0)
        closing->copy[from][closing->copies[from]++] =
            (struct fin_copy){segment->packet, segment->time, segment->tsval};
}

static void remember_fin_ack(struct connection *connection, const struct segment *segment, int from,
                             const struct step *step)
{
    struct closing *closing = connection->closing;
    int peer = side_other(from);
    const struct side *y = &connection->side[peer];
    bool covers = side_has(y, SIDE_FIN_SENT) && (segment->flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
                  seq_after(segment->acknowledgment, y->fin_seq);
    if (!covers)
        return;
    if (closing->fin_ack[peer].packet == 0)
        closing->fin_ack[peer] = packet_ref_of(segment, from);
    closing->fin_ack_last[peer] = packet_ref_of(segment, from);
    if (!closing->carrier[peer] && step->end != segment->sequence) {
        closing->carrier[peer] = true;
        closing->carrier_end[peer] = step->end;
    }
}

/* A pure ACK at SND.NXT that covers the peer's FIN: no late copy of what was sent before. */
static bool answers_from_time_wait(const struct connection *connection,
                                   const struct segment *segment, int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    bool pure = (segment->flags & (TCP_ACK | TCP_RST | TCP_SYN | TCP_FIN)) == TCP_ACK &&
                segment->payload == 0;
    return x->state == STATE_TIME_WAIT && pure && segment->sequence == x->snd_nxt &&
           seq_after(segment->acknowledgment, y->fin_seq);
}

/* Whether a side was there before the segment, or is by it. */
static bool is_in_time_wait(const struct connection *connection, const struct step *step)
{
    return step->before[0] == STATE_TIME_WAIT || step->before[1] == STATE_TIME_WAIT ||
           connection->side[0].state == STATE_TIME_WAIT ||
           connection->side[1].state == STATE_TIME_WAIT;
}

/* What reaches a side in TIME_WAIT, what it answers, and when 2MSL starts (OBSERVER 2). */
static void watch_time_wait(struct connection *connection, const struct segment *segment, int from,
                            const struct step *step)
{
    struct closing *closing = connection->closing;
    int peer = side_other(from);
    if (answers_from_time_wait(connection, segment, from)) {
        bool first = connection->side[from].rcv_nxt_packet == segment->packet;
        bool again = closing->time_wait_acked[from] && !first;
        if (again && !connection->refusing_syn)
            closing->time_wait_restarts[from]++;
        if (!closing->time_wait_acked[from] || (again && !connection->refusing_syn))
            closing->time_wait_started[from] = segment->time;
        if (again)
            closing->time_wait_ack = packet_ref_of(segment, from);
        closing->time_wait_acked[from] = true;
    }
    bool by_ack = (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
    for (int side = 0; side < SIDES; side++) {
        bool entered = connection->side[side].state == STATE_TIME_WAIT &&
                       step->before[side] != STATE_TIME_WAIT;
        if (entered && (side != from || !by_ack)) {
            closing->time_wait_started[side] = segment->time;
            closing->time_wait_acked[side] = step->before[side] == STATE_CLOSING;
        }
    }
    if (step->before[peer] == STATE_TIME_WAIT && (segment->flags & TCP_RST) == 0)
        closing->to_time_wait = packet_ref_of(segment, from);
}

/* Whether SND.NXT of a side is known: a reset alone, which may answer from nowhere, tells none. */
static bool is_numbered(const struct connection *connection, int side)
{
    const struct side *x = &connection->side[side], *y = &connection->side[side_other(side)];
    return side_is_numbered(x) || side_has(y, SIDE_ACKED);
}

static void remember_rst(struct connection *connection, const struct segment *segment, int from,
                         const struct step *step)
{
    struct closing *closing = connection->closing;
    struct aftermath *aftermath = &closing->aftermath[from];
    if (closing->rst[from].packet != 0) {
        aftermath->latest = packet_ref_of(segment, from);
        bool exact = aftermath->challenge.packet != 0 && aftermath->exact.packet == 0 &&
                     segment->sequence == aftermath->challenge.acknowledgment;
        if (exact)
            aftermath->exact = packet_ref_of(segment, from);
        return;
    }
    closing->rst[from] = packet_ref_of(segment, from);
    closing->rst_form[from] = (uint8_t)step->rst_form;
    closing->rst_fit[from] = (uint8_t)step->rst_fit;
    for (int side = 0; side < SIDES; side++) {
        aftermath->snd_nxt[side] = connection->side[side].snd_nxt;
        aftermath->numbered[side] = is_numbered(connection, side);
        aftermath->before[side] = (uint8_t)step->before[side];
    }
    aftermath->before_basis = (uint8_t)step->before_basis[from];
}

/* The peer's acknowledgment shows where its RCV.NXT stood: the reset was not exact after all. */
static void revise_fit(struct connection *connection, const struct segment *segment, int side)
{
    struct closing *closing = connection->closing;
    const struct side *y = &connection->side[side_other(side)];
    seq sequence = closing->rst[side].sequence;
    bool stops_short = seq_before(segment->acknowledgment, sequence);
    if (closing->rst_fit[side] != RST_FIT_EXACT || !stops_short)
        return;
    bool inside = seq_before(sequence, y->right_edge);
    closing->rst_fit[side] = inside ? RST_FIT_IN_WINDOW : RST_FIT_OUTSIDE;
}

/* A segment that is no reset, after a reset of either side: its sender or its receiver goes on. */
static void watch_aftermath(struct connection *connection, const struct segment *segment, int from)
{
    struct closing *closing = connection->closing;
    int peer = side_other(from);
    struct aftermath *mine = &closing->aftermath[from], *theirs = &closing->aftermath[peer];
    bool swapped = time_since(segment->time, closing->rst[from].t) <= swap_reach;
    if (closing->rst[from].packet != 0 && mine->went_on.packet == 0 && !swapped)
        mine->went_on = packet_ref_of(segment, from);
    bool plain = (segment->flags & (TCP_ACK | TCP_SYN | TCP_FIN)) == TCP_ACK &&
                 segment->payload == 0 && segment->sequence == connection->side[from].snd_nxt;
    if (closing->rst[peer].packet == 0 || !plain ||
        facts_under_way(connection, from, closing->rst[peer].t, segment))
        return;
    if (theirs->challenge.packet == 0)
        theirs->challenge = packet_ref_of(segment, from);
    revise_fit(connection, segment, peer);
}

void closing_watch_end(struct connection *connection, nanotime t)
{
    if (!connection_is_closed(connection))
        connection->closed_at = NANOTIME_UNKNOWN;
    else if (connection->closed_at == NANOTIME_UNKNOWN)
        connection->closed_at = t;
}

void closing_take(struct connection *connection, const struct segment *segment, int from,
                  const struct step *step)
{
    const struct closing *closing = connection->closing;
    remember_fin(connection, segment, from, step);
    remember_fin_ack(connection, segment, from, step);
    if (is_in_time_wait(connection, step))
        watch_time_wait(connection, segment, from, step);
    if ((segment->flags & TCP_RST) != 0)
        remember_rst(connection, segment, from, step);
    else if ((closing->rst[0].packet | closing->rst[1].packet) != 0)
        watch_aftermath(connection, segment, from);
    closing_watch_end(connection, segment->time);
}
