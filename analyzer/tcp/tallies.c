/* tallies: see tallies.h. */
#include "tallies.h"

enum { FAST_DUPLICATES = 3 }; /* RFC 5681 3.2 */

static const nanotime least_rto = 200 * (nanotime)NANO_PER_MILLI; /* Linux TCP_RTO_MIN */
static const nanotime swap_reach = 3 * (nanotime)NANO_PER_MILLI;  /* OBSERVER 5 */

static void add_hole(struct side *x, seq left, seq right, nanotime t)
{
    if (x->holes < SIDE_HOLES)
        x->hole[x->holes++] = (struct hole){left, right, t};
    else
        x->hole[SIDE_HOLES - 1].right = right; /* the newest grows: nothing is taken for seen */
}

/* The hole that [left, right) touches, or -1. */
static int find_hole(const struct side *x, seq left, seq right)
{
    for (int i = 0; i < x->holes; i++) {
        if (seq_before(left, x->hole[i].right) && seq_after(right, x->hole[i].left))
            return i;
    }
    return -1;
}

static void remove_hole(struct side *x, int index)
{
    for (int i = index; i + 1 < x->holes; i++)
        x->hole[i] = x->hole[i + 1];
    x->holes--;
}

static void fill_hole(struct side *x, int index, seq left, seq right)
{
    struct hole *hole = &x->hole[index];
    bool from_left = seq_at_or_before(left, hole->left);
    bool to_right = seq_at_or_after(right, hole->right);
    if (from_left && to_right)
        remove_hole(x, index);
    else if (from_left)
        hole->left = right;
    else if (to_right)
        hole->right = left;
    else {
        seq end = hole->right;
        nanotime since = hole->since;
        hole->right = left;
        add_hole(x, right, end, since);
    }
}

/*
 * A keep-alive or window probe: SEQ one below SND.NXT (or SND.UNA, the same when idle) with at most
 * one octet, or one octet into a closed window (RFC 9293 3.8.4, 3.8.6.1; RFC 1122 4.2.3.6).
 */
static bool classify_probe(struct connection *connection, const struct segment *segment, int from,
                           struct step *step)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    bool small = segment->payload <= 1 && (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;
    bool idle = x->snd_una == x->snd_nxt;
    bool below_next = segment->sequence == x->snd_nxt - 1;
    bool below_una = segment->sequence == x->snd_una - 1; /* the same when idle */
    bool below = segment->payload == 0 ? below_next || below_una : below_next && idle;
    bool zero_window = side_has(y, SIDE_ZERO_WINDOW);
    bool into_zero = zero_window && segment->payload == 1 && segment->sequence == x->snd_nxt;
    if (!small || !side_has(x, SIDE_HEARD) || !side_has(y, SIDE_ACKED) || (!below && !into_zero))
        return false;
    step->window_probe = zero_window;
    step->keep_alive = !zero_window;
    x->tally.window_probes += zero_window;
    x->tally.keep_alives += !zero_window;
    return !into_zero; /* the octet into a closed window is data all the same */
}

static void count_retransmission(struct connection *connection, const struct segment *segment,
                                 int from, struct step *step)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    uint32_t again = (uint32_t)(x->snd_nxt - segment->sequence);
    step->retransmission = true;
    x->tally.retransmitted++;
    x->tally.retransmitted_bytes += again < segment->payload ? again : segment->payload;
    step->spurious = side_has(y, SIDE_ACKED) && seq_at_or_before(step->end, y->rcv_nxt);
    if (step->spurious)
        x->tally.spurious++;
    else if (y->duplicate_acks_now >= FAST_DUPLICATES)
        x->tally.fast++;
    else if (x->last_data_packet != 0 && time_since(segment->time, x->last_data_t) >= least_rto)
        x->tally.timeout++;
    bool unacked = seq_after(step->end, x->snd_una);
    if (side_has(x, SIDE_TIMED) && unacked && seq_before(segment->sequence, x->timed_end))
        x->flags &= (uint16_t)~SIDE_TIMED; /* Karn: an ambiguous sample is no sample */
}

