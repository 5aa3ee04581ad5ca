/*
 * tape: of a piece of a capture, the segments whose meaning the other pieces decide.
 *
 * A piece that is analysed alone does not know what its first connections were before, nor what
 * becomes of its last ones.  A tape keeps the segments of every tuple (and what ICMP said of it)
 * until the tuple is gone from the table and had begun, with a SYN, so late in the piece that
 * nothing before the piece could matter to it: 4MSL, TIME_WAIT and what follows it.  What is left
 * at the end is written, and analysed again with the tapes of the other pieces (lastack merge).
 *
 * Octets of a tape:  the tuple's key | items, one behind the other, by the tables of tape_state.def
 */
#ifndef LASTACK_TAPE_H
#define LASTACK_TAPE_H

#include "engine.h"

struct tape;

/* settles: 4MSL in ns.  NULL when memory ran out. */
struct tape *tape_new(nanotime settles);

/* The first packet of the piece passed then. */
void tape_begin(struct tape *tape, nanotime begin);

/* Keeps an item; NO_MEMORY is the only failure, after which what there was of its tuple stays. */
enum status tape_take(struct tape *tape, const struct engine_item *item);

/* The tuple is gone from the table: its segments are forgotten where nothing else can matter. */
void tape_settle(struct tape *tape, const struct flow_key *key, uint64_t hash);

/* Writes what is left of several tapes, in the order of first packets. */
enum status tapes_write(struct tape *const *tapes, uint32_t count, struct sink *sink);

/* Reads the key that a tape begins with, or an item behind it.  Returns how many octets it took; 0:
 * it is none. */
size_t tape_read_key(const uint8_t *octets, size_t count, struct flow_key *ret_key);
size_t tape_read(const struct flow_key *key, const uint8_t *octets, size_t count,
                 struct engine_item *ret_item);

void tape_free(struct tape *tape); /* accepts NULL */

#endif
