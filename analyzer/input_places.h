/*
 * input_places: which input each packet came from, so that records can name a file and the packet's
 * number in it beside the number in the whole input.
 */
#ifndef LASTACK_INPUT_PLACES_H
#define LASTACK_INPUT_PLACES_H

#include "sink/sinks.h"
#include "source/source.h"

/* All zero: nothing noted. */
struct input_places {
    struct input_spans spans; /* for the sinks; it grows as packets are read */
    struct input_span *owned; /* its memory */
    uint32_t room;
    uint32_t current; /* the input of the last packet */
};

/* Forgets what was noted, to read once more; keeps the memory. */
void input_places_restart(struct input_places *places);

/*
 * Notes where the packets of another input than before begin; bounded, see struct input_spans.
 * Returns OK or NO_MEMORY.
 */
enum status input_places_note(struct input_places *places, const struct source *source,
                              const struct captured_packet *packet);

void input_places_clear(struct input_places *places);

#endif
