/* facts: what a segment's sender did, and what the segment does to its receiver (facts.h). */
#include "facts.h"

#include "moves.h"
#include "window.h"

static const nanotime swap_reach = 3 * (nanotime)NANO_PER_MILLI; /* OBSERVER 5, two tolerances */

static struct motive motive_now(enum fact fact, enum basis basis, const struct segment *segment)
{
    return (struct motive){fact, basis, segment->time, segment->packet,
                           basis == BASIS_PRESUMED ? 0 : segment->packet};
}

static void apply_now(struct connection *connection, int side, enum fact fact, enum basis basis,
                      const struct segment *segment, struct step *step)
{
    struct motive motive = motive_now(fact, basis, segment);
    side_apply(connection, side, &motive, step);
}

/* The newest valid entry of a side, when it is presumed by that fact; -1 otherwise. */
static int newest_presumed_by(const struct connection *connection, int side, enum fact fact)
{
    const struct history *history = &connection->history;
    int newest = history_newest(history, side, history->count - 1);
    if (newest < 0)
        return -1;
    const struct history_entry *entry = history_peek(history, newest);
    return entry->basis == BASIS_PRESUMED && entry->fact == (unsigned)fact ? newest : -1;
}

/*
 * A SYN-ACK out of SYN_SENT: simultaneous open.  The peer's SYN moved the side when it arrived;
 * where the peer's SYN-ACK had been presumed to arrive first, the two crossed.
 */
static void synack_from_syn_sent(struct connection *connection, const struct segment *segment,
                                 int from, struct step *step)
{
    struct history *history = &connection->history;
    int crossed = newest_presumed_by(connection, from, FACT_GOT_SYNACK);
    if (crossed >= 0)
        side_revoke(connection, from, crossed, segment->packet, true, step);
    const struct side *y = &connection->side[side_other(from)];
    struct motive motive = {FACT_GOT_SYN, BASIS_ACKED, y->last_data_t, y->last_data_packet,
                            segment->packet};
    for (int i = 0; i < history->count; i++) { /* the peer's SYN itself */
        const struct history_entry *entry = history_peek(history, i);
        if (entry->side != (unsigned)from && entry->state == STATE_SYN_SENT) {
            motive.t = entry->t;
            motive.packet = entry->packet;
        }
    }
    int newest = history_newest(history, from, history->count - 1);
    if (newest >= 0 && time_is_before(motive.t, history_peek(history, newest)->t)) {
        motive.t = history_peek(history, newest)->t; /* the SYNs crossed before the observer */
        motive.packet = history_peek(history, newest)->packet;
    }
    connection->simultaneous_open = true;
    side_apply(connection, from, &motive, step);
    if (crossed >= 0)
        apply_now(connection, from, FACT_SYN_ACKED, BASIS_PRESUMED, segment, step);
}

/* A SYN that was acknowledged comes again after the end: the network's copy opens nothing. */
static bool is_late_syn(const struct side *x, const struct segment *segment)
{
    return x->state == STATE_CLOSED && side_has(x, SIDE_SYN_SEEN) && segment->sequence == x->iss &&
           seq_after(x->snd_una, x->iss);
}

static void send_syn(struct connection *connection, const struct segment *segment, int from,
                     struct step *step)
{
    struct side *x = &connection->side[from];
    if (is_late_syn(x, segment))
        return;
    if ((segment->flags & TCP_ACK) == 0) {
        bool deduced = side_has(x, SIDE_ISS_KNOWN) && !side_has(x, SIDE_SYN_SEEN);
        if (!deduced) /* else its SYN-ACK came first, and the SYN_SENT stands already */
            apply_now(connection, from, FACT_SND_SYN, BASIS_SENT, segment, step);
        return;
    }
    bool simultaneous =
        side_has(x, SIDE_SYN_SEEN) && segment->sequence == x->iss &&
        (x->state == STATE_SYN_SENT || newest_presumed_by(connection, from, FACT_GOT_SYNACK) >= 0);
    if (simultaneous) {
        synack_from_syn_sent(connection, segment, from, step);
        return;
    }
    apply_now(connection, from, FACT_SND_SYNACK, BASIS_SENT, segment, step);
    const struct side *y = &connection->side[side_other(from)];
    bool acks_fin = side_has(y, SIDE_FIN_SENT) && seq_after(segment->acknowledgment, y->fin_seq);
    if (acks_fin && x->state == STATE_SYN_RCVD) /* it came with the SYN */
        apply_now(connection, from, FACT_GOT_FIN, BASIS_ACKED, segment, step);
}

/*
 * The first FIN of a side.  Where the peer's FIN is presumed to have arrived and this one does not
 * acknowledge it, the two crossed: the side sent its own first, and the peer's applies after it.
 */
static void send_first_fin(struct connection *connection, const struct segment *segment, int from,
                           struct step *step)
{
    int crossed = newest_presumed_by(connection, from, FACT_GOT_FIN);
    if (crossed >= 0)
        side_revoke(connection, from, crossed, segment->packet, true, step);
    apply_now(connection, from, FACT_SND_FIN, BASIS_SENT, segment, step);
    if (crossed >= 0)
        apply_now(connection, from, FACT_GOT_FIN, BASIS_PRESUMED, segment, step);
}

