/* census: see census.h. */
#include "census.h"

#include <stdlib.h>
#include <string.h>

#include "census_table.h"

/* A surge of SYNs from which new sources get no entry before they are answered. */
enum { CROWD = 200, CROWD_SECONDS = 2 };

static void move_stock(struct level_of *stock, bool had, bool has, nanotime t)
{
    if (had == has)
        return;
    if (had) {
        stock->now -= stock->now > 0;
        return;
    }
    stock->now++;
    if (stock->now > stock->most) {
        stock->most = stock->now;
        stock->most_at = t;
    }
}

struct census_ref census_ref_of(const struct delta *delta)
{
    return (struct census_ref){
        .t = delta->t,
        .packet = delta->packet,
        .seq_abs = delta->seq_abs,
        .ack_abs = delta->ack_abs,
        .incarnation = delta->incarnation,
        .port = delta->end[CLIENT].port,
        .flags = delta->flags,
        .from = delta->from,
    };
}

static void keep_ref(struct census_more *more, const struct delta *delta)
{
    struct census_ref ref = census_ref_of(delta);
    if (more->refs == 0)
        more->first_ref = ref;
    more->ref[more->refs++ % CENSUS_REFS] = ref;
}

/* What the first connection left is carried over. */
static bool make_more(struct census_entry *entry, nanotime two_msl)
{
    struct census_more *more = aligned_alloc(_Alignof(struct census_more), sizeof(*more));
    if (more == NULL)
        return false;
    memset(more, 0, sizeof(*more));
    more->reuse_least = more->first_leak = more->answered_syn = NANOTIME_UNKNOWN;
    entry->more = more;
    if (entry->opened == 0)
        return true;
    rate_add(&more->opened_rate, entry->first);
    if (entry->closed > 0)
        rate_add(&more->closed_rate, entry->last);
    if (entry->key.scope == HOST_PAIR)
        ports_add(&more->ports, entry->first_port, entry->first, two_msl);
    return true;
}

static struct host_point held_of(const struct census_entry *entry)
{
    struct host_point held = {.ports = (uint32_t)entry->held.now};
    for (int side = 0; side < 2; side++) {
        held.time_wait[side] = (uint32_t)entry->time_wait[side].now;
        held.close_wait[side] = (uint32_t)entry->close_wait[side].now;
    }
    return held;
}

static uint32_t more_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void count_openings(const struct census *census, struct census_entry *entry,
                           const struct delta *delta)
{
    struct census_more *more = entry->more;
    bool opened = (delta->what & DELTA_OPENED) != 0, closed = (delta->what & DELTA_CLOSED) != 0;
    entry->opened += opened;
    entry->closed += closed;
    if (more == NULL)
        return;
    if (closed)
        rate_add(&more->closed_rate, delta->t);
    if (!opened)
        return;
    rate_add(&more->opened_rate, delta->t);
    keep_ref(more, delta);
    if (entry->key.scope == HOST_PAIR)
        ports_add(&more->ports, delta->end[CLIENT].port, delta->t, census_two_msl(census));
    if (delta->reuse == NANOTIME_UNKNOWN)
        return;
    bool least = more->reuses++ == 0 || delta->reuse < more->reuse_least;
    more->reuse_least = least ? delta->reuse : more->reuse_least;
}

/* What is known of a connection when its record is written. */
static void count_ending(struct census_entry *entry, const struct delta *delta)
{
    entry->answered += delta->answered;
    entry->established += delta->established;
    entry->by_close[delta->close_kind]++;
    entry->by_initiator[delta->initiator]++;
}

static void count_stocks(struct census_entry *entry, const struct delta *delta)
{
    const uint8_t *before = delta->before, *after = delta->after;
    for (int side = 0; side < 2; side++) {
        move_stock(&entry->time_wait[side], before[side] == HOLDING_TIME_WAIT,
                   after[side] == HOLDING_TIME_WAIT, delta->t);
        move_stock(&entry->close_wait[side], before[side] == HOLDING_CLOSE_WAIT,
                   after[side] == HOLDING_CLOSE_WAIT, delta->t);
    }
    move_stock(&entry->held, before[0] != HOLDING_NOTHING, after[0] != HOLDING_NOTHING, delta->t);
}

/* What the delta adds to the series: sums, and the most that was held at once. */
static bool draw(struct census_entry *entry, const struct delta *delta,
                 const struct host_point *before)
{
    struct host_point *point = series_at(&entry->more->series, delta->t, before);
    if (point == NULL)
        return false;
    struct host_point held = held_of(entry);
    point->opened += (delta->what & DELTA_OPENED) != 0;
    point->closed += (delta->what & DELTA_CLOSED) != 0;
    for (int side = 0; side < 2; side++) {
        point->time_wait[side] = more_of(point->time_wait[side], held.time_wait[side]);
        point->close_wait[side] = more_of(point->close_wait[side], held.close_wait[side]);
    }
    point->ports = more_of(point->ports, held.ports);
    return true;
}

