/* census: see census.h. */
#include "census.h"

#include "census_count.h"
#include "census_table.h"

/* A surge of SYNs from which new sources get no entry before they are answered. */
enum { CROWD = 200, CROWD_SECONDS = 2 };

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

/* Whether so many SYNs that never come to anything arrive that each may be of another source. */
static bool is_crowded(const struct census_entry *service, nanotime t)
{
    if (service->opened < CROWD || service->more->cohorts == NULL ||
        rate_sum(&service->more->opened_rate, t, CROWD_SECONDS) < CROWD)
        return false;
    struct cohort sum = cohorts_sum(service->more->cohorts, t, CROWD_SECONDS);
    return sum.established < sum.opened / 10;
}

/* Makes the entry for a connection that begins, or one that is whole where many that never are
 * begin.  *ret_entry is NULL when there is none; NO_MEMORY is the only failure. */
static enum status admit(struct census *census, const struct census_target *target,
                         const struct delta *delta, bool crowded, struct census_entry **ret_entry)
{
    unsigned enough = crowded ? DELTA_ESTABLISHED : DELTA_OPENED | DELTA_ESTABLISHED;
    if ((delta->what & enough) == 0)
        return STATUS_OK;
    struct census_key key = census_key_in(target->scope, delta);
    if (target->scope == HOST_PAIR && !census_knocks_again(census, &key))
        return STATUS_OK;
    struct census_change whole = census_change_whole(delta);
    *ret_entry = census_make(census, &key, target->tag, delta->t);
    bool counted = *ret_entry != NULL && census_count_fully(census, *ret_entry, &whole);
    return counted ? STATUS_OK : STATUS_NO_MEMORY;
}

static inline enum status count_at(struct census *census, struct census_target *target,
                                   const struct census_change *change, bool crowded)
{
    if (target->entry == NULL)
        return admit(census, target, change->delta, crowded, &target->entry);
    return census_count(census, target->entry, change) ? STATUS_OK : STATUS_NO_MEMORY;
}

static bool enters_time_wait(const struct delta *delta)
{
    return delta->after[SERVER] == HOLDING_TIME_WAIT &&
           delta->before[SERVER] != HOLDING_TIME_WAIT && delta->packet != 0;
}

static inline enum status count_service(struct census *census, struct census_target *target,
                                        const struct census_change *change)
{
    const unsigned of_cohorts = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    const struct delta *delta = change->delta;
    struct census_entry *known = target->entry;
    if (known != NULL && known->more == NULL && !census_ensure_more(census, known))
        return STATUS_NO_MEMORY;
    if (known != NULL && (delta->what & of_cohorts) != 0 && !census_count_cohort(known, delta))
        return STATUS_NO_MEMORY;
    enum status status = count_at(census, target, change, false);
    if (status != STATUS_OK || target->entry == NULL || !enters_time_wait(delta))
        return status;
    return census_keep_time_wait(target->entry, delta) ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Of sources and pairs: when all are concerned, or the SYNs are so many that only now they get an
 * entry. */
static enum status count_ends(struct census *census, struct census_target *target,
                              const struct census_change *change, bool crowded)
{
    enum status status = count_at(census, &target[HOST_SOURCE], change, crowded);
    if (status != STATUS_OK)
        return status;
    return count_at(census, &target[HOST_PAIR], change, crowded);
}

enum status census_take(struct census *census, const struct delta *delta,
                        struct census_place *place)
{
    struct census_target target[HOST_SCOPES];
    struct census_change change = census_change_of(delta);
    *place = (struct census_place){NULL, NULL, NULL};
    bool all = census_concerns_all(delta);
    if (all)
        census_aim(census, delta, target);
    else
        census_aim_service(census, delta, &target[HOST_SERVICE]);
    enum status status = count_service(census, &target[HOST_SERVICE], &change);
    if (status != STATUS_OK)
        return status;
    struct census_entry *service = place->service = target[HOST_SERVICE].entry;
    bool syn = (delta->what & (DELTA_OPENED | DELTA_ESTABLISHED)) != 0;
    bool crowded = service != NULL && syn && is_crowded(service, delta->t);
    if (crowded && !all)
        census_aim(census, delta, target);
    if (!all && !crowded)
        return status;
    status = count_ends(census, target, &change, crowded);
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
