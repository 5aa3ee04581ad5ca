/*
 * zeek_moves: the states that Zeek gives the two ends of a TCP connection, and conn_state.
 */
#ifndef LASTACK_TCP_ZEEK_MOVES_H
#define LASTACK_TCP_ZEEK_MOVES_H

#include <stdbool.h>

#include "../../dissect/dissect.h"
#include "zeek.h"

/* Moves the ends for a segment of end `from` (Zeek's UpdateStateMachine). */
void zeek_moves_segment(struct zeek_view *view, const struct segment *segment, int from);

/* The responder's lone SYN-ACK, taken for an originator's, was an answer: it is established. */
void zeek_moves_answer(struct zeek_end *end);

/* Whether gaps in the stream of an end mean something: established, and no RST. */
bool zeek_moves_is_clean(const struct zeek_end *end);

#endif
