/*
 * testimony: what the other taps know of the packets that an event of the engine rests on.  With
 * one tap a lost ACK is a deduction; where another tap did not see it come, it is a fact, and where
 * it did, the loss lies further on.
 */
#ifndef LASTACK_PATH_TESTIMONY_H
#define LASTACK_PATH_TESTIMONY_H

#include "journeys.h"
#include "pair.h"

/* Those who are asked: one second tap. */
struct witness {
    const struct pair *pair;
    const char *name; /* of the second tap */
};

/*
 * The event as the witness would have it: more certain, with what it saw, in room; the event itself
 * where it has nothing to say; NULL where it contradicts: then it is no event.
 */
const struct event_record *testimony_hear(const struct witness *witness,
                                          const struct journey *journey,
                                          const struct event_record *event,
                                          struct event_record *room);

#endif
