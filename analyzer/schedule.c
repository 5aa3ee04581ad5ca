/* schedule: see schedule.h. */
#include "schedule.h"

#include <stdlib.h>

#include "brief.h"
#include "decide.h"
#include "ending.h"
#include "evict.h"
#include "flow/park.h"
#include "foretold.h"
#include "lives.h"
#include "retrace.h"
#include "tcp/course.h"
#include "trace.h"
#include "transcribe.h"

/* When the current incarnation is written at the latest, if nothing else comes. */
static nanotime end_of_current(const struct engine *engine, const struct incarnation *current)
{
    const struct connection *connection = &current->connection;
    if (connection->closed_at == NANOTIME_UNKNOWN)
        return NANOTIME_UNKNOWN;
    if (lives_had_time_wait(current))
        return connection->closed_at;
    return time_after(connection->closed_at, lives_two_msl(engine));
}

static nanotime sooner(nanotime a, nanotime b)
{
    if (a == NANOTIME_UNKNOWN || b == NANOTIME_UNKNOWN)
        return a == NANOTIME_UNKNOWN ? b : a;
    return time_earlier_of(a, b);
}

/*
 * When an open connection that spoke since is written again: at the next whole number of active
 * timeouts since its beginning.  It follows from the last packet alone.
 */
static nanotime part_due(const struct engine *engine, const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    nanotime timeout = engine->config.active_timeout;
    if (timeout == 0 || connection->closed_at != NANOTIME_UNKNOWN)
        return NANOTIME_UNKNOWN;
    nanotime age = time_since(connection->last_t, connection->started);
    nanotime due = time_after(connection->last_t, timeout - (age > 0 ? age % timeout : 0));
    return time_is_before(engine->clock, due) ? due : NANOTIME_UNKNOWN;
}

/* TIME_WAIT runs out, or a detector wants to look. */
static nanotime life_deadline(const struct engine *engine, const struct incarnation *incarnation)
{
    const struct connection *connection = &incarnation->connection;
    nanotime due = decide_due(engine, incarnation);
    for (int side = 0; side < SIDES; side++) {
        if (connection->side[side].state == STATE_TIME_WAIT)
            due = sooner(due, connection_time_wait_end(connection, side, lives_two_msl(engine)));
    }
    return due;
}

static nanotime incarnation_deadline(const struct engine *engine,
                                     const struct incarnation *incarnation)
{
    if (incarnation == NULL)
        return NANOTIME_UNKNOWN;
    nanotime due = life_deadline(engine, incarnation);
    if (incarnation_is_colliding(incarnation))
        due = sooner(due, incarnation->collision->deadline);
    const struct final_ack_story *story = &incarnation_doubts(incarnation)->final_ack;
    if (story->open)
        due = sooner(due, story->deadline);
    return sooner(due, part_due(engine, incarnation));
}

/* Whether a side is where it only waits: CLOSED or TIME_WAIT. */
static bool only_waits(const struct side *side)
{
    return side->state == STATE_CLOSED || side->state == STATE_TIME_WAIT;
}

/* Whether the connection is over but for 2MSL. */
static bool is_waiting(const struct connection *connection)
{
    return only_waits(&connection->side[0]) && only_waits(&connection->side[1]) &&
           connection->closing != NULL;
}

/* Whether the tuple holds such a one, and nothing else. */
static bool may_park(const struct tuple *tuple)
{
    return tuple->current != NULL && tuple->candidate == NULL && tuple->retiring == NULL &&
           tuple->tombstones == NULL && is_waiting(&tuple->current->connection) &&
           park_fits(tuple->current);
}

/* The next of the tuple's tombstones to be forgotten. */
static nanotime tombstone_deadline(const struct engine *engine, const struct tuple *tuple)
{
    nanotime due = NANOTIME_UNKNOWN;
    for (const struct tombstone *old = tuple->tombstones; old != NULL; old = old->next)
        due = sooner(due, time_after(old->closed_at, lives_two_msl(engine)));
    return due;
}

static nanotime tuple_deadline(const struct engine *engine, const struct tuple *tuple)
{
    nanotime due = incarnation_deadline(engine, tuple->current);
    due = sooner(due, incarnation_deadline(engine, tuple->candidate));
    if (tuple->current != NULL && tuple->candidate == NULL)
        due = sooner(due, end_of_current(engine, tuple->current));
    if (tuple->candidate != NULL && tuple->candidate->connection.closed_at != NANOTIME_UNKNOWN)
        due =
            sooner(due, time_after(tuple->candidate->connection.closed_at, lives_two_msl(engine)));
    return sooner(due, tombstone_deadline(engine, tuple));
}

