/*
 * pool: slots of one size in slabs, named by a 32-bit index.
 *
 * Slots are zeroed when taken (unless asked for unclear), never move, and are given back to a free
 * list; slabs are kept until the pool is cleared, and but for the first half MiB as many are taken
 * at once as fill a large page (huge.h).  Index 0 is never given out.
 */
#ifndef LASTACK_BASE_POOL_H
#define LASTACK_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "fetch.h"

enum { POOL_SLAB_BITS = 9, POOL_SLAB_SLOTS = 1 << POOL_SLAB_BITS };

struct pool {
    size_t slot_size; /* octets, a multiple of 64 */
    char **slabs;
    uint32_t slab_count, slab_capacity;
    uint32_t next;  /* first index never taken */
    uint32_t freed; /* head of the free list; 0 none */
    uint64_t taken; /* slots in use */
};

/* Prepares an empty pool of slots of at least slot_size octets. */
void pool_init(struct pool *pool, size_t slot_size);

/* Takes a slot; 0 when memory ran out.  The second leaves it as it was given back. */
uint32_t pool_take(struct pool *pool);
uint32_t pool_take_unclear(struct pool *pool);

void pool_give(struct pool *pool, uint32_t index);

static inline void *pool_at(const struct pool *pool, uint32_t index)
{
    return pool->slabs[index >> POOL_SLAB_BITS] +
           (size_t)(index & (POOL_SLAB_SLOTS - 1)) * pool->slot_size;
}

/* Asks for a slot that nobody has had, to be written soon: the one that is taken after so many
 * others, unless some were given back. */
static inline __attribute__((always_inline)) void pool_fetch_ahead(const struct pool *pool,
                                                                   uint32_t others)
{
    enum { LINE = 64 };
    uint32_t index = pool->next + others;
    if (pool->freed != 0 || index >> POOL_SLAB_BITS >= pool->slab_count)
        return;
    const char *slot = pool_at(pool, index);
    for (size_t at = 0; at < pool->slot_size; at += LINE)
        fetch_to_write(slot + at);
}

/* Octets held in slabs. */
uint64_t pool_bytes(const struct pool *pool);

void pool_clear(struct pool *pool);

#endif
