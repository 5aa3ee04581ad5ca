/*
 * clocks: what the clock of one tap shows beside that of another, from the traffic alone.
 *
 * A segment that passes the first tap and then the second cannot arrive before it left:
 *
 *     far - near >= offset(t)   for a segment on its way to the second tap
 *     far - near <= offset(t)   for one on its way back
 *
 * so every segment matched at both is a bound of offset(t) = a + b t, from above or from below,
 * and those that met no queue are the tight ones (Moon, Skelly and Towsley, INFOCOM 1999, in both
 * directions).  Of the lines between the bounds the one in the middle is taken; the others are the
 * stated error, which holds whatever the two delays are: how the round trip divides between its
 * ways is not to be known from the traffic.
 *
 * A clock that is set makes a segment arrive before it left: no line fits any more.  There an era
 * ends, and another begins, with bounds and a line of its own.  The one way shows it at once, the
 * other only as a delay; until that has shown bounds of the new era, the round trip of the era
 * before stands in for them.
 */
#ifndef LASTACK_PATH_CLOCKS_H
#define LASTACK_PATH_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"
#include "clock_era.h"

enum { CLOCK_ERAS = 4 };

struct clocks {
    nanotime base_t, base_x;
    uint64_t samples;
    uint32_t steps;                   /* how often a clock was set */
    struct clock_era era[CLOCK_ERAS]; /* the latest last; the oldest are given up */
    uint32_t eras;                    /* beyond the first */
};

/* A segment that passed at t by the first clock, `difference` later by the second one. */
struct clock_sample {
    nanotime t, difference;
    enum clock_side side;
    bool marked;    /* that both taps show the same one is beyond doubt */
    uint32_t steps; /* clocks.steps when it was seen */
};

/* What is said of it at a moment of the first tap's clock. */
struct clock_estimate {
    bool known;
    nanotime at;
    nanotime offset, error; /* second clock less first, and by how much that may be wrong */
    int64_t drift_ppb, drift_error_ppb;
    uint64_t samples;
    uint32_t steps;
};

/*
 * Takes one.  One that contradicts all that came before shows that a clock was set, if it is
 * marked, and the return value is true; if not, it is left out.
 */
bool clocks_add(struct clocks *clocks, const struct clock_sample *sample);

/* Whether the sample fits what is known: it arrives no earlier than it left. */
bool clocks_allow(const struct clocks *clocks, const struct clock_sample *sample);

/* Whether both directions have given a bound. */
bool clocks_known(const struct clocks *clocks);

/* Whether a clock was set so near to t, or may have been. */
bool clocks_stepped_near(const struct clocks *clocks, nanotime t, nanotime reach);

/* How long the segment was on its way; where a clock was set since, by the era that makes it less:
 * that may have been before. */
nanotime clocks_delay(const struct clocks *clocks, const struct clock_sample *sample);

/* By how much that may be less, as the clocks may have drifted: far from other segments by much. */
nanotime clocks_doubt(const struct clocks *clocks, const struct clock_sample *sample);

/* The least delay either way, half of the least round trip between the taps. */
nanotime clocks_least_delay(const struct clocks *clocks);

/*
 * The second clock's moment t as the first one shows it; t itself while nothing is known.  steps:
 * clocks.steps when the clock showed it.
 */
nanotime clocks_to_first(const struct clocks *clocks, nanotime t, uint32_t steps);

/* Draws the line anew if there are a few per cent more samples: the stated error shrinks with them.
 */
void clocks_settle(struct clocks *clocks);

/* At the first clock's moment `at`; steps: clocks.steps when the clock showed it. */
struct clock_estimate clocks_estimate(const struct clocks *clocks, nanotime at, uint32_t steps);

#endif
