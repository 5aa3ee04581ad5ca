/* berths: see berths.h. */
#include "berths.h"

#include <stdlib.h>
#include <string.h>

#include "huge.h"

enum {
    WORD = 64,
    WORDS = BERTHS_SLAB_SLOTS / WORD,
    FEW = 2,   /* slabs that are taken one by one; then as many as a large page holds */
    PAIR = 128 /* octets: cache lines that many processors fetch together */
};

_Static_assert(WORDS * sizeof(uint64_t) <= PAIR, "there is room for the marks of a slab behind it");

/* What stands in a free slot: its neighbours in the free list, 0 for none. */
struct berth_link {
    uint32_t next, previous;
};

void berths_init(struct berths *berths, size_t slot_size)
{
    memset(berths, 0, sizeof(*berths));
    berths->slot_size = (slot_size + 63) & ~(size_t)63;
    berths->next = 1;
}

/* A bit a slot of that slab: it is taken. */
static uint64_t *marks_of(const struct berths *berths, uint32_t slab)
{
    return (uint64_t *)(void *)(berths->slabs[slab] + berths->slot_size * BERTHS_SLAB_SLOTS);
}

static void turn_mark(const struct berths *berths, uint32_t index)
{
    uint32_t slot = index & (BERTHS_SLAB_SLOTS - 1);
    marks_of(berths, index >> BERTHS_SLAB_BITS)[slot / WORD] ^= UINT64_C(1) << slot % WORD;
}

static bool is_taken(const struct berths *berths, uint32_t index)
{
    uint32_t slot = index & (BERTHS_SLAB_SLOTS - 1);
    return (marks_of(berths, index >> BERTHS_SLAB_BITS)[slot / WORD] >> slot % WORD & 1) != 0;
}

static inline size_t slab_octets(const struct berths *berths)
{
    return berths->slot_size * BERTHS_SLAB_SLOTS + PAIR;
}

/* Whether a slab is the first of those that were taken together, or alone. */
static bool leads(const struct berths *berths, uint32_t slab)
{
    const size_t group = HUGE_PAGE / slab_octets(berths);
    return slab < FEW || group == 0 || (slab - FEW) % group == 0;
}

/* The next slab; NULL when memory ran out. */
static char *new_slab(const struct berths *berths)
{
    const uint32_t slab = berths->slab_count;
    if (!leads(berths, slab))
        return berths->slabs[slab - 1] + slab_octets(berths);
    if (slab < FEW || slab_octets(berths) > HUGE_PAGE)
        return aligned_alloc(PAIR, slab_octets(berths));
    return huge_new(HUGE_PAGE);
}

static bool add_slab(struct berths *berths)
{
    if (berths->slab_count == berths->slab_capacity) {
        uint32_t capacity = berths->slab_capacity == 0 ? 16 : berths->slab_capacity * 2;
        char **slabs = realloc(berths->slabs, capacity * sizeof(*slabs));
        if (slabs == NULL)
            return false;
        berths->slabs = slabs;
        berths->slab_capacity = capacity;
    }
    char *slab = new_slab(berths);
    if (slab == NULL)
        return false;
    berths->slabs[berths->slab_count++] = slab;
    memset(marks_of(berths, berths->slab_count - 1), 0, WORDS * sizeof(uint64_t));
    return true;
}

/* Takes a slot out of the free list. */
static void unlink_slot(struct berths *berths, uint32_t index)
{
    struct berth_link link;
    memcpy(&link, berths_at(berths, index), sizeof(link));
    if (link.previous == 0)
        berths->freed = link.next;
    else
        memcpy(berths_at(berths, link.previous), &link.next, sizeof(link.next));
    if (link.next != 0)
        memcpy((char *)berths_at(berths, link.next) + offsetof(struct berth_link, previous),
               &link.previous, sizeof(link.previous));
}

uint32_t berths_take(struct berths *berths)
{
    uint32_t index = berths->freed;
    if (index != 0) {
        unlink_slot(berths, index);
    } else {
        if (berths->next >> BERTHS_SLAB_BITS >= berths->slab_count && !add_slab(berths))
            return 0;
        index = berths->next++;
    }
    turn_mark(berths, index);
    berths->taken++;
    return index;
}

void berths_give(struct berths *berths, uint32_t index)
{
    const struct berth_link link = {.next = berths->freed, .previous = 0};
    if (link.next != 0)
        memcpy((char *)berths_at(berths, link.next) + offsetof(struct berth_link, previous), &index,
               sizeof(index));
    memcpy(berths_at(berths, index), &link, sizeof(link));
    berths->freed = index;
    turn_mark(berths, index);
    berths->taken--;
}

/* Takes the free slots of the slab from `first` on out of the list, so that none is moved there. */
static void forget_free(struct berths *berths, uint32_t first)
{
    for (uint32_t index = first; index < berths->next; index++) {
        if (!is_taken(berths, index))
            unlink_slot(berths, index);
    }
}

void berths_draw_in(struct berths *berths, void (*moved)(void *context, void *slot, uint32_t index),
                    void *context)
{
    uint32_t first = (berths->slab_count - 1) << BERTHS_SLAB_BITS;
    forget_free(berths, first);
    for (uint32_t index = first; index < berths->next; index++) {
        if (!is_taken(berths, index))
            continue;
        uint32_t to = berths->freed;
        unlink_slot(berths, to);
        turn_mark(berths, to);
        memcpy(berths_at(berths, to), berths_at(berths, index), berths->slot_size);
        moved(context, berths_at(berths, to), to);
    }
    if (leads(berths, --berths->slab_count))
        free(berths->slabs[berths->slab_count]);
    berths->next = first;
}

uint64_t berths_octets(const struct berths *berths)
{
    return (uint64_t)berths->slab_count * BERTHS_SLAB_SLOTS * berths->slot_size;
}

void berths_clear(struct berths *berths)
{
    for (uint32_t i = 0; i < berths->slab_count; i++) {
        if (leads(berths, i))
            free(berths->slabs[i]);
    }
    free(berths->slabs);
    memset(berths, 0, sizeof(*berths));
}
