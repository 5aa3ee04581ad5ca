/*
 * pieces: results of pieces of a capture that were analysed apart, NDJSON with tapes (--piece), in
 * the order of the capture.
 *
 * A connection on a tuple that has a tape is told by the tapes, analysed again; all others are
 * passed on as they are, but for the numbers of packets, which count on from piece to piece.
 */
#ifndef LASTACK_SINK_PIECES_H
#define LASTACK_SINK_PIECES_H

#include <stdio.h>

#include "../event/sink.h"
#include "../event/told.h"

struct pieces;

/* A tape of a piece. */
struct piece_tape {
    uint8_t *octets;
    size_t count;
    uint32_t piece;          /* from 0 */
    uint64_t packets_before; /* in the pieces before */
    nanotime clock_before;   /* their latest packet; INT64_MIN + 1 before the first */
};

/*
 * Reads the tapes and summaries of all files; names must outlive *ret_pieces.  On failure returns
 * NOT_FOUND, DENIED, UNREADABLE or NO_MEMORY, and a message (MESSAGE_SIZE octets) that names the
 * file and what to do.
 */
enum status pieces_open(const char *const *names, size_t count, struct pieces **ret_pieces,
                        char *message);

const struct piece_tape *pieces_tapes(const struct pieces *pieces, uint32_t *ret_count);

/* A capture of these that begins before those in front of it end; NULL: none does. */
const char *pieces_out_of_order(const struct pieces *pieces);

/* The latest packet of all; NANOTIME_UNKNOWN: there is none. */
nanotime pieces_last(const struct pieces *pieces);

/* Where pieces_pass hands what it reads. */
struct pieces_taker {
    enum status (*line)(void *context, const char *text, size_t length); /* a record, spelled */
    enum status (*count)(void *context, const struct flow_record *flow);
    void *context;
};

/*
 * Hands on the records of connections without a tape, and the flow records, as far as dwell times
 * need them, to count.  As pieces_open, or what the taker returned.
 */
enum status pieces_pass(struct pieces *pieces, const struct pieces_taker *taker, char *message);

/* After pieces_pass: what the censuses of the pieces were told of these connections, one thing at a
 * time and in order; *ret_any false at the end.  As pieces_open. */
enum status pieces_next_told(struct pieces *pieces, struct told *ret_told, bool *ret_any,
                             char *message);

/* After pieces_pass: adds what the pieces hold and what was passed on to the summary of the replay,
 * which names inputs and words as long as pieces lives. */
void pieces_add_to(const struct pieces *pieces, struct run_summary *summary);

void pieces_free(struct pieces *pieces); /* accepts NULL */

#endif
