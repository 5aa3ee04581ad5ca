/* route: see route.h. */
#include "route.h"

#include "stray.h"

static const char *const match_names[] = {
    [STRAY_NONE] = "none",      [STRAY_BY_ACK] = "ack",
    [STRAY_BY_COPY] = "copy",   [STRAY_BY_TIMESTAMP] = "timestamp",
    [STRAY_BY_RANGE] = "range",
};

static const char *const verdict_names[] = {
    [STRAY_HARMLESS] = "harmless",
    [STRAY_REJECTED_BY_PAWS] = "rejected_by_paws",
    [STRAY_REJECTED_BY_ACK] = "rejected_by_ack",
    [STRAY_ACCEPTABLE_DUPLICATE] = "acceptable_duplicate",
    [STRAY_HAZARD_DATA] = "hazard_data",
    [STRAY_HAZARD_RST] = "hazard_rst",
};

const char *stray_match_name(enum stray_match match)
{
    return match_names[match];
}

const char *stray_verdict_name(enum stray_verdict verdict)
{
    return verdict_names[verdict];
}

/* How far below its end a segment of a connection that rests may begin: a window, unscaled. */
enum { REST_REACH = 65535 };

/* Whether a segment of an end acknowledges the SYN that the other end sent for the candidate. */
static bool acks_candidate(const struct incarnation *candidate, const struct segment *segment,
                           int end)
{
    const struct side *x =
        &candidate->connection.side[side_other(incarnation_side(candidate, end))];
    return side_has(x, SIDE_SYN_SEEN) && (segment->flags & TCP_ACK) != 0 &&
           seq_within(segment->acknowledgment, seq_add(x->iss, 1), x->snd_nxt);
}

/* Whether a number lies in what a side of the incarnation sent or may send. */
static bool in_space(const struct side *x, seq number)
{
    return side_is_numbered(x) && seq_within(number, x->iss, seq_add(x->snd_nxt, 65535));
}

/* The old responder is gone for certain: its CLOSED is proven (a presumed CLOSED is not). */
static bool is_provably_gone(const struct incarnation *current, int responder)
{
    const struct connection *connection = &current->connection;
    const struct history *history = &connection->history;
    int newest = history_newest(history, responder, history->count - 1);
    return connection->side[responder].state == STATE_CLOSED && newest >= 0 &&
           history_peek(history, newest)->basis != BASIS_PRESUMED;
}

/* The SYN of an earlier incarnation, delivered once more: nobody's new attempt. */
static bool is_old_syn(const struct tuple *tuple, const struct segment *segment, int end,
                       struct stray *ret_stray)
{
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next) {
        const struct tombstone_side *x = &old->end[end];
        bool stamped = (segment->options & OPTION_TIMESTAMPS) != 0 && (x->flags & SIDE_TSVAL) != 0;
        if (!old->synchronized || (x->flags & SIDE_SYN_SEEN) == 0 || x->iss != segment->sequence ||
            (stamped && seq_after(segment->tsval, x->tsval_last)))
            continue;
        *ret_stray = (struct stray){.match = STRAY_BY_RANGE, .from = old};
        return true;
    }
    return false;
}

/*
 * A SYN a little below the numbers seen of a stream that was picked up: its own, written late by
 * the capture or by the network.  A new attempt would lie there once in 65,536, and have a newer
 * stamp.
 */
static bool began_stream(const struct connection *connection, const struct side *x,
                         const struct segment *segment)
{
    bool stamped = (segment->options & OPTION_TIMESTAMPS) != 0 && side_has(x, SIDE_TSVAL);
    bool cut = (segment->options & OPTION_CUT) != 0 && side_has(x, SIDE_TSVAL);
    if (stamped && seq_after(segment->tsval, x->tsval_last))
        return false;
    if (cut && time_since(segment->time, connection->started) > NANO_PER_SECOND)
        return false; /* its stamp is not known: late by a network's measure */
    return connection->midstream && side_has(x, SIDE_HEARD) && !side_has(x, SIDE_ISS_KNOWN) &&
           seq_within(segment->sequence, x->iss - 65535, x->iss);
}

