/* crowd: see crowd.h. */
#include "crowd.h"

#include "evict.h"
#include "flow/embryo.h"
#include "lives.h"
#include "lone.h"
#include "tell.h"

bool crowd_keep(struct engine *engine, const struct engine_item *item)
{
    if (!nest_fits(&item->key, &item->segment))
        return false;
    struct nested *nested = flow_table_add_nested(&engine->table, item->hash);
    engine_spend_ease(engine);
    if (nested == NULL) {
        engine->status = STATUS_NO_MEMORY;
        return true;
    }
    struct tuple tuple = {.key = item->key};
    embryo_keep(&tuple, &item->segment, item->end);
    tell_embryo(engine, &tuple, &item->segment);
    nested_keep(nested, &tuple);
    evict_to_limit(engine, NULL);
    return true;
}

bool crowd_enqueue(struct engine *engine, struct tuple *tuple)
{
    uint32_t code;
    if (tuple->queue == QUEUE_NEST)
        return true;
    struct nested *nested = nest_append(&engine->table.nest, &code);
    if (nested == NULL) {
        engine->status = STATUS_NO_MEMORY; /* it will stand in the queue, and go too early */
        return false;
    }
    nested->tuple = tuple->index;
    tuple->queue = QUEUE_NEST;
    tuple->previous = code;
    return true;
}

/* Who stands at a place, as a tuple; NULL when memory ran out. */
static struct tuple *tuple_at(struct engine *engine, uint32_t number)
{
    const struct nested *nested = nest_at(&engine->table.nest, number);
    return nested->is == NESTED_TUPLE ? flow_table_tuple(&engine->table, nested->tuple)
                                      : flow_table_unnest(&engine->table, nest_code(number));
}

/* Ends the SYN of a place; false: it must be a tuple for it, and nothing was done. */
static bool end_lone(struct engine *engine, const struct nested *nested, uint64_t notes)
{
    struct tuple tuple;
    nested_restore(nested, &tuple);
    return lone_end(engine, &tuple, notes);
}

/* --- who goes --- */

/* The slots of those that go next, one with each that comes: those of so many together. */
static void fetch_next(const struct engine *engine, uint32_t number)
{
    enum { TOGETHER = 16, FAR = 2 * TOGETHER };
    const struct nest *nest = &engine->table.nest;
    if (number % TOGETHER != 0 || nest->count < FAR)
        return;
    for (uint32_t i = 0; i < TOGETHER; i++) {
        flow_table_fetch_nested(&engine->table, nest_at(nest, number + i));
        if (i + FAR < nest->count)
            fetch_ahead(nest_at(nest, number + FAR + i));
    }
}

/* What was kept last, where nobody is busy but it. */
static bool is_busy(const struct nest *nest, uint32_t number, const struct tuple *busy)
{
    return busy == NULL && nest_behind(number) == nest->end;
}

bool crowd_evict(struct engine *engine, const struct tuple *busy)
{
    const struct nest *nest = &engine->table.nest;
    uint32_t number = nest->begin;
    const struct nested *oldest = nest_next(nest, &number);
    if (oldest == NULL || is_busy(nest, number, busy))
        return false;
    fetch_next(engine, number);
    if (oldest->is == NESTED_SYN && end_lone(engine, oldest, UINT64_C(1) << NOTE_memory_eviction)) {
        engine->counts.evictions++;
        flow_table_remove_nested(&engine->table, nest_code(number));
        return true;
    }
    struct tuple *tuple = tuple_at(engine, number);
    if (tuple == NULL)
        engine->status = STATUS_NO_MEMORY;
    if (tuple == NULL || tuple == busy)
        return false;
    lives_evict(engine, tuple);
    return true;
}

struct tuple *crowd_choose(struct engine *engine, const struct tuple *busy, nanotime age)
{
    const struct nest *nest = &engine->table.nest;
    struct nested *nested;
    for (uint32_t number = nest->begin; (nested = nest_next(nest, &number)) != NULL;
         number = nest_behind(number)) {
        bool is_tuple = nested->is == NESTED_TUPLE;
        struct tuple *tuple = is_tuple ? flow_table_tuple(&engine->table, nested->tuple) : NULL;
        nanotime came = is_tuple ? tuple->embryo.time : nested->time;
        if (time_since(engine->clock, came) < age)
            return NULL; /* and so are all behind it */
        if (is_tuple ? tuple == busy : is_busy(nest, number, busy))
            continue;
        return tuple_at(engine, number);
    }
    return NULL;
}

/* --- the end --- */

void crowd_finish(struct engine *engine, uint32_t number)
{
    const struct nested *nested = nest_at(&engine->table.nest, number);
    if (nested->is == NESTED_SYN && end_lone(engine, nested, 0))
        return;
    struct tuple *tuple = tuple_at(engine, number);
    if (tuple != NULL)
        lives_finish(engine, tuple);
    else
        engine->status = STATUS_NO_MEMORY;
}

bool crowd_disperse(struct engine *engine)
{
    struct nest *nest = &engine->table.nest;
    uint32_t number = nest->begin;
    for (; nest_next(nest, &number) != NULL; number = nest_behind(number)) {
        struct tuple *tuple = tuple_at(engine, number);
        if (tuple == NULL)
            return false;
        evict_requeue(engine, tuple);
    }
    return true;
}
