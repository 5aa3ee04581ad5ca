/* path: see path.h. */
#include "path.h"

#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "distant.h"
#include "followed.h"
#include "journeys.h"
#include "pair.h"
#include "path_events.h"
#include "testimony.h"
#include "waiting.h"
#include "witnessed.h"

struct path {
    struct sink sink; /* first, so that the one is the other */
    struct sink_ops ops;
    const struct config *config; /* not owned */
    const char *const *names;    /* not owned */
    struct sink *next;           /* not owned */
    uint32_t taps;
    struct pair pair[PATH_TAPS - 1];
    struct journeys journeys;
    struct event_record event, heard; /* room for one */
    struct flow_record flow;          /* likewise */
    struct path_record record;        /* likewise */
    struct segment_record segment;    /* likewise */
    struct waiting_room waiting;
    nanotime now;
    enum status status;
};

static void note(struct path *path, enum status status)
{
    if (status != STATUS_OK && path->status == STATUS_OK)
        path->status = status;
}

static enum status take_status(struct path *path)
{
    enum status status = path->status;
    path->status = STATUS_OK;
    return status;
}

/* --- records of connections --- */

static void write_record(struct path *path, const struct journey *journey, uint32_t pair)
{
    if (path->next->ops->path == NULL || journey->leg == NULL)
        return;
    clocks_settle(&path->pair[pair].clocks);
    if (!witnessed_record(journey, pair, &path->pair[pair], &path->record))
        return;
    note(path, path->next->ops->path(path->next, &path->record));
}

static void write_due(struct path *path, nanotime now)
{
    struct journey *journey;
    while ((journey = journeys_next_due(&path->journeys, now)) != NULL) {
        for (uint32_t i = 0; i + 1 < path->taps; i++)
            write_record(path, journey, i);
        journeys_drop(&path->journeys, journey);
    }
}

/* --- segments --- */

static void pass_segment(struct path *path, const struct segment_record *segment)
{
    note(path, path->next->ops->segment(path->next, segment));
}

static void let_go(struct path *path, uint32_t index)
{
    pass_segment(path, waiting_at(&path->waiting, index));
    waiting_drop(&path->waiting, index);
}

/* What nobody decides any more. */
static void let_go_until(struct path *path, nanotime until)
{
    nanotime wait = path->config->tap_wait + NANO_PER_SECOND;
    while (path->waiting.oldest != 0) {
        const struct segment_record *oldest = waiting_at(&path->waiting, path->waiting.oldest);
        if (until != INT64_MAX && time_since(until, oldest->t) < wait)
            return;
        let_go(path, path->waiting.oldest);
    }
}

/* Of a piece that arrived it is not known yet whether the others did. */
static void follow(struct path *path, const struct path_occasion *occasion)
{
    const struct crossing *crossing = occasion->crossing;
    const struct sighting *seen = &crossing->at[0];
    if (path->ops.segment == NULL)
        return;
    if (seen->packet == 0) {
        followed_far(occasion, &path->segment);
        pass_segment(path, &path->segment);
        return;
    }
    uint32_t index = waiting_find(&path->waiting, seen->packet, seen->sequence);
    if (index == 0)
        return;
    struct segment_record *record = waiting_at(&path->waiting, index);
    followed_note(occasion, record);
    bool open = crossing->piece && crossing->fate == FATE_ARRIVED;
    if (!open && record->path_count + 1 == path->taps)
        let_go(path, index);
}

/* --- crossings --- */

/* event.id as RECORDS has it: the trigger's flow, sequence number and time. */
static void emit(struct path *path, struct event_record *event)
{
    uint64_t words[4] = {event->who.flow_uid, (uint64_t)event->id, event->evidence[0].seq_abs,
                         (uint64_t)event->t};
    event->decided = time_later_of(path->now, event->t); /* the first capture may be empty */
    event->event_uid = hash_identity(words, 4);
    event->event_uid += event->event_uid == 0;
    if (path->next->ops->event != NULL)
        note(path, path->next->ops->event(path->next, event));
}

