/* census_count: see census_count.h. */
#include "census_count.h"

#include <stdlib.h>

#include "census_table.h"

/* --- what changes --- */

/* A client's port is held as long as there is a socket. */
enum {
    HELD = 1 << STOCK_HELD,
    CLIENT_CLOSE_WAIT = 1 << (STOCK_CLOSE_WAIT + CLIENT),
    SERVER_CLOSE_WAIT = 1 << (STOCK_CLOSE_WAIT + SERVER),
    CLIENT_TIME_WAIT = 1 << (STOCK_TIME_WAIT + CLIENT),
    SERVER_TIME_WAIT = 1 << (STOCK_TIME_WAIT + SERVER)
};

/* clang-format off */
const uint8_t census_stocks[2][HOLDINGS] = {
    [CLIENT] = {
        [HOLDING_OPENING]    = HELD,
        [HOLDING_OPEN]       = HELD,
        [HOLDING_LAST]       = HELD,
        [HOLDING_CLOSE_WAIT] = HELD | CLIENT_CLOSE_WAIT,
        [HOLDING_TIME_WAIT]  = HELD | CLIENT_TIME_WAIT,
    },
    [SERVER] = {
        [HOLDING_CLOSE_WAIT] = SERVER_CLOSE_WAIT,
        [HOLDING_TIME_WAIT]  = SERVER_TIME_WAIT,
    },
};
/* clang-format on */

/* --- openings and closings --- */

static void keep_ref(struct census_more *more, const struct delta *delta)
{
    if (more->refs == 0)
        census_refer(delta, &more->first_ref);
    census_refer(delta, &more->ref[more->refs++ % CENSUS_REFS]);
}

static void pace_opening(struct census_entry *entry, nanotime t)
{
    if (entry->key.scope == HOST_SOURCE)
        pace_add(&entry->more->opened_pace, t);
    else
        rate_add(&entry->more->opened_rate, t);
}

static void pace_closing(struct census_entry *entry, nanotime t)
{
    if (entry->key.scope == HOST_PAIR)
        rate_add(&entry->more->closed_rate, t);
    else
        pace_add(&entry->more->closed_pace, t);
}

/* What the first connection left is carried over. */
static bool make_more(struct census *census, struct census_entry *entry)
{
    struct census_more *more = census_new_more(census);
    if (more == NULL)
        return false;
    more->reuse_least = more->first_leak = more->answered_syn = NANOTIME_UNKNOWN;
    entry->more = more;
    if (entry->opened == 0)
        return true;
    pace_opening(entry, entry->first);
    if (entry->closed > 0)
        pace_closing(entry, entry->last);
    if (entry->key.scope == HOST_PAIR)
        ports_add(&more->ports, entry->first_port, entry->first, census_two_msl(census));
    return true;
}

static void count_opening(const struct census *census, struct census_entry *entry,
                          const struct delta *delta)
{
    struct census_more *more = entry->more;
    entry->opened++;
    if (more == NULL)
        return;
    pace_opening(entry, delta->t);
    if (entry->key.scope != HOST_SOURCE) /* no event is of a source */
        keep_ref(more, delta);
    if (entry->key.scope == HOST_PAIR)
        ports_add(&more->ports, delta->end[CLIENT].port, delta->t, census_two_msl(census));
    if (delta->reuse == NANOTIME_UNKNOWN)
        return;
    bool least = more->reuses++ == 0 || delta->reuse < more->reuse_least;
    more->reuse_least = least ? delta->reuse : more->reuse_least;
}

static void count_closing(struct census_entry *entry, const struct delta *delta)
{
    entry->closed++;
    if (entry->more != NULL)
        pace_closing(entry, delta->t);
}

/* --- series --- */

static struct host_point held_of(const struct census_entry *entry)
{
    struct host_point held = {.ports = entry->held.now};
    for (int side = 0; side < 2; side++) {
        held.time_wait[side] = entry->time_wait[side].now;
        held.close_wait[side] = entry->close_wait[side].now;
    }
    return held;
}

static void raise_to(uint32_t *most, uint32_t value)
{
    *most = value > *most ? value : *most;
}

/* What the change adds to the series: sums, and the most that was held at once. */
static void draw(const struct census_entry *entry, const struct census_change *change,
                 struct host_point *point)
{
    point->opened += (change->what & DELTA_OPENED) != 0;
    point->closed += (change->what & DELTA_CLOSED) != 0;
    for (int side = 0; side < 2; side++) {
        raise_to(&point->time_wait[side], entry->time_wait[side].now);
        raise_to(&point->close_wait[side], entry->close_wait[side].now);
    }
    raise_to(&point->ports, entry->held.now);
}

