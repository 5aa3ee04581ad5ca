/* order: see order.h. */
#include "order.h"

void pair_table_init(struct pair_table *table, uint32_t taps)
{
    table->taps = taps;
    table->pairs = 0;
    for (uint32_t a = 0; a < taps; a++) {
        for (uint32_t b = a + 1; b < taps; b++) {
            table->number[a][b] = table->number[b][a] = (uint8_t)table->pairs;
            table->tap[table->pairs][0] = (uint8_t)a;
            table->tap[table->pairs++][1] = (uint8_t)b;
        }
    }
}

static const struct leg *leg_of(const struct way_view *view, uint32_t number)
{
    const struct leg *legs = view->journey->leg;
    return legs != NULL && legs[number].known ? &legs[number] : NULL;
}

/* What the pair of the two knows itself: of this connection, or by all others. */
static enum tap_order order_by_pair(const struct way_view *view, int side, uint32_t a, uint32_t b)
{
    uint32_t number = view->table->number[a][b];
    const struct leg *leg = leg_of(view, number);
    enum path_direction_known direction =
        leg != NULL ? (enum path_direction_known)leg->direction[side]
                    : pair_direction_of_side(&view->pair[number], side == CLIENT);
    switch (direction) {
    case TOWARDS_UNKNOWN:
        return ORDER_UNKNOWN;
    case TOWARDS_SECOND:
        return a < b ? ORDER_BEFORE : ORDER_AFTER;
    case TOWARDS_FIRST:
        break;
    }
    return a < b ? ORDER_AFTER : ORDER_BEFORE;
}

enum tap_order order_of(const struct way_view *view, int side, uint32_t a, uint32_t b)
{
    enum tap_order order = order_by_pair(view, side, a, b);
    for (uint32_t c = 0; c < view->table->taps && order == ORDER_UNKNOWN; c++) {
        if (c == a || c == b)
            continue;
        enum tap_order first = order_by_pair(view, side, a, c);
        if (first == order_by_pair(view, side, c, b))
            order = first;
    }
    return order;
}

bool order_shows(const struct way_view *view, int side, uint32_t tap)
{
    for (uint32_t other = 0; other < view->table->taps; other++) {
        const struct leg *leg = other == tap ? NULL : leg_of(view, view->table->number[tap][other]);
        if (leg != NULL && leg->shown[side])
            return true;
    }
    return false;
}

static bool stands_between(const struct way_view *view, int side, uint32_t c,
                           const uint32_t ends[TAPS])
{
    if (c == ends[0] || c == ends[1])
        return false;
    enum tap_order order = order_of(view, side, ends[0], c);
    return order != ORDER_UNKNOWN && order == order_of(view, side, c, ends[1]);
}

bool order_is_between(const struct way_view *view, int side, uint32_t c, const uint32_t ends[TAPS])
{
    return order_shows(view, side, c) && stands_between(view, side, c, ends);
}

/* Where the order of two further taps is not known, the first that shows the connection is
 * compared with every other. */
static bool is_first_shown(const struct way_view *view, int side, uint32_t tap)
{
    for (uint32_t other = 0; other < tap; other++) {
        if (order_shows(view, side, other))
            return false;
    }
    return true;
}

bool order_is_told(const struct way_view *view, uint32_t number, const struct way_moment *moment)
{
    const uint32_t ends[TAPS] = {view->table->tap[number][0], view->table->tap[number][1]};
    int side = moment->side;
    for (uint32_t c = 0; c < view->table->taps; c++) {
        bool covers = (moment->covering >> c & 1) != 0;
        if (covers && (moment->unjoined || order_shows(view, side, c)) &&
            stands_between(view, side, c, ends))
            return false;
    }
    if (ends[0] == 0)
        return true;
    if (order_of(view, side, ends[0], ends[1]) == ORDER_UNKNOWN)
        return is_first_shown(view, side, ends[0]);
    return !order_shows(view, side, 0) || (order_of(view, side, 0, ends[0]) != ORDER_UNKNOWN &&
                                           order_of(view, side, 0, ends[1]) != ORDER_UNKNOWN);
}

/* Puts a tap among those that are in order; false where its place is not known. */
static bool insert(const struct way_view *view, int side, uint32_t tap, struct path_way *way)
{
    uint32_t place = way->count;
    for (uint32_t i = 0; i < way->count; i++) {
        enum tap_order order = order_of(view, side, tap, way->tap[i]);
        if (order == ORDER_UNKNOWN)
            return false;
        if (order == ORDER_BEFORE && place == way->count)
            place = i;
        if (order == ORDER_AFTER && place < way->count)
            return false; /* behind one that stands behind it: they contradict each other */
    }
    for (uint32_t i = way->count++; i > place; i--)
        way->tap[i] = way->tap[i - 1];
    way->tap[place] = (uint8_t)tap;
    return true;
}

/* Whether hop limits alone tell the order of two taps. */
static bool rests_on_hops(const struct way_view *view, uint32_t a, uint32_t b)
{
    const struct leg *leg = leg_of(view, view->table->number[a][b]);
    return leg != NULL && leg->by_hops;
}

void order_list(const struct way_view *view, int side, struct path_way *way)
{
    *way = (struct path_way){.count = 0};
    for (uint32_t tap = 0; tap < view->table->taps; tap++) {
        if (order_shows(view, side, tap) && !insert(view, side, tap, way)) {
            way->count = 0;
            return;
        }
    }
    for (uint32_t i = 1; i < way->count; i++)
        way->by_hops |= rests_on_hops(view, way->tap[i - 1], way->tap[i]);
}
