/* foretold: see foretold.h. */
#include "foretold.h"

#include "account.h"
#include "ending.h"
#include "event/told.h"
#include "outcome.h"
#include "tell.h"

/* What an octet of foretold.stay holds. */
enum foretold_stay {
    STAY_STATE = 0x3,    /* enum dwell_state */
    STAY_PRESUMED = 0x4, /* its beginning or its end is */
    STAY_OPEN = 0x8,     /* it lasts until the deadline, if that is met */
};

enum { LENGTH_BITS = 40 }; /* eighteen minutes */

_Static_assert(DWELL_STATES == STAY_STATE + 1, "two bits hold any");

/* The side in TIME_WAIT, where the other one is closed; -1: there is none such. */
static int waiting_side(const struct connection *connection)
{
    for (int side = 0; side < SIDES; side++) {
        if (connection->side[side].state == STATE_TIME_WAIT &&
            connection->side[side_other(side)].state == STATE_CLOSED)
            return side;
    }
    return -1;
}

/* Whether nobody could want to know more of its end, or have something to say of it. */
static bool is_usual(const struct engine *engine, const struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    const struct connection *connection = &current->connection;
    const struct closing *closing = connection->closing;
    if (!ending_is_plain(engine->sink, current) || closing == NULL)
        return false;
    bool both =
        connection->side[0].state == STATE_CLOSED && connection->side[1].state == STATE_CLOSED;
    return !engine->trace_transitions && engine->config.active_timeout == 0 &&
           (closing->rst[0].packet | closing->rst[1].packet) == 0 && closing->fins[0] <= 1 &&
           closing->fins[1] <= 1 && current->collision == NULL && current->story == NULL &&
           current->uid == tuple->last_uid && current->number == tuple->numbers &&
           (both || waiting_side(connection) >= 0) && connection->history.dropped[0] == 0 &&
           connection->history.dropped[1] == 0 && !connection->history.starved;
}

/* An open stay in TIME_WAIT becomes what it is once the deadline has ended it; false: that does
 * not, as in a state from elsewhere, whose histories may say what they like. */
static bool end_stay(const struct connection *connection, nanotime due, struct stay *stay)
{
    const struct history *history = &connection->history;
    int waiting = waiting_side(connection);
    int newest = waiting < 0 ? -1 : history_newest(history, waiting, history->count - 1);
    if (newest < 0 || stay->state != DWELL_TIME_WAIT)
        return false;
    const struct history_entry *entry = history_peek(history, newest);
    stay->length = time_later_of(0, time_since(due, entry->t));
    stay->presumed = entry->basis == BASIS_PRESUMED;
    return true;
}

/* false: they find no room here. */
static bool keep_stays(const struct connection *connection, const struct closed_flow *flow,
                       nanotime due, struct foretold *foretold)
{
    if (flow->stays > FORETOLD_STAYS)
        return false;
    foretold->stays = flow->stays & 7;
    for (uint32_t i = 0; i < flow->stays; i++) {
        struct stay stay = flow->stay[i];
        bool open = stay.length == NANOTIME_UNKNOWN;
        if ((open && !end_stay(connection, due, &stay)) || stay.length >> LENGTH_BITS != 0)
            return false;
        foretold->length[i] = (uint32_t)stay.length;
        foretold->length_above[i] = (uint8_t)(stay.length >> 32);
        foretold->stay[i] =
            (uint8_t)(stay.state | (stay.presumed ? STAY_PRESUMED : 0) | (open ? STAY_OPEN : 0));
    }
    return true;
}

/* false: the counts find no room. */
static bool keep_counts(const struct connection *connection, struct foretold *foretold)
{
    for (int side = 0; side < SIDES; side++) {
        const struct tally *tally = &connection->side[side].tally;
        if (tally->packets > UINT16_MAX || tally->ip_bytes > UINT32_MAX)
            return false;
        foretold->packets[side] = (uint16_t)tally->packets;
        foretold->ip_bytes[side] = (uint32_t)tally->ip_bytes;
    }
    return true;
}

