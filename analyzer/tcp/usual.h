/*
 * usual: which of the segments that nearly every connection is made of a segment is, and its short
 * way: ordinary.h, opening.h, parting.h.
 *
 *     SYN ->   <- SYN-ACK   ACK ->        opening
 *     data ->  <- data                    the server's first word; what is ordinary
 *     FIN ->   <- ACK   <- FIN   ACK ->   parting
 */
#ifndef LASTACK_TCP_USUAL_H
#define LASTACK_TCP_USUAL_H

#include "connection.h"

enum usual {
    USUAL_NOT,      /* connection_segment_fully() takes it */
    USUAL_ORDINARY, /* moves nobody */
    USUAL_OPENING,
    USUAL_WORD, /* ordinary, but that it proves the server's ESTABLISHED */
    USUAL_PARTING,
};

/* What the segment from side `from` is, of all these. */
enum usual usual_of(const struct connection *connection, const struct segment *segment, int from);

/* The same of those that move a side, or prove where it stands: never USUAL_ORDINARY. */
enum usual usual_move_of(const struct connection *connection, const struct segment *segment,
                         int from);

/*
 * Takes one that is: *step is begun; not for USUAL_NOT.  False: there was no memory, it was counted
 * and moved nobody.
 */
bool usual_take(struct connection *connection, const struct segment *segment, int from,
                enum usual usual, struct step *step);

#endif
