/*
 * census_foresee: what deltas that come soon will need of the census, fetched into the cache.
 *
 * Entries lie far away in memory, behind the index.  Each step asks for what the next one looks at,
 * and other deltas are counted between two steps.  So what a step finds may be another's by then,
 * or given back: it follows only what stays readable (the pools' slots), and of the rest asks for
 * where it was.  Prefetching, as nothing is to wait here; large pages see to it that it is heard.
 */
#include "census_table.h"

/* This and whatever else only asks is inlined by force: gcc drops a call that seems to do nothing.
 */
static inline __attribute__((always_inline)) void ask(const void *octet)
{
    __builtin_prefetch(octet);
}

/* The same where the delta is of one of those kinds; else again for what was asked for: without a
 * branch, as no one foresees what the next delta is. */
static inline __attribute__((always_inline)) void ask_if(unsigned kinds, const void *octet,
                                                         const void *asked)
{
    ask(kinds != 0 ? octet : asked);
}

/* --- first: the indices --- */

/* A delta that concerns its service alone has no place for its client. */
static inline __attribute__((always_inline)) void foresee_slots(const struct census *census,
                                                                struct delta *delta)
{
    uint32_t service = delta->place[SERVER] = census_tag_service(census, delta);
    ask(census_home(&census->index[HOST_SERVICE], service));
    if (!census_concerns_all(delta))
        return;
    uint32_t source = delta->place[CLIENT] = census_tag_source(census, delta);
    uint32_t pair = census_tag_pair(source, service);
    ask(census_home(&census->index[HOST_SOURCE], source));
    ask(&census->index[HOST_SOURCE].print[source & census->index[HOST_SOURCE].mask]);
    ask(&census->index[HOST_PAIR].print[pair & census->index[HOST_PAIR].mask]);
}

/* --- second: entries, whose numbers are noted --- */

/* The lines of an entry that a delta touches, by what it says. */
static inline __attribute__((always_inline)) void ask_entry(const struct census *census,
                                                            uint32_t index, unsigned what)
{
    const struct census_entry *entry = census_at(census, index);
    ask(entry);
    ask(&entry->stock);
    ask_if(what & DELTA_GONE, &entry->answered, entry);
    ask_if(what & DELTA_OPENED, &census->link[index], entry);
}

/* What seems to stand under a tag; 0: nothing. */
static inline uint32_t guess(const struct census_index *index, uint32_t tag)
{
    const struct census_slot *slot = census_seek(index, tag);
    while (slot->index != 0 && slot->tag != tag)
        slot = census_behind(index, slot);
    return slot->index;
}

/* Looks under a tag: the place of the entry there; or the tag, where there is none. */
static inline __attribute__((always_inline)) uint32_t
look(const struct census *census, enum host_scope scope, uint32_t tag, unsigned what)
{
    uint32_t index = guess(&census->index[scope], tag);
    if (index == 0)
        return tag;
    if (census_is_code(index)) {
        ask(census_newcomer(census, index));
        return tag;
    }
    ask_entry(census, index, what);
    return index >> NUMBER_BITS != 0 ? tag : census_place_of(index);
}

static inline __attribute__((always_inline)) void foresee_entries(const struct census *census,
                                                                  struct delta *delta)
{
    const uint32_t service = delta->place[SERVER], source = delta->place[CLIENT];
    if (census_is_number(service) || service == 0)
        return;
    delta->place[SERVER] = look(census, HOST_SERVICE, service, delta->what);
    if (census_is_number(source) || source == 0)
        return;
    uint32_t place = census_is_absent(&census->index[HOST_SOURCE], source)
                         ? source
                         : look(census, HOST_SOURCE, source, delta->what);
    uint32_t pair = census_tag_pair(source, service);
    if (!census_is_absent(&census->index[HOST_PAIR], pair)) {
        look(census, HOST_PAIR, pair, delta->what);
        place = census_is_number(place) ? census_place_with_pair(place) : place;
    }
    delta->place[CLIENT] = place;
}

/* --- third: what they have, and who stands beside them --- */

static inline __attribute__((always_inline)) void ask_more(const struct census_entry *entry,
                                                           enum host_scope scope, unsigned what)
{
    const unsigned paced = what & (DELTA_OPENED | DELTA_CLOSED);
    if (entry->more == NULL)
        return;
    if (scope != HOST_SOURCE || entry->drawn)
        ask(&entry->more->series);
    ask_if(paced, &entry->more->opened_pace, entry);
    if (scope != HOST_SOURCE)
        ask_if(paced, &entry->more->opened_rate.count, entry);
}

/* Those that it leaves when it becomes the newest of its queue, or its place in the row. */
static inline __attribute__((always_inline)) void ask_neighbours(const struct census *census,
                                                                 const struct census_entry *entry)
{
    const struct census_link *link = &census->link[entry->index];
    if (census_is_in_row(entry)) {
        ask(census_row_at(&census->queue[entry->key.scope].row, link->newer));
        return;
    }
    ask(&census->link[link->newer]);
    ask(&census->link[link->older]);
}

