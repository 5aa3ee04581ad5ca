/*
 * copies: packets that a mirror port, a router's `any` device or loopback delivers twice.
 *
 * A copy has an identical TCP header and payload, and follows within the window.  With an IP ID
 * that is not 0: the same one, and a TTL apart by 0 or 1.  Without (Linux sends SYN-ACKs,
 * TIME_WAIT's ACKs and RSTs with 0, IPv6 has none): a TTL apart by exactly 1 (OBSERVER 5), or
 * another interface than the one that the first was seen on: those of a bridge and of its ports
 * show the same packet.  What comes again on the first one's interface was sent again.
 */
#ifndef LASTACK_TCP_COPIES_H
#define LASTACK_TCP_COPIES_H

#include "connection.h"

/* Whether the segment is a copy of one of the last few; if not, it is remembered.  window in ns. */
bool copies_seen(struct connection *connection, const struct segment *segment, int from,
                 nanotime window);

/*
 * The same where it takes little: remembers a segment that is no copy by its header alone, and
 * returns true; where it may be one, nothing is changed, and copies_seen() is to be asked.
 */
bool copies_new(struct connection *connection, const struct segment *segment, int from);

#endif
