/*
 * facts: looks at a segment and both sides and says what just became known, in figure 5's words.
 *
 * In this order (RFC 9293 3.10.7.4, read by an observer): what the segment shows its sender to have
 * received; what its sender did; what it does to its receiver when it arrives.
 */
#ifndef LASTACK_TCP_FACTS_H
#define LASTACK_TCP_FACTS_H

#include "connection.h"

/* What side `from` shows to have received: proves or takes back its presumed states. */
void facts_received(struct connection *connection, const struct segment *segment, int from,
                    struct step *step);

/* What side `from` did by sending this segment. */
void facts_sent(struct connection *connection, const struct segment *segment, int from,
                struct step *step);

/* What the segment does to the other side, presumed. */
void facts_arriving(struct connection *connection, const struct segment *segment, int from,
                    struct step *step);

/* Whether a segment of `from` is too young to show what became of a segment that passed at t:
 * younger than one round trip tap, side, tap (OBSERVER 1, crossing). */
bool facts_crossing(const struct connection *connection, int from, nanotime t,
                    const struct segment *segment);

/* The same where an answer is expected: an ACK that says nothing new is one, unless it is younger
 * than nearly the shortest round trip. */
bool facts_under_way(const struct connection *connection, int from, nanotime t,
                     const struct segment *segment);

#endif
