/*
 * received: what a segment shows its sender to have received (OBSERVER 1: proof and revocation).
 *
 * Each presumed entry of the sender is judged by its fact; the list of what revokes is closed:
 *   - the side's own SYN, SYN-ACK or FIN again;
 *   - an acknowledgment that stops short, outside the crossing time, or at once with a SACK block;
 *   - any segment but an RST after a presumed reset or a presumed CLOSED, outside the crossing
 * time;
 *   - TSecr: the acknowledgment of a repeated FIN echoes the copy that arrived first.
 * Besides, a side that goes on, with new octets or in taking more of the peer's, shows that a reset
 * in its name was not its own.
 */
#include "facts.h"
#include "moves.h"

static const nanotime swap_reach = 3 * (nanotime)NANO_PER_MILLI; /* OBSERVER 5 */

enum judgment { JUDGE_NOTHING, JUDGE_PROVEN, JUDGE_REVOKED, JUDGE_CROSSED };

bool facts_crossing(const struct connection *connection, int from, nanotime t,
                    const struct segment *segment)
{
    return time_since(segment->time, t) < connection->side[from].round_trip;
}

/*
 * A pure ACK that repeats what its sender had acknowledged answers something, or is late itself.
 * The handshake's round trip may have been a long one: seven eighths of the shortest tell the two.
 * Below a millisecond it is the host's own time, which tells nothing.
 */
bool facts_under_way(const struct connection *connection, int from, nanotime t,
                     const struct segment *segment)
{
    const struct side *x = &connection->side[from];
    const struct rtt *rtt =
        &connection->side[side_other(from)].rtt; /* until the side acknowledged */
    bool repeats = (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
                   segment->payload == 0 && segment->sequence == x->snd_nxt &&
                   side_has(x, SIDE_ACKED) && segment->acknowledgment == x->rcv_nxt;
    if (!repeats)
        return facts_crossing(connection, from, t, segment);
    bool shorter = rtt->samples > 0 && rtt->least < x->round_trip;
    nanotime shortest = shorter ? rtt->least : x->round_trip;
    return shortest >= NANO_PER_MILLI && time_since(segment->time, t) < shortest - shortest / 8;
}

/* "The side's own ... again" revokes unless it was in flight already. */
static enum judgment judge_again(bool crossing)
{
    return crossing ? JUDGE_NOTHING : JUDGE_REVOKED;
}

static enum judgment judge_got_synack(const struct connection *connection,
                                      const struct segment *segment, int from, bool crossing)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if ((segment->flags & TCP_SYN) != 0 && (segment->flags & TCP_ACK) == 0)
        return side_has(x, SIDE_SYN_SEEN) && segment->sequence == x->iss ? judge_again(crossing)
                                                                         : JUDGE_NOTHING;
    bool covers = (segment->flags & (TCP_ACK | TCP_SYN)) == TCP_ACK &&
                  seq_after(segment->acknowledgment, y->iss);
    return covers && (segment->flags & TCP_RST) == 0 ? JUDGE_PROVEN : JUDGE_NOTHING;
}

/* RFC 7323 4.3: what is echoed arrived; it is younger than the SYN, so it acknowledged the SYN-ACK.
 */
static bool echoes_third(const struct side *y, const struct segment *segment)
{
    return (segment->options & OPTION_TIMESTAMPS) != 0 && side_has(y, SIDE_TSVAL) &&
           side_has(y, SIDE_SYN_SEEN) && seq_after(segment->tsecr, y->tsval_first);
}

/*
 * Every SYN is answered: where it had been repeated, a SYN-ACK may answer the other one, and says
 * nothing of the third packet.  An answer takes at most what lies between the first SYN and the
 * first SYN-ACK.
 */
static bool may_answer_other_syn(const struct connection *connection, const struct segment *segment,
                                 int from)
{
    if (from == 0 || connection->syn_t == NANOTIME_UNKNOWN ||
        connection->synack_t == NANOTIME_UNKNOWN || connection->syn_t == connection->started)
        return false;
    nanotime longest = time_since(connection->synack_t, connection->started);
    return time_since(segment->time, connection->syn_t) <= longest;
}

/*
 * A FIN alone proves no ESTABLISHED: figure 5 has CLOSE out of SYN_RCVD, too.
 */
static enum judgment judge_syn_acked(const struct connection *connection,
                                     const struct segment *segment, int from, bool crossing)
{
    const struct side *y = &connection->side[side_other(from)];
    if ((segment->flags & TCP_RST) != 0 || connection->midstream)
        return JUDGE_NOTHING;
    if ((segment->flags & TCP_SYN) != 0)
        return judge_again(crossing || may_answer_other_syn(connection, segment, from));
    bool beyond = segment->payload > 0 || seq_after(segment->acknowledgment, seq_add(y->iss, 1));
    bool may_precede = (segment->flags & TCP_FIN) != 0 ? !echoes_third(y, segment) : crossing;
    return beyond || !may_precede ? JUDGE_PROVEN : JUDGE_NOTHING;
}