/* All but whether it is known. */
static void keep_outcome(const struct engine *engine, const struct incarnation *current,
                         nanotime due, struct foretold *foretold)
{
    const struct connection *connection = &current->connection;
    const struct outcome outcome = outcome_of(current);
    int waiting = waiting_side(connection);
    foretold->rests = waiting >= 0 &&
                      connection_time_wait_end(connection, waiting, engine->config.msl * 2) == due;
    foretold->kind = (unsigned)outcome.kind & 15;
    foretold->initiator = (unsigned)outcome.initiator & 3;
    foretold->handshake_complete = outcome.handshake_complete;
    foretold->answered = connection->side[1].tally.syns > 0;
    foretold->client_end = current->client_end & 1;
    foretold->told_client = current->told[0] & 7;
    foretold->told_server = current->told[1] & 7;
    foretold->told_once = current->told_once;
    foretold->presumed_client =
        connection->side[0].basis == BASIS_PRESUMED && outcome.has_history[0];
    foretold->presumed_server =
        connection->side[1].basis == BASIS_PRESUMED && outcome.has_history[1];
}

/* Apart, for the room that it takes. */
static __attribute__((noinline)) bool foretell(const struct engine *engine,
                                               const struct tuple *tuple, nanotime due,
                                               struct foretold *foretold)
{
    const struct incarnation *current = tuple->current;
    struct plain_flow plain;
    ending_of(tuple, current, &plain);
    foretold->is_closed = plain.is_closed;
    if (!keep_stays(&current->connection, &plain.flow, due, foretold) ||
        !keep_counts(&current->connection, foretold))
        return false;
    keep_outcome(engine, current, due, foretold);
    return true;
}

void foretold_of(const struct engine *engine, const struct tuple *tuple, nanotime due,
                 struct foretold *ret_foretold)
{
    *ret_foretold = (struct foretold){0}; /* whoever parks it has it on the stack */
    ret_foretold->known = is_usual(engine, tuple) && foretell(engine, tuple, due, ret_foretold);
}

/* --- of a transcript --- */

/* Adds a stay from one time to another; false: it finds no room here. */
static bool add_stay(struct foretold *foretold, enum dwell_state state, nanotime from, nanotime to,
                     unsigned bits)
{
    const nanotime length = time_later_of(0, time_since(to, from));
    const unsigned i = foretold->stays++ & (FORETOLD_STAYS - 1);
    foretold->length[i] = (uint32_t)length;
    foretold->length_above[i] = (uint8_t)(length >> 32);
    foretold->stay[i] = (uint8_t)(state | bits);
    return length >> LENGTH_BITS == 0;
}

/* When the segments passed that ended a connection, as the histories of both sides have it, whose
 * times never go back. */
struct close_times {
    nanotime fin_wait_2, time_wait;        /* of the side that closed first */
    nanotime close_wait, last_ack, closed; /* of the other one */
};

static struct close_times close_times_of(const struct transcript *transcript, int first)
{
    const struct transcript_head *head = &transcript->head;
    const struct transcript_entry *entry = transcript->entry,
                                  *last = entry + transcript_count(head) - 1;
    const struct transcript_entry *fin_too = last - 1, *ack = last - 2;
    const bool at_once = (ack->flags & TCP_FIN) != 0; /* the second FIN acknowledges the first */
    const struct transcript_entry *fin = at_once ? ack : last - 3;
    const nanotime synack = transcript_time(head, &entry[1]);
    const nanotime opened[SIDES] = {
        time_later_of(transcript_time(head, &entry[0]), synack),
        time_later_of(synack, transcript_time(head, &entry[2])),
    };
    const nanotime fin_t = transcript_time(head, fin), fin_too_t = transcript_time(head, fin_too);
    struct close_times times;
    times.fin_wait_2 = time_later_of(time_later_of(opened[first], fin_t),
                                     at_once ? fin_too_t : transcript_time(head, ack));
    times.time_wait = time_later_of(times.fin_wait_2, fin_too_t);
    times.close_wait = time_later_of(opened[side_other(first)], fin_t);
    times.last_ack = time_later_of(times.close_wait, fin_too_t);
    times.closed = time_later_of(times.last_ack, transcript_time(head, last));
    return times;
}

