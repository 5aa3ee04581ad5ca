/*
 * lives: how incarnations begin, compete, succeed one another, and end with a record.
 */
#ifndef LASTACK_LIVES_H
#define LASTACK_LIVES_H

#include "engine.h"

/* A new incarnation whose first segment this is; NULL when memory ran out. */
struct incarnation *lives_begin(struct engine *engine, struct tuple *tuple,
                                const struct segment *segment, int end);

/* A SYN into a tuple whose current incarnation may be alive: it becomes the candidate, and its
 * sender's old side is presumed CLOSED.  NULL when memory ran out. */
struct incarnation *lives_compete(struct engine *engine, struct tuple *tuple,
                                  const struct segment *segment, int end);

/* An end sends a SYN of a new connection: its side of the current one is presumed CLOSED. */
void lives_forget(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end);

/* The candidate was answered: it becomes the current incarnation, the old one retires. */
void lives_adopt(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                 int end);

/* A SYN onto a current incarnation that is provably gone: it is buried, and the case attached. */
void lives_replace(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end);

/* The current incarnation is over: written and freed; with bury, a tombstone stays. */
void lives_end_current(struct engine *engine, struct tuple *tuple, bool ended);
void lives_bury_current(struct engine *engine, struct tuple *tuple, nanotime closed_at);

/* The candidate is over without having been accepted: written and freed. */
void lives_end_candidate(struct engine *engine, struct tuple *tuple, bool ended);

/* An end speaks in the new connection: what was presumed its CLOSED in the retiring one is. */
void lives_confirm_retiring(struct engine *engine, struct tuple *tuple, const struct segment *proof,
                            int end);

/* The retiring incarnation is written and freed. */
void lives_end_retiring(struct engine *engine, struct tuple *tuple);

/* Drops tombstones that are older than 2MSL at `now`, and more than the configured number. */
void lives_bury_old(struct engine *engine, struct tuple *tuple, nanotime now);

/* Memory is short: everything that the tuple holds is written, with the caveat, and freed. */
void lives_evict(struct engine *engine, struct tuple *tuple);

/* Makes a whole incarnation of a tuple's lone SYN. */
void lives_hatch(struct engine *engine, struct tuple *tuple);

/* The same of a SYN from that end that was hatched before, and counted, of a tuple that holds no
 * incarnation: it has its name and its number again.  false: no memory, nothing is changed. */
bool lives_restart(struct engine *engine, struct tuple *tuple, const struct segment *syn, int end);

/* Ends and writes everything that a tuple holds at the end of the capture. */
void lives_finish(struct engine *engine, struct tuple *tuple);

/* Writes parts of all that a tuple holds and that goes on; not of a lone SYN, which stays small. */
void lives_write_open(struct engine *engine, struct tuple *tuple);

/* Removes a tuple that holds nothing but tombstones. */
void lives_remove(struct engine *engine, struct tuple *tuple);

/* Whether a side's TIME_WAIT ran out: 2MSL have passed since its last segment. */
bool lives_had_time_wait(const struct incarnation *incarnation);

/* 2MSL in ns. */
static inline nanotime lives_two_msl(const struct engine *engine)
{
    return engine->config.msl * 2;
}

#endif
