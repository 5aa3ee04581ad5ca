/*
 * zeek_follow: the segment that nearly every segment is, in Zeek's view: its numbers follow.
 * Inline, since every packet passes here.
 */
#ifndef LASTACK_TCP_ZEEK_FOLLOW_H
#define LASTACK_TCP_ZEEK_FOLLOW_H

#include "zeek_letters.h"

enum { ZEEK_UNANSWERED = 1 << 20 }; /* octets in flight that no stream is given up for */

/* From here on a number relative to the start of its stream may be one before it. */
#define ZEEK_HALF (UINT32_C(1) << 31)

/* The payload follows what was delivered, and is not so much that the stream is given up: without
 * an island nothing is, before the first acknowledgment. */
static inline bool zeek_is_delivered(const struct zeek_end *end, const struct segment *segment)
{
    uint32_t held = segment->sequence + segment->payload - end->acked - 1;
    return segment->sequence - end->start == end->delivered && end->delivered <= INT32_MAX &&
           held < ZEEK_UNANSWERED;
}

/* What an acknowledgment covers and Zeek has not seen of that end is one gap. */
static inline bool zeek_has_plain_gap(const struct zeek_view *view, const struct zeek_end *end)
{
    return !view->partial && end->island == end->island_end;
}

/* The acknowledgment covers it, up to there. */
void zeek_view_follow_gap(struct zeek_view *view, int from, uint32_t acknowledged);

/* The first of its kind from that end. */
void zeek_view_follow_letter(struct zeek_view *view, int from, enum zeek_seen seen,
                             enum zeek_letter letter);

/*
 * Takes such a segment in the middle of a connection (zeek_view_is_in_the_middle); returns false,
 * with nothing changed, if it is none.
 */
static inline bool zeek_view_follow(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = view->end + from, *peer = view->end + 1 - from;
    const uint32_t payload = segment->payload, acknowledged = segment->acknowledgment - peer->start;
    const bool kept = payload > 0 && segment->cut == 0, gap = acknowledged > peer->delivered;
    const enum zeek_seen seen = payload > 0 ? SEEN_DATA : SEEN_ACK;

    if (segment->sequence != end->last || segment->sequence + payload < segment->sequence ||
        segment->acknowledgment < peer->acked || view->letter_count < 2 ||
        ((acknowledged | peer->delivered) & ZEEK_HALF) != 0)
        return false;
    if ((kept && !zeek_is_delivered(end, segment)) || (gap && !zeek_has_plain_gap(view, peer)))
        return false;
    if ((end->seen & seen) == 0)
        zeek_view_follow_letter(view, from, seen, payload > 0 ? LETTER_DATA : LETTER_ACK);
    if (gap)
        zeek_view_follow_gap(view, 1 - from, acknowledged);
    end->last = segment->sequence + payload;
    end->delivered += kept ? payload : 0;
    peer->acked = segment->acknowledgment;
    return true;
}

#endif