static bool keep_stays_of_first(const struct close_times *times, nanotime due,
                                struct foretold *foretold)
{
    return add_stay(foretold, DWELL_FIN_WAIT_2, times->fin_wait_2, times->time_wait, 0) &&
           add_stay(foretold, DWELL_TIME_WAIT, times->time_wait, due, STAY_OPEN);
}

static bool keep_stays_of_second(const struct close_times *times, struct foretold *foretold)
{
    return add_stay(foretold, DWELL_CLOSE_WAIT, times->close_wait, times->last_ack, 0) &&
           add_stay(foretold, DWELL_LAST_ACK, times->last_ack, times->closed, STAY_PRESUMED);
}

void foretold_of_transcript(const struct engine *engine, const struct tuple *tuple, nanotime due,
                            struct foretold *ret_foretold)
{
    const struct transcript *transcript = tuple->transcript;
    const struct transcript_head *head = &transcript->head;
    const int first = (int)tuple->progress.first;
    const bool recorded = !ending_takes_plain(engine->sink);
    ret_foretold->known = 0;
    if (engine->sink == NULL || engine->trace_transitions || engine->config.active_timeout != 0)
        return;
    const struct close_times times = close_times_of(transcript, first);
    *ret_foretold = (struct foretold){
        .ip_bytes = {head->ip_bytes[0], head->ip_bytes[1]},
        .packets = {head->packets[0], head->packets[1]},
        .rests = 1,
        .kind = (unsigned)CLOSE_ORDERLY & 15,
        .initiator = (unsigned)(first == CLIENT ? INITIATOR_CLIENT : INITIATOR_SERVER) & 3,
        .handshake_complete = 1,
        .answered = 1,
        .is_closed = 1,
        .client_end = head->client_end & 1,
        .told_client = head->told[0] & 7,
        .told_server = head->told[1] & 7,
        .told_once = head->told_once,
        .presumed_client = first != CLIENT, /* its CLOSED, by the ACK of its FIN */
        .presumed_server = first == CLIENT,
        .recorded = recorded,
    };
    if (recorded) {
        ret_foretold->known = 1;
        return;
    }
    bool kept = first == CLIENT ? keep_stays_of_first(&times, due, ret_foretold) &&
                                      keep_stays_of_second(&times, ret_foretold)
                                : keep_stays_of_second(&times, ret_foretold) &&
                                      keep_stays_of_first(&times, due, ret_foretold);
    ret_foretold->known = kept;
}

/* --- its end --- */

/* As it is parked. */
static inline void recall(const struct tuple *tuple, struct life *ret_life)
{
    const struct foretold *foretold = &tuple->foretold;
    ret_life->started = tuple->parked->started;
    ret_life->uid = tuple->last_uid;
    ret_life->number = tuple->numbers;
    ret_life->client_end = foretold->client_end;
    ret_life->told_once = foretold->told_once;
    ret_life->answered = foretold->answered;
    for (int side = 0; side < SIDES; side++) {
        ret_life->side[side].packets = foretold->packets[side];
        ret_life->side[side].ip_bytes = foretold->ip_bytes[side];
        ret_life->side[side].state = (unsigned)park_state(tuple->parked, side) & 15;
    }
    ret_life->side[0].told = foretold->told_client;
    ret_life->side[1].told = foretold->told_server;
}

/* met: the deadline is, so that no stay is open. */
static struct stay recall_stay(const struct foretold *foretold, uint32_t i, bool met)
{
    unsigned octet = foretold->stay[i];
    struct stay stay = {.state = (enum dwell_state)(octet & STAY_STATE),
                        .length = NANOTIME_UNKNOWN};
    if ((octet & STAY_OPEN) != 0 && !met)
        return stay;
    stay.length = (nanotime)foretold->length_above[i] << 32 | foretold->length[i];
    stay.presumed = (octet & STAY_PRESUMED) != 0;
    return stay;
}

