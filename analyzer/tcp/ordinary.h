/*
 * ordinary: the segment that nearly every segment is, taken in one go.
 *
 * Data or a plain ACK, in order and new, in an established connection of which nothing is
 * presumed of the sender.  It moves nobody: numbers, windows, tallies and times go on.  What it
 * does is what connection_segment_fully() does; a test compares them octet by octet.
 */
#ifndef LASTACK_TCP_ORDINARY_H
#define LASTACK_TCP_ORDINARY_H

#include "connection.h"

/* Whether the segment from side `from` is such a one; asked before anything is counted. */
bool ordinary_fits(const struct connection *connection, const struct segment *segment, int from);

/* Takes one that fits. */
void ordinary_take(struct connection *connection, const struct segment *segment, int from);

#endif
