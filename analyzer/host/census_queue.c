/* census_queue: see census_queue.h. */
#include "census_queue.h"

#include <stdlib.h>
#include <string.h>

#include "../base/fetch.h"
#include "../base/huge.h"

/* --- rows --- */

struct newcomer *census_row_next(const struct census_row *row, uint32_t *number)
{
    for (; *number != row->end; ++*number) {
        struct newcomer *place = census_row_at(row, *number);
        if (place->is != PLACE_OF_NOBODY)
            return place;
    }
    return NULL;
}

/* The slot of a newcomer follows it to another place. */
static void follow(struct census *census, const struct newcomer *newcomer, uint32_t from,
                   uint32_t to)
{
    const enum host_scope scope = (enum host_scope)newcomer->key.scope;
    const struct census_index *index = &census->index[scope];
    uint32_t code = census_code(scope, from), i = newcomer->tag & index->mask;
    while (index->slot[i].index != code)
        i = (i + 1) & index->mask;
    index->slot[i].index = census_code(scope, to);
}

/* All in a row move together at its end. */
static void gather(struct census *census, struct census_row *row)
{
    uint32_t to = row->end;
    for (uint32_t from = row->end; from != row->begin;) {
        const struct newcomer *place = census_row_at(row, --from);
        if (place->is == PLACE_OF_NOBODY || --to == from)
            continue;
        if (place->is == PLACE_OF_ENTRY)
            census->link[place->entry].newer = to;
        else
            follow(census, place, from, to);
        *census_row_at(row, to) = *place;
    }
    row->begin = to;
}

bool census_queue_make_room(struct census *census, enum host_scope scope)
{
    enum { FIRST = 64 };
    struct census_queue *queue = &census->queue[scope];
    struct census_row *row = &queue->row;
    uint32_t places = row->place == NULL ? 0 : row->mask + 1;
    if (places >= 2 * (uint64_t)(queue->count + 1))
        return true;
    uint32_t more = places == 0 ? FIRST : 2 * places;
    struct newcomer *wide =
        more >> ROW_BITS > 1 ? NULL : huge_new((size_t)more * sizeof(struct newcomer));
    if (wide == NULL)
        return false;
    for (uint32_t number = row->begin; number != row->end; number++)
        wide[number & (more - 1)] = *census_row_at(row, number);
    free(row->place);
    row->place = wide;
    row->mask = more - 1;
    return true;
}

struct newcomer *census_queue_append(struct census *census, enum host_scope scope,
                                     uint32_t *ret_number)
{
    enum { AHEAD = 4 };
    struct census_row *row = &census->queue[scope].row;
    if (row->end - row->begin > row->mask)
        gather(census, row);
    fetch_to_write(census_row_at(row, row->end + AHEAD));
    *ret_number = row->end++;
    return census_row_at(row, *ret_number);
}

/* --- entries --- */

static void unlink_entry(struct census *census, const struct census_entry *entry)
{
    struct census_queue *queue = &census->queue[entry->key.scope];
    struct census_link link = census->link[entry->index];
    *(link.newer != 0 ? &census->link[link.newer].older : &queue->newest[entry->heeded]) =
        link.older;
    *(link.older != 0 ? &census->link[link.older].newer : &queue->oldest[entry->heeded]) =
        link.newer;
}

static void link_entry(struct census *census, const struct census_entry *entry)
{
    struct census_queue *queue = &census->queue[entry->key.scope];
    uint32_t before = queue->newest[entry->heeded];
    census->link[entry->index] = (struct census_link){.newer = 0, .older = before};
    *(before != 0 ? &census->link[before].newer : &queue->oldest[entry->heeded]) = entry->index;
    queue->newest[entry->heeded] = entry->index;
}

void census_queue_enter(struct census *census, const struct census_entry *entry)
{
    uint32_t number;
    if (!census_is_in_row(entry)) {
        link_entry(census, entry);
        return;
    }
    struct newcomer *place =
        census_queue_append(census, (enum host_scope)entry->key.scope, &number);
    place->is = PLACE_OF_ENTRY;
    place->entry = entry->index;
    census->link[entry->index].newer = number;
}

void census_queue_leave(struct census *census, const struct census_entry *entry)
{
    const struct census_row *row = &census->queue[entry->key.scope].row;
    if (census_is_in_row(entry))
        census_row_at(row, census->link[entry->index].newer)->is = PLACE_OF_NOBODY;
    else
        unlink_entry(census, entry);
}

struct newcomer *census_queue_oldest(struct census *census, enum host_scope scope,
                                     uint32_t *ret_index)
{
    struct census_queue *queue = &census->queue[scope];
    struct newcomer *place = census_row_next(&queue->row, &queue->row.begin);
    if (place == NULL)
        *ret_index = queue->oldest[queue->oldest[0] == 0];
    else
        *ret_index = place->is == PLACE_OF_NEWCOMER ? 0 : place->entry;
    return place;
}

static bool is_newest(const struct census *census, const struct census_entry *entry, bool heeded)
{
    const struct census_queue *queue = &census->queue[entry->key.scope];
    if (heeded != entry->heeded)
        return false;
    if (!census_is_in_row(entry))
        return queue->newest[heeded] == entry->index;
    uint32_t behind = census->link[entry->index].newer + 1;
    return ((behind ^ queue->row.end) & queue->row.mask) == 0;
}

void census_touch(struct census *census, struct census_entry *entry)
{
    bool heeded = entry->opened > 1 && entry->closed > 0;
    if (is_newest(census, entry, heeded))
        return;
    census_queue_leave(census, entry);
    entry->heeded = heeded;
    census_queue_enter(census, entry);
}