void schedule_arm(struct engine *engine, struct tuple *tuple, nanotime due)
{
    if (tuple->armed != NANOTIME_UNKNOWN && tuple->armed <= due)
        return;
    engine_spend_ease(engine); /* the agenda may grow */
    tuple->armed = due;
    const struct agenda_rank rank = {due, tuple->last_uid};
    if (!agenda_add(&engine->agenda, rank, tuple->index))
        engine->status = STATUS_NO_MEMORY;
}

static void set_deadline(struct engine *engine, struct tuple *tuple, nanotime due)
{
    if (due == NANOTIME_UNKNOWN)
        tuple->armed = NANOTIME_UNKNOWN;
    else
        schedule_arm(engine, tuple, due);
}

/* Whether no packet gives it a deadline, or brings it into another queue; the calm are told. */
static bool is_settled(const struct engine *engine, struct tuple *tuple)
{
    bool ordinary = tuple_is_ordinary(tuple);
    tuple->calm = ordinary ? brief_calm(tuple) & 0xf : 0;
    return ordinary && tuple->tombstones == NULL && engine->config.active_timeout == 0;
}

/* The one deadline that both FINs leave of the usual course: the end of TIME_WAIT. */
static nanotime end_of_parted(const struct engine *engine, const struct connection *connection)
{
    int side = connection->side[0].state == STATE_TIME_WAIT ? 0 : 1;
    return connection_time_wait_end(connection, side, lives_two_msl(engine));
}

/*
 * The deadline of a tuple's one connection, which the usual course led on and of which no story is
 * kept: until its FIN is acknowledged no detector waits for anything, nor once both sides sent one.
 */
static nanotime life_deadline_alone(const struct engine *engine, const struct incarnation *current)
{
    const struct connection *connection = &current->connection;
    const enum course course = (enum course)connection->course;
    if (course != COURSE_NONE && course <= COURSE_PARTING)
        return NANOTIME_UNKNOWN;
    if (course == COURSE_PARTED || is_waiting(connection))
        return end_of_parted(engine, connection);
    return sooner(life_deadline(engine, current), end_of_current(engine, current));
}

static nanotime deadline_alone(const struct engine *engine, const struct tuple *tuple)
{
    nanotime due = life_deadline_alone(engine, tuple->current);
    return tuple->tombstones == NULL ? due : sooner(due, tombstone_deadline(engine, tuple));
}

/* An ordinary segment may follow, and no packet gives the tuple a deadline, or brings it into
 * another queue; the calm are told.  As is_settled() has it. */
static bool goes_on_calmly(struct tuple *tuple)
{
    const struct connection *connection = &tuple->current->connection;
    bool open = connection->course == COURSE_OPEN || connection->course == COURSE_PROVEN;
    bool calm = open && tuple->queue == QUEUE_LIVE &&
                (tuple->armed == NANOTIME_UNKNOWN || tuple->tombstones != NULL);
    tuple->calm = calm ? brief_calm_on_course(tuple) & 0xf : 0;
    return calm && tuple->tombstones == NULL;
}

void schedule_alone(struct engine *engine, struct tuple *tuple)
{
    const struct incarnation *current = tuple->current;
    if (goes_on_calmly(tuple))
        return;
    if (current->beside != 0 || current->connection.history.more != NULL) {
        flow_table_count_beside(&engine->table, tuple);
        engine_spend_ease(engine);
    }
    nanotime due = deadline_alone(engine, tuple);
    set_deadline(engine, tuple, due);
    bool over = is_waiting(&current->connection);
    if (over && tuple->tombstones == NULL && due != NANOTIME_UNKNOWN && park_fits(current))
        schedule_park(engine, tuple, due); /* at once, while it is in the cache */
    if (over || tuple->queue != QUEUE_LIVE)
        evict_enqueue(engine, tuple);
}

/* Whether it holds neither a connection nor a tombstone; of a whole one. */
static bool is_empty(const struct tuple *tuple)
{
    return tuple->current == NULL && tuple->candidate == NULL && tuple->retiring == NULL &&
           tuple->tombstones == NULL;
}

