/* witnessed: see witnessed.h. */
#include "witnessed.h"

#include <string.h>

/* The events of this room, for the bits of journey.raised. */
static const enum event_id path_ids[] = {
    EVENT_lost_between_taps,
    EVENT_injected_between_taps,
    EVENT_changed_between_taps,
    EVENT_delayed_between_taps,
};

enum { PATH_IDS = sizeof(path_ids) / sizeof(path_ids[0]) };

void witnessed_raise(struct journey *journey, enum event_id id)
{
    for (unsigned i = 0; i < PATH_IDS; i++) {
        if (path_ids[i] == id)
            journey->raised |= UINT64_C(1) << i;
    }
}

/* --- the flow --- */

static void add_events(const struct journey *journey, struct flow_record *flow)
{
    for (unsigned i = 0; i < PATH_IDS && flow->event_count < RECORD_EVENTS; i++) {
        if ((journey->raised >> i & 1) != 0)
            flow->events[flow->event_count++] = path_ids[i];
    }
}

/* What another tap contradicts is no event of the connection. */
static bool remove_withdrawn(const struct journey *journey, struct flow_record *flow)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < flow->event_count; i++) {
        unsigned id = flow->events[i];
        uint64_t refuted = journey->withdrawn[id / 64] & ~journey->heard[id / 64];
        if ((refuted >> (id % 64) & 1) == 0)
            flow->events[kept++] = flow->events[i];
    }
    bool removed = kept < flow->event_count;
    flow->event_count = kept;
    return removed;
}

static bool is_open_question(const struct history_record *entry)
{
    return entry->basis == BASIS_PRESUMED && !entry->revoked && entry->packet != 0;
}

/* The state before the entry: that of the newest one before it that holds. */
static void fall_back(struct side_record *side)
{
    for (uint32_t i = side->history_count; i > 0; i--) {
        const struct history_record *entry = &side->history[i - 1];
        if (entry->revoked)
            continue;
        side->state = entry->state;
        side->basis = entry->basis;
        return;
    }
}

/* What was presumed after a segment that did not come is taken back with it. */
static void revoke_from(struct side_record *side, uint32_t first)
{
    for (uint32_t i = first; i < side->history_count; i++) {
        struct history_record *entry = &side->history[i];
        if (!is_open_question(entry))
            continue;
        entry->revoked = true;
        entry->revoked_by = side->history[first].packet;
    }
}

/*
 * A FIN, or a reset, moves its receiver only when all before it has come (RFC 9293 3.10.7.4): where
 * octets of its sender were lost, that it arrived shows nothing yet.
 */
static bool is_conclusive(const struct journey *journey, int side,
                          const struct history_record *entry)
{
    if (entry->fact != FACT_GOT_FIN && entry->fact != FACT_GOT_RST)
        return true;
    int sender = side == CLIENT ? 1 - journey->client_end : journey->client_end;
    for (uint32_t i = 0; i < journey->legs; i++) {
        if (fates_lack_octets(&journey->leg[i].fates, sender))
            return false;
    }
    return true;
}

static bool complete_side(const struct journey *journey, int which, struct side_record *side)
{
    bool changed = false;
    for (uint32_t i = 0; i < side->history_count; i++) {
        struct history_record *entry = &side->history[i];
        if (!is_open_question(entry))
            continue;
        if (journey_has_arrival(journey, entry->packet)) {
            if (!is_conclusive(journey, which, entry))
                continue;
            entry->basis = BASIS_ACKED;
            entry->proof = entry->packet; /* seen beyond the path */
            changed = true;
        } else if (journey_has_loss(journey, entry->packet)) {
            revoke_from(side, i);
            changed = true;
        }
    }
    if (changed)
        fall_back(side);
    return changed;
}

void witnessed_reset(const struct journeys *journeys, const struct journey *journey,
                     const struct event_record *event)
{
    struct journey *old = NULL;
    struct moment reset = {0, 0};
    for (uint32_t i = 0; i < event->evidence_count; i++) {
        const struct evidence_record *evidence = &event->evidence[i];
        if ((evidence->flags & TCP_FIN) != 0 && evidence->from == SERVER)
            old = journeys_incarnation(journeys, journey, evidence->incarnation);
        if ((evidence->flags & TCP_RST) != 0 && evidence->from == SERVER)
            reset = (struct moment){evidence->packet, evidence->t};
    }
    if (old == NULL || reset.packet == 0)
        return;
    old->reset = reset;
    old->reset_end = (uint8_t)(1 - journey->client_end);
}

