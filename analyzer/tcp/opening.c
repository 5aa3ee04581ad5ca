/* opening: see opening.h.  In the order of connection_segment_fully(). */
#include "opening.h"

#include "moves.h"
#include "shown.h"
#include "tallies.h"
#include "window.h"
#include "zeek_usual.h"

enum {
    CONTROL = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK,
    BEGUN = SIDE_HEARD | SIDE_ISS_KNOWN | SIDE_SYN_SEEN,
    ENTANGLED = SIDE_FIN_SENT | SIDE_SYN_CUT,
};

/* Entries of the history before each of the three, and behind them; the SYN-ACK brings two. */
enum { BEFORE_SYN = 0, BEFORE_SYNACK = 1, BEFORE_THIRD = 3, BEFORE_WORD = 4 };

/* Of these, where the client and the server are presumed to have become ESTABLISHED. */
enum { CLIENT_OPENED = 2, SERVER_OPENED = 3 };

static bool is_silent(const struct side *x)
{
    return x->flags == 0 && x->state == STATE_CLOSED && x->tally.packets == 0 && x->holes == 0;
}

static bool fits_syn(const struct connection *connection, const struct segment *segment, int from)
{
    return from == 0 && (segment->flags & CONTROL) == TCP_SYN && !connection->midstream &&
           connection->synack_t == NANOTIME_UNKNOWN && is_silent(&connection->side[0]) &&
           is_silent(&connection->side[1]);
}

static bool fits_synack(const struct connection *connection, const struct segment *segment,
                        int from)
{
    const struct side *client = &connection->side[0], *server = &connection->side[1];
    const unsigned spoken = BEGUN | SIDE_ACKED | ENTANGLED;
    return from == 1 && (segment->flags & CONTROL) == (TCP_SYN | TCP_ACK) &&
           client->state == STATE_SYN_SENT && client->basis == BASIS_SENT &&
           (client->flags & spoken) == BEGUN && client->snd_nxt == seq_add(client->iss, 1) &&
           segment->acknowledgment == client->snd_nxt && client->holes == 0 &&
           connection->synack_t == NANOTIME_UNKNOWN && is_silent(server);
}

static bool fits_third(const struct connection *connection, const struct segment *segment, int from)
{
    const struct side *client = &connection->side[0], *server = &connection->side[1];
    const struct history_entry *opened = &connection->history.first[CLIENT_OPENED];
    const unsigned spoken = BEGUN | SIDE_ACKED | ENTANGLED;
    return from == 0 && (segment->flags & CONTROL) == TCP_ACK && segment->window != 0 &&
           client->state == STATE_ESTABLISHED && client->basis == BASIS_PRESUMED &&
           server->state == STATE_SYN_RCVD && server->basis == BASIS_SENT &&
           (client->flags & spoken) == BEGUN && (server->flags & spoken) == (BEGUN | SIDE_ACKED) &&
           client->holes == 0 && server->holes == 0 && segment->sequence == client->snd_nxt &&
           server->snd_nxt == seq_add(server->iss, 1) &&
           segment->acknowledgment == server->snd_nxt && connection->synack_t != NANOTIME_UNKNOWN &&
           !connection->acknowledged && opened->side == 0 && opened->fact == FACT_GOT_SYNACK &&
           !opened->revoked;
}

bool opening_fits(const struct connection *connection, const struct segment *segment, int from)
{
    const struct history *history = &connection->history;
    bool plain = segment->payload == 0 && segment->sacks == 0 &&
                 (segment->options & OPTION_CUT) == 0 &&
                 segment->checksum_verdict != CHECKSUM_BAD && connection->closing == NULL &&
                 history->dropped[0] + history->dropped[1] == 0;
    if (!plain)
        return false;
    switch (history->count) {
    case BEFORE_SYN:
        return fits_syn(connection, segment, from);
    case BEFORE_SYNACK:
        return fits_synack(connection, segment, from);
    case BEFORE_THIRD:
        return fits_third(connection, segment, from);
    default:
        return false;
    }
}

static void take_options(struct side *x, const struct segment *segment)
{
    if ((segment->options & OPTION_MSS) != 0) {
        x->flags |= SIDE_MSS;
        x->mss = segment->mss;
    }
    if ((segment->options & OPTION_WINDOW_SCALE) != 0) {
        x->flags |= SIDE_SCALED;
        x->window_scale = opening_window_scale(segment->window_scale);
    }
    if ((segment->options & OPTION_SACK_PERMITTED) != 0)
        x->flags |= SIDE_SACK;
    if ((segment->options & OPTION_TIMESTAMPS) != 0)
        x->flags |= SIDE_TIMESTAMPS;
}

