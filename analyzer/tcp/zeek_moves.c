/*
 * zeek_moves: a state per end, moved by what that end itself sends, and now and then by the other.
 *
 *      INACTIVE -SYN-> SYN_SENT -(peer's SYN-ACK)-> ESTABLISHED -FIN-> CLOSED
 *      INACTIVE -other-> PARTIAL ------------------------------- any -RST-> RESET
 *
 * A responder is ESTABLISHED at once with its SYN or SYN-ACK.
 */
#include "zeek_moves.h"

#include "../base/seq.h"
#include "zeek_letters.h"

static void end_move(struct zeek_end *end, enum zeek_state state)
{
    if (end->state == state)
        return;
    end->previous = end->state;
    end->state = state;
}

/* The responder's SYN or SYN-ACK.  A SYN after a lone SYN-ACK: the capture swapped the two. */
static void responder_syn(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];

    if (!(segment->flags & TCP_ACK) && peer->state == ZEEK_SYN_ACK_SENT) {
        view->partial = 0;
        view->originator = (uint8_t)from;
        zeek_letters_add_flip(view);
        end_move(peer, ZEEK_ESTABLISHED);
    }
    if (peer->state == ZEEK_SYN_SENT)
        end_move(peer, ZEEK_ESTABLISHED);
    end_move(end, ZEEK_ESTABLISHED);
}

/* The first segment of an end that is neither SYN nor FIN nor RST. */
static void inactive_other(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];
    bool answers = segment->flags & TCP_ACK && peer->state == ZEEK_ESTABLISHED;

    /* Some answer a SYN with an ACK before the SYN-ACK. */
    if (from != view->originator && segment->payload == 0 && peer->state == ZEEK_SYN_SENT)
        return;
    if (answers)
        view->partial = 0;
    end_move(end, answers ? ZEEK_ESTABLISHED : ZEEK_PARTIAL);
}

static void move_inactive(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from];
    bool syn = segment->flags & TCP_SYN, ack = segment->flags & TCP_ACK;

    if (syn && from == view->originator)
        end_move(end, ack ? ZEEK_SYN_ACK_SENT : ZEEK_SYN_SENT);
    else if (syn)
        responder_syn(view, segment, from);
    if (segment->flags & TCP_FIN)
        end_move(end, ZEEK_CLOSED);
    if (segment->flags & TCP_RST)
        end_move(end, ZEEK_RESET);
    if (end->state == ZEEK_INACTIVE)
        inactive_other(view, segment, from);
}

static void move_syn_sent(struct zeek_end *end, uint8_t flags)
{
    if (flags & TCP_FIN)
        end_move(end, ZEEK_CLOSED);
    if (flags & TCP_RST)
        end_move(end, ZEEK_RESET);
}

static void move_established(struct zeek_end *end, struct zeek_end *peer, uint8_t flags)
{
    bool lone_syn = (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

    if (lone_syn && end->state == ZEEK_PARTIAL && peer->state == ZEEK_INACTIVE)
        end_move(end, ZEEK_SYN_SENT);
    if (flags & TCP_RST) {
        end_move(end, ZEEK_RESET);
        return;
    }
    if (!(flags & TCP_FIN))
        return;
    end_move(end, ZEEK_CLOSED);
    /* The peer's RST after its FIN was a normal end after all. */
    if (peer->state == ZEEK_RESET && peer->previous == ZEEK_CLOSED)
        end_move(peer, ZEEK_CLOSED);
}

/* A reset after both FINs changes nothing. */
static void move_closed(struct zeek_end *end, const struct zeek_end *peer, uint8_t flags)
{
    if (flags & TCP_RST && peer->state != ZEEK_CLOSED)
        end_move(end, ZEEK_RESET);
}

/*
 * Zeek's TCP_Endpoint::Size() is 0: nothing but SYN and FIN was sent or acknowledged.  Zeek counts
 * in 64 bits and loses count where the ISS is 2^32 - 1; on the circle it does not matter.
 */
static bool end_sent_nothing(const struct zeek_end *end)
{
    uint32_t size = seq_later_of(end->last, end->acked) - end->start;
    return size <= 1U + end->fin;
}

static const char *state_after_responder_reset(const struct zeek_end *orig,
                                               const struct zeek_end *resp)
{
    switch ((enum zeek_state)orig->state) {
    case ZEEK_SYN_SENT:
    case ZEEK_SYN_ACK_SENT:
        return "REJ";
    case ZEEK_INACTIVE:
    case ZEEK_PARTIAL:
        return "RSTRH";
    case ZEEK_RESET:
        return end_sent_nothing(orig) && end_sent_nothing(resp) ? "REJ" : "RSTR";
    case ZEEK_ESTABLISHED:
    case ZEEK_CLOSED:
        return "RSTR";
    }
    return "RSTR";
}

static bool end_is_absent(const struct zeek_end *end)
{
    return end->state == ZEEK_INACTIVE || end->state == ZEEK_PARTIAL;
}

static const char *state_after_originator_reset(const struct zeek_view *view,
                                                const struct zeek_end *resp)
{
    if (!end_is_absent(resp))
        return "RSTO";
    return zeek_letters_show_syn_then_rst(view) ? "RSTOS0" : "OTH";
}

static const char *state_unclosed(const struct zeek_end *orig, const struct zeek_end *resp)
{
    if (orig->state == ZEEK_SYN_SENT && resp->state == ZEEK_INACTIVE)
        return "S0";
    if (orig->state == ZEEK_ESTABLISHED && resp->state == ZEEK_ESTABLISHED)
        return "S1";
    return "OTH";
}

void zeek_moves_segment(struct zeek_view *view, const struct segment *segment, int from)
{
    struct zeek_end *end = &view->end[from], *peer = &view->end[1 - from];

    switch ((enum zeek_state)end->state) {
    case ZEEK_INACTIVE:
        move_inactive(view, segment, from);
        return;
    case ZEEK_SYN_SENT:
    case ZEEK_SYN_ACK_SENT:
        move_syn_sent(end, segment->flags);
        return;
    case ZEEK_PARTIAL:
    case ZEEK_ESTABLISHED:
        move_established(end, peer, segment->flags);
        return;
    case ZEEK_CLOSED:
        move_closed(end, peer, segment->flags);
        return;
    case ZEEK_RESET:
        return;
    }
}

void zeek_moves_answer(struct zeek_end *end)
{
    end_move(end, ZEEK_ESTABLISHED);
}

bool zeek_moves_is_clean(const struct zeek_end *end)
{
    return end->state == ZEEK_ESTABLISHED ||
           (end->state == ZEEK_CLOSED && end->previous == ZEEK_ESTABLISHED);
}

const char *zeek_view_state(const struct zeek_view *view)
{
    const struct zeek_end *orig = &view->end[view->originator];
    const struct zeek_end *resp = &view->end[1 - view->originator];
    bool orig_closed = orig->state == ZEEK_CLOSED, resp_closed = resp->state == ZEEK_CLOSED;

    if (resp->state == ZEEK_RESET)
        return state_after_responder_reset(orig, resp);
    if (orig->state == ZEEK_RESET)
        return state_after_originator_reset(view, resp);
    if (orig_closed && resp_closed)
        return "SF";
    if (orig_closed)
        return end_is_absent(resp) ? "SH" : "S2";
    if (resp_closed)
        return end_is_absent(orig) ? "SHR" : "S3";
    return state_unclosed(orig, resp);
}
