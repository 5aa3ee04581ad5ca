/* decide_final_ack: the ACK of the last FIN that did not arrive, followed until it is repaired. */
#include "decide_parts.h"
#include "tcp/moves.h"

void decide_final_ack(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                      const struct segment *segment, int from)
{
    if (!incarnation_doubts(incarnation)->final_ack.open)
        return;
    struct final_ack_story *story = &incarnation->doubts->final_ack;
    story->open = false;
    const struct connection *connection = &incarnation->connection;
    const struct side *peer = &connection->side[side_other(story->side)];
    bool spoke = story->repairs > 0 || story->new_syn ||
                 connection->closing->fin[story->side].t < peer->last_t;
    if (story->missing && !spoke)
        return; /* nothing of the peer since the FIN: a repeated FIN, no more */
    story->told = true;
    struct occasion occasion = {
        .kind = OCCASION_FINAL_ACK, .segment = segment, .from = from, .now = engine->clock};
    decide_show(engine, tuple, incarnation, &occasion);
}

/* The segment of side `step->from` shows that it is still in LAST_ACK. */
static bool shows_last_ack(const struct incarnation *incarnation, const struct step *step,
                           bool *ret_missing)
{
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    int side = step->from;
    for (uint32_t i = 0; i < step->changes; i++) {
        const struct change *change = &step->change[i];
        if (change->kind == CHANGE_REVOKED && change->before == STATE_LAST_ACK &&
            change->fact == FACT_FIN_ACKED && change->side == side) {
            *ret_missing = false;
            return true;
        }
    }
    enum tcp_state peer = step->before[side_other(side)];
    bool had_fin = peer == STATE_TIME_WAIT || peer == STATE_CLOSING || peer == STATE_CLOSED;
    *ret_missing = true;
    return step->before[side] == STATE_LAST_ACK && step->fin_repeated && had_fin &&
           closing->fin_ack[side].packet == 0;
}

/* Which copy of the FIN the first ACK of it answers: the first (true, *ret_known), or a later one.
 */
static bool answers_first_copy(const struct closing *closing, int side,
                               const struct segment *segment, bool *ret_known)
{
    *ret_known = false;
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return true;
    for (int i = 0; i < closing->copies[side]; i++) {
        if (closing->copy[side][i].tsval != segment->tsecr)
            continue;
        *ret_known = true;
        return i == 0;
    }
    return true;
}

/* The story, which may have begun; NULL when memory ran out. */
static struct final_ack_story *begin_story(struct engine *engine, struct incarnation *incarnation)
{
    struct doubts *doubts = incarnation_begin_doubts(incarnation);
    if (doubts == NULL)
        engine->status = STATUS_NO_MEMORY;
    return doubts != NULL ? &doubts->final_ack : NULL;
}

/* A loss: the first opens the story, further ones before it is told belong to it. */
static void open_final_ack(struct engine *engine, struct incarnation *incarnation,
                           const struct step *step, bool missing)
{
    struct final_ack_story *story = begin_story(engine, incarnation);
    const struct closing *closing = incarnation->connection.closing;
    if (story == NULL || story->told || story->again.packet == step->segment->packet)
        return;
    story->losses++;
    story->deadline = time_after(engine->clock, engine->config.repair_wait);
    if (story->open)
        return;
    story->open = true;
    story->missing = missing || closing->fin_ack_last[step->from].packet == 0;
    story->side = (uint8_t)step->from;
    story->peer_state = (uint8_t)step->before[side_other(step->from)];
    story->final_ack = closing->fin_ack_last[step->from];
    story->again = packet_ref_of(step->segment, step->from);
}

void decide_follow_final_ack(struct engine *engine, struct incarnation *incarnation,
                             const struct step *step)
{
    const struct closing *closing = incarnation->connection.closing;
    bool missing;
    if (closing == NULL)
        return;
    if (shows_last_ack(incarnation, step, &missing)) {
        open_final_ack(engine, incarnation, step, missing);
        return;
    }
    if (incarnation->doubts == NULL)
        return;
    struct final_ack_story *story = &incarnation->doubts->final_ack;
    bool repairs = story->open && step->from != story->side &&
                   closing->fin_ack_last[story->side].packet == step->segment->packet;
    if (!repairs)
        return;
    bool known;
    bool first = answers_first_copy(closing, story->side, step->segment, &known);
    if (story->missing && story->repairs == 0 && !first) {
        story->open = false; /* the first FIN never arrived: no ACK of it was due */
        return;
    }
    story->echoed |= known && story->repairs == 0;
    story->repairs++;
    story->repair = packet_ref_of(step->segment, step->from);
    story->deadline = time_after(engine->clock, engine->config.repair_wait);
}

void decide_last_ack_shown(struct engine *engine, struct incarnation *old, int side,
                           const struct segment *segment)
{
    const struct final_ack_story *known = &incarnation_doubts(old)->final_ack;
    const struct closing *closing = old->connection.closing;
    if (known->told || known->open || closing == NULL ||
        old->connection.side[side].state != STATE_LAST_ACK)
        return;
    struct final_ack_story *story = begin_story(engine, old);
    if (story == NULL)
        return;
    story->open = true;
    story->missing = closing->fin_ack[side].packet == 0;
    story->new_syn = true;
    story->losses = 1;
    story->side = (uint8_t)side;
    story->peer_state = old->connection.side[side_other(side)].state;
    story->final_ack = closing->fin_ack_last[side];
    story->again = packet_ref_of(segment, side);
    story->deadline = time_after(engine->clock, engine->config.repair_wait);
}
