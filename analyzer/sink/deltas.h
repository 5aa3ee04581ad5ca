/* deltas: what the census of a piece is told, gathered into records of some thousand octets. */
#ifndef LASTACK_SINK_DELTAS_H
#define LASTACK_SINK_DELTAS_H

#include "../event/told.h"

enum { DELTAS_ROOM = 48 * 1024 };

struct deltas {
    uint8_t *octets; /* DELTAS_ROOM; owned */
    struct deltas_record record;
};

enum status deltas_init(struct deltas *deltas); /* NO_MEMORY */

/* Whether there may be no room for another: write the record, and begin anew. */
bool deltas_are_full(const struct deltas *deltas);
void deltas_begin(struct deltas *deltas);

void deltas_add(struct deltas *deltas, const struct delta *delta);
/* t: of its record. */
void deltas_add_flow(struct deltas *deltas, const struct closed_flow *flow, nanotime t);

void deltas_clear(struct deltas *deltas);

#endif
