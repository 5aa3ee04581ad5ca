/* place: which of several inputs a packet came from. */
#ifndef LASTACK_SINK_PLACE_H
#define LASTACK_SINK_PLACE_H

#include "sinks.h"

/*
 * The span that holds the packet of that number in the whole input; NULL for packet 0, which is
 * none, and when nothing has been read.
 */
const struct input_span *place_find(const struct input_spans *inputs, uint64_t packet);

/* The same of a packet that is evidence, by the tap that saw it where there are several. */
const struct input_span *place_of_evidence(const struct input_spans *inputs,
                                           const struct tap_names *taps,
                                           const struct evidence_record *evidence);

/* The name of that tap; NULL without taps. */
const char *place_tap(const struct tap_names *taps, const struct evidence_record *evidence);

/* The number, within its file, of a packet in the span. */
uint64_t place_in_file(const struct input_span *span, uint64_t packet);

#endif
