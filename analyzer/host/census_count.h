/*
 * census_count: what a delta changes in the entries that it counts for.  Known to the census's own
 * files alone.
 */
#ifndef LASTACK_HOST_CENSUS_COUNT_H
#define LASTACK_HOST_CENSUS_COUNT_H

#include "census.h"

/*
 * What a delta is to each of its entries: worked out once for all of them.  What is asked together
 * stands apart: the compiler would read both as one, which has been written as two, and the
 * processor then waits until they have reached the cache.
 */
struct census_change {
    const struct delta *delta;
    unsigned what;   /* bits of enum delta_what */
    unsigned leaves; /* stocks, a bit each by enum stock_kind */
    unsigned enters; /* likewise */
};

/* The stocks that a side's holding adds to, a bit each. */
extern const uint8_t census_stocks[2][HOLDINGS];

static inline unsigned census_stocks_of(const uint8_t holding[2])
{
    return census_stocks[CLIENT][holding[CLIENT]] | census_stocks[SERVER][holding[SERVER]];
}

static inline struct census_change census_change_of(const struct delta *delta)
{
    unsigned before = census_stocks_of(delta->before), after = census_stocks_of(delta->after);
    return (struct census_change){
        .delta = delta,
        .what = delta->what,
        .enters = after & ~before,
        .leaves = before & ~after,
    };
}

/* The same for an entry that is made late, which has not been told what was before the delta: the
 * connection opens with it, and begins with nothing. */
static inline struct census_change census_change_whole(const struct delta *delta)
{
    return (struct census_change){
        .delta = delta,
        .what = delta->what | DELTA_OPENED,
        .enters = census_stocks_of(delta->after),
    };
}

/* Stocks, and when the entry last changed. */
static inline void census_move(struct census_entry *entry, const struct census_change *change)
{
    const struct delta *delta = change->delta;
    for (unsigned leaves = change->leaves; leaves != 0; leaves &= leaves - 1) {
        struct level_of *stock = &entry->stock[__builtin_ctz(leaves)];
        stock->now -= stock->now > 0;
    }
    for (unsigned enters = change->enters; enters != 0; enters &= enters - 1) {
        int kind = __builtin_ctz(enters);
        struct level_of *stock = &entry->stock[kind];
        if (++stock->now <= stock->most)
            continue;
        stock->most = stock->now;
        entry->most_at[kind] = delta->t;
    }
    entry->last = delta->t;
    if (delta->packet != 0)
        entry->alive[delta->from] = delta->t;
}

/* What is known of a connection when its record is written. */
static inline void census_count_ending(struct census_entry *entry, const struct delta *delta)
{
    entry->answered += delta->answered;
    entry->established += delta->established;
    entry->by_close[delta->close_kind]++;
    entry->by_initiator[delta->initiator]++;
}

/* Counts any change in an entry; false when memory ran out. */
bool census_count_fully(struct census *census, struct census_entry *entry,
                        const struct census_change *change);

/* The same: an entry without a series that nothing begins or ends at is soon done, and so is a
 * connection of which nothing happened but the end of the capture. */
static inline bool census_count(struct census *census, struct census_entry *entry,
                                const struct census_change *change)
{
    if ((change->what & DELTA_CUT) != 0) {
        census_count_ending(entry, change->delta);
        return true;
    }
    const unsigned seldom = DELTA_OPENED | DELTA_CLOSED | DELTA_GONE;
    if ((change->what & seldom) != 0 || entry->opened - 1 >= CENSUS_SERIES - 1)
        return census_count_fully(census, entry, change);
    census_move(entry, change);
    return true;
}

/* Whether a delta leaves its server in TIME_WAIT by a packet. */
static inline bool census_enters_time_wait(const struct delta *delta)
{
    return delta->after[SERVER] == HOLDING_TIME_WAIT &&
           delta->before[SERVER] != HOLDING_TIME_WAIT && delta->packet != 0;
}

/*
 * What stands beside the counts of a service.  It always has more, unless memory ran out when it
 * was made; its cohorts hear of SYNs, their answers and handshakes before the delta is counted; and
 * the latest delta that left its host in TIME_WAIT is kept.  False when memory ran out.
 */
bool census_ensure_more(struct census *census, struct census_entry *service);
bool census_count_cohort(struct census *census, struct census_entry *service,
                         const struct delta *delta);
bool census_keep_time_wait(struct census_entry *service, const struct delta *delta);

#endif
