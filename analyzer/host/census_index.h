/*
 * census_index: where those of a kind are found, by a tag: some bits of their keys' hashes.
 */
#ifndef LASTACK_HOST_CENSUS_INDEX_H
#define LASTACK_HOST_CENSUS_INDEX_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TAG_BITS = 31 };

static inline uint32_t census_tag(uint64_t hash)
{
    return (uint32_t)hash & ((UINT32_C(1) << TAG_BITS) - 1);
}

/* A place in the index: an entry, or a newcomer's code (census_queue.h), and some bits of its key's
 * hash. */
struct census_slot {
    uint32_t tag, index; /* index 0: empty */
};

/*
 * Where those of a kind are found by their tag: slots, and some bits of each slot's tag apart: so
 * few octets that they stay in the cache, and eight are looked at in one go, where going from slot
 * to slot ends nobody can foresee where.
 */
struct census_index {
    struct census_slot *slot; /* a power of two; owned */
    uint8_t *print;           /* one a slot, behind them; 0: an empty one */
    uint32_t mask;
};

/* The slot where what has that tag stands if it can, and the next one. */
static inline struct census_slot *census_home(const struct census_index *index, uint32_t tag)
{
    return &index->slot[tag & index->mask];
}

static inline struct census_slot *census_behind(const struct census_index *index,
                                                const struct census_slot *slot)
{
    return &index->slot[(size_t)(slot - index->slot + 1) & index->mask];
}

enum { PRINTS_AT_ONCE = 8 };

/* Of a tag, bits that do not choose its slot; never 0. */
static inline uint8_t census_print(uint32_t tag)
{
    return (uint8_t)(tag >> (TAG_BITS - 8) | 1);
}

/* The octets that are 0: the lowest one is told for sure. */
static inline uint64_t census_zeroes(uint64_t octets)
{
    return (octets - UINT64_C(0x0101010101010101)) & ~octets & UINT64_C(0x8080808080808080);
}

/* The prints of the slots from the tag's own on, the first one lowest. */
static inline uint64_t census_prints(const struct census_index *index, uint32_t tag)
{
    uint64_t prints;
    memcpy(&prints, &index->print[tag & index->mask], sizeof(prints));
    return le64toh(prints);
}

/* Of the prints, those that are a tag's: the lowest one is told for sure. */
static inline uint64_t census_same(uint64_t prints, uint32_t tag)
{
    return census_zeroes(prints ^ census_print(tag) * UINT64_C(0x0101010101010101));
}

/* Whether it is sure that nothing stands under a tag, without a look at any slot: in the prints
 * from its own on an empty slot comes before one that is the same. */
static inline bool census_is_absent(const struct census_index *index, uint32_t tag)
{
    const uint64_t prints = census_prints(index, tag);
    const uint64_t empty = census_zeroes(prints), same = census_same(prints, tag);
    return (empty & -empty) - 1 < (same & -same) - 1; /* the lowest bits; of none, the most */
}

/* The slot that the first of some prints, as census_zeroes() has them, is of; the tag's own where
 * there is none. */
static inline struct census_slot *census_slot_of(const struct census_index *index, uint32_t tag,
                                                 uint64_t of_prints)
{
    const uint32_t behind = of_prints == 0 ? 0 : (uint32_t)__builtin_ctzll(of_prints) / 8;
    return &index->slot[(tag + behind) & index->mask];
}

/* Behind the tag's own slot, the first that may be of the tag, or is empty. */
struct census_slot *census_seek_behind(const struct census_index *index, uint32_t tag);

/* The same from its own slot on, where what is there stands more often than not. */
static inline struct census_slot *census_seek(const struct census_index *index, uint32_t tag)
{
    struct census_slot *own = census_home(index, tag);
    return own->tag == tag ? own : census_seek_behind(index, tag);
}

/* Empty, with so many slots, a power of two; false when memory ran out. */
bool census_index_make(struct census_index *index, uint32_t slots);

/* Has twice as many slots from now on; false when memory ran out. */
bool census_index_widen(struct census_index *index);

/* There must be an empty slot; what leaves must be there. */
void census_index_enter(struct census_index *index, struct census_slot entered);
void census_index_leave(struct census_index *index, struct census_slot left);

void census_index_free(struct census_index *index);

#endif
