/*
 * agenda: deadlines in capture time, the earliest first, ties by a caller's key, so that the order
 * is the same on every run.  Stale entries are the caller's to skip.
 *
 * Nearly all deadlines are one of a few delays after now, so they come in order, delay by delay:
 * they stand in runs, each in order in itself, where adding and taking touch the two ends.  What
 * fits no run stands in a binary heap.  What the runs are compared by stands close together.
 */
#ifndef LASTACK_BASE_AGENDA_H
#define LASTACK_BASE_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "time.h"

enum { AGENDA_RUNS = 4 };

struct agenda_entry {
    nanotime due;
    uint64_t key;   /* breaks ties; and tells a stale entry */
    uint32_t index; /* whose deadline */
};

/* The order of the entries. */
struct agenda_rank {
    nanotime due;
    uint64_t key;
};

/* Entries in a ring, from `first` on, the earliest first; `room` is 0 or a power of 2. */
struct agenda_run {
    size_t count;
    struct agenda_rank head, tail; /* of its first and its last entry, unless it is empty */
    struct agenda_entry *ring;     /* owned */
    size_t first, room;
};

enum { AGENDA_HEAP = AGENDA_RUNS }; /* its ring is the heap, from 0 on; it has no tail */

struct agenda {
    size_t count;     /* in all */
    size_t capacity;  /* the power of 2 that `count` never passed: what it is answered for */
    nanotime due;     /* of the earliest entry, unless there is none */
    uint32_t soonest; /* the run that begins with it */
    struct agenda_run run[AGENDA_RUNS + 1];
};

/* Counts as an agenda that has had `capacity` entries. */
void agenda_have_had(struct agenda *agenda, size_t capacity);

/* Adds an entry; false when memory ran out. */
bool agenda_add(struct agenda *agenda, struct agenda_rank rank, uint32_t index);

/* Whether an entry is due at or before `now`; it stays. */
static inline bool agenda_is_due(const struct agenda *agenda, nanotime now)
{
    return agenda->due <= now && agenda->count > 0;
}

/* Removes and returns the earliest entry; the agenda must not be empty. */
struct agenda_entry agenda_take(struct agenda *agenda);

/* An entry that is likely to be taken after so many others; NULL: not known.  To fetch ahead. */
const struct agenda_entry *agenda_look_ahead(const struct agenda *agenda, size_t others);

/* Every entry, i from 0 to count - 1, in no order. */
const struct agenda_entry *agenda_at(const struct agenda *agenda, size_t i);

void agenda_clear(struct agenda *agenda);

#endif
