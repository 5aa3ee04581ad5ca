/* engine_end: the end of the capture, parts at a moment of it, and what an engine holds; see
 * engine.h. */
#include "engine.h"

#include <stdlib.h>

#include "crowd.h"
#include "evict.h"
#include "lives.h"
#include "transcribe.h"

/* UINT64_MAX: the tuple is kept for what it remembers, nothing of it is to be written. */
static uint64_t first_packet_of(const struct tuple *tuple)
{
    if (tuple->embryonic)
        return tuple->embryo.packet;
    if (tuple->is_parked)
        return tuple->parked->first_packet;
    if (tuple->is_transcribed)
        return tuple->transcript->head.first_packet;
    if (tuple->retiring != NULL)
        return tuple->retiring->first_packet;
    if (tuple->current != NULL)
        return tuple->current->first_packet;
    return tuple->candidate != NULL ? tuple->candidate->first_packet : UINT64_MAX;
}

/* As the deadlines' tuples; those that nobody lists stand one behind the other.  Inline for
 * certain: of a function that changes nothing a compiler may leave out the call. */
static inline __attribute__((always_inline)) void fetch_next_survivors(const struct engine *engine)
{
    const struct survivors_at *at = &engine->survivors_at;
    uint64_t left = engine->survivor_count - at->listed;
    const struct ranked *next = &engine->survivors[at->listed];
    if (left > FETCH_TUPLE_AHEAD)
        tuple_fetch(next[FETCH_TUPLE_AHEAD].item);
    if (left > FETCH_PARKED_AHEAD)
        flow_table_prefetch_parked(next[FETCH_PARKED_AHEAD].item);
    if (at->lone != 0 && at->lone + FETCH_TUPLE_AHEAD < flow_table_end(&engine->table))
        tuple_fetch(flow_table_tuple(&engine->table, at->lone + FETCH_TUPLE_AHEAD));
}

/* What a tuple that comes soon points to; the tuples themselves come in the order of memory. */
static inline __attribute__((always_inline)) void fetch_next_lives(const struct flow_table *table,
                                                                   uint32_t index)
{
    enum { FAR = 16 };
    const struct tuple *tuple = flow_table_at(table, index + FAR);
    if (tuple == NULL)
        return;
    if (tuple->is_parked)
        __builtin_prefetch(&tuple->parked->first_packet);
    else if (tuple->is_transcribed)
        __builtin_prefetch(&tuple->transcript->head.first_packet);
    else if (!tuple->embryonic && tuple->current != NULL)
        __builtin_prefetch(&tuple->current->first_packet);
}

/* What decides between tuples that began in one frame, so that neither the table's secret nor the
 * number of threads shows.  Where no frame held several packets, there is nothing to decide. */
static uint64_t tie_of(const struct engine *engine, const struct tuple *tuple)
{
    return engine->shares_frames ? flow_key_uid(&tuple->key, 0, 0, 0) : 0;
}

/* Whether lone SYNs stand in their queue as they are to end: then nobody need list them. */
static bool is_queue_in_order(const struct engine *engine)
{
    return !engine->shares_frames && !engine->lone_disorder;
}

/* Lists what lives, but for lone SYNs, unless those are wanted. */
static void list_survivors(struct engine *engine, bool lone)
{
    const uint32_t end = flow_table_end(&engine->table);
    const uint32_t left_out = lone ? 0 : crowd_embryos(engine);
    engine->survivors =
        calloc(engine->table.count - left_out + (size_t)1, sizeof(*engine->survivors));
    if (engine->survivors == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return;
    }
    for (uint32_t i = 1; i < end && left_out < engine->table.count; i++) {
        fetch_next_lives(&engine->table, i);
        struct tuple *tuple = flow_table_at(&engine->table, i);
        uint64_t first =
            tuple == NULL || (tuple->embryonic && !lone) ? UINT64_MAX : first_packet_of(tuple);
        if (first != UINT64_MAX)
            engine->survivors[engine->survivor_count++] =
                (struct ranked){first, tie_of(engine, tuple), tuple};
    }
    ranked_sort(engine->survivors, engine->survivor_count);
}

/* Where a flood ends there are far more lone SYNs than anything else: they stand in the order of
 * their packets, and are taken from their queue, in that order, as they are. */
void engine_finish_begin(struct engine *engine)
{
    bool in_order = is_queue_in_order(engine);
    if (!in_order && !crowd_disperse(engine))
        engine->status = STATUS_NO_MEMORY;
    engine->finishing = true;
    list_survivors(engine, !in_order);
    engine->survivors_at = (struct survivors_at){
        .lone = in_order ? engine->queue[QUEUE_EMBRYOS].first : 0,
        .nested = engine->table.nest.begin,
    };
}

/* Of a lone SYN no part is written. */
void engine_snapshot_begin(struct engine *engine)
{
    list_survivors(engine, false);
    engine->survivors_at = (struct survivors_at){.nested = engine->table.nest.end};
}

/* Who ends next: a tuple that is listed; a lone SYN in its queue; or behind all of those, in the
 * nest, and there may be no tuple of it. */
struct survivor {
    uint64_t number; /* of its first packet; UINT64_MAX: there is none */
    uint64_t tie;
    struct tuple *tuple; /* NULL: in the nest */
    bool is_lone;
};

static uint64_t packet_of(const struct flow_table *table, const struct nested *nested)
{
    return nested->is == NESTED_TUPLE ? flow_table_tuple(table, nested->tuple)->embryo.packet
                                      : nested->packet;
}

/* Of the lone SYNs.  Inline, as the next one: who copies in one go what was just written in pieces
 * waits until that has reached the cache. */