/* Whether the entry has a series, or begins one with this change. */
static bool is_drawn(struct census *census, struct census_entry *entry, unsigned what)
{
    struct census_queue *queue = &census->queue[entry->key.scope];
    uint32_t opened = entry->opened + ((what & DELTA_OPENED) != 0);
    if (!entry->drawn && opened >= CENSUS_SERIES && queue->drawn < CENSUS_SERIES_MOST) {
        entry->drawn = true;
        queue->drawn++;
    }
    return entry->drawn;
}

/* Whether the change shows in the series: where nothing is opened, closed or held anew within the
 * newest point, that has the most already. */
static bool is_shown(const struct series *series, const struct census_change *change)
{
    return (change->what & (DELTA_OPENED | DELTA_CLOSED)) != 0 || change->enters != 0 ||
           !series_is_at_newest(series, change->delta->t);
}

/* Before the change is counted. */
static struct host_point *point_at(struct census_entry *entry, nanotime t)
{
    struct series *series = &entry->more->series;
    struct host_point *point = series_now(series, t);
    if (point != NULL)
        return point;
    struct host_point held = held_of(entry);
    return series_at(series, t, &held);
}

static bool prepare_opening(struct census *census, struct census_entry *entry)
{
    bool needed = entry->more == NULL && (entry->opened > 0 || entry->key.scope == HOST_SERVICE);
    return !needed || make_more(census, entry);
}

bool census_count_fully(struct census *census, struct census_entry *entry,
                        const struct census_change *change)
{
    const struct delta *delta = change->delta;
    bool opened = (change->what & DELTA_OPENED) != 0;
    if ((change->what & DELTA_GONE) != 0)
        census_count_ending(entry, delta);
    if ((change->what & DELTA_CUT) != 0)
        return true; /* nothing happened */
    if (opened && !prepare_opening(census, entry))
        return false;
    bool drawn = is_drawn(census, entry, change->what) && is_shown(&entry->more->series, change);
    struct host_point *point = drawn ? point_at(entry, delta->t) : NULL;
    if (entry->opened == 0)
        entry->first_port = delta->end[CLIENT].port;
    if ((change->what & DELTA_CLOSED) != 0)
        count_closing(entry, delta);
    if (opened)
        count_opening(census, entry, delta);
    census_move(entry, change);
    if (opened)
        census_touch(census, entry);
    if (point != NULL)
        draw(entry, change, point);
    return !drawn || point != NULL;
}

/* --- what only services have --- */

/* The second connection makes it worth while; the first is told from what the entry kept. */
static bool begin_cohorts(struct census *census, struct census_entry *service)
{
    struct cohorts *cohorts = service->more->cohorts = census_new_cohorts(census);
    if (cohorts == NULL)
        return false;
    struct cohort *first = cohorts_at(cohorts, service->first);
    first->opened = 1;
    first->established = service->more->up_once;
    nanotime answered = service->more->answered_syn;
    struct cohort *cohort = answered == NANOTIME_UNKNOWN ? NULL : cohorts_at(cohorts, answered);
    if (cohort != NULL)
        cohort_answer(cohort, answered);
    return true;
}

bool census_ensure_more(struct census *census, struct census_entry *service)
{
    return service->more != NULL || make_more(census, service);
}

bool census_count_cohort(struct census *census, struct census_entry *service,
                         const struct delta *delta)
{
    unsigned what = delta->what;
    struct census_more *more = service->more;
    if (more->cohorts == NULL) {
        more->up_once |= (what & DELTA_ESTABLISHED) != 0;
        if ((what & DELTA_ANSWERED) != 0)
            more->answered_syn = delta->opened;
        if (service->opened == 0 || (what & DELTA_OPENED) == 0)
            return true;
        if (!begin_cohorts(census, service))
            return false;
    }
    struct cohort *cohort = cohorts_at(more->cohorts, delta->opened);
    if (cohort == NULL)
        return true;
    cohort->opened += (what & (DELTA_OPENED | DELTA_MIDSTREAM)) == DELTA_OPENED;
    cohort->established += (what & DELTA_ESTABLISHED) != 0;
    if ((what & DELTA_ANSWERED) != 0)
        cohort_answer(cohort, delta->opened);
    return true;
}

bool census_keep_time_wait(struct census_entry *service, const struct delta *delta)
{
    if (service->more == NULL)
        return false;
    if (service->more->time_wait_delta == NULL)
        service->more->time_wait_delta = malloc(sizeof(*service->more->time_wait_delta));
    if (service->more->time_wait_delta == NULL)
        return false;
    *service->more->time_wait_delta = *delta;
    return true;
}
