/* verdict: what is to be thought of a segment that one tap alone has shown (pair.h). */
#ifndef LASTACK_PATH_VERDICT_H
#define LASTACK_PATH_VERDICT_H

#include "pair.h"

/*
 * Notes at the lone segments of the other end what this one, which its receiver sent, tells of
 * them; and at the other transmissions of the same octets, what its own arrival does.
 */
void verdict_note_answer(struct pair *pair, const struct lone *answer);
void verdict_note_arrival(struct pair *pair, const struct lone *arrived, nanotime left);

/* Whether octets of a segment that leaves now had come to the other tap before: it is a repetition
 * that nobody needed. */
bool verdict_is_needless(const struct pair *pair, const struct lone *lone);

/* At the end of both captures: notes which of them ends or begins in the middle of the other. */
void verdict_note_edges(struct pair *pair);

/* Decides about a lone segment, whose wait is over; the caller lets go of it. */
void verdict_reach(struct pair *pair, const struct lone *lone, struct crossing *ret_crossing);

#endif
