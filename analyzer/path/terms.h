/*
 * terms: a crossing between two taps, in the terms of the first tap of all.
 *
 * A pair speaks in the terms of its own first tap: its tuple and sequence numbers.  A connection's
 * records and events are in those of the first tap of the command line, which another pair knows,
 * that of the two.
 */
#ifndef LASTACK_PATH_TERMS_H
#define LASTACK_PATH_TERMS_H

#include "order.h"

/* How a tap shows a connection, beside the first tap. */
struct terms {
    struct flow_key key; /* as the first tap has it, or else as this one does */
    bool turned;         /* this tap's end 0 is end 1 there */
    uint32_t
        shift[ENDS]; /* this tap's sequence numbers less the first one's, by the first's ends */
};

/*
 * The terms of a crossing that this pair decided, and that is in those of its first tap that shows
 * the connection.  `pairs` are those of the table, in its order.
 */
struct terms terms_of(const struct pair_table *table, const struct pair *pairs, uint32_t number,
                      const struct crossing *crossing);

/* Puts the crossing's tuple, ends and shifts into the first tap's terms. */
void terms_apply(const struct terms *terms, struct crossing *crossing);

/*
 * A crossing that is in the first tap's terms by now, as a pair with the first tap would have it
 * that shows its segment at its second tap alone: for who asks whose it is.
 */
struct crossing terms_from_afar(const struct terms *terms, const struct crossing *crossing);

#endif
