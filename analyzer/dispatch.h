/*
 * dispatch: the way of a segment within its tuple: to the incarnation that it belongs to, which it
 * may begin, replace, confirm or refuse; what it made known goes to decide.h.
 */
#ifndef LASTACK_DISPATCH_H
#define LASTACK_DISPATCH_H

#include "engine.h"

/*
 * Routes a segment that end `end` of the tuple sent, and takes it in there.  The tuple is whole:
 * neither embryonic nor parked.  A lack of memory is left in engine->status.
 */
void dispatch_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                      int end);

#endif
