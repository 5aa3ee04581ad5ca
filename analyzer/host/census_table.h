/*
 * census_table: where the census keeps its entries: an index, and queues of who gives way first.
 * Known to the census's own files alone.
 */
#ifndef LASTACK_HOST_CENSUS_TABLE_H
#define LASTACK_HOST_CENSUS_TABLE_H

#include <string.h>

#include "census_queue.h"

/*
 * What names the entry of a scope that a delta counts for, into where it stays: who copied it just
 * after, four octets at once that were written one by one, would wait until all that was written
 * before is in the cache.
 */
static inline void census_name(enum host_scope scope, const struct delta *delta,
                               struct census_key *ret_key)
{
    static const uint8_t nothing[sizeof(ret_key->source)];
    const struct endpoint_record *end = delta->end;
    bool has_service = scope != HOST_SOURCE;
    memcpy(ret_key->source, scope != HOST_SERVICE ? end[CLIENT].address : nothing, sizeof(nothing));
    memcpy(ret_key->destination, has_service ? end[SERVER].address : nothing, sizeof(nothing));
    ret_key->port = has_service ? end[SERVER].port : 0;
    ret_key->ip_version = delta->ip_version;
    ret_key->scope = (uint8_t)scope;
}

/* Whether a delta changes what sources and pairs count: a handshake that goes on does not. */
static inline bool census_concerns_all(const struct delta *delta)
{
    const uint8_t *before = delta->before, *after = delta->after;
    bool goes_on = before[0] >= HOLDING_OPENING && before[0] <= HOLDING_OPEN &&
                   after[0] >= HOLDING_OPENING && after[0] <= HOLDING_OPEN &&
                   before[1] <= HOLDING_OPEN && after[1] <= HOLDING_OPEN;
    return !goes_on || (delta->what & (DELTA_OPENED | DELTA_GONE | DELTA_CLOSED)) != 0;
}

/* index: not 0. */
static inline struct census_entry *census_at(const struct census *census, uint32_t index)
{
    struct census_entry *slab = (void *)census->pool.slabs[index >> POOL_SLAB_BITS];
    return &slab[index & (POOL_SLAB_SLOTS - 1)];
}

/* --- places: of a delta's ends, in delta->place, the tag under which the end stands in its index;
 * or once somebody looked there, the number of its entry, and with the client's, whether something
 * seems to stand there for the pair --- */

enum { NUMBER_BITS = TAG_BITS - 1 };

static inline uint32_t census_place_of(uint32_t index)
{
    return UINT32_C(1) << TAG_BITS | index;
}

static inline uint32_t census_place_with_pair(uint32_t place)
{
    return place | UINT32_C(1) << NUMBER_BITS;
}

static inline bool census_is_number(uint32_t place)
{
    return place >> TAG_BITS != 0;
}

static inline bool census_is_with_pair(uint32_t place)
{
    return place >> NUMBER_BITS == 3;
}

static inline struct census_entry *census_at_place(const struct census *census, uint32_t place)
{
    return census_at(census, place & ((UINT32_C(1) << NUMBER_BITS) - 1));
}

uint64_t census_hash_long(const struct census *census, const uint8_t *address, uint64_t port);

/* A keyed hash of an address and its port; of IPv4 without the zeros behind the address. */
static inline uint64_t census_hash(const struct census *census, const uint8_t *address,
                                   uint16_t port, uint8_t ip_version)
{
    uint64_t first, second = (uint64_t)port << 8 | ip_version;
    if (ip_version != 4)
        return census_hash_long(census, address, second);
    memcpy(&first, address, sizeof(first));
    return hash_two_words(census->secret, first, second);
}

/* As noted, or worked out. */
static inline uint32_t census_tag_source(const struct census *census, const struct delta *delta)
{
    const uint32_t place = delta->place[CLIENT];
    if (place != 0 && !census_is_number(place))
        return place;
    return census_tag(census_hash(census, delta->end[CLIENT].address, 0, delta->ip_version));
}

