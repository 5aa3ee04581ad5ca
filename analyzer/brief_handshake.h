/*
 * brief_handshake: a short stretch of the long way: the handshake on ports that were used before.
 *
 * What leads such a segment to its incarnation is the long way's: which of the two it is of, and
 * what it says of the old one (dispatch.h).  What it does there is usual (tcp/course.h), but that
 * it may decide the collision.  tests/unit/test_brief_moves.c compares the two ways octet by octet.
 */
#ifndef LASTACK_BRIEF_HANDSHAKE_H
#define LASTACK_BRIEF_HANDSHAKE_H

#include "engine.h"

/*
 * Takes a segment that end `end` of the tuple sent, and which is no copy, into one of the tuple's
 * incarnations: the SYN that it begins with, the SYN-ACK, or the ACK of that.  Returns false, with
 * nothing changed, when it is to be taken at length.
 */
bool brief_handshake_segment(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, const struct segment *segment,
                             int end);

#endif
