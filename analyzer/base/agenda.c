/* agenda: see agenda.h. */
#include "agenda.h"

#include <stdlib.h>

static bool earlier(const struct agenda_entry *a, const struct agenda_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->key < b->key;
}

bool agenda_make_room(struct agenda *agenda, size_t capacity)
{
    if (capacity <= agenda->capacity)
        return true;
    struct agenda_entry *grown = realloc(agenda->entry, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    agenda->entry = grown;
    agenda->capacity = capacity;
    return true;
}

bool agenda_add(struct agenda *agenda, struct agenda_entry entry)
{
    if (agenda->count == agenda->capacity &&
        !agenda_make_room(agenda, agenda->capacity == 0 ? 256 : agenda->capacity * 2))
        return false;
    size_t i = agenda->count++;
    while (i > 0 && earlier(&entry, &agenda->entry[(i - 1) / 2])) {
        agenda->entry[i] = agenda->entry[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    agenda->entry[i] = entry;
    return true;
}

struct agenda_entry agenda_take(struct agenda *agenda)
{
    struct agenda_entry first = agenda->entry[0];
    struct agenda_entry last = agenda->entry[--agenda->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= agenda->count)
            break;
        if (child + 1 < agenda->count && earlier(&agenda->entry[child + 1], &agenda->entry[child]))
            child++;
        if (!earlier(&agenda->entry[child], &last))
            break;
        agenda->entry[i] = agenda->entry[child];
        i = child;
    }
    if (agenda->count > 0)
        agenda->entry[i] = last;
    return first;
}

void agenda_clear(struct agenda *agenda)
{
    free(agenda->entry);
    *agenda = (struct agenda){NULL, 0, 0};
}
