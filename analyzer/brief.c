/* brief: see brief.h.  What takes few words is asked first. */
#include "brief.h"

#include "decide.h"
#include "evict.h"
#include "flow/stray.h"
#include "tcp/course.h"
#include "tcp/ordinary_steps.h"
#include "tcp/zeek_trail.h"

enum { EASE = 64 }; /* takings of memory, where there is plenty, before the limits are asked */

/* What an ordinary segment asks, and stands elsewhere, is known in the tuple's first line. */
static inline void tell_tuple(struct tuple *tuple)
{
    tuple->client_end = tuple->current->client_end;
    tuple->has_past = tuple->tombstones != NULL;
}

unsigned brief_calm(struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    bool quiet = !incarnation_doubts(current)->hazard.open && current->watched == 0 &&
                 (current->flags & INCARNATION_SYNCHRONIZED) != 0;
    unsigned calm = 0;
    for (int end = 0; quiet && end < SIDES; end++) {
        int side = incarnation_side(current, end);
        if (!ordinary_may_come(&current->connection, side))
            continue;
        bool middle = zeek_view_is_in_the_middle(&current->connection.zeek, side);
        calm |= (middle ? CALM_OPEN | CALM_MIDDLE : CALM_OPEN) << 2 * end;
    }
    tell_tuple(tuple);
    return calm;
}

unsigned brief_calm_on_course(struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    const struct connection *connection = &current->connection;
    const int sides = connection->course == COURSE_PROVEN ? SIDES : 1;
    unsigned calm = 0;
    for (int side = 0; side < sides; side++) {
        bool middle = zeek_view_is_in_the_middle(&connection->zeek, side);
        int end = incarnation_end(current, side);
        calm |= (middle ? CALM_OPEN | CALM_MIDDLE : CALM_OPEN) << 2 * end;
    }
    tell_tuple(tuple);
    return calm;
}

__attribute__((noinline)) bool brief_becomes_at_ease(struct engine *engine)
{
    bool open = brief_is_unwatched(engine) && !evict_is_due(engine);
    engine->ease = !open ? 0 : evict_is_far(engine, EASE) ? EASE : 1;
    return open;
}

/* What is left to do of a segment that was taken, seldom anything: bits. */
enum rest {
    REST_NOTES = 0x1, /* it says of the capture what no packet of the connection said before */
    REST_ZEEK = 0x2,  /* Zeek's view is up to date and wants it */
};

/* Zeek's view takes the segment; if that was not one of the first, it may fall behind from now on.
 */
static void follow_zeek(struct tuple *tuple, const struct segment *segment, int from)
{
    struct connection *connection = &tuple->current->connection;
    struct zeek_view *zeek = &connection->zeek;
    const uint8_t letters = zeek->letter_count;
    int end = incarnation_end(tuple->current, from);
    if ((tuple->calm >> 2 * end & CALM_MIDDLE) == 0) {
        zeek_view_ordinary(zeek, segment, from);
        tuple->calm = brief_calm(tuple) & 0xf;
    } else if (!zeek_view_follow(zeek, segment, from)) {
        zeek_view_packet_fully(zeek, segment, from);
        tuple->calm = brief_calm(tuple) & 0xf;
    } else if (zeek->letter_count == letters) {
        zeek_trail_begin(connection);
    }
}

static __attribute__((noinline)) bool take_rest(struct tuple *tuple, const struct segment *segment,
                                                int from, unsigned rest, nanotime trip)
{
    struct incarnation *current = tuple->current;
    if (trip != NANOTIME_UNKNOWN)
        rtt_add(&current->connection.side[side_other(from)].rtt, trip);
    if ((rest & REST_NOTES) != 0)
        decide_note_packet(current, segment, from);
    if ((rest & REST_ZEEK) != 0)
        follow_zeek(tuple, segment, from);
    return true;
}

/* With the round trip of the other side that it ended; unknown: none. */
static __attribute__((noinline)) bool take_trip(struct rtt *rtt, nanotime trip)
{
    rtt_add(rtt, trip);
    return true;
}

