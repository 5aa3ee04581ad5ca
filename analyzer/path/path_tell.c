/*
 * path_tell: what the pairs of taps have decided, told of the connection it belongs to
 * (path_parts.h).
 *
 * A pair with the first tap tells at once: the engine has the connection by then.  Two further
 * taps may show a segment before the first one does; what they decided waits until that one is
 * read so far, and where it shows no such connection, as long as it may still come.
 */
#include "../base/hash.h"
#include "crossings.h"
#include "distant.h"
#include "pair_ways.h"
#include "path_parts.h"
#include "terms.h"
#include "witnessed.h"

/* By so much the first tap is read further before others tell what it may show as well. */
static const nanotime first_slack = NANO_PER_SECOND;

nanotime path_first_reached(const struct path *path)
{
    return path->pair[0].ended[0] ? INT64_MAX : path->now;
}

/* event.id as RECORDS has it: the trigger's flow, sequence number and time. */
static void emit(struct path *path, struct event_record *event)
{
    uint64_t words[4] = {event->who.flow_uid, (uint64_t)event->id, event->evidence[0].seq_abs,
                         (uint64_t)event->t};
    event->decided = time_later_of(path->now, event->t); /* the first capture may be empty */
    event->event_uid = hash_identity(words, 4);
    event->event_uid += event->event_uid == 0;
    if (path->next->ops->event != NULL)
        path_note(path, path->next->ops->event(path->next, event));
}

/* A moment as the first tap's clock shows it, as far as that is known. */
static nanotime first_time(const struct path *path, uint32_t tap, nanotime t)
{
    nanotime known = path_time(path, tap, t);
    return known == NANOTIME_UNKNOWN ? t : known;
}

/* When a tap of the pair saw the crossing's segment, by the first tap's clock. */
static nanotime sighted_at(const struct path *path, uint32_t number,
                           const struct crossing *crossing, int tap)
{
    const struct sighting *seen = &crossing->at[tap];
    if (pair_table_has_first(&path->table, number))
        return pair_sighting_time(&path->pair[number], tap, seen);
    return first_time(path, path->table.tap[number][tap], seen->t);
}

/* When the pair saw it first. */
static nanotime seen_at(const struct path *path, uint32_t number, const struct crossing *crossing)
{
    return sighted_at(path, number, crossing, crossing->at[0].packet != 0 ? 0 : 1);
}

/* When the segment came to the receiver's tap, by the first tap's clock. */
static nanotime came_at(const struct path_occasion *occasion)
{
    return occasion->t[occasion->crossing->direction == TOWARDS_SECOND ? 1 : 0];
}

/* --- whose it is --- */

/* The connection of a crossing; of a copy, that of the segment itself: it may come into the next.
 */
static struct journey *find_journey(struct path *path, uint32_t number, const struct terms *terms,
                                    const struct crossing *crossing, nanotime t)
{
    struct crossing original = *crossing;
    if (!pair_table_has_first(&path->table, number))
        original = terms_from_afar(terms, crossing);
    else if (crossing->original[0].packet != 0)
        original.at[0].packet = crossing->original[0].packet;
    return journeys_of(&path->journeys, &original, t);
}

/* One that the first tap does not show. */
static struct journey *find_distant(struct path *path, uint32_t number, const struct terms *terms,
                                    const struct crossing *crossing, nanotime t)
{
    nanotime due =
        time_after(time_later_of(t, path->now), path->config->tap_wait + NANO_PER_SECOND);
    bool matched = pair_joint(&path->pair[number], crossing->joint)->matched > 0;
    if (pair_table_has_first(&path->table, number))
        return distant_of(&path->journeys, crossing, t, due, matched);
    struct crossing afar = terms_from_afar(terms, crossing);
    return distant_of(&path->journeys, &afar, t, due, false);
}

/* --- who tells it --- */

static const nanotime *reach_of(const struct path *path, uint32_t tap,
                                const nanotime *ret_latest[1])
{
    const struct pair *pair = &path->pair[tap == 0 ? 0 : tap - 1];
    int own = tap == 0 ? 0 : 1;
    *ret_latest = pair->ended[own] ? &pair->latest[own] : NULL;
    return pair->segments[own] > 0 ? &pair->first[own] : NULL;
}