/* Whether the entry has a series from this delta on. */
static bool begins_series(const struct census *census, const struct census_entry *entry,
                          const struct delta *delta)
{
    const struct census_queue *queue = &census->queue[entry->key.scope];
    uint32_t opened = entry->opened + ((delta->what & DELTA_OPENED) != 0);
    return opened >= CENSUS_SERIES && queue->drawn < CENSUS_SERIES_MOST;
}

static void count_changes(struct census *census, struct census_entry *entry,
                          const struct delta *delta)
{
    if (entry->opened == 0)
        entry->first_port = delta->end[CLIENT].port;
    count_openings(census, entry, delta);
    count_stocks(entry, delta);
    entry->last = delta->t;
    if (delta->packet != 0)
        entry->alive[delta->from] = delta->t;
    if ((delta->what & DELTA_OPENED) != 0)
        census_touch(census, entry);
}

static bool count(struct census *census, struct census_entry *entry, const struct delta *delta)
{
    if ((delta->what & DELTA_GONE) != 0)
        count_ending(entry, delta);
    if ((delta->what & DELTA_CUT) != 0)
        return true; /* nothing happened */
    bool again = (delta->what & DELTA_OPENED) != 0 && entry->opened > 0;
    bool needed = entry->more == NULL && (again || entry->key.scope == HOST_SERVICE);
    if (needed && !make_more(entry, census_two_msl(census)))
        return false;
    if (!entry->drawn && begins_series(census, entry, delta)) {
        entry->drawn = true;
        census->queue[entry->key.scope].drawn++;
    }
    if (!entry->drawn) {
        count_changes(census, entry, delta);
        return true;
    }
    struct host_point before = held_of(entry);
    count_changes(census, entry, delta);
    return draw(entry, delta, &before);
}

/* The second connection makes it worth while; the first is told from what the entry kept. */
static bool begin_cohorts(struct census_entry *service)
{
    struct cohorts *cohorts = service->more->cohorts = calloc(1, sizeof(*cohorts));
    if (cohorts == NULL)
        return false;
    struct cohort *first = cohorts_at(cohorts, service->first);
    first->opened = 1;
    first->established = service->up_once;
    if (service->more->answered_syn != NANOTIME_UNKNOWN)
        cohorts_answer(cohorts, service->more->answered_syn);
    return true;
}

/* Before the delta is counted. */
static bool count_cohort(struct census_entry *service, const struct delta *delta)
{
    service->up_once |= (delta->what & DELTA_ESTABLISHED) != 0;
    if ((delta->what & DELTA_ANSWERED) != 0)
        service->more->answered_syn = delta->opened;
    bool second = service->opened > 0 && (delta->what & DELTA_OPENED) != 0;
    struct census_more *more = service->more;
    if (more->cohorts == NULL && second && !begin_cohorts(service))
        return false;
    unsigned counted = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    if (more->cohorts == NULL || (delta->what & counted) == 0)
        return true;
    struct cohort *cohort = cohorts_at(more->cohorts, delta->opened);
    if (cohort == NULL)
        return true;
    cohort->opened += (delta->what & (DELTA_OPENED | DELTA_MIDSTREAM)) == DELTA_OPENED;
    cohort->established += (delta->what & DELTA_ESTABLISHED) != 0;
    if ((delta->what & DELTA_ANSWERED) != 0)
        cohorts_answer(more->cohorts, delta->opened);
    return true;
}

/* Keeps the latest delta that left the service in TIME_WAIT. */
static bool keep_time_wait(struct census_entry *service, const struct delta *delta)
{
    bool enters = delta->after[1] == HOLDING_TIME_WAIT && delta->before[1] != HOLDING_TIME_WAIT;
    if (!enters || delta->packet == 0)
        return true;
    if (service->more->time_wait_delta == NULL)
        service->more->time_wait_delta = malloc(sizeof(*service->more->time_wait_delta));
    if (service->more->time_wait_delta == NULL)
        return false;
    *service->more->time_wait_delta = *delta;
    return true;
}

/* Whether so many SYNs that never come to anything arrive that each may be of another source. */
static bool is_crowded(const struct census_entry *service, nanotime t)
{
    if (service->more->cohorts == NULL ||
        rate_sum(&service->more->opened_rate, t, CROWD_SECONDS) < CROWD)
        return false;
    struct cohort sum = cohorts_sum(service->more->cohorts, t, CROWD_SECONDS);
    return sum.established < sum.opened / 10;
}