/* The numbers of a side begin with its SYN, and its first round trip. */
static void take_syn(struct side *x, const struct segment *segment, const struct step *step)
{
    x->iss = x->snd_una = x->last_data_sequence = segment->sequence;
    x->snd_nxt = x->timed_end = step->end;
    x->flags |= BEGUN | SIDE_TIMED;
    x->syn_flags = x->last_data_flags = segment->flags;
    x->syn_payload = 0;
    x->syn_acknowledgment = x->last_data_acknowledgment = segment->acknowledgment;
    x->syn_packet = x->last_data_packet = segment->packet;
    x->syn_t = x->last_data_t = x->timed_t = segment->time;
    x->last_data_payload = 0;
    x->timed_tsval = segment->tsval;
    take_options(x, segment);
}

static void take_stamps(struct connection *connection, const struct segment *segment, int from)
{
    struct side *x = &connection->side[from], *y = &connection->side[side_other(from)];
    if ((segment->options & OPTION_TIMESTAMPS) == 0)
        return;
    shown_stamps(x, segment); /* its SYN was seen whole: whether it stamps is known from there */
    bool covers = !side_has(y, SIDE_ACKED) || seq_at_or_before(segment->sequence, y->rcv_nxt);
    if (covers && (y->ts_recent == 0 || seq_after(segment->tsval, y->ts_recent)))
        y->ts_recent = segment->tsval;
}

/* A side's first acknowledgment: of the other's SYN. */
static void take_acknowledgment(struct connection *connection, const struct segment *segment,
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

static void take_synack(struct connection *connection, const struct segment *segment,
                        struct step *step)
{
    struct side *server = &connection->side[1];
    tally_round_trip(connection, segment, 1);
    shown_fact(connection, 1, FACT_SND_SYNACK, BASIS_SENT, step);
    connection->synack_t = segment->time;
    if (connection->syn_t != NANOTIME_UNKNOWN && !time_is_before(segment->time, connection->syn_t))
        server->round_trip = time_since(segment->time, connection->syn_t);
    take_syn(server, segment, step);
    shown_fact(connection, 0, FACT_GOT_SYNACK, BASIS_PRESUMED, step);
    take_acknowledgment(connection, segment, 1);
}

static void take_third(struct connection *connection, const struct segment *segment,
                       struct step *step)
{
    shown_proof(connection, 0, CLIENT_OPENED, true, step);
    tally_round_trip(connection, segment, 0);
    connection->acknowledged = true;
    connection->third_packet = segment->packet;
    connection->third_sequence = segment->sequence;
    connection->third_flags = segment->flags;
    if (!connection->synack_repeated) {
        connection->ack_t = segment->time;
        connection->side[0].round_trip = time_since(segment->time, connection->synack_t);
    }
    shown_fact(connection, 1, FACT_SYN_ACKED, BASIS_PRESUMED, step);
    take_acknowledgment(connection, segment, 0);
}

void opening_take(struct connection *connection, const struct segment *segment, int from,
                  struct step *step)
{
    struct side *x = &connection->side[from];
    connection->last_t = time_later_of(connection->last_t, segment->time);
    tally_packet(x, segment);
    if (x->tally.packets == 1)
        x->ttl = segment->ttl;
    if (segment->checksum_verdict == CHECKSUM_GOOD)
        x->flags |= SIDE_GOOD_SUM;
    zeek_usual_packet(&connection->zeek, segment, from);
    if ((segment->flags & TCP_SYN) == 0) {
        take_third(connection, segment, step);
    } else if ((segment->flags & TCP_ACK) != 0) {
        take_synack(connection, segment, step);
    } else {
        shown_fact(connection, 0, FACT_SND_SYN, BASIS_SENT, step);
        connection->syn_t = segment->time;
        take_syn(x, segment, step);
    }
    x->last_t = segment->time;
    x->last_ip_id = segment->ip_id;
    take_stamps(connection, segment, from);
}

/* Whether of the server nothing is presumed but the last entry: that it is ESTABLISHED. */
static bool only_opened_is_presumed(const struct history *history)
{
    const struct history_entry *entry = history->first;
    const struct history_entry *answered = &entry[BEFORE_SYNACK], *opened = &entry[SERVER_OPENED];
    return entry[BEFORE_SYN].side == 0 && entry[CLIENT_OPENED].side == 0 && answered->side == 1 &&
           answered->basis == BASIS_SENT && opened->side == 1 && opened->fact == FACT_SYN_ACKED &&
           !opened->revoked;
}

bool opening_is_proven(const struct connection *connection, const struct segment *segment, int from)
{
    const struct side *client = &connection->side[0], *server = &connection->side[1];
    return from == 1 && connection->history.count == BEFORE_WORD && !connection->midstream &&
           server->basis == BASIS_PRESUMED && server->state == STATE_ESTABLISHED &&
           only_opened_is_presumed(&connection->history) &&
           (segment->payload > 0 || seq_after(segment->acknowledgment, seq_add(client->iss, 1)));
}

void opening_prove(struct connection *connection, struct step *step)
{
    shown_proof(connection, 1, SERVER_OPENED, true, step);
}