/* The connection of a crossing; of a copy, that of the segment itself: it may come into the next.
 */
static struct journey *journey_of(struct path *path, const struct crossing *crossing, nanotime t)
{
    struct crossing original = *crossing;
    if (crossing->original[0].packet != 0)
        original.at[0].packet = crossing->original[0].packet;
    return journeys_of(&path->journeys, &original, t);
}

/* When the segment came to the receiver's tap, by the first tap's clock. */
static nanotime came_at(const struct path_occasion *occasion)
{
    return occasion->t[occasion->crossing->direction == TOWARDS_SECOND ? 1 : 0];
}

static void tell_crossing(struct path *path, uint32_t number, struct crossing *crossing)
{
    struct pair *pair = &path->pair[number];
    pair_measure(pair, crossing);
    struct path_occasion occasion = {
        .config = path->config,
        .names = path->names,
        .tap = {0, number + 1},
        .pair = number,
        .crossing = crossing,
        .t = {crossing->at[0].t, pair_time(pair, 1, crossing->at[1].t)},
        .least = clocks_least_delay(&pair->clocks),
    };
    nanotime t = crossing->at[0].packet != 0 ? occasion.t[0] : occasion.t[1];
    occasion.journey = journey_of(path, crossing, t);
    bool distant = occasion.journey == NULL || occasion.journey->distant;
    if (distant && crossing->at[0].packet == 0) {
        nanotime due =
            time_after(time_later_of(t, path->now), path->config->tap_wait + NANO_PER_SECOND);
        bool matched = pair_joint(pair, crossing->joint)->matched > 0;
        occasion.journey = distant_of(&path->journeys, crossing, t, due, matched);
    }
    if (occasion.journey == NULL)
        return;
    bool came = crossing->fate == FATE_ARRIVED || crossing->fate == FATE_DUPLICATED;
    if (came && crossing->direction != TOWARDS_UNKNOWN)
        occasion.next = journeys_after(&path->journeys, occasion.journey, came_at(&occasion));
    journey_count(occasion.journey, number, crossing, path->config->tap_delay);
    journey_keep(occasion.journey, number, pair, crossing->joint);
    follow(path, &occasion);
    if (!path_event(&occasion, &path->event))
        return;
    witnessed_raise(occasion.journey, path->event.id);
    emit(path, &path->event);
}

/* Up to when every pair has decided: records before it are whole. */
static nanotime settled(const struct path *path)
{
    nanotime until = path->now;
    for (uint32_t i = 0; i + 1 < path->taps; i++) {
        if (clocks_known(&path->pair[i].clocks))
            until = time_earlier_of(until, pair_reached(&path->pair[i]));
    }
    return until;
}

enum status path_tell(struct path *path, nanotime now)
{
    path->now = now;
    for (uint32_t i = 0; i + 1 < path->taps; i++) {
        pair_expire(&path->pair[i]);
        struct crossing_queue *queue = &path->pair[i].queue;
        for (uint32_t k = 0; k < queue->count; k++)
            tell_crossing(path, i, &queue->crossing[k]);
        queue->count = 0;
        note(path, path->pair[i].status);
        path->pair[i].status = STATUS_OK;
    }
    note(path, path->journeys.starved ? STATUS_NO_MEMORY : STATUS_OK);
    path->journeys.starved = false;
    let_go_until(path, settled(path));
    write_due(path, settled(path));
    return take_status(path);
}

/* --- what the engine writes --- */

