/* outcome: see outcome.h.  The kinds are tried in RECORDS' order; the first that fits stands. */
#include "outcome.h"

enum { FINS_GIVEN_UP = 4 }; /* a FIN sent that often and never answered: the side gave up */

/* The newest entry of that state that is not revoked; NULL: none. */
static const struct history_record *find_state(const struct side_record *side, enum tcp_state state)
{
    for (uint32_t i = side->history_count; i > 0; i--) {
        const struct history_record *entry = &side->history[i - 1];
        if (!entry->revoked && entry->state == state)
            return entry;
    }
    return NULL;
}

/* How long a side was in a state; unknown when it was never there or has not left it. */
static nanotime dwell(const struct side_record *side, enum tcp_state state)
{
    const struct history_record *entered = NULL;
    for (uint32_t i = 0; i < side->history_count; i++) {
        const struct history_record *entry = &side->history[i];
        if (entry->revoked)
            continue;
        if (entered != NULL)
            return time_since(entry->t, entered->t);
        if (entry->state == state)
            entered = entry;
    }
    return NANOTIME_UNKNOWN;
}

static nanotime dwell_of_either(const struct flow_record *flow, enum tcp_state state)
{
    nanotime client = dwell(&flow->side[CLIENT], state);
    nanotime server = dwell(&flow->side[SERVER], state);
    if (client == NANOTIME_UNKNOWN || server == NANOTIME_UNKNOWN)
        return client == NANOTIME_UNKNOWN ? server : client;
    return time_later_of(client, server);
}

/* Whether a reset moved a side for good. */
static bool reset_took_effect(const struct side_record *side)
{
    for (uint32_t i = 0; i < side->history_count; i++) {
        const struct history_record *entry = &side->history[i];
        bool by_reset = entry->fact == FACT_GOT_RST || entry->fact == FACT_SND_RST;
        if (by_reset && !entry->revoked)
            return true;
    }
    return false;
}

/* Whether the ACK of a side's FIN stands: it was seen, and not taken back since. */
static bool fin_is_acked(const struct flow_record *flow, int side)
{
    const struct side_record *x = &flow->side[side];
    for (uint32_t i = x->history_count; i > 0; i--) {
        const struct history_record *entry = &x->history[i - 1];
        if (entry->fact == FACT_FIN_ACKED && !entry->revoked)
            return true;
    }
    return false;
}

static bool sent_fin(const struct flow_record *flow, int side)
{
    return flow->side[side].fin_packet != 0;
}

static bool is_refused(const struct incarnation *incarnation, const struct flow_record *flow)
{
    return (incarnation->flags & INCARNATION_SYNCHRONIZED) == 0 && !flow->midstream &&
           flow->side[SERVER].rst_packet != 0 && reset_took_effect(&flow->side[CLIENT]);
}

static bool is_unanswered(const struct incarnation *incarnation, const struct flow_record *flow)
{
    return (incarnation->flags & INCARNATION_SYNCHRONIZED) == 0 && !flow->midstream &&
           flow->side[SERVER].history_count == 0;
}

/* Neither FIN acknowledges the other, in whatever order the capture has them (EVENTS C2). */
static bool is_simultaneous(const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    const struct closing *closing = connection->closing;
    if (closing == NULL || closing->fin[0].packet == 0 || closing->fin[1].packet == 0)
        return false;
    for (int side = 0; side < SIDES; side++) {
        const struct packet_ref *fin = &closing->fin[side];
        bool short_of =
            (fin->flags & TCP_ACK) != 0 &&
            seq_at_or_before(fin->acknowledgment, connection->side[side_other(side)].fin_seq);
        if (!short_of)
            return false;
    }
    return true;
}

static bool gave_up(const struct flow_record *flow, int side)
{
    return flow->side[side].fin_copies >= FINS_GIVEN_UP && !fin_is_acked(flow, side);
}

static enum close_kind find_kind(const struct incarnation *incarnation,
                                 const struct flow_record *flow)
{
    bool both = fin_is_acked(flow, CLIENT) && fin_is_acked(flow, SERVER);
    bool reset = reset_took_effect(&flow->side[CLIENT]) || reset_took_effect(&flow->side[SERVER]);
    if (is_refused(incarnation, flow))
        return CLOSE_REFUSED;
    if (is_unanswered(incarnation, flow))
        return CLOSE_UNANSWERED;
    if (incarnation->superseded && !both)
        return CLOSE_SUPERSEDED;
    if (reset && !both)
        return CLOSE_RESET;
    if (both)
        return is_simultaneous(incarnation) ? CLOSE_SIMULTANEOUS : CLOSE_ORDERLY;
    if (gave_up(flow, CLIENT) || gave_up(flow, SERVER))
        return CLOSE_TIMED_OUT;
    return sent_fin(flow, CLIENT) != sent_fin(flow, SERVER) ? CLOSE_HALF_CLOSED : CLOSE_OPEN;
}

