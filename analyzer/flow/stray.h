/* stray: segments of earlier incarnations, known by the tombstones (OBSERVER 4, EVENTS C5). */
#ifndef LASTACK_FLOW_STRAY_H
#define LASTACK_FLOW_STRAY_H

#include "route.h"

/* Whether a segment that came to the tuple's current incarnation is of an earlier one. */
bool stray_find(const struct tuple *tuple, const struct segment *segment, int end,
                struct stray *ret_stray);

/* The same, where it is not asked of which; as a rule there is none. */
bool stray_is_found(const struct tuple *tuple, const struct segment *segment, int end);

static inline bool stray_comes(const struct tuple *tuple, const struct segment *segment, int end)
{
    return tuple->tombstones != NULL && stray_is_found(tuple, segment, end);
}

/* Whether a segment lies in the numbers of that closed incarnation. */
bool stray_fits_tombstone(const struct tombstone *tombstone, const struct segment *segment,
                          int end);

#endif
