/*
 * engine_batch: items in order, with what those that come soon need fetched ahead; see engine.h.
 */
#include "base/fetch.h"
#include "engine.h"
#include "tell.h"

enum { FEW_TUPLES = 100 }; /* stay in the cache: with their connections some 200 KiB */

/* How many turns before its own comes what an item needs is fetched, a step before the next.  All
 * of a batch at once would be more than the processor fetches while it goes on. */
enum { SLOT_AHEAD = 18, LIKELY_AHEAD = 12, LIFE_AHEAD = 6, WINDOW = 16 };

struct batch {
    const struct engine_item *items;
    const struct engine_turn *turns;
    uint32_t count;
    struct tuple *likely[WINDOW]; /* of the turns that come next */
};

/* What an ordinary item needs of itself, and its slot.  It comes, maybe, from where another thread
 * wrote it. */
static inline __attribute__((always_inline)) void fetch_item(const struct engine *engine,
                                                             const struct batch *batch, uint32_t i)
{
    const struct engine_turn turn = batch->turns[i];
    const char *ordinary = (const char *)&batch->items[turn.place] + ITEM_ORDINARY;
    fetch_ahead(ordinary);
    fetch_ahead(ordinary + ENGINE_LINE);
    flow_table_prefetch(&engine->table, turn.tag);
}

static inline __attribute__((always_inline)) void fetch_tuple(const struct engine *engine,
                                                              struct batch *batch, uint32_t i)
{
    batch->likely[i % WINDOW] = flow_table_prefetch_tuple(&engine->table, batch->turns[i].tag);
}

/* Of the first segment of a tuple more is kept than of an ordinary one; and where. */
static inline __attribute__((always_inline)) void fetch_first(const struct engine *engine,
                                                              const struct engine_item *item)
{
    __builtin_prefetch(item);
    pool_fetch_ahead(&engine->table.tuples, LIFE_AHEAD);
}

static inline __attribute__((always_inline)) void fetch_life(const struct engine *engine,
                                                             const struct batch *batch, uint32_t i)
{
    const struct engine_item *item = &batch->items[batch->turns[i].place]; /* is here by now */
    struct tuple *likely = batch->likely[i % WINDOW];
    if (likely == NULL)
        fetch_first(engine, item);
    else
        flow_table_prefetch_incarnation(likely, item->end);
}

/* likely: as engine_segment() has it. */
static inline void take_item(struct engine *engine, const struct engine_item *item,
                             struct tuple *likely)
{
    switch ((enum item_kind)item->kind) {
    case ITEM_SEGMENT:
        engine_segment(engine, item, likely);
        break;
    case ITEM_ICMP:
        engine_icmp(engine, item);
        break;
    case ITEM_LOST:
    case ITEM_EDGE:
        engine_note(engine, item);
        break;
    }
}

static inline void take_turn(struct engine *engine, const struct batch *batch, uint32_t i)
{
    take_item(engine, &batch->items[batch->turns[i].place], batch->likely[i % WINDOW]);
}

static inline uint32_t fewer_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Each loop fetches for what is that far ahead of it, until nothing is. */
static inline __attribute__((always_inline)) void take_turns(struct engine *engine,
                                                             struct batch *batch, bool fetched)
{
    const uint32_t count = batch->count;
    uint32_t i = 0;
    for (uint32_t next = 0; !fetched && next < fewer_of(count, SLOT_AHEAD); next++)
        fetch_item(engine, batch, next);
    for (uint32_t next = 0; next < fewer_of(count, LIKELY_AHEAD); next++)
        fetch_tuple(engine, batch, next);
    for (uint32_t next = 0; next < fewer_of(count, LIFE_AHEAD); next++)
        fetch_life(engine, batch, next);
    for (; i + LIKELY_AHEAD < count; i++) {
        struct tuple *own = batch->likely[i % WINDOW];
        if (!fetched && i + SLOT_AHEAD < count)
            fetch_item(engine, batch, i + SLOT_AHEAD);
        fetch_life(engine, batch, i + LIFE_AHEAD);
        fetch_tuple(engine, batch, i + LIKELY_AHEAD); /* in the place of its own */
        take_item(engine, &batch->items[batch->turns[i].place], own);
    }
    for (; i + LIFE_AHEAD < count; i++) {
        fetch_life(engine, batch, i + LIFE_AHEAD);
        take_turn(engine, batch, i);
    }
    for (; i < count; i++)
        take_turn(engine, batch, i);
}

static void take_without_ado(struct engine *engine, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        take_item(engine, &batch->items[batch->turns[i].place], NULL);
}

void engine_batch(struct engine *engine, const struct engine_item *items,
                  const struct engine_turn *turns, uint32_t count, bool fetched)
{
    struct batch batch;
    batch.items = items;
    batch.turns = turns;
    batch.count = count;
    if (engine->table.count <= FEW_TUPLES)
        take_without_ado(engine, &batch);
    else if (!fetched)
        take_turns(engine, &batch, false);
    else {
        tell_foresee(engine, items, turns, count);
        take_turns(engine, &batch, true);
    }
}