/* Old sequence numbers: sent again, or late. */
static void classify_old(struct connection *connection, const struct segment *segment, int from,
                         struct step *step)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    bool overtaken = (segment->flags & TCP_FIN) != 0 && !side_has(x, SIDE_FIN_SENT) &&
                     step->end == x->snd_nxt && y->rcv_nxt == step->end &&
                     time_since(segment->time, y->rcv_nxt_t) <= swap_reach;
    if (overtaken)
        return; /* the capture delivered its ACK first */
    int hole = find_hole(x, segment->sequence, step->end);
    if (hole < 0) {
        count_retransmission(connection, segment, from, step);
        return;
    }
    nanotime reach = time_later_of(swap_reach, x->round_trip / 2);
    bool older_id = segment->ip_id != 0 && (int16_t)(segment->ip_id - x->last_ip_id) < 0;
    bool late = older_id || time_since(segment->time, x->hole[hole].since) <= reach;
    fill_hole(x, hole, segment->sequence, step->end);
    if (late) {
        step->out_of_order = true;
        x->tally.out_of_order++;
        return;
    }
    count_retransmission(connection, segment, from, step);
}

static void classify_occupying(struct connection *connection, const struct segment *segment,
                               int from, struct step *step)
{
    struct side *x = &connection->side[from];
    if (!side_has(x, SIDE_HEARD) || classify_probe(connection, segment, from, step))
        return;
    if (seq_before(segment->sequence, x->snd_nxt))
        classify_old(connection, segment, from, step);
    else if (seq_after(segment->sequence, x->snd_nxt))
        add_hole(x, x->snd_nxt, segment->sequence, segment->time);
}

static void classify_pure_ack(struct connection *connection, const struct segment *segment,
                              int from, struct step *step)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if ((segment->flags & TCP_ACK) == 0 || !side_has(x, SIDE_ACKED))
        return;
    if (segment->acknowledgment != x->rcv_nxt) {
        x->duplicate_acks_now = 0;
        return;
    }
    bool outstanding = side_has(y, SIDE_HEARD) && seq_after(y->snd_nxt, segment->acknowledgment);
    bool repeated = outstanding && segment->window == x->last_window_field;
    if (!repeated || classify_probe(connection, segment, from, step))
        return;
    step->duplicate_ack = true;
    x->tally.duplicate_acks++;
    if (x->duplicate_acks_now < UINT8_MAX)
        x->duplicate_acks_now++;
}

static void count_sack(struct side *x, const struct segment *segment)
{
    x->tally.sack_blocks += segment->sacks;
    if ((segment->flags & TCP_ACK) == 0)
        return; /* blocks lie above an acknowledgment (RFC 2018 4): these have none */
    const struct sack_block *first = &segment->sack[0];
    bool below = seq_at_or_before(first->right, segment->acknowledgment);
    bool inside = segment->sacks > 1 && seq_at_or_after(first->left, segment->sack[1].left) &&
                  seq_at_or_before(first->right, segment->sack[1].right);
    x->tally.dsack_blocks += below || inside; /* RFC 2883 4 */
    for (int i = 0; i < segment->sacks; i++) {
        if (!x->sack_edge_known || seq_after(segment->sack[i].right, x->sack_edge))
            x->sack_edge = segment->sack[i].right;
        x->sack_edge_known = true;
    }
}

void tally_segment(struct connection *connection, const struct segment *segment, int from,
                   struct step *step)
{
    struct side *x = &connection->side[from];
    bool control = (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
    if ((segment->flags & TCP_RST) != 0)
        return;
    if (step->end != segment->sequence)
        classify_occupying(connection, segment, from, step);
    else if (!classify_probe(connection, segment, from, step))
        classify_pure_ack(connection, segment, from, step);
    if (segment->window == 0 && !control)
        x->tally.zero_windows++;
    if (segment->sacks > 0)
        count_sack(x, segment);
}

void tally_round_trip(struct connection *connection, const struct segment *segment, int from)
{
    struct side *y = &connection->side[side_other(from)];
    if (!side_has(y, SIDE_TIMED) || (segment->flags & TCP_ACK) == 0 ||
        seq_before(segment->acknowledgment, y->timed_end))
        return;
    nanotime trip = tally_end_trip(y, segment);
    if (trip != NANOTIME_UNKNOWN)
        rtt_add(&connection->side[side_other(from)].rtt, trip);
}
