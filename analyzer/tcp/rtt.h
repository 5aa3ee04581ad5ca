/*
 * rtt: round-trip times of one side's segments: least, mean, greatest, and the 95th percentile by
 * the P-square algorithm (Jain and Chlamtac, CACM 28(10), 1985): five markers, no samples kept,
 * exact up to five samples and an estimate beyond.
 */
#ifndef LASTACK_TCP_RTT_H
#define LASTACK_TCP_RTT_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"

enum { RTT_MARKERS = 5 };

/* A cache line.  The last marker stands at the last sample. */
struct rtt {
    uint32_t samples;
    uint32_t position[RTT_MARKERS - 1]; /* of each other marker, from 1 */
    float height[RTT_MARKERS];          /* ns */
    nanotime least, greatest;           /* ns */
    int64_t sum;                        /* ns */
};

_Static_assert(sizeof(struct rtt) == 64, "a cache line");

/* Where marker i stands, of those that there are. */
static inline uint32_t rtt_position(const struct rtt *rtt, int i)
{
    return i == RTT_MARKERS - 1 ? rtt->samples : rtt->position[i];
}

/* Takes one sample, in ns, 0 or more. */
void rtt_add(struct rtt *rtt, nanotime sample);

/* Whether it can have come of samples: numbers in order, as a state from elsewhere may not have. */
bool rtt_is_sound(const struct rtt *rtt);

/* The estimate of the 95th percentile, in ns; NANOTIME_UNKNOWN without samples. */
nanotime rtt_p95(const struct rtt *rtt);

/* The mean in ns; NANOTIME_UNKNOWN without samples. */
nanotime rtt_mean(const struct rtt *rtt);

#endif
