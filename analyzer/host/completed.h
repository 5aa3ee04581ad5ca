/*
 * completed: events of connections, completed with what other connections of the same hosts tell.
 */
#ifndef LASTACK_HOST_COMPLETED_H
#define LASTACK_HOST_COMPLETED_H

#include "host_events.h"

enum { COMPLETED_RENAMED = 4096 };

/* The connections whose event became another, the latest ones. */
struct renamed {
    uint64_t flow_uid[COMPLETED_RENAMED];
    uint32_t count; /* so far */
};

/*
 * Returns the event as it is to be written: itself, or *room with the case completed.
 *
 * syn_no_answer is accept_queue_overflow where other SYNs to the service were answered at the time;
 * close_wait_leak becomes an error where there are many on one host and service; idle_drop_silent
 * an error where the silent host was heard on other connections.
 */
const struct event_record *completed_event(struct census *census, struct renamed *renamed,
                                           const struct event_record *event,
                                           struct event_record *room);

/* The same for the list of events of a flow. */
const struct flow_record *completed_flow(const struct renamed *renamed,
                                         const struct flow_record *flow, struct flow_record *room);

#endif
