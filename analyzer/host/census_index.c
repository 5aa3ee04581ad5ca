/* census_index: see census_index.h.  Open addressing: a slot behind the one that the tag names. */
#include "census_index.h"

#include <stdlib.h>

bool census_index_make(struct census_index *index, uint32_t slots)
{
    struct census_slot *slot = calloc(1, slots * (sizeof(*slot) + 1) + PRINTS_AT_ONCE);
    if (slot == NULL)
        return false;
    *index = (struct census_index){slot, (uint8_t *)&slot[slots], slots - 1};
    return true;
}

struct census_slot *census_seek_behind(const struct census_index *index, uint32_t tag)
{
    const uint64_t prints = census_prints(index, tag);
    return census_slot_of(index, tag, census_zeroes(prints) | census_same(prints, tag));
}

/* The first prints stand once more behind the last. */
static inline void set_print(struct census_index *index, uint32_t slot, uint8_t print)
{
    index->print[slot] = print;
    if (slot < PRINTS_AT_ONCE)
        index->print[slot + index->mask + 1] = print;
}

void census_index_enter(struct census_index *index, struct census_slot entered)
{
    struct census_slot *slot =
        census_slot_of(index, entered.tag, census_zeroes(census_prints(index, entered.tag)));
    while (slot->index != 0)
        slot = census_behind(index, slot);
    *slot = entered;
    set_print(index, (uint32_t)(slot - index->slot), census_print(entered.tag));
}

/* Those behind it move up. */
void census_index_leave(struct census_index *index, struct census_slot left)
{
    struct census_slot *slot = index->slot;
    uint32_t mask = index->mask, gap = (uint32_t)(census_seek(index, left.tag) - slot);
    while (slot[gap].index != left.index)
        gap = (gap + 1) & mask;
    for (uint32_t i = (gap + 1) & mask; slot[i].index != 0; i = (i + 1) & mask) {
        uint32_t home = slot[i].tag & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue; /* it stands between its home and the gap */
        slot[gap] = slot[i];
        set_print(index, gap, census_print(slot[i].tag));
        gap = i;
    }
    slot[gap].index = 0;
    set_print(index, gap, 0);
}

bool census_index_widen(struct census_index *index)
{
    uint32_t slots = index->mask + 1;
    struct census_index wide;
    if (!census_index_make(&wide, 2 * slots))
        return false;
    for (uint32_t i = 0; i < slots; i++) {
        if (index->slot[i].index != 0)
            census_index_enter(&wide, index->slot[i]);
    }
    census_index_free(index);
    *index = wide;
    return true;
}

void census_index_free(struct census_index *index)
{
    free(index->slot);
}
