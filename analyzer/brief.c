/* brief: see brief.h.  What takes few words is asked first. */
#include "brief.h"

#include "decide.h"
#include "evict.h"
#include "tcp/copies.h"
#include "tcp/ordinary.h"

/* Nobody wants to see the segment, and no deadline follows every packet. */
static bool is_unobserved(const struct engine *engine)
{
    return !engine->trace_segments && engine->probe == NULL && engine->losses_known == 0 &&
           engine->config.active_timeout == 0;
}

/* Nothing is to make room.  What takes memory sees to it that this is asked anew. */
static bool has_room(struct engine *engine)
{
    if (!engine->has_room)
        engine->has_room = !evict_is_due(engine);
    return engine->has_room;
}

/* An ordinary tuple's current incarnation has no case that this segment could decide. */
static bool is_calm(const struct engine *engine, const struct incarnation *current,
                    const struct segment *segment)
{
    nanotime idle = time_since(segment->time, current->connection.last_t);
    return !current->hazard.open && idle < decide_least_idle(&engine->config);
}

/* What the integrity notes may say of the packet, or that it came another way. */
static bool is_notable(const struct incarnation *current, const struct segment *segment, int from)
{
    const struct side *y = &current->connection.side[side_other(from)];
    bool offloaded = side_has(y, SIDE_MSS) && segment->payload > y->mss;
    return segment->vlans != 0 || current->vlans != 0 || segment->cut != 0 ||
           segment->checksum_verdict == CHECKSUM_PARTIAL || offloaded;
}

bool brief_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                   int end)
{
    if (!tuple_is_ordinary(tuple))
        return false;
    struct incarnation *current = tuple->current;
    struct connection *connection = &current->connection;
    int from = incarnation_side(current, end);
    if (!ordinary_fits(connection, segment, from) || !is_calm(engine, current, segment) ||
        !is_unobserved(engine) || !has_room(engine) || !copies_new(connection, segment, from))
        return false;
    ordinary_take(connection, segment, from);
    engine->counts.segments++;
    if (segment->payload > 0)
        incarnation_remember(current, segment, end);
    current->flags |= INCARNATION_SYNCHRONIZED; /* both sides are ESTABLISHED */
    current->watched = 0;
    if (is_notable(current, segment, from))
        decide_note_packet(current, segment, from);
    return true;
}
