/*
 * ladder_book: what ladders are drawn from, gathered from the records as they come.
 *
 * A ladder holds everything between two ends (addresses, ports, VLANs and tunnel), so that an
 * incarnation stands above the next one.  Its left side is the client of the first record; a later
 * incarnation that the other end opened is turned to fit, and says so at its boundary.
 */
#ifndef LASTACK_SINK_LADDER_BOOK_H
#define LASTACK_SINK_LADDER_BOOK_H

#include "sinks.h"

enum { LEFT = 0, RIGHT = 1 };

/* A segment record, without what every segment of the incarnation has in common. */
struct ladder_segment {
    uint64_t packet; /* with taps: a place, see ladder_place */
    uint64_t at[2];  /* with taps: where those at the ends of its way have it, the sender's first;
                        0: nowhere */
    uint64_t fated;  /* with taps: where it was seen beside what became of it */
    nanotime t;
    nanotime delay, held;       /* between the taps; NANOTIME_UNKNOWN */
    uint32_t seq, ack, payload; /* relative where that is known, else absolute */
    uint32_t window;            /* scaled */
    uint32_t life;              /* index into the ladder's lives */
    uint8_t flags, from;
    bool seq_known, ack_known;
    uint8_t after[2], basis[2]; /* enum tcp_state, enum basis; [LEFT], [RIGHT] */
    uint8_t verdict;            /* enum segment_verdict */
    uint8_t fate;               /* enum path_fate; PATH_FATES: there is one tap */
    uint8_t confidence;         /* of the fate */
    uint8_t pole[2], hops;      /* the taps at the ends of its way; pairs of taps on it */
    uint8_t tap[2];             /* its fate: where it left, and where it came to, or would have */
    bool left_seen;             /* tap[0] shows it */
    uint32_t folded;            /* quiet segments just before it that are not kept */
    uint64_t folded_octets[2];  /* their payload, by sender */
};

/* An incarnation. */
struct ladder_life {
    uint64_t flow_uid;
    uint32_t incarnation;
    bool turned; /* its client is on the right */
    bool ended;  /* the flow record came, and what follows is known */
    enum close_kind close_kind;
    struct history_record *history[2]; /* owned; [LEFT], [RIGHT] */
    uint32_t history_count[2];
    bool time_wait[2];
    nanotime time_wait_until;
    uint64_t time_wait_restarts;
};

/* What an event says of a packet. */
struct ladder_note {
    uint64_t packet; /* with taps: a place */
    enum level level;
    enum event_id id;
    char says[160];
};

struct ladder {
    struct flow_identity who;        /* of the first record */
    const struct tap_names *taps;    /* not owned; NULL: there is one tap */
    uint64_t number;                 /* from 1, in the order of first records */
    enum level worst;                /* of its notes; 0: no event that was asked for */
    bool kept, touched, vacant;      /* not forgotten; written to lately; forgotten, all is empty */
    struct ladder_segment *segments; /* owned */
    size_t segment_count, segment_room;
    struct ladder_life *lives; /* owned */
    uint32_t life_count;
    struct ladder_note *notes; /* owned; by packet, then in the order of the events */
    uint32_t note_count, note_room;
};

/* A packet of one of several taps: their numbers begin anew. */
enum { LADDER_PLACE_BITS = 56 };

static inline uint64_t ladder_place(int tap, uint64_t packet)
{
    return packet == 0 ? 0 : (uint64_t)tap << LADDER_PLACE_BITS | packet;
}

static inline uint64_t ladder_packet(uint64_t place)
{
    return place & ((UINT64_C(1) << LADDER_PLACE_BITS) - 1);
}

static inline int ladder_tap(uint64_t place)
{
    return (int)(place >> LADDER_PLACE_BITS);
}

struct ladder_book;

/* Whether a segment, after another, is nothing but data or an acknowledgment that moves nothing. */
bool ladder_segment_is_quiet(const struct ladder_segment *before,
                             const struct ladder_segment *segment);

/*
 * A recent book forgets, when it is full, what was not written to lately and has no event, then
 * what has lesser events; any other takes nothing new then.  It is full with so many ladders, 0 for
 * the default.  NULL: out of memory.
 */
struct ladder_book *ladder_book_new(const struct ladder_choice *choice, bool recent, uint32_t most);

/* Octets that a ladder takes, as most are. */
enum { LADDER_OCTETS = 3328 };

/* There are several taps, whose names are not owned. */
void ladder_book_name_taps(struct ladder_book *book, const struct tap_names *taps);

/* Each takes what belongs to the chosen connections; NO_MEMORY only. */
enum status ladder_book_segment(struct ladder_book *book, const struct segment_record *segment);
enum status ladder_book_flow(struct ladder_book *book, const struct flow_record *flow);
enum status ladder_book_event(struct ladder_book *book, const struct event_record *event);

/* The ladder of a connection will be needed. */
void ladder_book_keep(struct ladder_book *book, const struct flow_identity *who);

/*
 * Those that were not chosen, or forgotten, among them, without segments.  Until any is forgotten,
 * in the order of their numbers.
 */
const struct ladder *ladder_book_list(const struct ladder_book *book, uint32_t *ret_count);

/* The ladder of a connection; NULL: there is none.  Valid until the next record. */
const struct ladder *ladder_book_find(const struct ladder_book *book,
                                      const struct flow_identity *who);

/* Whether the connection is the one that was chosen; true for all where none was. */
bool ladder_book_chose(const struct ladder_book *book, const struct ladder *ladder);

/* Segments and connections for which there was no room. */
uint64_t ladder_book_left_out(const struct ladder_book *book);

void ladder_book_free(struct ladder_book *book); /* accepts NULL */

#endif
