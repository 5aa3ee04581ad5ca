/* census: see census.h. */
#include "census.h"

#include <stdlib.h>
#include <string.h>

/* A surge of SYNs from which new sources get no entry before they are answered. */
enum { CROWD = 200, CROWD_SECONDS = 2 };

/* --- entries --- */

struct census_key census_key_of(enum host_scope scope, uint8_t ip_version, const uint8_t *source,
                                const uint8_t *destination, uint16_t port)
{
    struct census_key key;
    memset(&key, 0, sizeof(key));
    if (scope != HOST_SERVICE)
        memcpy(key.source, source, sizeof(key.source));
    if (scope != HOST_SOURCE) {
        memcpy(key.destination, destination, sizeof(key.destination));
        key.port = port;
    }
    key.ip_version = ip_version;
    key.scope = (uint8_t)scope;
    return key;
}

static struct census_entry *entry_at(const struct census *census, uint32_t index)
{
    return index == 0 ? NULL : pool_at(&census->pool, index);
}

static uint32_t bucket_of(const struct census *census, const struct census_key *key)
{
    uint64_t words[sizeof(*key) / sizeof(uint64_t)];
    memcpy(words, key, sizeof(*key));
    uint64_t hash = hash_words(census->secret, words, sizeof(words) / sizeof(words[0]));
    return (uint32_t)(hash % CENSUS_BUCKETS);
}

struct census_entry *census_find(const struct census *census, const struct census_key *key)
{
    uint32_t index = census->bucket[bucket_of(census, key)];
    for (; index != 0; index = entry_at(census, index)->next_in_bucket) {
        struct census_entry *entry = entry_at(census, index);
        if (memcmp(&entry->key, key, sizeof(*key)) == 0)
            return entry;
    }
    return NULL;
}

static void clear_entry(struct census *census, struct census_entry *entry)
{
    series_clear(&entry->series);
    free(entry->cohorts);
    free(entry->time_wait_delta);
    census->dwells -= entry->dwell != NULL;
    dwell_free(entry->dwell);
}

static void drop(struct census *census, struct census_entry *entry)
{
    uint32_t *link = &census->bucket[bucket_of(census, &entry->key)];
    while (*link != entry->index)
        link = &entry_at(census, *link)->next_in_bucket;
    *link = entry->next_in_bucket;
    clear_entry(census, entry);
    pool_give(&census->pool, entry->index);
}

/* One pair less keeps a source or service. */
static void release(struct census *census, uint32_t index)
{
    struct census_entry *entry = entry_at(census, index);
    if (--entry->pairs == 0)
        drop(census, entry);
}

static struct census_entry *make(struct census *census, const struct census_key *key, nanotime t)
{
    uint32_t index = pool_take(&census->pool);
    if (index == 0)
        return NULL;
    struct census_entry *entry = entry_at(census, index);
    uint32_t *bucket = &census->bucket[bucket_of(census, key)];
    entry->key = *key;
    entry->index = index;
    entry->next_in_bucket = *bucket;
    *bucket = index;
    entry->first = entry->last = t;
    entry->reuse_least = entry->answered_syn = entry->first_leak = NANOTIME_UNKNOWN;
    for (int side = 0; side < 2; side++) {
        entry->alive[side] = NANOTIME_UNKNOWN;
        entry->time_wait[side].most_at = entry->close_wait[side].most_at = NANOTIME_UNKNOWN;
    }
    entry->held.most_at = NANOTIME_UNKNOWN;
    return entry;
}

static struct census_entry *find_or_make(struct census *census, const struct census_key *key,
                                         nanotime t)
{
    struct census_entry *entry = census_find(census, key);
    return entry != NULL ? entry : make(census, key, t);
}

/* --- the queues of pairs --- */

static void unlink_pair(struct census *census, struct census_entry *pair)
{
    struct census_entry *newer = entry_at(census, pair->newer);
    struct census_entry *older = entry_at(census, pair->older);
    *(newer != NULL ? &newer->older : &census->newest[pair->heeded]) = pair->older;
    *(older != NULL ? &older->newer : &census->oldest[pair->heeded]) = pair->newer;
    pair->newer = pair->older = 0;
}

static void link_pair(struct census *census, struct census_entry *pair)
{
    struct census_entry *before = entry_at(census, census->newest[pair->heeded]);
    pair->older = census->newest[pair->heeded];
    *(before != NULL ? &before->newer : &census->oldest[pair->heeded]) = pair->index;
    census->newest[pair->heeded] = pair->index;
}

static void touch(struct census *census, struct census_entry *pair, bool answered)
{
    bool heeded = pair->heeded || answered;
    if (census->newest[pair->heeded] == pair->index && pair->heeded == heeded)
        return;
    unlink_pair(census, pair);
    pair->heeded = heeded;
    link_pair(census, pair);
}

