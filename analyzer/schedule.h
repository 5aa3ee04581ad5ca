/*
 * schedule: what becomes of a tuple when time passes: TIME_WAIT runs out, cases are decided, closed
 * connections are parked, written and forgotten.
 */
#ifndef LASTACK_SCHEDULE_H
#define LASTACK_SCHEDULE_H

#include "engine.h"

/* Puts the tuple's earliest deadline on the agenda, or removes a tuple that holds nothing. */
void schedule_tuple(struct engine *engine, struct tuple *tuple);

/*
 * The same for a tuple that holds one connection, of which no case is open:
 * after a segment that changed nothing of that (brief_moves.h).
 */
void schedule_alone(struct engine *engine, struct tuple *tuple);

/* Applies what is due for a tuple at `now`. */
void schedule_deadline(struct engine *engine, struct tuple *tuple, nanotime now);

/* Packs the current incarnation away, all that the tuple holds, until its deadline; false when
 * memory ran out, and then it is left alone. */
bool schedule_park(struct engine *engine, struct tuple *tuple, nanotime due);

/* Puts a deadline on the agenda, unless an entry there fires first and looks again. */
void schedule_arm(struct engine *engine, struct tuple *tuple, nanotime due);

/* The same of a transcribed tuple whose connection is over but for 2MSL. */
void schedule_park_transcript(struct engine *engine, struct tuple *tuple, nanotime due);

/* Brings a parked connection back; false when memory ran out. */
bool schedule_unpark(struct engine *engine, struct tuple *tuple);

/* Fills a tuple's incarnation from a packed one (flow/park.h), which stays; false when memory ran
 * out. */
bool schedule_restore(struct engine *engine, struct tuple *tuple, const struct parked *parked);

#endif
