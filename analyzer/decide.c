/* decide: see decide.h. */
#include "decide.h"

#include "base/hash.h"
#include "decide_parts.h"
#include "detect/detect.h"
#include "expand.h"

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
    if (event->id == EVENT_incarnation_collision)
        emission->occasion->collision_uid = event->event_uid;
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

void decide_show(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                 struct occasion *occasion)
{
    struct emission emission = {engine, tuple, incarnation, occasion};
    prepare(engine, tuple, incarnation, occasion);
    occasion->context = &emission;
    occasion->now = occasion->segment != NULL ? engine->clock : occasion->now;
    detect(&engine->detectors, occasion);
    occasion->context = NULL; /* the emission ends here, the occasion does not */
}

void decide_note_packet(struct incarnation *incarnation, const struct segment *segment, int from)
{
    const struct side *y = &incarnation->connection.side[side_other(from)];
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

/* An ordinary segment, where nothing is under way that it could decide. */
static bool decides_nothing(const struct engine *engine, const struct incarnation *incarnation,
                            const struct step *step)
{
    return step->ordinary && incarnation->story == NULL && incarnation->collision == NULL &&
           !incarnation_doubts(incarnation)->hazard.open &&
           step->idle < decide_least_idle(&engine->config);
}

void decide_step(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                 const struct step *step)
{
    const struct connection *connection = &incarnation->connection;
    bool answered = connection->midstream || connection->side[1].state != STATE_CLOSED;
    if (answered)
        incarnation->flags |= INCARNATION_SYNCHRONIZED;
    decide_note_packet(incarnation, step->segment, step->from);
    if (decides_nothing(engine, incarnation, step)) {
        incarnation->watched = 0;
        return;
    }
    decide_follow_hazard(engine, tuple, incarnation, step);
    decide_follow_collision(engine, tuple, incarnation, step->segment, step->from);
    decide_follow_final_ack(engine, incarnation, step);
    if (!story_follow(&incarnation->story, connection, step, decide_least_idle(&engine->config)))
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
    decide_show(engine, tuple, incarnation, &occasion);
}

bool decide_has_lost(const struct engine *engine, const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    const struct side *side = connection->side;
    bool began = side[0].tally.packets + side[1].tally.packets > 0;
    return engine->losses_known > 0 && began &&
           moments_between(engine->losses, engine->losses_known, connection->last_t, engine->clock);
}

void decide_losses(const struct engine *engine, struct incarnation *incarnation)
{
    if (decide_has_lost(engine, incarnation))
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
    const struct final_ack_story *story = &incarnation_doubts(incarnation)->final_ack;
    if (story->open && story->deadline <= now)
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
    decide_show(engine, tuple, old, &occasion);
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

/* What detectors of ends may wait for. */
static unsigned features_at_end(const struct incarnation *incarnation)
{
    const struct closing *closing = incarnation->connection.closing;
    unsigned features = incarnation->story != NULL ? FEATURE_STORY : 0;
    features |= incarnation->icmp != NULL ? FEATURE_ICMP : 0;
    if (closing == NULL)
        return features;
    features |= (closing->rst[0].packet | closing->rst[1].packet) != 0 ? FEATURE_RESET : 0;
    features |= closing->fins[0] > 1 || closing->fins[1] > 1 ? FEATURE_TWO_FINS : 0;
    return features;
}

void decide_end(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation,
                bool ended)
{
    if (incarnation->connection.closed_at == NANOTIME_UNKNOWN)
        decide_losses(engine, incarnation);
    if (is_graceful(&incarnation->connection))
        incarnation_raise(incarnation, EVENT_close_graceful);
    unsigned features = features_at_end(incarnation);
    if (features == 0)
        return;
    struct occasion occasion = {
        .kind = OCCASION_END,
        .features = features,
        .ended = ended,
        .now = engine->clock,
    };
    decide_show(engine, tuple, incarnation, &occasion);
}

void decide_remaining(struct engine *engine, struct tuple *tuple, struct incarnation *incarnation)
{
    if (incarnation->collision != NULL)
        decide_collision(engine, tuple, incarnation, ANSWER_NONE, NULL);
    decide_final_ack(engine, tuple, incarnation, NULL, 0);
    if (incarnation_doubts(incarnation)->hazard.open)
        decide_hazard(engine, tuple, incarnation, NULL, false, false);
}
