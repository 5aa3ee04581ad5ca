/*
 * chunks: room for things of some hundred octets whose lengths differ, which come and go in great
 * numbers, the oldest about first.
 *
 * They stand one behind the other in slabs, each with four octets before it that lead to its slab:
 *
 *     oldest slab | . . . . | -> | x x . x | -> | x x x | free   newest slab
 *
 * A slab goes once all of its chunks were given back; nothing is put into the gap of one that went
 * alone.  What waits equally long, as nearly all does, so leaves whole slabs.  Once there are some,
 * a slab is a large page (huge.h).
 */
#ifndef LASTACK_BASE_CHUNKS_H
#define LASTACK_BASE_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHUNKS_LINE = 64,   /* slabs are aligned to it */
    CHUNKS_BEFORE = 4,  /* octets that lead from a chunk to its slab */
    CHUNKS_STEP = 8,    /* chunks are a multiple of it, with those, and aligned to it */
    CHUNKS_BEHIND = 32, /* octets behind any chunk that may be read, whatever stands there */
    CHUNKS_MOST = 4096,
    CHUNKS_SLAB = 1 << 18 /* octets of a small slab, its own line included */
};

struct chunks_slab;

struct chunks {
    struct chunks_slab *newest; /* owned, with those before it */
    struct chunks_slab *spare;  /* NULL, or one that is empty; owned */
    size_t used;                /* octets of the newest that were given out */
    uint64_t octets;            /* held in slabs */
};

/* Room for so many octets, 1 to CHUNKS_MOST; NULL when memory ran out.  It is the owner's. */
void *chunks_take(struct chunks *chunks, size_t octets);

/* Leaves the chunk that was taken last so many octets of those that it has: at first as many as it
 * may need, it is filled where it stays. */
void chunks_shorten(struct chunks *chunks, const void *chunk, size_t octets);

/* Octets of the slab that is taken next. */
size_t chunks_at_once(const struct chunks *chunks);

/* What such a chunk takes in a slab. */
size_t chunks_room(size_t octets);

/* Gives back what chunks_take() gave; NULL is fine. */
void chunks_give(struct chunks *chunks, void *chunk);

/* Frees all chunks, also those that were not given back.  An empty struct is zeroes. */
void chunks_clear(struct chunks *chunks);

#endif
