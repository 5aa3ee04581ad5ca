/* brief: see brief.h.  What takes few words is asked first. */
#include "brief.h"

#include "decide.h"
#include "evict.h"
#include "tcp/course.h"
#include "tcp/ordinary_steps.h"
#include "tcp/zeek_follow.h"

/* Of tuple->calm, for end 0; those of end 1 stand two bits higher. */
enum calm {
    CALM_OPEN = 0x1,   /* an ordinary segment may come: ordinary_may_come() */
    CALM_MIDDLE = 0x2, /* and zeek_view_follow() may take it */
};

unsigned brief_calm(const struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    bool quiet = !current->hazard.open && current->watched == 0 &&
                 (current->flags & INCARNATION_SYNCHRONIZED) != 0;
    unsigned calm = 0;
    for (int end = 0; quiet && end < SIDES; end++) {
        int side = incarnation_side(current, end);
        if (!ordinary_may_come(&current->connection, side))
            continue;
        bool middle = zeek_view_is_in_the_middle(&current->connection.zeek, side);
        calm |= (middle ? CALM_OPEN | CALM_MIDDLE : CALM_OPEN) << 2 * end;
    }
    return calm;
}

unsigned brief_calm_on_course(const struct tuple *tuple)
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
    return calm;
}

__attribute__((noinline)) bool brief_becomes_at_ease(struct engine *engine)
{
    engine->at_ease = !engine->trace_segments && engine->probe == NULL &&
                      engine->config.active_timeout == 0 && !evict_is_due(engine);
    return engine->at_ease;
}

static __attribute__((noinline)) void
follow_zeek_at_length(struct tuple *tuple, const struct segment *segment, int from, unsigned calm)
{
    struct zeek_view *zeek = &tuple->current->connection.zeek;
    if ((calm & CALM_MIDDLE) == 0) {
        zeek_view_ordinary(zeek, segment, from);
        return;
    }
    zeek_view_packet_fully(zeek, segment, from);
    tuple->calm = brief_calm(tuple) & 0xf;
}

bool brief_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end)
{
    unsigned calm = tuple->calm >> 2 * end;
    if ((calm & CALM_OPEN) == 0 || !brief_is_at_ease(engine))
        return false;
    struct incarnation *current = tuple->current;
    struct connection *connection = &current->connection;
    int from = incarnation_side(current, end);
    bool lost = engine->losses_known > 0 && decide_has_lost(engine, current);
    if (!ordinary_fits(connection, segment, from, decide_least_idle(&engine->config)))
        return false;
    ordinary_take(connection, segment, from);
    engine->counts.segments++;
    incarnation_remember(current, segment, end);
    if (lost)
        current->notes |= UINT64_C(1) << NOTE_capture_drop;
    if (decide_is_notable(current, connection->side + side_other(from), segment))
        decide_note_packet(current, segment, from);
    if ((calm & CALM_MIDDLE) == 0 || !zeek_view_follow(&connection->zeek, segment, from))
        follow_zeek_at_length(tuple, segment, from, calm);
    return true;
}
