/*
 * table_room: how the table's index grows.
 *
 * From some size on it stands in far more room than it has slots.  What nothing has touched takes
 * no memory, and is zero, as an empty slot is: so it becomes twice as large where it stands.
 * Elsewhere, all of the new slots and half as many old ones would be memory that is taken for the
 * first time, which is what a flood of lone SYNs costs most.
 */
#ifndef LASTACK_FLOW_TABLE_ROOM_H
#define LASTACK_FLOW_TABLE_ROOM_H

#include "table.h"

/* The first slots, empty; false when memory ran out. */
bool table_room_begin(struct flow_table *table);

void table_room_clear(struct flow_table *table);

/* Into the first empty slot from its home on; there is one. */
static inline void table_room_place(struct table_slot *slots, uint32_t mask, struct table_slot slot)
{
    uint32_t i = slot.tag & mask;
    while (slots[i].index != 0)
        i = (i + 1) & mask;
    slots[i] = slot;
}

#endif
