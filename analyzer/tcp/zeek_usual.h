/*
 * zeek_usual: the segments that open and end nearly every connection, as a view takes them, in one
 * go.  What they do is what the steps of zeek_view_packet_fully() do; a test compares the two.  One
 * that is not where it belongs goes through all the steps.  Inline, since who takes a connection's
 * course knows which one a segment is: none has payload, a cut header, or a window of 0.
 *
 * Numbers are compared as such, not on the circle: where one passes 2^32 the steps count it.
 */
#ifndef LASTACK_TCP_ZEEK_USUAL_H
#define LASTACK_TCP_ZEEK_USUAL_H

#include "zeek.h"
#include "zeek_letters.h"

static inline bool zeek_usual_is_silent(const struct zeek_end *end)
{
    return end->state == ZEEK_INACTIVE && !end->heard && end->seen == 0;
}

static inline bool zeek_usual_speaks(const struct zeek_end *end)
{
    return end->heard && end->state != ZEEK_INACTIVE && end->state != ZEEK_RESET;
}

static inline void zeek_usual_move(struct zeek_end *end, enum zeek_state state)
{
    end->previous = end->state;
    end->state = state;
}

/* The first letter of that kind, written. */
static inline void zeek_usual_write(struct zeek_view *view, int from, enum zeek_seen seen,
                                    enum zeek_letter letter)
{
    view->end[from].seen |= seen;
    zeek_letters_put(view, (uint32_t)letter + (from != view->originator));
}

static inline void zeek_usual_begin(struct zeek_end *end, const struct segment *segment)
{
    end->start = end->acked = segment->sequence;
    end->last = segment->sequence + 1;
    end->syn_at = 0;
    end->heard = 1;
}

/* What the other end acknowledges of the stream of `end`, no hole of which is covered by it. */
static inline bool zeek_usual_is_acknowledged(const struct zeek_end *end, seq acknowledgment)
{
    uint32_t relative = acknowledgment - end->start;
    bool beyond = end->fin && seq_after(relative, end->fin_at); /* the FIN is no part of it */
    return acknowledgment >= end->acked && end->acked >= end->start && end->hidden == 0 &&
           acknowledgment - end->acked <= INT32_MAX &&
           seq_at_or_before(beyond ? end->fin_at : relative, end->delivered);
}

static inline bool zeek_usual_is_in_order(const struct zeek_view *view,
                                          const struct segment *segment, int from)
{
    const struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];
    return zeek_usual_speaks(end) && zeek_usual_speaks(peer) && view->letter_count > 1 &&
           segment->sequence == end->last &&
           zeek_usual_is_acknowledged(peer, segment->acknowledgment);
}

/* A SYN. */
static inline void zeek_usual_syn(struct zeek_view *view, const struct segment *segment, int from)
{
    if (segment->window == 0 || from != view->originator || !zeek_usual_is_silent(&view->end[0]) ||
        !zeek_usual_is_silent(&view->end[1]) || view->partial || view->letter_count > 0) {
        zeek_view_packet_fully(view, segment, from);
        return;
    }
    zeek_usual_begin(&view->end[from], segment);
    zeek_usual_write(view, from, SEEN_SYN, LETTER_SYN);
    zeek_usual_move(&view->end[from], ZEEK_SYN_SENT);
}

static inline void zeek_usual_synack(struct zeek_view *view, const struct segment *segment,
                                     int from)
{
    struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];
    if (segment->window == 0 || from == view->originator || !zeek_usual_is_silent(end) ||
        view->partial || peer->state != ZEEK_SYN_SENT || peer->fin ||
        !zeek_usual_is_acknowledged(peer, segment->acknowledgment)) {
        zeek_view_packet_fully(view, segment, from);
        return;
    }
    zeek_usual_begin(end, segment);
    zeek_usual_write(view, from, SEEN_SYN, LETTER_SYN_ACK);
    peer->acked = segment->acknowledgment;
    zeek_usual_move(peer, ZEEK_ESTABLISHED);
    zeek_usual_move(end, ZEEK_ESTABLISHED);
}

/* A pure ACK. */
static inline void zeek_usual_ack(struct zeek_view *view, const struct segment *segment, int from)
{
    if (!zeek_usual_is_in_order(view, segment, from)) {
        zeek_view_packet_fully(view, segment, from);
        return;
    }
    if ((view->end[from].seen & SEEN_ACK) == 0)
        zeek_usual_write(view, from, SEEN_ACK, LETTER_ACK);
    view->end[1 - from].acked = segment->acknowledgment;
}

/* A FIN with an acknowledgment. */
static inline void zeek_usual_fin(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from];
    if (segment->payload > 0 || !zeek_usual_is_in_order(view, segment, from) ||
        end->state != ZEEK_ESTABLISHED || end->fin || (end->seen & SEEN_FIN) != 0 ||
        segment->sequence + 1 == 0) {
        zeek_view_packet_fully(view, segment, from);
        return;
    }
    zeek_usual_write(view, from, SEEN_FIN, LETTER_FIN);
    end->fin = 1;
    end->fin_at = segment->sequence - end->start;
    end->last = segment->sequence + 1;
    view->end[1 - from].acked = segment->acknowledgment;
    zeek_usual_move(end, ZEEK_CLOSED);
}

#endif
