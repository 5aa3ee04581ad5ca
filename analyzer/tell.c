/* tell: see tell.h. */
#include "tell.h"

#include <string.h>

static bool is_listening(const struct engine *engine)
{
    return engine->sink != NULL && engine->sink->ops->delta != NULL;
}

static void note(struct engine *engine, enum status status)
{
    if (status != STATUS_OK && engine->status == STATUS_OK)
        engine->status = status;
}

/* Where a delta is to be written: where it is kept, so that it is not read again at once, which
 * would wait for all that was written before; else to `own`, to be sent.  NULL: memory ran out. */
static inline struct delta *begin(struct engine *engine, struct delta *own)
{
    struct sink *sink = engine->sink;
    struct delta *place = sink->ops->place == NULL ? own : sink->ops->place(sink);
    if (place == NULL)
        note(engine, STATUS_NO_MEMORY);
    return place;
}

static inline void end(struct engine *engine, const struct delta *delta, const struct delta *own)
{
    if (delta == own)
        note(engine, engine->sink->ops->delta(engine->sink, delta));
}

/* clang-format off */
static const uint8_t holding_by_state[TCP_STATES + 1] = {
    [STATE_CLOSED]      = HOLDING_NOTHING,
    [STATE_LISTEN]      = HOLDING_NOTHING,
    [STATE_SYN_SENT]    = HOLDING_OPENING,
    [STATE_SYN_RCVD]    = HOLDING_OPENING,
    [STATE_ESTABLISHED] = HOLDING_OPEN,
    [STATE_FIN_WAIT_1]  = HOLDING_OPEN,
    [STATE_FIN_WAIT_2]  = HOLDING_OPEN,
    [STATE_CLOSE_WAIT]  = HOLDING_CLOSE_WAIT,
    [STATE_CLOSING]     = HOLDING_OPEN,
    [STATE_LAST_ACK]    = HOLDING_LAST,
    [STATE_TIME_WAIT]   = HOLDING_TIME_WAIT,
    [STATE_UNKNOWN]     = HOLDING_OPEN,
    [TCP_STATES]        = HOLDING_OPEN,
};
/* clang-format on */

static void name_end(struct endpoint_record *end, const struct flow_key *key, int index)
{
    memcpy(end->address, key->address[index], sizeof(end->address));
    end->port = key->port[index];
}

static void name_ends(struct delta *delta, const struct tuple *tuple, int client_end)
{
    delta->ip_version = tuple->key.ip_version;
    name_end(&delta->end[0], &tuple->key, client_end);
    name_end(&delta->end[1], &tuple->key, 1 - client_end);
}

static void name_packet(struct delta *delta, const struct segment *segment, int from)
{
    delta->packet = segment->packet;
    delta->seq_abs = segment->sequence;
    delta->ack_abs = segment->acknowledgment;
    delta->flags = segment->flags;
    delta->from = (uint8_t)from;
}

/* Of a lone SYN, and no packet.  Member by member, as fill() does it. */
static void fill_lone(struct delta *delta, const struct engine *engine, const struct tuple *tuple)
{
    const struct embryo *embryo = &tuple->embryo;
    delta->incarnation = 1;
    delta->t = engine->clock;
    delta->opened = embryo->time;
    delta->reuse = NANOTIME_UNKNOWN;
    delta->packet = 0;
    delta->flow_uid = tuple->last_uid;
    delta->place[0] = delta->place[1] = 0;
    delta->seq_abs = delta->ack_abs = 0;
    delta->flags = delta->from = 0;
    delta->before[1] = delta->after[1] = HOLDING_NOTHING;
    delta->state[0] = STATE_SYN_SENT;
    delta->state[1] = STATE_CLOSED;
    delta->close_kind = delta->initiator = 0;
    delta->answered = delta->established = false;
    name_ends(delta, tuple, embryo->end);
    delta->end[0].packets = 1;
    delta->end[0].ip_bytes = embryo->ip_length;
    delta->end[1].packets = delta->end[1].ip_bytes = 0;
}

void tell_embryo(struct engine *engine, struct tuple *tuple, const struct segment *segment)
{
    struct delta own, *delta = is_listening(engine) ? begin(engine, &own) : NULL;
    if (delta == NULL)
        return;
    tuple->last_uid =
        flow_key_uid(&tuple->key, tuple->embryo.end, segment->sequence, segment->time);
    fill_lone(delta, engine, tuple);
    delta->what = DELTA_OPENED;
    delta->before[0] = HOLDING_NOTHING;
    delta->after[0] = HOLDING_OPENING;
    name_packet(delta, segment, 0);
    end(engine, delta, &own);
}

void tell_lone_gone(struct engine *engine, const struct tuple *tuple)
{
    struct delta own, *delta = is_listening(engine) ? begin(engine, &own) : NULL;
    if (delta == NULL)
        return;
    fill_lone(delta, engine, tuple);
    delta->what = DELTA_GONE | (engine->finishing ? DELTA_CUT : 0);
    delta->before[0] = HOLDING_OPENING;
    delta->after[0] = engine->finishing ? HOLDING_OPENING : HOLDING_NOTHING;
    delta->close_kind = CLOSE_UNANSWERED;
    delta->initiator = INITIATOR_NONE;
    end(engine, delta, &own);
}

