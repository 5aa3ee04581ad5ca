/*
 * clock_era: how two clocks stand to each other while neither is set: bounds from above and from
 * below, and the line between them (clocks.h says what a bound is).
 */
#ifndef LASTACK_PATH_CLOCK_ERA_H
#define LASTACK_PATH_CLOCK_ERA_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_BOUNDS = 128 };

/* On which side of the line a bound lies. */
enum clock_side { CLOCK_ABOVE, CLOCK_BELOW, CLOCK_SIDES };

struct clock_bound {
    double t, x; /* ns since the base: when, and the difference */
};

struct clock_era {
    double from, shown; /* it began after `from`, and had by `shown`, of the first clock */
    struct clock_bound bound[CLOCK_SIDES][CLOCK_BOUNDS]; /* convex towards the line, by t */
    uint32_t count[CLOCK_SIDES];
    struct clock_bound last[CLOCK_SIDES]; /* each side's latest, whether it is among them or not */
    uint64_t samples, drawn;              /* and how many there were when the line was drawn */
    double a, b;                          /* the line */
    double margin;                        /* from the line to the nearest bound of either side */
    double b_least, b_most;               /* slopes that fit */
    bool borrowed; /* the one bound of side `lacking` stands in for what is not known */
    uint8_t lacking;
    uint32_t waited;             /* bounds of that side since */
    struct clock_bound tightest; /* of them */
    double round;                /* the round trip that was borrowed */
};

/* Whether both sides have a bound: then there is a line. */
bool clock_era_is_known(const struct clock_era *era);

/* Whether no line leaves room for the bound: it is not of this era. */
bool clock_era_contradicts(const struct clock_era *era, enum clock_side side,
                           struct clock_bound bound);

/* Takes a bound that does not contradict. */
void clock_era_take(struct clock_era *era, enum clock_side side, struct clock_bound bound);

/* The era that follows `old`, of which one bound is known.  What may have been of it already is
 * taken from the old one. */
void clock_era_begin(struct clock_era *era, struct clock_era *old, enum clock_side side,
                     struct clock_bound bound);

/* Draws the line anew if there are a few per cent more samples. */
void clock_era_settle(struct clock_era *era);

/* How far from the line another one that fits may be at t. */
double clock_era_error(const struct clock_era *era, double t);

#endif
