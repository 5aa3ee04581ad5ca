/* outputs_parts: what outputs are made of; known to outputs.c and outputs_forward.c alone. */
#ifndef LASTACK_OUTPUTS_PARTS_H
#define LASTACK_OUTPUTS_PARTS_H

#include "destination.h"
#include "outputs.h"

enum { DESTINATIONS = OPTIONS_OUTPUTS + 3 }; /* with the default, and two that only gather */

struct outputs {
    struct sink sink; /* first, so that the one is the other */
    struct sink_ops ops;
    const struct options *options;
    const struct input_spans *inputs; /* NULL: one input */
    const struct tap_names *taps;     /* NULL: none */
    struct sink *concerned;           /* NULL: segments are chosen without a first run */
    struct destination destinations[DESTINATIONS];
    size_t count;
    bool stats_for_all; /* else for pages alone */
    bool matched;
};

/* Fills the operations of the sink that stands for all, once the destinations have theirs. */
void outputs_forward(struct outputs *outputs);

#endif
