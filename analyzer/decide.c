/* decide: see decide.h. */
#include "decide.h"

#include <string.h>

#include "base/hash.h"
#include "detect/detect.h"
#include "expand.h"
#include "tcp/moves.h"
#include "tcp/window.h"
#include "trace.h"

/* Where an event goes, carried through the detectors. */
struct emission {
    struct engine *engine;
    const struct tuple *tuple;
    struct incarnation *incarnation;
    struct occasion *occasion;
};

/* event.id: flow_uid, id, and the trigger's sequence number and time (RECORDS). */
static uint64_t event_uid_of(const struct event_record *event)
{
    uint64_t words[4] = {event->who.flow_uid, (uint64_t)event->id, 0, (uint64_t)event->t};
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        if (event->evidence[i].role == ROLE_TRIGGER)
            words[2] = event->evidence[i].seq_abs;
    }
    uint64_t uid = hash_identity(words, 4);
    return uid == 0 ? 1 : uid;
}

static void emit(void *context, struct event_record *event)
{
    struct emission *emission = context;
    struct engine *engine = emission->engine;
    expand_identity(emission->tuple, emission->incarnation, &event->who);
    event->caveats = expand_caveats(emission->incarnation);
    event->decided = emission->occasion->now;
    event->event_uid = event_uid_of(event);
    emission->occasion->event_uid[event->id] = event->event_uid;
    incarnation_raise(emission->incarnation, event->id);
    if (engine->sink == NULL || engine->sink->ops->event == NULL)
        return;
    enum status status = engine->sink->ops->event(engine->sink, event);
    if (status != STATUS_OK && engine->status == STATUS_OK)
        engine->status = status;
}

static void prepare(const struct engine *engine, const struct tuple *tuple,
                    const struct incarnation *incarnation, struct occasion *occasion)
{
    occasion->config = &engine->config;
    occasion->tuple = tuple;
    occasion->incarnation = incarnation;
    occasion->emit = emit;
}

/* Shows an occasion, filled by the caller but for what is the same in all of them. */
static void show(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                 struct occasion *occasion)
{
    struct emission emission = {engine, tuple, incarnation, occasion};
    prepare(engine, tuple, incarnation, occasion);
    occasion->context = &emission;
    occasion->now = occasion->segment != NULL ? engine->clock : occasion->now;
    detect(occasion);
    occasion->context = NULL; /* the emission ends here, the occasion does not */
}

/* --- collisions --- */

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
    show(engine, tuple, incarnation, &occasion);
}

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
    const struct rtt *rtt = &old->rtt[side_other(side)]; /* until the side acknowledged */
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

static void note_syn(struct collision *collision, const struct segment *segment)
{
    collision->syn_last = packet_ref_of(segment, 0);
    collision->syns += segment->packet != collision->syn.packet;
}

/* A collision of an incarnation that became the current one at once. */
static void follow_collision(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, const struct step *step)
{
    const struct segment *segment = step->segment;
    bool competing =
        incarnation == tuple->candidate; /* its answers are routed, and decided there */
    if (incarnation->collision == NULL || incarnation->collision->decided || competing)
        return;
    struct collision *collision = incarnation->collision;
    switch (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) {
    case TCP_SYN:
        if (step->from == 0)
            note_syn(collision, segment);
        else if (collision->peer_syn.packet == 0)
            collision->peer_syn = packet_ref_of(segment, 1);
        return;
    case TCP_SYN | TCP_ACK: /* of the responder; of either when both opened at once */
        if (step->from == 1 || collision->peer_syn.packet != 0)
            decide_collision(engine, tuple, incarnation, ANSWER_SYNACK, segment);
        return;
    default:
        if (step->from == 1 && (segment->flags & TCP_RST) != 0)
            decide_collision(engine, tuple, incarnation, ANSWER_RST_NEW, segment);
    }
}

/* --- the final ACK --- */

