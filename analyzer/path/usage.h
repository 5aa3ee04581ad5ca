/*
 * usage: a pair's connections by when they were used last, and what of them is forgotten when.
 *
 * What arrived of a connection (`past`) takes more room than all the rest of it; one of which
 * nothing arrived has none, and one that is closed gives it back before it is forgotten.
 */
#ifndef LASTACK_PATH_USAGE_H
#define LASTACK_PATH_USAGE_H

#include "pair.h"

/* The joint was taken; was used; goes. */
void usage_begin(struct pair *pair, uint32_t index);
void usage_touch(struct pair *pair, uint32_t index);
void usage_end(struct pair *pair, uint32_t index);

/* Room for what arrives of it, that of another one where there is too much; NULL when memory ran
 * out. */
struct joint_past *usage_past(struct pair *pair, uint32_t index);

/* Lets go of connections that are closed, or have been silent for long. */
void usage_expire(struct pair *pair, nanotime now);

/* Lets go of one of those that were used longest ago, one that is closed, or that nobody answered,
 * if there is one; false when something is held of all of them. */
bool usage_give_up(struct pair *pair);

#endif
