/* decide_collision: a SYN into an existing incarnation, followed until its answer is known. */
#include "decide_parts.h"
#include "tcp/moves.h"
#include "trace.h"

static bool is_plain_ack(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           segment->payload == 0;
}

/*
 * An ACK in the old numbers answers the SYN unless it may have been under way already: its peer had
 * just spoken, and the SYN passed less than half a round trip ago (round trips vary, so the
 * shortest that was seen counts).  Round trips below a millisecond are the host's own time, which
 * says nothing.
 */
static bool may_be_under_way(const struct connection *old, const struct segment *segment, int side,
                             nanotime syn_t)
{
    const struct rtt *rtt = &old->side[side_other(side)].rtt; /* until the side acknowledged */
    nanotime round_trip = old->side[side].round_trip;
    if (rtt->samples > 0 && rtt->least < round_trip)
        round_trip = rtt->least;
    nanotime recent = 200 * (nanotime)NANO_PER_MILLI; /* the longest delayed ACK */
    return round_trip >= NANO_PER_MILLI && time_since(segment->time, syn_t) < round_trip / 2 &&
           time_since(syn_t, old->side[side_other(side)].last_t) < recent;
}

static void note_challenge(struct engine *engine, struct collision *collision,
                           const struct connection *old, const struct segment *segment, int side)
{
    if (segment->sequence != old->side[side].snd_nxt ||
        may_be_under_way(old, segment, side, collision->syn.t))
        return;
    collision->challenges++;
    if (collision->rounds == 0 || collision->syn_last.packet > collision->challenge_last.packet) {
        collision->rounds++;
        collision->challenge_last = packet_ref_of(segment, 1);
    }
    if (collision->challenges > 1)
        return;
    collision->challenge = packet_ref_of(segment, 1);
    collision->state_after = (enum tcp_state)old->side[side].state;
    collision->deadline = time_after(engine->clock, engine->config.challenge_wait);
}

static void note_syn(struct collision *collision, const struct segment *segment)
{
    collision->syn_last = packet_ref_of(segment, 0);
    collision->syns += segment->packet != collision->syn.packet;
}

void decide_collision(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                      enum syn_answer answer, const struct segment *segment)
{
    struct collision *collision = incarnation->collision;
    if (collision == NULL || collision->decided)
        return;
    collision->decided = true;
    collision->answer = answer;
    if (segment != NULL && answer != ANSWER_NONE) {
        struct flow_key
            key; /* where the SYN-ACK was not captured, the initiator shows the answer */
        int from = incarnation_side(incarnation, flow_key_of(segment, &key));
        collision->reply = packet_ref_of(segment, from);
    }
    struct occasion occasion = {
        .kind = OCCASION_COLLISION, .segment = segment, .now = engine->clock};
    bool still_held = tuple->current != NULL && tuple->current->uid == collision->old_uid;
    occasion.old = still_held ? tuple->current : tuple->retiring;
    decide_show(engine, tuple, incarnation, &occasion);
}

void decide_old_answer(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                       int end)
{
    struct incarnation *candidate = tuple->candidate;
    struct collision *collision = candidate->collision;
    struct connection *old = &tuple->current->connection;
    int side = incarnation_side(tuple->current, end);
    if (collision == NULL)
        return;
    if (end == candidate->client_end) {
        bool to_challenge =
            collision->challenges > 0 && segment->sequence == collision->challenge.acknowledgment;
        bool to_fin =
            collision->fin_after_syn && segment->sequence == collision->fin_again.acknowledgment;
        bool answers = (segment->flags & TCP_RST) != 0 && (to_challenge || to_fin);
        struct step step = {0};
        if (!answers)
            return;
        collision->rst_by_initiator = true;
        if (collision->reset_last.packet < collision->challenge_last.packet) {
            collision->resets++;
            collision->reset_last = packet_ref_of(segment, 0);
        }
        if (collision->reset.packet == 0)
            collision->reset = packet_ref_of(segment, 0);
        connection_confirm_end(old, side, segment, &step);
        trace_step(engine, tuple, tuple->current, &step);
        return;
    }
    if ((segment->flags & TCP_RST) != 0) {
        decide_collision(engine, tuple, candidate, ANSWER_RST_OLD, segment);
    } else if (is_plain_ack(segment)) {
        note_challenge(engine, collision, old, segment, side);
    } else if ((segment->flags & TCP_FIN) != 0) {
        collision->fin_after_syn = true;
        collision->fin_again = packet_ref_of(segment, 1);
        collision->state_after = (enum tcp_state)old->side[side].state;
    }
}

void decide_follow_collision(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, const struct segment *segment,
                             int from)
{
    bool competing =
        incarnation == tuple->candidate; /* its answers are routed, and decided there */
    if (!incarnation_is_colliding(incarnation) || competing)
        return;
    struct collision *collision = incarnation->collision;
    switch (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) {
    case TCP_SYN:
        if (from == 0)
            note_syn(collision, segment);
        else if (collision->peer_syn.packet == 0)
            collision->peer_syn = packet_ref_of(segment, 1);
        return;
    case TCP_SYN | TCP_ACK: /* of the responder; of either when both opened at once */
        if (from == 1 || collision->peer_syn.packet != 0)
            decide_collision(engine, tuple, incarnation, ANSWER_SYNACK, segment);
        return;
    default:
        if (from == 1 && (segment->flags & TCP_RST) != 0)
            decide_collision(engine, tuple, incarnation, ANSWER_RST_NEW, segment);
    }
}
