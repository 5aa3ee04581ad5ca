/* place: which of several inputs a packet came from. */
#ifndef LASTACK_SINK_PLACE_H
#define LASTACK_SINK_PLACE_H

#include "sinks.h"

/*
 * The span that holds the packet of that number in the whole input; NULL for packet 0, which is
 * none, and when nothing has been read.
 */
const struct input_span *place_find(const struct input_spans *inputs, uint64_t packet);

/* The number, within its file, of a packet in the span. */
uint64_t place_in_file(const struct input_span *span, uint64_t packet);

#endif
