/*
 * zeek_trail: Zeek's view of a connection in order is let fall behind, and made up for when asked.
 *
 * In the middle of a connection of which nothing is missing, a view's numbers are those of the two
 * sides: what an end sent and what of it is acknowledged, and what was delivered is one of the two,
 * as the capture holds the payload or cuts it.  So nothing is written with each segment, and two
 * cache lines are not asked for; only gaps are counted.  Inline, since every packet passes here.
 *
 * Whoever looks at a view, or gives it a segment otherwise, calls zeek_trail_end() before, or looks
 * at what zeek_trail_view() makes of it.
 */
#ifndef LASTACK_TCP_ZEEK_TRAIL_H
#define LASTACK_TCP_ZEEK_TRAIL_H

#include "connection.h"
#include "zeek_follow.h"

/* Of connection->trail.follows[side]; 0: its view is up to date.  Beside them stand SEEN_DATA and
 * SEEN_ACK, the letters that it has. */
enum zeek_trail_bit {
    TRAIL_SENT = 0x1,  /* what is delivered of the side's stream is what it sent */
    TRAIL_ACKED = 0x2, /* it is what is acknowledged: the capture cuts the payload */
};

/* Lets the view fall behind from here on, where its numbers are those of the sides. */
void zeek_trail_begin(struct connection *connection);

/* Brings it up to date. */
void zeek_trail_catch_up(struct connection *connection);

static inline bool zeek_trail_is_behind(const struct connection *connection)
{
    return connection->trail.follows[0] != 0;
}

static inline void zeek_trail_end(struct connection *connection)
{
    if (zeek_trail_is_behind(connection))
        zeek_trail_catch_up(connection);
}

/* The view as it would be; *room where that is written, if it has to be. */
const struct zeek_view *zeek_trail_view(const struct connection *connection,
                                        struct zeek_view *room);

/* Whether the acknowledgment covers payload that the capture cut. */
static inline bool zeek_trail_has_gap(const struct zeek_trail *trail, const struct side *x,
                                      const struct segment *segment, int from)
{
    return segment->acknowledgment != x->rcv_nxt &&
           (trail->follows[side_other(from)] & TRAIL_SENT) == 0;
}

/* Whether the payload goes on with the stream as what came before of it did. */
static inline bool zeek_trail_goes_on(const struct side *y, unsigned follows,
                                      const struct segment *segment)
{
    const seq end = segment->sequence + segment->payload;
    if ((follows & SEEN_DATA) == 0 || end < segment->sequence)
        return false;
    if (segment->cut != 0)
        return (follows & TRAIL_ACKED) != 0;
    return (follows & TRAIL_SENT) != 0 && end - y->rcv_nxt - 1 < ZEEK_UNANSWERED;
}

/*
 * Whether an ordinary segment from side x to y, not yet taken, with data or without, leaves no more
 * in the view than it does in the sides: what zeek_view_follow() asks, of the sides' numbers, which
 * are near (ordinary_is_near()).
 */
static inline bool zeek_trail_follows(const struct zeek_trail *trail, const struct side *x,
                                      const struct side *y, const struct segment *segment, int from,
                                      bool data)
{
    const unsigned follows = trail->follows[from];
    if (segment->acknowledgment < x->rcv_nxt || ((y->snd_nxt - y->iss) & ZEEK_HALF) != 0 ||
        (zeek_trail_has_gap(trail, x, segment, from) && trail->silent[side_other(from)] == 0))
        return false;
    return data ? zeek_trail_goes_on(y, follows, segment) : (follows & SEEN_ACK) != 0;
}

/* One that follows is taken: before the sides take it. */
static inline void zeek_trail_take(struct zeek_trail *trail, const struct side *x,
                                   const struct segment *segment, int from, bool data)
{
    enum { EITHER = TRAIL_SENT | TRAIL_ACKED };
    if (zeek_trail_has_gap(trail, x, segment, from))
        trail->silent[side_other(from)]--;
    if (data && (trail->follows[from] & EITHER) == EITHER)
        trail->follows[from] ^= segment->cut != 0 ? TRAIL_SENT : TRAIL_ACKED;
}

#endif
