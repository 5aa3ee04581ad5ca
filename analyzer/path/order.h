/*
 * order: how taps stand one behind the other on the way of a connection's segments.
 *
 * Every two taps make a pair.  What happened is told by the pair of neighbours between which it
 * happened; a pair with another tap on the way between the two keeps silent.  The ways of the two
 * directions may differ, and a tap that shows nothing of a direction does not stand on its way.
 * Where the order is not known, each tap is compared with the first of those that show the
 * connection.
 */
#ifndef LASTACK_PATH_ORDER_H
#define LASTACK_PATH_ORDER_H

#include "journeys.h"
#include "pair.h"
#include "path.h"

enum { PATH_PAIRS = PATH_TAPS * (PATH_TAPS - 1) / 2 };

/* The pairs of so many taps: those with the first tap come first, by the number of the other. */
struct pair_table {
    uint32_t taps, pairs;
    uint8_t number[PATH_TAPS][PATH_TAPS];
    uint8_t tap[PATH_PAIRS][TAPS]; /* the lower one first */
};

void pair_table_init(struct pair_table *table, uint32_t taps);

/* Whether the pair has the first tap: what it decides is in that one's terms. */
static inline bool pair_table_has_first(const struct pair_table *table, uint32_t number)
{
    return table->tap[number][0] == 0;
}

/* Of two taps, where the one stands beside the other. */
enum tap_order { ORDER_UNKNOWN, ORDER_BEFORE, ORDER_AFTER };

/* One connection, and what the pairs know of it. */
struct way_view {
    const struct pair_table *table;
    const struct pair *pair; /* as many as the table has */
    const struct journey *journey;
};

/* Whether segments of that side pass tap a before b. */
enum tap_order order_of(const struct way_view *view, int side, uint32_t a, uint32_t b);

/* Whether another tap shows the same segment of that side as this one. */
bool order_shows(const struct way_view *view, int side, uint32_t tap);

/* Whether c is known to stand on that side's way between a and b, and shows its segments. */
bool order_is_between(const struct way_view *view, int side, uint32_t c, const uint32_t ends[TAPS]);

/* A segment that a pair is about to tell of. */
struct way_moment {
    int side;
    uint8_t covering; /* bits: taps whose captures cover the moment */
    bool unjoined;    /* the pair matched nothing of the connection */
};

/* Whether it is for that pair to tell. */
bool order_is_told(const struct way_view *view, uint32_t number, const struct way_moment *moment);

/* The taps on a side's way, by the order in which its segments pass; empty where that is not known.
 */
void order_list(const struct way_view *view, int side, struct path_way *ret_way);

#endif
