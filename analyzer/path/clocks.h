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
 */
#ifndef LASTACK_PATH_CLOCKS_H
#define LASTACK_PATH_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/time.h"

enum { CLOCK_BOUNDS = 128 };

/* On which side of the line a bound lies. */
enum clock_side { CLOCK_ABOVE, CLOCK_BELOW, CLOCK_SIDES };

struct clock_bound {
    double t, x; /* ns since the base: when, and the difference */
};

struct clocks {
    nanotime base_t, base_x;
    struct clock_bound bound[CLOCK_SIDES][CLOCK_BOUNDS]; /* convex towards the line, by t */
    uint32_t count[CLOCK_SIDES];
    uint64_t samples, drawn; /* and how many there were when the line was drawn */
    uint32_t steps;          /* how often a clock was set: what came before was given up */
    double a, b;             /* the line */
    double margin;           /* from the line to the nearest bound of either side */
    double b_least, b_most;  /* slopes that fit */
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

/* Takes a segment that passed at t by the first clock, `difference` later by the second one. */
void clocks_add(struct clocks *clocks, nanotime t, nanotime difference, enum clock_side side);

/* Whether both directions have given a bound. */
bool clocks_known(const struct clocks *clocks);

/* The second clock less the first at t; 0 while nothing is known. */
nanotime clocks_offset(const struct clocks *clocks, nanotime t);

/* The least delay either way, half of the least round trip between the taps. */
nanotime clocks_least_delay(const struct clocks *clocks);

/* The second clock's moment t as the first one shows it; t itself while nothing is known. */
nanotime clocks_to_first(const struct clocks *clocks, nanotime t);

/* Draws the line anew if there are a few per cent more samples: the stated error shrinks with them.
 */
void clocks_settle(struct clocks *clocks);

struct clock_estimate clocks_estimate(const struct clocks *clocks, nanotime at);

#endif
