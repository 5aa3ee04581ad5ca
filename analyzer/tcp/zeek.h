/*
 * zeek: the two summaries of a TCP connection that Zeek's conn.log made common, conn_state ("SF",
 * "S0", "RSTO", ...) and history ("ShADadFf"), by the rules of Zeek's own code.
 *
 * A view is a small plain value beside a connection.  It keeps what Zeek keeps about the two ends,
 * and nothing of it flows back: Zeek's states are not those of RFC 9293, and its originator need
 * not be the client.  Sources: Zeek's TCPSessionAdapter.cc, TCP_Endpoint.cc, TCP_Reassembler.cc,
 * packet_analysis/protocol/tcp/TCP.cc and base/protocols/conn/main.zeek with default settings.
 *
 * Not imitated, on purpose:
 *  - Zeek's own cutting of a tuple into connections (a SYN with another number, 5 s after both
 *    closed, 5 s without an answer to a SYN, 5 minutes idle): one view is one incarnation of ours.
 *  - 'X' and 'x': an application analyzer of Zeek reached a limit.  Nothing here looks inside.
 * Approximate:
 *  - holes: one island of octets above the first hole, and a count of further holes inside it.
 *    The first 'g' is exact unless one of several holes at once stays open and others are filled.
 *  - a FIN repeats its letter by its number; that of a FIN in a segment with SYN or RST counts too.
 *  - counters: 'c' and 't' repeat up to a million, 'g' and 'w' up to ten thousand; at most
 *    ZEEK_LETTERS letters, where Zeek has no limit.
 *
 * Invariant: the end that started is end[first]; letters of end[originator] are upper case.
 */
#ifndef LASTACK_TCP_ZEEK_H
#define LASTACK_TCP_ZEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../dissect/dissect.h"
#include "../base/seq.h"

enum {
    ZEEK_ENDS = 2,
    ZEEK_LETTERS = 42,                    /* of history, at most */
    ZEEK_HISTORY_SIZE = ZEEK_LETTERS + 1, /* octets of the spelled history, NUL included */
    ZEEK_LETTERS_PER_WORD = 6,
    ZEEK_LETTER_BITS = 5,
};

/* States of an end, Zeek's TCP_ENDPOINT_...; conn_state is a function of two of them. */
enum zeek_state {
    ZEEK_INACTIVE,     /* nothing from it that counts */
    ZEEK_SYN_SENT,     /* originator: SYN */
    ZEEK_SYN_ACK_SENT, /* originator: SYN-ACK, no SYN before it */
    ZEEK_PARTIAL,      /* something, but no SYN */
    ZEEK_ESTABLISHED,
    ZEEK_CLOSED, /* FIN */
    ZEEK_RESET,  /* RST */
};

/*
 * One end and the stream it sends.  Numbers that Zeek keeps relative are relative to `start`, so
 * that they survive a change of it: the SYN is 0, the first octet 1.
 */
struct zeek_end {
    seq start; /* of its SYN; without one, one below its first octet */
    seq last;  /* one past what it sent, SYN and FIN included */
    seq acked; /* highest acknowledgment by the other end; start: none */
    /* relative to start: */
    uint32_t delivered;          /* first octet neither delivered in order nor given up as a gap */
    uint32_t island, island_end; /* octets received above the first hole; equal: none */
    uint32_t syn_at, fin_at, rst_at; /* of its latest SYN, RST, and octet of FIN */
    /* flags and counters: */
    uint32_t retransmissions : 20; /* 't' */
    uint32_t seen : 7;             /* letters that came once, enum zeek_seen */
    uint32_t hidden : 4;           /* holes inside the island, or left below delivered */
    uint32_t fin : 1;              /* it sent a FIN: fin_at holds */
    uint32_t checksums : 20;       /* 'c' */
    uint32_t state : 3;            /* enum zeek_state */
    uint32_t previous : 3;         /* the state before it */
    uint32_t wraps : 2;            /* times last passed 2^32, at most 3 */
    uint32_t ack_wraps : 2;        /* times acked did */
    uint32_t heard : 1;            /* it sent a segment */
    uint32_t given_up : 1;         /* its stream is no longer followed */
    uint32_t gaps : 16;            /* 'g' */
    uint32_t windows : 16;         /* 'w' */
};

struct zeek_view {
    struct zeek_end end[ZEEK_ENDS];
    uint32_t letters[ZEEK_LETTERS / ZEEK_LETTERS_PER_WORD]; /* history, 5 bits a letter */
    uint8_t letter_count;
    uint8_t first;      /* the end that sent the first segment */
    uint8_t originator; /* the end that Zeek calls orig */
    uint8_t partial;    /* 1: the beginning of the connection was missed */
};

/*
 * Starts the view of a connection whose first segment is `first`, sent by end `from` (0 or 1, the
 * caller's own numbering), and decides as Zeek does from flags and ports who the originator is.
 * The segment is not counted yet: hand it to zeek_view_packet() as well.
 */
void zeek_view_start(struct zeek_view *view, const struct segment *first, int from);

/*
 * Takes one segment that end `from` sent, the first included.  Its checksum is not looked at.  One
 * whose TCP header the capture cut (OPTION_CUT) is ignored, as Zeek does.
 */
void zeek_view_packet(struct zeek_view *view, const struct segment *segment, int from);

/*
 * The same of a segment with ACK, without SYN, FIN or RST, with a window, and a whole header: new
 * data or a new ACK in order, in the middle of a connection, takes a few comparisons.  Payload that
 * the capture cut is a gap as soon as it is acknowledged.
 */
void zeek_view_ordinary(struct zeek_view *view, const struct segment *segment, int from);

/*
 * Whether nothing is missing of what the segments of end `from` follow: zeek_view_follow()
 * (zeek_follow.h) may take them.  Holds until a segment is taken otherwise.
 */
bool zeek_view_is_in_the_middle(const struct zeek_view *view, int from);

/* The same without a short way for what is ordinary: a test compares the two. */
void zeek_view_packet_fully(struct zeek_view *view, const struct segment *segment, int from);

/*
 * Takes, instead, a segment of end `from` that is ignored for its wrong checksum: 'c' and no more.
 * Zeek does so unless ignore_checksums is set, also where an offload left the sum to the card
 * (CHECKSUM_PARTIAL), but never with a segment that the capture cut.
 */
void zeek_view_bad_checksum(struct zeek_view *view, int from);

/* The end that Zeek calls the originator; may change until the second segment. */
int zeek_view_originator(const struct zeek_view *view);

/* Whether the originator is not the sender of the first segment ('^' in the history). */
bool zeek_view_flipped(const struct zeek_view *view);

/* conn_state, one of S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH; static storage. */
const char *zeek_view_state(const struct zeek_view *view);

/*
 * Spells the history into `out` of `size` octets (ZEEK_HISTORY_SIZE holds any), NUL included;
 * what does not fit is left out.  Empty when no segment counted, where conn.log writes "-".
 */
void zeek_view_history(const struct zeek_view *view, char *out, size_t size);

#endif
