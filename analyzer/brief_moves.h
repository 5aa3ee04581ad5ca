/*
 * brief_moves: the short way through the engine of the segments that open a connection and end it.
 *
 * A SYN-ACK, its ACK, the server's first word, a FIN, the ACK of one (tcp/course.h), in a tuple of
 * one connection of which no case is open: the segment moves a side, the census is told, and a
 * deadline may be set.  Nothing else of the long way (dispatch.h, decide.h) concerns it; a test
 * compares them octet by octet.
 */
#ifndef LASTACK_BRIEF_MOVES_H
#define LASTACK_BRIEF_MOVES_H

#include "engine.h"

/*
 * Takes a segment that end `end` of the tuple sent, which is neither embryonic nor parked, once the
 * deadlines before it are met.  Returns false, with nothing changed, when it is to go the long way.
 */
bool brief_moves_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                         int end);

/* Takes a segment that was found to be such a one, counted and told, when it passed.  The memory
 * against copies is the caller's. */
void brief_moves_take_again(struct engine *engine, struct tuple *tuple,
                            const struct segment *segment, int end);

#endif