/* The pair of a delta whose ends were found; NULL: it seems to have none. */
static inline const struct census_entry *pair_of(const struct census *census,
                                                 const struct delta *delta)
{
    const uint32_t source = delta->place[CLIENT], service = delta->place[SERVER];
    if (!census_is_with_pair(source) || !census_is_number(service))
        return NULL;
    uint32_t index =
        guess(&census->index[HOST_PAIR], census_tag_pair(census_at_place(census, source)->tag,
                                                         census_at_place(census, service)->tag));
    return index == 0 || census_is_code(index) ? NULL : census_at(census, index);
}

static inline __attribute__((always_inline)) void ask_beside(const struct census *census,
                                                             const struct census_entry *entry,
                                                             enum host_scope scope, unsigned what)
{
    ask_more(entry, scope, what);
    if ((what & DELTA_OPENED) != 0)
        ask_neighbours(census, entry);
}

static inline __attribute__((always_inline)) void foresee_more(const struct census *census,
                                                               const struct delta *delta)
{
    const uint32_t source = delta->place[CLIENT], service = delta->place[SERVER];
    if (census_is_number(service))
        ask_beside(census, census_at_place(census, service), HOST_SERVICE, delta->what);
    if (!census_is_number(source))
        return;
    ask_beside(census, census_at_place(census, source), HOST_SOURCE, delta->what);
    const struct census_entry *pair = pair_of(census, delta);
    if (pair != NULL)
        ask_beside(census, pair, HOST_PAIR, delta->what);
}

/* --- fourth: what that points to --- */

/* Whether a delta shows in what is drawn: seldom one within a handshake. */
static inline bool is_shown(const struct delta *delta)
{
    return (delta->what & DELTA_CUT) == 0 &&
           ((delta->what & (DELTA_OPENED | DELTA_CLOSED)) != 0 ||
            delta->after[CLIENT] > HOLDING_LAST || delta->after[SERVER] > HOLDING_LAST);
}

/* The newest point of what is drawn. */
static inline __attribute__((always_inline)) void ask_point(const struct census_entry *entry)
{
    const struct census_more *more = entry->more;
    if (entry->drawn && more != NULL && more->series.count > 0)
        ask(&more->series.point[more->series.count - 1]);
}

static inline __attribute__((always_inline)) void ask_delta(const struct delta *delta)
{
    enum { LINE = 64 };
    for (size_t octet = 0; octet < sizeof(*delta); octet += LINE)
        ask((const char *)delta + octet);
}

/* What only services of many connections have. */
static inline __attribute__((always_inline)) void ask_service(const struct census_more *more,
                                                              const struct delta *delta)
{
    const unsigned of_cohorts = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    if (more->cohorts != NULL && (delta->what & of_cohorts) != 0)
        cohorts_ask(more->cohorts, delta->opened);
    ask_if(delta->what & DELTA_OPENED, &more->ref[more->refs % CENSUS_REFS], more);
    bool closed = (delta->what & DELTA_GONE) != 0 && delta->close_kind != CLOSE_UNANSWERED;
    if (more->dwell != NULL && closed)
        dwell_ask(more->dwell);
    if (census_enters_time_wait(delta) && more->time_wait_delta != NULL)
        ask_delta(more->time_wait_delta);
}

static inline __attribute__((always_inline)) void foresee_rest(const struct census *census,
                                                               const struct delta *delta)
{
    const uint32_t source = delta->place[CLIENT], service = delta->place[SERVER];
    const struct census_entry *entry =
        census_is_number(service) ? census_at_place(census, service) : NULL;
    bool shown = is_shown(delta);
    if (entry != NULL && entry->more != NULL)
        ask_service(entry->more, delta);
    if (!shown)
        return;
    if (entry != NULL)
        ask_point(entry);
    if (census_is_number(source))
        ask_point(census_at_place(census, source));
    entry = pair_of(census, delta);
    if (entry != NULL)
        ask_point(entry);
}

enum { NEAR = 2048 }; /* so many entries, with what they have, are in the cache as it is */

void census_foresee(const struct census *census, struct delta *const *deltas, size_t count,
                    int step)
{
    if (census_all(census) < NEAR)
        return;
    for (size_t i = 0; step == 0 && i < count; i++)
        foresee_slots(census, deltas[i]);
    for (size_t i = 0; step == 1 && i < count; i++)
        foresee_entries(census, deltas[i]);
    for (size_t i = 0; step == 2 && i < count; i++)
        foresee_more(census, deltas[i]);
    for (size_t i = 0; step == 3 && i < count; i++)
        foresee_rest(census, deltas[i]);
}
