/* census: see census.h. */
#include "census.h"

#include "census_count.h"
#include "census_table.h"

/* A surge of SYNs from which new sources get no entry before they are answered. */
enum { CROWD = 200, CROWD_SECONDS = 2 };

/* Into where it stays: a copy just after would wait for the single octets (census_name()). */
void census_refer(const struct delta *delta, struct census_ref *ref)
{
    ref->t = delta->t;
    ref->packet = delta->packet;
    ref->seq_abs = delta->seq_abs;
    ref->ack_abs = delta->ack_abs;
    ref->incarnation = delta->incarnation;
    ref->port = delta->end[CLIENT].port;
    ref->flags = delta->flags;
    ref->from = delta->from;
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

/* Whether a delta is enough for an entry: of a connection that begins, or of one that is whole
 * where many that never are begin. */
static inline bool is_enough(const struct delta *delta, bool crowded)
{
    return (delta->what & (crowded ? DELTA_ESTABLISHED : DELTA_OPENED | DELTA_ESTABLISHED)) != 0;
}

/* Makes the entry; NULL when there is none, but maybe a newcomer, also where memory ran out: then
 * the census starves. */
static __attribute__((noinline)) struct census_entry *
admit(struct census *census, enum host_scope scope, const struct delta *delta, uint32_t tag)
{
    struct census_key key;
    if (scope == HOST_PAIR && !census_knocks_again(census, delta))
        return NULL;
    if (scope != HOST_SERVICE && newcomer_fits(delta)) {
        census->starved |= !census_make_newcomer(census, scope, tag, delta);
        return NULL;
    }
    census_name(scope, delta, &key);
    struct census_change whole = census_change_whole(delta);
    struct census_entry *entry = census_make(census, &key, tag, delta->t);
    if (entry != NULL && census_count_fully(census, entry, &whole))
        return entry;
    census->starved = true;
    return NULL;
}

/* What only a service has, before the delta is counted in it.  False when memory ran out. */
static inline bool count_beside(struct census *census, struct census_entry *service,
                                const struct delta *delta)
{
    const unsigned of_cohorts = DELTA_OPENED | DELTA_ANSWERED | DELTA_ESTABLISHED;
    if (service->more == NULL && !census_ensure_more(census, service))
        return false;
    return (delta->what & of_cohorts) == 0 || census_count_cohort(census, service, delta);
}

/* In the service, *known or that of the tag; one that has no entry may get one. */
static inline struct census_entry *count_service(struct census *census,
                                                 const struct census_change *change,
                                                 struct census_entry *known, uint32_t tag)
{
    const struct delta *delta = change->delta;
    struct census_entry *entry = known;
    if (entry == NULL) {
        uint32_t index = census_slot_in(census, HOST_SERVICE, delta, tag)->index;
        entry = index == 0 ? NULL : census_at(census, index);
    }
    if (entry == NULL)
        entry = is_enough(delta, false) ? admit(census, HOST_SERVICE, delta, tag) : NULL;
    else if (!count_beside(census, entry, delta) || !census_count(census, entry, change))
        census->starved = true;
    if (entry != NULL && census_enters_time_wait(delta) && !census_keep_time_wait(entry, delta))
        census->starved = true;
    return entry;
}

/* In a newcomer, which may become an entry by it.  Apart, so that what is not new has no more to do
 * than before. */
static __attribute__((noinline)) struct census_entry *
count_newcomer(struct census *census, struct census_slot *slot, const struct census_change *change)
{
    if (newcomer_take(census_newcomer(census, slot->index), change))
        return NULL;
    struct census_entry *entry = census_hatch(census, slot);
    if (entry == NULL || !census_count(census, entry, change))
        census->starved = true;
    return entry;
}

/* In an entry that is there. */
static inline struct census_entry *count_known(struct census *census, struct census_entry *entry,
                                               const struct census_change *change)
{
    if (!census_count(census, entry, change))
        census->starved = true;
    return entry;
}

/* The same as of a service in a source or a pair, where the delta is enough. */
static inline __attribute__((always_inline)) struct census_entry *
count_end(struct census *census, enum host_scope scope, const struct census_change *change,
          uint32_t tag, bool enough)
{
    struct census_slot *slot = census_slot_in(census, scope, change->delta, tag);
    if (slot->index == 0)
        return enough ? admit(census, scope, change->delta, tag) : NULL;
    if (census_is_code(slot->index))
        return count_newcomer(census, slot, change);
    return count_known(census, census_at(census, slot->index), change);
}

/* The same where nothing may be there, which the prints then say: no pair, nearly always, and of a
 * flood no source. */
static inline struct census_entry *
count_pair(struct census *census, const struct census_change *change, uint32_t tag, bool enough)
{
    if (!census_is_absent(&census->index[HOST_PAIR], tag))
        return count_end(census, HOST_PAIR, change, tag, enough);
    return enough ? admit(census, HOST_PAIR, change->delta, tag) : NULL;
}

static inline struct census_entry *
count_source(struct census *census, const struct census_change *change, uint32_t tag, bool enough)
{
    const struct census_index *index = &census->index[HOST_SOURCE];
    if (census_home(index, tag)->tag == tag || !census_is_absent(index, tag))
        return count_end(census, HOST_SOURCE, change, tag, enough);
    return enough ? admit(census, HOST_SOURCE, change->delta, tag) : NULL;
}

void census_take(struct census *census, const struct delta *delta, struct census_place *ret_place)
{
    struct census_change change = census_change_of(delta);
    struct census_entry *known = census_known(census, HOST_SERVICE, delta, delta->place[SERVER]);
    uint32_t destination = known != NULL ? known->tag : census_tag_service(census, delta);
    struct census_entry *service = count_service(census, &change, known, destination);
    *ret_place = (struct census_place){.service = service};
    bool syn = (delta->what & (DELTA_OPENED | DELTA_ESTABLISHED)) != 0;
    bool crowded = syn && service != NULL && !census->starved && is_crowded(service, delta->t);
    if (!crowded && !census_concerns_all(delta))
        return;
    bool enough = is_enough(delta, crowded);
    known = census_known(census, HOST_SOURCE, delta, delta->place[CLIENT]);
    uint32_t source = known != NULL ? known->tag : census_tag_source(census, delta);
    ret_place->source = known != NULL ? count_known(census, known, &change)
                                      : count_source(census, &change, source, enough);
    ret_place->pair = count_pair(census, &change, census_tag_pair(source, destination), enough);
}

/* --- flows --- */

/* The dwell times of a service; NULL: it has none, as many have, or *failed: memory ran out. */
static struct dwell *dwell_of(struct census *census, struct census_entry *service, bool *failed)
{
    *failed = false;
    if (service == NULL || service->more == NULL)
        return NULL;
    struct census_more *more = service->more;
    if (more->dwell == NULL && census->dwells < CENSUS_DWELLS) {
        more->dwell = dwell_new(CENSUS_DWELL_EXACT);
        *failed = more->dwell == NULL;
        census->dwells += more->dwell != NULL;
    }
    return more->dwell;
}

enum status census_flow(struct census *census, struct census_entry *service,
                        const struct flow_record *flow)
{
    bool failed;
    struct dwell *dwell = dwell_of(census, service, &failed);
    if (dwell == NULL)
        return failed ? STATUS_NO_MEMORY : STATUS_OK;
    return dwell_add_flow(dwell, flow);
}

enum status census_closed_flow(struct census *census, struct census_entry *service,
                               const struct closed_flow *flow)
{
    bool failed;
    struct dwell *dwell = dwell_of(census, service, &failed);
    if (dwell == NULL)
        return failed ? STATUS_NO_MEMORY : STATUS_OK;
    return dwell_add_stays(dwell, flow->stay, flow->stays);
}

enum status census_told_flow(struct census *census, const struct closed_flow *flow)
{
    struct census_key key =
        census_key_of(HOST_SERVICE, flow->ip_version, NULL, flow->address, flow->port);
    return census_closed_flow(census, census_find(census, &key), flow);
}
