/* connection: one segment after another (connection.h). */
#include "connection.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/zero.h"
#include "closing.h"
#include "course.h"
#include "facts.h"
#include "moves.h"
#include "ordinary.h"
#include "shown.h"
#include "tallies.h"
#include "window.h"
#include "zeek_trail.h"

enum { PLAUSIBLE = 1 << 24 }; /* octets: no more is in flight when a stream is picked up */

static const nanotime swap_reach = 3 * (nanotime)NANO_PER_MILLI; /* OBSERVER 5, two tolerances */

void connection_start(struct connection *connection, const struct segment *first, int from)
{
    zero(connection, sizeof(*connection));
    connection->started = first->time;
    connection->syn_t = NANOTIME_UNKNOWN;
    connection->synack_t = NANOTIME_UNKNOWN;
    connection->ack_t = NANOTIME_UNKNOWN;
    connection->closed_at = NANOTIME_UNKNOWN;
    connection->last_t = first->time; /* before 1970, too */
    connection->midstream = !segment_opens(first);
    enum tcp_state initial = connection->midstream ? STATE_UNKNOWN : STATE_CLOSED;
    connection->side[0].state = connection->side[1].state = (uint8_t)initial;
    zeek_view_start(&connection->zeek, first, from);
}

static void step_begin(struct step *step, const struct connection *connection,
                       const struct segment *segment, int from)
{
    const size_t marks = offsetof(struct step, verdict);
    memset(&step->verdict, 0, offsetof(struct step, change) - marks); /* not the room behind */
    step->segment = segment;
    step->from = from;
    step->end = seq_add(segment->sequence, segment_occupies(segment));
    const struct side *x = &connection->side[from];
    bool first = connection->side[0].tally.packets + connection->side[1].tally.packets == 0;
    step->idle = first ? 0 : time_since(segment->time, connection->last_t);
    step->occupied = (struct packet_ref){
        .packet = x->last_data_packet,
        .t = x->last_data_t,
        .sequence = x->last_data_sequence,
        .acknowledgment = x->last_data_acknowledgment,
        .payload = x->last_data_payload,
        .flags = x->last_data_flags,
        .from = (uint8_t)from,
    };
    step->before[0] = (enum tcp_state)connection->side[0].state;
    step->before[1] = (enum tcp_state)connection->side[1].state;
    step->before_basis[0] = (enum basis)connection->side[0].basis;
    step->before_basis[1] = (enum basis)connection->side[1].basis;
}

/* A side speaks for the first time: where its numbers begin. */
static void side_begin(struct connection *connection, const struct segment *segment, int from,
                       const struct step *step)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    bool syn = (segment->flags & TCP_SYN) != 0;
    if (syn || !side_has(x, SIDE_ISS_KNOWN)) {
        x->iss = syn ? segment->sequence : segment->sequence - 1;
        x->snd_nxt = step->end;
        x->snd_una = segment->sequence;
    }
    if (syn)
        x->flags |= SIDE_ISS_KNOWN;
    if (side_has(y, SIDE_ACKED) && !syn &&
        seq_within(y->rcv_nxt, segment->sequence - PLAUSIBLE, segment->sequence + PLAUSIBLE)) {
        x->snd_una = y->rcv_nxt;
        x->snd_nxt = seq_later_of(x->snd_nxt, y->rcv_nxt);
    }
}

static void side_take_syn(struct side *x, const struct segment *segment)
{
    if (!side_has(x, SIDE_SYN_SEEN)) {
        x->syn_flags = segment->flags;
        x->syn_payload = (uint16_t)segment->payload;
        x->syn_acknowledgment = segment->acknowledgment;
        x->syn_packet = segment->packet;
        x->syn_t = segment->time;
    }
    x->flags |= SIDE_SYN_SEEN | SIDE_ISS_KNOWN;
    if ((segment->options & OPTION_CUT) != 0)
        x->flags |= SIDE_SYN_CUT;
    shown_syn_options(x, segment);
}

/*
 * The handshake's times, and from them each side's round trip as seen from the tap.  The first SYN
 * seen of a side may come long after its answer: then it is a repetition of one that was missed.
 */
static void take_syn_time(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    bool answered = connection->synack_t != NANOTIME_UNKNOWN;
    connection->reordered |= answered && !side_has(x, SIDE_SYN_SEEN) &&
                             time_since(segment->time, connection->synack_t) <= swap_reach;
    if (from == 0 && !answered)
        connection->syn_t = segment->time;
}