/* An acknowledgment below what the side has acknowledged before is an old copy: it shows nothing.
 */
static bool is_old_copy(const struct side *x, const struct segment *segment)
{
    return (segment->flags & TCP_ACK) != 0 && side_has(x, SIDE_ACKED) &&
           seq_before(segment->acknowledgment, x->rcv_nxt);
}

/* A block above a hole that holds the FIN itself: it came, and what stands before it did not. */
static bool sacks_fin(const struct segment *segment, seq fin_seq)
{
    for (int i = 0; i < segment->sacks; i++) {
        if (seq_after(segment->sack[i].right, fin_seq))
            return true;
    }
    return false;
}

/* "No such connection" from a side presumed to have taken the FIN: it had no socket to take it. */
static bool denies_connection(const struct side *x, const struct step *step)
{
    return step->rst_form == RST_REPLY_NO_ACK && x->state != STATE_CLOSED;
}

static enum judgment judge_got_fin(const struct connection *connection,
                                   const struct segment *segment, int from, const struct step *step,
                                   bool crossing)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if (denies_connection(x, step))
        return JUDGE_REVOKED;
    if ((segment->flags & TCP_ACK) == 0)
        return JUDGE_NOTHING;
    if (seq_after(segment->acknowledgment, y->fin_seq))
        return JUDGE_PROVEN;
    bool reset = (segment->flags & TCP_RST) != 0;
    if ((reset && step->rst_form != RST_ACTIVE) || is_old_copy(x, segment))
        return JUDGE_NOTHING;
    return sacks_fin(segment, y->fin_seq) || !crossing ? JUDGE_REVOKED : JUDGE_NOTHING;
}

/* A pure ACK at SND.NXT, and no old copy: only a socket in LAST_ACK sends it. */
static bool shows_old_socket(const struct side *x, const struct segment *segment)
{
    bool stamped = (segment->options & OPTION_TIMESTAMPS) != 0 && side_has(x, SIDE_TSVAL);
    bool old_copy = stamped && seq_before(segment->tsval, x->tsval_last);
    return segment->payload == 0 && segment->sequence == x->snd_nxt && !old_copy;
}

static enum judgment judge_fin_acked(const struct connection *connection,
                                     const struct history_entry *entry,
                                     const struct segment *segment, int from,
                                     const struct step *step, bool crossing)
{
    const struct closing *closing = connection->closing;
    bool fin_again = (segment->flags & TCP_FIN) != 0;
    if (fin_again)
        return judge_again(crossing);
    if (entry->state == STATE_CLOSED) {
        if ((segment->flags & TCP_RST) != 0)
            return step->rst_form == RST_REPLY_NO_ACK ? JUDGE_PROVEN : JUDGE_NOTHING;
        return shows_old_socket(&connection->side[from], segment) ? judge_again(crossing)
                                                                  : JUDGE_NOTHING;
    }
    bool covers_carrier = (segment->flags & TCP_ACK) != 0 && closing->carrier[from] &&
                          seq_at_or_after(segment->acknowledgment, closing->carrier_end[from]);
    return covers_carrier ? JUDGE_PROVEN : JUDGE_NOTHING;
}

/* A reset of its own proves that the side is CLOSED, whatever made it so. */
static enum judgment judge_got_rst(const struct connection *connection,
                                   const struct segment *segment, int from, const struct step *step,
                                   bool crossing)
{
    if ((segment->flags & TCP_RST) != 0) /* two aborts may cross */
        return crossing && step->rst_form == RST_ACTIVE ? JUDGE_CROSSED : JUDGE_PROVEN;
    return is_old_copy(&connection->side[from], segment) ? JUDGE_NOTHING : judge_again(crossing);
}

/* A SYN that was deduced from its SYN-ACK turns up. */
static enum judgment judge_snd_syn(const struct connection *connection,
                                   const struct history_entry *entry, const struct segment *segment,
                                   int from)
{
    if (entry->state != STATE_SYN_SENT)
        return JUDGE_NOTHING; /* an end by a candidate: the tuple's business, not this one's */
    bool own_syn = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
                   segment->sequence == connection->side[from].iss;
    return own_syn || (segment->flags & TCP_ACK) != 0 ? JUDGE_PROVEN : JUDGE_NOTHING;
}

