/*
 * moves: how a side's state changes: along an arrow, proven afterwards, taken back, or put later
 * because segments crossed.  Each move is written into the history and into the step.
 */
#ifndef LASTACK_TCP_MOVES_H
#define LASTACK_TCP_MOVES_H

#include "connection.h"
#include "fsm.h"

/* The segment that moves a side, and how it is known. */
struct motive {
    enum fact fact;
    enum basis basis;
    nanotime t;
    uint64_t packet;
    uint64_t proof; /* 0: none yet */
};

/* Applies a fact to a side by figure 5; false when the grid has no arrow there (then the cell is
 * noted in the step). */
bool side_apply(struct connection *connection, int side, const struct motive *motive,
                struct step *step);

/* Moves a side to a state without asking the grid (ends that show elsewhere on the tuple). */
void side_move(struct connection *connection, int side, enum tcp_state next,
               const struct motive *motive, struct step *step);

/* Index of the side's oldest presumed entry that is not revoked after its last proven one; -1. */
int side_oldest_presumed(const struct connection *connection, int side);

/* Proves the presumed entries of a side up to and including `index`. */
void side_confirm(struct connection *connection, int side, int index, enum basis basis,
                  uint64_t proof, struct step *step);

/* Proves entry `index` alone: what came before it on the way is not shown by its end. */
void side_confirm_alone(struct connection *connection, int side, int index, enum basis basis,
                        uint64_t proof, struct step *step);

/* Takes back entry `index` alone: what the side sent after it stands, out of the state before. */
void side_revoke_alone(struct connection *connection, int side, int index, uint64_t by,
                       struct step *step);

/* Takes back entry `index` of a side and those after it; crossed: nothing was lost. */
void side_revoke(struct connection *connection, int side, int index, uint64_t by, bool crossed,
                 struct step *step);

#endif
