/*
 * opening: the three segments that begin nearly every connection, each taken in one go.
 *
 *     client  SYN  ->            the first segment there is
 *             <-  SYN-ACK        acknowledges it, and no more
 *             ACK  ->            acknowledges that, without payload
 *
 * What they do is what connection_segment_fully() does; a test compares them octet by octet.  They
 * move both sides by figure 5, as ever: only what cannot apply to them is not asked.
 */
#ifndef LASTACK_TCP_OPENING_H
#define LASTACK_TCP_OPENING_H

#include "connection.h"

/* Whether the segment from side `from` is one of them, and nothing had come between. */
bool opening_fits(const struct connection *connection, const struct segment *segment, int from);

/* The shift that counts of a SYN's (RFC 7323 2.3). */
static inline uint8_t opening_window_scale(uint8_t shift)
{
    enum { MOST = 14 };
    return shift > MOST ? MOST : shift;
}

/* Takes one that fits; *step is begun. */
void opening_take(struct connection *connection, const struct segment *segment, int from,
                  struct step *step);

/*
 * Whether the segment is the server's first word after them, with data or the ACK of data: it
 * proves that the server is ESTABLISHED, which had been presumed.
 */
bool opening_is_proven(const struct connection *connection, const struct segment *segment,
                       int from);

void opening_prove(struct connection *connection, struct step *step);

#endif
