/*
 * floods: SYNs to a service that come to nothing (RFC 4987), an episode at a time.
 */
#ifndef LASTACK_HOST_FLOODS_H
#define LASTACK_HOST_FLOODS_H

#include "host_events.h"
#include "sources.h"

enum {
    FLOODS = 32, /* services watched at once */
    FLOOD_MARKS = 1024,
    FLOOD_SECONDS = 10,    /* over which SYNs are counted */
    FLOOD_SETTLE = 3,      /* seconds that a handshake may take */
    FLOOD_REGISTERS = 1024 /* of the estimate of sources: its error is 3 % */
};

/* A service to which many SYNs come; a flood once they prove to come to nothing. */
struct flood {
    bool watched, open;
    struct census_key service;
    nanotime first, last; /* SYNs counted */
    nanotime begun;       /* the first of the episode */
    uint64_t syns, syns_again, answered, again, established, successes;
    uint32_t most; /* SYNs in a second */
    bool triggered;
    struct delta trigger; /* the SYN that reached the threshold */
    struct census_ref first_ref, last_ref;
    uint8_t registers[FLOOD_REGISTERS]; /* HyperLogLog (Flajolet et al., 2007) of the sources */
    struct sources sources;             /* those with most SYNs */
};

struct floods {
    struct flood flood[FLOODS];
    uint64_t name[FLOODS]; /* of the service watched there, folded: looked at before the flood is */
    uint32_t watched;      /* highest slot in use, plus 1 */
    uint32_t count;        /* slots in use */
    uint64_t marks[FLOOD_MARKS / 64]; /* bits of the names there, and maybe of some that were */
};

/* Whether counting can have made it, as a state from elsewhere may not have. */
bool flood_is_sound(const struct flood *flood);

/* Fills what follows from the floods: names, and what is known of all. */
void floods_name(struct floods *floods);

/* Whether so many connections were opened to a service that a flood may be among them. */
static inline bool floods_has_many(const struct census_entry *service, const struct config *config)
{
    return service->opened * UINT64_C(10) >= config->flood_syns;
}

/* Whether it shows that a client goes on: it has been answered, maybe where nobody captured it. */
static inline bool floods_shows_success(const struct delta *delta)
{
    return delta->before[CLIENT] == HOLDING_OPENING && delta->after[CLIENT] != HOLDING_OPENING &&
           delta->after[CLIENT] != HOLDING_NOTHING;
}

/* Whether the occasion's delta may be one to count: one of a service that many SYNs came to. */
static inline bool floods_concern(const struct floods *floods, const struct host_occasion *occasion)
{
    const unsigned counted =
        DELTA_OPENED | DELTA_SYN_AGAIN | DELTA_ANSWERED | DELTA_ANSWER_AGAIN | DELTA_ESTABLISHED;
    const struct census_entry *service = occasion->place.service;
    const struct delta *delta = occasion->delta;
    if (service == NULL)
        return false;
    if (floods->watched == 0)
        return (delta->what & DELTA_OPENED) != 0 && floods_has_many(service, occasion->config);
    return (delta->what & counted) != 0 || floods_shows_success(delta);
}

/* Counts such a delta. */
void floods_take(struct floods *floods, const struct host_occasion *occasion);

/* Looks at all once a second: begins and ends episodes.  at_end: nothing settles any more. */
void floods_look(struct floods *floods, struct host_occasion *occasion, bool at_end);

#endif