void tell_hatched(struct incarnation *incarnation)
{
    incarnation->told[0] = HOLDING_OPENING;
}

/* Since the last packet of the connection before on the same ports, with the same client. */
static nanotime reuse_of(const struct tuple *tuple, const struct incarnation *incarnation,
                         nanotime now)
{
    const struct incarnation *held[] = {tuple->current, tuple->candidate, tuple->retiring};
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        if (held[i] != NULL && held[i] != incarnation &&
            held[i]->client_end == incarnation->client_end)
            return time_later_of(0, time_since(now, held[i]->connection.last_t));
    }
    const struct tombstone *old = tuple->tombstones;
    bool same = old != NULL && old->client_end == incarnation->client_end;
    return same ? time_later_of(0, time_since(now, old->last_t)) : NANOTIME_UNKNOWN;
}

static bool is_up(unsigned holding)
{
    return holding == HOLDING_OPEN || holding == HOLDING_CLOSE_WAIT;
}

/* What is told only once, however often a state is revoked and comes again. */
static inline unsigned once_of(struct life *life, const uint8_t before[SIDES],
                               const uint8_t after[SIDES])
{
    bool was = is_up(before[0]) || is_up(before[1]);
    bool is = is_up(after[0]) || is_up(after[1]) || after[0] == HOLDING_OPENING ||
              after[1] == HOLDING_OPENING;
    unsigned what = 0;
    if (before[1] == HOLDING_OPENING && is_up(after[1]))
        what |= DELTA_ESTABLISHED;
    if (was && !is)
        what |= DELTA_CLOSED;
    what &= ~(unsigned)life->told_once;
    life->told_once |= (uint8_t)what;
    return what;
}

/* The value, read by itself: a compiler likes to read two at once, and where each was just written
 * by itself, the processor then waits until both have left for the cache. */
