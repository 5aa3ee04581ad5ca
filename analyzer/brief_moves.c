/*
 * brief_moves: see brief_moves.h.
 *
 * What no detector of steps may find in such a segment, where no story is kept and neither side
 * was reset: all that wait for a reset, for what is taken back, for a simultaneous open, for a
 * story.  Left are close_half and close_wait_slow, which is_remarkable() asks for; and
 * close_simultaneous, fin_seq_changed, data_beyond_fin and fin_retransmitted, which want a FIN that
 * does not acknowledge the other, or another copy of one: the short way takes neither.
 */
#include "brief_moves.h"

#include "brief.h"
#include "decide.h"
#include "flow/stray.h"
#include "schedule.h"
#include "tcp/copies.h"
#include "tcp/course_lead.h"
#include "tell.h"

/*
 * One connection in the tuple, which is on its course, and of which nothing is being decided; of
 * earlier ones tombstones at most.  Of a final ACK there is a story only where both sides sent
 * their FINs: before, its line stays where it is.
 */
static bool is_alone(const struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    if (current == NULL || current->connection.course == COURSE_NONE)
        return false;
    return tuple->candidate == NULL && tuple->retiring == NULL && current->story == NULL &&
           current->doubts == NULL && !incarnation_is_colliding(current);
}

/* Data that passed once the FIN of side `from` had been acknowledged: detect_close_half(). */
static bool has_half_closed(const struct connection *connection, int from)
{
    const struct packet_ref *acked = &connection->closing->fin_ack[from];
    const struct side *y = &connection->side[side_other(from)];
    return acked->packet != 0 && seq_after(y->fin_seq, seq_add(acked->sequence, acked->payload));
}

/* The FIN comes long after the other was acknowledged: detect_close_wait_slow(). */
static bool has_dawdled(const struct connection *connection, const struct segment *segment,
                        int from, nanotime slow)
{
    const struct side *x = &connection->side[from];
    const struct packet_ref *acked = &connection->closing->fin_ack[side_other(from)];
    nanotime taken = acked->packet != 0 ? acked->t : segment->time;
    return x->state == STATE_CLOSE_WAIT &&
           time_since(segment->time, time_later_of(taken, x->last_data_t)) >= slow;
}

/* Whether a detector may have something to say of the segment that parts a side. */
static bool is_remarkable(const struct engine *engine, const struct connection *connection,
                          const struct segment *segment, int from)
{
    if (connection->closing == NULL)
        return false;
    if ((segment->flags & TCP_FIN) != 0)
        return has_dawdled(connection, segment, from, engine->config.close_wait_slow);
    return has_half_closed(connection, from);
}

/* Whether the segment leads the connection on, and all that is done of it is done below. */
static bool fits(const struct engine *engine, const struct connection *connection,
                 const struct segment *segment, int from)
{
    nanotime idle = time_since(segment->time, connection->last_t);
    return idle < decide_least_idle(&engine->config) && course_fits(connection, segment, from) &&
           !is_remarkable(engine, connection, segment, from);
}

/* The segment leads the connection on. */
static inline void lead(struct engine *engine, struct incarnation *current,
                        const struct segment *segment, int from, int end)
{
    struct connection *connection = &current->connection;
    if ((segment->flags & TCP_FIN) != 0 && connection->closing == NULL)
        flow_table_give_closing(&engine->table, current);
    if (!course_take(connection, segment, from)) {
        engine->status = STATUS_NO_MEMORY;
        engine->counts.damaged++;
    }
    if (segment->payload > 0)
        incarnation_remember(current, segment, end);
}

static inline void take(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                        int end)
{
    struct incarnation *current = tuple->current;
    int from = incarnation_side(current, end);
    lead(engine, current, segment, from, end);
    engine->counts.segments++;
    if (current->connection.course != COURSE_PROVEN) /* where the last one moved nobody */
        tell_segment(engine, tuple, current, segment, from);
    decide_note_usual(current, segment, from);
}

bool brief_moves_segment(struct engine *engine, struct tuple *tuple, const struct segment *segment,
                         int end)
{
    if (!is_alone(tuple) || engine->trace_transitions || !brief_is_at_ease(engine))
        return false;
    struct connection *connection = &tuple->current->connection;
    int from = incarnation_side(tuple->current, end);
    if (!fits(engine, connection, segment, from) || stray_comes(tuple, segment, end))
        return false;
    uint32_t print = copies_print(segment);
    if (copies_know(connection, print))
        return false;
    if (engine->losses_known > 0 && decide_has_lost(engine, tuple->current))
        tuple->current->notes |= UINT64_C(1) << NOTE_capture_drop;
    copies_remember(connection, segment, from, print);
    take(engine, tuple, segment, end);
    schedule_alone(engine, tuple);
    return true;
}

void brief_moves_take_again(struct engine *engine, struct tuple *tuple,
                            const struct segment *segment, int end)
{
    struct incarnation *current = tuple->current;
    int from = incarnation_side(current, end);
    lead(engine, current, segment, from, end);
    decide_note_usual(current, segment, from);
}
