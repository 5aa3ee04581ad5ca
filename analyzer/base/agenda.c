/* agenda: see agenda.h. */
#include "agenda.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, FIRST_CAPACITY = 256 };

static inline bool earlier(const struct agenda_rank *a, const struct agenda_rank *b)
{
    return a->due != b->due ? a->due < b->due : a->key < b->key;
}

static inline struct agenda_rank rank_of(const struct agenda_entry *entry)
{
    return (struct agenda_rank){entry->due, entry->key};
}

/* Member by member: what was just written in parts is read as a whole only once it has left for the
 * cache, behind all that was written before. */
static inline void put(struct agenda_entry *place, const struct agenda_rank *rank, uint32_t index)
{
    place->due = rank->due;
    place->key = rank->key;
    place->index = index;
}

static bool entry_is_earlier(const struct agenda_entry *a, const struct agenda_entry *b)
{
    const struct agenda_rank x = rank_of(a), y = rank_of(b);
    return earlier(&x, &y);
}

static struct agenda_entry *run_at(const struct agenda_run *run, size_t i)
{
    return &run->ring[(run->first + i) & (run->room - 1)];
}

/* Room for one more; the entries then stand from 0 on. */
static bool run_grow(struct agenda_run *run)
{
    if (run->count < run->room)
        return true;
    size_t room = run->room == 0 ? FIRST_ROOM : run->room * 2;
    struct agenda_entry *grown = malloc(room * sizeof(*grown));
    if (grown == NULL)
        return false;
    for (size_t i = 0; i < run->count; i++)
        grown[i] = *run_at(run, i);
    free(run->ring);
    run->ring = grown;
    run->first = 0;
    run->room = room;
    return true;
}

/*
 * The run that the entry may end: of those whose last one is not after it the one whose last one is
 * the latest, so that each delay keeps to its own; else an empty one.  NULL: none.
 */
static struct agenda_run *fitting_run(struct agenda *agenda, const struct agenda_rank *rank)
{
    struct agenda_run *best = NULL, *empty = NULL;
    for (int i = 0; i < AGENDA_RUNS; i++) {
        struct agenda_run *run = &agenda->run[i];
        if (run->count == 0)
            empty = run;
        else if (!earlier(rank, &run->tail) && (best == NULL || earlier(&best->tail, &run->tail)))
            best = run;
    }
    return best != NULL ? best : empty;
}

static bool heap_add(struct agenda_run *heap, const struct agenda_rank *rank, uint32_t index)
{
    if (!run_grow(heap))
        return false;
    const struct agenda_entry entry = {rank->due, rank->key, index};
    size_t i = heap->count++;
    while (i > 0 && entry_is_earlier(&entry, &heap->ring[(i - 1) / 2])) {
        heap->ring[i] = heap->ring[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->ring[i] = entry;
    return true;
}

static void heap_drop(struct agenda_run *heap)
{
    struct agenda_entry last = heap->ring[--heap->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && entry_is_earlier(&heap->ring[child + 1], &heap->ring[child]))
            child++;
        if (!entry_is_earlier(&heap->ring[child], &last))
            break;
        heap->ring[i] = heap->ring[child];
        i = child;
    }
    heap->ring[i] = last;
}

/* Finds the run, or the heap, whose first entry is the earliest of all; of equal ones the heap's.
 */
static void find_earliest(struct agenda *agenda)
{
    const struct agenda_run *soonest = &agenda->run[AGENDA_HEAP];
    for (const struct agenda_run *run = agenda->run; run < agenda->run + AGENDA_RUNS; run++) {
        if (run->count > 0 && (soonest->count == 0 || earlier(&run->head, &soonest->head)))
            soonest = run;
    }
    agenda->soonest = (uint32_t)(soonest - agenda->run);
    agenda->due = soonest->head.due;
}

void agenda_have_had(struct agenda *agenda, size_t capacity)
{
    if (capacity > agenda->capacity)
        agenda->capacity = capacity;
}

/* Nearly every entry is behind another in a ring that stays where it is: the earliest, too. */
static bool add_behind(struct agenda_run *run, const struct agenda_rank *rank, uint32_t index)
{
    if (run == NULL || run->count == 0 || run->count == run->room)
        return false;
    run->count++;
    run->tail = *rank;
    put(run_at(run, run->count - 1), rank, index);
    return true;
}

static bool add_anywhere(struct agenda *agenda, struct agenda_run *run,
                         const struct agenda_rank *rank, uint32_t index)
{
    if (run == NULL) {
        run = &agenda->run[AGENDA_HEAP];
        if (!heap_add(run, rank, index))
            return false;
    } else {
        if (!run_grow(run))
            return false;
        run->count++;
        run->tail = *rank;
        put(run_at(run, run->count - 1), rank, index);
    }
    run->head = rank_of(run_at(run, 0));
    find_earliest(agenda);
    return true;
}

bool agenda_add(struct agenda *agenda, struct agenda_rank rank, uint32_t index)
{
    struct agenda_run *run = fitting_run(agenda, &rank);
    if (!add_behind(run, &rank, index) && !add_anywhere(agenda, run, &rank, index))
        return false;
    if (agenda->count == agenda->capacity)
        agenda_have_had(agenda, agenda->capacity == 0 ? FIRST_CAPACITY : agenda->capacity * 2);
    agenda->count++;
    return true;
}

struct agenda_entry agenda_take(struct agenda *agenda)
{
    struct agenda_run *run = &agenda->run[agenda->soonest];
    struct agenda_entry first = *run_at(run, 0);
    if (agenda->soonest == AGENDA_HEAP) {
        heap_drop(run);
    } else {
        run->first = (run->first + 1) & (run->room - 1);
        run->count--;
    }
    if (run->count > 0)
        run->head = rank_of(run_at(run, 0));
    agenda->count--;
    find_earliest(agenda);
    return first;
}

const struct agenda_entry *agenda_look_ahead(const struct agenda *agenda, size_t others)
{
    const struct agenda_run *run = &agenda->run[agenda->soonest];
    bool known = agenda->soonest != AGENDA_HEAP && run->count > others;
    return known ? run_at(run, others) : NULL;
}

const struct agenda_entry *agenda_at(const struct agenda *agenda, size_t i)
{
    const struct agenda_run *run = agenda->run;
    for (; i >= run->count; run++)
        i -= run->count;
    return run_at(run, i);
}

void agenda_clear(struct agenda *agenda)
{
    for (int i = 0; i <= AGENDA_HEAP; i++)
        free(agenda->run[i].ring);
    memset(agenda, 0, sizeof(*agenda));
}
