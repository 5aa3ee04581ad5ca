/* trace: see trace.h. */
#include "trace.h"

#include "expand.h"
#include "tcp/window.h"
#include "tell.h"

static void keep_status(struct engine *engine, enum status status)
{
    if (status != STATUS_OK && engine->status == STATUS_OK)
        engine->status = status;
}

static enum segment_verdict verdict_of(const struct step *step)
{
    if (step->damaged)
        return VERDICT_BAD_CHECKSUM;
    if (step->stray)
        return VERDICT_STRAY;
    for (uint32_t i = 0; i < step->cells; i++) {
        if (step->cell[i].unexpected)
            return VERDICT_UNEXPECTED;
    }
    if (step->out_of_order)
        return VERDICT_OUT_OF_ORDER;
    if (step->retransmission)
        return VERDICT_RETRANSMISSION;
    if (step->window_probe)
        return VERDICT_WINDOW_PROBE;
    if (step->keep_alive)
        return VERDICT_KEEP_ALIVE;
    return step->duplicate_ack ? VERDICT_DUPLICATE_ACK : VERDICT_NEW;
}

static void write_segment(struct engine *engine, const struct tuple *tuple,
                          const struct incarnation *incarnation, const struct segment *segment,
                          int from, enum segment_verdict verdict)
{
    const struct connection *connection = &incarnation->connection;
    const struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    bool stamped = (segment->options & OPTION_TIMESTAMPS) != 0;
    struct segment_record record = {
        .packet = segment->packet,
        .t = segment->time,
        .from = from,
        .flags = segment->flags,
        .relative_known = side_has(x, SIDE_ISS_KNOWN),
        .ack_relative_known = side_has(y, SIDE_ISS_KNOWN),
        .seq = segment->sequence - x->iss,
        .ack = segment->acknowledgment - y->iss,
        .seq_abs = segment->sequence,
        .ack_abs = segment->acknowledgment,
        .payload = segment->payload,
        .window = segment_window(connection, segment, from),
        .timestamps = stamped,
        .tsval = segment->tsval,
        .tsecr = segment->tsecr,
        .verdict = verdict,
    };
    expand_identity(tuple, incarnation, &record.who);
    for (int side = 0; side < SIDES; side++) {
        record.after[side] = (enum tcp_state)connection->side[side].state;
        record.after_basis[side] = (enum basis)connection->side[side].basis;
    }
    keep_status(engine, engine->sink->ops->segment(engine->sink, &record));
}

static void trace_transitions(struct engine *engine, const struct tuple *tuple,
                              const struct incarnation *incarnation, const struct step *step)
{
    struct transition_record record;
    expand_identity(tuple, incarnation, &record.who);
    const struct history *history = &incarnation->connection.history;
    for (uint32_t i = 0; i < step->changes; i++) {
        const struct change *change = &step->change[i];
        record.side = change->side;
        record.from = change->before;
        for (int j = history->count - 1; j >= 0; j--) { /* the entry that the change speaks of */
            const struct history_entry *entry = history_peek(history, j);
            if (entry->side != change->side || entry->fact != (unsigned)change->fact ||
                entry->state != (unsigned)change->after || entry->packet != change->packet)
                continue;
            record.entry = expand_history(entry);
            keep_status(engine, engine->sink->ops->transition(engine->sink, &record));
            break;
        }
    }
}

static bool wants_segments(const struct engine *engine)
{
    return engine->trace_segments && engine->sink != NULL && engine->sink->ops->segment != NULL;
}

static bool wants_transitions(const struct engine *engine)
{
    return engine->trace_transitions && engine->sink != NULL &&
           engine->sink->ops->transition != NULL;
}

void trace_segment(struct engine *engine, const struct tuple *tuple,
                   const struct incarnation *incarnation, const struct segment *segment, int from,
                   enum segment_verdict verdict)
{
    if (wants_segments(engine))
        write_segment(engine, tuple, incarnation, segment, from, verdict);
}

void trace_step(struct engine *engine, const struct tuple *tuple, struct incarnation *incarnation,
                const struct step *step)
{
    if (step->ordinary && !engine->trace_segments)
        return; /* it moved nobody, and nobody wants to see it */
    tell_step(engine, tuple, incarnation, step);
    if (step->changes > 0 && wants_transitions(engine))
        trace_transitions(engine, tuple, incarnation, step);
    if (step->segment != NULL && wants_segments(engine))
        write_segment(engine, tuple, incarnation, step->segment, step->from, verdict_of(step));
}
