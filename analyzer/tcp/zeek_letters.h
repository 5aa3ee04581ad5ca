/*
 * zeek_letters: the history of a zeek_view, letter by letter.
 */
#ifndef LASTACK_TCP_ZEEK_LETTERS_H
#define LASTACK_TCP_ZEEK_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "zeek.h"

/* Numbers the letters, 5 bits: 0 is '^', then the upper and, one above, the lower case of each. */
enum zeek_letter {
    LETTER_FLIP = 0,
    LETTER_SYN = 1,
    LETTER_SYN_ACK = 3,
    LETTER_ACK = 5,
    LETTER_DATA = 7,
    LETTER_FIN = 9,
    LETTER_RST = 11,
    LETTER_CHECKSUM = 13,
    LETTER_GAP = 15,
    LETTER_RETRANSMISSION = 17,
    LETTER_ZERO_WINDOW = 19,
    LETTER_INCONSISTENT = 21, /* FIN and RST at once */
    LETTER_MULTI_FLAG = 23,   /* SYN and one of FIN, RST at once */
};

/* Letters that are written at their first appearance (bits of zeek_end.seen). */
enum zeek_seen {
    SEEN_SYN = 0x01,
    SEEN_FIN = 0x02,
    SEEN_RST = 0x04,
    SEEN_FIN_RST = 0x08,
    SEEN_DATA = 0x10,
    SEEN_ACK = 0x20,
    SEEN_MULTI_FLAG = 0x40,
};

/* Appends a letter; 42 of them, six to a word, five bits each, cost 28 octets in every flow. */
static inline void zeek_letters_put(struct zeek_view *view, uint32_t letter)
{
    if (view->letter_count == ZEEK_LETTERS)
        return;
    uint32_t shift = view->letter_count % ZEEK_LETTERS_PER_WORD * ZEEK_LETTER_BITS;
    view->letters[view->letter_count / ZEEK_LETTERS_PER_WORD] |= letter << shift;
    view->letter_count++;
}

/* Appends '^'. */
void zeek_letters_add_flip(struct zeek_view *view);

/* The same for a segment of end `from`: upper case if that is the originator. */
void zeek_letters_add(struct zeek_view *view, int from, enum zeek_letter letter);

/* Appends a letter on Zeek's logarithmic scale: when `count` is 1, 10, 100, ... */
void zeek_letters_add_scaled(struct zeek_view *view, int from, enum zeek_letter letter,
                             uint32_t count);

/* Whether there is a letter for each number: in a state that somebody wrote there may be none. */
bool zeek_letters_are_letters(const struct zeek_view *view);

/* Whether the history is "H": the originator sent a SYN-ACK, and nothing else happened. */
bool zeek_letters_are_lone_syn_ack(const struct zeek_view *view);

/* Rewrites a lone "H" as "^h", what it would be had the roles been known. */
void zeek_letters_flip_syn_ack(struct zeek_view *view);

/*
 * Whether the originator sent an RST after its SYN and before any sign of life but SYNs, data
 * and the responder's letters: conn.log's pattern ^?S[^HAFGIQ]*R for RSTOS0.
 */
bool zeek_letters_show_syn_then_rst(const struct zeek_view *view);

#endif
