/*
 * series: counts over time in bounded room, and rates over the last seconds.
 */
#ifndef LASTACK_HOST_SERIES_H
#define LASTACK_HOST_SERIES_H

#include <stdbool.h>

#include "../event/host_record.h"

/* At most HOST_POINTS stretches of equal length; when they are used up, each becomes twice as long.
 */
struct series {
    struct host_point *point; /* owned */
    uint32_t count, room;
    nanotime step;
    nanotime newest; /* when the newest point begins: known without looking at it, far away */
};

/* Whether a moment falls into the newest point, as nearly all do. */
static inline bool series_is_at_newest(const struct series *series, nanotime t)
{
    return series->count > 0 && t >= series->newest && time_since(t, series->newest) < series->step;
}

/* The newest point, where a moment falls into it, as nearly all do; NULL: it does not. */
static inline struct host_point *series_now(const struct series *series, nanotime t)
{
    return series_is_at_newest(series, t) ? &series->point[series->count - 1] : NULL;
}

/*
 * The point that a moment falls into; NULL when memory ran out.  New ones are made up to it, in
 * which as much is held as in *held: nothing has changed since.
 */
struct host_point *series_at(struct series *series, nanotime t, const struct host_point *held);

void series_clear(struct series *series);

enum { RATE_SECONDS = 16 };

/* How many there were in each of the last seconds. */
struct rate {
    int64_t second; /* the newest, since the epoch */
    uint32_t most;  /* in any second */
    bool begun;
    uint32_t count[RATE_SECONDS];
};

/* What is left of a rate when nobody asks for its sum: how many there were in the newest second. */
struct pace {
    int64_t second; /* since the epoch; of no meaning while there were none */
    uint32_t count, most;
};

/* One more at t; of a second before the newest, in that one. */
void rate_add(struct rate *rate, nanotime t);

static inline void pace_add(struct pace *pace, nanotime t)
{
    int64_t second = time_second_of(t);
    if (pace->most == 0 || second > pace->second) {
        pace->second = second;
        pace->count = 0;
    }
    pace->most = ++pace->count > pace->most ? pace->count : pace->most;
}

/* The sum over the last `seconds` (1 to RATE_SECONDS) up to t, its own second included. */
uint32_t rate_sum(const struct rate *rate, nanotime t, int seconds);

#endif
