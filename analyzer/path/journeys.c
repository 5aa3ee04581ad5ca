/* journeys: see journeys.h. */
#include "journeys.h"

#include <stdlib.h>
#include <string.h>

void journeys_init(struct journeys *journeys, uint32_t pairs, uint32_t due_most)
{
    memset(journeys, 0, sizeof(*journeys));
    pool_init(&journeys->pool, sizeof(struct journey));
    journeys->secret = hash_key_draw();
    journeys->legs = pairs;
    journeys->due_most = due_most;
}

static struct journey *at(const struct journeys *journeys, uint32_t index)
{
    return pool_at(&journeys->pool, index);
}

static uint32_t key_hash(const struct journeys *journeys, const struct flow_key *key)
{
    return (uint32_t)flow_key_hash(journeys->secret, key);
}

static uint32_t index_of(const struct journeys *journeys, uint64_t flow_uid)
{
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&journeys->by_uid, (uint32_t)flow_uid, &cursor); i != 0;
         i = finder_next(&journeys->by_uid, &cursor)) {
        if (at(journeys, i)->who.flow_uid == flow_uid)
            return i;
    }
    return 0;
}

struct journey *journeys_find(const struct journeys *journeys, uint64_t flow_uid)
{
    uint32_t index = index_of(journeys, flow_uid);
    return index == 0 ? NULL : at(journeys, index);
}

/* The tuple's key, with the end that the client is. */
static uint8_t make_key(const struct delta *delta, struct flow_key *ret_key)
{
    struct segment segment = {.ip_version = delta->ip_version};
    memcpy(segment.source, delta->end[CLIENT].address, sizeof(segment.source));
    memcpy(segment.destination, delta->end[SERVER].address, sizeof(segment.destination));
    segment.source_port = delta->end[CLIENT].port;
    segment.destination_port = delta->end[SERVER].port;
    return (uint8_t)flow_key_of(&segment, ret_key);
}

struct journey *journeys_enter(struct journeys *journeys, const struct flow_key *key,
                               uint64_t flow_uid)
{
    uint32_t index = pool_take(&journeys->pool);
    if (index == 0)
        return NULL;
    struct journey *journey = at(journeys, index);
    journey->key = *key;
    journey->hash = key_hash(journeys, key);
    journey->who.flow_uid = flow_uid;
    journey->who.ip_version = key->ip_version;
    journey->due = NANOTIME_UNKNOWN;
    bool kept = finder_add(&journeys->by_key, journey->hash, index);
    if (kept && finder_add(&journeys->by_uid, (uint32_t)flow_uid, index))
        return journey;
    if (kept)
        finder_remove(&journeys->by_key, journey->hash, index);
    pool_give(&journeys->pool, index);
    return NULL;
}

static struct journey *begin(struct journeys *journeys, const struct delta *delta)
{
    struct flow_key key;
    uint8_t client_end = make_key(delta, &key);
    struct journey *journey = journeys_enter(journeys, &key, delta->flow_uid);
    if (journey == NULL)
        return NULL;
    journey->client_end = client_end;
    journey->who.incarnation = delta->incarnation;
    journey->first_packet = delta->packet;
    journey->start = journey->end = delta->opened;
    return journey;
}

bool journeys_note(struct journeys *journeys, const struct delta *delta)
{
    struct journey *journey = journeys_find(journeys, delta->flow_uid);
    if (journey == NULL && (delta->what & DELTA_OPENED) != 0)
        journey = begin(journeys, delta);
    if (journey == NULL)
        return (delta->what & DELTA_OPENED) == 0;
    for (int side = 0; side < SIDE_COUNT; side++) {
        journey->who.end[side] = delta->end[side];
        journey->state[side] = (enum tcp_state)delta->state[side];
    }
    return true;
}

static void append_due(struct journeys *journeys, uint32_t index)
{
    at(journeys, index)->next = 0;
    if (journeys->due_last != 0)
        at(journeys, journeys->due_last)->next = index;
    else
        journeys->due_first = index;
    journeys->due_last = index;
    journeys->due++;
}

static uint32_t take_due(struct journeys *journeys)
{
    uint32_t index = journeys->due_first;
    journeys->due_first = at(journeys, index)->next;
    if (journeys->due_first == 0)
        journeys->due_last = 0;
    journeys->due--;
    return index;
}

void journeys_set_due(struct journeys *journeys, struct journey *journey, nanotime due)
{
    journey->due = due;
    append_due(journeys, index_of(journeys, journey->who.flow_uid));
}

void journeys_put_off(struct journeys *journeys)
{
    append_due(journeys, take_due(journeys));
}

struct journey *journeys_end(struct journeys *journeys, const struct flow_record *flow,
                             nanotime due)
{
    uint32_t index = index_of(journeys, flow->who.flow_uid);
    if (index == 0)
        return NULL;
    struct journey *journey = at(journeys, index);
    journey->who = flow->who;
    journey->start = flow->start;
    journey->end = flow->end;
    for (int side = 0; side < SIDE_COUNT; side++) {
        journey->state[side] = flow->side[side].state;
        journey->iss_known[side] = flow->side[side].iss_known;
        journey->iss[side] = flow->side[side].iss;
    }
    if (flow->final && journey->due == NANOTIME_UNKNOWN)
        journeys_set_due(journeys, journey, due);
    return journey;
}

