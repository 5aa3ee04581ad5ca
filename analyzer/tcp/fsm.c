/* fsm: the tables figure5.def and repeats.def as one grid. */
#include "fsm.h"

const struct fsm_cell fsm_grid[TCP_STATES][FACTS] = {
#define ARROW(state, fact, next, label) [state][fact] = {FSM_ARROW, next, label},
#include "figure5.def"
#undef ARROW
#define REPEAT(state, fact, why) [state][fact] = {FSM_REPEAT, state, why},
#include "repeats.def"
#undef REPEAT
};
