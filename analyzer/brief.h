/*
 * brief: the short way of an ordinary segment through the engine.
 *
 * Data or a plain ACK, in order, to an open connection of which nothing is awaited: it moves no
 * state and no deadline, begins and ends no case, and tells the census nothing.  What is left is
 * to remember it.  What it does is what the long way does (dispatch.h, decide.h, schedule.h); a
 * test compares them octet by octet.
 */
#ifndef LASTACK_BRIEF_H
#define LASTACK_BRIEF_H

#include "engine.h"

/*
 * Takes a segment that end `end` of the tuple sent, once the deadlines before it are met.  Returns
 * false, with nothing changed, when it is to go the long way.
 */
bool brief_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end);

#endif
