/*
 * zeek: what Zeek's conn.log says of a connection.
 *
 * One segment goes through the steps of Zeek's TCPSessionAdapter::Process in its order, which
 * matters: letters are written before states move, and a gap is judged after.  The parts have
 * files of their own: zeek_letters the history, zeek_numbers the sequence numbers, zeek_moves the
 * states, zeek_stream the holes.
 */
#include "zeek.h"

#include <string.h>

#include "zeek_follow.h"
#include "zeek_letters.h"
#include "zeek_moves.h"
#include "zeek_numbers.h"
#include "zeek_stream.h"

_Static_assert(sizeof(struct zeek_view) <= 128, "a view is two cache lines");

/* What the counters of 20 bits hold. */
enum { MOST_COUNTED = 0xfffff };

/*
 * Zeek's likely_server_ports, TCP: the ports its base scripts register for their analyzers.
 * Policy scripts and site configuration may add to them.
 */
static const uint16_t server_ports[] = {
    /* clang-format off */
    21, 2811,                                    /* ftp */
    22,                                          /* ssh */
    25, 587,                                     /* smtp */
    53,                                          /* dns */
    79,                                          /* finger */
    80, 81, 631, 1080, 3128, 8000, 8080, 8888,   /* http, and socks at 1080 */
    88,                                          /* krb */
    135,                                         /* dce-rpc */
    139, 445,                                    /* smb */
    143,                                         /* imap */
    389, 3268,                                   /* ldap */
    443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223, /* ssl */
    502,                                         /* modbus */
    1434, 3306,                                  /* mysql */
    1883,                                        /* mqtt */
    3389,                                        /* rdp */
    5222, 5269,                                  /* xmpp */
    5432,                                        /* postgresql */
    6379,                                        /* redis */
    6666, 6667, 6668, 6669,                      /* irc */
    20000,                                       /* dnp3 */
    /* clang-format on */
};

/* One segment on its way through the steps. */
struct reading {
    struct zeek_view *view;
    struct zeek_end *end, *peer; /* who sent it, and the other */
    const struct segment *segment;
    int from;
    uint8_t flags;
    uint32_t relative;     /* its number, relative to end->start */
    bool underflow;        /* and that lies before the start */
    uint32_t acknowledged; /* relative to peer->start; 0: before it */
};

static bool port_is_likely_server(uint16_t port)
{
    for (size_t i = 0; i < sizeof server_ports / sizeof *server_ports; i++)
        if (server_ports[i] == port)
            return true;
    return false;
}

/* Zeek's TCPAnalyzer::WantConnection: whether the first segment comes from the responder. */
static bool first_segment_flips(const struct segment *first)
{
    bool syn = first->flags & TCP_SYN, ack = first->flags & TCP_ACK;

    if (syn && !ack)
        return false;
    if (!port_is_likely_server(first->source_port))
        return false;
    if (!port_is_likely_server(first->destination_port))
        return true;
    /* Both are: a SYN-ACK may be a stealth scan; else the lower port is the server. */
    return !syn && first->source_port < first->destination_port;
}

/* Writes the letter the first time; returns whether it had been written before. */
static bool history_check(struct reading *r, enum zeek_seen seen, enum zeek_letter letter)
{
    if (r->end->seen & seen)
        return true;
    r->end->seen |= seen;
    zeek_letters_add(r->view, r->from, letter);
    return false;
}

/* Writes a letter that repeats for each other number, and remembers the number. */
static void history_check_at(struct reading *r, enum zeek_seen seen, enum zeek_letter letter,
                             uint32_t at, uint32_t *last)
{
    if (history_check(r, seen, letter) && at != *last)
        zeek_letters_add(r->view, r->from, letter);
    *last = at;
}

/*
 * A lone SYN-ACK may be a stealth scan; an ACK or data of either end after it shows a connection
 * whose SYN was missed: the roles change, as though they had from the beginning.
 */
static void flip_after_syn_ack(struct reading *r)
{
    struct zeek_view *view = r->view;

    if (!zeek_letters_are_lone_syn_ack(view))
        return;
    zeek_moves_answer(&view->end[view->originator]);
    view->originator = (uint8_t)(1 - view->originator);
    view->partial = 0;
    zeek_letters_flip_syn_ack(view);
}

