/* pair_ways: what matches tell of the clocks of two taps, and of which way segments went. */
#ifndef LASTACK_PATH_PAIR_WAYS_H
#define LASTACK_PATH_PAIR_WAYS_H

#include "pair.h"

/* A segment that both taps have shown. */
struct twin_sighting {
    nanotime t[TAPS]; /* each by its tap's clock */
    uint64_t packet[TAPS];
    bool marked; /* it can be no other one */
};

/* Takes in that a segment of that end was seen so. */
void pair_take_sample(struct pair *pair, struct joint *joint, int end,
                      const struct twin_sighting *seen);

/*
 * Whether the crossing, which took long, may rather show that a clock was set: nothing that left
 * the other way since has come yet, which would show it at once.
 */
bool pair_may_be_step(const struct pair *pair, const struct crossing *crossing);

/*
 * Whether two prints that match differ in their IP identification, while most of what matches keeps
 * its own: one may be another transmission, the capture of its counterpart's tap having missed it.
 */
bool pair_may_be_repetition(struct pair *pair, const struct print *a, const struct print *b);

#endif
