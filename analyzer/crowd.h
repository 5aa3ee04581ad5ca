/*
 * crowd: lone SYNs beyond the first few thousand of an engine, as a flood has them: kept in the
 * nest (flow/nest.h), behind those that stand in their queue, and ended from there.
 *
 * What is told, counted and written of them, and when each goes, is as of any other lone SYN, and
 * so is what the engine answers for: each may need a tuple yet.  tests/unit/test_lone.c holds them
 * to it.
 */
#ifndef LASTACK_CROWD_H
#define LASTACK_CROWD_H

#include "engine.h"

enum { CROWD_BEGINS = 4096 }; /* engine->crowd: fewer than that many wait for an answer */

/* Lone SYNs held, in the queue and in the nest. */
static inline uint32_t crowd_embryos(const struct engine *engine)
{
    return engine->queue[QUEUE_EMBRYOS].count + engine->table.nest.count;
}

/* Whether there are so many that those that come are kept in the nest.  Once one is begun, all
 * stand in it: they go in the order in which they came.  What is told to a tape names tuples. */
static inline bool crowd_is_there(const struct engine *engine)
{
    return crowd_embryos(engine) >= engine->crowd && engine->tape == NULL;
}

/* Keeps the first segment of a tuple, which embryo_fits(), in the nest, and tells of it.  False:
 * it does not belong there, and nothing was done. */
bool crowd_keep(struct engine *engine, const struct engine_item *item);

/* An embryonic tuple stands in the nest, which is not empty: at the end, if it was in no queue.
 * False: memory ran out for that. */
bool crowd_enqueue(struct engine *engine, struct tuple *tuple);

/*
 * The oldest in the nest goes, where memory is short; the tuple `busy`, or where that is NULL what
 * was kept last, is spared: false.
 */
bool crowd_evict(struct engine *engine, const struct tuple *busy);

/* The oldest there, as a tuple, so that it may go; NULL: there is none but `busy`, as above, or it
 * came less than `age` ago, or memory ran out. */
struct tuple *crowd_choose(struct engine *engine, const struct tuple *busy, nanotime age);

/* Ends the one of that number at the end of the capture. */
void crowd_finish(struct engine *engine, uint32_t number);

/* All become tuples, in the queue, and the nest is empty; false when memory ran out. */
bool crowd_disperse(struct engine *engine);

#endif
