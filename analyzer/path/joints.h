/* joints: the connections of a pair of taps (pair.h), found by what either tap shows of them. */
#ifndef LASTACK_PATH_JOINTS_H
#define LASTACK_PATH_JOINTS_H

#include "pair.h"

/*
 * The connection of a segment that `tap` shows, begun if there is none; *ret_end is the end that
 * sent it, in the first tap's terms.  0 when memory ran out.
 */
uint32_t joints_find(struct pair *pair, int tap, const struct segment *segment, int *ret_end);

/*
 * A segment that nothing matches: where the other tap holds the same one but for its sequence
 * number, a device between shifts them.  Notes by how much, puts what is held into those terms, and
 * returns true; *lone is put right, too.
 */
bool joints_find_shift(struct pair *pair, struct lone *lone);

/* Puts what the second tap has shown of an end, or acknowledged of it, into the first's terms. */
void joints_apply_shift(struct pair *pair, struct joint *joint, int end, uint32_t shift);

/* A tap shows the connection as another joint has it, which is not found by that any more.  False
 * when memory ran out. */
bool joints_take_key(struct pair *pair, uint32_t index, int tap, uint32_t from);

/* Forgets a connection of which nothing is held. */
void joints_end(struct pair *pair, uint32_t index);

/* The connection that a tap shows under that key; 0: none. */
uint32_t joints_of_key(const struct pair *pair, int tap, const struct flow_key *key);

#endif