/* Whether it is the SYN, or the SYN-ACK, of this connection by its number. */
static bool opens(const struct journey *journey, const struct crossing *crossing)
{
    const struct sighting *seen = &crossing->at[1];
    int side = journey_side(journey, crossing->end);
    return crossing->at[0].packet == 0 && (seen->flags & TCP_SYN) != 0 &&
           journey->iss_known[side] &&
           journey->iss[side] == seen->sequence - crossing->shift[crossing->end];
}

/* Whether the connection may have sent or received it: it began before. */
static bool began_before(const struct journey *journey, const struct crossing *crossing, nanotime t)
{
    if (crossing->at[0].packet != 0)
        return journey->first_packet <= crossing->at[0].packet;
    return !time_is_before(t, journey->start);
}

static struct journey *find(const struct journeys *journeys, const struct crossing *crossing,
                            nanotime t)
{
    struct journey *best = NULL;
    struct finder_cursor cursor;
    uint32_t hash = key_hash(journeys, &crossing->key);
    for (uint32_t i = finder_first(&journeys->by_key, hash, &cursor); i != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        struct journey *journey = at(journeys, i);
        if (!flow_key_equal(&journey->key, &crossing->key))
            continue;
        if (opens(journey, crossing)) /* it may be what the first tap never saw of the opening */
            return journey;
        if (!began_before(journey, crossing, t))
            continue;
        if (best == NULL || best->first_packet < journey->first_packet)
            best = journey;
    }
    return best;
}

/* Sequence numbers relative to the ISN are told where a SYN of the side passed. */
static void note_isn(struct journey *journey, const struct crossing *crossing)
{
    int side = journey_side(journey, crossing->end);
    const struct sighting *seen = &crossing->at[0];
    if (seen->packet == 0 || (seen->flags & TCP_SYN) == 0 || journey->iss_known[side])
        return;
    journey->iss_known[side] = true;
    journey->iss[side] = seen->sequence;
}

bool journeys_give_legs(struct journeys *journeys, struct journey *journey)
{
    if (journey->leg == NULL)
        journey->leg = calloc(journeys->legs, sizeof(*journey->leg));
    journey->legs = journeys->legs;
    if (journey->leg == NULL)
        journeys->starved = true;
    return journey->leg != NULL;
}

struct journey *journeys_of(struct journeys *journeys, const struct crossing *crossing, nanotime t)
{
    struct journey *journey = find(journeys, crossing, t);
    if (journey == NULL)
        return NULL;
    if (!journeys_give_legs(journeys, journey))
        return NULL;
    note_isn(journey, crossing);
    return journey;
}

const struct journey *journeys_after(const struct journeys *journeys, const struct journey *journey,
                                     nanotime t)
{
    const struct journey *best = NULL;
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&journeys->by_key, journey->hash, &cursor); i != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        const struct journey *other = at(journeys, i);
        bool later = flow_key_equal(&other->key, &journey->key) &&
                     other->first_packet > journey->first_packet &&
                     !time_is_before(t, other->start);
        if (later && (best == NULL || best->first_packet < other->first_packet))
            best = other;
    }
    return best;
}

struct journey *journeys_incarnation(const struct journeys *journeys, const struct journey *journey,
                                     uint32_t incarnation)
{
    struct finder_cursor cursor;
    for (uint32_t i = finder_first(&journeys->by_key, journey->hash, &cursor); i != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        struct journey *other = at(journeys, i);
        if (flow_key_equal(&other->key, &journey->key) && other->who.incarnation == incarnation)
            return other;
    }
    return NULL;
}

struct journey *journeys_first(const struct journeys *journeys, const struct flow_key *key)
{
    struct journey *best = NULL;
    struct finder_cursor cursor;
    uint32_t hash = key_hash(journeys, key);
    for (uint32_t i = finder_first(&journeys->by_key, hash, &cursor); i != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        struct journey *journey = at(journeys, i);
        if (flow_key_equal(&journey->key, key) && !journey->distant &&
            (best == NULL || journey->first_packet < best->first_packet))
            best = journey;
    }
    return best;
}

struct journey *journeys_next_due(struct journeys *journeys, nanotime now)
{
    if (journeys->due_first == 0)
        return NULL;
    struct journey *journey = at(journeys, journeys->due_first);
    bool waits = time_is_before(now, journey->due) && journeys->due <= journeys->due_most;
    return waits ? NULL : journey;
}

static void free_legs(struct journey *journey)
{
    for (uint32_t i = 0; journey->leg != NULL && i < journey->legs; i++)
        fates_clear(&journey->leg[i].fates);
    free(journey->leg);
    journey->leg = NULL;
}

