/*
 * kin: see kin.h.
 *
 * Each function is its own inverse: what it reads it does not change, and what tells it where to
 * work neither.  So the same ones bring together, in the opposite order.  Taking apart, what others
 * are foretold from is changed after them.  The numbers are those of captures; sums that only an
 * odd state makes overflow are of unsigned numbers, which may.
 */
#include "kin.h"

#include "kin_lists.h"

/* A FIN, and its first copy, are the last that its side sent and that takes a number. */
static inline void fin_and_side(struct closing *closing, const struct side *side, int i)
{
    struct packet_ref *fin = &closing->fin[i];
    fin->packet ^= side->last_data_packet;
    fin->t ^= side->last_data_t;
    fin->sequence ^= side->last_data_sequence;
    fin->acknowledgment ^= side->last_data_acknowledgment;
    fin->flags ^= side->last_data_flags;
    fin->from ^= (uint8_t)i;
    closing->copy[i][0].packet ^= side->last_data_packet;
    closing->copy[i][0].t ^= side->last_data_t;
    closing->copy[i][0].tsval ^= side->timed_tsval;
    closing->copies[i] ^= (uint8_t)side->tally.fins;
    closing->fins[i] ^= side->tally.fins;
}

/* The ACK of a FIN is what the peer last acknowledged. */
static inline void fin_ack_and_sides(struct closing *closing, const struct side *side,
                                     const struct side *peer, int i)
{
    struct packet_ref *first = &closing->fin_ack[i], *last = &closing->fin_ack_last[i];
    first->packet ^= peer->rcv_nxt_packet;
    first->t ^= peer->rcv_nxt_t;
    first->sequence ^= side->last_data_acknowledgment;
    first->acknowledgment ^= side->snd_nxt;
    last->packet ^= peer->rcv_nxt_packet;
    last->t ^= peer->last_t;
    last->sequence ^= side->last_data_acknowledgment;
    last->acknowledgment ^= side->snd_nxt;
    last->flags ^= first->flags;
    last->from ^= first->from;
}

static void closing_and_sides(struct closing *closing, const struct connection *connection)
{
    for (int i = 0; i < SIDES; i++) {
        const struct side *side = &connection->side[i], *peer = &connection->side[1 - i];
        if (side_has(side, SIDE_FIN_SENT))
            fin_and_side(closing, side, i);
        if (closing->fin_ack[i].flags != 0)
            fin_ack_and_sides(closing, side, peer, i);
        if (closing->carrier[i])
            closing->carrier_end[i] ^= peer->snd_nxt;
        if (side->state == STATE_TIME_WAIT)
            closing->time_wait_started[i] ^= connection->last_t;
    }
}

/* Zeek counts the same numbers, from its own start. */
static void zeek_and_sides(struct zeek_view *zeek, const struct side side[SIDES])
{
    for (int i = 0; i < SIDES; i++) {
        struct zeek_end *end = &zeek->end[i];
        uint32_t sent = side[i].snd_nxt - side[i].iss - 1;
        end->start ^= side[i].iss;
        end->last ^= side[i].snd_nxt;
        end->acked ^= side[i].snd_nxt;
        end->delivered ^= sent;
        end->fin_at ^= sent & (0 - (uint32_t)end->fin);
    }
}

/* What is timed last, and what the FIN is, stand with the last data. */
static void side_and_itself(struct side *side)
{
    uint32_t ended = 0 - (uint32_t)side_has(side, SIDE_FIN_SENT);
    side->timed_t ^= side->last_data_t;
    side->timed_end ^= side->snd_nxt;
    side->timed_tsval ^= side->tsval_last;
    side->fin_seq ^= side->last_data_sequence & ended;
    side->right_edge ^= side->rcv_nxt + side->window;
    side->max_window ^= side->window;
    side->tally.in_flight_max ^= (uint32_t)side->tally.payload_bytes;
}

/* What a side sent the other has taken, and acknowledged. */
static void side_and_peer(struct side *side, const struct side *peer)
{
    side->snd_una ^= side->snd_nxt;
    side->rcv_nxt ^= peer->snd_nxt;
    side->ts_recent ^= peer->tsval_last;
    side->last_data_acknowledgment ^= peer->snd_nxt;
    side->rcv_nxt_t ^= side->last_t;
    side->last_data_t ^= side->last_t;
}

