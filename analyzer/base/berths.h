/*
 * berths: slots of one size in slabs, named by a 32-bit index, whose contents may be moved
 * together.
 *
 * As a pool (pool.h), but what was taken at the most is not kept for ever: when many slots are
 * free, those of the last slab are moved into others, and the slab is given back.  So what is held
 * is what is taken, a sixteenth, and two slabs; or, as from the third on as many are taken at once
 * as a large page holds (huge.h), that page.  Index 0 is never given out.
 */
#ifndef LASTACK_BASE_BERTHS_H
#define LASTACK_BASE_BERTHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BERTHS_SLAB_BITS = 8, BERTHS_SLAB_SLOTS = 1 << BERTHS_SLAB_BITS };

struct berths {
    size_t slot_size; /* octets, a multiple of 64 */
    char **slabs;     /* each with the marks of its slots behind them; owned */
    uint32_t slab_count, slab_capacity;
    uint32_t next;  /* first index never taken */
    uint32_t freed; /* head of the free list; 0 none */
    uint64_t taken; /* slots in use */
};

/* Prepares empty berths of slots of at least slot_size octets. */
void berths_init(struct berths *berths, size_t slot_size);

/* Takes a slot, in which anything may stand; 0 when memory ran out. */
uint32_t berths_take(struct berths *berths);

void berths_give(struct berths *berths, uint32_t index);

static inline void *berths_at(const struct berths *berths, uint32_t index)
{
    return berths->slabs[index >> BERTHS_SLAB_BITS] +
           (size_t)(index & (BERTHS_SLAB_SLOTS - 1)) * berths->slot_size;
}

/* Whether so many slots are free that the last slab should go. */
static inline bool berths_are_wide(const struct berths *berths)
{
    uint64_t free_slots = berths->next - berths->taken;
    return free_slots > 2 * (uint64_t)BERTHS_SLAB_SLOTS + berths->taken / 16;
}

/*
 * Moves what the last slab holds into free slots of others, and gives the slab back.  For each that
 * moves, `moved` is called once its octets stand at slot `index`.  Only when they are wide.
 */
void berths_draw_in(struct berths *berths, void (*moved)(void *context, void *slot, uint32_t index),
                    void *context);

/* Octets held in slabs. */
uint64_t berths_octets(const struct berths *berths);

void berths_clear(struct berths *berths);

#endif
