/* path_events: the events of crossings (EVENTS C9), written from what one crossing says. */
#ifndef LASTACK_PATH_PATH_EVENTS_H
#define LASTACK_PATH_PATH_EVENTS_H

#include "../config.h"
#include "journeys.h"

/* What an event is told of. */
struct path_occasion {
    const struct config *config;
    const char *const *names; /* of the taps, by their order on the command line */
    uint32_t tap[2];          /* the pair's two */
    uint32_t pair;
    const struct crossing *crossing;
    struct journey *journey;
    const struct journey *next; /* the connection on the same ports that the segment came into */
    nanotime t[2];              /* of the sightings, by the first tap's clock */
    uint32_t base[ENDS];        /* sequence numbers at the pair's first less those at the first */
    nanotime least;             /* least delay between the taps */
};

/* The event that the crossing is, in *ret_event; false: none.  Notes at the journey what was told.
 */
bool path_event(const struct path_occasion *occasion, struct event_record *ret_event);

#endif
