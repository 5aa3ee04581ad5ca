/*
 * hearing: records of the engine that wait until the other taps have said all that they know.  An
 * event that another tap may prove or refute (testimony.h) waits until what its packets became of
 * is decided; a flow behind its events, and while another tap may still show what it presumes. They
 * leave in the order in which they came.
 */
#ifndef LASTACK_PATH_HEARING_H
#define LASTACK_PATH_HEARING_H

#include "../event/sink.h"
#include "journeys.h"
#include "pair.h"

struct hearing_entry;

struct hearing {
    const struct config *config; /* not owned, likewise all that follows */
    const char *const *names;    /* of the taps */
    struct pair *pair;           /* the first of so many: */
    uint32_t pairs;
    struct journeys *journeys;
    struct sink *next;
    struct hearing_entry *oldest, *newest; /* owned */
    uint32_t waiting, most;
    nanotime informed; /* when what events say was last brought to the pairs' notice */
    bool over;         /* everything is decided: nothing waits any more */
};

/* Takes a record, which is not kept.  `now` is the clock of the engine. */
enum status hearing_take_event(struct hearing *hearing, const struct event_record *event);
enum status hearing_take_flow(struct hearing *hearing, const struct flow_record *flow,
                              nanotime now);

/* Lets go of those that are decided.  settled: up to when every pair has decided. */
enum status hearing_release(struct hearing *hearing, nanotime settled);

/* Lets go of every record of the journey, which ends, and of what came before. */
enum status hearing_end_journey(struct hearing *hearing, const struct journey *journey);

/* All taps are read, and all is decided. */
enum status hearing_close(struct hearing *hearing);

void hearing_clear(struct hearing *hearing);

#endif
