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

/*
 * Whether side `from` may send such a one: both sides are where they stay, and nothing is waited
 * for.  Ordinary segments change nothing of this.
 */
bool ordinary_may_come(const struct connection *connection, int from);

/* The same, but for what is presumed of the side itself. */
bool ordinary_may_come_once_proven(const struct connection *connection, int from);

/* Whether the segment is one, where it may come; asked before anything is counted. */
bool ordinary_follows(const struct connection *connection, const struct segment *segment, int from);

/* All that is done for such a one, of which that was asked, but for Zeek's view. */
void ordinary_segment(struct connection *connection, const struct segment *segment, int from);

#endif