/* One that is ordinary and new, from side x to y: it is remembered, and taken. */
static inline __attribute__((always_inline)) bool take(struct tuple *tuple,
                                                       const struct segment *segment,
                                                       struct side *x, struct side *y, int from,
                                                       bool data)
{
    struct incarnation *current = tuple->current;
    struct connection *connection = &current->connection;
    if (data)
        incarnation_remember(current, segment, incarnation_end(current, from));
    nanotime trip = ordinary_take(connection, x, y, segment, data);
    unsigned rest = zeek_trail_is_behind(connection) ? 0 : REST_ZEEK;
    if (decide_is_notable(current, y, segment))
        rest |= REST_NOTES;
    if (rest != 0)
        return take_rest(tuple, segment, from, rest, trip);
    return trip == NANOTIME_UNKNOWN || take_trip(&y->rtt, trip);
}

static bool has_gone_silent(const struct engine *engine, const struct connection *connection,
                            const struct segment *segment)
{
    return time_since(segment->time, connection->last_t) >= decide_least_idle(&engine->config);
}

/* Where Zeek's view, or a long stream, asks for more. */
static __attribute__((noinline)) bool consider_at_length(struct engine *engine, struct tuple *tuple,
                                                         const struct segment *segment, int end)
{
    struct connection *connection = &tuple->current->connection;
    const int from = incarnation_side(tuple->current, end);
    struct side *x = connection->side + from, *y = connection->side + side_other(from);
    if (!ordinary_is_next(x, y, segment) || has_gone_silent(engine, connection, segment) ||
        !ordinary_is_new(connection, segment, from))
        return false;
    zeek_trail_end(connection);
    engine->counts.segments++;
    return take(tuple, segment, x, y, from, segment->payload > 0);
}

/*
 * Whether the segment is what it seems, and on with it, in one function of the compiler's: what is
 * found out of the two sides is used at once.  Others are called last alone, and seldom, so that
 * nothing is kept for when they return.
 */
static inline __attribute__((always_inline)) bool consider(struct engine *engine,
                                                           struct tuple *tuple,
                                                           const struct segment *segment, int end,
                                                           bool data)
{
    struct connection *connection = &tuple->current->connection;
    const int from = incarnation_side(tuple->current, end);
    struct side *x = connection->side + from, *y = connection->side + side_other(from);
    if (data)
        incarnation_fetch_last(tuple->current);
    if (!ordinary_continues(x, y, segment, data) || has_gone_silent(engine, connection, segment))
        return false;
    if (!ordinary_is_near(x, y, segment))
        return consider_at_length(engine, tuple, segment, end);
    if (zeek_trail_is_behind(connection)) {
        if (!zeek_trail_follows(&connection->trail, x, y, segment, from, data))
            return consider_at_length(engine, tuple, segment, end);
    }
    if (!ordinary_is_new(connection, segment, from))
        return false;
    engine->counts.segments++;
    if (zeek_trail_is_behind(connection))
        zeek_trail_take(&connection->trail, x, segment, from, data);
    return take(tuple, segment, x, y, from, data);
}

bool brief_data(struct engine *engine, struct tuple *tuple, const struct segment *segment, int end)
{
    return consider(engine, tuple, segment, end, true);
}

bool brief_plain_ack(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                     int end)
{
    return consider(engine, tuple, segment, end, false);
}

bool brief_warily(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end)
{
    if (!brief_is_at_ease(engine) || stray_comes(tuple, segment, end))
        return false;
    bool lost = decide_has_lost(engine, tuple->current);
    bool taken = segment->payload > 0 ? brief_data(engine, tuple, segment, end)
                                      : brief_plain_ack(engine, tuple, segment, end);
    if (taken && lost)
        tuple->current->notes |= UINT64_C(1) << NOTE_capture_drop;
    return taken;
}

void brief_take_again(struct tuple *tuple, const struct segment *segment, int end)
{
    struct connection *connection = &tuple->current->connection;
    const int from = incarnation_side(tuple->current, end);
    struct side *x = connection->side + from, *y = connection->side + side_other(from);
    const bool data = segment->payload > 0;
    if (zeek_trail_is_behind(connection)) {
        if (zeek_trail_follows(&connection->trail, x, y, segment, from, data))
            zeek_trail_take(&connection->trail, x, segment, from, data);
        else
            zeek_trail_end(connection);
    }
    take(tuple, segment, x, y, from, data);
}
