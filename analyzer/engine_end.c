/* engine_end: the end of the capture, parts at a moment of it, and what an engine holds; see
 * engine.h. */
#include "engine.h"

#include <stdlib.h>

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

/* As the deadlines' tuples.  Inline for certain: of a function that changes nothing a compiler may
 * leave out the call. */
static inline __attribute__((always_inline)) void fetch_next_survivors(const struct engine *engine)
{
    uint64_t left = engine->survivor_count - engine->survivors_ended;
    const struct ranked *next = &engine->survivors[engine->survivors_ended];
    if (left > FETCH_TUPLE_AHEAD)
        tuple_fetch(next[FETCH_TUPLE_AHEAD].item);
    if (left > FETCH_PARKED_AHEAD)
        flow_table_prefetch_parked(next[FETCH_PARKED_AHEAD].item);
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

/*
 * What lives at the end, in the order of its first packets.  It is gathered in that of memory, from
 * the oldest lone SYN on: where a flood takes the places of its oldest again and again, there is
 * nothing left to sort.
 */
uint64_t engine_finish_begin(struct engine *engine)
{
    const uint32_t oldest = engine->queue[QUEUE_EMBRYOS].first;
    const uint32_t end = flow_table_end(&engine->table), begin = oldest != 0 ? oldest : 1;
    engine->finishing = true;
    engine->survivors = calloc(engine->table.count + 1, sizeof(*engine->survivors));
    if (engine->survivors == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return 0;
    }
    for (uint32_t n = 1; n < end; n++) {
        uint32_t i = begin + n - 1 < end ? begin + n - 1 : begin + n - end;
        fetch_next_lives(&engine->table, i);
        struct tuple *tuple = flow_table_at(&engine->table, i);
        if (tuple == NULL)
            continue;
        uint64_t first = first_packet_of(tuple);
        if (first != UINT64_MAX)
            engine->survivors[engine->survivor_count++] =
                (struct ranked){first, tie_of(engine, tuple), tuple};
    }
    ranked_sort(engine->survivors, engine->survivor_count);
    return engine->survivor_count;
}

void engine_snapshot_until(struct engine *engine, uint64_t last)
{
    while (engine->survivors_ended < engine->survivor_count) {
        const struct ranked *survivor = &engine->survivors[engine->survivors_ended];
        if (survivor->number > last)
            return;
        fetch_next_survivors(engine);
        engine->now = (struct ledger_key){engine->clock, survivor->number, survivor->tie, 0};
        lives_write_open(engine, survivor->item);
        engine->survivors_ended++;
    }
    free(engine->survivors);
    engine->survivors = NULL;
    engine->survivor_count = engine->survivors_ended = 0;
}

uint64_t engine_snapshot_begin(struct engine *engine)
{
    return engine_finish_begin(engine);
}

void engine_finish_until(struct engine *engine, uint64_t last)
{
    while (engine->survivors_ended < engine->survivor_count) {
        const struct ranked *survivor = &engine->survivors[engine->survivors_ended];
        if (survivor->number > last)
            return;
        fetch_next_survivors(engine);
        engine->now = (struct ledger_key){INT64_MAX, survivor->number, survivor->tie, 0};
        lives_finish(engine, survivor->item);
        engine->survivors_ended++;
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
        count_states(stock, tuple->parked->state[0], tuple->parked->state[1]);
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
        if (engine->table.slot[i].index != 0)
            count_tuple(stock, flow_table_tuple(&engine->table, engine->table.slot[i].index));
    }
    stock->octets += evict_held(engine);
}
