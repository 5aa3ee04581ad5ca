/*
 * census_foresee: what deltas that come soon will need of the census, fetched into the cache.
 *
 * Entries lie far away in memory, behind the index.  As with the packets of a batch, each step
 * fetches for all deltas what the next one looks at.
 */
#include "../base/fetch.h"
#include "census_table.h"

/* The places in the index of what a delta counts for, or of its service alone. */
static inline void tag_scopes(const struct census *census, struct delta *delta, bool all,
                              uint32_t ret_tags[HOST_SCOPES])
{
    uint32_t service = delta->place[SERVER] = census_tag_service(census, delta);
    ret_tags[HOST_SERVICE] = service;
    if (!all)
        return;
    uint32_t source = delta->place[CLIENT] = census_tag_source(census, delta);
    ret_tags[HOST_SOURCE] = source;
    ret_tags[HOST_PAIR] = census_tag_pair(source, service);
}

/* The lines of an entry that a delta touches, by what it says. */
static inline void fetch_entry(const struct census_entry *entry, unsigned what)
{
    fetch_line(entry);
    fetch_line(&entry->stock);
    if ((what & DELTA_OPENED) != 0)
        fetch_line(&entry->first);
    if ((what & DELTA_GONE) != 0)
        fetch_line(&entry->answered);
}

/* What seems to be the entry of that tag, fetched; NULL: none is. */
static inline const struct census_entry *guess(const struct census *census, uint32_t tag,
                                               unsigned what)
{
    const struct census_slot *slot = &census->slot[tag & census->mask];
    while (slot->index != 0 && slot->tag != tag)
        slot = &census->slot[(size_t)(slot - census->slot + 1) & census->mask];
    if (slot->index == 0)
        return NULL;
    if (census_is_code(slot->index)) {
        fetch_line(census_newcomer(census, slot->index));
        return NULL;
    }
    const struct census_entry *entry = census_at(census, slot->index);
    fetch_entry(entry, what);
    if ((what & DELTA_OPENED) != 0)
        fetch_line(&census->link[slot->index]);
    return entry;
}

/* Of a source what is drawn of it, and its paces. */
static inline void fetch_more(const struct census_entry *entry, unsigned what)
{
    bool source = entry->key.scope == HOST_SOURCE;
    if (!source || entry->drawn)
        fetch_line(&entry->more->series);
    if ((what & (DELTA_OPENED | DELTA_CLOSED)) == 0)
        return;
    fetch_line(&entry->more->opened_pace);
    if (!source)
        fetch_line(&entry->more->opened_rate.count);
}

/* Whether a delta shows in what is drawn: seldom one within a handshake. */
static inline bool is_shown(const struct delta *delta)
{
    return (delta->what & DELTA_CUT) == 0 &&
           ((delta->what & (DELTA_OPENED | DELTA_CLOSED)) != 0 ||
            delta->after[CLIENT] > HOLDING_LAST || delta->after[SERVER] > HOLDING_LAST);
}

/* The newest point of what is drawn. */
static inline void fetch_point(const struct census_entry *entry)
{
    if (entry->drawn && entry->more->series.count > 0)
        fetch_line(&entry->more->series.point[entry->more->series.count - 1]);
}

/* Those that it leaves when it becomes the newest of its queue, or its place in the row. */
static inline void fetch_neighbours(const struct census *census, const struct census_entry *entry)
{
    const struct census_link *link = &census->link[entry->index];
    if (census_is_in_row(entry)) {
        fetch_line(census_row_at(&census->queue[entry->key.scope].row, link->newer));
        return;
    }
    fetch_line(&census->link[link->newer]);
    fetch_line(&census->link[link->older]);
}

/* What only services of many connections have. */
static inline void fetch_service(const struct census_more *more, const struct delta *delta)
{
    const unsigned of_cohorts = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    if (more->cohorts != NULL && (delta->what & of_cohorts) != 0)
        cohorts_fetch(more->cohorts, delta->opened);
    if ((delta->what & DELTA_OPENED) != 0)
        fetch_line(&more->ref[more->refs % CENSUS_REFS]);
    bool closed = (delta->what & DELTA_GONE) != 0 && delta->close_kind != CLOSE_UNANSWERED;
    if (more->dwell != NULL && closed)
        dwell_fetch(more->dwell);
}

enum { NEAR = 2048 }; /* so many entries, with what they have, are in the cache as it is */

/* What is foreseen of a delta: places in the index, what seems to stand there, the service first,
 * and which of that has more. */
struct likely {
    bool all; /* scopes; false: the service alone */
    uint32_t tag[HOST_SCOPES];
    uint32_t entries, several;
    const struct census_entry *entry[HOST_SCOPES], *with_more[HOST_SCOPES];
};

static inline void foresee_slots(const struct census *census, struct delta *delta,
                                 struct likely *likely)
{
    likely->all = census_concerns_all(delta);
    tag_scopes(census, delta, likely->all, likely->tag);
    fetch_line(&census->slot[likely->tag[HOST_SERVICE] & census->mask]);
    if (!likely->all)
        return;
    fetch_line(&census->slot[likely->tag[HOST_SOURCE] & census->mask]);
    fetch_line(&census->slot[likely->tag[HOST_PAIR] & census->mask]);
}

static inline void foresee_entry(const struct census *census, const struct delta *delta,
                                 enum host_scope scope, struct likely *likely)
{
    likely->entry[likely->entries] = guess(census, likely->tag[scope], delta->what);
    likely->entries += likely->entry[likely->entries] != NULL;
}

static inline void foresee_entries(const struct census *census, const struct delta *delta,
                                   struct likely *likely)
{
    likely->entries = 0;
    foresee_entry(census, delta, HOST_SERVICE, likely);
    if (!likely->all)
        return;
    foresee_entry(census, delta, HOST_SOURCE, likely);
    foresee_entry(census, delta, HOST_PAIR, likely);
}

static inline void foresee_more(const struct delta *delta, struct likely *likely)
{
    likely->several = 0;
    for (uint32_t i = 0; i < likely->entries; i++) {
        const struct census_entry *entry = likely->entry[i];
        if (entry->more == NULL)
            continue;
        fetch_more(entry, delta->what);
        likely->with_more[likely->several++] = entry;
    }
}

static inline void foresee_rest(const struct census *census, const struct delta *delta,
                                const struct likely *likely)
{
    if (likely->several > 0 && likely->with_more[0]->key.scope == HOST_SERVICE)
        fetch_service(likely->with_more[0]->more, delta);
    if (!is_shown(delta))
        return;
    for (uint32_t i = 0; i < likely->several; i++)
        fetch_point(likely->with_more[i]);
    if ((delta->what & DELTA_OPENED) == 0)
        return;
    for (uint32_t i = 0; i < likely->entries; i++)
        fetch_neighbours(census, likely->entry[i]);
}

void census_foresee(const struct census *census, struct delta *const *deltas, size_t count)
{
    struct likely likely[CENSUS_FORESEEN];
    if (census_all(census) < NEAR)
        return;
    for (size_t i = 0; i < count; i++)
        foresee_slots(census, deltas[i], &likely[i]);
    for (size_t i = 0; i < count; i++)
        foresee_entries(census, deltas[i], &likely[i]);
    for (size_t i = 0; i < count; i++)
        foresee_more(deltas[i], &likely[i]);
    for (size_t i = 0; i < count; i++)
        foresee_rest(census, deltas[i], &likely[i]);
}