static void read_partial(struct reading *r)
{
    bool syn = r->flags & TCP_SYN, ack = r->flags & TCP_ACK;

    if (r->end->heard)
        return;
    if (r->from == r->view->originator)
        r->view->partial = !syn || ack;
    else if (!r->view->partial)
        r->view->partial = !syn;
}

static void read_history(struct reading *r)
{
    struct zeek_end *end = r->end;
    bool ack = r->flags & TCP_ACK;

    switch (r->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
    case 0:
        if (r->segment->payload == 0 && !ack)
            return;
        flip_after_syn_ack(r);
        if (r->segment->payload > 0)
            history_check(r, SEEN_DATA, LETTER_DATA);
        else
            history_check(r, SEEN_ACK, LETTER_ACK);
        return;
    case TCP_SYN:
        history_check_at(r, SEEN_SYN, ack ? LETTER_SYN_ACK : LETTER_SYN, r->relative, &end->syn_at);
        return;
    case TCP_FIN:
        history_check_at(r, SEEN_FIN, LETTER_FIN, r->relative + r->segment->payload, &end->fin_at);
        return;
    case TCP_RST:
        history_check_at(r, SEEN_RST, LETTER_RST, r->relative, &end->rst_at);
        return;
    case TCP_SYN | TCP_FIN:
    case TCP_SYN | TCP_RST:
        history_check(r, SEEN_MULTI_FLAG, LETTER_MULTI_FLAG);
        return;
    default:
        history_check(r, SEEN_FIN_RST, LETTER_INCONSISTENT);
    }
}

/* A zero window is dull in or after an RST, and when the other end has nothing more to send. */
static void read_window(struct reading *r)
{
    if (r->segment->window != 0 || r->flags & TCP_RST)
        return;
    if (r->peer->state == ZEEK_CLOSED || r->end->state == ZEEK_RESET)
        return;
    if (r->end->windows == UINT16_MAX)
        return;
    r->end->windows++;
    zeek_letters_add_scaled(r->view, r->from, LETTER_ZERO_WINDOW, r->end->windows);
}

static void read_fin(struct reading *r)
{
    if (!(r->flags & TCP_FIN))
        return;
    r->end->fin = 1;
    r->end->fin_at = r->relative + zeek_numbers_length(r->segment) - 1;
}

static void read_acknowledgment(struct reading *r)
{
    struct zeek_end *peer = r->peer;
    seq number = r->segment->acknowledgment;

    if (!(r->flags & TCP_ACK))
        return;
    if (peer->state == ZEEK_INACTIVE) {
        zeek_numbers_start_silent(peer, number);
        r->acknowledged = 1;
        return;
    }
    if (zeek_numbers_ack_underflows(peer, number))
        return;
    r->acknowledged = number - peer->start;
    if (!(r->flags & TCP_RST))
        zeek_numbers_acknowledge(peer, number);
}

/* Payload without new numbers was sent before. */
static void read_numbers(struct reading *r)
{
    if (!zeek_numbers_advance(r->end, r->segment))
        return;
    if (r->end->retransmissions == MOST_COUNTED)
        return;
    r->end->retransmissions++;
    zeek_letters_add_scaled(r->view, r->from, LETTER_RETRANSMISSION, r->end->retransmissions);
}

/* Octets of that end were acknowledged that Zeek had not seen. */
static void add_gap(struct zeek_view *view, int from)
{
    struct zeek_end *end = &view->end[from];

    if (end->gaps == UINT16_MAX)
        return;
    end->gaps++;
    zeek_letters_add_scaled(view, from, LETTER_GAP, end->gaps);
}

/* Holes that the acknowledgment covers are gaps, unless the connection is half known or reset. */
static void read_gaps(struct reading *r)
{
    struct zeek_end *peer = r->peer;

    if (!(r->flags & TCP_ACK))
        return;
    uint32_t holes = zeek_stream_acknowledged(peer, r->acknowledged, r->view->partial);
    if (holes == 0)
        return;
    if (!zeek_moves_is_clean(r->end) || !zeek_moves_is_clean(peer))
        return;
    for (; holes > 0 && peer->gaps < UINT16_MAX; holes--)
        add_gap(r->view, 1 - r->from);
}

