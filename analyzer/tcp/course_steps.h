/* course_steps: what the segments of the usual course have in common; inline, for the files of
 * course alone. */
#ifndef LASTACK_TCP_COURSE_STEPS_H
#define LASTACK_TCP_COURSE_STEPS_H

#include "course_parts.h"
#include "ordinary_steps.h"
#include "zeek_trail.h"

/* An arrow of figure 5, and whether the side shows it or is presumed to be brought along. */
struct arrow {
    enum tcp_state before, next;
    enum fact fact;
    enum basis basis;
};

/* The history's next entry, and the side's last one before it; -1: there is none. */
struct place {
    int index, last;
};

/*
 * The segment moves a side along the arrow.  Entries of a side stand in time order, though the
 * capture's clock be set back.
 */
static inline void course_move(struct connection *connection, int side, struct arrow arrow,
                               struct place place, const struct segment *segment)
{
    struct side *x = &connection->side[side];
    struct history_entry *entry = &connection->history.first[place.index];
    const nanotime t = segment->time;
    *entry = (struct history_entry){
        .t = place.last < 0 ? t : time_later_of(t, connection->history.first[place.last].t),
        .packet = segment->packet,
        .state = arrow.next,
        .fact = arrow.fact,
        .basis = arrow.basis,
        .side = (unsigned)side,
        .by = arrow.basis == BASIS_SENT ? segment->packet : 0, /* the segment proves that itself */
        .before = arrow.before,
    };
    connection->history.count = (uint16_t)(place.index + 1);
    x->state = (uint8_t)arrow.next;
    x->basis = (uint8_t)arrow.basis;
}

/* The segment acknowledges entry `index`. */
static inline void course_prove(struct connection *connection, int index,
                                const struct segment *segment)
{
    struct history_entry *entry = &connection->history.first[index];
    entry->basis = BASIS_ACKED;
    entry->by = segment->packet;
}

/* The same, of the side's newest entry. */
static inline void course_prove_newest(struct connection *connection, int side, int index,
                                       const struct segment *segment)
{
    course_prove(connection, index, segment);
    connection->side[side].basis = BASIS_ACKED;
}

static inline void course_count(struct connection *connection, const struct segment *segment,
                                int from)
{
    struct side *x = &connection->side[from];
    zeek_trail_end(connection);
    connection->last_t = time_later_of(connection->last_t, segment->time);
    ordinary_count(&x->tally, segment);
    x->tally.payload_bytes += segment->payload;
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
}

static inline void course_take_round_trip(struct connection *connection,
                                          const struct segment *segment, int from)
{
    const struct side *y = &connection->side[side_other(from)];
    if (side_has(y, SIDE_TIMED) && seq_at_or_after(segment->acknowledgment, y->timed_end))
        tally_round_trip(connection, segment, from);
}

static inline void course_take_stamps(struct connection *connection, const struct segment *segment,
                                      int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    shown_stamps(x, segment); /* its SYN was seen whole: whether it stamps is known from there */
    bool covers = !side_has(y, SIDE_ACKED) || seq_at_or_before(segment->sequence, y->rcv_nxt);
    if (covers && (y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent)))
        y->ts_recent = segment->tsval;
}

#endif
