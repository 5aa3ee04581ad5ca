/*
 * table: tuples by key.  An open-addressing index of 8-octet slots over slabs, a keyed hash, linear
 * probing, backward-shift deletion:
 *
 *     slot = | upper half of the hash, 32 bits | index into the slabs, 32 bits |
 *
 * The half hash gives a slot's home without touching the record, so growing and deleting stay in
 * the index.  Callers hash a batch first, prefetch the slots, then look up.
 */
#ifndef LASTACK_FLOW_TABLE_H
#define LASTACK_FLOW_TABLE_H

#include "../base/berths.h"
#include "../base/fetch.h"
#include "../base/pool.h"
#include "incarnation.h"
#include "park.h"

struct table_slot {
    uint32_t tag;
    uint32_t index; /* 0: empty */
};

enum { SPARE_CLOSINGS = 32 }; /* as many connections close as a batch has packets */

struct flow_table {
    struct hash_key secret;
    struct table_slot *slot;
    uint32_t mask; /* slots - 1 */
    uint32_t count;
    struct pool tuples;
    struct berths incarnations;
    struct pool transcripts;
    uint64_t beside; /* octets that incarnations own beside themselves, closing blocks left out */
    struct parking parking;
    struct closing *spare[SPARE_CLOSINGS]; /* that others need no more; owned */
    uint32_t spares;
};

/* Prepares an empty table; false when memory ran out. */
bool flow_table_init(struct flow_table *table);

/* The half of a hash that is a slot's tag. */
static inline uint32_t flow_table_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static inline __attribute__((always_inline)) void
flow_table_prefetch(const struct flow_table *table, uint32_t tag)
{
    fetch_slots(&table->slot[tag & table->mask]);
}

/*
 * Two further steps of fetching for a packet that comes soon: the tuple that the slot seems to
 * name (NULL: none), then what that points to, where that end sends.  Hints only: nothing is
 * believed of what they read.
 * Functions on purpose: inline, with 37 thousand connections, all of it took a tenth longer.
 */
struct tuple *flow_table_prefetch_tuple(const struct flow_table *table, uint32_t tag);
void flow_table_prefetch_incarnation(const struct tuple *tuple, int end);

/* Of tuples that are taken one after the other: the tuple is fetched so many before its turn, and
 * then what it is parked in. */
enum { FETCH_TUPLE_AHEAD = 8, FETCH_PARKED_AHEAD = 4 };

/* What the tuple, whose record is here by now, points to when it is parked. */
void flow_table_prefetch_parked(const struct tuple *tuple);

/* Whether what flow_table_prefetch_tuple() named, maybe long ago, is in the table with that key. */
static inline bool flow_table_is_of(const struct tuple *likely, const struct flow_key *key)
{
    return likely->index != 0 && flow_key_equal(&likely->key, key);
}

/* The tuple of that key, or NULL. */
struct tuple *flow_table_find(const struct flow_table *table, const struct flow_key *key,
                              uint64_t hash);

/* Adds a tuple, which must not be there yet; NULL when memory ran out. */
struct tuple *flow_table_add(struct flow_table *table, const struct flow_key *key, uint64_t hash);

/* Grows the index to `slots`, a power of 2, where it has fewer; false when memory ran out. */
bool flow_table_make_room(struct flow_table *table, uint64_t slots);

/* Removes a tuple; its incarnations are the caller's to free first. */
void flow_table_remove(struct flow_table *table, struct tuple *tuple);

static inline struct tuple *flow_table_tuple(const struct flow_table *table, uint32_t index)
{
    return pool_at(&table->tuples, index);
}

/* Fetches what flow_table_remove() needs of the tuple, which is soon to go: its slot, in large
 * pages where there are many. */
static inline __attribute__((always_inline)) void
flow_table_fetch_removal(const struct flow_table *table, const struct tuple *tuple)
{
    uint32_t tag = flow_table_tag(flow_key_hash(table->secret, &tuple->key));
    fetch_slots(&table->slot[tag & table->mask]);
}

/* The same, not waited for. */
static inline __attribute__((always_inline)) void
flow_table_prefetch_removal(const struct flow_table *table, const struct tuple *tuple)
{
    flow_table_prefetch(table, flow_table_tag(flow_key_hash(table->secret, &tuple->key)));
}

/* All tuples, in the order of memory: those with indices from 1 to below the end; NULL: none has
 * that index, as behind the end. */
static inline uint32_t flow_table_end(const struct flow_table *table)
{
    return table->tuples.next;
}

static inline struct tuple *flow_table_at(const struct flow_table *table, uint32_t index)
{
    if (index >= table->tuples.next)
        return NULL;
    struct tuple *tuple = flow_table_tuple(table, index);
    return tuple->index == index ? tuple : NULL;
}

/* A zeroed incarnation of a tuple; NULL when memory ran out. */
struct incarnation *flow_table_new_incarnation(struct flow_table *table, const struct tuple *tuple);
/* One for park_restore, which fills all of it but its index. */
struct incarnation *flow_table_new_unclear(struct flow_table *table, const struct tuple *tuple);
/* The same, clear but for its connection, which connection_start() clears. */
struct incarnation *flow_table_new_unstarted(struct flow_table *table, const struct tuple *tuple);

/* Counts anew, into `beside`, what the tuple's incarnations own. */
void flow_table_count_beside(struct flow_table *table, const struct tuple *tuple);

/* Gives memory back when few incarnations are left of many: they may move, and the tuples then
 * point to where they are.  Nobody may hold a pointer to one meanwhile. */
static inline void flow_table_draw_in(struct flow_table *table);
void flow_table_move_together(struct flow_table *table);

void flow_table_free_incarnation(struct flow_table *table, struct incarnation *incarnation);

/* Gives the incarnation, which has none, a closing block ahead of need, where there is a spare one.
 */
void flow_table_give_closing(struct flow_table *table, struct incarnation *incarnation);

/* Octets held. */
uint64_t flow_table_bytes(const struct flow_table *table);

/* has_tombstones: some tuple may have. */
void flow_table_clear(struct flow_table *table, bool has_tombstones);

static inline void flow_table_draw_in(struct flow_table *table)
{
    if (berths_are_wide(&table->incarnations))
        flow_table_move_together(table);
}

#endif
