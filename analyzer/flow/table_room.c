/* table_room: see table_room.h. */
#include "table_room.h"

#include <stdlib.h>

#include "../base/huge.h"

enum {
    FIRST = 1 << 12,
    SPACIOUS = 1 << 16,   /* slots from which on there is more room */
    RESERVED_FIRST = 64,  /* times as much, the first time: calloc() asks the system for it */
    RESERVED_FURTHER = 16 /* and whenever that is full */
};

bool table_room_begin(struct flow_table *table)
{
    table->slot = table->room = calloc(FIRST, sizeof(*table->slot));
    table->mask = FIRST - 1;
    table->reserved = FIRST;
    return table->slot != NULL;
}

void table_room_clear(struct flow_table *table)
{
    free(table->room);
    table->slot = table->room = NULL;
}

/*
 * In the same place, from behind an empty slot on: whoever has the same home stays in the order of
 * probing, and finds room where he stood or before, or in the other half, which is empty.
 */
static void spread(struct flow_table *table, uint32_t mask)
{
    struct table_slot *slots = table->slot;
    const uint32_t old = table->mask;
    uint32_t empty = 0;
    while (slots[empty].index != 0)
        empty++;
    for (uint32_t i = (empty + 1) & old; i != empty; i = (i + 1) & old) {
        const struct table_slot slot = slots[i];
        slots[i] = (struct table_slot){0, 0};
        if (slot.index != 0)
            table_room_place(slots, mask, slot);
    }
}

/* Room for so many slots, zeros; NULL when memory ran out. */
static struct table_slot *reserve(uint32_t slots, void **ret_room)
{
    const size_t octets = (size_t)slots * sizeof(struct table_slot);
    const bool large = octets >= HUGE_PAGE;
    *ret_room = calloc(1, octets + (large ? HUGE_PAGE : 0));
    return large && *ret_room != NULL ? huge_within(*ret_room, octets) : *ret_room;
}

static uint32_t worth_reserving(const struct flow_table *table, uint32_t slots)
{
    const uint32_t times = table->reserved < SPACIOUS ? RESERVED_FIRST : RESERVED_FURTHER;
    return slots < SPACIOUS || slots > UINT32_MAX / times ? slots : slots * times;
}

static bool move(struct flow_table *table, uint32_t mask)
{
    uint32_t reserved = worth_reserving(table, mask + 1);
    void *room;
    struct table_slot *slots = reserve(reserved, &room);
    if (slots == NULL)
        slots = reserve(reserved = mask + 1, &room);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i <= table->mask; i++) {
        if (table->slot[i].index != 0)
            table_room_place(slots, mask, table->slot[i]);
    }
    free(table->room);
    table->room = room;
    table->slot = slots;
    table->reserved = reserved;
    return true;
}

static bool grow(struct flow_table *table)
{
    const uint32_t mask = table->mask * 2 + 1;
    if (mask < table->reserved)
        spread(table, mask);
    else if (!move(table, mask))
        return false;
    table->mask = mask;
    return true;
}

bool flow_table_make_room(struct flow_table *table, uint64_t slots)
{
    while ((uint64_t)table->mask + 1 < slots) {
        if (!grow(table))
            return false;
    }
    return true;
}

bool flow_table_make_slot(struct flow_table *table)
{
    return table->count + table->count / 2 <= table->mask || grow(table);
}