/* LAST_ACK lasted until its own reset. */
static bool end_by_reset(const struct journey *journey, struct flow_record *flow)
{
    if (journey->reset.packet == 0)
        return false;
    struct side_record *side = &flow->side[journey_side(journey, journey->reset_end)];
    if (side->state != STATE_LAST_ACK || side->history_count == RECORD_HISTORY)
        return false;
    side->history[side->history_count++] = (struct history_record){
        .t = journey->reset.t,
        .packet = journey->reset.packet,
        .proof = journey->reset.packet,
        .state = STATE_CLOSED,
        .fact = FACT_SND_RST,
        .basis = BASIS_SENT,
    };
    side->state = STATE_CLOSED;
    side->basis = BASIS_SENT;
    flow->close_kind = CLOSE_RESET;
    return true;
}

const struct flow_record *witnessed_flow(const struct journey *journey,
                                         const struct flow_record *flow, struct flow_record *room)
{
    if (journey == NULL || journey->leg == NULL)
        return flow;
    *room = *flow;
    bool changed = journey->raised != 0;
    changed |= remove_withdrawn(journey, room);
    add_events(journey, room);
    for (int side = 0; side < SIDE_COUNT; side++)
        changed |= complete_side(journey, side, &room->side[side]);
    changed |= end_by_reset(journey, room);
    return changed ? room : flow;
}

/* --- the record of the path --- */

static void fill_way(const struct way *way, struct path_direction *direction)
{
    memcpy(direction->fate, way->fate, sizeof(direction->fate));
    memcpy(direction->missed_by, way->missed_by, sizeof(direction->missed_by));
    direction->delayed = way->delayed;
    direction->reordered = way->reordered;
    direction->changed = way->changed;
    direction->delays = way->delays.samples;
    direction->delay_min = way->delays.least;
    direction->delay_max = way->delays.greatest;
    direction->delay_mean = rtt_mean(&way->delays);
    direction->delay_p95 = rtt_p95(&way->delays);
}

static void fill_clock(const struct pair *pair, const struct journey *journey, uint32_t steps,
                       struct path_record *record)
{
    struct clock_estimate estimate = clocks_estimate(&pair->clocks, journey->start, steps);
    record->clock_known = estimate.known;
    record->clock_at = estimate.at;
    record->offset = estimate.offset;
    record->offset_error = estimate.error;
    record->drift_ppb = estimate.drift_ppb;
    record->drift_error_ppb = estimate.drift_error_ppb;
    record->clock_samples = estimate.samples;
}

static void fill_joint(const struct journey *journey, const struct leg *leg,
                       struct path_record *record)
{
    record->joined = (enum path_join)leg->join;
    record->near_client = leg->direction[CLIENT] == TOWARDS_SECOND  ? record->tap[0]
                          : leg->direction[CLIENT] == TOWARDS_FIRST ? record->tap[1]
                                                                    : -1;
    if (!leg->far_known)
        return;
    for (int side = 0; side < SIDE_COUNT; side++) {
        int end = side == CLIENT ? journey->client_end : 1 - journey->client_end;
        int there = leg->flipped ? 1 - end : end;
        memcpy(record->far_end[side].address, leg->far.address[there],
               sizeof(record->far_end[side].address));
        record->far_end[side].port = leg->far.port[there];
        record->shift[side] = leg->shift[end];
    }
}

/* Neighbours by all that is known in the end; or another tap did not cover all of it. */
static bool is_told(const struct way_view *view, uint32_t number)
{
    const struct leg *leg = &view->journey->leg[number];
    uint64_t troubles = 0;
    for (int side = 0; side < SIDE_COUNT && leg->counted; side++) {
        const struct way_moment whole = {.side = side, .covering = UINT8_MAX};
        if (order_is_told(view, number, &whole))
            return true;
        for (int fate = 0; fate < PATH_FATES; fate++)
            troubles += fate != FATE_ARRIVED ? leg->way[side].fate[fate] : 0;
    }
    return troubles > 0;
}

bool witnessed_record(const struct way_view *view, uint32_t number, struct path_record *record)
{
    const struct journey *journey = view->journey;
    const struct leg *leg = &journey->leg[number];
    if (!is_told(view, number))
        return false;
    memset(record, 0, sizeof(*record));
    record->who = journey->who;
    record->start = journey->start;
    record->end = journey->end;
    for (int tap = 0; tap < TAPS; tap++)
        record->tap[tap] = view->table->tap[number][tap];
    for (int side = 0; side < SIDE_COUNT; side++) {
        order_list(view, side, &record->way[side]);
        record->far_end[side] = journey->who.end[side];
        fill_way(&leg->way[side], &record->direction[side]);
    }
    fill_clock(&view->pair[number], journey, leg->steps, record);
    fill_joint(journey, leg, record);
    return true;
}
