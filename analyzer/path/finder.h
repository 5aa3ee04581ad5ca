/*
 * finder: finds numbered things by a hash; several may have the same.  Open addressing over slots
 * of eight octets; the caller compares what it finds.
 */
#ifndef LASTACK_PATH_FINDER_H
#define LASTACK_PATH_FINDER_H

#include <stdbool.h>
#include <stdint.h>

struct finder_slot {
    uint32_t hash;
    uint32_t index; /* 0: empty */
};

struct finder {
    struct finder_slot *slot; /* owned */
    uint32_t mask;
    uint32_t count;
};

/* A search under way. */
struct finder_cursor {
    uint32_t hash, at;
};

/* Adds an index, which is not 0; false when memory ran out. */
bool finder_add(struct finder *finder, uint32_t hash, uint32_t index);

/* Removes it again; nothing when it is not there. */
void finder_remove(struct finder *finder, uint32_t hash, uint32_t index);

/* The first and each further index of that hash, in no certain order; 0: no more. */
uint32_t finder_first(const struct finder *finder, uint32_t hash, struct finder_cursor *cursor);
uint32_t finder_next(const struct finder *finder, struct finder_cursor *cursor);

void finder_clear(struct finder *finder);

#endif
