/*
 * brief: the short way of an ordinary segment through the engine.
 *
 * Data or a plain ACK, in order, to an open connection of which nothing is awaited: it moves no
 * state and no deadline, begins and ends no case, and tells the census nothing.  What is left is
 * to remember it.  What it does is what the long way does (dispatch.h, decide.h, schedule.h); a
 * test compares them octet by octet.
 *
 * Whether a tuple is calm enough is asked when the long way leaves it (schedule_tuple()), and kept
 * in tuple->calm, two bits an end: no segment that goes the short way changes the answer.
 */
#ifndef LASTACK_BRIEF_H
#define LASTACK_BRIEF_H

#include "engine.h"

/* Of tuple->calm, for end 0; those of end 1 stand two bits higher. */
enum calm {
    CALM_OPEN = 0x1,   /* an ordinary segment may come: ordinary_may_come() */
    CALM_MIDDLE = 0x2, /* and zeek_view_follow() may take it */
};

/* What tuple->calm is of a tuple that tuple_is_ordinary(); 0 where every segment is to go the long
 * way.  The tuple is told which end the client is. */
unsigned brief_calm(struct tuple *tuple);

/* The same of one whose connection a segment just led to COURSE_OPEN or COURSE_PROVEN: the client
 * may go on, and once it is proven that the server is there, both may. */
unsigned brief_calm_on_course(struct tuple *tuple);

/* Nobody wants to see every segment, and no deadline follows every packet. */
static inline bool brief_is_unwatched(const struct engine *engine)
{
    return !engine->trace_segments && engine->probe == NULL && engine->config.active_timeout == 0;
}

/* Asks what brief_is_at_ease() keeps. */
bool brief_becomes_at_ease(struct engine *engine);

/*
 * Nothing is to make room, nobody wants to see every segment, and no deadline follows every packet:
 * the short ways are open.  What takes memory sees to it that this is asked anew.
 */
static inline bool brief_is_at_ease(struct engine *engine)
{
    return engine->ease > 0 || brief_becomes_at_ease(engine);
}

/*
 * What brief_segment() calls: of a segment with data, of one without, and of either where it was
 * not known that the short ways are open, where the capture lost packets, maybe of this connection,
 * since its last one, or where late segments of an earlier one may come.
 */
bool brief_data(struct engine *engine, struct tuple *tuple, const struct segment *segment, int end);
bool brief_plain_ack(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                     int end);
bool brief_warily(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                  int end);

/*
 * Takes a segment that end `end` of the tuple sent, once the deadlines before it are met.  Returns
 * false, with nothing changed, when it is to go the long way.  Inline, since every packet passes
 * here.
 */
static inline bool brief_segment(struct engine *engine, struct tuple *tuple,
                                 const struct segment *segment, int end)
{
    if ((tuple->calm & CALM_OPEN << 2 * end) == 0)
        return false;
    if (engine->ease == 0 || engine->losses_known > 0 || tuple->has_past)
        return brief_warily(engine, tuple, segment, end);
    return segment->payload > 0 ? brief_data(engine, tuple, segment, end)
                                : brief_plain_ack(engine, tuple, segment, end);
}

/* Takes a segment that was found to be an ordinary one, and was counted, when it passed.  The
 * memory against copies is the caller's. */
void brief_take_again(struct tuple *tuple, const struct segment *segment, int end);

#endif
