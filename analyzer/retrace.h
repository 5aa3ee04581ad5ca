/*
 * retrace: the incarnation of a connection that is kept as its segments (flow/transcript.h), made
 * of them: as if each had been taken by the short ways when it passed.
 */
#ifndef LASTACK_RETRACE_H
#define LASTACK_RETRACE_H

#include "engine.h"

/* Of a transcribed tuple, which then is none; false when memory ran out, and then it still is. */
bool retrace(struct engine *engine, struct tuple *tuple);

/* The same, but the transcript stays the caller's, and the tuple transcribed: its incarnation is in
 * the transcript's place. */
bool retrace_beside(struct engine *engine, struct tuple *tuple);

/* The same of one that was parked so; what is parked stays the caller's. */
bool retrace_parked(struct engine *engine, struct tuple *tuple, const struct parked *parked);

#endif
