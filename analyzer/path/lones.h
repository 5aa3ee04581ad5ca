/* lones: the segments that one tap has shown and the other has not (pair.h). */
#ifndef LASTACK_PATH_LONES_H
#define LASTACK_PATH_LONES_H

#include "pair.h"
#include "prints.h"

/* Holds a segment; its place, or 0 when memory ran out. */
uint32_t lones_hold(struct pair *pair, const struct lone *lone);

/* Lets go of one that is decided. */
void lones_release(struct pair *pair, uint32_t index);

/* Its first octets are accounted for: it goes on as the rest of itself. */
void lones_shorten(struct pair *pair, uint32_t index, uint32_t octets);

/* The other tap's segment whose octets this one's begin within, or that begins within these; 0. */
uint32_t lones_overlapping(const struct pair *pair, const struct lone *lone);

/* Makes two of it: the first has so many octets.  False when memory ran out. */
bool lones_split(struct pair *pair, uint32_t index, uint32_t octets);

/* Takes so much from its numbers, which are the second tap's. */
void lones_renumber(struct pair *pair, uint32_t index, uint32_t sequence, uint32_t acknowledgment);

/* No more evidence is looked for: it stays until its wait is over, or it comes late. */
void lones_unlist(struct pair *pair, struct lone *lone, uint32_t index);

/*
 * The lone segment of the other tap that this one is, most likely, or 0; *ret_sure: nothing else
 * comes near.
 */
uint32_t lones_match(const struct pair *pair, const struct lone *lone, bool *ret_sure);

/* Which of several the segment is cannot be told: the others may have arrived as well as the one
 * that was taken. */
void lones_note_rivals(struct pair *pair, const struct lone *lone, uint32_t taken);

/* A lone segment of the same tap of which this one is a copy, or 0. */
uint32_t lones_find_copy(const struct pair *pair, const struct lone *lone);

/*
 * A segment arrived that has neither octets nor an IP identification: those of the same tap that
 * look the same may be copies of it that the path made.
 */
void lones_note_twins(struct pair *pair, const struct lone *arrived);

/* The tap's segment of that number, which begins with that octet of its; 0: it is not held. */
uint32_t lones_of_packet(const struct pair *pair, uint32_t joint, int tap, seq sequence,
                         uint64_t packet);

/* Those of one tap, connection and end that begin with one octet, as `at` has these; 0: no more. */
uint32_t lones_first_at(const struct pair *pair, const struct lone *at,
                        struct finder_cursor *cursor);
uint32_t lones_next_at(const struct pair *pair, const struct lone *at,
                       struct finder_cursor *cursor);

#endif