/* Its last data end where its numbers do. */
static void side_and_end(struct side *side)
{
    uint32_t takes = side->last_data_payload + ((side->last_data_flags & TCP_FIN) != 0);
    side->last_data_sequence ^= side->snd_nxt - takes;
    side->window ^= (uint32_t)side->last_window_field << (side->window_scale & 0xf);
}

/* From its first number on it sent a SYN, its octets and a FIN, once. */
static void end_and_octets(struct side *side)
{
    uint32_t ended = side_has(side, SIDE_FIN_SENT);
    side->snd_nxt ^= side->iss + 1 + (uint32_t)side->tally.payload_bytes + ended;
    side->tally.syns ^= side_has(side, SIDE_SYN_SEEN);
    side->tally.fins ^= ended;
}

/* The handshake's round trips, from side to side. */
static void trips_and_handshake(struct connection *connection)
{
    uint64_t syn = (uint64_t)connection->syn_t, synack = (uint64_t)connection->synack_t;
    connection->side[0].round_trip ^= (nanotime)((uint64_t)connection->ack_t - synack);
    connection->side[1].round_trip ^= (nanotime)(synack - syn);
}

/* The handshake's segments, by three members that name them. */
static void handshake_and_start(struct incarnation *incarnation)
{
    struct connection *connection = &incarnation->connection;
    struct side *client = &connection->side[0], *server = &connection->side[1];
    incarnation->first_packet ^= client->syn_packet;
    client->syn_t ^= connection->started;
    server->syn_t ^= connection->synack_t;
    connection->syn_t ^= connection->started;
    connection->ack_t ^= connection->synack_t;
    connection->third_sequence ^= client->iss + 1;
    server->syn_acknowledgment ^= client->iss + 1;
}

/* All times are about the last one: the upper halves are the same. */
static void times_and_last(struct connection *connection)
{
    int newest = (connection->recent_next + RECENT_PACKETS - 1) % RECENT_PACKETS;
    connection->recent[newest].micros ^= (uint32_t)((uint64_t)connection->last_t / 1000);
    const struct side *client = &connection->side[0], *server = &connection->side[1];
    bool waits = client->state == STATE_TIME_WAIT || server->state == STATE_TIME_WAIT;
    connection->closed_at ^= waits ? NANOTIME_UNKNOWN : connection->last_t;
    connection->synack_t ^= connection->last_t;
    connection->started ^= connection->last_t;
    for (int i = 0; i < SIDES; i++)
        connection->side[i].last_t ^= connection->last_t;
}

void kin_take_apart(struct incarnation *incarnation, struct closing *closing)
{
    struct connection *connection = &incarnation->connection;
    struct side *side = connection->side;
    if (closing != NULL)
        closing_and_sides(closing, connection);
    zeek_and_sides(&connection->zeek, side);
    kin_history(connection);
    for (int i = 0; i < SIDES; i++) {
        kin_rtt(&connection->side[i].rtt);
        side_and_itself(&side[i]);
    }
    for (int i = 0; i < SIDES; i++) {
        side_and_peer(&side[i], &side[1 - i]);
        side_and_end(&side[i]);
    }
    for (int i = 0; i < SIDES; i++)
        end_and_octets(&side[i]);
    kin_last_apart(incarnation);
    trips_and_handshake(connection);
    handshake_and_start(incarnation);
    times_and_last(connection);
}

void kin_bring_together(struct incarnation *incarnation, struct closing *closing)
{
    struct connection *connection = &incarnation->connection;
    struct side *side = connection->side;
    times_and_last(connection);
    handshake_and_start(incarnation);
    trips_and_handshake(connection);
    kin_last_together(incarnation);
    for (int i = 0; i < SIDES; i++)
        end_and_octets(&side[i]);
    for (int i = 0; i < SIDES; i++) {
        side_and_end(&side[i]);
        side_and_peer(&side[i], &side[1 - i]);
    }
    for (int i = 0; i < SIDES; i++) {
        side_and_itself(&side[i]);
        kin_rtt(&connection->side[i].rtt);
    }
    kin_history(connection);
    zeek_and_sides(&connection->zeek, side);
    if (closing != NULL)
        closing_and_sides(closing, connection);
}
