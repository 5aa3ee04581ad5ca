/*
 * agenda: deadlines in capture time, the earliest first, ties by a caller's key, so that the order
 * is the same on every run.  A binary heap of plain entries; stale ones are the caller's to skip.
 */
#ifndef LASTACK_BASE_AGENDA_H
#define LASTACK_BASE_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "time.h"

struct agenda_entry {
    nanotime due;
    uint64_t key;    /* breaks ties; and tells a stale entry */
    uint32_t index;  /* whose deadline */
};

struct agenda {
    struct agenda_entry *entry;
    size_t count, capacity;
};

/* Makes room for at least `capacity` entries; false when memory ran out. */
bool agenda_make_room(struct agenda *agenda, size_t capacity);

/* Adds an entry; false when memory ran out. */
bool agenda_add(struct agenda *agenda, struct agenda_entry entry);

/* Whether an entry is due at or before `now`; it stays. */
static inline bool agenda_is_due(const struct agenda *agenda, nanotime now)
{
    return agenda->count > 0 && agenda->entry[0].due <= now;
}

/* Removes and returns the earliest entry; the agenda must not be empty. */
struct agenda_entry agenda_take(struct agenda *agenda);

void agenda_clear(struct agenda *agenda);

#endif
