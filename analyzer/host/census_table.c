/* census_table: see census_table.h. */
#include "census_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fetch.h"

struct census_key census_key_of(enum host_scope scope, uint8_t ip_version, const uint8_t *source,
                                const uint8_t *destination, uint16_t port)
{
    struct census_key key;
    memset(&key, 0, sizeof(key));
    if (scope != HOST_SERVICE)
        memcpy(key.source, source, sizeof(key.source));
    if (scope != HOST_SOURCE) {
        memcpy(key.destination, destination, sizeof(key.destination));
        key.port = port;
    }
    key.ip_version = ip_version;
    key.scope = (uint8_t)scope;
    return key;
}

uint64_t census_hash_long(const struct census *census, const uint8_t *address, uint64_t port)
{
    uint64_t words[3];
    memcpy(words, address, 2 * sizeof(words[0]));
    words[2] = port;
    return hash_words(census->secret, words, 3);
}

static uint32_t tag_of(const struct census *census, const struct census_key *key)
{
    if (key->scope == HOST_SOURCE)
        return census_tag(census_hash(census, key->source, 0, key->ip_version));
    uint64_t service = census_hash(census, key->destination, key->port, key->ip_version);
    if (key->scope == HOST_SERVICE)
        return census_tag(service);
    uint64_t source = census_hash(census, key->source, 0, key->ip_version);
    return census_tag_pair(census_tag(source), census_tag(service));
}

/* The place of a pair among those that came.  Without the secret: which pairs share one decides
 * what is written, and the same capture is to give the same.  Who forges pairs that share a place
 * gains entries, and of those there are only so many. */
static uint32_t knock_of(const struct delta *delta)
{
    const struct endpoint_record *end = delta->end;
    uint64_t words[5];
    memcpy(&words[0], end[CLIENT].address, 2 * sizeof(words[0]));
    memcpy(&words[2], end[SERVER].address, 2 * sizeof(words[0]));
    words[4] = end[SERVER].port | (uint64_t)delta->ip_version << 16 | (uint64_t)HOST_PAIR << 24;
    return (uint32_t)(hash_identity(words, sizeof(words) / sizeof(words[0])) % CENSUS_KNOCKS);
}

/* The memory of who came is emptied when a quarter of it is used. */
bool census_knocks_again(struct census *census, const struct delta *delta)
{
    if (census->queue[HOST_PAIR].count < CENSUS_EASY)
        return true;
    uint32_t bit = knock_of(delta);
    uint64_t *word = &census->knock[bit / 64], mask = UINT64_C(1) << bit % 64;
    if ((*word & mask) != 0)
        return true;
    if (++census->knocks > CENSUS_KNOCKS / 4) {
        memset(census->knock, 0, sizeof(census->knock));
        census->knocks = 1;
    }
    *word |= mask;
    census->left_out++;
    return false;
}

/* What stands in the index under that key; 0: nothing does. */
static uint32_t find(const struct census *census, const struct census_key *key)
{
    const struct census_index *index = &census->index[key->scope];
    uint32_t tag = tag_of(census, key);
    const struct census_slot *slot = census_seek(index, tag);
    while (slot->index != 0 &&
           (slot->tag != tag || memcmp(census_key_at(census, slot->index), key, sizeof(*key)) != 0))
        slot = census_behind(index, slot);
    return slot->index;
}

struct census_entry *census_find(const struct census *census, const struct census_key *key)
{
    uint32_t index = find(census, key);
    return index == 0 || census_is_code(index) ? NULL : census_at(census, index);
}

const struct census_entry *census_look(const struct census *census, const struct census_key *key,
                                       struct census_entry *room)
{
    uint32_t index = find(census, key);
    if (index == 0 || !census_is_code(index))
        return index == 0 ? NULL : census_at(census, index);
    newcomer_become(census_newcomer(census, index), room);
    return room;
}

/* Links for as many entries as all indices take with so many slots more; false when memory ran
 * out. */
static bool widen_links(struct census *census, uint32_t more)
{
    size_t slots = more;
    for (int scope = 0; scope < HOST_SCOPES; scope++)
        slots += census->index[scope].slot == NULL ? 0 : census->index[scope].mask + (size_t)1;
    struct census_link *wide = realloc(census->link, (slots / 2 + 1) * sizeof(*wide));
    if (wide == NULL)
        return false;
    census->link = wide;
    return true;
}

/* Sees to it that at most half of an index is in use with one more: what is small stays in the
 * cache.  False when memory ran out. */