static enum initiator by_side(int side)
{
    return side == CLIENT ? INITIATOR_CLIENT : INITIATOR_SERVER;
}

/* The packet of a reset that the side itself sent; 0: none, or it was somebody else's. */
static uint64_t own_reset(const struct side_record *side)
{
    return side->rst_form == RST_FOREIGN ? 0 : side->rst_packet;
}

/* Who began to close: the first FIN, else the RST of a reset. */
static enum initiator find_initiator(const struct incarnation *incarnation,
                                     const struct flow_record *flow)
{
    const struct side_record *client = &flow->side[CLIENT], *server = &flow->side[SERVER];
    switch (flow->close_kind) {
    case CLOSE_REFUSED:
    case CLOSE_UNANSWERED:
    case CLOSE_KINDS:
        return INITIATOR_NONE;
    case CLOSE_OPEN:
    case CLOSE_SIMULTANEOUS:
    case CLOSE_SUPERSEDED:
    case CLOSE_RESET:
    case CLOSE_ORDERLY:
    case CLOSE_TIMED_OUT:
    case CLOSE_HALF_CLOSED:
        break;
    }
    if (is_simultaneous(incarnation))
        return INITIATOR_BOTH;
    if (client->fin_packet != 0 && server->fin_packet != 0)
        return by_side(client->fin_packet < server->fin_packet ? CLIENT : SERVER);
    if (client->fin_packet != 0 || server->fin_packet != 0)
        return by_side(client->fin_packet != 0 ? CLIENT : SERVER);
    if (flow->close_kind == CLOSE_OPEN)
        return INITIATOR_NONE; /* whatever reset there was took no effect */
    uint64_t by_client = own_reset(client), by_server = own_reset(server);
    if (by_client != 0 && (by_server == 0 || by_client < by_server))
        return INITIATOR_CLIENT;
    return by_server != 0 ? INITIATOR_SERVER : INITIATOR_NONE;
}

/* When a side left TIME_WAIT by something else than the timer; unknown when it did not. */
static nanotime ended_early(const struct side_record *side)
{
    const struct history_record *in = find_state(side, STATE_TIME_WAIT);
    const struct history_record *out = find_state(side, STATE_CLOSED);
    bool early = out != NULL && out > in && out->fact != FACT_TWO_MSL;
    return early ? out->t : NANOTIME_UNKNOWN;
}

/* Of two sides in TIME_WAIT: since the first entered, until the last leaves. */
static void find_time_wait(const struct incarnation *incarnation, nanotime two_msl,
                           struct flow_record *flow)
{
    const struct closing *closing = incarnation->connection.closing;
    for (int side = 0; side < SIDES && closing != NULL; side++) {
        const struct history_record *entry = find_state(&flow->side[side], STATE_TIME_WAIT);
        if (entry == NULL)
            continue;
        nanotime early = ended_early(&flow->side[side]);
        nanotime until = early != NANOTIME_UNKNOWN
                             ? early
                             : time_after(closing->time_wait_started[side], two_msl);
        if (!flow->time_wait || time_is_before(entry->t, flow->time_wait_since)) {
            flow->time_wait_side = side;
            flow->time_wait_since = entry->t;
        }
        flow->time_wait_until =
            flow->time_wait ? time_later_of(flow->time_wait_until, until) : until;
        flow->time_wait_restarts += closing->time_wait_restarts[side];
        flow->time_wait_both = flow->time_wait;
        flow->time_wait = true;
    }
}

void outcome_of(const struct incarnation *incarnation, nanotime two_msl, struct flow_record *flow)
{
    flow->close_kind = find_kind(incarnation, flow);
    flow->initiator = find_initiator(incarnation, flow);
    flow->fin_to_fin = NANOTIME_UNKNOWN;
    if (sent_fin(flow, CLIENT) && sent_fin(flow, SERVER)) {
        nanotime between = time_since(flow->side[SERVER].fin_time, flow->side[CLIENT].fin_time);
        flow->fin_to_fin = between < 0 ? -between : between;
    }
    flow->close_wait = dwell_of_either(flow, STATE_CLOSE_WAIT);
    flow->fin_wait_2 = dwell_of_either(flow, STATE_FIN_WAIT_2);
    find_time_wait(incarnation, two_msl, flow);
}
