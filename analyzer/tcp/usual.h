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

#include <stddef.h>
#include <string.h>

#include "connection.h"
#include "opening.h"
#include "ordinary.h"
#include "parting.h"

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
 * Begins a step of which nobody asks what changed, nor what had been, but for the two states: what
 * usual_take() needs.  Times and references are not set.
 */
static inline void usual_step_begin(struct step *step, const struct connection *connection,
                                    const struct segment *segment, int from)
{
    const size_t marks = offsetof(struct step, verdict);
    memset(&step->verdict, 0, offsetof(struct step, change) - marks);
    step->segment = segment;
    step->from = from;
    step->end = seq_add(segment->sequence, segment_occupies(segment));
    step->before[0] = (enum tcp_state)connection->side[0].state;
    step->before[1] = (enum tcp_state)connection->side[1].state;
    step->untold = true;
}

static inline bool usual_take_ordinary(struct connection *connection, const struct segment *segment,
                                       int from)
{
    zeek_view_ordinary(&connection->zeek, segment, from);
    ordinary_segment(connection, segment, from);
    return true;
}

/*
 * Takes one that is: *step is begun; not for USUAL_NOT.  False: there was no memory, it was counted
 * and moved nobody.
 */
static inline bool usual_take(struct connection *connection, const struct segment *segment,
                              int from, enum usual usual, struct step *step)
{
    switch (usual) {
    case USUAL_ORDINARY:
        step->ordinary = true;
        return usual_take_ordinary(connection, segment, from);
    case USUAL_OPENING:
        opening_take(connection, segment, from, step);
        return true;
    case USUAL_WORD:
        opening_prove(connection, step);
        return usual_take_ordinary(connection, segment, from);
    case USUAL_PARTING:
        return parting_take(connection, segment, from, step);
    case USUAL_NOT:
        break;
    }
    return false;
}

#endif