/* Out of SYN_SENT by a SYN-ACK; a FIN that went with the SYN counts from here on. */
static void open_by_synack(struct connection *connection, int side, enum basis basis,
                           const struct segment *segment, struct step *step)
{
    apply_now(connection, side, FACT_GOT_SYNACK, basis, segment, step);
    bool closes = side_has(&connection->side[side], SIDE_FIN_SENT) &&
                  connection->side[side].state == STATE_ESTABLISHED;
    if (closes)
        apply_now(connection, side, FACT_SND_FIN, basis, segment, step);
}

/* The server speaks although its SYN-ACK was not captured: an ACK of this SYN proves one. */
static void infer_own_synack(struct connection *connection, const struct segment *segment, int from,
                             struct step *step)
{
    int peer = side_other(from);
    const struct side *y = &connection->side[peer];
    bool covers = y->state == STATE_SYN_SENT &&
                  seq_within(segment->acknowledgment, seq_add(y->iss, 1), y->snd_nxt);
    if (!covers)
        return;
    apply_now(connection, from, FACT_SND_SYNACK, BASIS_SENT, segment, step);
    open_by_synack(connection, peer, BASIS_PRESUMED, segment, step);
}

/* Data, or the ACK of data, comes out of ESTABLISHED: the ACK of its SYN arrived, uncaptured. */
static bool speaks_beyond_syn(const struct connection *connection, const struct segment *segment,
                              int from)
{
    const struct side *y = &connection->side[side_other(from)];
    return (segment->flags & TCP_ACK) != 0 &&
           (segment->payload > 0 || seq_after(segment->acknowledgment, seq_add(y->iss, 1)));
}

/*
 * 3.10.7.3, first: in SYN_SENT an unacceptable ACK is answered by <SEQ=SEG.ACK><CTL=RST>, and the
 * side goes on: its own numbers are elsewhere.
 */
static bool resets_another_life(const struct side *x, const struct segment *segment)
{
    return x->state == STATE_SYN_SENT && (segment->flags & TCP_ACK) == 0 &&
           !seq_within(segment->sequence, x->iss, x->snd_nxt);
}

void facts_sent(struct connection *connection, const struct segment *segment, int from,
                struct step *step)
{
    struct side *x = &connection->side[from];
    if ((segment->flags & TCP_RST) != 0) {
        if (!step->injected && !resets_another_life(x, segment))
            apply_now(connection, from, FACT_SND_RST, BASIS_SENT, segment, step);
        return;
    }
    if ((segment->flags & TCP_SYN) != 0)
        send_syn(connection, segment, from, step);
    else if (x->state == STATE_CLOSED && !side_has(x, SIDE_HEARD) && !connection->midstream)
        infer_own_synack(connection, segment, from, step);
    else if (x->state == STATE_SYN_RCVD && speaks_beyond_syn(connection, segment, from))
        apply_now(connection, from, FACT_SYN_ACKED, BASIS_ACKED, segment, step);
    if ((segment->flags & TCP_FIN) == 0)
        return;
    seq fin = step->end - 1;
    if (!side_has(x, SIDE_FIN_SENT)) {
        x->fin_seq = fin;
        x->flags |= SIDE_FIN_SENT;
        send_first_fin(connection, segment, from, step);
        return;
    }
    step->fin_repeated = fin == x->fin_seq;
    if (step->fin_repeated)
        apply_now(connection, from, FACT_SND_FIN, BASIS_SENT, segment, step);
}

/* The client speaks on although its SYN-ACK was not captured: it must have had one. */
static void infer_synack(struct connection *connection, const struct segment *segment, int from,
                         struct step *step)
{
    int peer = side_other(from);
    struct side *y = &connection->side[peer];
    open_by_synack(connection, from, BASIS_ACKED, segment, step);
    if (y->state != STATE_CLOSED || side_has(y, SIDE_SYN_SEEN))
        return;
    y->iss = segment->acknowledgment - 1;
    y->snd_nxt = segment->acknowledgment;
    y->snd_una = segment->acknowledgment;
    apply_now(connection, peer, FACT_SND_SYNACK, BASIS_PRESUMED, segment, step);
}

static void arriving_syn(struct connection *connection, const struct segment *segment, int from,
                         struct step *step)
{
    int peer = side_other(from);
    struct side *y = &connection->side[peer];
    bool acks_syn = (segment->flags & TCP_ACK) != 0 && side_has(y, SIDE_ISS_KNOWN) &&
                    seq_within(segment->acknowledgment, seq_add(y->iss, 1), y->snd_nxt);
    if (!acks_syn)
        return;
    if (y->state == STATE_SYN_RCVD && connection->simultaneous_open)
        apply_now(connection, peer, FACT_SYN_ACKED, BASIS_PRESUMED, segment, step);
    else
        open_by_synack(connection, peer, BASIS_PRESUMED, segment, step);
}