/* The taps whose captures cover a moment, as bits. */
static uint8_t covering(const struct path *path, nanotime t)
{
    unsigned bits = 0;
    for (uint32_t tap = 0; tap < path->table.taps; tap++) {
        const nanotime *latest, *first = reach_of(path, tap, &latest);
        bool begun = first != NULL && !time_is_before(t, first_time(path, tap, *first));
        bool over = latest != NULL && time_is_before(first_time(path, tap, *latest), t);
        bits |= begun && !over ? 1u << tap : 0;
    }
    return (uint8_t)bits;
}

static bool is_told(const struct path *path, const struct way_view *view, uint32_t number,
                    const struct crossing *crossing, nanotime t)
{
    if (path->table.taps == TAPS)
        return true;
    bool with_first = pair_table_has_first(&path->table, number);
    if (!with_first && crossing->unjoined && crossing->fate == FATE_UNKNOWN)
        return false; /* two taps that show different connections */
    struct way_moment moment = {
        .side = journey_side(view->journey, crossing->end),
        .covering = covering(path, t),
        .unjoined = crossing->unjoined,
    };
    return order_is_told(view, number, &moment);
}

/* A segment that two taps show has passed those between them, whatever their captures lack. */
static void vouch(struct path *path, const struct way_view *view, uint32_t number,
                  const struct crossing *crossing)
{
    const struct pair_table *table = &path->table;
    const struct joint *joint = pair_joint(&path->pair[number], crossing->joint);
    const uint32_t ends[TAPS] = {table->tap[number][0], table->tap[number][1]};
    int side = journey_side(view->journey, crossing->end);
    for (uint32_t c = 0; c < table->taps && crossing->fate == FATE_ARRIVED; c++) {
        if (c == ends[0] || c == ends[1] || !order_is_between(view, side, c, ends))
            continue;
        for (int i = 0; i < TAPS; i++) {
            struct pair *other = &path->pair[table->number[ends[i]][c]];
            pair_vouch(other, ends[i] < c ? 0 : 1, &joint->key[i], &crossing->at[i]);
        }
    }
}

/* --- one crossing --- */

/*
 * What took long may show a clock that was set: it waits until a segment the other way has come,
 * and is no more than probable without.
 */
static bool waits_for_clock(const struct path *path, const struct pair *pair,
                            struct crossing *crossing)
{
    static const nanotime patience = 2 * (nanotime)NANO_PER_SECOND;
    pair_measure(pair, crossing);
    if (crossing->held <= path->config->tap_delay)
        return false;
    nanotime came = time_later_of(crossing->at[0].t, pair_sighting_time(pair, 1, &crossing->at[1]));
    bool doubtful = pair_may_be_step(pair, crossing);
    bool ended = pair->ended[0] || pair->ended[1];
    if (doubtful && !ended && time_since(pair_reached(pair), came) < patience)
        return true;
    if (doubtful || clocks_stepped_near(&pair->clocks, came, crossing->delay + patience))
        crossing->confidence = CONFIDENCE_PROBABLE;
    return false;
}

/* What states and events may rest on: of what passed the first tap, where the engine stands. */
static void note_leg(struct path *path, struct journey *journey, uint32_t number,
                     const struct crossing *crossing, nanotime t)
{
    struct leg *leg = &journey->leg[number];
    if (!leg->known)
        leg->steps = crossing->at[crossing->at[0].packet != 0 ? 0 : 1].steps;
    if (pair_table_has_first(&path->table, number) &&
        !fates_note(&leg->fates, crossing, t, path->config->tap_delay))
        path_note(path, STATUS_NO_MEMORY);
}

static void tell(struct path *path, const struct path_occasion *occasion, bool told)
{
    struct journey *journey = occasion->journey;
    path_follow(path, occasion, told);
    if (!told)
        return;
    journey_count(journey, occasion->pair, occasion->crossing, path->config->tap_delay);
    if (!path_event(occasion, &path->event))
        return;
    witnessed_raise(journey, path->event.id);
    emit(path, &path->event);
}

/*
 * Tells a crossing of its connection.  False: it is not known, and as the crossing is of further
 * taps it may still be: nothing is changed.
 */
