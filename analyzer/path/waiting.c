/* waiting: see waiting.h. */
#include "waiting.h"

#include <string.h>

static uint32_t hash_of(uint64_t packet)
{
    return (uint32_t)packet * 0x9e3779b1u; /* numbers of our own: nobody can choose them */
}

static struct waiting *at(const struct waiting_room *room, uint32_t index)
{
    return pool_at(&room->pool, index);
}

void waiting_init(struct waiting_room *room)
{
    memset(room, 0, sizeof(*room));
    pool_init(&room->pool, sizeof(struct waiting));
}

bool waiting_add(struct waiting_room *room, const struct segment_record *record)
{
    uint32_t index = pool_take_unclear(&room->pool);
    if (index == 0)
        return false;
    if (!finder_add(&room->by_packet, hash_of(record->packet), index)) {
        pool_give(&room->pool, index);
        return false;
    }
    struct waiting *waiting = at(room, index);
    waiting->record = *record;
    waiting->before = room->newest;
    waiting->after = 0;
    if (room->newest != 0)
        at(room, room->newest)->after = index;
    else
        room->oldest = index;
    room->newest = index;
    return true;
}

uint32_t waiting_find(const struct waiting_room *room, uint64_t packet, uint32_t sequence)
{
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&room->by_packet, hash_of(packet), &cursor); i != 0;
         i = finder_next(&room->by_packet, &cursor)) {
        const struct segment_record *record = waiting_at(room, i);
        if (record->packet == packet && record->seq_abs == sequence)
            return i;
    }
    return 0;
}

void waiting_drop(struct waiting_room *room, uint32_t index)
{
    const struct waiting *waiting = at(room, index);
    finder_remove(&room->by_packet, hash_of(waiting->record.packet), index);
    if (waiting->before != 0)
        at(room, waiting->before)->after = waiting->after;
    else
        room->oldest = waiting->after;
    if (waiting->after != 0)
        at(room, waiting->after)->before = waiting->before;
    else
        room->newest = waiting->before;
    pool_give(&room->pool, index);
}

void waiting_clear(struct waiting_room *room)
{
    pool_clear(&room->pool);
    finder_clear(&room->by_packet);
}