static bool widen(struct census *census, enum host_scope scope)
{
    struct census_index *index = &census->index[scope];
    uint32_t slots = index->mask + 1;
    if ((census->queue[scope].count + (uint64_t)1) * 2 <= slots)
        return true;
    return widen_links(census, slots) && census_index_widen(index);
}

/* --- entries --- */

/* Frees what it owns. */
static void clear_more(struct census_more *more)
{
    series_clear(&more->series);
    free(more->time_wait_delta);
    free(more->worst_leaks);
    free(more->worst_ports);
    dwell_free(more->dwell);
}

static void clear_entry(struct census *census, struct census_entry *entry)
{
    struct census_more *more = entry->more;
    census->queue[entry->key.scope].drawn -= entry->drawn;
    if (more == NULL)
        return;
    if (more->cohorts != NULL)
        pool_give(&census->cohorts, more->cohorts->index);
    census->dwells -= more->dwell != NULL;
    clear_more(more);
    uint32_t index = more->index;
    more->index = 0; /* for census_free() */
    pool_give(&census->mores, index);
}

static void drop_entry(struct census *census, struct census_entry *entry)
{
    census_queue_leave(census, entry);
    census_index_leave(&census->index[entry->key.scope],
                       (struct census_slot){entry->tag, entry->index});
    clear_entry(census, entry);
    uint32_t index = entry->index;
    entry->index = 0; /* for census_next() */
    pool_give(&census->pool, index);
}

/* The slots of those that give way next, all of so many together; their places were fetched with
 * those before them. */
static inline __attribute__((always_inline)) void fetch_leaving(const struct census_index *index,
                                                                const struct census_row *row)
{
    enum { TOGETHER = 16 };
    if (row->begin % TOGETHER != 0)
        return;
    for (uint32_t i = 0; i < TOGETHER && row->begin + i != row->end; i++) {
        __builtin_prefetch(census_row_at(row, row->begin + TOGETHER + i));
        __builtin_prefetch(census_home(index, census_row_at(row, row->begin + i)->tag));
    }
}

static void give_way(struct census *census, enum host_scope scope)
{
    struct census_queue *queue = &census->queue[scope];
    uint32_t index;
    struct newcomer *newcomer = census_queue_oldest(census, scope, &index);
    if (index != 0) {
        drop_entry(census, census_at(census, index));
    } else {
        fetch_leaving(&census->index[scope], &queue->row);
        uint32_t code = census_code(scope, queue->row.begin);
        census_index_leave(&census->index[scope], (struct census_slot){newcomer->tag, code});
        newcomer->is = PLACE_OF_NOBODY;
    }
    queue->count--;
    census->left_out++;
}

/* An entry in the index and, as the newest, in its queue; NULL when memory ran out. */
static struct census_entry *add(struct census *census, const struct census_key *key, uint32_t tag,
                                bool heeded)
{
    const enum host_scope scope = (enum host_scope)key->scope;
    bool fits =
        widen(census, scope) && (scope == HOST_SERVICE || census_queue_make_room(census, scope));
    uint32_t index = fits ? pool_take(&census->pool) : 0;
    if (index == 0)
        return NULL;
    struct census_entry *entry = census_at(census, index);
    entry->key = *key;
    entry->index = index;
    entry->tag = tag;
    entry->heeded = heeded;
    census->queue[key->scope].count++;
    census_index_enter(&census->index[scope], (struct census_slot){tag, index});
    census_queue_enter(census, entry);
    return entry;
}

struct census_more *census_new_more(struct census *census)
{
    uint32_t index = pool_take(&census->mores);
    if (index == 0)
        return NULL;
    struct census_more *more = pool_at(&census->mores, index);
    more->index = index;
    return more;
}

struct cohorts *census_new_cohorts(struct census *census)
{
    uint32_t index = pool_take(&census->cohorts);
    if (index == 0)
        return NULL;
    struct cohorts *cohorts = pool_at(&census->cohorts, index);
    cohorts->index = index;
    return cohorts;
}

struct census_entry *census_restore(struct census *census, const struct census_key *key,
                                    bool heeded)
{
    bool full = census->queue[key->scope].count >= census->config->census_pairs;
    return full ? NULL : add(census, key, tag_of(census, key), heeded);
}

