/*
 * recent: what was told last, bounded: the newest events, the newest connections that ended, and
 * the segments of the ends that spoke last (trails).  The live views draw from it.
 */
#ifndef LASTACK_SINK_RECENT_H
#define LASTACK_SINK_RECENT_H

#include "ladder_book.h"
#include "trails.h"

enum { RECENT_EVENTS = 512, RECENT_FLOWS = 512 };

/* Connections that ended; number n, from 0, at n % RECENT_FLOWS. */
struct recent_flows {
    struct flow_record *kept; /* owned */
    uint64_t count;           /* that came so far */
};

struct recent {
    struct trails *trails;        /* owned */
    struct event_record *events;  /* owned; number n, from 0, at n % RECENT_EVENTS */
    uint64_t event_count;         /* that came so far */
    struct recent_flows flows[2]; /* without problems, and with some: those stay longer */
};

/* NO_MEMORY is the only failure; recent is to be cleared in either case. */
enum status recent_init(struct recent *recent);

/* Each takes a record. */
void recent_event(struct recent *recent, const struct event_record *event);
void recent_flow(struct recent *recent, const struct flow_record *flow, bool has_problems);

/* Of number n; NULL when it is not kept any more, or has not come. */
const struct event_record *recent_find_event(const struct recent *recent, uint64_t number);
const struct flow_record *recent_find_flow(const struct recent_flows *flows, uint64_t number);

/* Puts all that is kept of a trail's ends into a book, as it would have come to one that draws. */
enum status recent_gather(const struct recent *recent, const struct trail *trail,
                          struct ladder_book *book);

void recent_clear(struct recent *recent);

#endif
