/*
 * parting: the segments that end nearly every connection, each taken in one go.
 *
 *     A ESTABLISHED   FIN  ->                 B CLOSE_WAIT, presumed
 *     A FIN_WAIT_2         <-  ACK            both of B in one segment, or one after the other
 *     A TIME_WAIT          <-  FIN            B LAST_ACK
 *                     ACK  ->                 B CLOSED, presumed
 *
 * All in order, nothing lost, after a handshake that was seen whole.  As opening.h: what they do is
 * what connection_segment_fully() does, and a test compares them octet by octet.
 */
#ifndef LASTACK_TCP_PARTING_H
#define LASTACK_TCP_PARTING_H

#include "connection.h"

/* Whether the segment from side `from` is one of them, where it belongs. */
bool parting_fits(const struct connection *connection, const struct segment *segment, int from);

/* Takes one that fits; *step is begun.  As connection_segment(): false without memory. */
bool parting_take(struct connection *connection, const struct segment *segment, int from,
                  struct step *step);

#endif