/* What an entry that is made late has not been told: the delta begins with nothing. */
static struct delta from_nothing(const struct delta *delta)
{
    struct delta whole = *delta;
    whole.what |= DELTA_OPENED;
    whole.before[0] = whole.before[1] = HOLDING_NOTHING;
    return whole;
}

/* Makes the entry for a connection that begins, or one that is whole where many that never are
 * begin.  NULL with *failed: memory ran out. */
static struct census_entry *admit(struct census *census, const struct census_target *target,
                                  const struct delta *delta, bool crowded, bool *failed)
{
    unsigned enough = crowded ? DELTA_ESTABLISHED : DELTA_OPENED | DELTA_ESTABLISHED;
    if ((delta->what & enough) == 0)
        return NULL;
    struct census_key key = census_key_in(target->scope, delta);
    if (target->scope == HOST_PAIR && !census_knocks_again(census, &key))
        return NULL;
    struct delta whole = from_nothing(delta);
    struct census_entry *entry = census_make(census, &key, target->tag, delta->t);
    *failed = entry == NULL || !count(census, entry, &whole);
    return entry;
}

static enum status count_at(struct census *census, struct census_target *target,
                            const struct delta *delta, bool crowded)
{
    bool failed = false;
    if (target->entry != NULL)
        failed = !count(census, target->entry, delta);
    else
        target->entry = admit(census, target, delta, crowded, &failed);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}

/* A service always has more, unless memory ran out when it was made. */
static bool has_more(const struct census *census, struct census_entry *service)
{
    return service->more != NULL || make_more(service, census_two_msl(census));
}

static enum status count_service(struct census *census, struct census_target *target,
                                 const struct delta *delta)
{
    if (target->entry != NULL && !has_more(census, target->entry))
        return STATUS_NO_MEMORY;
    if (target->entry != NULL && !count_cohort(target->entry, delta))
        return STATUS_NO_MEMORY;
    enum status status = count_at(census, target, delta, false);
    if (status != STATUS_OK || target->entry == NULL)
        return status;
    return keep_time_wait(target->entry, delta) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Whether a delta changes what sources and pairs count: a handshake that goes on does not. */
static bool concerns_all(const struct delta *delta)
{
    const uint8_t *before = delta->before, *after = delta->after;
    bool goes_on = before[0] >= HOLDING_OPENING && before[0] <= HOLDING_OPEN &&
                   after[0] >= HOLDING_OPENING && after[0] <= HOLDING_OPEN &&
                   before[1] <= HOLDING_OPEN && after[1] <= HOLDING_OPEN;
    return !goes_on || (delta->what & (DELTA_OPENED | DELTA_GONE | DELTA_CLOSED)) != 0;
}

enum status census_take(struct census *census, const struct delta *delta,
                        struct census_place *place)
{
    struct census_target target[HOST_SCOPES];
    *place = (struct census_place){NULL, NULL, NULL};
    bool all = concerns_all(delta);
    census_aim(census, delta, target, all);
    enum status status = count_service(census, &target[HOST_SERVICE], delta);
    if (status != STATUS_OK)
        return status;
    struct census_entry *service = place->service = target[HOST_SERVICE].entry;
    bool syn = (delta->what & (DELTA_OPENED | DELTA_ESTABLISHED)) != 0;
    bool crowded = service != NULL && syn && is_crowded(service, delta->t);
    if (crowded && !all)
        census_aim(census, delta, target, true);
    if (!all && !crowded)
        return status;
    status = count_at(census, &target[HOST_SOURCE], delta, crowded);
    if (status == STATUS_OK)
        status = count_at(census, &target[HOST_PAIR], delta, crowded);
    place->source = target[HOST_SOURCE].entry;
    place->pair = target[HOST_PAIR].entry;
    return status;
}

/* --- flows --- */

static enum status add_dwell(struct census *census, struct census_more *more,
                             const struct closed_flow *flow)
{
    if (more->dwell == NULL && census->dwells < CENSUS_DWELLS) {
        more->dwell = dwell_new(CENSUS_DWELL_EXACT);
        if (more->dwell == NULL)
            return STATUS_NO_MEMORY;
        census->dwells++;
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; more->dwell != NULL && i < flow->stays && status == STATUS_OK; i++)
        status = dwell_add_stay(more->dwell, &flow->stay[i]);
    return status;
}

enum status census_flow(struct census *census, const struct closed_flow *flow)
{
    struct census_key key =
        census_key_of(HOST_SERVICE, flow->ip_version, NULL, flow->address, flow->port);
    struct census_entry *service = census_find(census, &key);
    if (service == NULL || service->more == NULL)
        return STATUS_OK;
    return add_dwell(census, service->more, flow);
}
