/*
 * sources: which addresses sent most of the SYNs of a flood, in bounded room.
 *
 * Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
 * Streams", 2005 (Space-Saving): a newcomer takes the place of the least, and its count with it.
 * So what is counted may be too much by what it took over, and an address that sent more than one
 * in SOURCES of all is among them.
 */
#ifndef LASTACK_HOST_SOURCES_H
#define LASTACK_HOST_SOURCES_H

#include "worst.h"

enum { SOURCES = 16 };

struct source_of {
    uint8_t address[16];
    struct census_ref latest; /* SYN */
};

/* Of the same index: one address.  Those without any SYN stand last. */
struct sources {
    uint64_t hash[SOURCES];
    uint32_t syns[SOURCES], taken_over[SOURCES];
    struct source_of source[SOURCES];
};

/* Counts a SYN of an address with that hash; ref names its packet. */
void sources_count(struct sources *sources, const uint8_t *address, uint64_t hash,
                   const struct census_ref *ref);

/* How many SYNs the address of an index sent for certain. */
uint32_t sources_least(const struct sources *sources, int index);

/*
 * The indices of those that sent at least `least` for certain, those with most first, equals in the
 * order of their addresses; at most WORST_TOLD.  Returns how many there are.
 */
int sources_most(const struct sources *sources, uint32_t least, int *ret_index);

#endif
