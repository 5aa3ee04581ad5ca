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

/* What of a connection's history stands: the facts of each side that were not revoked, a bit each.
 */
struct standing {
    uint32_t facts[SIDES];
    bool any[SIDES]; /* the side has a history, revoked or not */
};

static struct standing standing_of(const struct history *history)
{
    struct standing standing = {0};
    for (int i = 0; i < history->count; i++) {
        const struct history_entry *entry = history_peek(history, i);
        standing.any[entry->side] = true;
        standing.facts[entry->side] |= (uint32_t)!entry->revoked << entry->fact;
    }
    return standing;
}

/* Whether a reset moved a side for good. */
static bool reset_took_effect(const struct standing *standing, int side)
{
    const uint32_t by_reset = UINT32_C(1) << FACT_GOT_RST | UINT32_C(1) << FACT_SND_RST;
    return (standing->facts[side] & by_reset) != 0;
}

/* Whether the ACK of a side's FIN stands: it was seen, and not taken back since. */
static bool fin_is_acked(const struct standing *standing, int side)
{
    return (standing->facts[side] >> FACT_FIN_ACKED & 1) != 0;
}

/* The packet of a side's first FIN; 0: it sent none. */
static uint64_t fin_of(const struct incarnation *incarnation, int side)
{
    const struct closing *closing = incarnation->connection.closing;
    return closing != NULL ? closing->fin[side].packet : 0;
}

/* Nothing came of the SYN, as far as an answer goes. */
static bool had_no_answer(const struct incarnation *incarnation)
{
    return (incarnation->flags & INCARNATION_SYNCHRONIZED) == 0 &&
           !incarnation->connection.midstream;
}

static bool is_refused(const struct incarnation *incarnation, const struct standing *standing)
{
    const struct closing *closing = incarnation->connection.closing;
    return had_no_answer(incarnation) && closing != NULL && closing->rst[SERVER].packet != 0 &&
           reset_took_effect(standing, CLIENT);
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

static bool gave_up(const struct incarnation *incarnation, const struct standing *standing,
                    int side)
{
    const struct closing *closing = incarnation->connection.closing;
    return closing != NULL && closing->fins[side] >= FINS_GIVEN_UP && !fin_is_acked(standing, side);
}

static enum close_kind find_kind(const struct incarnation *incarnation,
                                 const struct standing *standing)
{
    bool both = fin_is_acked(standing, CLIENT) && fin_is_acked(standing, SERVER);
    bool reset = reset_took_effect(standing, CLIENT) || reset_took_effect(standing, SERVER);
    if (is_refused(incarnation, standing))
        return CLOSE_REFUSED;
    if (had_no_answer(incarnation) && !standing->any[SERVER])
        return CLOSE_UNANSWERED;
    if (incarnation->superseded && !both)
        return CLOSE_SUPERSEDED;
    if (reset && !both)
        return CLOSE_RESET;
    if (both)
        return is_simultaneous(incarnation) ? CLOSE_SIMULTANEOUS : CLOSE_ORDERLY;
    if (gave_up(incarnation, standing, CLIENT) || gave_up(incarnation, standing, SERVER))
        return CLOSE_TIMED_OUT;
    bool half = (fin_of(incarnation, CLIENT) != 0) != (fin_of(incarnation, SERVER) != 0);
    return half ? CLOSE_HALF_CLOSED : CLOSE_OPEN;
}

static enum initiator by_side(int side)
{
    return side == CLIENT ? INITIATOR_CLIENT : INITIATOR_SERVER;
}

/* The packet of a reset that the side itself sent; 0: none, or it was somebody else's. */
static uint64_t own_reset(const struct closing *closing, int side)
{
    return closing == NULL || closing->rst_form[side] == RST_FOREIGN ? 0
                                                                     : closing->rst[side].packet;
}

/* Who began to close: the first FIN, else the RST of a reset. */
static enum initiator find_initiator(const struct incarnation *incarnation, enum close_kind kind)
{
    const struct closing *closing = incarnation->connection.closing;
    uint64_t client = fin_of(incarnation, CLIENT), server = fin_of(incarnation, SERVER);
    switch (kind) {
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
    if (client != 0 && server != 0)
        return by_side(client < server ? CLIENT : SERVER);
    if (client != 0 || server != 0)
        return by_side(client != 0 ? CLIENT : SERVER);
    if (kind == CLOSE_OPEN)
        return INITIATOR_NONE; /* whatever reset there was took no effect */
    uint64_t by_client = own_reset(closing, CLIENT), by_server = own_reset(closing, SERVER);
    if (by_client != 0 && (by_server == 0 || by_client < by_server))
        return INITIATOR_CLIENT;
    return by_server != 0 ? INITIATOR_SERVER : INITIATOR_NONE;
}

static bool is_handshake_complete(const struct connection *connection)
{
    const struct side *side = connection->side;
    return (connection->acknowledged && side_has(&side[CLIENT], SIDE_SYN_SEEN)) ||
           (connection->simultaneous_open && side_has(&side[CLIENT], SIDE_ACKED) &&
            side_has(&side[SERVER], SIDE_ACKED));
}

struct outcome outcome_of(const struct incarnation *incarnation)
{
    struct standing standing = standing_of(&incarnation->connection.history);
    enum close_kind kind = find_kind(incarnation, &standing);
    return (struct outcome){
        .kind = kind,
        .initiator = find_initiator(incarnation, kind),
        .handshake_complete = is_handshake_complete(&incarnation->connection),
        .has_history = {standing.any[CLIENT], standing.any[SERVER]},
    };
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

void outcome_put(const struct outcome *outcome, struct flow_record *flow)
{
    flow->close_kind = outcome->kind;
    flow->initiator = outcome->initiator;
    flow->handshake_complete = outcome->handshake_complete;
}

void outcome_expand(const struct incarnation *incarnation, nanotime two_msl,
                    struct flow_record *flow)
{
    flow->fin_to_fin = NANOTIME_UNKNOWN;
    if (flow->side[CLIENT].fin_packet != 0 && flow->side[SERVER].fin_packet != 0) {
        nanotime between = time_since(flow->side[SERVER].fin_time, flow->side[CLIENT].fin_time);
        flow->fin_to_fin = between < 0 ? -between : between;
    }
    flow->close_wait = dwell_of_either(flow, STATE_CLOSE_WAIT);
    flow->fin_wait_2 = dwell_of_either(flow, STATE_FIN_WAIT_2);
    find_time_wait(incarnation, two_msl, flow);
}
