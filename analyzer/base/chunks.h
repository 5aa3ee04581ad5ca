/*
 * chunks: room for things of some hundred octets whose lengths differ, which come and go in great
 * numbers.  A chunk begins at a cache line and is a whole number of them long; given back, it waits
 * for the next one of its length.  All of it is returned at once, at the end.
 *
 * So what is held is at most the sum, over the lengths, of the most that was held of each.
 */
#ifndef LASTACK_BASE_CHUNKS_H
#define LASTACK_BASE_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

enum { CHUNKS_LINE = 64, CHUNKS_LENGTHS = 64, CHUNKS_MOST = CHUNKS_LINE * CHUNKS_LENGTHS };

struct chunks_slab;

struct chunks {
    void *freed[CHUNKS_LENGTHS]; /* by length less one, in lines: each points to the next */
    struct chunks_slab *slabs;   /* the newest first; owned */
    size_t left;                 /* octets of the newest that were never given out */
};

/* Room for so many octets, 1 to CHUNKS_MOST; NULL when memory ran out.  It is the owner's. */
void *chunks_take(struct chunks *chunks, size_t octets);

/* Gives back what chunks_take() gave for so many octets; NULL is fine. */
void chunks_give(struct chunks *chunks, void *chunk, size_t octets);

/* Frees all chunks, also those that were not given back.  An empty struct is zeroes. */
void chunks_clear(struct chunks *chunks);

#endif