static void arriving_ack(struct connection *connection, const struct segment *segment, int from,
                         struct step *step)
{
    int peer = side_other(from);
    struct side *y = &connection->side[peer];
    bool syn_covered = y->state == STATE_SYN_RCVD && seq_after(segment->acknowledgment, y->iss) &&
                       seq_at_or_before(segment->acknowledgment, y->snd_nxt);
    if (syn_covered && (segment->flags & TCP_SYN) == 0)
        apply_now(connection, peer, FACT_SYN_ACKED, BASIS_PRESUMED, segment, step);
    bool fin_covered = side_has(y, SIDE_FIN_SENT) &&
                       seq_after(segment->acknowledgment, y->fin_seq) &&
                       seq_at_or_before(segment->acknowledgment, seq_add(y->fin_seq, 1));
    bool waiting =
        y->state == STATE_FIN_WAIT_1 || y->state == STATE_CLOSING || y->state == STATE_LAST_ACK;
    bool first = seq_at_or_before(y->snd_una, y->fin_seq);
    if (fin_covered && (waiting || first))
        apply_now(connection, peer, FACT_FIN_ACKED, BASIS_PRESUMED, segment, step);
}

/*
 * Whether the peer has everything before the FIN of `from` once this segment arrives, as far as the
 * observer can tell: no hole passed him, and none that the peer's acknowledgments show is left open
 * by this segment (OBSERVER 2: a FIN counts only when everything before it has arrived).
 */
static bool completes_fin(const struct connection *connection, const struct segment *segment,
                          int from, const struct step *step)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if (!side_has(x, SIDE_FIN_SENT) || x->holes > 0)
        return false;
    bool is_fin = (segment->flags & TCP_FIN) != 0 && step->end - 1 == x->fin_seq;
    bool fills = side_has(y, SIDE_ACKED) && seq_at_or_before(segment->sequence, y->rcv_nxt) &&
                 seq_after(step->end, y->rcv_nxt);
    bool hole_shown = y->sack_edge_known && seq_after(y->sack_edge, y->rcv_nxt);
    return hole_shown ? fills : is_fin || fills;
}

static void arriving_fin(struct connection *connection, const struct segment *segment, int from,
                         struct step *step)
{
    int peer = side_other(from);
    const struct side *y = &connection->side[peer];
    bool occupies = step->end != segment->sequence;
    bool no_ack = (segment->flags & TCP_ACK) == 0; /* dropped: 3.10.7.4, fifth */
    if (!occupies || no_ack || !completes_fin(connection, segment, from, step))
        return;
    if ((segment->flags & TCP_FIN) == 0 &&
        (y->state == STATE_CLOSED || y->state == STATE_TIME_WAIT))
        return;
    bool known = side_has(y, SIDE_ACKED) && seq_after(y->rcv_nxt, connection->side[from].fin_seq);
    if (!known) {
        apply_now(connection, peer, FACT_GOT_FIN, BASIS_PRESUMED, segment, step);
        return;
    }
    bool waits = y->state == STATE_ESTABLISHED || y->state == STATE_FIN_WAIT_1 ||
                 y->state == STATE_FIN_WAIT_2 || y->state == STATE_UNKNOWN ||
                 y->state == STATE_SYN_RCVD;
    struct motive motive = motive_now(FACT_GOT_FIN, BASIS_ACKED, segment);
    motive.proof = y->rcv_nxt_packet; /* the capture had swapped, or missed the FIN's first copy */
    side_apply(connection, peer, &motive, step);
    bool swapped = waits && time_since(segment->time, y->rcv_nxt_t) <= swap_reach &&
                   (segment->flags & TCP_FIN) != 0;
    if (swapped && connection->capture_gaps > 0)
        connection->capture_gaps--; /* what the ACK seemed to miss is here */
    connection->reordered |= swapped;
    if (!waits)
        return;
    connection->side[from].snd_una = seq_add(connection->side[from].fin_seq, 1); /* as went by */
    apply_now(connection, from, FACT_FIN_ACKED, BASIS_PRESUMED, segment, step);
}

void facts_arriving(struct connection *connection, const struct segment *segment, int from,
                    struct step *step)
{
    int peer = side_other(from);
    struct side *x = &connection->side[from];
    if ((segment->flags & TCP_RST) != 0) {
        if (step->rst_fit ==
            RST_FIT_EXACT) /* whoever sent it: the receiver asks for numbers only */
            apply_now(connection, peer, FACT_GOT_RST, BASIS_PRESUMED, segment, step);
        return;
    }
    bool plain = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK;
    if (plain && x->state == STATE_SYN_SENT)
        infer_synack(connection, segment, from, step);
    if ((segment->flags & TCP_SYN) != 0)
        arriving_syn(connection, segment, from, step);
    if ((segment->flags & TCP_ACK) != 0 && !step->acks_unsent)
        arriving_ack(connection, segment, from, step);
    if (side_has(x, SIDE_FIN_SENT) && connection->side[peer].state != STATE_LISTEN)
        arriving_fin(connection, segment, from, step);
}
