/*
 * ends: how a side's connection ends without a segment of its own: 2MSL, a new incarnation on the
 * tuple that shows the old one gone, and what takes such an end back (connection.h).
 */
#include "connection.h"

#include <string.h>

#include "closing.h"
#include "course.h"
#include "moves.h"

static void step_begin_quiet(struct step *step, const struct connection *connection)
{
    memset(step, 0, sizeof(*step));
    step->before[0] = (enum tcp_state)connection->side[0].state;
    step->before[1] = (enum tcp_state)connection->side[1].state;
}

void connection_two_msl(struct connection *connection, int side, nanotime deadline,
                        struct step *step)
{
    step_begin_quiet(step, connection);
    connection->course = COURSE_NONE;
    struct motive motive = {FACT_TWO_MSL, BASIS_TIMER, deadline, 0, 0};
    side_apply(connection, side, &motive, step);
    closing_watch_end(connection, deadline);
}

void connection_forget(struct connection *connection, int side, enum fact fact, enum basis basis,
                       const struct segment *segment, struct step *step)
{
    step_begin_quiet(step, connection);
    connection->course = COURSE_NONE;
    uint64_t proof = basis == BASIS_PRESUMED ? 0 : segment->packet;
    if (connection->side[side].state == STATE_CLOSED) {
        int oldest = side_oldest_presumed(connection, side);
        int newest = history_newest(&connection->history, side, connection->history.count - 1);
        if (oldest >= 0 && basis != BASIS_PRESUMED)
            side_confirm_alone(connection, side, newest, basis, segment->packet, step);
        return;
    }
    struct motive motive = {fact, basis, segment->time, segment->packet, proof};
    side_move(connection, side, STATE_CLOSED, &motive, step);
    closing_watch_end(connection, segment->time);
}

/* The side's newest entry, when it is a presumed CLOSED by that fact; -1 otherwise. */
static int presumed_end(const struct connection *connection, int side, enum fact fact)
{
    int newest = history_newest(&connection->history, side, connection->history.count - 1);
    if (newest < 0)
        return -1;
    const struct history_entry *entry = history_peek(&connection->history, newest);
    bool fits = entry->state == STATE_CLOSED && entry->basis == BASIS_PRESUMED &&
                (fact == FACTS || entry->fact == (unsigned)fact);
    return fits ? newest : -1;
}

void connection_confirm_end(struct connection *connection, int side, const struct segment *by,
                            struct step *step)
{
    connection->course = COURSE_NONE;
    int end = presumed_end(connection, side, FACTS);
    if (end >= 0)
        side_confirm_alone(connection, side, end, BASIS_SENT, by->packet, step);
}

void connection_revoke_forget(struct connection *connection, int side, const struct segment *by,
                              struct step *step)
{
    connection->course = COURSE_NONE;
    int end = presumed_end(connection, side, FACT_SND_SYN);
    if (end >= 0)
        side_revoke(connection, side, end, by->packet, false, step);
    closing_watch_end(connection, by->time);
}

void connection_revoke_last_ack(struct connection *connection, int side, const struct segment *by,
                                struct step *step)
{
    connection->course = COURSE_NONE;
    int end = presumed_end(connection, side, FACT_FIN_ACKED);
    if (end >= 0)
        side_revoke(connection, side, end, by->packet, false, step);
    closing_watch_end(connection, by->time);
}

nanotime connection_time_wait_end(const struct connection *connection, int side, nanotime two_msl)
{
    if (connection->side[side].state != STATE_TIME_WAIT || connection->closing == NULL)
        return NANOTIME_UNKNOWN;
    return time_after(connection->closing->time_wait_started[side], two_msl);
}
