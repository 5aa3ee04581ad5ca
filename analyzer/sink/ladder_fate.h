/* ladder_fate: of a ladder between two taps: what became of a segment, in words and places. */
#ifndef LASTACK_SINK_LADDER_FATE_H
#define LASTACK_SINK_LADDER_FATE_H

#include "ladder_book.h"
#include "line.h"

/* Notes at the segment of a ladder what its record says of its way between the taps. */
void ladder_fate_keep(struct ladder_segment *kept, const struct segment_record *segment);

enum { LADDER_PLACES = 4 };

/* Where taps have the segment, each place once, as far as it is kept; how many there are. */
int ladder_fate_places(const struct ladder_segment *segment, uint64_t ret_places[LADDER_PLACES]);

/* The names of the taps at the left pole and at the right one; false: not known, or one tap. */
bool ladder_fate_poles(const struct ladder *ladder, const char *ret_names[2]);

/* The segment's numbers at the taps of the two poles; 0: not seen there. */
void ladder_fate_packets(const struct ladder_segment *segment, uint64_t ret_packets[2]);

/* Whether it arrived much later than it had to. */
bool ladder_fate_is_held(const struct ladder_segment *segment);

/* What is to be said beneath its arrow; nothing where it arrived in time. */
void ladder_fate_say(const struct ladder *ladder, const struct ladder_segment *segment,
                     struct line *line);

#endif
