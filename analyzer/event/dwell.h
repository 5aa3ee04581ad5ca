/*
 * dwell: how long sides stayed in the four states of the close, over many flows.
 *
 * Exact while a state has no more finished stays than was asked for; from then on the times are
 * counted in buckets, and median and p95 may be off by DWELL_ERROR_PERCENT.  Memory is bounded
 * either way.
 */
#ifndef LASTACK_EVENT_DWELL_H
#define LASTACK_EVENT_DWELL_H

#include <stddef.h>

#include "../base/carry.h"
#include "../base/status.h"
#include "record.h"

enum dwell_state {
    DWELL_FIN_WAIT_2,
    DWELL_CLOSE_WAIT,
    DWELL_LAST_ACK,
    DWELL_TIME_WAIT,
    DWELL_STATES
};

enum { DWELL_EXACT = 16384, DWELL_ERROR_PERCENT = 2 };

struct dwell_summary {
    uint64_t count;    /* stays that ended */
    uint64_t presumed; /* of these, with a presumed beginning or end */
    uint64_t censored; /* stays that had not ended when the flow's record was written */
    nanotime min, median, p95, max; /* NANOTIME_UNKNOWN without a stay */
    uint64_t error_percent;
};

struct dwell;

/* A stay of a side in a state of the close. */
struct stay {
    enum dwell_state state;
    nanotime length; /* NANOTIME_UNKNOWN: it had not ended when the flow's record was written */
    bool presumed;   /* its beginning or its end is */
};

enum { DWELL_STAYS = 2 * RECORD_HISTORY }; /* of both sides of a flow, at most */

/* By state: of the close, one more than the dwell_state; 0: it is none of these. */
extern const uint8_t dwell_by_state[TCP_STATES + 1];

/* The stays of one side, gathered from the entries of its history that hold, in their order. */
struct dwell_walk {
    struct stay *next; /* where the next stay goes: room for as many as there are entries */
    nanotime since;    /* it is in `in` */
    uint8_t in;        /* one more than the dwell_state; 0: in no state of the close */
    bool presumed;     /* that it is there */
};

/* The side comes into a state; presumed: that is. */
static inline void dwell_walk_step(struct dwell_walk *walk, enum tcp_state state, nanotime t,
                                   bool presumed)
{
    if (walk->in != 0)
        *walk->next++ = (struct stay){.state = (enum dwell_state)(walk->in - 1),
                                      .length = time_later_of(0, time_since(t, walk->since)),
                                      .presumed = walk->presumed || presumed};
    walk->in = dwell_by_state[state];
    walk->since = t;
    walk->presumed = presumed;
}

/* There are no more: where it is, it was left.  Returns the end of its stays. */
static inline struct stay *dwell_walk_end(struct dwell_walk *walk)
{
    if (walk->in != 0)
        *walk->next++ =
            (struct stay){.state = (enum dwell_state)(walk->in - 1), .length = NANOTIME_UNKNOWN};
    return walk->next;
}

/*
 * Every stay of both sides of a flow, and none of a part of a flow that goes on: its final record
 * has them.  Returns how many there are.
 */
uint32_t dwell_stays(const struct flow_record *flow, struct stay ret_stay[DWELL_STAYS]);

/* exact: finished stays of a state that are kept one by one, usually DWELL_EXACT.  NULL when out of
 * memory. */
struct dwell *dwell_new(uint32_t exact);

/* Takes in the histories of a flow; parts of a flow that goes on are left for its final record. */
enum status dwell_add_flow(struct dwell *dwell, const struct flow_record *flow);

/* Takes in the stays of a flow; their lengths are never negative. */
enum status dwell_add_stays(struct dwell *dwell, const struct stay *stay, uint32_t stays);

/* Asks for what adding stays will change: of each state a line of cache, and one that is read. */
static inline __attribute__((always_inline)) void dwell_ask(const struct dwell *dwell)
{
    enum { LINE = 64 };
    for (int line = 0; line <= DWELL_STATES; line++)
        __builtin_prefetch((const char *)dwell + (ptrdiff_t)line * LINE);
}

/* Sorts what it holds; may be called again. */
struct dwell_summary dwell_summarise(struct dwell *dwell, enum dwell_state state);

/* Writes what it holds, or fills an empty one; sorted or not, the summary is the same. */
void dwell_carry(struct carry *carry, struct dwell *dwell);

void dwell_free(struct dwell *dwell); /* accepts NULL */

#endif
