/*
 * course_parting: what the segments that end a connection do on the usual course (course.h), in the
 * order of connection_segment_fully(); what is remembered of a close is what closing_take() does.
 */
#include "closing.h"
#include "course_steps.h"
#include "zeek_usual.h"

static const struct arrow snd_fin = {STATE_ESTABLISHED, STATE_FIN_WAIT_1, FACT_SND_FIN, BASIS_SENT};
static const struct arrow got_fin = {STATE_ESTABLISHED, STATE_CLOSE_WAIT, FACT_GOT_FIN,
                                     BASIS_PRESUMED};
static const struct arrow fin_acked = {STATE_FIN_WAIT_1, STATE_FIN_WAIT_2, FACT_FIN_ACKED,
                                       BASIS_PRESUMED};
static const struct arrow snd_fin_too = {STATE_CLOSE_WAIT, STATE_LAST_ACK, FACT_SND_FIN,
                                         BASIS_SENT};
static const struct arrow got_fin_too = {STATE_FIN_WAIT_2, STATE_TIME_WAIT, FACT_GOT_FIN,
                                         BASIS_PRESUMED};
static const struct arrow fin_acked_too = {STATE_LAST_ACK, STATE_CLOSED, FACT_FIN_ACKED,
                                           BASIS_PRESUMED};

static void remember_fin(struct closing *closing, const struct segment *segment, int from)
{
    closing->fins[from] = 1;
    closing->fin[from] = packet_ref_of(segment, from);
    if ((segment->options & OPTION_TIMESTAMPS) != 0)
        closing->copy[from][closing->copies[from]++] =
            (struct fin_copy){segment->packet, segment->time, segment->tsval};
}

/* The segment acknowledges the peer's FIN. */
static void remember_fin_ack(struct closing *closing, const struct segment *segment, int from)
{
    const int peer = side_other(from);
    const struct packet_ref ref = packet_ref_of(segment, from);
    if (closing->fin_ack[peer].packet == 0)
        closing->fin_ack[peer] = ref;
    closing->fin_ack_last[peer] = ref;
}

/* So does the FIN, and brings the peer into TIME_WAIT. */
static void remember_second_fin(struct closing *closing, const struct segment *segment, int from)
{
    const int peer = side_other(from);
    remember_fin(closing, segment, from);
    if (!closing->carrier[peer]) {
        closing->carrier[peer] = true;
        closing->carrier_end[peer] = seq_add(segment->sequence, segment_occupies(segment));
    }
    closing->time_wait_started[peer] = segment->time;
}

/* The first FIN; `proven`: nothing of the handshake is presumed any more. */
static void part(struct connection *connection, const struct segment *segment, int from,
                 bool proven)
{
    const int peer = side_other(from);
    const int opened[SIDES] = {CLIENT_OPENED, SERVER_OPENED};
    course_move(connection, from, snd_fin, (struct place){FIN_SENT, opened[from]}, segment);
    course_move(connection, peer, got_fin, (struct place){FIN_CAME, opened[peer]}, segment);
    remember_fin(connection->closing, segment, from);
    connection->course = proven ? COURSE_PARTING : COURSE_NONE;
}

/* The FIN is acknowledged: alone, or by that of the other side. */
static void leave(struct connection *connection, const struct segment *segment, int from, bool fin)
{
    const int peer = side_other(from);
    course_prove_newest(connection, from, FIN_CAME, segment);
    remember_fin_ack(connection->closing, segment, from);
    if (!fin) {
        course_move(connection, peer, fin_acked, (struct place){FIN_ACKED_ALONE, FIN_SENT},
                    segment);
        connection->course = COURSE_LEFT;
        return;
    }
    course_move(connection, from, snd_fin_too, (struct place){FIN_TOO, FIN_CAME}, segment);
    course_move(connection, peer, fin_acked, (struct place){FIN_ACKED_BY_FIN, FIN_SENT}, segment);
    course_move(connection, peer, got_fin_too, (struct place){FIN_TOO_CAME, FIN_ACKED_BY_FIN},
                segment);
    remember_second_fin(connection->closing, segment, from);
    connection->course = COURSE_PARTED;
}

/* The other FIN, after the acknowledgment of the first. */
static void leave_too(struct connection *connection, const struct segment *segment, int from)
{
    course_move(connection, from, snd_fin_too, (struct place){FIN_TOO_LATER, FIN_CAME}, segment);
    course_move(connection, side_other(from), got_fin_too,
                (struct place){FIN_TOO_CAME, FIN_ACKED_ALONE}, segment);
    remember_fin_ack(connection->closing, segment, from);
    remember_second_fin(connection->closing, segment, from);
    connection->course = COURSE_PARTED;
}

/* The last acknowledgment, with which 2MSL begin anew. */
static void end(struct connection *connection, const struct segment *segment, int from)
{
    struct closing *closing = connection->closing;
    const int acked = course_fin_acked(connection->history.first);
    const int left = acked == FIN_ACKED_ALONE ? FIN_TOO_LATER : FIN_TOO;
    course_prove(connection, acked, segment);
    course_prove_newest(connection, from, FIN_TOO_CAME, segment);
    course_move(connection, side_other(from), fin_acked_too, (struct place){AFTER_FINS, left},
                segment);
    remember_fin_ack(closing, segment, from);
    closing->time_wait_started[from] = segment->time;
    closing->time_wait_acked[from] = true;
    connection->course = COURSE_NONE;
}

static void move(struct connection *connection, const struct segment *segment, int from, bool fin)
{
    const enum course course = (enum course)connection->course;
    if (course == COURSE_PARTING)
        leave(connection, segment, from, fin);
    else if (course == COURSE_LEFT)
        leave_too(connection, segment, from);
    else if (course == COURSE_PARTED)
        end(connection, segment, from);
    else
        part(connection, segment, from, course == COURSE_PROVEN);
}

static void take_fin(struct side *x, const struct segment *segment)
{
    const seq after = seq_add(segment->sequence, segment_occupies(segment));
    x->fin_seq = after - 1;
    x->flags |= SIDE_FIN_SENT;
    x->snd_nxt = after;
    shown_data(x, segment);
    if (!side_has(x, SIDE_TIMED))
        shown_begins_trip(x, segment, after);
    shown_in_flight(x);
}

bool course_take_parting(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    const bool fin = (segment->flags & TCP_FIN) != 0;
    course_count(connection, segment, from);
    x->tally.fins += fin;
    if (fin)
        zeek_usual_fin(&connection->zeek, segment, from);
    else
        zeek_usual_ack(&connection->zeek, segment, from);
    if (connection->closing == NULL && !closing_ensure(connection, segment))
        return false;
    if (!fin)
        x->duplicate_acks_now = 0;
    course_take_round_trip(connection, segment, from);
    move(connection, segment, from, fin);
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    if (fin)
        take_fin(x, segment);
    ordinary_take_window(x, y, segment);
    shown_acknowledgment(x, y, segment);
    course_take_stamps(connection, segment, from);
    return true;
}
