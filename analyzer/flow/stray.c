/* stray: see stray.h.  The order of strength is OBSERVER 4's. */
#include "stray.h"

#include "../tcp/window.h"

/* An old range larger than half the space says nothing: only its last half counts. */
static bool within_range(seq value, seq left, seq right)
{
    if ((uint32_t)(right - left) > INT32_MAX)
        left = right - INT32_MAX;
    return seq_within(value, left, right);
}

static bool in_old_ack_range(const struct tombstone_side *peer, seq acknowledgment)
{
    return acknowledgment != peer->iss && within_range(acknowledgment, peer->iss, peer->snd_nxt);
}

/* Rule 1: the acknowledgment is outside this incarnation's numbers and inside the old ones. */
static bool match_by_ack(const struct connection *connection, const struct tombstone *old,
                         const struct segment *segment, int from, int end)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if ((segment->flags & TCP_ACK) == 0 || !side_has(y, SIDE_ISS_KNOWN))
        return false;
    if (segment->payload == 0 && side_has(x, SIDE_ISS_KNOWN) && segment->sequence == x->snd_nxt)
        return false; /* it is this one's, whatever it acknowledges */
    bool goes_on = side_has(x, SIDE_ACKED) && segment->acknowledgment == x->rcv_nxt &&
                   side_has(x, SIDE_ISS_KNOWN) && segment->sequence == x->snd_nxt;
    if (goes_on)
        return false; /* a corrupted receiver's own data: it acknowledges what it did before */
    uint32_t reach = x->max_window > 65535 ? x->max_window : 65535;
    bool inside = seq_within(segment->acknowledgment, y->iss, y->snd_nxt) ||
                  seq_within(segment->acknowledgment, y->snd_nxt, seq_add(y->snd_nxt, reach));
    bool strictly = seq_within(segment->acknowledgment, y->iss, y->snd_nxt);
    bool old_fits = in_old_ack_range(&old->end[1 - end], segment->acknowledgment);
    return old_fits && (!inside || (!strictly && segment->payload > 0));
}

static bool same_segment(const struct last_segment *last, const struct segment *segment, int end)
{
    return last_segment_packet(last) != 0 && last_segment_end(last) == end &&
           last->sequence == segment->sequence && last->payload == segment->payload &&
           last->payload_hash == segment->payload_hash &&
           last_segment_hashed(last) == segment->payload_hashed;
}

static const struct last_segment *find_copy(const struct last_segment *ring,
                                            const struct segment *segment, int end)
{
    if (segment->payload == 0)
        return NULL;
    for (int i = 0; i < LAST_SEGMENTS; i++) {
        if (same_segment(&ring[i], segment, end))
            return &ring[i];
    }
    return NULL;
}

/* Rule 3: older than every time stamp of this incarnation on that side. */
static bool match_by_timestamp(const struct connection *connection, const struct segment *segment,
                               int from)
{
    const struct side *x = &connection->side[from];
    return connection_uses_timestamps(connection) && side_has(x, SIDE_TSVAL) &&
           (segment->options & OPTION_TIMESTAMPS) != 0 &&
           seq_before(segment->tsval, x->tsval_first);
}

/* Rule 4: inside the old range and outside this one's window. */
static bool match_by_range(const struct connection *connection, const struct tombstone *old,
                           const struct segment *segment, int from, int end)
{
    const struct side *x = &connection->side[from];
    const struct side *y = &connection->side[side_other(from)];
    if (!side_has(x, SIDE_ISS_KNOWN))
        return false;
    uint32_t reach = y->max_window > 65535 ? y->max_window : 65535;
    seq edge = side_has(y, SIDE_ACKED) ? seq_later_of(y->right_edge, x->snd_nxt) : x->snd_nxt;
    bool inside = seq_within(segment->sequence, x->iss, seq_add(edge, reach));
    bool old_fits = tombstone_end_is_numbered(old, end) &&
                    within_range(segment->sequence, old->end[end].iss, old->end[end].snd_nxt);
    return !inside && old_fits;
}

static enum stray_verdict judge_stray(const struct connection *connection,
                                      const struct segment *segment, int from, struct stray *stray)
{
    int to = side_other(from);
    const struct side *y = &connection->side[to];
    seq end = seq_add(segment->sequence, segment->payload + ((segment->flags & TCP_FIN) != 0));
    if (!side_has(y, SIDE_ACKED))
        return STRAY_HARMLESS;
    if ((segment->flags & TCP_RST) != 0)
        return segment->sequence == y->rcv_nxt ? STRAY_HAZARD_RST : STRAY_HARMLESS;
    enum paws paws = window_paws(connection, to, segment);
    stray->paws_no_option = paws == PAWS_NO_OPTION;
    if (paws == PAWS_REJECT)
        return STRAY_REJECTED_BY_PAWS;
    bool below = seq_at_or_before(end, y->rcv_nxt) &&
                 seq_within(segment->sequence, y->rcv_nxt - y->max_window, y->rcv_nxt) &&
                 end != segment->sequence;
    if (below)
        return STRAY_ACCEPTABLE_DUPLICATE;
    if (!window_accepts_sequence(connection, to, segment->sequence,
                                 (uint32_t)(end - segment->sequence)))
        return STRAY_HARMLESS;
    if ((segment->flags & TCP_ACK) != 0 &&
        !window_accepts_ack(connection, to, segment->acknowledgment))
        return STRAY_REJECTED_BY_ACK;
    return end == segment->sequence ? STRAY_HARMLESS : STRAY_HAZARD_DATA;
}

bool stray_fits_tombstone(const struct tombstone *tombstone, const struct segment *segment, int end)
{
    const struct tombstone_side *x = &tombstone->end[end];
    const struct tombstone_side *y = &tombstone->end[1 - end];
    if (tombstone_end_is_numbered(tombstone, end) &&
        within_range(segment->sequence, x->iss, x->snd_nxt))
        return true;
    return (segment->flags & TCP_ACK) != 0 && in_old_ack_range(y, segment->acknowledgment);
}

static enum stray_match match_tombstone(const struct incarnation *current,
                                        const struct tombstone *old, const struct segment *segment,
                                        int end, const struct last_segment **ret_original)
{
    const struct connection *connection = &current->connection;
    int from = incarnation_side(current, end);
    *ret_original = find_copy(old->last, segment, end);
    if (match_by_ack(connection, old, segment, from, end))
        return STRAY_BY_ACK;
    if (*ret_original != NULL && find_copy(current->last, segment, end) == NULL)
        return STRAY_BY_COPY;
    *ret_original = NULL;
    if (match_by_timestamp(connection, segment, from))
        return STRAY_BY_TIMESTAMP;
    if (match_by_range(connection, old, segment, from, end))
        return STRAY_BY_RANGE;
    return STRAY_NONE;
}

bool stray_find(const struct tuple *tuple, const struct segment *segment, int end,
                struct stray *ret_stray)
{
    const struct incarnation *current = tuple->current;
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next) {
        if (!old->synchronized)
            continue;
        const struct last_segment *original;
        enum stray_match match = match_tombstone(current, old, segment, end, &original);
        if (match == STRAY_NONE)
            continue;
        *ret_stray = (struct stray){.match = match, .from = old, .original = original};
        ret_stray->verdict =
            judge_stray(&current->connection, segment, incarnation_side(current, end), ret_stray);
        return true;
    }
    return false;
}

bool stray_is_found(const struct tuple *tuple, const struct segment *segment, int end)
{
    struct stray stray;
    return stray_find(tuple, segment, end, &stray);
}
