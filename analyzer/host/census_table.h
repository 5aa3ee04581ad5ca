/*
 * census_table: where the census keeps its entries: an index, and queues of who gives way first.
 * Known to the census's own files alone.
 */
#ifndef LASTACK_HOST_CENSUS_TABLE_H
#define LASTACK_HOST_CENSUS_TABLE_H

#include "census.h"

/* Where a delta counts in a scope: its entry, or where it would stand in the index. */
struct census_target {
    enum host_scope scope;
    uint32_t tag;
    struct census_entry *entry; /* NULL: there is none */
};

/* What names the entry of a scope that a delta counts for. */
struct census_key census_key_in(enum host_scope scope, const struct delta *delta);

/* Whether a delta changes what sources and pairs count: a handshake that goes on does not. */
static inline bool census_concerns_all(const struct delta *delta)
{
    const uint8_t *before = delta->before, *after = delta->after;
    bool goes_on = before[0] >= HOLDING_OPENING && before[0] <= HOLDING_OPEN &&
                   after[0] >= HOLDING_OPENING && after[0] <= HOLDING_OPEN &&
                   before[1] <= HOLDING_OPEN && after[1] <= HOLDING_OPEN;
    return !goes_on || (delta->what & (DELTA_OPENED | DELTA_GONE | DELTA_CLOSED)) != 0;
}

/* Finds the entries of all scopes, by enum host_scope; or the service's alone. */
void census_aim(const struct census *census, const struct delta *delta,
                struct census_target target[HOST_SCOPES]);
void census_aim_service(const struct census *census, const struct delta *delta,
                        struct census_target *target);

/* Goes through all entries: that of this number, from 1 on, or the next one, and counts the number
 * on behind it; NULL: there are no more. */
struct census_entry *census_next(const struct census *census, uint32_t *number);

/* A new entry, at whose expense another may go; NULL when memory ran out. */
struct census_entry *census_make(struct census *census, const struct census_key *key, uint32_t tag,
                                 nanotime t);

/* An entry of a state file, zeroed but for its key and what it needs to stand in the index, as the
 * newest of its queue; NULL when memory ran out. */
struct census_entry *census_restore(struct census *census, const struct census_key *key,
                                    bool heeded);

/* The entry was active: others of its scope give way before it. */
void census_touch(struct census *census, struct census_entry *entry);

/* Whether a pair came before, when there are many: one that never comes again, as most do, is not
 * worth an entry. */
bool census_knocks_again(struct census *census, const struct census_key *pair);

#endif