static enum status take_delta(struct sink *sink, const struct delta *delta)
{
    struct path *path = (struct path *)sink;
    if (!journeys_note(&path->journeys, delta))
        note(path, STATUS_NO_MEMORY);
    if (path->next->ops->delta != NULL)
        note(path, path->next->ops->delta(path->next, delta));
    return take_status(path);
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct path *path = (struct path *)sink;
    nanotime due = time_after(flow->end, path->config->tap_wait + NANO_PER_SECOND);
    const struct journey *journey = journeys_end(&path->journeys, flow, due);
    note(path, path->next->ops->flow(path->next, witnessed_flow(journey, flow, &path->flow)));
    return take_status(path);
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    struct path *path = (struct path *)sink;
    struct journey *journey = journeys_find(&path->journeys, event->who.flow_uid);
    for (uint32_t i = 0; i + 1 < path->taps && event != NULL; i++) {
        struct witness witness = {&path->pair[i], path->names[i + 1]};
        event = testimony_hear(&witness, journey, event, &path->heard);
    }
    if (event != NULL)
        note(path, path->next->ops->event(path->next, event));
    else
        journey->reset_withdrawn = true;
    return take_status(path);
}

static enum status pass_transition(struct sink *sink, const struct transition_record *transition)
{
    struct sink *next = ((struct path *)sink)->next;
    return next->ops->transition(next, transition);
}

static enum status take_segment(struct sink *sink, const struct segment_record *segment)
{
    struct path *path = (struct path *)sink;
    if (path->waiting.pool.taken == WAITING_MOST)
        let_go(path, path->waiting.oldest);
    if (!waiting_add(&path->waiting, segment))
        note(path, STATUS_NO_MEMORY);
    return take_status(path);
}

/* --- the room --- */

struct sink *path_sink(struct path *path)
{
    return &path->sink;
}

void path_take(struct path *path, uint32_t tap, const struct segment *segment)
{
    for (uint32_t i = 0; i + 1 < path->taps; i++) {
        if (tap == 0 || tap == i + 1)
            pair_take(&path->pair[i], tap == 0 ? 0 : 1, segment);
    }
}

nanotime path_time(const struct path *path, uint32_t tap, nanotime t)
{
    if (tap == 0)
        return t;
    const struct pair *pair = &path->pair[tap - 1];
    return clocks_known(&pair->clocks) ? pair_time(pair, 1, t) : NANOTIME_UNKNOWN;
}

void path_end(struct path *path, uint32_t tap)
{
    for (uint32_t i = 0; i + 1 < path->taps; i++) {
        if (tap == 0 || tap == i + 1)
            pair_end(&path->pair[i], tap == 0 ? 0 : 1);
    }
}

enum status path_finish(struct path *path, nanotime now)
{
    for (uint32_t i = 0; i + 1 < path->taps; i++)
        pair_finish(&path->pair[i]);
    return path_tell(path, now);
}

enum status path_close(struct path *path)
{
    let_go_until(path, INT64_MAX);
    write_due(path, INT64_MAX);
    return take_status(path);
}

enum status path_new(const struct config *config, const char *const *names, uint32_t taps,
                     struct sink *next, struct path **ret_path)
{
    struct path *path = calloc(1, sizeof(*path));
    if (path == NULL)
        return STATUS_NO_MEMORY;
    path->ops = (struct sink_ops){
        .flow = take_flow,
        .event = take_event,
        .transition = next->ops->transition != NULL ? pass_transition : NULL,
        .segment = next->ops->segment != NULL ? take_segment : NULL,
        .delta = take_delta,
    };
    path->sink.ops = &path->ops;
    path->config = config;
    path->names = names;
    path->taps = taps;
    path->next = next;
    for (uint32_t i = 0; i + 1 < taps; i++)
        pair_init(&path->pair[i], config);
    journeys_init(&path->journeys, taps - 1);
    waiting_init(&path->waiting);
    *ret_path = path;
    return STATUS_OK;
}

void path_free(struct path *path)
{
    if (path == NULL)
        return;
    for (uint32_t i = 0; i + 1 < path->taps; i++)
        pair_clear(&path->pair[i]);
    journeys_clear(&path->journeys);
    waiting_clear(&path->waiting);
    free(path);
}
