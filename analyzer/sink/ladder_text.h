/* ladder_text: a ladder for a terminal, in columns of characters. */
#ifndef LASTACK_SINK_LADDER_TEXT_H
#define LASTACK_SINK_LADDER_TEXT_H

#include "ladder_rows.h"
#include "output.h"

struct ladder_look {
    int columns; /* at least LADDER_LEAST_COLUMNS */
    bool utf8;   /* else ASCII */
    bool colour;
    bool nano;
};

enum { LADDER_LEAST_COLUMNS = 64, LADDER_MOST_COLUMNS = 200 };

/* Writes the ladder; fails as output_write does, or with NO_MEMORY. */
enum status ladder_text_write(struct output *output, const struct ladder *ladder,
                              const struct ladder_look *look);

#endif
