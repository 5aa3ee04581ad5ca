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
static enum status admit(struct census *census, enum host_scope scope, const struct delta *delta,
                         bool crowded, struct census_entry **ret_entry)
{
    unsigned enough = crowded ? DELTA_ESTABLISHED : DELTA_OPENED | DELTA_ESTABLISHED;
    if ((delta->what & enough) == 0)
        return STATUS_OK;
    struct census_key key = census_key_in(scope, delta);
    if (scope == HOST_PAIR && !census_knocks_again(census, &key))
        return STATUS_OK;
    struct census_change whole = census_change_whole(delta);
    *ret_entry = census_make(census, &key, delta->t);
    bool counted = *ret_entry != NULL && census_count_fully(census, *ret_entry, &whole);
    return counted ? STATUS_OK : STATUS_NO_MEMORY;
}

static bool enters_time_wait(const struct delta *delta)
{
    return delta->after[SERVER] == HOLDING_TIME_WAIT &&
           delta->before[SERVER] != HOLDING_TIME_WAIT && delta->packet != 0;
}

static inline enum status count_service(struct census *census, const struct census_change *change,
                                        struct census_entry **entry)
{
    const unsigned of_cohorts = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    const struct delta *delta = change->delta;
    bool counted = true;
    if (*entry == NULL) {
        enum status status = admit(census, HOST_SERVICE, delta, false, entry);
        if (status != STATUS_OK || *entry == NULL)
            return status;
    } else {
        counted = ((*entry)->more != NULL || census_ensure_more(census, *entry)) &&
                  ((delta->what & of_cohorts) == 0 || census_count_cohort(*entry, delta)) &&
                  census_count(census, *entry, change);
    }
    if (counted && enters_time_wait(delta))
        counted = census_keep_time_wait(*entry, delta);
    return counted ? STATUS_OK : STATUS_NO_MEMORY;
}

/* In a source and a pair; those that have no entry may get one. */
static inline enum status count_ends(struct census *census, const struct census_change *change,
                                     bool crowded, struct census_place *place)
{
    enum status status = STATUS_OK;
    if (place->source == NULL)
        status = admit(census, HOST_SOURCE, change->delta, crowded, &place->source);
    else if (!census_count(census, place->source, change))
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK)
        return status;
    if (place->pair == NULL)
        return admit(census, HOST_PAIR, change->delta, crowded, &place->pair);
    return census_count(census, place->pair, change) ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status census_take(struct census *census, const struct delta *delta,
                        struct census_place *place)
{
    struct census_change change = census_change_of(delta);
    uint64_t destination = census_hash_service(census, delta);
    *place = (struct census_place){NULL, NULL, NULL};
    struct census_entry *service = census_find_in(census, HOST_SERVICE, delta, destination);
    enum status status = count_service(census, &change, &service);
    if (status != STATUS_OK)
        return status;
    place->service = service;
    bool syn = (delta->what & (DELTA_OPENED | DELTA_ESTABLISHED)) != 0;
    bool crowded = service != NULL && syn && is_crowded(service, delta->t);
    if (!crowded && !census_concerns_all(delta))
        return STATUS_OK;
    uint64_t source = census_hash_source(census, delta);
    uint64_t pair = census_hash_pair(source, destination);
    place->source = census_find_in(census, HOST_SOURCE, delta, source);
    place->pair = census_find_in(census, HOST_PAIR, delta, pair);
    return count_ends(census, &change, crowded, place);
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