void schedule_tuple(struct engine *engine, struct tuple *tuple)
{
    flow_table_count_beside(&engine->table, tuple);
    if (is_settled(engine, tuple))
        return;
    bool empty = is_empty(tuple);
    if (empty && !tuple->resting) {
        lives_remove(engine, tuple);
        return;
    }
    if (empty) {
        evict_enqueue(engine, tuple);
        return; /* at rest: the deadline on the agenda stands */
    }
    nanotime due = tuple_deadline(engine, tuple);
    set_deadline(engine, tuple, due);
    if (due != NANOTIME_UNKNOWN && may_park(tuple))
        schedule_park(engine, tuple, due);
    evict_enqueue(engine, tuple);
}

/* TIME_WAIT of an incarnation's sides that is over. */
static void expire_time_wait(struct engine *engine, const struct tuple *tuple,
                             struct incarnation *incarnation, nanotime now)
{
    for (int side = 0; incarnation != NULL && side < SIDES; side++) {
        nanotime end =
            connection_time_wait_end(&incarnation->connection, side, lives_two_msl(engine));
        struct step step;
        if (end == NANOTIME_UNKNOWN || end > now)
            continue;
        connection_two_msl(&incarnation->connection, side, end, &step);
        trace_step(engine, tuple, incarnation, &step);
    }
}

/* TIME_WAIT ran out: nothing old is left in the network, only the tuple's count stays a while. */
static void rest(struct engine *engine, struct tuple *tuple, nanotime closed_at)
{
    for (int end = 0; end < SIDES; end++)
        tuple->rest[end] =
            tuple->current->connection.side[incarnation_side(tuple->current, end)].snd_nxt;
    lives_end_current(engine, tuple, true);
    tuple->resting = true;
    schedule_arm(engine, tuple, time_after(closed_at, lives_two_msl(engine)));
}

/* 2MSL are over for a closed connection. */
static void end_quietly(struct engine *engine, struct tuple *tuple)
{
    nanotime closed_at = tuple->current->connection.closed_at;
    if (lives_had_time_wait(tuple->current))
        rest(engine, tuple, closed_at);
    else
        lives_bury_current(engine, tuple, closed_at);
}

/* Writes the connections whose active timeout is now. */
static void write_parts(struct engine *engine, struct tuple *tuple, nanotime now)
{
    struct incarnation *open[] = {tuple->current, tuple->candidate};
    nanotime clock = engine->clock;
    engine->clock = now - 1; /* what is due now is not yet past */
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (open[i] != NULL && part_due(engine, open[i]) == now)
            ending_write_part(engine, tuple, open[i]);
    }
    engine->clock = clock;
}

/* The same of a parked one whose end is known. */
static bool rest_foretold(struct engine *engine, struct tuple *tuple)
{
    nanotime closed_at = tuple->due;
    if (!foretold_rest(engine, tuple))
        return false;
    schedule_arm(engine, tuple, time_after(closed_at, lives_two_msl(engine)));
    evict_enqueue(engine, tuple);
    return true;
}

void schedule_deadline(struct engine *engine, struct tuple *tuple, nanotime now)
{
    tuple->armed = NANOTIME_UNKNOWN;
    if (tuple->is_parked && time_is_before(now, tuple->due)) {
        /* as it is: it was armed for a deadline that went by; its own, a round trip later, is one
         * that nobody can look ahead to */
        flow_table_prefetch_parked(tuple);
        schedule_arm(engine, tuple, tuple->due);
        return;
    }
    if (tuple->resting && is_empty(tuple)) {
        lives_remove(engine, tuple); /* what nearly every connection comes to */
        return;
    }
    tuple->resting = false;
    if (tuple->is_parked && rest_foretold(engine, tuple))
        return;
    if ((tuple->is_parked && !schedule_unpark(engine, tuple)) ||
        (tuple->is_transcribed && !retrace(engine, tuple)))
        return;
    write_parts(engine, tuple, now);
    if (tuple->candidate != NULL)
        decide_overdue(engine, tuple, tuple->candidate, now);
    if (tuple->current != NULL)
        decide_overdue(engine, tuple, tuple->current, now);
    expire_time_wait(engine, tuple, tuple->current, now);
    if (tuple->candidate != NULL && tuple->candidate->connection.closed_at != NANOTIME_UNKNOWN &&
        time_since(now, tuple->candidate->connection.closed_at) >= lives_two_msl(engine))
        lives_end_candidate(engine, tuple, true);
    if (tuple->current != NULL && tuple->candidate == NULL) {
        nanotime end = end_of_current(engine, tuple->current);
        if (end != NANOTIME_UNKNOWN && end <= now)
            end_quietly(engine, tuple);
    }
    lives_bury_old(engine, tuple, now);
    schedule_tuple(engine, tuple);
}
