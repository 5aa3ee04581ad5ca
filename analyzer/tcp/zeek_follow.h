/*
 * zeek_follow: the segment that nearly every segment is, in Zeek's view: its numbers follow, and
 * its letter has been written.  Inline, since every packet passes here.
 */
#ifndef LASTACK_TCP_ZEEK_FOLLOW_H
#define LASTACK_TCP_ZEEK_FOLLOW_H

#include "zeek_letters.h"

enum { ZEEK_UNANSWERED = 1 << 20 }; /* octets in flight that no stream is given up for */

/* From here on a number relative to the start of its stream may be one before it. */
#define ZEEK_HALF (UINT32_C(1) << 31)

/* The payload follows what was delivered, and is not so much that the stream is given up. */
static inline bool zeek_is_delivered(const struct zeek_end *end, const struct segment *segment)
{
    uint32_t held = segment->sequence + segment->payload - end->acked - 1;
    return segment->sequence - end->start == end->delivered && end->delivered <= INT32_MAX &&
           end->acked - end->start > 1 && held < ZEEK_UNANSWERED;
}

/* The acknowledgment covers what Zeek has not seen of end `from`, up to there; false: not so. */
bool zeek_view_follow_gap(struct zeek_view *view, int from, uint32_t acknowledged);

/*
 * Takes such a segment in the middle of a connection (zeek_view_is_in_the_middle); returns false,
 * with nothing changed, if it is none.
 */
static inline bool zeek_view_follow(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = view->end + from, *peer = view->end + 1 - from;
    const uint32_t payload = segment->payload, acknowledged = segment->acknowledgment - peer->start;
    const bool kept = payload > 0 && segment->cut == 0;

    if ((end->seen & (payload > 0 ? SEEN_DATA : SEEN_ACK)) == 0 || segment->sequence != end->last ||
        segment->sequence + payload < segment->sequence || segment->acknowledgment < peer->acked ||
        ((acknowledged | peer->delivered) & ZEEK_HALF) != 0)
        return false;
    if (kept && !zeek_is_delivered(end, segment))
        return false;
    if (acknowledged > peer->delivered && !zeek_view_follow_gap(view, 1 - from, acknowledged))
        return false;
    end->last = segment->sequence + payload;
    end->delivered += kept ? payload : 0;
    peer->acked = segment->acknowledgment;
    return true;
}

#endif
