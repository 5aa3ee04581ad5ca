/*
 * zeek_usual: see zeek_usual.h.  Numbers are compared as such, not on the circle: where one passes
 * 2^32 the steps count it.
 */
#include "zeek_usual.h"

#include "zeek_letters.h"

enum { CONTROL = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK };

static bool is_silent(const struct zeek_end *end)
{
    return end->state == ZEEK_INACTIVE && !end->heard && end->seen == 0;
}

static void move(struct zeek_end *end, enum zeek_state state)
{
    end->previous = end->state;
    end->state = state;
}

/* The first letter of that kind, written. */
static void write(struct zeek_view *view, int from, enum zeek_seen seen, enum zeek_letter letter)
{
    view->end[from].seen |= seen;
    zeek_letters_add(view, from, letter);
}

static void begin(struct zeek_end *end, const struct segment *segment)
{
    end->start = end->acked = segment->sequence;
    end->last = segment->sequence + 1;
    end->syn_at = 0;
    end->heard = 1;
}

/* What the other end acknowledges of the stream of `end`, no hole of which is covered by it. */
static inline bool is_acknowledged(const struct zeek_end *end, seq acknowledgment)
{
    uint32_t relative = acknowledgment - end->start;
    bool beyond = end->fin && seq_after(relative, end->fin_at); /* the FIN is no part of it */
    return acknowledgment >= end->acked && end->acked >= end->start && end->hidden == 0 &&
           acknowledgment - end->acked <= INT32_MAX &&
           seq_at_or_before(beyond ? end->fin_at : relative, end->delivered);
}

static bool take_syn(struct zeek_view *view, const struct segment *segment, int from)
{
    if (from != view->originator || !is_silent(&view->end[0]) || !is_silent(&view->end[1]) ||
        view->partial || view->letter_count > 0)
        return false;
    begin(&view->end[from], segment);
    write(view, from, SEEN_SYN, LETTER_SYN);
    move(&view->end[from], ZEEK_SYN_SENT);
    return true;
}

static bool take_syn_ack(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];

    if (from == view->originator || !is_silent(end) || view->partial ||
        peer->state != ZEEK_SYN_SENT || peer->fin ||
        !is_acknowledged(peer, segment->acknowledgment))
        return false;
    begin(end, segment);
    write(view, from, SEEN_SYN, LETTER_SYN_ACK);
    peer->acked = segment->acknowledgment;
    move(peer, ZEEK_ESTABLISHED);
    move(end, ZEEK_ESTABLISHED);
    return true;
}

static inline bool is_in_order(const struct zeek_view *view, const struct segment *segment,
                               int from)
{
    const struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];

    return end->heard && peer->heard && end->state != ZEEK_INACTIVE && end->state != ZEEK_RESET &&
           peer->state != ZEEK_INACTIVE && peer->state != ZEEK_RESET && view->letter_count > 1 &&
           segment->sequence == end->last && is_acknowledged(peer, segment->acknowledgment);
}

static bool take_ack(struct zeek_view *view, const struct segment *segment, int from)
{
    if (!is_in_order(view, segment, from))
        return false;
    if ((view->end[from].seen & SEEN_ACK) == 0)
        write(view, from, SEEN_ACK, LETTER_ACK);
    view->end[1 - from].acked = segment->acknowledgment;
    return true;
}

static bool take_fin(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from];

    if (!is_in_order(view, segment, from) || end->state != ZEEK_ESTABLISHED || end->fin ||
        (end->seen & SEEN_FIN) != 0 || segment->sequence + 1 == 0)
        return false;
    write(view, from, SEEN_FIN, LETTER_FIN);
    end->fin = 1;
    end->fin_at = segment->sequence - end->start;
    end->last = segment->sequence + 1;
    view->end[1 - from].acked = segment->acknowledgment;
    move(end, ZEEK_CLOSED);
    return true;
}

static bool take(struct zeek_view *view, const struct segment *segment, int from)
{
    if (segment->payload > 0 || segment->window == 0 || (segment->options & OPTION_CUT) != 0)
        return false;
    switch (segment->flags & CONTROL) {
    case TCP_SYN:
        return take_syn(view, segment, from);
    case TCP_SYN | TCP_ACK:
        return take_syn_ack(view, segment, from);
    case TCP_ACK:
        return take_ack(view, segment, from);
    case TCP_FIN | TCP_ACK:
        return take_fin(view, segment, from);
    default:
        return false;
    }
}

void zeek_usual_packet(struct zeek_view *view, const struct segment *segment, int from)
{
    if (!take(view, segment, from))
        zeek_view_packet_fully(view, segment, from);
}