static void give_way(struct census *census)
{
    uint32_t index = census->oldest[census->oldest[0] != 0 ? 0 : 1];
    struct census_entry *pair = entry_at(census, index);
    unlink_pair(census, pair);
    release(census, pair->source);
    release(census, pair->service);
    drop(census, pair);
    census->pairs--;
    census->left_out++;
}

static struct census_entry *make_pair(struct census *census, const struct census_key *key,
                                      struct census_entry *service, nanotime t)
{
    struct census_key source_key =
        census_key_of(HOST_SOURCE, key->ip_version, key->source, NULL, 0);
    service->pairs++; /* it is not to go while room is made */
    if (census->pairs >= census->config->census_pairs)
        give_way(census);
    service->pairs--;
    struct census_entry *source = find_or_make(census, &source_key, t);
    if (source == NULL)
        return NULL;
    struct census_entry *pair = make(census, key, t);
    if (pair == NULL) {
        if (source->pairs == 0)
            drop(census, source);
        return NULL;
    }
    pair->source = source->index;
    pair->service = service->index;
    source->pairs++;
    service->pairs++;
    census->pairs++;
    link_pair(census, pair);
    return pair;
}

/* --- counting --- */

static void move_stock(struct stock *stock, bool had, bool has, nanotime t)
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

