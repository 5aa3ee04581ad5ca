/*
 * census_queue: the entries of a kind in the order in which they give way.  Known to the census's
 * own files alone.
 *
 *     row    | nobody | newcomer | entry | nobody | newcomer |     from `begin` to before `end`
 *     list   oldest <-> ... <-> newest
 *
 * Sources and pairs that came once, or were never seen to close, stand in the row, those that came
 * last at its end: a newcomer itself, of an entry its index, the number of whose place stands in
 * its link.  The row is written and read in the order of memory.  It is as long as twice the
 * entries of its kind; when it is full, those in it move together.  Then come those that are
 * heeded, in a list; services, which come again and again, have a list of either.
 */
#ifndef LASTACK_HOST_CENSUS_QUEUE_H
#define LASTACK_HOST_CENSUS_QUEUE_H

#include "newcomer.h"

enum { ROW_BITS = 29 }; /* of the number of a place, as far as an index has them */

/* A newcomer's place, as it stands in the index where others have that of their entry. */
static inline uint32_t census_code(enum host_scope scope, uint32_t number)
{
    return UINT32_C(1) << 31 | (uint32_t)scope << ROW_BITS |
           (number & ((UINT32_C(1) << ROW_BITS) - 1));
}

static inline bool census_is_code(uint32_t index)
{
    return index >> 31 != 0;
}

static inline struct newcomer *census_row_at(const struct census_row *row, uint32_t number)
{
    return &row->place[number & row->mask];
}

static inline struct newcomer *census_newcomer(const struct census *census, uint32_t code)
{
    return census_row_at(&census->queue[code >> ROW_BITS & 3].row, code);
}

static inline bool census_is_in_row(const struct census_entry *entry)
{
    return !entry->heeded && entry->key.scope != HOST_SERVICE;
}

/* Goes through the places of a row, from row->begin on: the next one where somebody stands, whose
 * number becomes *number; NULL: there is none. */
struct newcomer *census_row_next(const struct census_row *row, uint32_t *number);

/* Sees to it that one more of that kind finds room; false when memory ran out. */
bool census_queue_make_room(struct census *census, enum host_scope scope);

/* A place at the end of the row, in which somebody is to stand; there must be room. */
struct newcomer *census_queue_append(struct census *census, enum host_scope scope,
                                     uint32_t *ret_number);

/* An entry stands as the newest, by entry->heeded; and stands nowhere any more. */
void census_queue_enter(struct census *census, const struct census_entry *entry);
void census_queue_leave(struct census *census, const struct census_entry *entry);

/* Who gives way first: the number of a place of the row; or if *ret_index is not 0, that entry. */
struct newcomer *census_queue_oldest(struct census *census, enum host_scope scope,
                                     uint32_t *ret_index);

/* The entry was active: others of its scope give way before it. */
void census_touch(struct census *census, struct census_entry *entry);

#endif