struct census_entry *census_make(struct census *census, const struct census_key *key, uint32_t tag,
                                 nanotime t)
{
    if (census->queue[key->scope].count >= census->most)
        give_way(census, (enum host_scope)key->scope);
    struct census_entry *entry = add(census, key, tag, false);
    if (entry == NULL)
        return NULL;
    entry->first = entry->last = t;
    for (int side = 0; side < 2; side++)
        entry->alive[side] = NANOTIME_UNKNOWN;
    for (int kind = 0; kind < STOCKS; kind++)
        entry->most_at[kind] = NANOTIME_UNKNOWN;
    return entry;
}

bool census_make_newcomer(struct census *census, enum host_scope scope, uint32_t tag,
                          const struct delta *delta)
{
    struct census_queue *queue = &census->queue[scope];
    uint32_t number;
    if (queue->count >= census->most)
        give_way(census, scope);
    if (!widen(census, scope) || !census_queue_make_room(census, scope))
        return false;
    struct newcomer *newcomer = census_queue_append(census, scope, &number);
    census_name(scope, delta, &newcomer->key);
    newcomer->tag = tag;
    newcomer->opened = newcomer->last = delta->t;
    newcomer->first_port = delta->end[CLIENT].port;
    newcomer->is = PLACE_OF_NEWCOMER;
    newcomer->stage = NEWCOMER_OPENING;
    queue->count++;
    census_index_enter(&census->index[scope],
                       (struct census_slot){tag, census_code(scope, number)});
    return true;
}

struct census_entry *census_hatch(struct census *census, struct census_slot *slot)
{
    struct newcomer *newcomer = census_newcomer(census, slot->index);
    uint32_t index = pool_take_unclear(&census->pool);
    if (index == 0)
        return NULL;
    struct census_entry *entry = census_at(census, index);
    newcomer_become(newcomer, entry);
    entry->index = index;
    census->link[index].newer = slot->index; /* as far as it is a number of that row */
    newcomer->is = PLACE_OF_ENTRY;
    newcomer->entry = index;
    slot->index = index;
    return entry;
}

struct census_entry *census_next(const struct census *census, uint32_t *number)
{
    while (*number < census->pool.next) {
        struct census_entry *entry = census_at(census, (*number)++);
        if (entry->index != 0)
            return entry;
    }
    return NULL;
}

nanotime census_two_msl(const struct census *census)
{
    return census->config->msl * 2;
}

enum { ENTRY_OCTETS = 1024 }; /* that one takes with what it owns, but for the few busiest */

uint32_t census_most(const struct config *config)
{
    enum { SHARE = 8, LEAST = 64 };
    uint64_t most = config->max_memory / SHARE / HOST_SCOPES / ENTRY_OCTETS;
    most = most < LEAST ? LEAST : most;
    return most < config->census_pairs ? (uint32_t)most : config->census_pairs;
}

uint64_t census_octets(const struct config *config)
{
    enum { MIB = 1 << 20, BESIDE = 14 * MIB, SHARE = 10 }; /* dwell times, series, who came once */
    const uint64_t share = config->max_memory / SHARE;
    return (uint64_t)census_most(config) * HOST_SCOPES * ENTRY_OCTETS +
           (share < BESIDE ? share : BESIDE);
}

/* Indices and links, small ones to begin with; false when memory ran out. */
static bool make_indices(struct census *census)
{
    enum { SLOTS = 512 };
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        if (!census_index_make(&census->index[scope], SLOTS))
            return false;
    }
    return widen_links(census, 0);
}

struct census *census_new(const struct config *config)
{
    struct census *census = calloc(1, sizeof(*census));
    if (census == NULL || !make_indices(census)) {
        census_free(census);
        return NULL;
    }
    census->config = config;
    census->most = census_most(config);
    census->secret = hash_key_draw();
    pool_init(&census->pool, sizeof(struct census_entry));
    pool_init(&census->mores, sizeof(struct census_more));
    pool_init(&census->cohorts, sizeof(struct cohorts));
    return census;
}

void census_free(struct census *census)
{
    if (census == NULL)
        return;
    for (uint32_t index = 1; index < census->mores.next; index++) {
        struct census_more *more = pool_at(&census->mores, index);
        if (more->index != 0)
            clear_more(more);
    }
    pool_clear(&census->pool);
    pool_clear(&census->mores);
    pool_clear(&census->cohorts);
    for (int scope = 0; scope < HOST_SCOPES; scope++) {
        free(census->queue[scope].row.place);
        census_index_free(&census->index[scope]);
    }
    free(census->link);
    free(census);
}