/*
 * A SYN of the other end while the candidate's has no answer: both open at once (figure 8), and
 * neither may have been in the old connection any more.
 */
static bool meets_candidate(const struct incarnation *candidate, const struct segment *segment,
                            int end)
{
    if (candidate == NULL || end == candidate->client_end)
        return false;
    const struct side *x = &candidate->connection.side[1];
    if (side_has(x, SIDE_SYN_SEEN))
        return segment->sequence == x->iss;
    return !side_is_numbered(x) && candidate->connection.side[0].state == STATE_SYN_SENT;
}

static enum route route_syn(const struct tuple *tuple, const struct segment *segment, int end,
                            struct stray *ret_stray)
{
    const struct incarnation *current = tuple->current;
    const struct incarnation *candidate = tuple->candidate;
    int from = incarnation_side(current, end);
    const struct side *x = &current->connection.side[from];
    const struct side *y = &current->connection.side[side_other(from)];
    if (candidate != NULL && end == candidate->client_end &&
        segment->sequence == candidate->connection.side[0].iss)
        return ROUTE_CANDIDATE;
    bool own = side_has(x, SIDE_ISS_KNOWN) && segment->sequence == x->iss;
    if (own || began_stream(&current->connection, x, segment))
        return ROUTE_CURRENT;
    bool simultaneous =
        !current->connection.midstream && !side_is_numbered(x) && y->state == STATE_SYN_SENT;
    if (simultaneous)
        return ROUTE_CURRENT;
    if (is_old_syn(tuple, segment, end, ret_stray))
        return ROUTE_STRAY;
    if (meets_candidate(candidate, segment, end))
        return ROUTE_MEET;
    return is_provably_gone(current, side_other(from)) ? ROUTE_REPLACE : ROUTE_COMPETE;
}

/* A SYN-ACK of an earlier incarnation, sent or delivered late. */
static bool is_old_synack(const struct tuple *tuple, const struct segment *segment, int end,
                          struct stray *ret_stray)
{
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next) {
        if (!old->synchronized || !tombstone_end_is_numbered(old, end) ||
            old->end[end].iss != segment->sequence)
            continue;
        *ret_stray = (struct stray){.match = STRAY_BY_RANGE, .from = old};
        return true;
    }
    return false;
}

/* A SYN-ACK of a connection that was picked up mid-stream: a little below the numbers seen. */
static bool is_begun_before(const struct side *x, const struct side *y,
                            const struct segment *segment)
{
    seq first = side_has(x, SIDE_HEARD) ? x->iss : y->rcv_nxt;
    bool known = side_has(x, SIDE_HEARD) || side_has(y, SIDE_ACKED);
    return known && seq_within(segment->sequence, first - 65535, seq_add(x->snd_nxt, 65535)) &&
           side_has(y, SIDE_HEARD) &&
           seq_within(segment->acknowledgment, y->iss - 65535, seq_add(y->snd_nxt, 65535));
}

static enum route route_synack(const struct tuple *tuple, const struct segment *segment, int end,
                               struct stray *ret_stray)
{
    const struct incarnation *current = tuple->current;
    const struct incarnation *candidate = tuple->candidate;
    int from = incarnation_side(current, end);
    const struct side *x = &current->connection.side[from];
    const struct side *y = &current->connection.side[side_other(from)];
    if (candidate != NULL && acks_candidate(candidate, segment, end))
        return ROUTE_ADOPT;
    bool awaited = !side_has(x, SIDE_HEARD) && !current->connection.midstream;
    bool repeated = side_has(x, SIDE_ISS_KNOWN) && segment->sequence == x->iss;
    bool same_syn = side_has(y, SIDE_ISS_KNOWN) && segment->acknowledgment == seq_add(y->iss, 1);
    if (awaited || repeated || same_syn || candidate != NULL)
        return ROUTE_CURRENT;
    if (is_old_synack(tuple, segment, end, ret_stray))
        return ROUTE_STRAY;
    return is_begun_before(x, y, segment) ? ROUTE_CURRENT : ROUTE_SUCCEED;
}

