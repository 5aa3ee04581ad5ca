/*
 * table: tuples by key.  An open-addressing index of 8-octet slots over slabs, a keyed hash, linear
 * probing, backward-shift deletion:
 *
 *     slot = | upper half of the hash, 32 bits | index into the slabs, or code of a place in the
 *                                                nest, 32 bits |
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
#include "nest.h"
#include "park.h"

struct table_slot {
    uint32_t tag;
    uint32_t index; /* 0: empty */
};

enum { SPARE_CLOSINGS = 32 }; /* as many connections close as a batch has packets */

struct flow_table {
    struct hash_key secret;
    struct table_slot *slot;
    uint32_t mask;        /* slots - 1 */
    uint32_t reserved;    /* slots that it may have where it stands */
    void *room;           /* what it stands in; owned */
    uint32_t count, most; /* in the index, those of the nest among them; and at once so far */
    struct pool tuples;
    struct nest nest;
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

/* The tuple of that key, or NULL.  The second makes the tuple of a SYN in the nest, which stays in
 * that queue; where memory runs out for it, there is none. */
struct tuple *flow_table_find(const struct flow_table *table, const struct flow_key *key,
                              uint64_t hash);
struct tuple *flow_table_reach(struct flow_table *table, const struct flow_key *key, uint64_t hash);

/* Adds a tuple, which must not be there yet; NULL when memory ran out. */
struct tuple *flow_table_add(struct flow_table *table, const struct flow_key *key, uint64_t hash);

/* A place in the nest, to be written, for what is not there yet; NULL when memory ran out. */
struct nested *flow_table_add_nested(struct flow_table *table, uint64_t hash);

/* Makes the tuple of a SYN in the nest, which stays in that queue; NULL when memory ran out. */
struct tuple *flow_table_unnest(struct flow_table *table, uint32_t code);

/* Removes a SYN in the nest; and fetches what that needs. */
void flow_table_remove_nested(struct flow_table *table, uint32_t code);
static inline __attribute__((always_inline)) void
flow_table_fetch_nested(const struct flow_table *table, const struct nested *nested);

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

static inline __attribute__((always_inline)) void
flow_table_fetch_nested(const struct flow_table *table, const struct nested *nested)
{
    fetch_slots(&table->slot[flow_table_tag(nested_hash(table->secret, nested)) & table->mask]);
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

/* The same of what is parked and open (park.h). */
void flow_table_draw_in_parked(struct flow_table *table);

void flow_table_free_incarnation(struct flow_table *table, struct incarnation *incarnation);

/* The same, of which a parked form keeps what stands beside it, and what that counts. */
void flow_table_release_incarnation(struct flow_table *table, struct incarnation *incarnation);

/* Frees all that a tuple holds, as it is given up itself. */
void flow_table_clear_tuple(struct flow_table *table, struct tuple *tuple);

/* Gives the incarnation, which has none, a closing block ahead of need, where there is a spare one.
 */
void flow_table_give_closing(struct flow_table *table, struct incarnation *incarnation);

/* Octets held. */
uint64_t flow_table_bytes(const struct flow_table *table);

/* has_tombstones: some tuple may have. */
void flow_table_clear(struct flow_table *table, bool has_tombstones);

/* --- what the index is made of: known to the table's own files alone --- */

/* The tuple of a key, or NULL; what the index names in the nest is passed over, and that noted. */
static inline __attribute__((always_inline)) struct tuple *
flow_table_look(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                bool *nested)
{
    const uint32_t tag = flow_table_tag(hash);
    for (uint32_t i = tag & table->mask; table->slot[i].index != 0; i = (i + 1) & table->mask) {
        if (table->slot[i].tag != tag)
            continue;
        if (nest_is_code(table->slot[i].index)) {
            *nested = true;
            continue;
        }
        struct tuple *tuple = flow_table_tuple(table, table->slot[i].index);
        if (flow_key_equal(&tuple->key, key))
            return tuple;
    }
    return NULL;
}

/* The slot of what is in the index. */
static inline struct table_slot *flow_table_slot_of(const struct flow_table *table, uint64_t hash,
                                                    uint32_t index)
{
    uint32_t i = flow_table_tag(hash) & table->mask;
    while (table->slot[i].index != index)
        i = (i + 1) & table->mask;
    return &table->slot[i];
}

/* Sees to it that there is room for one more; false when memory ran out. */
bool flow_table_make_slot(struct flow_table *table);

/* What has that index, or code, enters where there is room, and leaves. */
void flow_table_enter(struct flow_table *table, uint64_t hash, uint32_t index);
void flow_table_leave(struct flow_table *table, uint64_t hash, uint32_t index);

static inline void flow_table_draw_in(struct flow_table *table)
{
    if (berths_are_wide(&table->incarnations))
        flow_table_move_together(table);
}

#endif