void journeys_drop(struct journeys *journeys, struct journey *journey)
{
    uint32_t index = take_due(journeys);
    journeys->distant -= journey->distant;
    finder_remove(&journeys->by_key, journey->hash, index);
    finder_remove(&journeys->by_uid, (uint32_t)journey->who.flow_uid, index);
    free_legs(journey);
    pool_give(&journeys->pool, index);
}

void journey_keep(struct journey *journey, uint32_t number, const struct pair *pair,
                  const struct crossing *crossing, bool turned)
{
    struct leg *leg = &journey->leg[number];
    const struct joint *joint = pair_joint(pair, crossing->joint);
    leg->known = true;
    leg->flipped = (joint->flipped[0] != joint->flipped[1]) != turned;
    leg->join = joint->join;
    leg->far_known = joint->known[1];
    leg->far = joint->key[1];
    leg->by_hops = false;
    for (int end = 0; end < ENDS; end++) {
        int own = joint_first_end(joint, end) ^ (int)turned, side = journey_side(journey, own);
        leg->shift[own] = joint->shift[end];
        leg->direction[side] = (uint8_t)pair_direction(pair, joint, end);
        leg->by_hops |= pair_direction_is_by_hops(pair, joint, end);
    }
    leg->shown[journey_side(journey, crossing->end)] |= crossing->fate == FATE_ARRIVED;
}

void journey_count(struct journey *journey, uint32_t number, const struct crossing *crossing,
                   nanotime slow)
{
    struct way *way = &journey->leg[number].way[journey_side(journey, crossing->end)];
    way->fate[crossing->fate]++;
    if (crossing->fate == FATE_MISSED)
        way->missed_by[crossing->at[0].packet != 0 ? 1 : 0]++;
    way->reordered += crossing->reordered;
    way->changed += crossing->changed != 0;
    if (crossing->delay != NANOTIME_UNKNOWN) {
        rtt_add(&way->delays, crossing->delay);
        way->delayed += crossing->held > slow;
    }
    journey->leg[number].counted = true;
}

bool journey_has_loss(const struct journey *journey, uint64_t packet)
{
    for (uint32_t i = 0; journey->leg != NULL && i < journey->legs; i++) {
        struct seen seen = fates_of(&journey->leg[i].fates, packet);
        if (seen.sight == SIGHT_LOST && seen.confidence == CONFIDENCE_CERTAIN)
            return true;
    }
    return false;
}

bool journey_has_arrival(const struct journey *journey, uint64_t packet)
{
    bool arrived = false;
    for (uint32_t i = 0; journey->leg != NULL && i < journey->legs; i++) {
        struct seen seen = fates_of(&journey->leg[i].fates, packet);
        arrived |= seen.sight == SIGHT_ARRIVED || seen.sight == SIGHT_LATE;
    }
    return arrived &&
           !journey_has_loss(journey, packet); /* it may have died behind a further tap */
}

/* From index i on, the first journey of the same ends that has legs; 0: none. */
static uint32_t with_legs(const struct journeys *journeys, const struct journey *journey,
                          uint32_t i, struct finder_cursor *cursor)
{
    while (i != 0) {
        const struct journey *other = at(journeys, i);
        if (other->leg != NULL && flow_key_equal(&other->key, &journey->key))
            return i;
        i = finder_next(&journeys->by_key, cursor);
    }
    return 0;
}

struct seen journeys_seen(const struct journeys *journeys, const struct journey *journey,
                          uint32_t number, uint64_t packet)
{
    struct seen seen = {SIGHT_NONE, CONFIDENCE_POSSIBLE, false};
    struct finder_cursor cursor;
    uint32_t i = finder_first(&journeys->by_key, journey->hash, &cursor);
    for (; (i = with_legs(journeys, journey, i, &cursor)) != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        const struct journey *other = at(journeys, i);
        seen = fates_of(&other->leg[number].fates, packet);
        if (seen.sight != SIGHT_NONE)
            break;
    }
    return seen;
}

const struct fate_note *journeys_unseen(const struct journeys *journeys,
                                        const struct journey *journey, uint32_t number,
                                        const struct fate_wanted *wanted)
{
    const struct fate_note *latest = NULL;
    struct finder_cursor cursor;
    uint32_t i = finder_first(&journeys->by_key, journey->hash, &cursor);
    for (; (i = with_legs(journeys, journey, i, &cursor)) != 0;
         i = finder_next(&journeys->by_key, &cursor)) {
        const struct journey *other = at(journeys, i);
        const struct fate_note *note = fates_unseen(&other->leg[number].fates, wanted);
        if (note != NULL && (latest == NULL || time_is_before(latest->t, note->t)))
            latest = note;
    }
    return latest;
}

void journeys_clear(struct journeys *journeys)
{
    for (uint32_t i = 1; i < journeys->pool.next; i++)
        free_legs(at(journeys, i)); /* NULL in slots that were given back */
    pool_clear(&journeys->pool);
    finder_clear(&journeys->by_key);
    finder_clear(&journeys->by_uid);
}
