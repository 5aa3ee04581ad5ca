/* collide: see collide.h. */
#include "collide.h"

#include <stdlib.h>

/* What the candidate's case keeps of the old incarnation, by the candidate's roles. */
static void collide_with(struct collision *collision, const struct incarnation *candidate,
                         const struct incarnation *old)
{
    const struct connection *connection = &old->connection;
    collision->old_uid = old->uid;
    collision->old_number = old->number;
    collision->old_last_t = connection->last_t;
    collision->old_midstream = connection->midstream;
    collision->old_gapped = connection->capture_gaps > 0;
    for (int role = 0; role < SIDES; role++) {
        int side = incarnation_side(old, incarnation_end(candidate, role));
        collision->old_side_of[role] = side;
        collision->old[role] = incarnation_keep_side(old, side);
        collision->state_before[role] = (enum tcp_state)connection->side[side].state;
        collision->basis_before[role] = (enum basis)connection->side[side].basis;
    }
    int responder = collision->old_side_of[1];
    const struct side *y = &connection->side[responder];
    collision->state_after = collision->state_before[1];
    collision->responder_ts_recent = y->ts_recent;
    collision->responder_right_edge = y->right_edge;
    if (connection->closing == NULL)
        return;
    collision->old_fin = connection->closing->fin[responder];
    if (connection->closing->fin_again[responder].packet != 0)
        collision->old_fin = connection->closing->fin_again[responder];
    collision->old_final_ack = connection->closing->fin_ack_last[responder];
    collision->old_time_wait_since = connection->closing->time_wait_started[responder];
}

static void collide_with_tombstone(struct collision *collision, const struct incarnation *candidate,
                                   const struct tombstone *old)
{
    collision->old_uid = old->uid;
    collision->old_number = old->incarnation;
    collision->old_last_t = old->last_t;
    collision->old_midstream = old->midstream;
    collision->old_gapped = old->gapped;
    for (int role = 0; role < SIDES; role++) {
        int end = incarnation_end(candidate, role);
        collision->old_side_of[role] = end == old->client_end ? 0 : 1;
        collision->old[role] = old->end[end];
        collision->state_before[role] = STATE_CLOSED;
        collision->basis_before[role] = (enum basis)old->end[end].basis;
    }
    collision->state_after = STATE_CLOSED;
}

bool collide_attach(struct incarnation *candidate, const struct incarnation *old,
                    const struct tombstone *tombstone, const struct segment *segment)
{
    bool there_was = old != NULL ? (old->flags & INCARNATION_SYNCHRONIZED) != 0
                                 : tombstone != NULL && tombstone->synchronized;
    if (!there_was || !segment_opens(segment) || (segment->flags & TCP_ACK) != 0)
        return true;
    struct collision *collision = calloc(1, sizeof(*collision));
    if (collision == NULL)
        return false;
    candidate->collision = collision;
    collision->deadline = NANOTIME_UNKNOWN;
    if (old != NULL)
        collide_with(collision, candidate, old);
    else
        collide_with_tombstone(collision, candidate, tombstone);
    collision->syn = collision->syn_last = packet_ref_of(segment, 0);
    collision->syn_timestamps = (segment->options & OPTION_TIMESTAMPS) != 0;
    collision->syn_cut = (segment->options & OPTION_CUT) != 0 && !collision->syn_timestamps;
    collision->syn_tsval = segment->tsval;
    collision->syn_tsecr = segment->tsecr;
    return true;
}

bool collide_after_end(struct tuple *tuple, struct incarnation *fresh,
                       const struct segment *segment)
{
    const struct tombstone *old = tuple->tombstones;
    while (old != NULL && !old->synchronized)
        old = old->next;
    return collide_attach(fresh, NULL, old, segment);
}
