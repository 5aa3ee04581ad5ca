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

/* That its receiver has not got a segment of the first tap is known otherwise: key and packet are
 * the first tap's. */
void verdict_deny(struct pair *pair, const struct flow_key *key, seq sequence, uint64_t packet);

/* The same of acknowledgments that the second tap alone shows. */
struct denial {
    const struct flow_key *key; /* as the first tap sees the connection */
    int end;                    /* who sent them, as the first tap counts */
    seq sequence;               /* which they begin with */
    seq acknowledgment;         /* they acknowledge this, or more */
    nanotime until;             /* they would have come before, by the first tap's clock */
};

void verdict_deny_unseen(struct pair *pair, const struct denial *denial);

/* Whether octets of a segment that leaves now had come to the other tap before: it is a repetition
 * that nobody needed. */
bool verdict_is_needless(const struct pair *pair, const struct lone *lone);

/* At the end of both captures: notes which of them ends or begins in the middle of the other. */
void verdict_note_edges(struct pair *pair);

/* Decides about a lone segment, whose wait is over; the caller lets go of it. */
void verdict_reach(struct pair *pair, const struct lone *lone, struct crossing *ret_crossing);

#endif
