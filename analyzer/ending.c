/* ending: see ending.h. */
#include "ending.h"

#include <string.h>

#include "event/told.h"
#include "expand.h"
#include "lives.h"
#include "outcome.h"
#include "tell.h"

bool ending_takes_plain(const struct sink *sink)
{
    return sink != NULL && sink->ops->plain != NULL && sink->ops->speller == NULL;
}

bool ending_is_plain(const struct sink *sink, const struct incarnation *incarnation)
{
    const uint64_t usual = UINT64_C(1) << EVENT_close_graceful % 64;
    const uint64_t *raised = incarnation->raised;
    _Static_assert(EVENT_close_graceful < 64 && RAISED_WORDS == 2, "as they are asked here");
    return ending_takes_plain(sink) && (raised[0] & ~usual) == 0 && raised[1] == 0;
}

/* Of both sides, the client's first, as dwell_stays() has them.  Both stand in one history. */
static uint32_t find_stays(const struct history *history, struct stay *ret_stay)
{
    struct stay servers[RECORD_HISTORY];
    struct dwell_walk walk[SIDES] = {{.next = ret_stay}, {.next = servers}};
    for (int i = 0; i < history->count; i++) {
        const struct history_entry *entry = history_peek(history, i);
        if (!entry->revoked)
            dwell_walk_step(&walk[entry->side], (enum tcp_state)entry->state, entry->t,
                            entry->basis == BASIS_PRESUMED);
    }
    struct stay *end = dwell_walk_end(&walk[CLIENT]);
    for (const struct stay *stay = servers, *last = dwell_walk_end(&walk[SERVER]); stay < last;
         stay++)
        *end++ = *stay;
    return (uint32_t)(end - ret_stay);
}

void ending_name(const struct tuple *tuple, uint64_t uid, int service, struct plain_flow *ret_plain)
{
    struct closed_flow *flow = &ret_plain->flow;
    ret_plain->spelled = (struct spelled){.reader = NULL};
    flow->flow_uid = uid;
    memcpy(flow->address, tuple->key.address[service], sizeof(flow->address));
    flow->port = tuple->key.port[service];
    flow->ip_version = tuple->key.ip_version;
}

void ending_of(const struct tuple *tuple, const struct incarnation *incarnation,
               struct plain_flow *ret_plain)
{
    const struct closing *closing = incarnation->connection.closing;
    ending_name(tuple, incarnation->uid, incarnation_end(incarnation, SERVER), ret_plain);
    ret_plain->is_closed =
        closing != NULL && (closing->fin[CLIENT].packet != 0 || closing->fin[SERVER].packet != 0);
    ret_plain->flow.stays = find_stays(&incarnation->connection.history, ret_plain->flow.stay);
}

static void note(struct engine *engine, enum status status)
{
    if (status != STATUS_OK && engine->status == STATUS_OK)
        engine->status = status;
}

void ending_hand_on_record(struct engine *engine, const struct flow_record *flow)
{
    if (engine->sink != NULL && engine->sink->ops->flow != NULL)
        note(engine, engine->sink->ops->flow(engine->sink, flow));
}

void ending_write_part(struct engine *engine, const struct tuple *tuple,
                       struct incarnation *incarnation)
{
    struct flow_record flow;
    struct outcome outcome = outcome_of(incarnation);
    expand_flow(tuple, incarnation, true, lives_two_msl(engine), &flow);
    outcome_put(&outcome, &flow);
    flow.final = false;
    incarnation->part++;
    ending_hand_on_record(engine, &flow);
}

void ending_count(struct engine *engine, enum close_kind kind, const struct left left[SIDES])
{
    struct engine_counts *counts = &engine->counts;
    counts->flows++;
    counts->flows_by_kind[kind]++;
    for (int side = 0; side < SIDES; side++) {
        counts->left[side][left[side].state]++;
        counts->left_presumed[side][left[side].state] += left[side].presumed;
    }
}

static void count_end(struct engine *engine, const struct connection *connection,
                      const struct outcome *outcome)
{
    struct left left[SIDES];
    for (int side = 0; side < SIDES; side++) {
        const struct side *x = &connection->side[side];
        left[side].state = (enum tcp_state)x->state;
        left[side].presumed = x->basis == BASIS_PRESUMED && outcome->has_history[side];
        engine->counts.history_dropped += connection->history.dropped[side];
    }
    ending_count(engine, outcome->kind, left);
    if (connection->history.starved)
        engine->status = STATUS_NO_MEMORY;
}

void ending_hand_on(struct engine *engine, const struct plain_flow *plain)
{
    if (plain->is_closed || plain->flow.stays > 0) /* else there is nothing in it */
        note(engine, engine->sink->ops->plain(engine->sink, plain));
}

/* Apart, for the room that it takes. */
static __attribute__((noinline)) void write_record(struct engine *engine, const struct tuple *tuple,
                                                   const struct incarnation *incarnation,
                                                   bool ended, const struct outcome *outcome)
{
    struct flow_record flow;
    expand_flow(tuple, incarnation, ended, lives_two_msl(engine), &flow);
    outcome_put(outcome, &flow);
    ending_hand_on_record(engine, &flow);
}

static __attribute__((noinline)) void write_ending(struct engine *engine, const struct tuple *tuple,
                                                   const struct incarnation *incarnation)
{
    struct plain_flow plain;
    ending_of(tuple, incarnation, &plain);
    ending_hand_on(engine, &plain);
}

void ending_write(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                  bool ended)
{
    struct outcome outcome = outcome_of(incarnation);
    count_end(engine, &incarnation->connection, &outcome);
    tell_gone(engine, tuple, incarnation, &outcome);
    if (ending_is_plain(engine->sink, incarnation))
        write_ending(engine, tuple, incarnation);
    else
        write_record(engine, tuple, incarnation, ended, &outcome);
}