static bool tell_crossing(struct path *path, uint32_t number, const struct crossing *decided,
                          bool last)
{
    struct pair *pair = &path->pair[number];
    struct crossing crossing = *decided;
    crossing.pair = (uint8_t)number;
    struct terms terms = terms_of(&path->table, path->pair, number, &crossing);
    bool with_first = pair_table_has_first(&path->table, number);
    nanotime t = seen_at(path, number, &crossing);
    pair_measure(pair, &crossing);
    pair->held += crossing.held > path->config->tap_delay; /* NANOTIME_UNKNOWN is less */
    terms_apply(&terms, &crossing);
    struct journey *journey = find_journey(path, number, &terms, &crossing, t);
    bool distant = journey == NULL || journey->distant;
    if (distant && !with_first && !last)
        return false;
    if (distant && (crossing.at[0].packet == 0 || !with_first))
        journey = find_distant(path, number, &terms, &crossing, t);
    if (journey == NULL)
        return true;
    struct path_occasion occasion = {
        .config = path->config,
        .names = path->names,
        .tap = {path->table.tap[number][0], path->table.tap[number][1]},
        .pair = number,
        .crossing = &crossing,
        .journey = journey,
        .base = {terms.shift[0], terms.shift[1]},
        .least = clocks_least_delay(&pair->clocks),
    };
    for (int tap = 0; tap < TAPS; tap++)
        occasion.t[tap] = sighted_at(path, number, &crossing, tap);
    bool came = crossing.fate == FATE_ARRIVED || crossing.fate == FATE_DUPLICATED;
    if (came && crossing.direction != TOWARDS_UNKNOWN)
        occasion.next = journeys_after(&path->journeys, journey, came_at(&occasion));
    const struct way_view view = {&path->table, path->pair, journey};
    note_leg(path, journey, number, &crossing, t);
    journey_keep(journey, number, pair, &crossing, terms.turned);
    if (path->table.taps > TAPS)
        vouch(path, &view, number, &crossing);
    tell(path, &occasion, is_told(path, &view, number, &crossing, t));
    return true;
}

/* --- all of them --- */

/* Its connection need not be remembered for it. */
static void note_told(struct path *path, uint32_t number, const struct crossing *crossing)
{
    pair_joint(&path->pair[number], crossing->joint)->untold--;
}

static void tell_with_first(struct path *path, uint32_t number)
{
    struct crossing_queue *queue = &path->pair[number].queue;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < queue->count; i++) {
        struct crossing *crossing = &queue->crossing[i];
        if (waits_for_clock(path, &path->pair[number], crossing)) {
            queue->crossing[kept++] = *crossing;
            continue;
        }
        tell_crossing(path, number, crossing, true);
        note_told(path, number, crossing);
    }
    queue->count = kept;
}

/* Of two further taps; what nobody claims is kept for later. */
static void tell_further(struct path *path, uint32_t number, bool all)
{
    struct crossing_queue *queue = &path->pair[number].queue;
    nanotime reached = path_first_reached(path);
    while (queue->head < queue->count) {
        struct crossing *crossing = &queue->crossing[queue->head];
        nanotime due = time_after(seen_at(path, number, crossing), first_slack);
        bool waits = waits_for_clock(path, &path->pair[number], crossing);
        bool full = queue->count - queue->head > path->room.untold;
        if (!all && !full && (waits || time_is_before(reached, due)))
            break;
        queue->head++;
        if (tell_crossing(path, number, crossing, false)) {
            note_told(path, number, crossing);
            continue;
        }
        crossing->pair = (uint8_t)number;
        if (crossings_copy(&path->unclaimed, crossing) == NULL)
            path_note(path, STATUS_NO_MEMORY);
    }
    crossings_compact(queue);
}

static void tell_unclaimed(struct path *path, bool all)
{
    struct crossing_queue *queue = &path->unclaimed;
    nanotime reached = path_first_reached(path);
    while (queue->head < queue->count) {
        const struct crossing *crossing = &queue->crossing[queue->head];
        nanotime due = time_after(seen_at(path, crossing->pair, crossing), path->config->tap_wait);
        bool full = queue->count - queue->head > path->room.unclaimed;
        if (!all && !full && time_is_before(reached, due))
            break;
        queue->head++;
        tell_crossing(path, crossing->pair, crossing, true);
        note_told(path, crossing->pair, crossing);
    }
    crossings_compact(queue);
}

void path_tell_crossings(struct path *path, bool all)
{
    for (uint32_t i = 0; i < path->table.pairs; i++) {
        struct pair *pair = &path->pair[i];
        if (pair_table_has_first(&path->table, i))
            tell_with_first(path, i);
        else
            tell_further(path, i, all);
        path_note(path, pair->status);
        pair->status = STATUS_OK;
    }
    tell_unclaimed(path, all);
    path_note(path, path->journeys.starved ? STATUS_NO_MEMORY : STATUS_OK);
    path->journeys.starved = false;
}