/* Whether a segment in the old numbers is new: not a late copy of what was sent before the SYN. */
static bool goes_on(const struct incarnation *current, const struct incarnation *candidate,
                    const struct segment *segment, int end)
{
    const struct side *x = &current->connection.side[incarnation_side(current, end)];
    const struct side *fresh = &candidate->connection.side[0];
    seq last = seq_add(segment->sequence, segment->payload + ((segment->flags & TCP_FIN) != 0));
    bool acks_more = (segment->flags & TCP_ACK) != 0 && side_has(x, SIDE_ACKED) &&
                     seq_after(segment->acknowledgment, x->rcv_nxt);
    bool younger = (segment->options & OPTION_TIMESTAMPS) != 0 && side_has(fresh, SIDE_TSVAL) &&
                   side_has(x, SIDE_TSVAL) && seq_after(segment->tsval, fresh->tsval_first);
    return (side_is_numbered(x) && seq_after(last, x->snd_nxt)) || acks_more || younger;
}

/* A segment of the candidate's own sender, not a SYN. */
static enum route route_from_initiator(const struct tuple *tuple, const struct segment *segment,
                                       int end)
{
    const struct incarnation *current = tuple->current;
    const struct side *new_x = &tuple->candidate->connection.side[0];
    const struct side *old_x = &current->connection.side[incarnation_side(current, end)];
    bool new_numbers = segment->sequence == new_x->snd_nxt && !in_space(old_x, segment->sequence);
    if ((segment->flags & TCP_RST) != 0)
        return new_numbers ? ROUTE_REFUSE : ROUTE_CURRENT;
    if (new_numbers && (segment->flags & TCP_ACK) != 0)
        return ROUTE_ADOPT;
    return goes_on(current, tuple->candidate, segment, end) ? ROUTE_RESUME : ROUTE_CURRENT;
}

static enum route route_from_responder(const struct tuple *tuple, const struct segment *segment,
                                       int end)
{
    const struct incarnation *current = tuple->current;
    const struct side *old_y = &current->connection.side[1 - incarnation_side(current, end)];
    if (!acks_candidate(tuple->candidate, segment, end))
        return ROUTE_CURRENT;
    if ((segment->flags & TCP_RST) != 0)
        return ROUTE_REFUSE;
    return in_space(old_y, segment->acknowledgment) ? ROUTE_CURRENT : ROUTE_ADOPT;
}

/* No incarnation lives: a segment of the last one, or a new beginning. */
static enum route route_idle(const struct tuple *tuple, const struct segment *segment, int end)
{
    if (segment_opens(segment))
        return ROUTE_FIRST;
    bool rests = tuple->resting &&
                 seq_within(segment->sequence, tuple->rest[end] - REST_REACH, tuple->rest[end]);
    if (rests)
        return ROUTE_LATE;
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next) {
        if (stray_fits_tombstone(old, segment, end))
            return ROUTE_LATE;
    }
    return ROUTE_FIRST;
}

enum route route_segment(const struct tuple *tuple, const struct segment *segment, int end,
                         struct stray *ret_stray)
{
    if (tuple->current == NULL)
        return route_idle(tuple, segment, end);
    if ((segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
        return route_syn(tuple, segment, end, ret_stray);
    if ((segment->flags & TCP_RST) == 0 && (segment->flags & TCP_SYN) != 0)
        return route_synack(tuple, segment, end, ret_stray);
    if (tuple->candidate != NULL)
        return end == tuple->candidate->client_end ? route_from_initiator(tuple, segment, end)
                                                   : route_from_responder(tuple, segment, end);
    if (tuple->tombstones != NULL && stray_find(tuple, segment, end, ret_stray))
        return ROUTE_STRAY;
    return ROUTE_CURRENT;
}
