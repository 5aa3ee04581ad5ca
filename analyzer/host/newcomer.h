/*
 * newcomer: a source, or a pair, of which one SYN came and nothing else but its end, kept as that:
 * in one line of cache instead of the four of an entry.
 *
 * Of a flood from invented addresses nearly all are.  Whatever else comes makes an entry of it,
 * which is then what it would be if it had been one from the beginning.
 */
#ifndef LASTACK_HOST_NEWCOMER_H
#define LASTACK_HOST_NEWCOMER_H

#include "census_count.h"

/* Who stands at a place of a row. */
enum newcomer_is {
    PLACE_OF_NOBODY,   /* who stood there has left */
    PLACE_OF_NEWCOMER, /* of whom nothing is known but what is here */
    PLACE_OF_ENTRY
};

enum newcomer_stage {
    NEWCOMER_OPENING,
    NEWCOMER_ENDED, /* unanswered */
    NEWCOMER_CUT    /* still unanswered as the capture ended */
};

struct newcomer {
    struct census_key key;
    uint32_t tag;
    nanotime opened, last;
    uint32_t entry; /* PLACE_OF_ENTRY: its index */
    uint16_t first_port;
    uint8_t is, stage; /* enum newcomer_is, enum newcomer_stage */
};

_Static_assert(sizeof(struct newcomer) == 64, "a cache line");

/* Whether an entry that a delta makes would hold no more than its SYN. */
static inline bool newcomer_fits(const struct delta *delta)
{
    return delta->what == DELTA_OPENED && delta->after[CLIENT] == HOLDING_OPENING &&
           delta->after[SERVER] == HOLDING_NOTHING && delta->from == CLIENT && delta->packet != 0;
}

/* Counts what comes after the SYN; false: only an entry can. */
bool newcomer_take(struct newcomer *newcomer, const struct census_change *change);

/* The entry that it would be; not in the pool, and without its index. */
void newcomer_become(const struct newcomer *newcomer, struct census_entry *ret_entry);

#endif
