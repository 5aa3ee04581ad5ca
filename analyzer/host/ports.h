/*
 * ports: which source ports a client walks through, as far as they were seen lately.
 */
#ifndef LASTACK_HOST_PORTS_H
#define LASTACK_HOST_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"

enum { PORTS_PARTS = 8 };

/* The lowest and highest port of each part of the last 2MSL: what is seen is up to an eighth of
 * 2MSL older than that. */
struct ports {
    uint16_t low[PORTS_PARTS], high[PORTS_PARTS]; /* 0: none */
    int64_t part;     /* the newest, in eighths of 2MSL since the epoch */
    uint16_t last;    /* the port taken last */
    nanotime wrapped; /* when the walk last came round to low ports; NANOTIME_UNKNOWN: never */
};

struct port_range {
    uint16_t low, high; /* 0: no port was seen */
    uint32_t span;      /* ports from one to the other */
};

void ports_add(struct ports *ports, uint16_t port, nanotime t, nanotime two_msl);

struct port_range ports_range(const struct ports *ports, nanotime t, nanotime two_msl);

/* Whether the walk came round within the last 2MSL. */
bool ports_wrapped(const struct ports *ports, nanotime t, nanotime two_msl);

#endif