static inline uint64_t alone(uint64_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

static inline void tell_side(const struct life_side *told, int side, struct delta *delta)
{
    delta->end[side].packets = alone(told->packets);
    delta->end[side].ip_bytes = alone(told->ip_bytes);
    delta->before[side] = told->told;
    delta->after[side] = holding_by_state[told->state];
    delta->state[side] = told->state;
}

/* Of no packet.  Member by member: clearing the whole first takes longer than all the rest. */
static inline void fill(struct delta *delta, const struct engine *engine, const struct tuple *tuple,
                        struct life *life)
{
    const uint8_t before[SIDES] = {life->side[0].told, life->side[1].told};
    const uint8_t after[SIDES] = {holding_by_state[life->side[0].state],
                                  holding_by_state[life->side[1].state]};
    delta->t = engine->clock;
    delta->opened = life->started;
    delta->reuse = NANOTIME_UNKNOWN;
    delta->packet = 0;
    delta->flow_uid = life->uid;
    delta->incarnation = life->number;
    delta->place[0] = delta->place[1] = 0;
    delta->seq_abs = delta->ack_abs = 0;
    delta->flags = delta->from = 0;
    delta->close_kind = delta->initiator = 0;
    delta->answered = delta->established = false;
    name_ends(delta, tuple, life->client_end);
    tell_side(&life->side[0], 0, delta);
    tell_side(&life->side[1], 1, delta);
    delta->what = once_of(life, before, after);
    life->side[0].told = after[0];
    life->side[1].told = after[1];
}

/* --- of an incarnation --- */

static inline void recall(const struct incarnation *incarnation, struct life *ret_life)
{
    const struct connection *connection = &incarnation->connection;
    ret_life->started = connection->started;
    ret_life->uid = incarnation->uid;
    ret_life->number = incarnation->number;
    ret_life->client_end = incarnation->client_end;
    ret_life->told_once = incarnation->told_once;
    ret_life->answered = connection->side[1].tally.syns > 0;
    for (int side = 0; side < SIDES; side++) {
        const struct side *x = &connection->side[side];
        ret_life->side[side].packets = x->tally.packets;
        ret_life->side[side].ip_bytes = x->tally.ip_bytes;
        ret_life->side[side].state = x->state;
        ret_life->side[side].told = incarnation->told[side];
    }
}

/* Keeps what was told. */
static inline void keep_told(struct incarnation *incarnation, const struct life *life)
{
    incarnation->told[0] = life->side[0].told;
    incarnation->told[1] = life->side[1].told;
    incarnation->told_once = life->told_once;
}

void tell_opened(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                 const struct segment *segment)
{
    struct delta own, *delta = is_listening(engine) ? begin(engine, &own) : NULL;
    if (delta == NULL)
        return;
    struct life life;
    recall(incarnation, &life);
    fill(delta, engine, tuple, &life);
    keep_told(incarnation, &life);
    bool syn = segment_opens(segment);
    delta->what |= DELTA_OPENED | (syn ? 0 : DELTA_MIDSTREAM);
    delta->opened = segment->time;
    delta->reuse = syn ? reuse_of(tuple, incarnation, segment->time) : NANOTIME_UNKNOWN;
    struct flow_key key;
    name_packet(delta, segment, incarnation_side(incarnation, flow_key_of(segment, &key)));
    end(engine, delta, &own);
}

/* What moved a side: a segment, NULL for time, and of which side; what that is (enum delta_what);
 * and, as in struct delta, what a SYN that takes a port takes again. */
struct cause {
    const struct segment *segment;
    int from;
    unsigned what;
    nanotime reuse;
};

/* What a SYN or SYN-ACK is; again: it is not its side's first. */
static inline unsigned what_of(const struct segment *segment, int from, bool again)
{
    if (!segment_opens(segment))
        return 0;
    if ((segment->flags & TCP_ACK) == 0)
        return again && from == 0 ? DELTA_SYN_AGAIN : 0;
    if (from != 1)
        return 0;
    return again ? DELTA_ANSWER_AGAIN : DELTA_ANSWERED;
}

/* A server that leaves LAST_ACK frees no port: the next delta tells it. */
static inline bool has_changed(unsigned client_state, unsigned server_state, unsigned client_told,
                               unsigned server_told)
{
    unsigned client = holding_by_state[client_state], server = holding_by_state[server_state];
    bool last = server == HOLDING_NOTHING && server_told == HOLDING_LAST;
    return client != client_told || (server != server_told && !last);
}

static inline void send_change(struct engine *engine, const struct tuple *tuple, struct life *life,
                               const struct cause *cause)
{
    struct delta own, *delta = begin(engine, &own);
    if (delta == NULL)
        return;
    fill(delta, engine, tuple, life);
    delta->what |= cause->what;
    delta->reuse = cause->reuse;
    if (cause->segment != NULL)
        name_packet(delta, cause->segment, cause->from);
    end(engine, delta, &own);
}

/* Apart, so that what tells nothing needs no room for a delta. */
static __attribute__((noinline)) void send_step(struct engine *engine, const struct tuple *tuple,
                                                struct incarnation *incarnation,
                                                const struct segment *segment, int from,
                                                unsigned what)
{
    struct cause cause = {segment, from, what, NANOTIME_UNKNOWN};
    if (segment != NULL && segment_opens(segment) && incarnation->told[0] == HOLDING_NOTHING)
        cause.reuse = reuse_of(tuple, incarnation, segment->time);
    struct life life;
    recall(incarnation, &life);
    send_change(engine, tuple, &life, &cause);
    keep_told(incarnation, &life);
}

static inline void tell(struct engine *engine, const struct tuple *tuple,
                        struct incarnation *incarnation, const struct segment *segment, int from,
                        unsigned what)
{
    const struct side *side = incarnation->connection.side;
    if ((what != 0 ||
         has_changed(side[0].state, side[1].state, incarnation->told[0], incarnation->told[1])) &&
        is_listening(engine))
        send_step(engine, tuple, incarnation, segment, from, what);
}

static inline bool was_opened(const struct incarnation *incarnation, int side)
{
    return incarnation->connection.side[side].tally.syns > 1;
}

void tell_step(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
               const struct step *step)
{
    const struct segment *segment = step->segment;
    bool taken = segment != NULL && !step->damaged && !step->stray;
    unsigned what = taken ? what_of(segment, step->from, was_opened(incarnation, step->from)) : 0;
    tell(engine, tuple, incarnation, segment, step->from, what);
}

void tell_segment(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                  const struct segment *segment, int from)
{
    unsigned what = what_of(segment, from, was_opened(incarnation, from));
    tell(engine, tuple, incarnation, segment, from, what);
}

void tell_gone(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
               const struct outcome *outcome)
{
    struct life life;
    recall(incarnation, &life);
    tell_life_gone(engine, tuple, &life, outcome);
    keep_told(incarnation, &life);
}

/* --- of what is kept otherwise --- */

void tell_life(struct engine *engine, const struct tuple *tuple, struct life *life,
               const struct segment *segment, int from)
{
    const struct life_side *client = &life->side[0], *server = &life->side[1];
    const unsigned what = segment != NULL ? what_of(segment, from, false) : 0;
    if ((what != 0 || has_changed(client->state, server->state, client->told, server->told)) &&
        is_listening(engine))
        send_change(engine, tuple, life, &(struct cause){segment, from, what, NANOTIME_UNKNOWN});
}

void tell_life_gone(struct engine *engine, const struct tuple *tuple, struct life *life,
                    const struct outcome *outcome)
{
    struct delta own, *delta = is_listening(engine) ? begin(engine, &own) : NULL;
    if (delta == NULL)
        return;
    fill(delta, engine, tuple, life);
    delta->what |= DELTA_GONE;
    delta->close_kind = (uint8_t)outcome->kind;
    delta->initiator = (uint8_t)outcome->initiator;
    delta->answered = life->answered;
    delta->established = outcome->handshake_complete;
    if (engine->finishing)
        delta->what |= DELTA_CUT;
    else
        delta->after[0] = delta->after[1] = HOLDING_NOTHING;
    end(engine, delta, &own);
}
