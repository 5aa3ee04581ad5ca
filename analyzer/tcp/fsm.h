/*
 * fsm: the grid of (state, fact): an arrow of figure 5, a harmless repeat, or unexpected.
 */
#ifndef LASTACK_TCP_FSM_H
#define LASTACK_TCP_FSM_H

#include "names.h"

enum fsm_kind { FSM_UNEXPECTED, FSM_REPEAT, FSM_ARROW };

struct fsm_cell {
    enum fsm_kind kind;
    enum tcp_state next; /* with FSM_ARROW */
    const char *label;   /* the figure's label, or why it is harmless; NULL when unexpected */
};

/* For fsm_lookup() alone. */
extern const struct fsm_cell fsm_grid[TCP_STATES][FACTS];

/* What a fact means in a state; static storage, every cell is defined (RFC 9293 figure 5). */
static inline const struct fsm_cell *fsm_lookup(enum tcp_state state, enum fact fact)
{
    return &fsm_grid[state][fact];
}

#endif