static __attribute__((noinline)) void hand_on(struct engine *engine, const struct tuple *tuple,
                                              bool met)
{
    const struct foretold *foretold = &tuple->foretold;
    struct plain_flow plain;
    ending_name(tuple, tuple->last_uid, 1 - foretold->client_end, &plain);
    plain.is_closed = foretold->is_closed;
    plain.flow.stays = foretold->stays;
    for (uint32_t i = 0; i < foretold->stays; i++)
        plain.flow.stay[i] = recall_stay(foretold, i, met);
    ending_hand_on(engine, &plain);
}

/* Counts the end, as it is told. */
static inline void count(struct engine *engine, const struct foretold *foretold,
                         const struct life *life, const bool presumed[SIDES])
{
    struct left left[SIDES];
    for (int side = 0; side < SIDES; side++)
        left[side] = (struct left){(enum tcp_state)life->side[side].state, presumed[side]};
    ending_count(engine, (enum close_kind)foretold->kind, left);
}

/* Tells the end, and frees what is parked.  flow: its record, where that is wanted. */
static void end(struct engine *engine, struct tuple *tuple, struct life *life, bool met,
                const struct flow_record *flow)
{
    const struct foretold *foretold = &tuple->foretold;
    struct outcome outcome = {.kind = (enum close_kind)foretold->kind,
                              .initiator = (enum initiator)foretold->initiator,
                              .handshake_complete = foretold->handshake_complete,
                              .has_history = {true, true}};
    tell_life_gone(engine, tuple, life, &outcome);
    if (flow != NULL)
        ending_hand_on_record(engine, flow);
    else
        hand_on(engine, tuple, met);
    engine->parked_octets -= park_room(tuple->parked);
    park_free(&engine->table.parking, tuple->parked);
    tuple->is_parked = false;
    tuple->current = tuple->candidate = tuple->retiring = NULL;
    tuple->tombstones = NULL;
}

static void finish(struct engine *engine, struct tuple *tuple, const struct flow_record *flow)
{
    const struct foretold *foretold = &tuple->foretold;
    const bool presumed[SIDES] = {foretold->presumed_client, foretold->presumed_server};
    struct life life;
    recall(tuple, &life);
    count(engine, foretold, &life, presumed);
    end(engine, tuple, &life, false, flow);
}

static void rest(struct engine *engine, struct tuple *tuple, const struct flow_record *flow)
{
    const struct foretold *foretold = &tuple->foretold;
    const seq snd_nxt[SIDES] = {tuple->parked->snd_nxt[0], tuple->parked->snd_nxt[1]};
    bool presumed[SIDES] = {foretold->presumed_client, foretold->presumed_server};
    struct life life;
    recall(tuple, &life);
    for (int side = 0; side < SIDES; side++) {
        presumed[side] &= life.side[side].state != STATE_TIME_WAIT; /* which its timer ended */
        life.side[side].state = STATE_CLOSED;
    }
    tell_life(engine, tuple, &life, NULL, 0);
    count(engine, foretold, &life, presumed);
    end(engine, tuple, &life, true, flow);
    for (int side = 0; side < SIDES; side++)
        tuple->rest[side ^ life.client_end] = snd_nxt[side];
    tuple->resting = true;
}

/* The same with its record; apart, for the room that it takes. */
static __attribute__((noinline)) bool end_recorded(struct engine *engine, struct tuple *tuple,
                                                   bool met)
{
    struct flow_record flow;
    if (!account_flow(engine, tuple, met, &flow))
        return false;
    if (met)
        rest(engine, tuple, &flow);
    else
        finish(engine, tuple, &flow);
    return true;
}

bool foretold_finish(struct engine *engine, struct tuple *tuple)
{
    if (!tuple->foretold.known)
        return false;
    if (tuple->foretold.recorded)
        return end_recorded(engine, tuple, false);
    finish(engine, tuple, NULL);
    return true;
}

bool foretold_rest(struct engine *engine, struct tuple *tuple)
{
    if (!tuple->foretold.known || !tuple->foretold.rests)
        return false;
    if (tuple->foretold.recorded)
        return end_recorded(engine, tuple, true);
    rest(engine, tuple, NULL);
    return true;
}
