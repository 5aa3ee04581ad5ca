/*
 * testimony: what the other taps know of the packets that an event of the engine rests on.  With
 * one tap a lost ACK is a deduction; where another tap did not see it come, it is a fact, and where
 * it did, the loss lies further on.  What another tap proves is certain, what it refutes is no
 * event, whichever of the taps is the first.
 */
#ifndef LASTACK_PATH_TESTIMONY_H
#define LASTACK_PATH_TESTIMONY_H

#include "journeys.h"
#include "pair.h"

/* Those who are asked: one second tap. */
struct witness {
    const struct pair *pair;
    uint32_t number;  /* of the pair */
    const char *name; /* of the second tap */
};

/* Whether other taps may have something to say of an event of that kind. */
bool testimony_concerns(enum event_id id);

/* An event, and what one pair knows of each packet of its evidence. */
struct question {
    const struct journeys *journeys;
    const struct journey *journey; /* of the event's connection */
    const struct event_record *event;
    struct seen *seen; /* RECORD_EVIDENCE of them; not owned */
};

/* Asks what is known by now; what was known before stays. */
void testimony_look(const struct witness *witness, const struct question *question);

/*
 * What the engine has found out of its own of a segment that did not come to its receiver: it is
 * noted at the segment while the pair holds it.
 */
void testimony_inform(struct pair *pair, const struct journey *journey,
                      const struct event_record *event);

/*
 * Puts the event as the witness would have it, with what it saw, into *event, which the question is
 * of.  False where it contradicts: then it is no event.
 */
bool testimony_hear(const struct witness *witness, const struct question *question,
                    struct event_record *event);

#endif
