/*
 * closing: what is remembered of a close: the FINs, what acknowledged them, the resets, TIME_WAIT's
 * start and restarts, and when both sides had become CLOSED.
 */
#ifndef LASTACK_TCP_CLOSING_H
#define LASTACK_TCP_CLOSING_H

#include "connection.h"

/* Makes the closing block when the segment is the first that needs one; false without memory. */
bool closing_ensure(struct connection *connection, const struct segment *segment);

/* Takes a segment into the closing block, after it moved the sides. */
void closing_take(struct connection *connection, const struct segment *segment, int from,
                  const struct step *step);

/* Notes when both sides had become CLOSED, or that one is not any more; t is now. */
void closing_watch_end(struct connection *connection, nanotime t);

#endif
