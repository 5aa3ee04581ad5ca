/* crossings: what a pair of taps has decided, in order, until it is told (pair.h). */
#ifndef LASTACK_PATH_CROSSINGS_H
#define LASTACK_PATH_CROSSINGS_H

#include "pair.h"

/* Adds a copy; NULL when memory ran out.  What it returns is valid until the next one is added. */
struct crossing *crossings_copy(struct crossing_queue *queue, const struct crossing *crossing);

/* Gives up the room of those before the head, when they are most of it. */
void crossings_compact(struct crossing_queue *queue);

/*
 * Puts into the pair's queue what became of a segment that one of its taps has shown, as far as
 * that tap knows it; NULL when memory ran out (pair->status).  It is valid until the next one.
 */
struct crossing *crossings_add(struct pair *pair, const struct lone *lone, enum path_fate fate);

#endif
