/*
 * evict: memory is bounded.  Tuples stand in queues by what is lost with them; when the engine
 * holds more than its limit the first of the first queue that has one goes, written and counted:
 * tombstones, then lone SYNs, then closed connections, then the longest idle (DESIGN); at last, one
 * for one that comes, those that are kept as their segments, which hold little.  Before
 * any goes, those that are open and idle are packed (stow.h), of which nothing is lost.  Lone SYNs
 * never hold more than a quarter of the limit.
 */
#ifndef LASTACK_EVICT_H
#define LASTACK_EVICT_H

#include "engine.h"

/* How many tuples there were at the most: their room is not given back. */
uint64_t evict_most_tuples(const struct engine *engine);

/* Octets that the engine answers for: slots in use, and what is allocated beside them. */
uint64_t evict_held(const struct engine *engine);

/* Puts a tuple into the queue that fits what it holds now. */
void evict_enqueue(struct engine *engine, struct tuple *tuple);

/* Puts a lone SYN that stands in the nest at the end of the queue that it is of. */
void evict_requeue(struct engine *engine, struct tuple *tuple);

/* Puts a tuple at the end of its queue. */
void evict_turn(struct engine *engine, struct tuple *tuple);

/* Takes a tuple out of its queue, before it is removed. */
void evict_dequeue(struct engine *engine, struct tuple *tuple);

/* Whether more is held than a limit: evict_to_limit() has something to do. */
bool evict_is_due(const struct engine *engine);

/* Whether it will have nothing to do even when memory was taken so many times more, by a segment
 * or a deadline each. */
bool evict_is_far(const struct engine *engine, uint32_t takings);

/*
 * Packs one of the open connections that nobody heard of for longest, so that nothing is lost; not
 * `busy`.  It is one of the few that come first, and was silent for `silence`, ns; 0: since it was
 * looked at last.  false: none could be.
 */
bool evict_pack(struct engine *engine, const struct tuple *busy, nanotime silence);

/* Makes room while more is held than a limit; the tuple `busy` is spared, or where that is NULL,
 * the lone SYN that came last (crowd.h). */
void evict_to_limit(struct engine *engine, const struct tuple *busy);

#endif
