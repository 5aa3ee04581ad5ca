/* finder: see finder.h.  Linear probing, at most two thirds full, backward-shift deletion. */
#include "finder.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 1024 };

static void put(struct finder *finder, struct finder_slot entry)
{
    uint32_t at = entry.hash & finder->mask;
    while (finder->slot[at].index != 0)
        at = (at + 1) & finder->mask;
    finder->slot[at] = entry;
}

static bool grow(struct finder *finder)
{
    struct finder old = *finder;
    uint32_t slots = old.slot == NULL ? FIRST_SLOTS : 2 * (old.mask + 1);
    struct finder_slot *slot = calloc(slots, sizeof(*slot));
    if (slot == NULL)
        return false;
    finder->slot = slot;
    finder->mask = slots - 1;
    for (uint32_t i = 0; old.slot != NULL && i <= old.mask; i++) {
        if (old.slot[i].index != 0)
            put(finder, old.slot[i]);
    }
    free(old.slot);
    return true;
}

bool finder_add(struct finder *finder, uint32_t hash, uint32_t index)
{
    bool full = finder->slot == NULL || finder->count >= finder->mask / 3 * 2;
    if (full && !grow(finder))
        return false;
    put(finder, (struct finder_slot){hash, index});
    finder->count++;
    return true;
}

/* Closes the gap at `at`: what stands behind it only because it was taken moves up. */
static void close_gap(struct finder *finder, uint32_t at)
{
    uint32_t gap = at;
    for (uint32_t next = (gap + 1) & finder->mask; finder->slot[next].index != 0;
         next = (next + 1) & finder->mask) {
        uint32_t home = finder->slot[next].hash & finder->mask;
        if (((next - home) & finder->mask) < ((next - gap) & finder->mask))
            continue;
        finder->slot[gap] = finder->slot[next];
        gap = next;
    }
    finder->slot[gap].index = 0;
}

void finder_remove(struct finder *finder, uint32_t hash, uint32_t index)
{
    if (finder->slot == NULL)
        return;
    uint32_t at = hash & finder->mask;
    while (finder->slot[at].index != 0 &&
           (finder->slot[at].index != index || finder->slot[at].hash != hash))
        at = (at + 1) & finder->mask;
    if (finder->slot[at].index == 0)
        return;
    close_gap(finder, at);
    finder->count--;
}

static uint32_t look(const struct finder *finder, struct finder_cursor *cursor)
{
    for (; finder->slot[cursor->at].index != 0; cursor->at = (cursor->at + 1) & finder->mask) {
        if (finder->slot[cursor->at].hash == cursor->hash)
            return finder->slot[cursor->at].index;
    }
    return 0;
}

uint32_t finder_first(const struct finder *finder, uint32_t hash, struct finder_cursor *cursor)
{
    if (finder->slot == NULL)
        return 0;
    *cursor = (struct finder_cursor){hash, hash & finder->mask};
    return look(finder, cursor);
}

uint32_t finder_next(const struct finder *finder, struct finder_cursor *cursor)
{
    cursor->at = (cursor->at + 1) & finder->mask;
    return look(finder, cursor);
}

void finder_clear(struct finder *finder)
{
    free(finder->slot);
    *finder = (struct finder){0};
}