static void decide_final_ack(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, const struct segment *segment,
                             int from)
{
    struct final_ack_story *story = &incarnation->final_ack;
    if (!story->open)
        return;
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
    show(engine, tuple, incarnation, &occasion);
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

/* A loss: the first opens the story, further ones before it is told belong to it. */
static void open_final_ack(struct engine *engine, struct incarnation *incarnation,
                           const struct step *step, bool missing)
{
    struct final_ack_story *story = &incarnation->final_ack;
    const struct closing *closing = incarnation->connection.closing;
    if (story->told || story->again.packet == step->segment->packet)
        return;
    story->losses++;
    story->deadline = time_after(engine->clock, engine->config.repair_wait);
    if (story->open)
        return;
    story->open = true;
    story->missing = missing;
    story->side = (uint8_t)step->from;
    story->peer_state = (uint8_t)step->before[side_other(step->from)];
    story->final_ack = closing->fin_ack_last[step->from];
    story->again = packet_ref_of(step->segment, step->from);
}

static void follow_final_ack(struct engine *engine, struct incarnation *incarnation,
                             const struct step *step)
{
    struct final_ack_story *story = &incarnation->final_ack;
    const struct closing *closing = incarnation->connection.closing;
    bool missing;
    if (closing == NULL)
        return;
    if (shows_last_ack(incarnation, step, &missing)) {
        open_final_ack(engine, incarnation, step, missing);
        return;
    }
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

/* The story of a side in LAST_ACK that its answer to a new SYN brought to light. */
void decide_last_ack_shown(struct engine *engine, struct incarnation *old, int side,
                           const struct segment *segment)
{
    struct final_ack_story *story = &old->final_ack;
    const struct closing *closing = old->connection.closing;
    if (story->told || story->open || closing == NULL ||
        old->connection.side[side].state != STATE_LAST_ACK)
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

/* --- old segments --- */

static void decide_hazard(struct engine *engine, struct tuple *tuple,
                          struct incarnation *incarnation, const struct segment *segment,
                          bool delivered, bool refuted)
{
    struct occasion occasion = {.kind = OCCASION_HAZARD,
                                .segment = segment,
                                .from = incarnation->hazard.to,
                                .delivered = delivered,
                                .refuted = refuted,
                                .now = engine->clock};
    incarnation->hazard.open = false;
    incarnation->connection.corrupted = delivered && !incarnation->hazard.rst;
    show(engine, tuple, incarnation, &occasion);
}

static bool sacks_unsent(const struct segment *segment, const struct hazard *hazard)
{
    for (int i = 0; i < segment->sacks; i++) {
        if (seq_after(segment->sack[i].right, hazard->left) &&
            seq_at_or_after(hazard->right, segment->sack[i].left))
            return true;
    }
    return false;
}

/* The receiver of an old reset speaks: as one that was ended by it, or not. */
static void follow_reset_hazard(struct engine *engine, struct tuple *tuple,
                                struct incarnation *incarnation, const struct step *step)
{
    const struct hazard *hazard = &incarnation->hazard;
    nanotime since = time_since(step->segment->time, hazard->stray.t);
    bool in_flight = since < incarnation->connection.side[hazard->to].round_trip / 2;
    bool ended = (step->segment->flags & (TCP_RST | TCP_ACK)) == TCP_RST; /* of no connection */
    if (step->from == hazard->to && (ended || !in_flight))
        decide_hazard(engine, tuple, incarnation, step->segment, ended, !ended);
}

/* The receiver of an old segment acknowledges: its octets, or not. */
static void follow_hazard(struct engine *engine, struct tuple *tuple,
                          struct incarnation *incarnation, const struct step *step)
{
    struct hazard *hazard = &incarnation->hazard;
    const struct segment *segment = step->segment;
    if (!hazard->open || step->from != hazard->to ||
        (segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
        return;
    const struct side *x = &incarnation->connection.side[side_other(hazard->to)];
    const struct side *y = &incarnation->connection.side[hazard->to];
    bool unsent = seq_after(segment->acknowledgment, x->snd_nxt) &&
                  seq_after(segment->acknowledgment, hazard->left);
    bool sacked = seq_at_or_before(x->snd_nxt, hazard->left) && sacks_unsent(segment, hazard);
    if (unsent || sacked) {
        decide_hazard(engine, tuple, incarnation, segment, true, false);
        return;
    }
    nanotime since = time_since(segment->time, hazard->stray.t);
    bool in_flight = since < incarnation->connection.side[hazard->to].round_trip / 2;
    bool overtaken = seq_after(x->snd_nxt, hazard->left);
    bool sacks = side_has(x, SIDE_SACK) && side_has(y, SIDE_SACK); /* and would have told */
    bool may_be_kept = !hazard->at_edge && !overtaken && !sacks &&
                       seq_before(segment->acknowledgment, hazard->left);
    if (!in_flight && !may_be_kept) /* what is kept shows when the gap is filled */
        decide_hazard(engine, tuple, incarnation, segment, false, hazard->at_edge && !overtaken);
}

static void open_hazard(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int from, const struct stray *stray)
{
    struct incarnation *current = tuple->current;
    const struct side *x = &current->connection.side[from];
    seq end = seq_add(segment->sequence, segment->payload + ((segment->flags & TCP_FIN) != 0));
    if (current->hazard.open) /* another old segment answers nothing */
        decide_hazard(engine, tuple, current, NULL, false, false);
    current->hazard = (struct hazard){
        .open = true,
        .to = (uint8_t)side_other(from),
        .matched_number = stray->from->incarnation,
        .matched_uid = stray->from->uid,
        .old_iss = {stray->from->end[incarnation_end(current, 0)].iss,
                    stray->from->end[incarnation_end(current, 1)].iss},
        .strength = stray->match,
        .stray = packet_ref_of(segment, from),
        .at_edge =
            seq_at_or_before(segment->sequence, current->connection.side[side_other(from)].rcv_nxt),
        .left = seq_later_of(segment->sequence, x->snd_nxt),
        .right = end,
        .state = {(enum tcp_state)current->connection.side[0].state,
                  (enum tcp_state)current->connection.side[1].state},
        .age = stray->original != NULL ? time_since(segment->time, stray->original->t)
                                       : NANOTIME_UNKNOWN,
    };
    if (stray->original != NULL)
        current->hazard.original = last_segment_ref(stray->original, from);
    current->hazard.rst = (segment->flags & TCP_RST) != 0;
    current->connection.corrupted = !current->hazard.rst;
}

void decide_stray(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end, const struct stray *stray)
{
    struct incarnation *current = tuple->current;
    int from = incarnation_side(current, end);
    current->strays++;
    if (stray->verdict == STRAY_HAZARD_DATA) {
        open_hazard(engine, tuple, segment, from, stray);
        return;
    }
    if (stray->verdict == STRAY_HAZARD_RST) /* whether it hit is seen by what comes next */
        open_hazard(engine, tuple, segment, from, stray);
    if (current->strays > engine->config.strays_per_flow) {
        engine->counts.events_dropped++;
        return;
    }
    struct occasion occasion = {
        .kind = OCCASION_STRAY, .segment = segment, .from = from, .stray = stray};
    show(engine, tuple, current, &occasion);
}

/* --- steps and ends --- */

static void note_packet(struct incarnation *incarnation, const struct step *step)
{
    const struct segment *segment = step->segment;
    const struct side *y = &incarnation->connection.side[side_other(step->from)];
    if (incarnation_in_other_vlan(incarnation, segment))
        incarnation->notes |= UINT64_C(1) << NOTE_vlan_split;
    if (segment->cut)
        incarnation->notes |= UINT64_C(1) << NOTE_capture_truncated;
    if (segment->checksum_verdict == CHECKSUM_PARTIAL)
        incarnation->notes |= UINT64_C(1) << NOTE_checksum_offload;
    if (side_has(y, SIDE_MSS) && segment->payload > y->mss)
        incarnation->notes |= UINT64_C(1) << NOTE_offload_suspected;
}

/* What detectors of steps may wait for, in a word. */
static unsigned features_of(const struct step *step)
{
    const struct segment *segment = step->segment;
    bool plain = (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0 && segment->payload == 0;
    bool again =
        step->retransmission || step->fin_repeated || step->keep_alive || step->window_probe;
    unsigned features = 0;
    if (step->stray)
        return FEATURE_STRAY; /* its flags are of another connection */
    features |= (segment->flags & TCP_SYN) != 0 ? FEATURE_SYN : 0;
    features |= (segment->flags & TCP_FIN) != 0 ? FEATURE_FIN : 0;
    features |= (segment->flags & TCP_RST) != 0 ? FEATURE_RST : 0;
    features |= segment->payload > 0 ? FEATURE_DATA : 0;
    features |= again ? FEATURE_AGAIN : 0;
    features |= plain ? FEATURE_ACK : 0;
    for (uint32_t i = 0; i < step->changes; i++)
        features |= step->change[i].kind == CHANGE_REVOKED ? FEATURE_REVOKED : 0;
    return features;
}

/* A segment of an ordinary connection with nothing but data and ACKs concerns no detector. */
static bool is_ordinary(const struct incarnation *incarnation, const struct step *step)
{
    return incarnation->connection.closing == NULL && incarnation->story == NULL &&
           (step->segment->flags & TCP_SYN) == 0 && !step->stray;
}

/* Silence that some detector asks about. */
static nanotime least_idle(const struct config *config)
{
    return time_earlier_of(config->idle_least, config->fin_timeout);
}

/* An ordinary segment, where nothing is under way that it could decide. */
static bool decides_nothing(const struct engine *engine, const struct incarnation *incarnation,
                            const struct step *step)
{
    return step->ordinary && incarnation->story == NULL && incarnation->collision == NULL &&
           !incarnation->hazard.open && step->idle < least_idle(&engine->config);
}

void decide_step(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                 const struct step *step)
{
    const struct connection *connection = &incarnation->connection;
    bool answered = connection->midstream || connection->side[1].state != STATE_CLOSED;
    if (answered)
        incarnation->flags |= INCARNATION_SYNCHRONIZED;
    note_packet(incarnation, step);
    if (decides_nothing(engine, incarnation, step)) {
        incarnation->watched = 0;
        return;
    }
    if (incarnation->hazard.open && incarnation->hazard.rst)
        follow_reset_hazard(engine, tuple, incarnation, step);
    else if (incarnation->hazard.open)
        follow_hazard(engine, tuple, incarnation, step);
    if (incarnation->collision != NULL)
        follow_collision(engine, tuple, incarnation, step);
    follow_final_ack(engine, incarnation, step);
    if (!story_follow(&incarnation->story, connection, step, least_idle(&engine->config)))
        engine->status = STATUS_NO_MEMORY;
    incarnation->watched = 0;
    if (step->damaged || is_ordinary(incarnation, step))
        return;
    struct occasion occasion = {
        .kind = OCCASION_STEP,
        .step = step,
        .features = features_of(step),
        .segment = step->segment,
        .from = step->from,
    };
    show(engine, tuple, incarnation, &occasion);
}

nanotime decide_due(const struct engine *engine, const struct incarnation *incarnation)
{
    if (incarnation->connection.closing == NULL && incarnation->story == NULL)
        return NANOTIME_UNKNOWN;
    return detect_due(incarnation, &engine->config);
}

void decide_losses(const struct engine *engine, struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    const struct side *side = connection->side;
    bool began = side[0].tally.packets + side[1].tally.packets > 0;
    if (engine->losses_known > 0 && began &&
        moments_between(engine->losses, engine->losses_known, connection->last_t, engine->clock))
        incarnation->notes |= UINT64_C(1) << NOTE_capture_drop;
}

void decide_overdue(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                    nanotime now)
{
    if (incarnation->connection.closed_at == NANOTIME_UNKNOWN)
        decide_losses(engine, incarnation);
    const struct collision *collision = incarnation->collision;
    bool challenged = collision != NULL && !collision->decided &&
                      collision->deadline != NANOTIME_UNKNOWN && collision->deadline <= now;
    if (challenged)
        decide_collision(engine, tuple, incarnation, ANSWER_NONE, NULL);
    if (incarnation->final_ack.open && incarnation->final_ack.deadline <= now)
        decide_final_ack(engine, tuple, incarnation, NULL, 0);
    if (decide_due(engine, incarnation) == NANOTIME_UNKNOWN)
        return;
    struct occasion occasion = {.kind = OCCASION_DEADLINE, .now = engine->clock};
    prepare(engine, tuple, incarnation, &occasion);
    struct emission emission = {engine, tuple, incarnation, &occasion};
    occasion.context = &emission;
    incarnation->watched |= detect_overdue(&occasion);
}

void decide_replaced(struct engine *engine, struct tuple *tuple, struct incarnation *old,
                     const struct segment *syn)
{
    struct occasion occasion = {.kind = OCCASION_REPLACED, .segment = syn};
    show(engine, tuple, old, &occasion);
}

/*
 * Closed as it should be: named in the flow's record, which is why no detector tells it.  A loss
 * that was repaired does not count against it.
 */
static bool is_graceful(const struct connection *connection)
{
    const struct closing *closing = connection->closing;
    if (closing == NULL)
        return false;
    for (int side = 0; side < SIDES; side++) {
        enum tcp_state state = (enum tcp_state)connection->side[side].state;
        bool over = state == STATE_CLOSED || state == STATE_TIME_WAIT;
        if (closing->fin_ack[side].packet == 0 || closing->rst[side].packet != 0 || !over)
            return false;
    }
    return true;
}

void decide_end(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                bool ended)
{
    struct occasion occasion = {.kind = OCCASION_END, .ended = ended, .now = engine->clock};
    if (incarnation->connection.closed_at == NANOTIME_UNKNOWN)
        decide_losses(engine, incarnation);
    if (is_graceful(&incarnation->connection))
        incarnation_raise(incarnation, EVENT_close_graceful);
    show(engine, tuple, incarnation, &occasion);
}

void decide_remaining(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation)
{
    if (incarnation->collision != NULL)
        decide_collision(engine, tuple, incarnation, ANSWER_NONE, NULL);
    decide_final_ack(engine, tuple, incarnation, NULL, 0);
    if (incarnation->hazard.open)
        decide_hazard(engine, tuple, incarnation, NULL, false, false);
}
