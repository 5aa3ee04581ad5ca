/*
 * kin: see kin.h.
 *
 * Each function is its own inverse: what it reads it does not change, and what tells it where to
 * work neither.  So the same ones bring together, in the opposite order.
 */
#include "kin.h"

#include <string.h>

/* A FIN, and its first copy, are the last that its side sent and that takes a number. */
static inline void fin_and_side(struct closing *closing, const struct side *side, int i)
{
    struct packet_ref *fin = &closing->fin[i];
    fin->packet ^= side->last_data_packet;
    fin->t ^= side->last_data_t;
    fin->sequence ^= side->last_data_sequence;
    fin->acknowledgment ^= side->last_data_acknowledgment;
    closing->copy[i][0].packet ^= side->last_data_packet;
    closing->copy[i][0].t ^= side->last_data_t;
    closing->copy[i][0].tsval ^= side->timed_tsval;
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
}

static void closing_and_sides(struct closing *closing, const struct connection *connection)
{
    for (int i = 0; i < SIDES; i++) {
        const struct side *side = &connection->side[i], *peer = &connection->side[1 - i];
        if (closing->fins[i] != 0)
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
    side->acked_with_data ^= peer->last_data_sequence;
    side->last_data_acknowledgment ^= peer->snd_nxt;
    side->rcv_nxt_t ^= side->last_t;
    side->last_data_t ^= side->last_t;
}

/* An entry of a history as words: when, what and with which packet, by which packet. */
struct entry_words {
    uint64_t t, what, by;
};

enum { WHAT_BITS = 16 }; /* of `what`, below the packet */

_Static_assert(sizeof(struct entry_words) == sizeof(struct history_entry), "the same octets");

static inline struct entry_words words_of(const struct history_entry *entry)
{
    struct entry_words words;
    memcpy(&words, entry, sizeof(words));
    return words;
}

static inline void put_words(struct history_entry *entry, uint64_t t, uint64_t what, uint64_t by)
{
    struct entry_words words = {t, what, by};
    memcpy(entry, &words, sizeof(words));
}

/* Each state begins where the one before ended, and is mostly shown by the segment that began it.
 */
static void history_apart(struct history *history)
{
    struct entry_words former = {0, 0, 0};
    for (int i = 0; i < history->count; i++) {
        struct entry_words own = words_of(&history->first[i]);
        put_words(&history->first[i], own.t ^ former.t,
                  own.what ^ former.what >> WHAT_BITS << WHAT_BITS, own.by ^ own.what >> WHAT_BITS);
        former = own;
    }
}

static void history_together(struct history *history)
{
    const struct history_entry *end = &history->first[history->count];
    struct entry_words own, former = {0, 0, 0};
    for (struct history_entry *entry = history->first; entry < end; entry++) {
        own = words_of(entry);
        own.t ^= former.t;
        own.what ^= former.what >> WHAT_BITS << WHAT_BITS;
        own.by ^= own.what >> WHAT_BITS;
        put_words(entry, own.t, own.what, own.by);
        former = own;
    }
}

/* The first few samples are all there is, and in order. */
static void markers_and_places(struct rtt *rtt)
{
    uint32_t kept = rtt->samples < RTT_MARKERS ? rtt->samples : RTT_MARKERS;
    for (uint32_t i = 0; i < kept; i++)
        rtt->position[i] ^= i + 1;
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
    if (connection->history.count > 0)
        connection->history.first[0].t ^= connection->started;
}

/* All times are about the last one: the upper halves are the same. */
static void times_and_last(struct incarnation *incarnation)
{
    struct connection *connection = &incarnation->connection;
    connection->synack_t ^= connection->last_t;
    connection->started ^= connection->last_t;
    for (int i = 0; i < SIDES; i++)
        connection->side[i].last_t ^= connection->last_t;
    for (int i = 0; i < LAST_SEGMENTS && incarnation->last[i].packet != 0; i++)
        incarnation->last[i].t ^= connection->last_t;
}

void kin_take_apart(struct incarnation *incarnation, struct closing *closing)
{
    struct connection *connection = &incarnation->connection;
    struct side *side = connection->side;
    if (closing != NULL)
        closing_and_sides(closing, connection);
    zeek_and_sides(&connection->zeek, side);
    history_apart(&connection->history);
    for (int i = 0; i < SIDES; i++) {
        markers_and_places(&connection->rtt[i]);
        side_and_itself(&side[i]);
    }
    side_and_peer(&side[0], &side[1]);
    side_and_peer(&side[1], &side[0]);
    handshake_and_start(incarnation);
    times_and_last(incarnation);
}

void kin_bring_together(struct incarnation *incarnation, struct closing *closing)
{
    struct connection *connection = &incarnation->connection;
    struct side *side = connection->side;
    times_and_last(incarnation);
    handshake_and_start(incarnation);
    side_and_peer(&side[1], &side[0]);
    side_and_peer(&side[0], &side[1]);
    for (int i = 0; i < SIDES; i++) {
        side_and_itself(&side[i]);
        markers_and_places(&connection->rtt[i]);
    }
    history_together(&connection->history);
    zeek_and_sides(&connection->zeek, side);
    if (closing != NULL)
        closing_and_sides(closing, connection);
}
