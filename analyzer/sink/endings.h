/* endings: the kinds of close in words for people. */
#ifndef LASTACK_SINK_ENDINGS_H
#define LASTACK_SINK_ENDINGS_H

#include <stddef.h>

#include "../event/record.h"

struct ending {
    enum close_kind kind;
    const char *words;
};

/* Every kind, in the order in which it is shown; CLOSE_KINDS of them. */
extern const struct ending endings[CLOSE_KINDS];

#endif
