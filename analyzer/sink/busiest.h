/* busiest: the clients and services with the most connections, in words, for the text summary. */
#ifndef LASTACK_SINK_BUSIEST_H
#define LASTACK_SINK_BUSIEST_H

#include "../event/host_record.h"
#include "prose.h"

enum { BUSIEST_SHOWN = 5, BUSIEST_LEAST = 10 };

/* The busiest pairs, as they come: sorted. */
struct busiest {
    struct host_record pair[BUSIEST_SHOWN]; /* without series */
    uint32_t count;
};

void busiest_add(struct busiest *busiest, const struct host_record *host);

/* A section of its own; nothing where no pair has BUSIEST_LEAST connections. */
void busiest_write(const struct busiest *busiest, struct prose *prose);

#endif
