/* history: see history.h. */
#include "history.h"

#include <stdlib.h>

/* Makes room for entry number `count`; false when there is no memory. */
static bool history_grow(struct history *history)
{
    if (history->count < HISTORY_INLINE + history->capacity)
        return true;
    uint16_t capacity = history->capacity == 0 ? 8 : (uint16_t)(history->capacity * 2);
    struct history_entry *more = realloc(history->more, capacity * sizeof(*more));
    history->starved |= more == NULL;
    if (more == NULL)
        return false;
    history->more = more;
    history->capacity = capacity & 0x7fff;
    return true;
}

int history_count(const struct history *history, int side)
{
    int count = 0;
    for (int i = 0; i < history->count; i++)
        count += history_peek(history, i)->side == (unsigned)side;
    return count;
}

int history_push_more(struct history *history, const struct history_entry *entry)
{
    bool full = history->count >= HISTORY_MAX && history_count(history, entry->side) >= HISTORY_MAX;
    if (full || !history_grow(history)) {
        history->dropped[entry->side]++;
        return -1;
    }
    int index = history->count++;
    *history_at(history, index) = *entry;
    return index;
}

void history_clear(struct history *history)
{
    free(history->more);
    history->more = NULL;
    history->count = history->capacity = 0;
}
