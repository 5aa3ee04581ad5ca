/*
 * course_lead: whether a segment leads a connection on, on the usual course, and its taking
 * (course.h).  Inline, since nothing else is asked of most segments that open and close.
 */
#ifndef LASTACK_TCP_COURSE_LEAD_H
#define LASTACK_TCP_COURSE_LEAD_H

#include "course_parts.h"
#include "ordinary_steps.h"

enum {
    COURSE_CONTROL = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK,
    COURSE_LONG = 1 << 30, /* octets: its numbers may have come round */
};

/* Of the handshake: nothing beside it. */
static inline bool course_is_bare(const struct segment *segment, unsigned control)
{
    return (segment->flags & COURSE_CONTROL) == control && segment->payload == 0 &&
           segment->sacks == 0 && (segment->options & OPTION_CUT) == 0 &&
           segment->checksum_verdict != CHECKSUM_BAD;
}

static inline bool course_fits_third(const struct connection *connection,
                                     const struct segment *segment)
{
    return course_is_bare(segment, TCP_ACK) && segment->window != 0 &&
           segment->sequence == connection->side[0].snd_nxt &&
           segment->acknowledgment == connection->side[1].snd_nxt;
}

/* An ordinary segment, but that it proves the server's ESTABLISHED. */
static inline bool course_fits_word(const struct connection *connection,
                                    const struct segment *segment)
{
    const struct side *client = &connection->side[0];
    bool proves =
        segment->payload > 0 || seq_after(segment->acknowledgment, seq_add(client->iss, 1));
    return proves && ordinary_is_next(&connection->side[1], client, segment);
}

/* A FIN, or a pure ACK. */
static inline bool course_is_plain(const struct segment *segment)
{
    return (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK && segment->window != 0 &&
           (segment->payload == 0 || (segment->flags & TCP_FIN) != 0) &&
           (segment->options & ~OPTION_TIMESTAMPS) == 0 &&
           segment->checksum_verdict != CHECKSUM_BAD;
}

/* What was never sent before, and acknowledges what was sent: the numbers go on. */
static inline bool course_is_in_order(const struct side *x, const struct side *y,
                                      const struct segment *segment)
{
    return segment->sequence == x->snd_nxt && !seq_before(segment->sequence, x->iss) &&
           !seq_before(segment->acknowledgment, y->iss) &&
           !seq_after(segment->acknowledgment, y->snd_nxt) &&
           !seq_before(segment->acknowledgment, x->rcv_nxt) &&
           segment->sequence - y->rcv_nxt < COURSE_LONG && /* a wild ACK is half the space away */
           (x->tally.payload_bytes | y->tally.payload_bytes) < COURSE_LONG; /* a power of 2 */
}

static inline bool course_parted_first(const struct connection *connection, int side)
{
    return connection->history.first[FIN_SENT].side == (unsigned)side;
}

/* Whether it acknowledges all of the other side, as nothing but the first FIN need not. */
static inline bool course_fits_parting(const struct connection *connection,
                                       const struct segment *segment, int from)
{
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    const bool fin = (segment->flags & TCP_FIN) != 0, all = segment->acknowledgment == y->snd_nxt;
    if (!course_is_plain(segment) || !course_is_in_order(x, y, segment))
        return false;
    switch ((enum course)connection->course) {
    case COURSE_OPEN:
    case COURSE_PROVEN:
        return fin && x->basis != BASIS_PRESUMED;
    case COURSE_PARTING:
        return all && !course_parted_first(connection, from);
    case COURSE_LEFT:
        return all && fin && !course_parted_first(connection, from);
    case COURSE_PARTED:
        return all && !fin && course_parted_first(connection, from);
    case COURSE_NONE:
    case COURSE_BEGUN:
    case COURSE_ANSWERED:
        break;
    }
    return false;
}

/* Whether the segment from side `from` leads the connection on from where it stands. */
static inline bool course_fits(const struct connection *connection, const struct segment *segment,
                               int from)
{
    const enum course course = (enum course)connection->course;
    if (course == COURSE_NONE || connection->corrupted)
        return false;
    if (course == COURSE_BEGUN)
        return from == 1 && course_is_bare(segment, TCP_SYN | TCP_ACK) &&
               segment->acknowledgment == connection->side[0].snd_nxt;
    if (course == COURSE_ANSWERED)
        return from == 0 && course_fits_third(connection, segment);
    if (course == COURSE_OPEN && from == 1)
        return course_fits_word(connection, segment);
    return course_fits_parting(connection, segment, from);
}

/* Takes a segment that fits.  As connection_segment(): false without memory. */
static inline bool course_take(struct connection *connection, const struct segment *segment,
                               int from)
{
    const enum course course = (enum course)connection->course;
    if (course > COURSE_OPEN || (course == COURSE_OPEN && from == 0))
        return course_take_parting(connection, segment, from);
    if (course == COURSE_BEGUN)
        course_take_synack(connection, segment);
    else if (course == COURSE_ANSWERED)
        course_take_third(connection, segment);
    else
        course_take_word(connection, segment);
    return true;
}

/* Whether the segment is the SYN of a client that may begin a connection. */
static inline bool course_begins(const struct segment *segment)
{
    return course_is_bare(segment, TCP_SYN);
}

#endif
