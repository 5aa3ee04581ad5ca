/*
 * waiting: segment records of the first tap, until every pair of taps has said what became of the
 * segment.  They leave in the order in which that becomes known, most of them at once; what nobody
 * decides leaves when the wait is over, or when there are too many.
 */
#ifndef LASTACK_PATH_WAITING_H
#define LASTACK_PATH_WAITING_H

#include "../base/pool.h"
#include "../event/record.h"
#include "finder.h"

enum { WAITING_MOST = 1 << 16 };

struct waiting {
    struct segment_record record;
    uint32_t before, after; /* in the order they came */
};

struct waiting_room {
    struct pool pool;
    struct finder by_packet;
    uint32_t oldest, newest; /* indices; 0: none */
};

void waiting_init(struct waiting_room *room);

/* Keeps a copy; false when memory ran out. */
bool waiting_add(struct waiting_room *room, const struct segment_record *record);

/* The segment of that packet which begins with that octet (a frame may hold several); 0: none. */
uint32_t waiting_find(const struct waiting_room *room, uint64_t packet, uint32_t sequence);

static inline struct segment_record *waiting_at(const struct waiting_room *room, uint32_t index)
{
    return &((struct waiting *)pool_at(&room->pool, index))->record;
}

/* Lets go of one; what it pointed to is not valid any more. */
void waiting_drop(struct waiting_room *room, uint32_t index);

void waiting_clear(struct waiting_room *room);

#endif
