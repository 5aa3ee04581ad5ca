/* pool: see pool.h. */
#include "pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "huge.h"

enum { LINE = 64 /* octets of a cache line */ };

void pool_init(struct pool *pool, size_t slot_size)
{
    memset(pool, 0, sizeof(*pool));
    pool->slot_size = (slot_size + LINE - 1) / LINE * LINE;
    pool->next = 1;
}

/* The first few slabs, of so many octets, are taken one by one; then so many at once that they fill
 * a large page. */
enum { FEW = HUGE_PAGE / 4, LEAST_CAPACITY = 32 };

static size_t slab_octets(const struct pool *pool)
{
    return pool->slot_size * POOL_SLAB_SLOTS;
}

static uint32_t group_at(const struct pool *pool, uint32_t slab)
{
    const size_t octets = slab_octets(pool);
    return slab * octets < FEW ? 1 : (uint32_t)((HUGE_PAGE + octets - 1) / octets);
}

static bool pool_make_room(struct pool *pool, uint32_t slabs)
{
    uint32_t capacity = pool->slab_capacity == 0 ? LEAST_CAPACITY : pool->slab_capacity;
    while (capacity < slabs)
        capacity *= 2;
    if (capacity == pool->slab_capacity)
        return true;
    char **grown = realloc(pool->slabs, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    pool->slabs = grown;
    pool->slab_capacity = capacity;
    return true;
}

static bool pool_add_slabs(struct pool *pool)
{
    uint32_t count = group_at(pool, pool->slab_count);
    const size_t octets = slab_octets(pool);
    if (!pool_make_room(pool, pool->slab_count + count))
        return false;
    char *first = huge_new(count * octets);
    if (first == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        pool->slabs[pool->slab_count++] = first + i * octets;
    return true;
}

uint32_t pool_take_unclear(struct pool *pool)
{
    uint32_t index = pool->freed;
    if (index != 0) {
        memcpy(&pool->freed, pool_at(pool, index), sizeof(pool->freed));
        __builtin_prefetch(pool_at(pool, pool->freed), 1); /* which comes next; 0 is memory, too */
    } else {
        if (pool->next >> POOL_SLAB_BITS >= pool->slab_count && !pool_add_slabs(pool))
            return 0;
        index = pool->next++;
    }
    pool->taken++;
    return index;
}

/* Inline, a cache line at a time: memset() writes 64 octets at once, which a processor may not hand
 * on to a read of a few of them, as the owner's first bit fields are, before they left for the
 * cache. */
static void clear(char *slot, size_t octets)
{
    for (size_t at = 0; at < octets; at += LINE)
        memset(slot + at, 0, LINE);
}

uint32_t pool_take(struct pool *pool)
{
    uint32_t index = pool_take_unclear(pool);
    if (index != 0)
        clear(pool_at(pool, index), pool->slot_size);
    return index;
}

void pool_give(struct pool *pool, uint32_t index)
{
    memcpy(pool_at(pool, index), &pool->freed, sizeof(pool->freed));
    pool->freed = index;
    pool->taken--;
}

uint64_t pool_bytes(const struct pool *pool)
{
    return (uint64_t)pool->slab_count * slab_octets(pool);
}

void pool_clear(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->slab_count; i += group_at(pool, i))
        free(pool->slabs[i]);
    free(pool->slabs);
    memset(pool, 0, sizeof(*pool));
}
