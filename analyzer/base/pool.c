/* pool: see pool.h. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *pool, size_t slot_size)
{
    memset(pool, 0, sizeof(*pool));
    pool->slot_size = (slot_size + 63) & ~(size_t)63;
    pool->next = 1;
}

static int pool_add_slab(struct pool *pool)
{
    if (pool->slab_count == pool->slab_capacity) {
        uint32_t capacity = pool->slab_capacity == 0 ? 16 : pool->slab_capacity * 2;
        char **slabs = realloc(pool->slabs, capacity * sizeof(*slabs));
        if (slabs == NULL)
            return -1;
        pool->slabs = slabs;
        pool->slab_capacity = capacity;
    }
    char *slab = aligned_alloc(64, pool->slot_size * POOL_SLAB_SLOTS);
    if (slab == NULL)
        return -1;
    pool->slabs[pool->slab_count++] = slab;
    return 0;
}

uint32_t pool_take_unclear(struct pool *pool)
{
    uint32_t index = pool->freed;
    if (index != 0) {
        memcpy(&pool->freed, pool_at(pool, index), sizeof(pool->freed));
    } else {
        if (pool->next >> POOL_SLAB_BITS >= pool->slab_count && pool_add_slab(pool) != 0)
            return 0;
        index = pool->next++;
    }
    pool->taken++;
    return index;
}

uint32_t pool_take(struct pool *pool)
{
    uint32_t index = pool_take_unclear(pool);
    if (index != 0)
        memset(pool_at(pool, index), 0, pool->slot_size);
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
    return (uint64_t)pool->slab_count * POOL_SLAB_SLOTS * pool->slot_size;
}

void pool_clear(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->slab_count; i++)
        free(pool->slabs[i]);
    free(pool->slabs);
    memset(pool, 0, sizeof(*pool));
}
