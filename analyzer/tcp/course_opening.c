/*
 * course_opening: what the segments of the handshake do on the usual course (course.h), in the
 * order of connection_segment_fully().
 */
#include "course_steps.h"
#include "window.h"
#include "zeek_trail.h"
#include "zeek_usual.h"

static const struct arrow snd_syn = {STATE_CLOSED, STATE_SYN_SENT, FACT_SND_SYN, BASIS_SENT};
static const struct arrow snd_synack = {STATE_CLOSED, STATE_SYN_RCVD, FACT_SND_SYNACK, BASIS_SENT};
static const struct arrow got_synack = {STATE_SYN_SENT, STATE_ESTABLISHED, FACT_GOT_SYNACK,
                                        BASIS_PRESUMED};
static const struct arrow syn_acked = {STATE_SYN_RCVD, STATE_ESTABLISHED, FACT_SYN_ACKED,
                                       BASIS_PRESUMED};

/* The first segment of a side: its numbers begin with it, and its first round trip. */
static void take_syn(struct side *x, const struct segment *segment)
{
    x->iss = x->snd_una = x->last_data_sequence = segment->sequence;
    x->snd_nxt = x->timed_end = seq_add(segment->sequence, 1);
    x->flags |= BEGUN | SIDE_TIMED;
    x->syn_flags = x->last_data_flags = segment->flags;
    x->syn_payload = 0;
    x->syn_acknowledgment = x->last_data_acknowledgment = segment->acknowledgment;
    x->syn_packet = x->last_data_packet = segment->packet;
    x->syn_t = x->last_data_t = x->timed_t = x->last_t = segment->time;
    x->last_data_payload = 0;
    x->timed_tsval = segment->tsval;
    x->last_ip_id = segment->ip_id;
    x->ttl = segment->ttl;
    x->tally.syns++;
    shown_syn_options(x, segment);
}

/* A side's first acknowledgment: of the other's SYN. */
static void take_first_acknowledgment(struct connection *connection, const struct segment *segment,
                                      int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    x->window = segment_window(connection, segment, from);
    x->last_window_field = segment->window;
    if (x->window > x->max_window)
        x->max_window = x->window;
    x->right_edge = seq_add(segment->acknowledgment, x->window);
    x->flags &= (uint16_t)~SIDE_ZERO_WINDOW;
    x->rcv_nxt = segment->acknowledgment;
    x->rcv_nxt_packet = segment->packet;
    x->rcv_nxt_t = segment->time;
    x->flags |= SIDE_ACKED;
    if (seq_after(segment->acknowledgment, y->snd_una))
        y->snd_una = segment->acknowledgment;
}

void course_take_synack(struct connection *connection, const struct segment *segment)
{
    struct side *server = &connection->side[1];
    course_count(connection, segment, 1);
    zeek_usual_synack(&connection->zeek, segment, 1);
    course_take_round_trip(connection, segment, 1);
    course_move(connection, 1, snd_synack, (struct place){SERVER_ANSWERED, -1}, segment);
    connection->synack_t = segment->time;
    if (connection->syn_t != NANOTIME_UNKNOWN && !time_is_before(segment->time, connection->syn_t))
        server->round_trip = time_since(segment->time, connection->syn_t);
    take_syn(server, segment);
    course_move(connection, 0, got_synack, (struct place){CLIENT_OPENED, 0}, segment);
    take_first_acknowledgment(connection, segment, 1);
    course_take_stamps(connection, segment, 1);
    connection->course = COURSE_ANSWERED;
}

void course_take_third(struct connection *connection, const struct segment *segment)
{
    struct side *client = &connection->side[0];
    course_count(connection, segment, 0);
    zeek_usual_ack(&connection->zeek, segment, 0);
    course_prove_newest(connection, 0, CLIENT_OPENED, segment);
    course_take_round_trip(connection, segment, 0);
    connection->acknowledged = true;
    connection->third_packet = segment->packet;
    connection->third_sequence = segment->sequence;
    connection->third_flags = segment->flags;
    if (!connection->synack_repeated) {
        connection->ack_t = segment->time;
        client->round_trip = time_since(segment->time, connection->synack_t);
    }
    course_move(connection, 1, syn_acked, (struct place){SERVER_OPENED, SERVER_ANSWERED}, segment);
    take_first_acknowledgment(connection, segment, 0);
    client->last_t = segment->time;
    client->last_ip_id = segment->ip_id;
    course_take_stamps(connection, segment, 0);
    connection->course = COURSE_OPEN;
}

void course_take_word(struct connection *connection, const struct segment *segment)
{
    course_prove_newest(connection, 1, SERVER_OPENED, segment);
    zeek_trail_end(connection);
    zeek_view_ordinary(&connection->zeek, segment, 1);
    ordinary_segment(connection, segment, 1);
    connection->course = COURSE_PROVEN;
}

void course_begin(struct connection *connection, const struct segment *syn)
{
    struct side *client = &connection->side[0];
    course_count(connection, syn, 0);
    zeek_usual_syn(&connection->zeek, syn, 0);
    course_move(connection, 0, snd_syn, (struct place){0, -1}, syn);
    connection->syn_t = syn->time;
    take_syn(client, syn);
    course_take_stamps(connection, syn, 0);
    connection->course = COURSE_BEGUN;
}