/* Payload that the capture cut is not there for Zeek: acknowledged, it is a gap. */
static void read_data(struct reading *r)
{
    const struct segment *segment = r->segment;

    if (segment->payload == 0 || segment->cut || r->underflow || r->flags & TCP_RST)
        return;
    zeek_stream_data(r->end, r->relative + (r->flags & TCP_SYN ? 1 : 0), segment->payload);
}

void zeek_view_start(struct zeek_view *view, const struct segment *first, int from)
{
    memset(view, 0, sizeof *view);
    view->first = (uint8_t)from;
    view->originator = (uint8_t)from;
    for (int i = 0; i < ZEEK_ENDS; i++)
        view->end[i].delivered = 1;
    if (!first_segment_flips(first))
        return;
    view->originator = (uint8_t)(1 - from);
    zeek_letters_add_flip(view);
}

bool zeek_view_is_in_the_middle(const struct zeek_view *view, int from)
{
    const struct zeek_end *end = view->end + from, *peer = view->end + 1 - from;

    return end->state == ZEEK_ESTABLISHED && end->wraps == 0 && end->heard == 1 &&
           end->given_up == 0 && end->hidden == 0 && end->island == end->island_end &&
           peer->state == ZEEK_ESTABLISHED && peer->ack_wraps == 0 && peer->given_up == 0 &&
           peer->hidden == 0 && peer->fin == 0 && peer->acked >= peer->start &&
           ((end->delivered | peer->delivered) & ZEEK_HALF) == 0;
}

void zeek_view_follow_letter(struct zeek_view *view, int from, enum zeek_seen seen,
                             enum zeek_letter letter)
{
    view->end[from].seen |= seen;
    zeek_letters_add(view, from, letter);
}

void zeek_view_follow_gap(struct zeek_view *view, int from, uint32_t acknowledged)
{
    view->end[from].delivered = acknowledged;
    add_gap(view, from);
}

void zeek_view_packet_fully(struct zeek_view *view, const struct segment *segment, int from)
{
    struct reading r = {
        .view = view,
        .end = &view->end[from],
        .peer = &view->end[1 - from],
        .segment = segment,
        .from = from,
        .flags = segment->flags,
    };

    /* Only these can change a state or the start of a stream: most segments are spared the calls.
     */
    bool rare = r.end->state == ZEEK_INACTIVE || r.flags & (TCP_SYN | TCP_FIN | TCP_RST);

    if (segment->options & OPTION_CUT)
        return;
    read_partial(&r);
    if (rare)
        zeek_numbers_start(r.end, segment);
    r.relative = segment->sequence - r.end->start;
    r.underflow = zeek_numbers_underflow(r.end, segment->sequence);
    read_history(&r);
    read_window(&r);
    read_fin(&r);
    read_acknowledgment(&r);
    read_numbers(&r);
    if (rare)
        zeek_moves_segment(view, segment, from);
    read_gaps(&r);
    r.end->heard = 1;
    read_data(&r);
}

void zeek_view_ordinary(struct zeek_view *view, const struct segment *segment, int from)
{
    if (!zeek_view_is_in_the_middle(view, from) || !zeek_view_follow(view, segment, from))
        zeek_view_packet_fully(view, segment, from);
}

void zeek_view_packet(struct zeek_view *view, const struct segment *segment, int from)
{
    bool plain = (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
                 segment->window != 0 && (segment->options & OPTION_CUT) == 0;
    if (plain)
        zeek_view_ordinary(view, segment, from);
    else
        zeek_view_packet_fully(view, segment, from);
}

void zeek_view_bad_checksum(struct zeek_view *view, int from)
{
    struct zeek_end *end = &view->end[from];

    if (end->checksums == MOST_COUNTED)
        return;
    end->checksums++;
    zeek_letters_add_scaled(view, from, LETTER_CHECKSUM, end->checksums);
}

int zeek_view_originator(const struct zeek_view *view)
{
    return view->originator;
}

bool zeek_view_flipped(const struct zeek_view *view)
{
    return view->originator != view->first;
}