static void keep_ref(struct census_entry *entry, const struct delta *delta)
{
    struct census_ref ref = {
        .t = delta->t,
        .packet = delta->packet,
        .seq_abs = delta->seq_abs,
        .ack_abs = delta->ack_abs,
        .incarnation = delta->incarnation,
        .port = delta->end[CLIENT].port,
        .flags = delta->flags,
        .from = delta->from,
    };
    if (entry->refs == 0)
        entry->first_ref = ref;
    entry->ref[entry->refs++ % CENSUS_REFS] = ref;
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

static void count_openings(struct census_entry *entry, const struct delta *delta)
{
    if ((delta->what & DELTA_OPENED) != 0) {
        entry->opened++;
        rate_add(&entry->opened_rate, delta->t);
        keep_ref(entry, delta);
    }
    if ((delta->what & DELTA_OPENED) != 0 && delta->reuse != NANOTIME_UNKNOWN) {
        bool least = entry->reuses++ == 0 || delta->reuse < entry->reuse_least;
        entry->reuse_least = least ? delta->reuse : entry->reuse_least;
    }
    if ((delta->what & DELTA_ANSWERED) != 0) {
        entry->answered++;
        entry->answered_syn = delta->opened;
    }
    entry->established += (delta->what & DELTA_ESTABLISHED) != 0;
    if ((delta->what & DELTA_CLOSED) == 0)
        return;
    entry->closed++;
    rate_add(&entry->closed_rate, delta->t);
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

static bool count(struct census_entry *entry, const struct delta *delta)
{
    struct host_point held = held_of(entry);
    struct host_point *point = series_at(&entry->series, delta->t, &held);
    if (point == NULL)
        return false;
    count_openings(entry, delta);
    count_stocks(entry, delta);
    point->opened += (delta->what & DELTA_OPENED) != 0;
    point->closed += (delta->what & DELTA_CLOSED) != 0;
    held = held_of(entry);
    for (int side = 0; side < 2; side++) {
        point->time_wait[side] = more_of(point->time_wait[side], held.time_wait[side]);
        point->close_wait[side] = more_of(point->close_wait[side], held.close_wait[side]);
    }
    point->ports = more_of(point->ports, held.ports);
    entry->last = delta->t;
    if (delta->packet != 0)
        entry->alive[delta->from] = delta->t;
    return true;
}

static bool count_cohort(struct census_entry *service, const struct delta *delta)
{
    if (service->cohorts == NULL)
        service->cohorts = calloc(1, sizeof(*service->cohorts));
    if (service->cohorts == NULL)
        return false;
    struct cohort *cohort = cohorts_at(service->cohorts, delta->opened);
    if (cohort == NULL)
        return true;
    bool syn = (delta->what & (DELTA_OPENED | DELTA_MIDSTREAM)) == DELTA_OPENED;
    cohort->opened += syn;
    cohort->established += (delta->what & DELTA_ESTABLISHED) != 0;
    if ((delta->what & DELTA_ANSWERED) != 0)
        cohorts_answer(service->cohorts, delta->opened);
    return true;
}

/* Keeps the latest delta that left the service in TIME_WAIT. */
static bool keep_time_wait(struct census_entry *service, const struct delta *delta)
{
    bool enters = delta->after[1] == HOLDING_TIME_WAIT && delta->before[1] != HOLDING_TIME_WAIT;
    if (!enters || delta->packet == 0)
        return true;
    if (service->time_wait_delta == NULL)
        service->time_wait_delta = malloc(sizeof(*service->time_wait_delta));
    if (service->time_wait_delta == NULL)
        return false;
    *service->time_wait_delta = *delta;
    return true;
}

/* Whether so many SYNs that never come to anything arrive that each may be of another source. */
static bool is_crowded(const struct census_entry *service, nanotime t)
{
    if (rate_sum(&service->opened_rate, t, CROWD_SECONDS) < CROWD)
        return false;
    struct cohort sum = cohorts_sum(service->cohorts, t, CROWD_SECONDS);
    return sum.established < sum.opened / 10;
}

/* What a pair that is made late has not been told: the delta begins with nothing. */
static struct delta from_nothing(const struct delta *delta)
{
    struct delta whole = *delta;
    whole.what |= DELTA_OPENED;
    whole.before[0] = whole.before[1] = HOLDING_NOTHING;
    return whole;
}

/* The service of a delta whose pair is not there; NULL when there is none for it, or no memory. */
static struct census_entry *service_of(struct census *census, const struct delta *delta)
{
    struct census_key key = census_key_of(HOST_SERVICE, delta->ip_version, NULL,
                                          delta->end[SERVER].address, delta->end[SERVER].port);
    return (delta->what & DELTA_GONE) != 0 ? census_find(census, &key)
                                           : find_or_make(census, &key, delta->t);
}

static bool deserves_pair(const struct census_entry *service, const struct delta *delta)
{
    if ((delta->what & DELTA_GONE) != 0)
        return false;
    return (delta->what & DELTA_OPENED) == 0 || !is_crowded(service, delta->t);
}

static enum status count_pair(struct census *census, const struct delta *delta,
                              struct census_place *place)
{
    place->source = entry_at(census, place->pair->source);
    touch(census, place->pair, (delta->what & DELTA_ANSWERED) != 0);
    if (!count(place->pair, delta) || !count(place->source, delta))
        return STATUS_NO_MEMORY;
    if ((delta->what & DELTA_OPENED) != 0)
        ports_add(&place->pair->ports, delta->end[CLIENT].port, delta->t, census_two_msl(census));
    return STATUS_OK;
}

enum status census_take(struct census *census, const struct delta *delta,
                        struct census_place *place)
{
    struct census_key key = census_key_of(HOST_PAIR, delta->ip_version, delta->end[CLIENT].address,
                                          delta->end[SERVER].address, delta->end[SERVER].port);
    memset(place, 0, sizeof(*place));
    place->pair = census_find(census, &key);
    place->service =
        place->pair != NULL ? entry_at(census, place->pair->service) : service_of(census, delta);
    if (place->service == NULL)
        return (delta->what & DELTA_GONE) != 0 ? STATUS_OK : STATUS_NO_MEMORY;
    if (!count_cohort(place->service, delta) || !count(place->service, delta) ||
        !keep_time_wait(place->service, delta))
        return STATUS_NO_MEMORY;
    if (place->pair != NULL)
        return count_pair(census, delta, place);
    if (!deserves_pair(place->service, delta))
        return STATUS_OK;
    struct delta whole = from_nothing(delta);
    place->pair = make_pair(census, &key, place->service, delta->t);
    return place->pair == NULL ? STATUS_NO_MEMORY : count_pair(census, &whole, place);
}

/* --- flows --- */

static enum status add_dwell(struct census *census, struct census_entry *service,
                             const struct flow_record *flow)
{
    enum { EXACT = 1024 };
    if (service->dwell == NULL && census->dwells < CENSUS_DWELLS) {
        service->dwell = dwell_new(EXACT);
        if (service->dwell == NULL)
            return STATUS_NO_MEMORY;
        census->dwells++;
    }
    return service->dwell == NULL ? STATUS_OK : dwell_add_flow(service->dwell, flow);
}

enum status census_flow(struct census *census, const struct flow_record *flow)
{
    const struct flow_identity *who = &flow->who;
    if (!flow->final)
        return STATUS_OK;
    for (enum host_scope scope = 0; scope < HOST_SCOPES; scope++) {
        struct census_key key = census_key_of(scope, who->ip_version, who->end[CLIENT].address,
                                              who->end[SERVER].address, who->end[SERVER].port);
        struct census_entry *entry = census_find(census, &key);
        if (entry == NULL)
            continue;
        entry->by_close[flow->close_kind]++;
        entry->by_initiator[flow->initiator]++;
        if (scope == HOST_SERVICE && add_dwell(census, entry, flow) != STATUS_OK)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* --- what came of it --- */

nanotime census_two_msl(const struct census *census)
{
    return census->config->msl * 2;
}

static int compare_entries(const void *a, const void *b)
{
    const struct census_entry *x = *(struct census_entry *const *)a;
    const struct census_entry *y = *(struct census_entry *const *)b;
    if (x->key.scope != y->key.scope)
        return x->key.scope < y->key.scope ? -1 : 1;
    if (x->opened != y->opened)
        return x->opened > y->opened ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return memcmp(&x->key, &y->key, sizeof(x->key));
}

struct census_entry **census_sorted(const struct census *census, uint32_t *ret_count)
{
    *ret_count = 0;
    struct census_entry **sorted = malloc((census->pool.taken + 1) * sizeof(struct census_entry *));
    if (sorted == NULL)
        return NULL;
    for (uint32_t i = 0; i < CENSUS_BUCKETS; i++) {
        uint32_t index = census->bucket[i];
        for (; index != 0; index = entry_at(census, index)->next_in_bucket)
            sorted[(*ret_count)++] = entry_at(census, index);
    }
    qsort(sorted, *ret_count, sizeof(struct census_entry *), compare_entries);
    return sorted;
}

static void copy_counts(const struct census_entry *entry, struct host_record *record)
{
    record->opened = entry->opened;
    record->answered = entry->answered;
    record->established = entry->established;
    record->closed = entry->closed;
    memcpy(record->by_close, entry->by_close, sizeof(record->by_close));
    memcpy(record->by_initiator, entry->by_initiator, sizeof(record->by_initiator));
    record->opened_per_second_most = entry->opened_rate.most;
    record->closed_per_second_most = entry->closed_rate.most;
    memcpy(record->time_wait, entry->time_wait, sizeof(record->time_wait));
    memcpy(record->close_wait, entry->close_wait, sizeof(record->close_wait));
    record->ports = entry->held;
    record->reuses = entry->reuses;
    record->reuse_least = entry->reuse_least;
}

uint32_t census_usable_ports(const struct census *census, const struct census_entry *pair,
                             nanotime now)
{
    const struct config *config = census->config;
    struct port_range range = ports_range(&pair->ports, now, census_two_msl(census));
    bool walked = range.span >= config->ports_least && pair->held.now >= config->ports_least &&
                  pair->held.now * 100 >= (uint64_t)range.span * config->ports_share;
    bool comes_round = pair->reuses > 0 || ports_wrapped(&pair->ports, now, census_two_msl(census));
    return walked && comes_round && range.span < config->usable_ports ? range.span
                                                                      : config->usable_ports;
}

nanotime census_runs_out(const struct census *census, const struct census_entry *pair, nanotime now)
{
    enum { SECONDS = 10 };
    uint64_t usable = census_usable_ports(census, pair, now);
    uint64_t opened = rate_sum(&pair->opened_rate, now, SECONDS);
    uint64_t held = pair->held.now;
    uint64_t kept = pair->time_wait[CLIENT].now * 2 >= held ? census_two_msl(census) : 0;
    if (opened == 0 || (held < usable && opened * (kept / NANO_PER_SECOND) < usable * SECONDS))
        return NANOTIME_UNKNOWN; /* as many come back as are taken */
    uint64_t left = held < usable ? usable - held : 0;
    return (nanotime)(left * SECONDS / opened) * NANO_PER_SECOND;
}

struct host_record census_record(const struct census *census, const struct census_entry *entry,
                                 nanotime now)
{
    struct host_record record = {
        .scope = (enum host_scope)entry->key.scope,
        .ip_version = entry->key.ip_version,
        .port = entry->key.port,
        .first = entry->first,
        .last = entry->last,
        .runs_out = NANOTIME_UNKNOWN,
        .dwell_known = entry->dwell != NULL,
        .step = entry->series.step,
        .points = entry->series.point,
        .point_count = entry->series.count,
    };
    memcpy(record.source, entry->key.source, sizeof(record.source));
    memcpy(record.destination, entry->key.destination, sizeof(record.destination));
    copy_counts(entry, &record);
    for (enum dwell_state state = 0; entry->dwell != NULL && state < DWELL_STATES; state++)
        record.dwell[state] = dwell_summarise(entry->dwell, state);
    if (record.scope != HOST_PAIR)
        return record;
    struct port_range range = ports_range(&entry->ports, now, census_two_msl(census));
    record.ports_low = range.low;
    record.ports_high = range.high;
    record.runs_out = census_runs_out(census, entry, now);
    return record;
}

struct census *census_new(const struct config *config)
{
    struct census *census = calloc(1, sizeof(*census));
    if (census == NULL)
        return NULL;
    census->config = config;
    census->secret = hash_key_draw();
    pool_init(&census->pool, sizeof(struct census_entry));
    return census;
}

void census_free(struct census *census)
{
    if (census == NULL)
        return;
    for (uint32_t i = 0; i < CENSUS_BUCKETS; i++) {
        uint32_t index = census->bucket[i];
        for (; index != 0; index = entry_at(census, index)->next_in_bucket)
            clear_entry(census, entry_at(census, index));
    }
    pool_clear(&census->pool);
    free(census);
}
