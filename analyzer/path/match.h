/* match: a segment of one tap meets its counterpart of the other, or what it is a copy of (pair.h).
 */
#ifndef LASTACK_PATH_MATCH_H
#define LASTACK_PATH_MATCH_H

#include "pair.h"

/*
 * Matches what the other tap holds of a segment's octets, piece by piece; returns whether nothing
 * of it is left.  What is left of *new stands in it.
 */
bool match_segment(struct pair *pair, struct lone *new);

/*
 * Segments that offload put together, or took apart, and of which a piece is missing: the octets
 * that both taps have begin in the middle of what one of them shows.
 */
bool match_pieces(struct pair *pair, struct lone *new);

/* Whether it is a further copy of one that arrived, or of one that is alone: then that is told. */
bool match_recent_copy(struct pair *pair, const struct lone *new);
bool match_lone_copy(struct pair *pair, const struct lone *new);

/* What the second tap has shown alone, once more: a clock was set, and what seemed to have come
 * before it left has not. */
void match_again(struct pair *pair);

#endif