static inline uint32_t census_tag_service(const struct census *census, const struct delta *delta)
{
    const struct endpoint_record *end = &delta->end[SERVER];
    const uint32_t place = delta->place[SERVER];
    if (place != 0 && !census_is_number(place))
        return place;
    return census_tag(census_hash(census, end->address, end->port, delta->ip_version));
}

/* The tags of both ends make the pair's: three entries cost two of them. */
static inline uint32_t census_tag_pair(uint32_t source, uint32_t service)
{
    return census_tag(source ^ (service << 16 | service >> 16));
}

/* --- entries --- */

static inline bool census_is_same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, sizeof(((struct census_key *)0)->source)) == 0;
}

/* Whether the key is census_name()'s of the scope. */
static inline bool census_is_key_in(const struct census_key *key, enum host_scope scope,
                                    const struct delta *delta)
{
    const struct endpoint_record *end = delta->end;
    if (key->scope != scope || key->ip_version != delta->ip_version)
        return false;
    if (scope != HOST_SERVICE && !census_is_same(key->source, end[CLIENT].address))
        return false;
    return scope == HOST_SOURCE ||
           (key->port == end[SERVER].port && census_is_same(key->destination, end[SERVER].address));
}

/* The key of what stands in the index.  What counting touches of an entry is fetched: it is not
 * needed at once. */
static inline const struct census_key *census_key_at(const struct census *census, uint32_t index)
{
    if (census_is_code(index))
        return &census_newcomer(census, index)->key;
    const struct census_entry *entry = census_at(census, index);
    __builtin_prefetch(&entry->stock);
    return &entry->key;
}

/* The slot of a scope that a delta counts for, by that scope's tag; an empty one: it has none. */
static inline __attribute__((always_inline)) struct census_slot *
census_slot_in(const struct census *census, enum host_scope scope, const struct delta *delta,
               uint32_t tag)
{
    const struct census_index *index = &census->index[scope];
    struct census_slot *slot = census_seek(index, tag);
    while (
        slot->index != 0 &&
        (slot->tag != tag || !census_is_key_in(census_key_at(census, slot->index), scope, delta)))
        slot = census_behind(index, slot);
    return slot;
}

/* The entry of a delta's end that its place names, if it still is. */
static inline struct census_entry *census_known(const struct census *census, enum host_scope scope,
                                                const struct delta *delta, uint32_t place)
{
    if (!census_is_number(place))
        return NULL;
    struct census_entry *entry = census_at_place(census, place);
    bool is = entry->index != 0 && census_is_key_in(&entry->key, scope, delta);
    return is ? entry : NULL;
}

/* How many stand in the index. */
static inline uint32_t census_all(const struct census *census)
{
    return census->queue[HOST_SOURCE].count + census->queue[HOST_SERVICE].count +
           census->queue[HOST_PAIR].count;
}

/* Goes through all entries: that of this number, from 1 on, or the next one, and counts the number
 * on behind it; NULL: there are no more. */
struct census_entry *census_next(const struct census *census, uint32_t *number);

/* A new entry, of that tag, at whose expense another may go; NULL when memory ran out.  Or a
 * newcomer, which the delta must fit (newcomer_fits); false when memory ran out. */
struct census_entry *census_make(struct census *census, const struct census_key *key, uint32_t tag,
                                 nanotime t);
bool census_make_newcomer(struct census *census, enum host_scope scope, uint32_t tag,
                          const struct delta *delta);

/* Makes an entry of the newcomer of a slot; NULL when memory ran out. */
struct census_entry *census_hatch(struct census *census, struct census_slot *slot);

/* An entry of a state file, zeroed but for its key and what it needs to stand in the index, as the
 * newest of its queue; NULL when memory ran out. */
struct census_entry *census_restore(struct census *census, const struct census_key *key,
                                    bool heeded);

/* What an entry gets from the second connection on: zero; NULL when memory ran out. */
struct census_more *census_new_more(struct census *census);
struct cohorts *census_new_cohorts(struct census *census); /* the same for services */

/* Whether the pair of a delta came before, when there are many: one that never comes again, as most
 * do, is not worth an entry. */
bool census_knocks_again(struct census *census, const struct delta *delta);

#endif
