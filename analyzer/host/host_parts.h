/* host_parts: what a host is made of; known to host.c and host_state.c alone. */
#ifndef LASTACK_HOST_HOST_PARTS_H
#define LASTACK_HOST_HOST_PARTS_H

#include "census.h"
#include "completed.h"
#include "floods.h"
#include "host.h"

struct host {
    struct sink sink; /* first, so that the one is the other */
    struct sink_ops ops;
    const struct config *config; /* not owned */
    struct sink *next;           /* not owned */
    struct census *census;
    struct host_occasion occasion; /* what detectors are shown now */
    uint64_t latest;               /* flow_uid of the latest delta; 0: none yet */
    struct floods floods;
    struct renamed renamed;
    struct event_record event; /* room for a completed one */
    struct flow_record flow;   /* likewise */
    nanotime clock;
    int64_t second;       /* floods were looked at in */
    nanotime second_over; /* and when they are next */
    enum status status;
    uint64_t left_out; /* entries without a record */
    uint64_t events_by_id[EVENT_IDS], events_by_level[LEVEL_ERROR + 1];
};

#endif
