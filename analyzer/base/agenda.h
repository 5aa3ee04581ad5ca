/*
 * agenda: deadlines in capture time, the earliest first, ties by a caller's key, so that the order
 * is the same on every run.  Stale entries are the caller's to skip.
 *
 * Nearly all deadlines are one of a few delays after now, so they come in order, delay by delay:
 * they stand in runs, each in order in itself, where adding and taking touch the two ends.  What
 * fits no run stands in a binary heap.  What the runs are compared by stands close together.
 *
 * A run is a chain of blocks: those that were taken empty serve again, so that no more memory is
 * touched than entries are kept in, and none is copied where they become more.
 *
 *     first | taken . . x x | -> | x x x x | -> | x x free . | last
 */
#ifndef LASTACK_BASE_AGENDA_H
#define LASTACK_BASE_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"
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

enum { AGENDA_BLOCK = 31 /* entries: with what leads on, a multiple of a cache line */ };

struct agenda_block {
    struct agenda_block *next; /* NULL: it is the last */
    uint32_t index;            /* slot in the pool */
    struct agenda_entry entry[AGENDA_BLOCK];
};

/* Entries, the earliest first: those of its blocks from `at` of the first on, below `end` of the
 * last.  Where there are none, it has no block. */
struct agenda_run {
    size_t count;
    struct agenda_rank head, tail; /* of its first and its last entry, unless it is empty */
    struct agenda_block *first, *last;
    uint32_t at, end;
};

/* A binary heap. */
struct agenda_heap {
    size_t count;
    struct agenda_entry *entry; /* owned */
    size_t room;
};

enum { AGENDA_HEAP = AGENDA_RUNS }; /* in the place of a run: the heap */

struct agenda {
    size_t count;     /* in all */
    size_t capacity;  /* the power of 2 that `count` never passed: what it is answered for */
    nanotime due;     /* of the earliest entry, unless there is none */
    uint32_t soonest; /* the run that begins with it, or AGENDA_HEAP */
    struct agenda_run run[AGENDA_RUNS];
    struct agenda_heap heap;
    struct pool blocks;
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

/* An entry that is likely to be taken after so many others, less than AGENDA_BLOCK; NULL: not
 * known.  To fetch ahead. */
const struct agenda_entry *agenda_look_ahead(const struct agenda *agenda, uint32_t others);

/* Where agenda_next() stands; at first zeroes. */
struct agenda_place {
    uint32_t run;
    size_t i; /* of its entries */
    const struct agenda_block *block;
    uint32_t at; /* in it */
};

/* Every entry in turn, in no order; NULL: no more.  The agenda must stay as it is. */
const struct agenda_entry *agenda_next(const struct agenda *agenda, struct agenda_place *place);

void agenda_clear(struct agenda *agenda);

#endif
