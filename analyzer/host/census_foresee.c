/*
 * census_foresee: what deltas that come soon will need of the census, fetched into the cache.
 *
 * Entries lie far away in memory, behind the index.  As with the packets of a batch, each step
 * fetches for all deltas what the next one looks at.
 */
#include <stddef.h>

#include "census_table.h"

/* The places in the index of what a delta counts for, or of its service alone. */
static inline void tag_scopes(const struct census *census, const struct delta *delta, bool all,
                              uint32_t ret_tags[HOST_SCOPES])
{
    uint64_t destination = census_hash_service(census, delta);
    ret_tags[HOST_SERVICE] = (uint32_t)destination;
    if (!all)
        return;
    uint64_t source = census_hash_source(census, delta);
    ret_tags[HOST_SOURCE] = (uint32_t)source;
    ret_tags[HOST_PAIR] = (uint32_t)census_hash_pair(source, destination);
}

/* What deltas touch of an entry, and of its more: those that open or close, the rates, too. */
enum { LINE = 64, ENTRY_LINES = 3, MORE_LINES = 1, MORE_LINES_RATED = 5 };

static inline void fetch(const void *begin, int lines)
{
    for (int line = 0; line < lines; line++)
        __builtin_prefetch((const void *)((uintptr_t)begin + (uintptr_t)line * LINE)); /* or NULL */
}

/* What seems to be the entry of that tag, fetched; NULL: none is. */
static inline const struct census_entry *guess(const struct census *census, uint32_t tag)
{
    const struct census_slot *slot = &census->slot[tag & census->mask];
    if (slot->index == 0 || slot->tag != tag)
        return NULL;
    const struct census_entry *entry = census_at(census, slot->index);
    fetch(entry, ENTRY_LINES);
    return entry;
}

static inline void fetch_more(const struct census_entry *entry, const struct delta *delta)
{
    bool rated = (delta->what & (DELTA_OPENED | DELTA_CLOSED)) != 0;
    if (entry != NULL && entry->more != NULL)
        fetch(entry->more, rated ? MORE_LINES_RATED : MORE_LINES);
}

/* What only services of many connections have. */
static inline void fetch_service(const struct census_entry *service, const struct delta *delta)
{
    const struct census_more *more = service == NULL ? NULL : service->more;
    if (more == NULL)
        return;
    if (more->cohorts != NULL)
        cohorts_fetch(more->cohorts, delta->opened);
    if (more->series.count > 0)
        __builtin_prefetch(&more->series.point[more->series.count - 1]);
}

/* What is foreseen of a delta: places in the index, and what seems to stand there. */
struct likely {
    bool all; /* scopes; false: the service alone */
    uint32_t tag[HOST_SCOPES];
    const struct census_entry *entry[HOST_SCOPES];
};

static inline void foresee_slots(const struct census *census, const struct delta *delta,
                                 struct likely *likely)
{
    likely->all = census_concerns_all(delta);
    tag_scopes(census, delta, likely->all, likely->tag);
    __builtin_prefetch(&census->slot[likely->tag[HOST_SERVICE] & census->mask]);
    if (!likely->all)
        return;
    __builtin_prefetch(&census->slot[likely->tag[HOST_SOURCE] & census->mask]);
    __builtin_prefetch(&census->slot[likely->tag[HOST_PAIR] & census->mask]);
}

static inline void foresee_entries(const struct census *census, struct likely *likely)
{
    likely->entry[HOST_SERVICE] = guess(census, likely->tag[HOST_SERVICE]);
    if (!likely->all)
        return;
    likely->entry[HOST_SOURCE] = guess(census, likely->tag[HOST_SOURCE]);
    likely->entry[HOST_PAIR] = guess(census, likely->tag[HOST_PAIR]);
}

static inline void foresee_more(const struct delta *delta, const struct likely *likely)
{
    fetch_more(likely->entry[HOST_SERVICE], delta);
    if (!likely->all)
        return;
    fetch_more(likely->entry[HOST_SOURCE], delta);
    fetch_more(likely->entry[HOST_PAIR], delta);
}

void census_foresee(const struct census *census, const struct delta *const *deltas, size_t count)
{
    struct likely likely[CENSUS_FORESEEN];
    for (size_t i = 0; i < count; i++)
        foresee_slots(census, deltas[i], &likely[i]);
    for (size_t i = 0; i < count; i++)
        foresee_entries(census, &likely[i]);
    for (size_t i = 0; i < count; i++)
        foresee_more(deltas[i], &likely[i]);
    for (size_t i = 0; i < count; i++)
        fetch_service(likely[i].entry[HOST_SERVICE], deltas[i]);
}