static inline __attribute__((always_inline)) struct survivor next_lone(const struct engine *engine,
                                                                       struct survivors_at *at)
{
    const struct flow_table *table = &engine->table;
    if (at->lone != 0) {
        struct tuple *tuple = flow_table_tuple(table, at->lone);
        return (struct survivor){tuple->embryo.packet, 0, tuple, true};
    }
    const struct nested *nested =
        at->nested != table->nest.end ? nest_next(&table->nest, &at->nested) : NULL;
    if (nested == NULL)
        return (struct survivor){.number = UINT64_MAX};
    return (struct survivor){packet_of(table, nested), 0, NULL, true};
}

static inline __attribute__((always_inline)) struct survivor
next_survivor(const struct engine *engine, struct survivors_at *at)
{
    const struct survivor lone = next_lone(engine, at);
    if (at->listed == engine->survivor_count)
        return lone;
    const struct ranked *listed = &engine->survivors[at->listed];
    return lone.number < listed->number
               ? lone
               : (struct survivor){listed->number, listed->tie, listed->item, false};
}

/* Goes on behind it: before it ends, and nothing is left of it. */
static void pass_survivor(struct survivors_at *at, const struct survivor *survivor)
{
    if (!survivor->is_lone)
        at->listed++;
    else if (survivor->tuple != NULL)
        at->lone = survivor->tuple->next;
    else
        at->nested = nest_behind(at->nested);
}

/* Whether nobody is left but those in the nest, of whom none has gone: as many as places. */
static bool is_row(const struct engine *engine, const struct survivors_at *at)
{
    const struct nest *nest = &engine->table.nest;
    return at->listed == engine->survivor_count && at->lone == 0 &&
           nest_between(at->nested, nest->end) == nest->count;
}

uint64_t *engine_survivor_pieces(const struct engine *engine, uint32_t piece, uint64_t *ret_count)
{
    enum { LONE = 1, OTHER = 4 }; /* of a lone SYN there is less to write */
    const struct flow_table *table = &engine->table;
    const uint64_t whole = OTHER * (uint64_t)piece;
    const uint64_t most = OTHER * engine->survivor_count + crowd_embryos(engine);
    uint64_t *ends = malloc(most / whole * sizeof(*ends)), weight = 0, count = 0;
    struct survivors_at at = engine->survivors_at;
    struct survivor next;
    while (ends != NULL && !is_row(engine, &at) &&
           (next = next_survivor(engine, &at)).number != UINT64_MAX) {
        weight += next.is_lone ? LONE : OTHER;
        pass_survivor(&at, &next);
        if (weight < whole)
            continue;
        ends[count++] = next.number;
        weight -= whole;
    }
    /* the rest, if any, without a look at each */
    for (; ends != NULL && nest_between(at.nested, table->nest.end) >= whole - weight; weight = 0) {
        at.nested = nest_after(at.nested, (uint32_t)(whole - weight));
        ends[count++] = packet_of(table, nest_at(&table->nest, nest_after(at.nested, -1u)));
    }
    *ret_count = count;
    return ends;
}

void engine_snapshot_until(struct engine *engine, uint64_t last)
{
    struct survivors_at *at = &engine->survivors_at;
    for (; at->listed < engine->survivor_count; at->listed++) {
        const struct ranked *survivor = &engine->survivors[at->listed];
        if (survivor->number > last)
            return;
        fetch_next_survivors(engine);
        engine->now = (struct ledger_key){engine->clock, survivor->number, survivor->tie, 0};
        lives_write_open(engine, survivor->item);
    }
    free(engine->survivors);
    engine->survivors = NULL;
    engine->survivor_count = at->listed = 0;
}

void engine_finish_until(struct engine *engine, uint64_t last)
{
    struct survivors_at *at = &engine->survivors_at;
    for (struct survivor next = next_survivor(engine, at);
         next.number != UINT64_MAX && next.number <= last; next = next_survivor(engine, at)) {
        const uint32_t place = at->nested;
        fetch_next_survivors(engine);
        pass_survivor(at, &next);
        engine->now = (struct ledger_key){INT64_MAX, next.number, next.tie, 0};
        if (next.tuple != NULL)
            lives_finish(engine, next.tuple);
        else
            crowd_finish(engine, place);
    }
}

static void count_states(struct engine_stock *stock, int client, int server)
{
    stock->open++;
    stock->states[CLIENT][client]++;
    stock->states[SERVER][server]++;
}

static void count_incarnation(struct engine_stock *stock, const struct incarnation *incarnation)
{
    if (incarnation != NULL)
        count_states(stock, incarnation->connection.side[0].state,
                     incarnation->connection.side[1].state);
}

static void count_tuple(struct engine_stock *stock, const struct tuple *tuple)
{
    if (tuple->embryonic) {
        count_states(stock, STATE_SYN_SENT, STATE_CLOSED);
    } else if (tuple->is_parked) {
        count_states(stock, park_state(tuple->parked, 0), park_state(tuple->parked, 1));
    } else if (tuple->is_transcribed) {
        uint8_t state[SIDES];
        transcribe_states(&tuple->progress, state);
        count_states(stock, state[0], state[1]);
    } else {
        count_incarnation(stock, tuple->current);
        count_incarnation(stock, tuple->candidate);
        count_incarnation(stock, tuple->retiring);
    }
}

void engine_count_stock(const struct engine *engine, struct engine_stock *stock)
{
    for (uint32_t i = 0; i <= engine->table.mask; i++) {
        uint32_t index = engine->table.slot[i].index;
        if (nest_is_code(index))
            count_states(stock, STATE_SYN_SENT, STATE_CLOSED);
        else if (index != 0)
            count_tuple(stock, flow_table_tuple(&engine->table, index));
    }
    stock->octets += evict_held(engine);
}
