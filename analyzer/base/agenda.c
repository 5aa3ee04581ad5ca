/* agenda: see agenda.h. */
#include "agenda.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, FIRST_CAPACITY = 256 };

static bool earlier(const struct agenda_entry *a, const struct agenda_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->key < b->key;
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
    *run = (struct agenda_run){.ring = grown, .count = run->count, .room = room};
    return true;
}

/*
 * The run that the entry may end: of those whose last one is not after it the one whose last one is
 * the latest, so that each delay keeps to its own; else an empty one.  NULL: none.
 */
static struct agenda_run *fitting_run(struct agenda *agenda, const struct agenda_entry *entry)
{
    struct agenda_run *best = NULL, *empty = NULL;
    const struct agenda_entry *latest = NULL;
    for (int i = 0; i < AGENDA_RUNS; i++) {
        struct agenda_run *run = &agenda->run[i];
        if (run->count == 0) {
            empty = run;
            continue;
        }
        const struct agenda_entry *last = run_at(run, run->count - 1);
        if (earlier(entry, last) || (latest != NULL && !earlier(latest, last)))
            continue;
        best = run;
        latest = last;
    }
    return best != NULL ? best : empty;
}

static bool heap_add(struct agenda_run *heap, struct agenda_entry entry)
{
    if (!run_grow(heap))
        return false;
    size_t i = heap->count++;
    while (i > 0 && earlier(&entry, &heap->ring[(i - 1) / 2])) {
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
        if (child + 1 < heap->count && earlier(&heap->ring[child + 1], &heap->ring[child]))
            child++;
        if (!earlier(&heap->ring[child], &last))
            break;
        heap->ring[i] = heap->ring[child];
        i = child;
    }
    heap->ring[i] = last;
}

/* The run, or the heap, whose first entry is the earliest of all; NULL: they are empty. */
static struct agenda_run *earliest_run(struct agenda *agenda)
{
    struct agenda_run *found = agenda->heap.count > 0 ? &agenda->heap : NULL;
    for (int i = 0; i < AGENDA_RUNS; i++) {
        struct agenda_run *run = &agenda->run[i];
        if (run->count > 0 && (found == NULL || earlier(run_at(run, 0), run_at(found, 0))))
            found = run;
    }
    return found;
}

static void find_earliest(struct agenda *agenda)
{
    const struct agenda_run *run = earliest_run(agenda);
    agenda->earliest = run != NULL ? run_at(run, 0) : NULL;
}

void agenda_have_had(struct agenda *agenda, size_t capacity)
{
    if (capacity > agenda->capacity)
        agenda->capacity = capacity;
}

/* Nearly every entry is behind another in a ring that stays where it is: the earliest, too. */
static bool add_behind(struct agenda_run *run, const struct agenda_entry *entry)
{
    if (run == NULL || run->count == 0 || run->count == run->room)
        return false;
    run->count++;
    *run_at(run, run->count - 1) = *entry;
    return true;
}

static bool add_anywhere(struct agenda *agenda, struct agenda_run *run, struct agenda_entry entry)
{
    if (run == NULL) {
        if (!heap_add(&agenda->heap, entry))
            return false;
    } else {
        if (!run_grow(run))
            return false;
        run->count++;
        *run_at(run, run->count - 1) = entry;
    }
    find_earliest(agenda);
    return true;
}

bool agenda_add(struct agenda *agenda, struct agenda_entry entry)
{
    struct agenda_run *run = fitting_run(agenda, &entry);
    if (!add_behind(run, &entry) && !add_anywhere(agenda, run, entry))
        return false;
    if (agenda->count == agenda->capacity)
        agenda_have_had(agenda, agenda->capacity == 0 ? FIRST_CAPACITY : agenda->capacity * 2);
    agenda->count++;
    return true;
}

struct agenda_entry agenda_take(struct agenda *agenda)
{
    struct agenda_run *run = earliest_run(agenda);
    struct agenda_entry first = *run_at(run, 0);
    if (run == &agenda->heap) {
        heap_drop(run);
    } else {
        run->first = (run->first + 1) & (run->room - 1);
        run->count--;
    }
    agenda->count--;
    find_earliest(agenda);
    return first;
}

const struct agenda_entry *agenda_look_ahead(const struct agenda *agenda, size_t others)
{
    for (int i = 0; i < AGENDA_RUNS; i++) {
        const struct agenda_run *run = &agenda->run[i];
        if (run->count > others && run_at(run, 0) == agenda->earliest)
            return run_at(run, others);
    }
    return NULL;
}

const struct agenda_entry *agenda_at(const struct agenda *agenda, size_t i)
{
    for (int run = 0; run < AGENDA_RUNS; run++) {
        if (i < agenda->run[run].count)
            return run_at(&agenda->run[run], i);
        i -= agenda->run[run].count;
    }
    return run_at(&agenda->heap, i);
}

void agenda_clear(struct agenda *agenda)
{
    for (int i = 0; i < AGENDA_RUNS; i++)
        free(agenda->run[i].ring);
    free(agenda->heap.ring);
    memset(agenda, 0, sizeof(*agenda));
}