static enum judgment judge(const struct connection *connection, const struct history_entry *entry,
                           const struct segment *segment, int from, const struct step *step)
{
    bool crossing = facts_crossing(connection, from, entry->t, segment);
    switch ((enum fact)entry->fact) {
    case FACT_GOT_SYNACK:
        return judge_got_synack(connection, segment, from, crossing);
    case FACT_SYN_ACKED:
        return judge_syn_acked(connection, segment, from, crossing);
    case FACT_GOT_FIN:
        return judge_got_fin(connection, segment, from, step, crossing);
    case FACT_FIN_ACKED:
        return judge_fin_acked(connection, entry, segment, from, step, crossing);
    case FACT_GOT_RST:
        return judge_got_rst(connection, segment, from, step,
                             facts_under_way(connection, from, entry->t, segment));
    case FACT_SND_SYN:
        return judge_snd_syn(connection, entry, segment, from);
    case FACT_SND_SYNACK: /* deduced from the client's ACK: anything of the server proves it */
        return JUDGE_PROVEN;
    case FACT_GOT_SYN:
    case FACT_SND_FIN:
    case FACT_SND_RST:
    case FACT_TWO_MSL:
    case FACTS:
        return JUDGE_NOTHING;
    }
    return JUDGE_NOTHING;
}

/* The copy of the peer's FIN whose time stamp the acknowledgment echoes, if it is a repetition. */
static const struct fin_copy *echoed_copy(const struct connection *connection,
                                          const struct segment *segment, int from)
{
    const struct closing *closing = connection->closing;
    int peer = side_other(from);
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return NULL;
    for (int i = 0; i < closing->copies[peer]; i++) {
        if (closing->copy[peer][i].tsval == segment->tsecr)
            return &closing->copy[peer][i];
    }
    return NULL;
}

/*
 * RFC 7323 4.3: the acknowledgment of a FIN echoes the TSval of the copy that arrived first.  What
 * an earlier copy was presumed to have moved never was; the state is dated at the echoed copy.
 * Returns true when entry `index` was replaced so.
 */
static bool redate_by_echo(struct connection *connection, int index, const struct segment *segment,
                           int from, struct step *step)
{
    const struct history_entry *old = history_peek(&connection->history, index);
    const struct fin_copy *copy = echoed_copy(connection, segment, from);
    if (copy == NULL || !time_is_before(old->t, copy->t))
        return false;
    uint64_t lost = old->packet;
    int first = index;
    for (int i = index - 1; i >= 0; i--) { /* what the lost copy's own ACK moved goes with it */
        const struct history_entry *entry = history_peek(&connection->history, i);
        if (entry->side == (unsigned)from && !entry->revoked && entry->packet == lost &&
            entry->basis == BASIS_PRESUMED)
            first = i;
    }
    struct motive motive = {FACT_FIN_ACKED, BASIS_ACKED, copy->t, copy->packet, segment->packet};
    bool fin_acked = first != index;
    for (int i = index + 1; i < connection->history.count; i++) { /* what came between stays */
        const struct history_entry *entry = history_peek(&connection->history, i);
        if (entry->side != (unsigned)from || entry->revoked || entry->fact != FACT_FIN_ACKED ||
            time_is_before(copy->t, entry->t))
            continue;
        motive.t = entry->t;
        motive.packet = entry->packet;
        fin_acked = true;
    }
    side_revoke(connection, from, first, segment->packet, false, step);
    if (fin_acked)
        side_apply(connection, from, &motive, step);
    motive.t = copy->t;
    motive.packet = copy->packet;
    motive.fact = FACT_GOT_FIN;
    side_apply(connection, from, &motive, step);
    return true;
}

static enum basis proof_basis(const struct history_entry *entry)
{
    bool by_sending = entry->fact == FACT_SND_SYN || entry->fact == FACT_SND_SYNACK ||
                      entry->state == STATE_CLOSED;
    return by_sending ? BASIS_SENT : BASIS_ACKED;
}

/* Judges the presumed entries of a side, the oldest first. */
static void judge_presumed(struct connection *connection, const struct segment *segment, int from,
                           struct step *step)
{
    struct history *history = &connection->history;
    int oldest = side_oldest_presumed(connection, from);
    int end = history->count;
    for (int i = oldest; i >= 0 && i < end; i++) {
        const struct history_entry *entry = history_peek(history, i);
        if (entry->side != (unsigned)from || entry->revoked || entry->basis != BASIS_PRESUMED)
            continue;
        switch (judge(connection, entry, segment, from, step)) {
        case JUDGE_NOTHING:
            break;
        case JUDGE_REVOKED:
            side_revoke(connection, from, i, segment->packet, false, step);
            return;
        case JUDGE_CROSSED:
            side_revoke(connection, from, i, segment->packet, true, step);
            return;
        case JUDGE_PROVEN:
            if (entry->fact == FACT_GOT_FIN && redate_by_echo(connection, i, segment, from, step))
                return;
            side_confirm(connection, from, i, proof_basis(entry), segment->packet, step);
            break;
        }
    }
}

