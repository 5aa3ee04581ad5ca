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

/* --- the runs --- */

/* An empty block behind the run's last; false: no memory. */
static bool add_block(struct agenda *agenda, struct agenda_run *run)
{
    if (agenda->blocks.slot_size == 0) /* the agenda was zeroes */
        pool_init(&agenda->blocks, sizeof(struct agenda_block));
    const uint32_t index = pool_take_unclear(&agenda->blocks);
    if (index == 0)
        return false;
    struct agenda_block *block = pool_at(&agenda->blocks, index);
    block->next = NULL;
    block->index = index;
    if (run->last != NULL)
        run->last->next = block;
    else
        run->first = block;
    run->last = block;
    run->end = 0;
    return true;
}

/* The first block, of which all was taken, goes. */
static void drop_block(struct agenda *agenda, struct agenda_run *run)
{
    struct agenda_block *block = run->first;
    run->first = block->next;
    run->at = 0;
    if (run->first == NULL)
        run->last = NULL;
    pool_give(&agenda->blocks, block->index);
}

static struct agenda_entry *run_first(const struct agenda_run *run)
{
    return &run->first->entry[run->at];
}

/* Behind the last entry, where there is room. */
static inline void run_append(struct agenda_run *run, const struct agenda_rank *rank,
                              uint32_t index)
{
    run->count++;
    run->tail = *rank;
    put(&run->last->entry[run->end++], rank, index);
}

static inline bool run_is_full(const struct agenda_run *run)
{
    return run->last == NULL || run->end == AGENDA_BLOCK;
}

static struct agenda_entry run_take(struct agenda *agenda, struct agenda_run *run)
{
    const struct agenda_entry first = *run_first(run);
    run->count--;
    if (++run->at == AGENDA_BLOCK || run->count == 0)
        drop_block(agenda, run);
    if (run->count > 0)
        run->head = rank_of(run_first(run));
    return first;
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

/* --- the heap --- */

static bool heap_grow(struct agenda_heap *heap)
{
    if (heap->count < heap->room)
        return true;
    const size_t room = heap->room == 0 ? FIRST_ROOM : heap->room * 2;
    struct agenda_entry *grown = realloc(heap->entry, room * sizeof(*grown));
    if (grown == NULL)
        return false;
    heap->entry = grown;
    heap->room = room;
    return true;
}

static bool heap_add(struct agenda_heap *heap, const struct agenda_rank *rank, uint32_t index)
{
    if (!heap_grow(heap))
        return false;
    const struct agenda_entry entry = {rank->due, rank->key, index};
    size_t i = heap->count++;
    while (i > 0 && entry_is_earlier(&entry, &heap->entry[(i - 1) / 2])) {
        heap->entry[i] = heap->entry[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->entry[i] = entry;
    return true;
}

static void heap_drop(struct agenda_heap *heap)
{
    struct agenda_entry last = heap->entry[--heap->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            entry_is_earlier(&heap->entry[child + 1], &heap->entry[child]))
            child++;
        if (!entry_is_earlier(&heap->entry[child], &last))
            break;
        heap->entry[i] = heap->entry[child];
        i = child;
    }
    heap->entry[i] = last;
}

/* --- both --- */

/* Finds the run, or the heap, whose first entry is the earliest of all; of equal ones the heap's.
 */
static void find_earliest(struct agenda *agenda)
{
    struct agenda_rank soonest = {0, 0};
    bool found = agenda->heap.count > 0;
    agenda->soonest = AGENDA_HEAP;
    if (found)
        soonest = rank_of(&agenda->heap.entry[0]);
    for (uint32_t i = 0; i < AGENDA_RUNS; i++) {
        const struct agenda_run *run = &agenda->run[i];
        if (run->count == 0 || (found && !earlier(&run->head, &soonest)))
            continue;
        soonest = run->head;
        agenda->soonest = i;
        found = true;
    }
    agenda->due = soonest.due;
}

void agenda_have_had(struct agenda *agenda, size_t capacity)
{
    if (capacity > agenda->capacity)
        agenda->capacity = capacity;
}

/* Nearly every entry is behind another in a block that has room: the earliest stays. */
static bool add_behind(struct agenda_run *run, const struct agenda_rank *rank, uint32_t index)
{
    if (run == NULL || run->count == 0 || run_is_full(run))
        return false;
    run_append(run, rank, index);
    return true;
}

static bool add_anywhere(struct agenda *agenda, struct agenda_run *run,
                         const struct agenda_rank *rank, uint32_t index)
{
    if (run == NULL) {
        if (!heap_add(&agenda->heap, rank, index))
            return false;
    } else {
        if (run_is_full(run) && !add_block(agenda, run))
            return false;
        run_append(run, rank, index);
        run->head = rank_of(run_first(run));
    }
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
    struct agenda_entry first;
    if (agenda->soonest == AGENDA_HEAP) {
        first = agenda->heap.entry[0];
        heap_drop(&agenda->heap);
    } else {
        first = run_take(agenda, &agenda->run[agenda->soonest]);
    }
    agenda->count--;
    find_earliest(agenda);
    return first;
}

const struct agenda_entry *agenda_look_ahead(const struct agenda *agenda, uint32_t others)
{
    if (agenda->soonest == AGENDA_HEAP)
        return NULL;
    const struct agenda_run *run = &agenda->run[agenda->soonest];
    if (run->count <= others)
        return NULL;
    const uint32_t at = run->at + others;
    return at < AGENDA_BLOCK ? &run->first->entry[at] : &run->first->next->entry[at - AGENDA_BLOCK];
}

const struct agenda_entry *agenda_next(const struct agenda *agenda, struct agenda_place *place)
{
    for (; place->run < AGENDA_RUNS; place->run++, place->i = 0) {
        const struct agenda_run *run = &agenda->run[place->run];
        if (place->i == run->count)
            continue;
        if (place->i++ == 0) {
            place->block = run->first;
            place->at = run->at;
        } else if (++place->at == AGENDA_BLOCK) {
            place->block = place->block->next;
            place->at = 0;
        }
        return &place->block->entry[place->at];
    }
    return place->i < agenda->heap.count ? &agenda->heap.entry[place->i++] : NULL;
}

void agenda_clear(struct agenda *agenda)
{
    free(agenda->heap.entry);
    if (agenda->blocks.slot_size != 0)
        pool_clear(&agenda->blocks);
    memset(agenda, 0, sizeof(*agenda));
}
