/* path: see path.h. */
#include "path.h"

#include <stdlib.h>
#include <string.h>

#include "joints.h"
#include "path_parts.h"
#include "witnessed.h"

static enum status take_status(struct path *path)
{
    enum status status = path->status;
    path->status = STATUS_OK;
    return status;
}

/* --- records of connections --- */

static void write_record(struct path *path, const struct journey *journey, uint32_t pair)
{
    const struct way_view view = {&path->table, path->pair, journey};
    if (path->next->ops->path == NULL || journey->leg == NULL)
        return;
    clocks_settle(&path->pair[pair].clocks);
    if (!witnessed_record(&view, pair, &path->record))
        return;
    path_note(path, path->next->ops->path(path->next, &path->record));
}

/* Something of it is still to be decided. */
static bool is_undecided(const struct path *path, const struct journey *journey)
{
    for (uint32_t i = 0; i + 1 < path->table.taps; i++) { /* pairs with the first tap */
        uint32_t joint = joints_of_key(&path->pair[i], 0, &journey->key);
        if (joint != 0 && joint_holds(pair_joint(&path->pair[i], joint)))
            return true;
    }
    return false;
}

static void write_due(struct path *path, nanotime now)
{
    enum { TRIES = 16 };
    struct journey *journey;
    int tries = TRIES;
    while ((journey = journeys_next_due(&path->journeys, now)) != NULL) {
        bool early = time_is_before(now, journey->due);
        if (early && tries > 0 && is_undecided(path, journey)) {
            tries--;
            journeys_put_off(&path->journeys);
            continue;
        }
        path_note(path, hearing_end_journey(&path->hearing, journey));
        for (uint32_t i = 0; i < path->table.pairs; i++)
            write_record(path, journey, i);
        journeys_drop(&path->journeys, journey);
    }
}

/*
 * While the clocks of two taps are not known, nothing is decided.  Up to when the first tap has
 * nothing that is open, by its clock; INT64_MAX where it has nothing.
 */
static nanotime undecided_from(const struct pair *pair)
{
    uint32_t oldest = pair->all[0].oldest;
    return oldest == 0 ? INT64_MAX : pair_lone(pair, oldest)->seen.t;
}

/* Up to when every pair has decided: records before it are whole. */
static nanotime settled(const struct path *path)
{
    nanotime until = path_first_reached(path);
    for (uint32_t i = 0; i < path->table.pairs; i++) {
        const struct pair *pair = &path->pair[i];
        bool open = !pair->ended[0] || !pair->ended[1];
        if (!clocks_known(&pair->clocks) && path->table.tap[i][0] == 0)
            until = time_earlier_of(until, undecided_from(pair));
        if (!clocks_known(&pair->clocks) || !open)
            continue;
        nanotime reached = path_time(path, path->table.tap[i][0], pair_reached(pair));
        if (reached != NANOTIME_UNKNOWN)
            until = time_earlier_of(until, reached);
    }
    return until == INT64_MAX ? path->now : until;
}

bool path_is_due(const struct path *path)
{
    enum { DUE = 4096 };
    return path->untold >= DUE;
}

enum status path_tell(struct path *path, nanotime now)
{
    path->now = now;
    path->untold = 0;
    for (uint32_t i = 0; i < path->table.pairs; i++)
        pair_expire(&path->pair[i]);
    path_tell_crossings(path, false);
    path_release_segments(path, settled(path));
    path_note(path, hearing_release(&path->hearing, settled(path)));
    write_due(path, settled(path));
    return take_status(path);
}

/* --- what the engine writes --- */

static enum status take_delta(struct sink *sink, const struct delta *delta)
{
    struct path *path = (struct path *)sink;
    if (!journeys_note(&path->journeys, delta))
        path_note(path, STATUS_NO_MEMORY);
    if (path->next->ops->delta != NULL)
        path_note(path, path->next->ops->delta(path->next, delta));
    return take_status(path);
}

static enum status take_flow(struct sink *sink, const struct flow_record *flow)
{
    struct path *path = (struct path *)sink;
    nanotime due = time_after(flow->end, path->config->tap_wait + NANO_PER_SECOND);
    journeys_end(&path->journeys, flow, due);
    nanotime now = time_later_of(path->now, flow->end);
    path_note(path, hearing_take_flow(&path->hearing, flow, now));
    return take_status(path);
}

static enum status take_event(struct sink *sink, const struct event_record *event)
{
    struct path *path = (struct path *)sink;
    path_note(path, hearing_take_event(&path->hearing, event));
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
    path_note(path, path_keep_segment(path, segment));
    return take_status(path);
}

/* --- the room --- */

struct sink *path_sink(struct path *path)
{
    return &path->sink;
}

void path_take(struct path *path, uint32_t tap, const struct segment *segment)
{
    path->untold++;
    for (uint32_t other = 0; other < path->table.taps; other++) {
        if (other != tap)
            pair_take(&path->pair[path->table.number[tap][other]], tap < other ? 0 : 1, segment);
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
    for (uint32_t other = 0; other < path->table.taps; other++) {
        if (other != tap)
            pair_end(&path->pair[path->table.number[tap][other]], tap < other ? 0 : 1);
    }
}

enum status path_finish(struct path *path, nanotime now)
{
    path->now = now;
    path_tell_crossings(path,
                        true); /* what is open is decided by what other pairs have seen, too */
    for (uint32_t i = 0; i < path->table.pairs; i++)
        pair_finish(&path->pair[i]);
    path_tell_crossings(path, true);
    enum status status = path_tell(path, now);
    enum status heard = hearing_close(&path->hearing);
    return status == STATUS_OK ? heard : status;
}

enum status path_close(struct path *path)
{
    path_release_segments(path, INT64_MAX);
    write_due(path, INT64_MAX);
    return take_status(path);
}

enum status path_new(const struct config *config, const char *const *names, uint32_t taps,
                     const struct path_room *room, struct sink *next, struct path **ret_path)
{
    struct path *path = calloc(1, sizeof(*path));
    if (path == NULL)
        return STATUS_NO_MEMORY;
    pair_table_init(&path->table, taps);
    path->pair = calloc(path->table.pairs, sizeof(*path->pair));
    if (path->pair == NULL) {
        free(path);
        return STATUS_NO_MEMORY;
    }
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
    path->room = *room;
    path->next = next;
    for (uint32_t i = 0; i < path->table.pairs; i++)
        pair_init(&path->pair[i], config, room);
    journeys_init(&path->journeys, path->table.pairs, room->ended);
    waiting_init(&path->waiting);
    path->hearing = (struct hearing){
        .config = config,
        .names = names,
        .pair = path->pair,
        .pairs = taps - 1,
        .most = room->hearings,
        .journeys = &path->journeys,
        .next = next,
    };
    *ret_path = path;
    return STATUS_OK;
}

void path_free(struct path *path)
{
    if (path == NULL)
        return;
    for (uint32_t i = 0; i < path->table.pairs; i++)
        pair_clear(&path->pair[i]);
    free(path->pair);
    free(path->unclaimed.crossing);
    hearing_clear(&path->hearing);
    journeys_clear(&path->journeys);
    waiting_clear(&path->waiting);
    free(path);
}