/*
 * A host that has reset a connection sends nothing new in it, and takes nothing: a late segment
 * draws a reset from it.  A side that goes on exactly where it was, with octets of its own or the
 * acknowledgment of more of the peer's, had not sent the reset: somebody else did, in its name
 * (OBSERVER 5).  Where it was is not known of one that had sent nothing else before.
 */
static void revoke_foreign_rst(struct connection *connection, const struct segment *segment,
                               int from, struct step *step)
{
    const struct side *x = &connection->side[from];
    const struct history *history = &connection->history;
    bool new_octets = segment->payload > 0 || (segment->flags & TCP_FIN) != 0;
    bool takes_on = side_has(x, SIDE_ACKED) && seq_after(segment->acknowledgment, x->rcv_nxt);
    int newest = history_newest(history, from, history->count - 1);
    bool follows = !side_has(x, SIDE_HEARD) || segment->sequence == x->snd_nxt;
    if (newest < 0 || (!new_octets && !takes_on) || !follows ||
        (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
        return;
    const struct history_entry *entry = history_peek(history, newest);
    if (entry->fact == FACT_SND_RST && time_since(segment->time, entry->t) > swap_reach)
        side_revoke(connection, from, newest, segment->packet, false, step);
}

/*
 * The SYN-ACK again after the side's FIN: the FIN was sent out of SYN_RCVD.  ESTABLISHED, presumed
 * before it, never was; nor had the acknowledgment of that FIN arrived.
 */
static void revoke_under_fin(struct connection *connection, const struct segment *segment, int from,
                             struct step *step)
{
    struct history *history = &connection->history;
    int opened = -1, acked = -1;
    for (int i = 0; i < history->count; i++) {
        const struct history_entry *entry = history_peek(history, i);
        if (entry->side != (unsigned)from || entry->revoked || entry->basis != BASIS_PRESUMED)
            continue;
        if (entry->fact == FACT_SYN_ACKED)
            opened = i;
        if (entry->fact == FACT_FIN_ACKED && opened >= 0)
            acked = i;
    }
    if (opened < 0 || facts_crossing(connection, from, history_peek(history, opened)->t, segment))
        return;
    if (acked >= 0 && !facts_crossing(connection, from, history_peek(history, acked)->t, segment))
        side_revoke(connection, from, acked, segment->packet, false, step);
    side_revoke_alone(connection, from, opened, segment->packet, step);
}

/* An acknowledgment of a FIN that had not moved its receiver yet: it arrived after all. */
static void receive_fin_by_ack(struct connection *connection, const struct segment *segment,
                               int from, struct step *step)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    bool acks_fin = side_has(y, SIDE_FIN_SENT) && (segment->flags & TCP_ACK) != 0 &&
                    (segment->flags & TCP_RST) == 0 &&
                    seq_after(segment->acknowledgment, y->fin_seq);
    bool first = !side_has(x, SIDE_ACKED) || seq_at_or_before(x->rcv_nxt, y->fin_seq);
    if (!acks_fin || !first)
        return;
    for (int i = connection->history.count - 1; i >= 0; i--) {
        const struct history_entry *entry = history_peek(&connection->history, i);
        if (entry->side == (unsigned)from && !entry->revoked && entry->fact == FACT_GOT_FIN)
            return;
    }
    struct motive motive = {FACT_GOT_FIN, BASIS_ACKED, y->last_data_t, y->last_data_packet,
                            segment->packet};
    int newest = history_newest(&connection->history, from, connection->history.count - 1);
    if (newest >= 0 && time_is_before(motive.t, history_peek(&connection->history, newest)->t)) {
        motive.t = segment->time; /* entries stand in time order: name the proof itself */
        motive.packet = segment->packet;
    }
    side_apply(connection, from, &motive, step);
}

void facts_received(struct connection *connection, const struct segment *segment, int from,
                    struct step *step)
{
    const struct side *x = &connection->side[from];
    if (side_has(x, SIDE_FIN_SENT) && (segment->flags & TCP_SYN) != 0 &&
        segment->sequence == x->iss)
        revoke_under_fin(connection, segment, from, step);
    if (x->state == STATE_CLOSED && x->basis == BASIS_SENT)
        revoke_foreign_rst(connection, segment, from, step);
    if (x->basis == BASIS_PRESUMED)
        judge_presumed(connection, segment, from, step);
    if (connection->closing != NULL)
        receive_fin_by_ack(connection, segment, from, step);
}
