/* pair_ways: what matches tell of the clocks of two taps, and of which way segments went. */
#ifndef LASTACK_PATH_PAIR_WAYS_H
#define LASTACK_PATH_PAIR_WAYS_H

#include "pair.h"

/* Takes in that a segment of that end was seen at the times t, each by its tap's clock. */
void pair_take_sample(struct pair *pair, struct joint *joint, int end, const nanotime t[TAPS]);

/*
 * Whether two prints that match differ in their IP identification, while most of what matches keeps
 * its own: one may be another transmission, the capture of its counterpart's tap having missed it.
 */
bool pair_may_be_repetition(struct pair *pair, const struct print *a, const struct print *b);

#endif
