/* brief_handshake: see brief_handshake.h.  As brief_moves.c has it. */
#include "brief_handshake.h"

#include "decide.h"
#include "tcp/course_lead.h"
#include "tell.h"

/* Nobody wants to see each segment, and no story is kept that it may go on with. */
static bool is_quiet(const struct engine *engine, const struct incarnation *incarnation)
{
    return engine->probe == NULL && !engine->trace_segments && !engine->trace_transitions &&
           incarnation->story == NULL && incarnation->doubts == NULL;
}

/* Whether it is the SYN with which the connection begins. */
static bool begins(const struct connection *connection, const struct segment *segment, int from)
{
    bool fresh = connection->side[0].tally.packets + connection->side[1].tally.packets == 0;
    return fresh && from == 0 && course_begins(segment);
}

bool brief_handshake_segment(struct engine *engine, struct tuple *tuple,
                             struct incarnation *incarnation, const struct segment *segment,
                             int end)
{
    struct connection *connection = &incarnation->connection;
    int from = incarnation_side(incarnation, end);
    nanotime idle = time_since(segment->time, connection->last_t);
    if (!is_quiet(engine, incarnation) || idle >= decide_least_idle(&engine->config))
        return false;
    if (begins(connection, segment, from))
        course_begin(connection, segment);
    else if (connection->course <= COURSE_ANSWERED && course_fits(connection, segment, from))
        course_take(connection, segment, from);
    else
        return false;
    engine->counts.segments++;
    tell_segment(engine, tuple, incarnation, segment, from);
    decide_note_usual(incarnation, segment, from);
    decide_follow_collision(engine, tuple, incarnation, segment, from);
    return true;
}
