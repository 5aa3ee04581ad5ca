/*
 * transcribe: the shortest way through the engine, of a connection on the usual course that is kept
 * as its segments (flow/transcript.h).
 *
 * It begins with the SYN-ACK of a lone SYN.  A segment that goes on as usual is written down, the
 * census is told what it moves, and a deadline is set where the course has one; nothing else of the
 * long way (dispatch.h, decide.h) concerns it.  At its end the connection is parked as it is.  What
 * is no part of the usual, or asks for more than that, has an incarnation made first: retrace.h.
 * A test compares the two ways octet by octet.
 */
#ifndef LASTACK_TRANSCRIBE_H
#define LASTACK_TRANSCRIBE_H

#include "engine.h"

/* The SYN-ACK, sent by that end, to an embryonic tuple.  Returns false, with nothing changed, when
 * it is to go another way. */
bool transcribe_begin(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                      int end);

/* Of a transcribed tuple, once the deadlines before it are met: an ordinary segment, of which
 * nobody is told, and one that moves a side.  Return false, with nothing changed, when it is to go
 * another way. */
bool transcribe_ordinary(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                         int end);
bool transcribe_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int end);

/* The state of both sides of a connection kept so. */
void transcribe_states(const struct progress *progress, uint8_t ret_state[SIDES]);

#endif