/* The first SYN-ACK that answers the client's SYN. */
static void take_synack_time(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    const struct side *client = &connection->side[0];
    bool answers = from != 0 &&
                   (!side_has(client, SIDE_ISS_KNOWN) ||
                    seq_within(segment->acknowledgment, seq_add(client->iss, 1), client->snd_nxt));
    if (!answers)
        return;
    if (connection->synack_t != NANOTIME_UNKNOWN) {
        connection->synack_repeated = true;
        return;
    }
    connection->synack_t = segment->time;
    if (connection->syn_t != NANOTIME_UNKNOWN && !time_is_before(segment->time, connection->syn_t))
        x->round_trip = time_since(segment->time, connection->syn_t);
}

/* The third packet; with payload, or after a second SYN-ACK, it tells no time. */
static void take_third_time(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    const struct side *server = &connection->side[1];
    bool third = from == 0 && (segment->flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
                 connection->synack_t != NANOTIME_UNKNOWN && !connection->acknowledged &&
                 side_has(server, SIDE_SYN_SEEN) && seq_after(segment->acknowledgment, server->iss);
    if (!third)
        return;
    connection->acknowledged = true;
    bool plain = segment->payload == 0 && segment->acknowledgment == seq_add(server->iss, 1);
    if (!plain)
        return;
    connection->third_packet = segment->packet;
    connection->third_sequence = segment->sequence;
    connection->third_flags = segment->flags;
    if (connection->synack_repeated)
        return;
    connection->ack_t = segment->time;
    x->round_trip = time_since(segment->time, connection->synack_t);
}

static void take_handshake(struct connection *connection, const struct segment *segment, int from)
{
    bool ack = (segment->flags & TCP_ACK) != 0;
    if (!segment_opens(segment))
        take_third_time(connection, segment, from);
    else if (ack)
        take_synack_time(connection, segment, from);
    else
        take_syn_time(connection, segment, from);
}

/* A SYN-ACK whose SYN was not captured: the acknowledgment names the client's ISN. */
static void deduce_syn(struct connection *connection, const struct segment *segment, int from,
                       struct step *step)
{
    int peer = side_other(from);
    struct side *y = &connection->side[peer];
    if (y->state != STATE_CLOSED || side_has(y, SIDE_HEARD) || side_has(y, SIDE_ISS_KNOWN))
        return;
    y->iss = segment->acknowledgment - 1;
    y->snd_nxt = segment->acknowledgment;
    y->snd_una = y->iss;
    y->flags |= SIDE_ISS_KNOWN;
    y->last_data_t = segment->time;
    y->last_data_packet = segment->packet;
    struct motive motive = {FACT_SND_SYN, BASIS_PRESUMED, segment->time, segment->packet, 0};
    side_apply(connection, peer, &motive, step);
}

static void start_timing(struct side *x, const struct segment *segment, const struct step *step)
{
    if (side_has(x, SIDE_TIMED) || step->retransmission || step->out_of_order || step->keep_alive ||
        step->window_probe || step->end == segment->sequence)
        return;
    shown_begins_trip(x, segment, step->end);
}

/*
 * The capture cut the SYN's options, or missed the SYN.  A segment that carries time stamps later
 * tells that both SYNs had them (RFC 7323 3.2).
 */
static void deduce_timestamps(struct connection *connection)
{
    connection->side[0].flags |= SIDE_TIMESTAMPS;
    connection->side[1].flags |= SIDE_TIMESTAMPS;
}

/* The sender's numbers take the segment in. */
static void take_sent(struct connection *connection, const struct segment *segment, int from,
                      const struct step *step)
{
    struct side *x = &connection->side[from];
    bool reset = (segment->flags & TCP_RST) != 0; /* an answer from nowhere has no numbers */
    x->last_t = segment->time;
    if (!reset)
        x->flags |= SIDE_HEARD;
    x->last_ip_id = segment->ip_id;
    if ((segment->options & OPTION_TIMESTAMPS) != 0) {
        shown_stamps(x, segment);
        bool unseen = side_has(x, SIDE_SYN_CUT) || !side_has(x, SIDE_SYN_SEEN);
        if (unseen && (segment->flags & (TCP_SYN | TCP_RST)) == 0)
            deduce_timestamps(connection);
    }
    if (reset || step->end == segment->sequence)
        return;
    x->snd_nxt = seq_later_of(x->snd_nxt, step->end);
    if (step->keep_alive || step->window_probe)
        return;
    shown_data(x, segment);
    start_timing(x, segment, step);
    if ((segment->flags & TCP_SYN) == 0)
        shown_in_flight(x);
}

/* A hole that the receiver acknowledges was the capture's, not the network's. */
static void close_acked_holes(struct connection *connection, struct side *y, seq acknowledgment)
{
    for (int i = y->holes - 1; i >= 0; i--) {
        if (seq_before(acknowledgment, y->hole[i].right))
            continue;
        for (int j = i; j + 1 < y->holes; j++)
            y->hole[j] = y->hole[j + 1];
        y->holes--;
        connection->capture_gaps++;
    }
}

static void take_window(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    x->window = segment_window(connection, segment, from);
    x->last_window_field = segment->window;
    if (x->window > x->max_window)
        x->max_window = x->window;
    seq edge = seq_add(segment->acknowledgment, x->window);
    if (!side_has(x, SIDE_ACKED) || seq_after(edge, x->right_edge))
        x->right_edge = edge;
    x->flags &= (uint16_t)~SIDE_ZERO_WINDOW;
    if (x->window == 0 && (segment->flags & TCP_SYN) == 0)
        x->flags |= SIDE_ZERO_WINDOW;
}

/*
 * Of a peer that was never heard the acknowledgments alone tell numbers: what they cover it has
 * sent (RFC 9293 3.4).  It may have sent more, so SND.NXT is the least that it can be.
 */
static void number_unheard(struct side *y, seq acknowledgment, bool first)
{
    if (first)
        y->iss = acknowledgment - 1;
    if (first || seq_after(acknowledgment, y->snd_nxt))
        y->snd_una = y->snd_nxt = acknowledgment;
}

/* What the sender acknowledges: its own RCV.NXT, the peer's SND.UNA, TS.Recent. */
static void take_acknowledgment(struct connection *connection, const struct segment *segment,
                                int from, const struct step *step)
{
    struct side *x = &connection->side[from];
    struct side *y = &connection->side[side_other(from)];
    if ((segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
        return;
    take_window(connection, segment, from);
    if (!side_is_numbered(y))
        number_unheard(y, segment->acknowledgment, !side_has(x, SIDE_ACKED));
    if (!side_has(x, SIDE_ACKED) || seq_after(segment->acknowledgment, x->rcv_nxt)) {
        x->rcv_nxt = segment->acknowledgment;
        x->rcv_nxt_packet = segment->packet;
        x->rcv_nxt_t = segment->time;
        x->flags |= SIDE_ACKED;
    }
    if (step->acks_unsent && !connection->corrupted) {
        if (side_has(y, SIDE_HEARD))
            connection->capture_gaps++;
        y->snd_nxt = segment->acknowledgment; /* the capture missed what is acknowledged here */
    }
    if (seq_after(segment->acknowledgment, y->snd_una))
        y->snd_una = segment->acknowledgment;
    if (y->holes > 0)
        close_acked_holes(connection, y, segment->acknowledgment);
}

/* RFC 7323 4.3: TS.Recent of the receiver takes the TSval of a segment that covers its last ACK. */
static void take_ts_recent(struct connection *connection, const struct segment *segment, int from)
{
    struct side *y = &connection->side[side_other(from)];
    if ((segment->options & OPTION_TIMESTAMPS) == 0 || (segment->flags & TCP_RST) != 0)
        return;
    bool covers = !side_has(y, SIDE_ACKED) || seq_at_or_before(segment->sequence, y->rcv_nxt);
    if (covers && (y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent)))
        y->ts_recent = segment->tsval;
}

/* Both directions speak consistently: a connection picked up mid-stream is ESTABLISHED, presumed.
 */
static void settle_midstream(struct connection *connection, const struct segment *segment,
                             struct step *step)
{
    for (int i = 0; i < SIDES; i++) {
        const struct side *x = &connection->side[i];
        const struct side *y = &connection->side[side_other(i)];
        bool consistent = side_has(x, SIDE_HEARD) && side_has(x, SIDE_ACKED) &&
                          seq_within(x->rcv_nxt, y->iss - 65535, y->snd_nxt);
        if (!consistent)
            return;
    }
    for (int i = 0; i < SIDES; i++) {
        struct motive motive = {FACT_SYN_ACKED, BASIS_PRESUMED, segment->time, segment->packet, 0};
        if (connection->side[i].state == STATE_UNKNOWN)
            side_apply(connection, i, &motive, step);
    }
}

static bool acks_unsent(const struct connection *connection, const struct segment *segment,
                        int from)
{
    const struct side *y = &connection->side[side_other(from)];
    return side_is_numbered(y) && (segment->flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
           seq_after(segment->acknowledgment, y->snd_nxt);
}

/*
 * A wrong checksum in a direction whose checksums are otherwise right: the receiver drops it.  What
 * is larger than the receiver's MSS was captured before the card cut it (TSO, LSO) and is summed
 * piece by piece there: its field says nothing, whatever the host left in it.
 */
static bool is_damaged(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    bool uncut = side_has(y, SIDE_MSS) && segment->payload > y->mss;
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    return segment->checksum_verdict == CHECKSUM_BAD && side_has(x, SIDE_GOOD_SUM) && !uncut;
}

/*
 * The first word to a side in SYN_SENT does not acknowledge its SYN: it belongs to a connection
 * that ended before the capture, like the challenge ACK or the old FIN of a half-open peer
 * (3.10.7.3).
 */
static bool is_of_another_life(const struct connection *connection, const struct segment *segment,
                               int from)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if (y->state != STATE_SYN_SENT || !side_has(y, SIDE_SYN_SEEN) || side_has(x, SIDE_HEARD) ||
        (segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
        return false;
    seq reach =
        seq_add(y->snd_nxt, 65535); /* what the capture may have missed of its first words */
    return !seq_within(segment->acknowledgment, seq_add(y->iss, 1), reach);
}

/*
 * Before the first number of a side, far enough below that no probe and no copy of the SYN lies
 * there: of an incarnation that nobody remembers.  Past the first gibioctet the numbers come round.
 */
static bool precedes(const struct side *side, seq number)
{
    return side_has(side, SIDE_ISS_KNOWN) && side_has(side, SIDE_HEARD) &&
           seq_before(number, side->iss) && side->tally.payload_bytes < UINT64_C(1) << 30;
}

static bool is_of_no_life(const struct connection *connection, const struct segment *segment,
                          int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if ((segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK || connection->capture_gaps > 0)
        return false;
    return precedes(x, segment->sequence) || precedes(y, segment->acknowledgment);
}

static void examine_rst(const struct connection *connection, const struct segment *segment,
                        int from, struct step *step)
{
    step->rst_form = window_rst_form(connection, segment, from);
    step->rst_fit = window_rst_fit(connection, segment, from);
    step->injected = window_is_foreign_ttl(&connection->side[from], segment);
}

static bool take_fully(struct connection *connection, const struct segment *segment, int from,
                       struct step *step)
{
    struct side *x = &connection->side[from];
    zeek_trail_end(connection);
    step_begin(step, connection, segment, from);
    connection->last_t = time_later_of(connection->last_t, segment->time);
    tally_packet(x, segment);
    if (x->ttl == 0) /* its first packet that is of this life */
        x->ttl = segment->ttl;
    bool damaged = is_damaged(connection, segment, from);
    if (damaged)
        zeek_view_bad_checksum(&connection->zeek, from);
    else
        zeek_view_packet_fully(&connection->zeek, segment, from);
    step->damaged = damaged;
    step->stray = !damaged && (is_of_another_life(connection, segment, from) ||
                               is_of_no_life(connection, segment, from));
    if (step->stray)
        x->tally.payload_bytes -= segment->payload; /* its octets are none of this stream's */
    if (damaged || step->stray)
        return true;
    if (!closing_ensure(connection, segment)) {
        step->damaged = true;
        return false;
    }
    if ((segment->flags & TCP_RST) != 0)
        examine_rst(connection, segment, from, step);
    step->acks_unsent = acks_unsent(connection, segment, from);
    if (!step->injected)
        facts_received(connection, segment, from, step);
    tally_segment(connection, segment, from, step);
    tally_round_trip(connection, segment, from);
    if (segment_opens(segment) && (segment->flags & TCP_ACK) != 0)
        deduce_syn(connection, segment, from, step);
    facts_sent(connection, segment, from, step);
    if (!side_has(x, SIDE_HEARD) && (segment->flags & TCP_RST) == 0)
        side_begin(connection, segment, from, step);
    take_handshake(connection, segment, from);
    if (segment_opens(segment))
        side_take_syn(x, segment);
    facts_arriving(connection, segment, from, step);
    if (!step->injected)
        take_sent(connection, segment, from, step);
    take_acknowledgment(connection, segment, from, step);
    take_ts_recent(connection, segment, from);
    if (connection->midstream && x->state == STATE_UNKNOWN)
        settle_midstream(connection, segment, step);
    if (connection->closing != NULL) {
        closing_take(connection, segment, from, step);
    }
    return true;
}

bool connection_segment_fully(struct connection *connection, const struct segment *segment,
                              int from, struct step *step)
{
    bool taken = take_fully(connection, segment, from, step);
    connection->course = course_find(connection);
    return taken;
}

bool connection_segment(struct connection *connection, const struct segment *segment, int from,
                        struct step *step)
{
    if (!ordinary_may_come(connection, from) || !ordinary_follows(connection, segment, from))
        return connection_segment_fully(connection, segment, from, step);
    step_begin(step, connection, segment, from);
    step->ordinary = true;
    zeek_trail_end(connection);
    zeek_view_ordinary(&connection->zeek, segment, from);
    ordinary_segment(connection, segment, from);
    return true;
}

void connection_clear(struct connection *connection)
{
    free(connection->closing);
    connection->closing = NULL;
    history_clear(&connection->history);
}
